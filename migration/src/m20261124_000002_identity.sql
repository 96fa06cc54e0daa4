CREATE TABLE places (
    id UUID NOT NULL PRIMARY KEY,
    parent_id UUID CONSTRAINT places_parent REFERENCES places (id),
    kind text NOT NULL CONSTRAINT places_kind CHECK (kind IN ('district', 'street', 'community', 'grid', 'building')),
    code text NOT NULL,
    name text NOT NULL,
    path PATH NOT NULL,
    community_id UUID CONSTRAINT places_community REFERENCES places (id),
    settings JSON NOT NULL,
    created_at TIME NOT NULL,
    CONSTRAINT places_path UNIQUE (path),
    CONSTRAINT places_tenant CHECK ((community_id IS NULL) = (kind IN ('district', 'street')))
);
CREATE INDEX places_children ON places (parent_id, code);

CREATE TABLE households (
    id UUID NOT NULL PRIMARY KEY,
    building_id UUID NOT NULL CONSTRAINT households_building REFERENCES places (id),
    unit text NOT NULL,
    room text NOT NULL,
    created_at TIME NOT NULL,
    CONSTRAINT households_door UNIQUE (building_id, unit, room)
);

CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY,
    openid text NOT NULL,
    unionid text,
    nickname text NOT NULL,
    board_opt_out boolean NOT NULL,
    last_login_at TIME NOT NULL,
    created_at TIME NOT NULL,
    CONSTRAINT users_openid UNIQUE (openid)
);

CREATE TABLE residencies (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL CONSTRAINT residencies_user REFERENCES users (id),
    household_id UUID NOT NULL CONSTRAINT residencies_household REFERENCES households (id),
    building_id UUID NOT NULL CONSTRAINT residencies_building REFERENCES places (id),
    community_id UUID NOT NULL CONSTRAINT residencies_community REFERENCES places (id),
    place_path PATH NOT NULL,
    state text NOT NULL CONSTRAINT residencies_state CHECK (state IN ('pending', 'approved', 'rejected', 'ended')),
    real_name_cipher text NOT NULL,
    phone_cipher text NOT NULL,
    phone_hash text NOT NULL,
    applied_at TIME NOT NULL,
    decided_by UUID CONSTRAINT residencies_decided_by REFERENCES users (id),
    decided_at TIME,
    reject_reason text,
    CONSTRAINT residencies_decided CHECK ((state = 'pending') = (decided_by IS NULL)),
    CONSTRAINT residencies_not_by_oneself CHECK (decided_by IS NULL OR decided_by <> user_id OR state = 'ended')
);
CREATE UNIQUE INDEX residencies_one_live ON residencies (user_id) WHERE state IN ('pending', 'approved');
CREATE INDEX residencies_of_person ON residencies (user_id, id);
CREATE INDEX residencies_queue ON residencies (state, place_path, id);
CREATE INDEX residencies_building_live ON residencies (building_id, state);
CREATE INDEX residencies_phone ON residencies (phone_hash);

CREATE TABLE grants (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL CONSTRAINT grants_user REFERENCES users (id),
    role text NOT NULL,
    place_id UUID NOT NULL CONSTRAINT grants_place REFERENCES places (id),
    place_path PATH NOT NULL,
    given_by UUID CONSTRAINT grants_given_by REFERENCES users (id),
    given_at TIME NOT NULL,
    until TIME,
    revoked_by UUID CONSTRAINT grants_revoked_by REFERENCES users (id),
    revoked_at TIME
);
CREATE UNIQUE INDEX grants_one_live ON grants (user_id, role, place_id) WHERE revoked_at IS NULL;
CREATE INDEX grants_place_live ON grants (place_id, role) WHERE revoked_at IS NULL;
