-- New states: `in_review` (somebody checked in and never out: a person decides what it was worth) and `excused` (a no-show
-- whose appeal was upheld).
--postgres
ALTER TABLE signups DROP CONSTRAINT signups_state;
ALTER TABLE signups ADD CONSTRAINT signups_state CHECK (state IN
    ('waitlisted', 'offered', 'confirmed', 'checked_in', 'in_review', 'checked_out', 'credited', 'cancelled', 'no_show', 'excused'));
ALTER TABLE signups DROP CONSTRAINT signups_overlap;
ALTER TABLE signups ADD CONSTRAINT signups_overlap
    EXCLUDE USING gist (user_id WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&) WHERE (state NOT IN ('cancelled', 'no_show', 'excused'));
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
    queued_at TIME NOT NULL,
    offer_expires_at TIME,
    checked_in_at TIME,
    checked_out_at TIME,
    proof JSON NOT NULL,
    minutes bigint,
    points bigint,
    confirmed_by UUID CONSTRAINT signups_confirmed_by REFERENCES users (id),
    confirmed_at TIME,
    CONSTRAINT signups_offer CHECK ((state = 'offered') = (offer_expires_at IS NOT NULL)),
    CONSTRAINT signups_presence CHECK (checked_out_at IS NULL OR checked_in_at <= checked_out_at),
    CONSTRAINT signups_credit CHECK ((state = 'credited') = (minutes IS NOT NULL AND points IS NOT NULL AND confirmed_by IS NOT NULL)),
    CONSTRAINT signups_not_by_oneself CHECK (confirmed_by IS NULL OR confirmed_by <> user_id)
);
INSERT INTO signups_new SELECT id, shift_id, user_id, community_id, state, starts_at, ends_at, queued_at, offer_expires_at,
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
        AND s.starts_at < NEW.ends_at AND NEW.starts_at < s.ends_at)
BEGIN SELECT RAISE(ABORT, 'signups_overlap'); END;
CREATE TRIGGER signups_sealed_update BEFORE UPDATE ON signups WHEN OLD.state = 'credited'
BEGIN SELECT RAISE(ABORT, 'signups_sealed'); END;
CREATE TRIGGER signups_sealed_delete BEFORE DELETE ON signups WHEN OLD.state = 'credited'
BEGIN SELECT RAISE(ABORT, 'signups_sealed'); END;
--end
