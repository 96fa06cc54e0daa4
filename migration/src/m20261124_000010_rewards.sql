CREATE TABLE rewards (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT rewards_community REFERENCES places (id),
    place_id UUID NOT NULL CONSTRAINT rewards_place REFERENCES places (id),
    place_path PATH NOT NULL,
    title text NOT NULL,
    cost bigint NOT NULL CONSTRAINT rewards_cost CHECK (cost > 0),
    stock bigint NOT NULL CONSTRAINT rewards_stock CHECK (stock >= 0),
    available bigint NOT NULL CONSTRAINT rewards_available CHECK (available >= 0),
    created_by UUID NOT NULL CONSTRAINT rewards_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT rewards_available_in_stock CHECK (available <= stock)
);
CREATE INDEX rewards_list ON rewards (community_id, id);
CREATE INDEX rewards_places ON rewards (place_path);

CREATE TABLE redemptions (
    id UUID NOT NULL PRIMARY KEY,
    reward_id UUID NOT NULL CONSTRAINT redemptions_reward REFERENCES rewards (id),
    community_id UUID NOT NULL CONSTRAINT redemptions_community REFERENCES places (id),
    place_path PATH NOT NULL,
    user_id UUID NOT NULL CONSTRAINT redemptions_user REFERENCES users (id),
    cost bigint NOT NULL CONSTRAINT redemptions_cost CHECK (cost > 0),
    state text NOT NULL CONSTRAINT redemptions_state CHECK (state IN ('reserved', 'settled', 'cancelled', 'expired')),
    code_hash text NOT NULL,
    transfer_id UUID NOT NULL CONSTRAINT redemptions_transfer REFERENCES ledger_transfers (id),
    created_at TIME NOT NULL,
    expires_at TIME NOT NULL,
    ended_at TIME,
    settled_by UUID CONSTRAINT redemptions_settled_by REFERENCES users (id),
    CONSTRAINT redemptions_code UNIQUE (code_hash),
    CONSTRAINT redemptions_hold UNIQUE (transfer_id),
    CONSTRAINT redemptions_ended CHECK ((state = 'reserved') = (ended_at IS NULL)),
    CONSTRAINT redemptions_settled CHECK ((state = 'settled') = (settled_by IS NOT NULL)),
    CONSTRAINT redemptions_not_by_oneself CHECK (settled_by IS NULL OR settled_by <> user_id)
);
CREATE INDEX redemptions_mine ON redemptions (user_id, id);
CREATE INDEX redemptions_due ON redemptions (expires_at) WHERE state = 'reserved';
