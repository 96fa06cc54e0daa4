CREATE TABLE activities (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT activities_community REFERENCES places (id),
    place_id UUID NOT NULL CONSTRAINT activities_place REFERENCES places (id),
    place_path PATH NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    created_by UUID NOT NULL CONSTRAINT activities_created_by REFERENCES users (id),
    created_at TIME NOT NULL
);
CREATE INDEX activities_list ON activities (community_id, id);
CREATE INDEX activities_place ON activities (place_path, id);

CREATE TABLE shifts (
    id UUID NOT NULL PRIMARY KEY,
    activity_id UUID NOT NULL CONSTRAINT shifts_activity REFERENCES activities (id),
    community_id UUID NOT NULL CONSTRAINT shifts_community REFERENCES places (id),
    place_path PATH NOT NULL,
    starts_at TIME NOT NULL,
    ends_at TIME NOT NULL,
    capacity integer NOT NULL CONSTRAINT shifts_capacity_positive CHECK (capacity > 0),
    taken integer NOT NULL CONSTRAINT shifts_taken_positive CHECK (taken >= 0),
    leader_id UUID NOT NULL CONSTRAINT shifts_leader REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT shifts_half_open CHECK (starts_at < ends_at),
    CONSTRAINT shifts_capacity CHECK (taken <= capacity)
);
CREATE INDEX shifts_of_activity ON shifts (activity_id, starts_at);

-- `taken` counts the seats of `offered` and later states but `cancelled`. A person's live sign-ups never overlap
-- (`signups_overlap`), so that there is one live sign-up a person and shift too. A credited row never changes.
CREATE TABLE signups (
    id UUID NOT NULL PRIMARY KEY,
    shift_id UUID NOT NULL CONSTRAINT signups_shift REFERENCES shifts (id),
    user_id UUID NOT NULL CONSTRAINT signups_user REFERENCES users (id),
    community_id UUID NOT NULL CONSTRAINT signups_community REFERENCES places (id),
    state text NOT NULL CONSTRAINT signups_state CHECK
        (state IN ('waitlisted', 'offered', 'confirmed', 'checked_in', 'checked_out', 'credited', 'cancelled', 'no_show')),
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
CREATE INDEX signups_of_shift ON signups (shift_id, id);
CREATE INDEX signups_own ON signups (shift_id, user_id);
CREATE INDEX signups_mine ON signups (user_id, id);
CREATE INDEX signups_times ON signups (user_id, ends_at);
CREATE INDEX signups_queue ON signups (shift_id, queued_at, id) WHERE state = 'waitlisted';
CREATE INDEX signups_waiting ON signups (starts_at) WHERE state = 'waitlisted';
CREATE INDEX signups_offers ON signups (offer_expires_at) WHERE state = 'offered';
CREATE INDEX signups_expected ON signups (ends_at) WHERE state = 'confirmed';

--postgres
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE signups ADD CONSTRAINT signups_overlap
    EXCLUDE USING gist (user_id WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&) WHERE (state NOT IN ('cancelled', 'no_show'));
CREATE FUNCTION signups_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a credited sign-up is sealed' USING CONSTRAINT = 'signups_sealed';
END $$;
CREATE TRIGGER signups_sealed BEFORE UPDATE OR DELETE ON signups FOR EACH ROW WHEN (OLD.state = 'credited') EXECUTE FUNCTION signups_sealed();
--sqlite
CREATE TRIGGER signups_overlap BEFORE INSERT ON signups
WHEN NEW.state NOT IN ('cancelled', 'no_show') AND EXISTS (
    SELECT 1 FROM signups s WHERE s.user_id = NEW.user_id AND s.state NOT IN ('cancelled', 'no_show')
        AND s.starts_at < NEW.ends_at AND NEW.starts_at < s.ends_at)
BEGIN SELECT RAISE(ABORT, 'signups_overlap'); END;
CREATE TRIGGER signups_sealed_update BEFORE UPDATE ON signups WHEN OLD.state = 'credited'
BEGIN SELECT RAISE(ABORT, 'signups_sealed'); END;
CREATE TRIGGER signups_sealed_delete BEFORE DELETE ON signups WHEN OLD.state = 'credited'
BEGIN SELECT RAISE(ABORT, 'signups_sealed'); END;
--end
