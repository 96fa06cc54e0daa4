-- Who hands out: a shop or an association of a place. Its own people settle what it offers, and nothing else.
CREATE TABLE merchants (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT merchants_community REFERENCES places (id),
    place_id UUID NOT NULL CONSTRAINT merchants_place REFERENCES places (id),
    place_path PATH NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    opening JSON,
    phone_cipher text,
    created_by UUID NOT NULL CONSTRAINT merchants_created_by REFERENCES users (id),
    created_at TIME NOT NULL
);
CREATE INDEX merchants_list ON merchants (community_id, id);
CREATE INDEX merchants_places ON merchants (place_path);

CREATE TABLE merchant_people (
    merchant_id UUID NOT NULL CONSTRAINT merchant_people_merchant REFERENCES merchants (id),
    user_id UUID NOT NULL CONSTRAINT merchant_people_user REFERENCES users (id),
    added_by UUID NOT NULL CONSTRAINT merchant_people_added_by REFERENCES users (id),
    added_at TIME NOT NULL,
    PRIMARY KEY (merchant_id, user_id)
);
CREATE INDEX merchant_people_mine ON merchant_people (user_id, merchant_id);

ALTER TABLE rewards ADD COLUMN kind text NOT NULL DEFAULT 'piece' CONSTRAINT rewards_kind CHECK (kind IN ('piece', 'voucher'));
ALTER TABLE rewards ADD COLUMN merchant_id UUID CONSTRAINT rewards_merchant REFERENCES merchants (id);
ALTER TABLE rewards ADD COLUMN description text NOT NULL DEFAULT '';
ALTER TABLE rewards ADD COLUMN file_id UUID CONSTRAINT rewards_file REFERENCES files (id);
ALTER TABLE rewards ADD COLUMN limit_count bigint CONSTRAINT rewards_limit_count CHECK (limit_count > 0);
ALTER TABLE rewards ADD COLUMN limit_period text CONSTRAINT rewards_limit_period CHECK
    ((limit_period IS NULL) = (limit_count IS NULL) AND COALESCE(limit_period, 'ever') IN ('day', 'week', 'month', 'year', 'ever'));
ALTER TABLE rewards ADD COLUMN opening JSON;
ALTER TABLE rewards ADD COLUMN available_from TIME;
ALTER TABLE rewards ADD COLUMN available_until TIME CONSTRAINT rewards_window CHECK (available_from < available_until);
ALTER TABLE rewards ADD COLUMN withdrawn_at TIME;
CREATE UNIQUE INDEX rewards_picture ON rewards (file_id);
CREATE INDEX rewards_of_merchant ON rewards (merchant_id, id);

-- Why a stock is what it is: the stock is the sum of its changes.
CREATE TABLE reward_stock_changes (
    id UUID NOT NULL PRIMARY KEY,
    reward_id UUID NOT NULL CONSTRAINT reward_stock_changes_reward REFERENCES rewards (id),
    pieces bigint NOT NULL CONSTRAINT reward_stock_changes_pieces CHECK (pieces <> 0),
    reason text NOT NULL,
    actor_id UUID NOT NULL CONSTRAINT reward_stock_changes_actor REFERENCES users (id),
    created_at TIME NOT NULL
);
CREATE INDEX reward_stock_changes_list ON reward_stock_changes (reward_id, id);
INSERT INTO reward_stock_changes (id, reward_id, pieces, reason, actor_id, created_at)
SELECT id, id, stock, '初始库存', created_by, created_at FROM rewards WHERE stock <> 0;

-- How often a person took a limited reward in one period. The upsert's condition decides, `reward_counts_limit` stands behind it.
CREATE TABLE reward_counts (
    reward_id UUID NOT NULL CONSTRAINT reward_counts_reward REFERENCES rewards (id),
    user_id UUID NOT NULL CONSTRAINT reward_counts_user REFERENCES users (id),
    period text NOT NULL,
    used bigint NOT NULL CONSTRAINT reward_counts_used CHECK (used >= 0),
    allowed bigint NOT NULL,
    PRIMARY KEY (reward_id, user_id, period),
    CONSTRAINT reward_counts_limit CHECK (used <= allowed)
);

-- Codes rotate: none is stored, and `handle` only finds the redemption that a code is tried against. The hash of a former
-- code is as random as a handle. `period` is what the redemption counts in, `shown_at` when a voucher's code was shown.
--postgres
ALTER TABLE redemptions ADD COLUMN handle text;
UPDATE redemptions SET handle = upper(substr(code_hash, 1, 7));
ALTER TABLE redemptions ALTER COLUMN handle SET NOT NULL;
ALTER TABLE redemptions DROP COLUMN code_hash;
ALTER TABLE redemptions ADD COLUMN period text;
ALTER TABLE redemptions ADD COLUMN shown_at TIME;
ALTER TABLE redemptions DROP CONSTRAINT redemptions_settled;
ALTER TABLE redemptions ADD CONSTRAINT redemptions_settled CHECK ((state = 'settled') = (settled_by IS NOT NULL OR shown_at IS NOT NULL));
ALTER TABLE redemptions ADD CONSTRAINT redemptions_one_way CHECK (settled_by IS NULL OR shown_at IS NULL);
CREATE FUNCTION redemptions_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a redemption that has ended is sealed' USING CONSTRAINT = 'redemptions_sealed';
END $$;
CREATE TRIGGER redemptions_sealed BEFORE UPDATE OR DELETE ON redemptions FOR EACH ROW
    WHEN (OLD.state <> 'reserved') EXECUTE FUNCTION redemptions_sealed();
--sqlite
CREATE TABLE redemptions_new (
    id UUID NOT NULL PRIMARY KEY,
    reward_id UUID NOT NULL CONSTRAINT redemptions_reward REFERENCES rewards (id),
    community_id UUID NOT NULL CONSTRAINT redemptions_community REFERENCES places (id),
    place_path PATH NOT NULL,
    user_id UUID NOT NULL CONSTRAINT redemptions_user REFERENCES users (id),
    cost bigint NOT NULL CONSTRAINT redemptions_cost CHECK (cost > 0),
    state text NOT NULL CONSTRAINT redemptions_state CHECK (state IN ('reserved', 'settled', 'cancelled', 'expired')),
    handle text NOT NULL,
    transfer_id UUID NOT NULL CONSTRAINT redemptions_transfer REFERENCES ledger_transfers (id),
    period text,
    created_at TIME NOT NULL,
    expires_at TIME NOT NULL,
    ended_at TIME,
    settled_by UUID CONSTRAINT redemptions_settled_by REFERENCES users (id),
    shown_at TIME,
    CONSTRAINT redemptions_hold UNIQUE (transfer_id),
    CONSTRAINT redemptions_ended CHECK ((state = 'reserved') = (ended_at IS NULL)),
    CONSTRAINT redemptions_settled CHECK ((state = 'settled') = (settled_by IS NOT NULL OR shown_at IS NOT NULL)),
    CONSTRAINT redemptions_one_way CHECK (settled_by IS NULL OR shown_at IS NULL),
    CONSTRAINT redemptions_not_by_oneself CHECK (settled_by IS NULL OR settled_by <> user_id)
);
INSERT INTO redemptions_new (id, reward_id, community_id, place_path, user_id, cost, state, handle, transfer_id, created_at, expires_at, ended_at, settled_by)
SELECT id, reward_id, community_id, place_path, user_id, cost, state, upper(substr(code_hash, 1, 7)), transfer_id, created_at, expires_at, ended_at, settled_by
FROM redemptions;
DROP TABLE redemptions;
ALTER TABLE redemptions_new RENAME TO redemptions;
CREATE INDEX redemptions_mine ON redemptions (user_id, id);
CREATE INDEX redemptions_due ON redemptions (expires_at) WHERE state = 'reserved';
CREATE TRIGGER redemptions_sealed_update BEFORE UPDATE ON redemptions WHEN OLD.state <> 'reserved'
BEGIN SELECT RAISE(ABORT, 'redemptions_sealed'); END;
CREATE TRIGGER redemptions_sealed_delete BEFORE DELETE ON redemptions WHEN OLD.state <> 'reserved'
BEGIN SELECT RAISE(ABORT, 'redemptions_sealed'); END;
--end
CREATE INDEX redemptions_handles ON redemptions (handle);
CREATE INDEX redemptions_settled_when ON redemptions (reward_id, ended_at) WHERE state = 'settled';

-- Codes that somebody else honours (a car wash): each has one owner, who redeemed it.
CREATE TABLE reward_vouchers (
    id UUID NOT NULL PRIMARY KEY,
    reward_id UUID NOT NULL CONSTRAINT reward_vouchers_reward REFERENCES rewards (id),
    code_cipher text NOT NULL,
    code_hash text NOT NULL,
    redemption_id UUID CONSTRAINT reward_vouchers_redemption REFERENCES redemptions (id),
    created_by UUID NOT NULL CONSTRAINT reward_vouchers_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT reward_vouchers_once UNIQUE (reward_id, code_hash),
    CONSTRAINT reward_vouchers_one_owner UNIQUE (redemption_id)
);
CREATE INDEX reward_vouchers_free ON reward_vouchers (reward_id, id) WHERE redemption_id IS NULL;

-- What a merchant handed out in a month of China's calendar; made once.
CREATE TABLE merchant_statements (
    id UUID NOT NULL PRIMARY KEY,
    merchant_id UUID NOT NULL CONSTRAINT merchant_statements_merchant REFERENCES merchants (id),
    month text NOT NULL,
    pieces bigint NOT NULL,
    points bigint NOT NULL,
    lines JSON NOT NULL,
    csv text NOT NULL,
    hash text NOT NULL,
    made_at TIME NOT NULL,
    CONSTRAINT merchant_statements_once UNIQUE (merchant_id, month)
);

--postgres
CREATE TRIGGER reward_stock_changes_append_only BEFORE UPDATE OR DELETE ON reward_stock_changes FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER merchant_statements_append_only BEFORE UPDATE OR DELETE ON merchant_statements FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER reward_stock_changes_no_update BEFORE UPDATE ON reward_stock_changes BEGIN SELECT RAISE(ABORT, 'reward_stock_changes_append_only'); END;
CREATE TRIGGER reward_stock_changes_no_delete BEFORE DELETE ON reward_stock_changes BEGIN SELECT RAISE(ABORT, 'reward_stock_changes_append_only'); END;
CREATE TRIGGER merchant_statements_no_update BEFORE UPDATE ON merchant_statements BEGIN SELECT RAISE(ABORT, 'merchant_statements_append_only'); END;
CREATE TRIGGER merchant_statements_no_delete BEFORE DELETE ON merchant_statements BEGIN SELECT RAISE(ABORT, 'merchant_statements_append_only'); END;
--end
