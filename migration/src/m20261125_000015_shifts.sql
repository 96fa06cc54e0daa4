-- A plan by which shifts are made: daily parts on the days of an RFC 5545 rule, teams in rotation. `digest` is of all that decides
-- which shift begins when, so that the same plan made twice is one, and a later `until_day` adds only what is missing.
CREATE TABLE shift_templates (
    id UUID NOT NULL PRIMARY KEY,
    activity_id UUID NOT NULL CONSTRAINT shift_templates_activity REFERENCES activities (id),
    digest text NOT NULL,
    plan JSON NOT NULL,
    created_by UUID NOT NULL CONSTRAINT shift_templates_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT shift_templates_once UNIQUE (activity_id, digest)
);

-- `planned_at` is the start that the template gave, which stays when the shift is moved. `revision` counts changes, for calendars.
ALTER TABLE shifts ADD COLUMN team_id UUID CONSTRAINT shifts_team REFERENCES teams (id);
ALTER TABLE shifts ADD COLUMN skill text;
ALTER TABLE shifts ADD COLUMN template_id UUID CONSTRAINT shifts_template REFERENCES shift_templates (id);
ALTER TABLE shifts ADD COLUMN planned_at TIME;
ALTER TABLE shifts ADD COLUMN revision integer NOT NULL DEFAULT 0;
ALTER TABLE shifts ADD COLUMN reminded_at TIME;
ALTER TABLE shifts ADD COLUMN called_off_by UUID CONSTRAINT shifts_called_off_by REFERENCES users (id);
ALTER TABLE shifts ADD COLUMN called_off_at TIME CONSTRAINT shifts_called_off CHECK ((called_off_at IS NULL) = (called_off_by IS NULL));
ALTER TABLE shifts ADD COLUMN call_off_reason text;
CREATE UNIQUE INDEX shifts_of_template ON shifts (template_id, planned_at) WHERE template_id IS NOT NULL;
CREATE INDEX shifts_of_team ON shifts (team_id, ends_at) WHERE team_id IS NOT NULL;

-- Sign-ups: `rests_until` is the end and the rest that the community's rule gave with it; no other live sign-up of the person
-- begins before.
-- New states: `in_review` (somebody checked in and never out: a person decides what it was worth) and `excused` (a no-show
-- whose appeal was upheld).
--postgres
ALTER TABLE signups DROP CONSTRAINT signups_state;
ALTER TABLE signups ADD CONSTRAINT signups_state CHECK (state IN
    ('waitlisted', 'offered', 'confirmed', 'checked_in', 'in_review', 'checked_out', 'credited', 'cancelled', 'no_show', 'excused'));
ALTER TABLE signups ADD COLUMN rests_until TIME;
ALTER TABLE signups DISABLE TRIGGER signups_sealed;
UPDATE signups SET rests_until = ends_at;
ALTER TABLE signups ENABLE TRIGGER signups_sealed;
ALTER TABLE signups ALTER COLUMN rests_until SET NOT NULL;
ALTER TABLE signups ADD CONSTRAINT signups_rest CHECK (ends_at <= rests_until);
ALTER TABLE signups DROP CONSTRAINT signups_overlap;
ALTER TABLE signups ADD CONSTRAINT signups_overlap
    EXCLUDE USING gist (user_id WITH =, tstzrange(starts_at, rests_until, '[)') WITH &&) WHERE (state NOT IN ('cancelled', 'no_show', 'excused'));
--sqlite
CREATE TABLE signups_new (
    id UUID NOT NULL PRIMARY KEY,
    shift_id UUID NOT NULL CONSTRAINT signups_shift REFERENCES shifts (id),
    user_id UUID NOT NULL CONSTRAINT signups_user REFERENCES users (id),
    community_id UUID NOT NULL CONSTRAINT signups_community REFERENCES places (id),
    state text NOT NULL CONSTRAINT signups_state CHECK (state IN
        ('waitlisted', 'offered', 'confirmed', 'checked_in', 'in_review', 'checked_out', 'credited', 'cancelled', 'no_show', 'excused')),
    starts_at TIME NOT NULL,
    ends_at TIME NOT NULL,
    rests_until TIME NOT NULL,
    queued_at TIME NOT NULL,
    offer_expires_at TIME,
    checked_in_at TIME,
    checked_out_at TIME,
    proof JSON NOT NULL,
    minutes bigint,
    points bigint,
    confirmed_by UUID CONSTRAINT signups_confirmed_by REFERENCES users (id),
    confirmed_at TIME,
    CONSTRAINT signups_rest CHECK (ends_at <= rests_until),
    CONSTRAINT signups_offer CHECK ((state = 'offered') = (offer_expires_at IS NOT NULL)),
    CONSTRAINT signups_presence CHECK (checked_out_at IS NULL OR checked_in_at <= checked_out_at),
    CONSTRAINT signups_credit CHECK ((state = 'credited') = (minutes IS NOT NULL AND points IS NOT NULL AND confirmed_by IS NOT NULL)),
    CONSTRAINT signups_not_by_oneself CHECK (confirmed_by IS NULL OR confirmed_by <> user_id)
);
INSERT INTO signups_new SELECT id, shift_id, user_id, community_id, state, starts_at, ends_at, ends_at, queued_at, offer_expires_at,
    checked_in_at, checked_out_at, proof, minutes, points, confirmed_by, confirmed_at FROM signups;
DROP TABLE signups;
ALTER TABLE signups_new RENAME TO signups;
CREATE INDEX signups_of_shift ON signups (shift_id, id);
CREATE INDEX signups_own ON signups (shift_id, user_id);
CREATE INDEX signups_mine ON signups (user_id, id);
CREATE INDEX signups_times ON signups (user_id, ends_at);
CREATE INDEX signups_queue ON signups (shift_id, queued_at, id) WHERE state = 'waitlisted';
CREATE INDEX signups_waiting ON signups (starts_at) WHERE state = 'waitlisted';
CREATE INDEX signups_offers ON signups (offer_expires_at) WHERE state = 'offered';
CREATE INDEX signups_expected ON signups (ends_at) WHERE state = 'confirmed';
CREATE TRIGGER signups_overlap BEFORE INSERT ON signups
WHEN NEW.state NOT IN ('cancelled', 'no_show', 'excused') AND EXISTS (
    SELECT 1 FROM signups s WHERE s.user_id = NEW.user_id AND s.state NOT IN ('cancelled', 'no_show', 'excused')
        AND s.starts_at < NEW.rests_until AND NEW.starts_at < s.rests_until)
BEGIN SELECT RAISE(ABORT, 'signups_overlap'); END;
CREATE TRIGGER signups_overlap_moved BEFORE UPDATE OF user_id, starts_at, rests_until ON signups
WHEN NEW.state NOT IN ('cancelled', 'no_show', 'excused') AND EXISTS (
    SELECT 1 FROM signups s WHERE s.user_id = NEW.user_id AND s.id <> NEW.id AND s.state NOT IN ('cancelled', 'no_show', 'excused')
        AND s.starts_at < NEW.rests_until AND NEW.starts_at < s.rests_until)
BEGIN SELECT RAISE(ABORT, 'signups_overlap'); END;
CREATE TRIGGER signups_sealed_update BEFORE UPDATE ON signups WHEN OLD.state = 'credited'
BEGIN SELECT RAISE(ABORT, 'signups_sealed'); END;
CREATE TRIGGER signups_sealed_delete BEFORE DELETE ON signups WHEN OLD.state = 'credited'
BEGIN SELECT RAISE(ABORT, 'signups_sealed'); END;
--end

-- Who cannot come asks somebody else to take the seat; `named_id` is whom they hope for.
CREATE TABLE stand_ins (
    id UUID NOT NULL PRIMARY KEY,
    signup_id UUID NOT NULL CONSTRAINT stand_ins_signup REFERENCES signups (id),
    shift_id UUID NOT NULL CONSTRAINT stand_ins_shift REFERENCES shifts (id),
    community_id UUID NOT NULL CONSTRAINT stand_ins_community REFERENCES places (id),
    user_id UUID NOT NULL CONSTRAINT stand_ins_user REFERENCES users (id),
    named_id UUID CONSTRAINT stand_ins_named REFERENCES users (id),
    state text NOT NULL CONSTRAINT stand_ins_state CHECK (state IN ('open', 'taken', 'withdrawn', 'lapsed')),
    starts_at TIME NOT NULL,
    taken_by UUID CONSTRAINT stand_ins_taken_by REFERENCES users (id),
    created_at TIME NOT NULL,
    closed_at TIME,
    CONSTRAINT stand_ins_taken CHECK ((state = 'taken') = (taken_by IS NOT NULL)),
    CONSTRAINT stand_ins_closed CHECK ((state = 'open') = (closed_at IS NULL)),
    CONSTRAINT stand_ins_not_by_oneself CHECK ((taken_by IS NULL OR taken_by <> user_id) AND (named_id IS NULL OR named_id <> user_id))
);
CREATE UNIQUE INDEX stand_ins_one_open ON stand_ins (signup_id) WHERE state = 'open';
CREATE INDEX stand_ins_list ON stand_ins (community_id, id) WHERE state = 'open';
CREATE INDEX stand_ins_due ON stand_ins (starts_at) WHERE state = 'open';

-- Two people exchange their shifts. `starts_at` is the earlier start, when the offer ends.
CREATE TABLE swaps (
    id UUID NOT NULL PRIMARY KEY,
    signup_id UUID NOT NULL CONSTRAINT swaps_signup REFERENCES signups (id),
    with_signup_id UUID NOT NULL CONSTRAINT swaps_with_signup REFERENCES signups (id),
    user_id UUID NOT NULL CONSTRAINT swaps_user REFERENCES users (id),
    with_user_id UUID NOT NULL CONSTRAINT swaps_with_user REFERENCES users (id),
    state text NOT NULL CONSTRAINT swaps_state CHECK (state IN ('open', 'accepted', 'declined', 'withdrawn', 'lapsed')),
    starts_at TIME NOT NULL,
    created_at TIME NOT NULL,
    closed_at TIME,
    CONSTRAINT swaps_two_people CHECK (user_id <> with_user_id),
    CONSTRAINT swaps_closed CHECK ((state = 'open') = (closed_at IS NULL))
);
CREATE UNIQUE INDEX swaps_one_open ON swaps (signup_id, with_signup_id) WHERE state = 'open';
CREATE INDEX swaps_with ON swaps (with_signup_id) WHERE state = 'open';
CREATE INDEX swaps_asked ON swaps (user_id, id);
CREATE INDEX swaps_answering ON swaps (with_user_id, id);
CREATE INDEX swaps_due ON swaps (starts_at) WHERE state = 'open';

-- A time without shifts after `no_shows` of them. Taken back early when an appeal leaves fewer.
CREATE TABLE suspensions (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL CONSTRAINT suspensions_user REFERENCES users (id),
    community_id UUID NOT NULL CONSTRAINT suspensions_community REFERENCES places (id),
    no_shows integer NOT NULL CONSTRAINT suspensions_no_shows CHECK (no_shows > 0),
    from_at TIME NOT NULL,
    until_at TIME NOT NULL,
    lifted_at TIME,
    CONSTRAINT suspensions_half_open CHECK (from_at < until_at)
);
CREATE INDEX suspensions_of_person ON suspensions (user_id, until_at);

-- Somebody's word that a person did not come, the person's appeal, and what somebody else decided. `set_by` is absent for what the
-- schedule of earlier versions set. A no-show counts towards one suspension at most.
CREATE TABLE no_shows (
    signup_id UUID NOT NULL PRIMARY KEY CONSTRAINT no_shows_signup REFERENCES signups (id),
    id UUID NOT NULL,
    user_id UUID NOT NULL CONSTRAINT no_shows_user REFERENCES users (id),
    community_id UUID NOT NULL CONSTRAINT no_shows_community REFERENCES places (id),
    place_path PATH NOT NULL,
    missed_at TIME NOT NULL,
    state text NOT NULL CONSTRAINT no_shows_state CHECK (state IN ('standing', 'appealed', 'rejected', 'excused')),
    set_by UUID CONSTRAINT no_shows_set_by REFERENCES users (id),
    set_at TIME NOT NULL,
    suspension_id UUID CONSTRAINT no_shows_suspension REFERENCES suspensions (id),
    appeal text,
    appealed_at TIME,
    decided_by UUID CONSTRAINT no_shows_decided_by REFERENCES users (id),
    decided_at TIME,
    decision text,
    CONSTRAINT no_shows_not_by_oneself CHECK ((set_by IS NULL OR set_by <> user_id) AND (decided_by IS NULL OR decided_by <> user_id)),
    CONSTRAINT no_shows_appeal_by_another CHECK (decided_by IS NULL OR set_by IS NULL OR decided_by <> set_by),
    CONSTRAINT no_shows_appealed CHECK ((state = 'standing') = (appealed_at IS NULL)),
    CONSTRAINT no_shows_decided CHECK ((state IN ('rejected', 'excused')) = (decided_by IS NOT NULL))
);
CREATE UNIQUE INDEX no_shows_id ON no_shows (id);
CREATE INDEX no_shows_of_person ON no_shows (user_id, missed_at);
CREATE INDEX no_shows_appeals ON no_shows (community_id, id) WHERE state = 'appealed';
CREATE INDEX no_shows_suspending ON no_shows (suspension_id) WHERE suspension_id IS NOT NULL;
INSERT INTO no_shows (signup_id, id, user_id, community_id, place_path, missed_at, state, set_at)
    SELECT u.id, u.id, u.user_id, u.community_id, s.place_path, u.ends_at, 'standing', u.ends_at
    FROM signups u JOIN shifts s ON s.id = u.shift_id WHERE u.state = 'no_show';

-- Whose calendar a secret link shows. The link holds the id and a signature; a new row in its place ends the old link.
CREATE TABLE calendar_feeds (
    user_id UUID NOT NULL PRIMARY KEY CONSTRAINT calendar_feeds_user REFERENCES users (id),
    id UUID NOT NULL CONSTRAINT calendar_feeds_id UNIQUE,
    created_at TIME NOT NULL
);
