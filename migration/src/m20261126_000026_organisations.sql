-- What a person says ties them to an organisation: who judges is refused by it. Rows end, they are not taken away.
CREATE TABLE organisation_conflicts (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL CONSTRAINT organisation_conflicts_user REFERENCES users (id),
    organisation_id UUID NOT NULL CONSTRAINT organisation_conflicts_organisation REFERENCES organisations (id),
    kind text NOT NULL CONSTRAINT organisation_conflicts_kind CHECK (kind IN ('family', 'employment', 'money', 'dispute', 'other')),
    declared_at TIME NOT NULL,
    ended_at TIME
);
CREATE UNIQUE INDEX organisation_conflicts_one_live ON organisation_conflicts (user_id, organisation_id, kind) WHERE ended_at IS NULL;
CREATE INDEX organisation_conflicts_of ON organisation_conflicts (user_id, organisation_id);
CREATE INDEX organisation_people_ever ON organisation_people (user_id, organisation_id);
CREATE INDEX organisation_people_list ON organisation_people (organisation_id, id);

-- Platforms of the three levels: an incubation base, street centres, community social-work offices.
-- The operator of a centre comes from the pool: `operator_admission_id` names the admission of that very organisation.
CREATE TABLE operator_rounds (
    id UUID NOT NULL PRIMARY KEY,
    place_id UUID NOT NULL CONSTRAINT operator_rounds_place REFERENCES places (id),
    place_path PATH NOT NULL,
    title text NOT NULL,
    criteria text NOT NULL,
    opens_at TIME NOT NULL,
    closes_at TIME NOT NULL,
    valid_from TIME NOT NULL,
    valid_until TIME NOT NULL,
    created_by UUID CONSTRAINT operator_rounds_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT operator_rounds_calendar CHECK (opens_at < closes_at),
    CONSTRAINT operator_rounds_validity CHECK (valid_from < valid_until)
);
CREATE INDEX operator_rounds_list ON operator_rounds (place_path, id);

CREATE TABLE operator_admissions (
    id UUID NOT NULL PRIMARY KEY,
    round_id UUID NOT NULL CONSTRAINT operator_admissions_round REFERENCES operator_rounds (id),
    organisation_id UUID NOT NULL CONSTRAINT operator_admissions_organisation REFERENCES organisations (id),
    state text NOT NULL CONSTRAINT operator_admissions_state CHECK (state IN ('applied', 'admitted', 'refused', 'removed')),
    applied_by UUID CONSTRAINT operator_admissions_applied_by REFERENCES users (id),
    applied_at TIME NOT NULL,
    decided_by UUID CONSTRAINT operator_admissions_decided_by REFERENCES users (id),
    decided_at TIME,
    reason text,
    CONSTRAINT operator_admissions_once UNIQUE (round_id, organisation_id),
    CONSTRAINT operator_admissions_own UNIQUE (id, organisation_id),
    CONSTRAINT operator_admissions_decided CHECK ((state = 'applied') = (decided_at IS NULL)),
    CONSTRAINT operator_admissions_not_by_oneself CHECK (decided_by IS NULL OR applied_by IS NULL OR decided_by <> applied_by)
);
CREATE INDEX operator_admissions_of ON operator_admissions (organisation_id, id);

CREATE TABLE platforms (
    id UUID NOT NULL PRIMARY KEY,
    level text NOT NULL CONSTRAINT platforms_level CHECK (level IN ('district', 'street', 'community')),
    place_id UUID NOT NULL CONSTRAINT platforms_place REFERENCES places (id),
    place_path PATH NOT NULL,
    name text NOT NULL,
    runs text NOT NULL,
    area_m2 bigint CONSTRAINT platforms_area CHECK (area_m2 > 0),
    invested_fen bigint CONSTRAINT platforms_invested CHECK (invested_fen >= 0),
    opened_year bigint CONSTRAINT platforms_opened CHECK (opened_year BETWEEN 1949 AND 2999),
    operator_id UUID CONSTRAINT platforms_operator REFERENCES organisations (id),
    operator_admission_id UUID,
    created_by UUID CONSTRAINT platforms_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT platforms_once UNIQUE (place_id, name),
    CONSTRAINT platforms_operated CHECK ((operator_id IS NULL) = (operator_admission_id IS NULL)),
    CONSTRAINT platforms_from_pool FOREIGN KEY (operator_admission_id, operator_id) REFERENCES operator_admissions (id, organisation_id)
);
CREATE INDEX platforms_list ON platforms (place_path, id);

-- What was published about platforms, beside what is counted; only ever added.
CREATE TABLE platform_reports (
    id UUID NOT NULL PRIMARY KEY,
    level text NOT NULL CONSTRAINT platform_reports_level CHECK (level IN ('district', 'street', 'community')),
    place_id UUID NOT NULL CONSTRAINT platform_reports_place REFERENCES places (id),
    place_path PATH NOT NULL,
    subject text NOT NULL,
    figure text NOT NULL CONSTRAINT platform_reports_figure CHECK (figure IN ('incubated', 'guided', 'invested_fen', 'area_m2')),
    amount bigint NOT NULL CONSTRAINT platform_reports_amount CHECK (amount >= 0),
    at_least boolean NOT NULL,
    source text NOT NULL,
    recorded_by UUID CONSTRAINT platform_reports_recorded_by REFERENCES users (id),
    recorded_at TIME NOT NULL
);
CREATE INDEX platform_reports_list ON platform_reports (place_path, id);

-- The register: what is known of an organisation besides its name.
ALTER TABLE organisations ADD COLUMN credit_code text CONSTRAINT organisations_credit_code_form CHECK (length(credit_code) = 18);
ALTER TABLE organisations ADD COLUMN purpose text NOT NULL DEFAULT '';
ALTER TABLE organisations ADD COLUMN address text;
ALTER TABLE organisations ADD COLUMN phone_cipher text;
ALTER TABLE organisations ADD COLUMN incubator_id UUID CONSTRAINT organisations_incubator REFERENCES platforms (id);
CREATE UNIQUE INDEX organisations_credit_code ON organisations (credit_code);
CREATE INDEX organisations_of_incubator ON organisations (incubator_id, state) WHERE incubator_id IS NOT NULL;
CREATE INDEX organisations_by_state ON organisations (state, id);
CREATE INDEX projects_of_organisation ON projects (organisation_id, state) WHERE organisation_id IS NOT NULL;

CREATE TABLE organisation_fields (
    organisation_id UUID NOT NULL CONSTRAINT organisation_fields_organisation REFERENCES organisations (id),
    field text NOT NULL CONSTRAINT organisation_fields_field CHECK (field IN ('charity', 'culture_education', 'rights', 'convenience')),
    PRIMARY KEY (organisation_id, field)
);
CREATE INDEX organisation_fields_of ON organisation_fields (field, organisation_id);

-- How an organisation stood when; the last row says how it stands.
CREATE TABLE organisation_standings (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL CONSTRAINT organisation_standings_organisation REFERENCES organisations (id),
    state text NOT NULL CONSTRAINT organisation_standings_state CHECK (state IN ('registered', 'incubating', 'guided')),
    incubator_id UUID CONSTRAINT organisation_standings_incubator REFERENCES platforms (id),
    reason text NOT NULL,
    decided_by UUID CONSTRAINT organisation_standings_decided_by REFERENCES users (id),
    at TIME NOT NULL
);
CREATE INDEX organisation_standings_of ON organisation_standings (organisation_id, at);
-- What was registered before credit codes were kept has none yet.
INSERT INTO organisation_standings (id, organisation_id, state, incubator_id, reason, decided_by, at)
SELECT id, id, state, NULL, '登记', NULL, created_at FROM organisations;

CREATE TABLE organisation_qualifications (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL CONSTRAINT organisation_qualifications_organisation REFERENCES organisations (id),
    name text NOT NULL,
    issuer text NOT NULL,
    number text NOT NULL,
    expires_at TIME,
    warned_at TIME,
    added_by UUID CONSTRAINT organisation_qualifications_added_by REFERENCES users (id),
    added_at TIME NOT NULL,
    ended_at TIME
);
CREATE INDEX organisation_qualifications_of ON organisation_qualifications (organisation_id, id);
CREATE INDEX organisation_qualifications_due ON organisation_qualifications (expires_at) WHERE warned_at IS NULL AND ended_at IS NULL;

-- Service sites near people: a canteen for the old, a school after half past four. Coordinates in millionths of a degree.
CREATE TABLE service_sites (
    id UUID NOT NULL PRIMARY KEY,
    place_id UUID NOT NULL CONSTRAINT service_sites_place REFERENCES places (id),
    place_path PATH NOT NULL,
    organisation_id UUID CONSTRAINT service_sites_organisation REFERENCES organisations (id),
    kind text NOT NULL CONSTRAINT service_sites_kind CHECK (kind IN ('canteen', 'after_school', 'rehabilitation', 'housekeeping', 'health',
        'employment', 'study_aid', 'parenting', 'childcare')),
    name text NOT NULL,
    address text NOT NULL,
    opening JSON NOT NULL,
    fees JSON NOT NULL,
    lat_e6 bigint NOT NULL CONSTRAINT service_sites_lat CHECK (lat_e6 BETWEEN -90000000 AND 90000000),
    lng_e6 bigint NOT NULL CONSTRAINT service_sites_lng CHECK (lng_e6 BETWEEN -180000000 AND 180000000),
    created_by UUID CONSTRAINT service_sites_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    closed_at TIME
);
CREATE INDEX service_sites_near ON service_sites (lat_e6, lng_e6) WHERE closed_at IS NULL;
CREATE INDEX service_sites_near_kind ON service_sites (kind, lat_e6, lng_e6) WHERE closed_at IS NULL;

-- Incubation services. A room is booked by a request that was accepted; accepted bookings of one room never overlap.
CREATE TABLE platform_rooms (
    id UUID NOT NULL PRIMARY KEY,
    platform_id UUID NOT NULL CONSTRAINT platform_rooms_platform REFERENCES platforms (id),
    name text NOT NULL,
    seats bigint NOT NULL CONSTRAINT platform_rooms_seats CHECK (seats > 0),
    created_at TIME NOT NULL,
    CONSTRAINT platform_rooms_once UNIQUE (platform_id, name)
);
CREATE TABLE incubation_requests (
    id UUID NOT NULL PRIMARY KEY,
    platform_id UUID NOT NULL CONSTRAINT incubation_requests_platform REFERENCES platforms (id),
    organisation_id UUID NOT NULL CONSTRAINT incubation_requests_organisation REFERENCES organisations (id),
    kind text NOT NULL CONSTRAINT incubation_requests_kind CHECK (kind IN ('registration_help', 'tutoring', 'space')),
    state text NOT NULL CONSTRAINT incubation_requests_state CHECK (state IN ('requested', 'accepted', 'declined', 'done', 'withdrawn')),
    wish text NOT NULL,
    room_id UUID CONSTRAINT incubation_requests_room REFERENCES platform_rooms (id),
    starts_at TIME,
    ends_at TIME,
    requested_by UUID NOT NULL CONSTRAINT incubation_requests_requested_by REFERENCES users (id),
    requested_at TIME NOT NULL,
    decided_by UUID CONSTRAINT incubation_requests_decided_by REFERENCES users (id),
    decided_at TIME,
    answer text,
    CONSTRAINT incubation_requests_space CHECK ((kind = 'space') = (room_id IS NOT NULL)
        AND (room_id IS NULL) = (starts_at IS NULL) AND (room_id IS NULL) = (ends_at IS NULL)),
    CONSTRAINT incubation_requests_half_open CHECK (starts_at IS NULL OR starts_at < ends_at),
    CONSTRAINT incubation_requests_decided CHECK ((state = 'requested') = (decided_by IS NULL)),
    CONSTRAINT incubation_requests_not_by_oneself CHECK (decided_by IS NULL OR decided_by <> requested_by OR state = 'withdrawn')
);
CREATE INDEX incubation_requests_of_platform ON incubation_requests (platform_id, id);
CREATE INDEX incubation_requests_of_organisation ON incubation_requests (organisation_id, id);
CREATE INDEX incubation_requests_of_room ON incubation_requests (room_id, ends_at) WHERE room_id IS NOT NULL;

-- The academy 公益学院: a seat is taken with its row; somebody else records who completed a course.
CREATE TABLE academy_courses (
    id UUID NOT NULL PRIMARY KEY,
    platform_id UUID NOT NULL CONSTRAINT academy_courses_platform REFERENCES platforms (id),
    title text NOT NULL,
    description text NOT NULL,
    starts_at TIME NOT NULL,
    ends_at TIME NOT NULL,
    capacity bigint NOT NULL CONSTRAINT academy_courses_capacity_positive CHECK (capacity > 0),
    taken bigint NOT NULL CONSTRAINT academy_courses_taken_positive CHECK (taken >= 0),
    created_by UUID CONSTRAINT academy_courses_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT academy_courses_half_open CHECK (starts_at < ends_at),
    CONSTRAINT academy_courses_capacity CHECK (taken <= capacity)
);
CREATE INDEX academy_courses_list ON academy_courses (platform_id, id);
CREATE TABLE academy_enrolments (
    id UUID NOT NULL PRIMARY KEY,
    course_id UUID NOT NULL CONSTRAINT academy_enrolments_course REFERENCES academy_courses (id),
    user_id UUID NOT NULL CONSTRAINT academy_enrolments_user REFERENCES users (id),
    state text NOT NULL CONSTRAINT academy_enrolments_state CHECK (state IN ('enrolled', 'cancelled', 'completed')),
    enrolled_at TIME NOT NULL,
    completed_by UUID CONSTRAINT academy_enrolments_completed_by REFERENCES users (id),
    completed_at TIME,
    CONSTRAINT academy_enrolments_completed CHECK ((state = 'completed') = (completed_by IS NOT NULL)),
    CONSTRAINT academy_enrolments_not_by_oneself CHECK (completed_by IS NULL OR completed_by <> user_id)
);
CREATE UNIQUE INDEX academy_enrolments_one_live ON academy_enrolments (course_id, user_id) WHERE state <> 'cancelled';
CREATE INDEX academy_enrolments_mine ON academy_enrolments (user_id, id);

-- Social workers' talent register and its rounds. Who scores is not who applies; the score carries the applicant for that.
CREATE TABLE talents (
    user_id UUID NOT NULL PRIMARY KEY CONSTRAINT talents_user REFERENCES users (id),
    place_id UUID NOT NULL CONSTRAINT talents_place REFERENCES places (id),
    place_path PATH NOT NULL,
    qualification text NOT NULL CONSTRAINT talents_qualification CHECK (qualification IN ('none', 'assistant', 'social_worker', 'senior')),
    works_since bigint NOT NULL CONSTRAINT talents_works_since CHECK (works_since BETWEEN 1949 AND 2999),
    about text NOT NULL,
    updated_at TIME NOT NULL
);
CREATE INDEX talents_list ON talents (place_path, user_id);
CREATE TABLE talent_rounds (
    id UUID NOT NULL PRIMARY KEY,
    place_id UUID NOT NULL CONSTRAINT talent_rounds_place REFERENCES places (id),
    place_path PATH NOT NULL,
    title text NOT NULL,
    criteria JSON NOT NULL,
    seats bigint NOT NULL CONSTRAINT talent_rounds_seats CHECK (seats > 0),
    opens_at TIME NOT NULL,
    closes_at TIME NOT NULL,
    created_by UUID CONSTRAINT talent_rounds_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    published_at TIME,
    notice_id UUID,
    CONSTRAINT talent_rounds_calendar CHECK (opens_at < closes_at),
    CONSTRAINT talent_rounds_published CHECK ((published_at IS NULL) = (notice_id IS NULL))
);
CREATE INDEX talent_rounds_list ON talent_rounds (place_path, id);
CREATE TABLE talent_applications (
    id UUID NOT NULL PRIMARY KEY,
    round_id UUID NOT NULL CONSTRAINT talent_applications_round REFERENCES talent_rounds (id),
    user_id UUID NOT NULL CONSTRAINT talent_applications_user REFERENCES users (id),
    statement text NOT NULL,
    state text NOT NULL CONSTRAINT talent_applications_state CHECK (state IN ('applied', 'withdrawn', 'selected', 'not_selected')),
    applied_at TIME NOT NULL,
    CONSTRAINT talent_applications_once UNIQUE (round_id, user_id),
    CONSTRAINT talent_applications_own UNIQUE (id, user_id)
);
CREATE TABLE talent_scores (
    application_id UUID NOT NULL,
    applicant_id UUID NOT NULL,
    scorer_id UUID NOT NULL CONSTRAINT talent_scores_scorer REFERENCES users (id),
    points JSON NOT NULL,
    total bigint NOT NULL CONSTRAINT talent_scores_total CHECK (total >= 0),
    scored_at TIME NOT NULL,
    PRIMARY KEY (application_id, scorer_id),
    CONSTRAINT talent_scores_application FOREIGN KEY (application_id, applicant_id) REFERENCES talent_applications (id, user_id),
    CONSTRAINT talent_scores_not_by_oneself CHECK (scorer_id <> applicant_id)
);

--postgres
CREATE TRIGGER organisation_standings_append_only BEFORE UPDATE OR DELETE ON organisation_standings FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER platform_reports_append_only BEFORE UPDATE OR DELETE ON platform_reports FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE FUNCTION refuse_without_credit_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = NEW.organisation_id AND o.credit_code IS NOT NULL) THEN
        RAISE EXCEPTION 'a registered organisation has a credit code' USING ERRCODE = 'check_violation', CONSTRAINT = 'organisation_standings_code';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER organisation_standings_code BEFORE INSERT ON organisation_standings FOR EACH ROW WHEN (NEW.state = 'registered')
    EXECUTE FUNCTION refuse_without_credit_code();
ALTER TABLE incubation_requests ADD CONSTRAINT incubation_requests_overlap
    EXCLUDE USING gist (room_id WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&) WHERE (room_id IS NOT NULL AND state IN ('accepted', 'done'));
--sqlite
CREATE TRIGGER organisation_standings_no_update BEFORE UPDATE ON organisation_standings BEGIN SELECT RAISE(ABORT, 'organisation_standings_append_only'); END;
CREATE TRIGGER organisation_standings_no_delete BEFORE DELETE ON organisation_standings BEGIN SELECT RAISE(ABORT, 'organisation_standings_append_only'); END;
CREATE TRIGGER platform_reports_no_update BEFORE UPDATE ON platform_reports BEGIN SELECT RAISE(ABORT, 'platform_reports_append_only'); END;
CREATE TRIGGER platform_reports_no_delete BEFORE DELETE ON platform_reports BEGIN SELECT RAISE(ABORT, 'platform_reports_append_only'); END;
CREATE TRIGGER organisation_standings_code BEFORE INSERT ON organisation_standings
WHEN NEW.state = 'registered' AND NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = NEW.organisation_id AND o.credit_code IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'organisation_standings_code'); END;
CREATE TRIGGER incubation_requests_overlap BEFORE UPDATE OF state ON incubation_requests
WHEN NEW.room_id IS NOT NULL AND NEW.state IN ('accepted', 'done') AND EXISTS (
    SELECT 1 FROM incubation_requests r WHERE r.room_id = NEW.room_id AND r.id <> NEW.id AND r.state IN ('accepted', 'done')
        AND r.starts_at < NEW.ends_at AND NEW.starts_at < r.ends_at)
BEGIN SELECT RAISE(ABORT, 'incubation_requests_overlap'); END;
CREATE TRIGGER incubation_requests_overlap_new BEFORE INSERT ON incubation_requests
WHEN NEW.room_id IS NOT NULL AND NEW.state IN ('accepted', 'done') AND EXISTS (
    SELECT 1 FROM incubation_requests r WHERE r.room_id = NEW.room_id AND r.state IN ('accepted', 'done')
        AND r.starts_at < NEW.ends_at AND NEW.starts_at < r.ends_at)
BEGIN SELECT RAISE(ABORT, 'incubation_requests_overlap'); END;
--end
