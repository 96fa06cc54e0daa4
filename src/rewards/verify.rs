//! Counts pieces, limits and codes, compares each redemption with its hold, and makes every statement again.

use std::collections::BTreeSet;

use entities::ids::{RedemptionId, RewardId};
use entities::rewards::statement;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement};

use super::domain::statement::{Line, hash, total};
use super::service::statements::lines;
use crate::platform::calendar::Month;
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

const RULES: &[(&str, &str)] = &[
    (
        "points are held for redemption {}, which does not exist",
        "SELECT h.source_id AS id FROM ledger_transactions h LEFT JOIN redemptions d ON d.transfer_id = h.id \
         WHERE h.kind = 'redemption' AND h.phase = 'pending' AND d.id IS NULL ORDER BY h.id",
    ),
    (
        "the stock of reward {} is not the sum of its changes",
        "SELECT r.id FROM rewards r LEFT JOIN (SELECT reward_id, SUM(pieces) AS pieces FROM reward_stock_changes GROUP BY reward_id) \
         AS c ON c.reward_id = r.id WHERE r.stock <> COALESCE(c.pieces, 0) ORDER BY r.id",
    ),
    (
        "somebody's count of reward {} is not how often they redeemed it",
        "SELECT c.reward_id AS id FROM reward_counts c LEFT JOIN (SELECT reward_id, user_id, period, COUNT(*) AS pieces FROM redemptions \
         WHERE state IN ('reserved', 'settled') AND period IS NOT NULL GROUP BY reward_id, user_id, period) AS d \
         ON d.reward_id = c.reward_id AND d.user_id = c.user_id AND d.period = c.period \
         WHERE c.used <> COALESCE(d.pieces, 0) ORDER BY c.reward_id",
    ),
    (
        "redemption {} counts in a period that nobody counts",
        "SELECT d.id FROM redemptions d LEFT JOIN reward_counts c ON c.reward_id = d.reward_id AND c.user_id = d.user_id \
         AND c.period = d.period WHERE d.period IS NOT NULL AND c.used IS NULL ORDER BY d.id",
    ),
    (
        "the codes of reward {} are not its stock, or the free ones not what is available",
        "SELECT r.id FROM rewards r LEFT JOIN (SELECT reward_id, COUNT(*) AS pieces, COUNT(redemption_id) AS given FROM reward_vouchers \
         GROUP BY reward_id) AS v ON v.reward_id = r.id \
         WHERE (r.kind = 'voucher' AND (COALESCE(v.pieces, 0) <> r.stock OR COALESCE(v.pieces - v.given, 0) <> r.available)) \
            OR (r.kind <> 'voucher' AND v.pieces IS NOT NULL) ORDER BY r.id",
    ),
    (
        "redemption {} has not the one code of its own reward that it should have, or has one that it should not",
        "SELECT d.id FROM redemptions d JOIN rewards r ON r.id = d.reward_id LEFT JOIN reward_vouchers v ON v.redemption_id = d.id \
         WHERE (r.kind = 'voucher' AND d.state IN ('reserved', 'settled')) <> (v.id IS NOT NULL) OR v.reward_id <> d.reward_id \
            OR (d.settled_by IS NOT NULL AND r.kind <> 'piece') OR (d.shown_at IS NOT NULL AND r.kind <> 'voucher') ORDER BY d.id",
    ),
    (
        "reward {} is offered by a merchant of another community",
        "SELECT r.id FROM rewards r JOIN merchants m ON m.id = r.merchant_id WHERE m.community_id <> r.community_id ORDER BY r.id",
    ),
];

pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let connection = state.db.read();
    let query = |sql| connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql));
    let mut findings = state.db.audit(RULES).await?;
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
    statements(state, &mut findings).await?;
    Ok(findings)
}

/// Each month is derived again in one query, and compared with the statements that were made of it, page by page.
async fn statements(state: &AppState, findings: &mut Vec<String>) -> Result<(), DbErr> {
    const PAGE: u64 = 500;
    let connection = state.db.read();
    let months = statement::Entity::find().select_only().column(statement::Column::Month).distinct();
    let months: BTreeSet<String> = months.into_tuple().all(connection).await?.into_iter().collect();
    for name in months {
        let Ok(month) = name.parse::<Month>() else {
            findings.push(format!("there are statements of {name}, which is not a month"));
            continue;
        };
        let again = lines(connection, month, None).await?;
        let mut after = None;
        loop {
            let mut page = statement::Entity::find().filter(statement::Column::Month.eq(&name));
            if let Some(after) = after {
                page = page.filter(statement::Column::Id.gt(after));
            }
            let page = page.order_by_asc(statement::Column::Id).limit(PAGE).all(connection).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for row in &page {
                let found = again.get(&row.merchant_id).map(Vec::as_slice).unwrap_or_default();
                if !agrees(row, found) {
                    findings.push(format!("statement {} is not what the redemptions of {name} say", row.id));
                }
            }
        }
    }
    Ok(())
}

/// Titles may have changed since.
fn agrees(row: &statement::Model, again: &[Line]) -> bool {
    let Ok(lines) = serde_json::from_value::<Vec<Line>>(row.lines.clone()) else { return false };
    let counted =
        |lines: &[Line]| lines.iter().map(|line| (line.reward_id, line.pieces, line.points)).collect::<Vec<_>>();
    counted(&lines) == counted(again) && total(&lines) == (row.pieces, row.points) && hash(&row.csv) == row.hash
}
