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

-- `taken` counts the seats of `offered` and later states; a person's live sign-ups never overlap.
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
CREATE UNIQUE INDEX signups_one_live ON signups (shift_id, user_id) WHERE state NOT IN ('cancelled', 'no_show');
CREATE INDEX signups_queue ON signups (shift_id, state, queued_at, id);
CREATE INDEX signups_mine ON signups (user_id, id);
CREATE INDEX signups_offers ON signups (offer_expires_at) WHERE state = 'offered';

--postgres
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE signups ADD CONSTRAINT signups_overlap
    EXCLUDE USING gist (user_id WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&) WHERE (state NOT IN ('cancelled', 'no_show'));
--sqlite
CREATE TRIGGER signups_overlap BEFORE INSERT ON signups
WHEN NEW.state NOT IN ('cancelled', 'no_show') AND EXISTS (
    SELECT 1 FROM signups s WHERE s.user_id = NEW.user_id AND s.state NOT IN ('cancelled', 'no_show')
        AND s.starts_at < NEW.ends_at AND NEW.starts_at < s.ends_at)
BEGIN SELECT RAISE(ABORT, 'signups_overlap'); END;
--end
