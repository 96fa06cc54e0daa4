//! Audits the books: what is derived is computed again from the transfers, and what belongs together is compared.

use entities::ids::{AccountId, TransferId};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::platform::state::AppState;

/// Every wallet against the sum of its transfers, in one pass.
const BALANCES: &str = "
    SELECT a.id, a.posted, a.reserved, COALESCE(m.posted, 0) AS replayed, COALESCE(m.reserved, 0) AS held
    FROM ledger_accounts a
    LEFT JOIN (
        SELECT account_id, CAST(SUM(posted) AS bigint) AS posted, CAST(SUM(reserved) AS bigint) AS reserved
        FROM (
            SELECT credit_id AS account_id, CASE WHEN phase IN ('posted', 'post') THEN amount ELSE 0 END AS posted,
                   0 AS reserved
            FROM ledger_transfers
            UNION ALL
            SELECT debit_id, CASE WHEN phase IN ('posted', 'post') THEN -amount ELSE 0 END,
                   CASE phase WHEN 'pending' THEN amount WHEN 'posted' THEN 0 ELSE -amount END
            FROM ledger_transfers
        ) AS moves
        GROUP BY account_id
    ) AS m ON m.account_id = a.id
    WHERE a.kind = 'wallet' AND (a.posted <> COALESCE(m.posted, 0) OR a.reserved <> COALESCE(m.reserved, 0))
    ORDER BY a.id LIMIT 100";

/// A transfer stays within one community and one unit, so that each of them sums to zero for itself.
const STRAYS: &str = "
    SELECT t.id FROM ledger_transfers t
    JOIN ledger_accounts d ON d.id = t.debit_id
    JOIN ledger_accounts c ON c.id = t.credit_id
    WHERE d.community_id <> c.community_id OR d.unit <> c.unit
    ORDER BY t.id LIMIT 100";

/// What ends a hold repeats it.
const RESOLUTIONS: &str = "
    SELECT r.id FROM ledger_transfers r
    JOIN ledger_transfers h ON h.id = r.pending_id
    WHERE h.phase <> 'pending' OR h.debit_id <> r.debit_id OR h.credit_id <> r.credit_id OR h.amount <> r.amount
    ORDER BY r.id LIMIT 100";

pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let connection = state.db.read();
    let mut findings = Vec::new();
    let query = |sql| connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql));
    for row in query(BALANCES).await? {
        let id: AccountId = row.try_get("", "id")?;
        let number = |column| row.try_get::<i64>("", column);
        findings.push(format!(
            "account {id} says posted {} and reserved {}, its transfers say {} and {}",
            number("posted")?,
            number("reserved")?,
            number("replayed")?,
            number("held")?
        ));
    }
    for row in query(STRAYS).await? {
        let id: TransferId = row.try_get("", "id")?;
        findings.push(format!("transfer {id} leads from one community or unit to another"));
    }
    for row in query(RESOLUTIONS).await? {
        let id: TransferId = row.try_get("", "id")?;
        findings.push(format!("transfer {id} ends a hold and differs from it"));
    }
    Ok(findings)
}
