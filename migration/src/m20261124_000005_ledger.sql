-- A transfer debits one account and credits another by the same amount: a transaction cannot but sum to zero.
-- A hold is a `pending` transfer; exactly one `post` or `void` may name it (`ledger_transfers_resolved_once`).
-- Only wallets keep a balance: a community's own accounts take part in every movement and would be the row all wait for.
CREATE TABLE ledger_accounts (
    id UUID NOT NULL PRIMARY KEY,
    unit text NOT NULL CONSTRAINT ledger_accounts_unit CHECK (unit IN ('points', 'fen')),
    kind text NOT NULL CONSTRAINT ledger_accounts_kind CHECK (kind IN ('wallet', 'issuance', 'spent')),
    community_id UUID NOT NULL CONSTRAINT ledger_accounts_community REFERENCES places (id),
    owner_id UUID NOT NULL,
    posted bigint NOT NULL,
    reserved bigint NOT NULL CONSTRAINT ledger_accounts_reserved CHECK (reserved >= 0),
    created_at TIME NOT NULL,
    CONSTRAINT ledger_accounts_one UNIQUE (owner_id, community_id, unit, kind),
    CONSTRAINT ledger_accounts_available CHECK (posted - reserved >= 0),
    CONSTRAINT ledger_accounts_kept CHECK (kind = 'wallet' OR (posted = 0 AND reserved = 0))
);

CREATE TABLE ledger_transfers (
    id UUID NOT NULL PRIMARY KEY,
    kind text NOT NULL CONSTRAINT ledger_transfers_kind CHECK (kind IN ('award', 'redemption', 'reversal')),
    phase text NOT NULL CONSTRAINT ledger_transfers_phase CHECK (phase IN ('posted', 'pending', 'post', 'void')),
    pending_id UUID CONSTRAINT ledger_transfers_pending REFERENCES ledger_transfers (id),
    debit_id UUID NOT NULL CONSTRAINT ledger_transfers_debit REFERENCES ledger_accounts (id),
    credit_id UUID NOT NULL CONSTRAINT ledger_transfers_credit REFERENCES ledger_accounts (id),
    amount bigint NOT NULL CONSTRAINT ledger_transfers_amount CHECK (amount > 0),
    dedupe_key text,
    reason text NOT NULL,
    actor_id UUID,
    source_kind text NOT NULL,
    source_id UUID,
    created_at TIME NOT NULL,
    CONSTRAINT ledger_transfers_two_accounts CHECK (debit_id <> credit_id),
    CONSTRAINT ledger_transfers_phases CHECK ((phase IN ('post', 'void')) = (pending_id IS NOT NULL)),
    CONSTRAINT ledger_transfers_once UNIQUE (dedupe_key),
    CONSTRAINT ledger_transfers_resolved_once UNIQUE (pending_id)
);
CREATE INDEX ledger_transfers_debited ON ledger_transfers (debit_id, id);
CREATE INDEX ledger_transfers_credited ON ledger_transfers (credit_id, id);

CREATE TABLE points_scores (
    community_id UUID NOT NULL CONSTRAINT points_scores_community REFERENCES places (id),
    period text NOT NULL,
    user_id UUID NOT NULL CONSTRAINT points_scores_user REFERENCES users (id),
    points bigint NOT NULL CONSTRAINT points_scores_points CHECK (points >= 0),
    reached_at TIME NOT NULL,
    PRIMARY KEY (community_id, period, user_id)
);
CREATE INDEX points_scores_board ON points_scores (community_id, period, points DESC, reached_at, user_id);
-- Those whom a board leaves out.
CREATE INDEX users_not_on_boards ON users (id) WHERE board_opt_out;

CREATE TABLE award_budgets (
    actor_id UUID NOT NULL CONSTRAINT award_budgets_actor REFERENCES users (id),
    day text NOT NULL,
    spent bigint NOT NULL CONSTRAINT award_budgets_daily CHECK (spent <= 5000),
    PRIMARY KEY (actor_id, day)
);

--postgres
CREATE TRIGGER ledger_transfers_append_only BEFORE UPDATE OR DELETE ON ledger_transfers FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER ledger_transfers_no_update BEFORE UPDATE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'ledger_transfers_append_only'); END;
CREATE TRIGGER ledger_transfers_no_delete BEFORE DELETE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'ledger_transfers_append_only'); END;
--end
