//! Counts the pieces and compares each redemption with its hold.

use entities::ids::{RedemptionId, RewardId};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::platform::state::AppState;

/// What was stocked is on the shelf, waits for its owner, or was handed out.
const STOCK: &str = "
    SELECT r.id, r.stock, r.available, COALESCE(o.pieces, 0) AS pieces
    FROM rewards r
    LEFT JOIN (
        SELECT reward_id, COUNT(*) AS pieces FROM redemptions WHERE state IN ('reserved', 'settled') GROUP BY reward_id
    ) AS o ON o.reward_id = r.id
    WHERE r.stock <> r.available + COALESCE(o.pieces, 0)
    ORDER BY r.id LIMIT 100";

/// A redemption's hold is of its cost and from its person's wallet: open while reserved, posted when settled,
/// void when cancelled, expired when nobody came.
const HOLDS: &str = "
    SELECT d.id, d.state
    FROM redemptions d
    JOIN ledger_transactions h ON h.id = d.transfer_id
    JOIN ledger_transfers t ON t.transaction_id = h.id
    JOIN ledger_accounts w ON w.id = t.debit_id
    LEFT JOIN ledger_transactions e ON e.pending_id = h.id
    WHERE h.phase <> 'pending' OR t.amount <> d.cost OR w.owner_id <> d.user_id OR w.community_id <> d.community_id
       OR COALESCE(e.phase, 'open') <>
          CASE d.state WHEN 'reserved' THEN 'open' WHEN 'settled' THEN 'post' WHEN 'expired' THEN 'expire' ELSE 'void' END
    ORDER BY d.id LIMIT 100";

/// Every hold for a redemption has its redemption.
const ORPHANS: &str = "
    SELECT h.source_id AS id FROM ledger_transactions h
    LEFT JOIN redemptions d ON d.transfer_id = h.id
    WHERE h.kind = 'redemption' AND h.phase = 'pending' AND d.id IS NULL
    ORDER BY h.id LIMIT 100";

pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let connection = state.db.read();
    let query = |sql| connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql));
    let mut findings = Vec::new();
    for row in query(STOCK).await? {
        let id: RewardId = row.try_get("", "id")?;
        let number = |column| row.try_get::<i64>("", column);
        findings.push(format!(
            "reward {id} has stock {} and {} available, and {} are reserved or settled",
            number("stock")?,
            number("available")?,
            number("pieces")?
        ));
    }
    for row in query(HOLDS).await? {
        let (id, word): (RedemptionId, String) = (row.try_get("", "id")?, row.try_get("", "state")?);
        findings.push(format!("redemption {id} is {word} and its hold is not what that means"));
    }
    for row in query(ORPHANS).await? {
        let id: RedemptionId = row.try_get("", "id")?;
        findings.push(format!("points are held for redemption {id}, which does not exist"));
    }
    Ok(findings)
}
