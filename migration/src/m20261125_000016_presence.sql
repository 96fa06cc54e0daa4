-- Where people are expected: a hint beside the phone's position, of an activity or of one shift (whose own comes first).
CREATE TABLE meeting_points (
    target_id UUID NOT NULL PRIMARY KEY,
    activity_id UUID CONSTRAINT meeting_points_activity REFERENCES activities (id),
    shift_id UUID CONSTRAINT meeting_points_shift REFERENCES shifts (id),
    latitude double precision NOT NULL CONSTRAINT meeting_points_latitude CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CONSTRAINT meeting_points_longitude CHECK (longitude BETWEEN -180 AND 180),
    radius_m integer NOT NULL CONSTRAINT meeting_points_radius CHECK (radius_m BETWEEN 10 AND 5000),
    set_by UUID NOT NULL CONSTRAINT meeting_points_set_by REFERENCES users (id),
    set_at TIME NOT NULL,
    CONSTRAINT meeting_points_one_target CHECK (COALESCE(activity_id, shift_id) = target_id AND (activity_id IS NULL OR shift_id IS NULL))
);

-- What a phone scanned without a network and uploaded later. The nonce that the phone made lets it happen once. `at` is the moment
-- that counts: the phone's time, held within the time that the scanned code proves. `applied` says whether it changed the sign-up;
-- one that found it changed already stays here as evidence.
CREATE TABLE offline_check_ins (
    user_id UUID NOT NULL CONSTRAINT offline_check_ins_user REFERENCES users (id),
    nonce text NOT NULL,
    shift_id UUID NOT NULL CONSTRAINT offline_check_ins_shift REFERENCES shifts (id),
    signup_id UUID NOT NULL CONSTRAINT offline_check_ins_signup REFERENCES signups (id),
    step text NOT NULL CONSTRAINT offline_check_ins_step CHECK (step IN ('in', 'out')),
    code_window bigint NOT NULL,
    device_time TIME NOT NULL,
    at TIME NOT NULL,
    received_at TIME NOT NULL,
    late boolean NOT NULL,
    applied boolean NOT NULL,
    PRIMARY KEY (user_id, nonce),
    CONSTRAINT offline_check_ins_past CHECK (at <= received_at)
);
CREATE INDEX offline_check_ins_of_signup ON offline_check_ins (signup_id);
CREATE INDEX signups_present ON signups (ends_at) WHERE state = 'checked_in';

-- What was confirmed of one sign-up, with what the ministry's record asks for; `minutes` as they were sealed. One batch is one
-- confirmation of one or more sign-ups of a shift, and has one notice.
CREATE TABLE service_records (
    signup_id UUID NOT NULL PRIMARY KEY CONSTRAINT service_records_signup REFERENCES signups (id),
    batch_id UUID NOT NULL,
    shift_id UUID NOT NULL CONSTRAINT service_records_shift REFERENCES shifts (id),
    user_id UUID NOT NULL CONSTRAINT service_records_user REFERENCES users (id),
    community_id UUID NOT NULL CONSTRAINT service_records_community REFERENCES places (id),
    minutes bigint NOT NULL CONSTRAINT service_records_minutes CHECK (minutes >= 0),
    people_served integer CONSTRAINT service_records_people_served CHECK (people_served >= 0),
    content text NOT NULL,
    rating integer CONSTRAINT service_records_rating CHECK (rating BETWEEN 1 AND 5),
    responsible text NOT NULL,
    recorded_by UUID NOT NULL CONSTRAINT service_records_recorded_by REFERENCES users (id),
    recorded_at TIME NOT NULL,
    CONSTRAINT service_records_not_by_oneself CHECK (recorded_by <> user_id)
);
CREATE INDEX service_records_mine ON service_records (user_id, signup_id);
CREATE INDEX service_records_served ON service_records (community_id, user_id);
CREATE INDEX service_records_of_shift ON service_records (shift_id);

-- A volunteer's wish that a sealed figure be looked at again.
CREATE TABLE correction_requests (
    id UUID NOT NULL PRIMARY KEY,
    signup_id UUID NOT NULL CONSTRAINT correction_requests_record REFERENCES service_records (signup_id),
    user_id UUID NOT NULL CONSTRAINT correction_requests_user REFERENCES users (id),
    community_id UUID NOT NULL CONSTRAINT correction_requests_community REFERENCES places (id),
    place_path PATH NOT NULL,
    minutes bigint,
    reason text NOT NULL,
    state text NOT NULL CONSTRAINT correction_requests_state CHECK (state IN ('open', 'granted', 'declined')),
    answer text,
    answered_by UUID CONSTRAINT correction_requests_answered_by REFERENCES users (id),
    answered_at TIME,
    created_at TIME NOT NULL,
    CONSTRAINT correction_requests_answered CHECK ((state = 'open') = (answered_by IS NULL)),
    CONSTRAINT correction_requests_not_by_oneself CHECK (answered_by IS NULL OR answered_by <> user_id)
);
CREATE UNIQUE INDEX correction_requests_one_open ON correction_requests (signup_id) WHERE state = 'open';
CREATE INDEX correction_requests_of_signup ON correction_requests (signup_id, id);
CREATE INDEX correction_requests_list ON correction_requests (community_id, id);

-- Corrections append: what stood before, what stands now, why, by whom. `delta` lets totals be sums.
CREATE TABLE service_corrections (
    id UUID NOT NULL PRIMARY KEY,
    signup_id UUID NOT NULL CONSTRAINT service_corrections_record REFERENCES service_records (signup_id),
    user_id UUID NOT NULL CONSTRAINT service_corrections_user REFERENCES users (id),
    community_id UUID NOT NULL CONSTRAINT service_corrections_community REFERENCES places (id),
    seq integer NOT NULL,
    minutes_before bigint NOT NULL,
    minutes bigint NOT NULL CONSTRAINT service_corrections_minutes CHECK (minutes >= 0),
    delta bigint NOT NULL,
    points bigint NOT NULL CONSTRAINT service_corrections_points CHECK (points >= 0),
    reason text NOT NULL,
    recorded_by UUID NOT NULL CONSTRAINT service_corrections_recorded_by REFERENCES users (id),
    corrected_by UUID NOT NULL CONSTRAINT service_corrections_corrected_by REFERENCES users (id),
    corrected_at TIME NOT NULL,
    CONSTRAINT service_corrections_delta CHECK (delta = minutes - minutes_before AND delta <> 0),
    CONSTRAINT service_corrections_not_by_oneself CHECK (corrected_by <> user_id),
    CONSTRAINT service_corrections_second_person CHECK (corrected_by <> recorded_by),
    CONSTRAINT service_corrections_seq UNIQUE (signup_id, seq)
);
CREATE INDEX service_corrections_served ON service_corrections (user_id, community_id);

-- What was confirmed before there were records: the activity's title is its content, and it has no notice.
INSERT INTO service_records (signup_id, batch_id, shift_id, user_id, community_id, minutes, people_served, content, rating,
    responsible, recorded_by, recorded_at)
SELECT u.id, u.id, u.shift_id, u.user_id, u.community_id, u.minutes, NULL, a.title, NULL, l.nickname, u.confirmed_by,
    COALESCE(u.confirmed_at, u.ends_at)
FROM signups u JOIN shifts s ON s.id = u.shift_id JOIN activities a ON a.id = s.activity_id JOIN users l ON l.id = s.leader_id
WHERE u.state = 'credited';

-- Participants: a time of an activity that people enrol in, who need not be verified. `enrolled` counts those who have a place.
CREATE TABLE sessions (
    id UUID NOT NULL PRIMARY KEY,
    activity_id UUID NOT NULL CONSTRAINT sessions_activity REFERENCES activities (id),
    community_id UUID NOT NULL CONSTRAINT sessions_community REFERENCES places (id),
    place_path PATH NOT NULL,
    title text NOT NULL,
    starts_at TIME NOT NULL,
    ends_at TIME NOT NULL,
    capacity integer NOT NULL CONSTRAINT sessions_capacity_positive CHECK (capacity > 0),
    enrolled integer NOT NULL CONSTRAINT sessions_enrolled_positive CHECK (enrolled >= 0),
    leader_id UUID NOT NULL CONSTRAINT sessions_leader REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT sessions_half_open CHECK (starts_at < ends_at),
    CONSTRAINT sessions_capacity CHECK (enrolled <= capacity)
);
CREATE INDEX sessions_of_activity ON sessions (activity_id, id);

-- Whom an activity's participants are counted as: 青年女性, 全职妈妈.
CREATE TABLE beneficiary_groups (
    activity_id UUID NOT NULL CONSTRAINT beneficiary_groups_activity REFERENCES activities (id),
    name text NOT NULL,
    created_at TIME NOT NULL,
    PRIMARY KEY (activity_id, name)
);

CREATE TABLE enrolments (
    id UUID NOT NULL PRIMARY KEY,
    session_id UUID NOT NULL CONSTRAINT enrolments_session REFERENCES sessions (id),
    user_id UUID NOT NULL CONSTRAINT enrolments_user REFERENCES users (id),
    state text NOT NULL CONSTRAINT enrolments_state CHECK (state IN ('enrolled', 'waiting', 'cancelled')),
    queued_at TIME NOT NULL,
    belongs_to JSON NOT NULL,
    CONSTRAINT enrolments_once UNIQUE (session_id, user_id)
);
CREATE INDEX enrolments_list ON enrolments (session_id, id);
CREATE INDEX enrolments_queue ON enrolments (session_id, queued_at, id) WHERE state = 'waiting';
CREATE INDEX enrolments_mine ON enrolments (user_id, id);

-- Who came: a person with an account, or somebody without a phone by name, which is encrypted. `who` is the account or a keyed hash
-- of activity and name, so that one person of many sessions counts as one.
CREATE TABLE attendances (
    id UUID NOT NULL PRIMARY KEY,
    session_id UUID NOT NULL CONSTRAINT attendances_session REFERENCES sessions (id),
    activity_id UUID NOT NULL CONSTRAINT attendances_activity REFERENCES activities (id),
    user_id UUID CONSTRAINT attendances_user REFERENCES users (id),
    name_cipher text,
    who text NOT NULL,
    method text NOT NULL CONSTRAINT attendances_method CHECK (method IN ('code', 'list')),
    recorded_by UUID NOT NULL CONSTRAINT attendances_recorded_by REFERENCES users (id),
    recorded_at TIME NOT NULL,
    CONSTRAINT attendances_once UNIQUE (session_id, who),
    CONSTRAINT attendances_somebody CHECK ((user_id IS NULL) <> (name_cipher IS NULL)),
    CONSTRAINT attendances_not_by_oneself CHECK (method = 'code' OR user_id IS NULL OR recorded_by <> user_id)
);
CREATE INDEX attendances_list ON attendances (session_id, id);
CREATE INDEX attendances_of_activity ON attendances (activity_id, who);

CREATE TABLE attendance_groups (
    attendance_id UUID NOT NULL CONSTRAINT attendance_groups_attendance REFERENCES attendances (id),
    activity_id UUID NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (attendance_id, name),
    CONSTRAINT attendance_groups_named FOREIGN KEY (activity_id, name) REFERENCES beneficiary_groups (activity_id, name)
);
CREATE INDEX attendance_groups_of_activity ON attendance_groups (activity_id, name);

--postgres
CREATE TRIGGER service_records_append_only BEFORE UPDATE OR DELETE ON service_records FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER service_records_no_truncate BEFORE TRUNCATE ON service_records FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER service_corrections_append_only BEFORE UPDATE OR DELETE ON service_corrections FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER service_corrections_no_truncate BEFORE TRUNCATE ON service_corrections FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER offline_check_ins_append_only BEFORE UPDATE OR DELETE ON offline_check_ins FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER service_records_no_update BEFORE UPDATE ON service_records BEGIN SELECT RAISE(ABORT, 'service_records_append_only'); END;
CREATE TRIGGER service_records_no_delete BEFORE DELETE ON service_records BEGIN SELECT RAISE(ABORT, 'service_records_append_only'); END;
CREATE TRIGGER service_corrections_no_update BEFORE UPDATE ON service_corrections BEGIN SELECT RAISE(ABORT, 'service_corrections_append_only'); END;
CREATE TRIGGER service_corrections_no_delete BEFORE DELETE ON service_corrections BEGIN SELECT RAISE(ABORT, 'service_corrections_append_only'); END;
CREATE TRIGGER offline_check_ins_no_update BEFORE UPDATE ON offline_check_ins BEGIN SELECT RAISE(ABORT, 'offline_check_ins_append_only'); END;
CREATE TRIGGER offline_check_ins_no_delete BEFORE DELETE ON offline_check_ins BEGIN SELECT RAISE(ABORT, 'offline_check_ins_append_only'); END;
--end
