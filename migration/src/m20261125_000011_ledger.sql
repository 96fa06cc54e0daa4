-- A transaction (header) has one or more transfers; each debits one account and credits another by one amount, so that it sums
-- to zero by construction. Composite foreign keys keep a transaction, its transfers and their accounts in one unit and one
-- community. What points may still be spent lies in lots; `ledger_lot_moves` says what took from them or gave back.
-- Old data: every transfer becomes a transaction of one transfer with its id, every credit of a wallet a lot that does not
-- expire, and what was spent or is held came from the oldest of them.
--postgres
ALTER TABLE redemptions DROP CONSTRAINT redemptions_transfer;
--end
CREATE TABLE old_accounts AS SELECT * FROM ledger_accounts;
CREATE TABLE old_transfers AS SELECT * FROM ledger_transfers;
DROP TABLE ledger_transfers;
DROP TABLE ledger_accounts;

CREATE TABLE ledger_accounts (
    id UUID NOT NULL PRIMARY KEY,
    unit text NOT NULL,
    kind text NOT NULL,
    community_id UUID NOT NULL CONSTRAINT ledger_accounts_community REFERENCES places (id),
    owner_id UUID NOT NULL,
    -- Whether this row keeps what its transfers add up to. Those that every movement touches do not: all would wait for them.
    kept boolean NOT NULL,
    -- What is available never goes below it; nothing says that it may.
    floor bigint,
    posted bigint NOT NULL,
    reserved bigint NOT NULL CONSTRAINT ledger_accounts_reserved CHECK (reserved >= 0),
    created_at TIME NOT NULL,
    CONSTRAINT ledger_accounts_one UNIQUE (owner_id, community_id, unit, kind),
    CONSTRAINT ledger_accounts_books UNIQUE (id, unit, community_id),
    CONSTRAINT ledger_accounts_kind CHECK (
        (unit = 'points' AND kind IN ('wallet', 'debt', 'issuance', 'budget', 'spent', 'expired'))
        OR (unit = 'fen' AND kind IN ('fund', 'outside'))),
    CONSTRAINT ledger_accounts_keeps CHECK (kept = (kind IN ('wallet', 'debt', 'budget', 'fund'))),
    CONSTRAINT ledger_accounts_kept CHECK (kept OR (posted = 0 AND reserved = 0)),
    CONSTRAINT ledger_accounts_floor CHECK ((floor IS NOT NULL) = (kind IN ('wallet', 'budget', 'fund'))),
    CONSTRAINT ledger_accounts_wallet CHECK (kind <> 'wallet' OR floor = 0),
    CONSTRAINT ledger_accounts_available CHECK (floor IS NULL OR posted - reserved >= floor),
    CONSTRAINT ledger_accounts_debt CHECK (kind <> 'debt' OR (posted <= 0 AND reserved = 0))
);
INSERT INTO ledger_accounts (id, unit, kind, community_id, owner_id, kept, floor, posted, reserved, created_at)
SELECT id, unit, kind, community_id, owner_id, kind = 'wallet', CASE WHEN kind = 'wallet' THEN 0 END, posted, reserved, created_at
FROM old_accounts;

CREATE TABLE ledger_transactions (
    id UUID NOT NULL PRIMARY KEY,
    unit text NOT NULL CONSTRAINT ledger_transactions_unit CHECK (unit IN ('points', 'fen')),
    community_id UUID NOT NULL CONSTRAINT ledger_transactions_community REFERENCES places (id),
    kind text NOT NULL CONSTRAINT ledger_transactions_kind CHECK (kind IN
        ('award', 'redemption', 'expiry', 'reversal', 'recovery', 'budget', 'receipt', 'payment')),
    phase text NOT NULL CONSTRAINT ledger_transactions_phase CHECK (phase IN ('posted', 'pending', 'post', 'void', 'expire')),
    pending_id UUID CONSTRAINT ledger_transactions_pending REFERENCES ledger_transactions (id),
    reverses_id UUID CONSTRAINT ledger_transactions_reverses REFERENCES ledger_transactions (id),
    transfers bigint NOT NULL CONSTRAINT ledger_transactions_transfers CHECK (transfers > 0),
    dedupe_key text,
    reason text NOT NULL,
    actor_id UUID,
    source_kind text NOT NULL,
    source_id UUID,
    created_at TIME NOT NULL,
    CONSTRAINT ledger_transactions_books UNIQUE (id, unit, community_id),
    CONSTRAINT ledger_transactions_once UNIQUE (dedupe_key),
    CONSTRAINT ledger_transactions_resolved_once UNIQUE (pending_id),
    CONSTRAINT ledger_transactions_reversed_once UNIQUE (reverses_id),
    CONSTRAINT ledger_transactions_phases CHECK ((phase IN ('post', 'void', 'expire')) = (pending_id IS NOT NULL)),
    CONSTRAINT ledger_transactions_reversal CHECK ((kind = 'reversal') = (reverses_id IS NOT NULL))
);
-- A hold that was given back because nobody came in time is told apart from one that was called off.
INSERT INTO ledger_transactions (id, unit, community_id, kind, phase, pending_id, reverses_id, transfers, dedupe_key, reason,
    actor_id, source_kind, source_id, created_at)
SELECT t.id, a.unit, a.community_id, t.kind,
    CASE WHEN t.phase = 'void' AND EXISTS (SELECT 1 FROM redemptions d WHERE d.transfer_id = t.pending_id AND d.state = 'expired')
        THEN 'expire' ELSE t.phase END,
    t.pending_id, NULL, 1, t.dedupe_key, t.reason, t.actor_id, t.source_kind, t.source_id, t.created_at
FROM old_transfers t JOIN old_accounts a ON a.id = t.debit_id;

CREATE TABLE ledger_transfers (
    id UUID NOT NULL PRIMARY KEY,
    transaction_id UUID NOT NULL,
    unit text NOT NULL,
    community_id UUID NOT NULL,
    debit_id UUID NOT NULL,
    credit_id UUID NOT NULL,
    amount bigint NOT NULL CONSTRAINT ledger_transfers_amount CHECK (amount > 0),
    CONSTRAINT ledger_transfers_transaction FOREIGN KEY (transaction_id, unit, community_id)
        REFERENCES ledger_transactions (id, unit, community_id),
    CONSTRAINT ledger_transfers_debit FOREIGN KEY (debit_id, unit, community_id) REFERENCES ledger_accounts (id, unit, community_id),
    CONSTRAINT ledger_transfers_credit FOREIGN KEY (credit_id, unit, community_id) REFERENCES ledger_accounts (id, unit, community_id),
    CONSTRAINT ledger_transfers_two_accounts CHECK (debit_id <> credit_id)
);
INSERT INTO ledger_transfers (id, transaction_id, unit, community_id, debit_id, credit_id, amount)
SELECT t.id, t.id, a.unit, a.community_id, t.debit_id, t.credit_id, t.amount
FROM old_transfers t JOIN old_accounts a ON a.id = t.debit_id;
CREATE INDEX ledger_transfers_of ON ledger_transfers (transaction_id);
CREATE INDEX ledger_transfers_debited ON ledger_transfers (debit_id, transaction_id);
CREATE INDEX ledger_transfers_credited ON ledger_transfers (credit_id, transaction_id);

CREATE TABLE ledger_lots (
    id UUID NOT NULL PRIMARY KEY CONSTRAINT ledger_lots_transfer REFERENCES ledger_transfers (id),
    wallet_id UUID NOT NULL CONSTRAINT ledger_lots_wallet REFERENCES ledger_accounts (id),
    amount bigint NOT NULL CONSTRAINT ledger_lots_amount CHECK (amount > 0),
    remaining bigint NOT NULL,
    expires_at TIME,
    created_at TIME NOT NULL,
    CONSTRAINT ledger_lots_remaining CHECK (remaining BETWEEN 0 AND amount)
);
INSERT INTO ledger_lots (id, wallet_id, amount, remaining, expires_at, created_at)
SELECT t.id, t.credit_id, t.amount, t.amount, NULL, t.created_at
FROM old_transfers t JOIN old_accounts a ON a.id = t.credit_id
WHERE a.kind = 'wallet' AND t.phase IN ('posted', 'post');

CREATE TABLE ledger_lot_moves (
    transaction_id UUID NOT NULL CONSTRAINT ledger_lot_moves_transaction REFERENCES ledger_transactions (id),
    lot_id UUID NOT NULL CONSTRAINT ledger_lot_moves_lot REFERENCES ledger_lots (id),
    amount bigint NOT NULL CONSTRAINT ledger_lot_moves_amount CHECK (amount <> 0),
    PRIMARY KEY (transaction_id, lot_id)
);
-- What was spent and what is held, one after the other, lies over the lots, one after the other: what a debit and a lot have in
-- common is what it took from it.
INSERT INTO ledger_lot_moves (transaction_id, lot_id, amount)
SELECT d.id, c.id,
    CASE WHEN c.upto - c.amount > d.upto - d.amount THEN c.upto - c.amount ELSE d.upto - d.amount END
    - CASE WHEN c.upto < d.upto THEN c.upto ELSE d.upto END
FROM (
    SELECT t.id, t.debit_id, t.amount, SUM(t.amount) OVER (PARTITION BY t.debit_id ORDER BY t.created_at, t.id) AS upto
    FROM old_transfers t
    JOIN old_accounts a ON a.id = t.debit_id
    LEFT JOIN old_transfers e ON e.pending_id = t.id
    WHERE a.kind = 'wallet' AND t.phase IN ('posted', 'pending') AND COALESCE(e.phase, 'post') <> 'void'
) AS d
JOIN (
    SELECT id, wallet_id, amount, SUM(amount) OVER (PARTITION BY wallet_id ORDER BY created_at, id) AS upto FROM ledger_lots
) AS c ON c.wallet_id = d.debit_id AND c.upto - c.amount < d.upto AND d.upto - d.amount < c.upto;
-- A hold that was given back took from the first lots, and gave back to them.
INSERT INTO ledger_lot_moves (transaction_id, lot_id, amount)
SELECT t.id, c.id, CASE WHEN c.upto < t.amount THEN -c.amount ELSE c.upto - c.amount - t.amount END
FROM old_transfers t
JOIN old_transfers e ON e.pending_id = t.id AND e.phase = 'void'
JOIN (
    SELECT id, wallet_id, amount, SUM(amount) OVER (PARTITION BY wallet_id ORDER BY created_at, id) AS upto FROM ledger_lots
) AS c ON c.wallet_id = t.debit_id AND c.upto - c.amount < t.amount;
INSERT INTO ledger_lot_moves (transaction_id, lot_id, amount)
SELECT e.id, m.lot_id, -m.amount
FROM old_transfers e JOIN ledger_lot_moves m ON m.transaction_id = e.pending_id
WHERE e.phase = 'void';
CREATE INDEX ledger_lot_moves_of ON ledger_lot_moves (lot_id);
UPDATE ledger_lots SET remaining = amount + (SELECT SUM(m.amount) FROM ledger_lot_moves m WHERE m.lot_id = ledger_lots.id)
WHERE id IN (SELECT lot_id FROM ledger_lot_moves);
-- What a wallet can spend, soonest first; and what runs out next, anywhere.
CREATE INDEX ledger_lots_open ON ledger_lots (wallet_id, expires_at, id) WHERE remaining > 0;
CREATE INDEX ledger_lots_due ON ledger_lots (expires_at) WHERE remaining > 0 AND expires_at IS NOT NULL;

DROP TABLE old_transfers;
DROP TABLE old_accounts;

--postgres
ALTER TABLE redemptions ADD CONSTRAINT redemptions_transfer FOREIGN KEY (transfer_id) REFERENCES ledger_transfers (id);
CREATE TRIGGER ledger_transactions_append_only BEFORE UPDATE OR DELETE ON ledger_transactions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transfers_append_only BEFORE UPDATE OR DELETE ON ledger_transfers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_lot_moves_append_only BEFORE UPDATE OR DELETE ON ledger_lot_moves FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_lots_append_only BEFORE UPDATE OF id, wallet_id, amount, created_at OR DELETE ON ledger_lots
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER ledger_transactions_no_update BEFORE UPDATE ON ledger_transactions
BEGIN SELECT RAISE(ABORT, 'ledger_transactions_append_only'); END;
CREATE TRIGGER ledger_transactions_no_delete BEFORE DELETE ON ledger_transactions
BEGIN SELECT RAISE(ABORT, 'ledger_transactions_append_only'); END;
CREATE TRIGGER ledger_transfers_no_update BEFORE UPDATE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'ledger_transfers_append_only'); END;
CREATE TRIGGER ledger_transfers_no_delete BEFORE DELETE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'ledger_transfers_append_only'); END;
CREATE TRIGGER ledger_lot_moves_no_update BEFORE UPDATE ON ledger_lot_moves BEGIN SELECT RAISE(ABORT, 'ledger_lot_moves_append_only'); END;
CREATE TRIGGER ledger_lot_moves_no_delete BEFORE DELETE ON ledger_lot_moves BEGIN SELECT RAISE(ABORT, 'ledger_lot_moves_append_only'); END;
CREATE TRIGGER ledger_lots_no_update BEFORE UPDATE OF id, wallet_id, amount, created_at ON ledger_lots
BEGIN SELECT RAISE(ABORT, 'ledger_lots_append_only'); END;
CREATE TRIGGER ledger_lots_no_delete BEFORE DELETE ON ledger_lots BEGIN SELECT RAISE(ABORT, 'ledger_lots_append_only'); END;
--end
