//! Audits the books: what is derived is computed again from the transfers, and what belongs together is compared.

use sea_orm::DbErr;

use crate::platform::state::AppState;

/// What to say of a row that breaks a rule, and the query for such rows' ids.
const RULES: [(&str, &str); 17] = [
    ("account {} does not hold what its transfers add up to", BALANCES),
    ("account {} is below its floor", "SELECT id FROM ledger_accounts WHERE posted - reserved < floor"),
    ("account {} is a debt above zero", "SELECT id FROM ledger_accounts WHERE kind = 'debt' AND (posted > 0 OR reserved <> 0)"),
    ("account {} keeps no balance and has one", "SELECT id FROM ledger_accounts WHERE NOT kept AND (posted <> 0 OR reserved <> 0)"),
    ("transaction {} has other transfers than it counts", "
        SELECT x.id FROM ledger_transactions x LEFT JOIN ledger_transfers t ON t.transaction_id = x.id
        GROUP BY x.id, x.transfers HAVING COUNT(t.id) <> x.transfers"),
    ("transfer {} belongs to no transaction", "
        SELECT t.id FROM ledger_transfers t LEFT JOIN ledger_transactions x ON x.id = t.transaction_id WHERE x.id IS NULL"),
    ("transfer {} leads from one community or unit to another", "
        SELECT t.id FROM ledger_transfers t
        JOIN ledger_transactions x ON x.id = t.transaction_id
        LEFT JOIN ledger_accounts d ON d.id = t.debit_id AND d.unit = t.unit AND d.community_id = t.community_id
        LEFT JOIN ledger_accounts c ON c.id = t.credit_id AND c.unit = t.unit AND c.community_id = t.community_id
        WHERE d.id IS NULL OR c.id IS NULL OR t.amount <= 0 OR x.unit <> t.unit OR x.community_id <> t.community_id"),
    ("transaction {} ends something that is no hold", "
        SELECT r.id FROM ledger_transactions r LEFT JOIN ledger_transactions h ON h.id = r.pending_id
        WHERE (r.pending_id IS NOT NULL AND (h.id IS NULL OR h.phase <> 'pending' OR h.kind <> r.kind))
           OR (r.pending_id IS NOT NULL) <> (r.phase IN ('post', 'void', 'expire'))"),
    ("hold {} was ended by something different", RESOLUTIONS),
    ("transaction {} reverses something that it cannot, or another amount", REVERSALS),
    ("lot {} is not what its transfer brought", "
        SELECT l.id FROM ledger_lots l
        LEFT JOIN ledger_transfers t ON t.id = l.id AND t.credit_id = l.wallet_id AND t.amount = l.amount
        LEFT JOIN ledger_transactions x ON x.id = t.transaction_id AND x.phase IN ('posted', 'post')
        WHERE x.id IS NULL"),
    ("transfer {} brought something into a wallet and made no lot", "
        SELECT t.id FROM ledger_transfers t
        JOIN ledger_transactions x ON x.id = t.transaction_id AND x.phase IN ('posted', 'post')
        JOIN ledger_accounts w ON w.id = t.credit_id AND w.kind = 'wallet'
        LEFT JOIN ledger_lots l ON l.id = t.id
        WHERE l.id IS NULL"),
    ("lot {} does not hold what its moves left, or more than it had", "
        SELECT l.id FROM ledger_lots l LEFT JOIN ledger_lot_moves m ON m.lot_id = l.id
        GROUP BY l.id, l.amount, l.remaining
        HAVING l.remaining <> l.amount + COALESCE(SUM(m.amount), 0) OR l.remaining < 0 OR l.remaining > l.amount"),
    ("wallet {} has other points available than its lots hold", "
        SELECT a.id FROM ledger_accounts a LEFT JOIN ledger_lots l ON l.wallet_id = a.id
        WHERE a.kind = 'wallet' GROUP BY a.id, a.posted, a.reserved
        HAVING a.posted - a.reserved <> COALESCE(SUM(l.remaining), 0)"),
    ("transaction {} took something else from lots than from wallets", MOVES),
    ("hold {} gave back something else to a lot than it took", "
        SELECT h.id FROM (
            SELECT transaction_id AS id, lot_id, amount FROM ledger_lot_moves
            UNION ALL
            SELECT r.pending_id, m.lot_id, m.amount
            FROM ledger_lot_moves m JOIN ledger_transactions r ON r.id = m.transaction_id AND r.pending_id IS NOT NULL
        ) AS m
        JOIN ledger_transactions h ON h.id = m.id
        JOIN ledger_transactions e ON e.pending_id = h.id AND e.phase IN ('void', 'expire')
        GROUP BY h.id, m.lot_id HAVING SUM(m.amount) <> 0"),
    ("debt {} stands while its person has points available", "
        SELECT d.id FROM ledger_accounts d
        JOIN ledger_accounts w ON w.owner_id = d.owner_id AND w.community_id = d.community_id AND w.kind = 'wallet'
        WHERE d.kind = 'debt' AND d.posted < 0 AND w.posted - w.reserved > 0"),
];

/// Every account that keeps a balance against the sum of its transfers, in one pass.
const BALANCES: &str = "
    SELECT a.id FROM ledger_accounts a
    LEFT JOIN (
        SELECT account_id, SUM(posted) AS posted, SUM(reserved) AS reserved
        FROM (
            SELECT t.credit_id AS account_id, CASE WHEN x.phase IN ('posted', 'post') THEN t.amount ELSE 0 END AS posted,
                   0 AS reserved
            FROM ledger_transfers t JOIN ledger_transactions x ON x.id = t.transaction_id
            UNION ALL
            SELECT t.debit_id, CASE WHEN x.phase IN ('posted', 'post') THEN -t.amount ELSE 0 END,
                   CASE x.phase WHEN 'pending' THEN t.amount WHEN 'posted' THEN 0 ELSE -t.amount END
            FROM ledger_transfers t JOIN ledger_transactions x ON x.id = t.transaction_id
        ) AS moves
        GROUP BY account_id
    ) AS m ON m.account_id = a.id
    WHERE a.kept AND (a.posted <> COALESCE(m.posted, 0) OR a.reserved <> COALESCE(m.reserved, 0))";

/// What ends a hold repeats its transfers.
const RESOLUTIONS: &str = "
    SELECT id FROM (
        SELECT r.pending_id AS id, t.debit_id, t.credit_id, t.amount, 1 AS times
        FROM ledger_transactions r JOIN ledger_transfers t ON t.transaction_id = r.id WHERE r.pending_id IS NOT NULL
        UNION ALL
        SELECT r.pending_id, t.debit_id, t.credit_id, t.amount, -1
        FROM ledger_transactions r JOIN ledger_transfers t ON t.transaction_id = r.pending_id
    ) AS both_sides
    GROUP BY id, debit_id, credit_id, amount HAVING SUM(times) <> 0";

/// A reversal gives back to every account that was debited what it was debited.
const REVERSALS: &str = "
    SELECT id FROM (
        SELECT r.id, t.credit_id AS account_id, t.amount
        FROM ledger_transactions r JOIN ledger_transfers t ON t.transaction_id = r.id WHERE r.reverses_id IS NOT NULL
        UNION ALL
        SELECT r.id, t.debit_id, CASE WHEN o.phase IN ('posted', 'post') AND o.reverses_id IS NULL THEN -t.amount ELSE 0 END
        FROM ledger_transactions r
        JOIN ledger_transactions o ON o.id = r.reverses_id
        JOIN ledger_transfers t ON t.transaction_id = o.id
    ) AS both_sides
    GROUP BY id, account_id HAVING SUM(amount) <> 0";

/// A transaction takes from the lots of a wallet what it takes from the wallet, or gives back what it held.
const MOVES: &str = "
    SELECT id FROM (
        SELECT t.transaction_id AS id, t.debit_id AS wallet_id,
               CASE WHEN x.phase IN ('posted', 'pending') THEN t.amount WHEN x.phase = 'post' THEN 0 ELSE -t.amount END AS amount
        FROM ledger_transfers t
        JOIN ledger_transactions x ON x.id = t.transaction_id
        JOIN ledger_accounts w ON w.id = t.debit_id AND w.kind = 'wallet'
        UNION ALL
        SELECT m.transaction_id, l.wallet_id, m.amount FROM ledger_lot_moves m JOIN ledger_lots l ON l.id = m.lot_id
    ) AS both_sides
    GROUP BY id, wallet_id HAVING SUM(amount) <> 0";

pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    state.db.audit(&RULES).await
}
