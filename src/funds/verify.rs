//! `linli verify`: the books against the ledger, and what was made public against the books.

use entities::funds::{fund, month};
use entities::notices::notice;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::domain::Books;
use super::service::books::derive;
use crate::platform::calendar::Month;
use crate::platform::state::AppState;

/// So many funds, and months of one, at a time.
const PAGE: u64 = 100;

/// What to say of a row that breaks a rule, and the query for such rows' ids.
const RULES: &[(&str, &str)] = &[
    (
        "fund {} holds something else than its books add up to",
        "
        SELECT f.id FROM funds f
        LEFT JOIN ledger_accounts a ON a.owner_id = f.id AND a.kind = 'fund'
        LEFT JOIN (SELECT fund_id, SUM(fen) AS fen FROM fund_entries GROUP BY fund_id) e ON e.fund_id = f.id
        WHERE COALESCE(a.posted, 0) <> COALESCE(e.fen, 0) OR COALESCE(a.reserved, 0) <> 0",
    ),
    (
        "entry {} is not what its transaction moved",
        "
        SELECT e.id FROM fund_entries e
        LEFT JOIN ledger_accounts a ON a.owner_id = e.fund_id AND a.kind = 'fund'
        LEFT JOIN ledger_transfers t ON t.transaction_id = e.id AND t.amount = ABS(e.fen)
            AND ((e.fen > 0 AND t.credit_id = a.id) OR (e.fen < 0 AND t.debit_id = a.id))
        WHERE t.id IS NULL",
    ),
    (
        "transaction {} moved a fund's money and has no line in its books",
        "
        SELECT t.transaction_id AS id FROM ledger_transfers t
        JOIN ledger_accounts a ON a.kind = 'fund' AND (a.id = t.debit_id OR a.id = t.credit_id)
        JOIN funds f ON f.id = a.owner_id
        LEFT JOIN fund_entries e ON e.id = t.transaction_id AND e.fund_id = f.id
        WHERE e.id IS NULL",
    ),
    (
        "receipt {} has other lines in the books than it must",
        "
        SELECT r.id FROM fund_receipts r
        LEFT JOIN fund_entries e ON e.source_id = r.id AND e.fund_id = r.fund_id AND e.kind = r.kind
        GROUP BY r.id, r.fen, r.reversed_at
        HAVING COUNT(e.id) <> CASE WHEN r.reversed_at IS NULL THEN 1 ELSE 2 END
            OR COALESCE(SUM(e.fen), -1) <> CASE WHEN r.reversed_at IS NULL THEN r.fen ELSE 0 END",
    ),
    (
        "expense {} has other lines in the books than it must",
        "
        SELECT x.id FROM fund_expenses x
        LEFT JOIN fund_entries e ON e.source_id = x.id AND e.fund_id = x.fund_id AND e.kind = x.kind
        GROUP BY x.id, x.fen, x.state
        HAVING COUNT(e.id) <> CASE x.state WHEN 'confirmed' THEN 1 WHEN 'reversed' THEN 2 ELSE 0 END
            OR COALESCE(SUM(e.fen), 0) <> CASE x.state WHEN 'confirmed' THEN -x.fen ELSE 0 END",
    ),
    ("fund {} is kept and checked by one person", "SELECT id FROM funds WHERE treasurer_id = auditor_id"),
    (
        "vehicle {} of a register belongs to another community",
        "
        SELECT v.id FROM fund_vehicles v
        JOIN funds f ON f.id = v.fund_id
        JOIN households h ON h.id = v.household_id
        JOIN places p ON p.id = h.building_id
        WHERE p.community_id <> f.community_id",
    ),
];

pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let mut findings = state.db.audit(RULES).await?;
    let mut after = None;
    loop {
        let mut page = fund::Entity::find();
        if let Some(after) = after {
            page = page.filter(fund::Column::Id.gt(after));
        }
        let page = page.order_by_asc(fund::Column::Id).limit(PAGE).all(state.db.read()).await?;
        let Some(last) = page.last() else { return Ok(findings) };
        after = Some(last.id);
        for fund in &page {
            months(state, fund, &mut findings).await?;
        }
    }
}

/// Derives every month of a fund again, each from the one before it.
async fn months(state: &AppState, fund: &fund::Model, findings: &mut Vec<String>) -> Result<(), DbErr> {
    let connection = state.db.read();
    let mut known = (chrono::DateTime::<chrono::Utc>::UNIX_EPOCH, 0);
    let mut after = String::new();
    loop {
        let page = month::Entity::find()
            .filter(month::Column::FundId.eq(fund.id))
            .filter(month::Column::Month.gt(after.as_str()))
            .order_by_asc(month::Column::Month)
            .limit(PAGE)
            .all(connection)
            .await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.month);
        let told = notice::Column::Id.is_in(page.iter().map(|row| row.notice_id));
        let notices = notice::Entity::find().filter(told).all(connection).await?;
        for row in &page {
            let Ok(name) = row.month.parse::<Month>() else {
                findings.push(format!("month {} is none: {}", row.id, row.month));
                continue;
            };
            let again = derive(connection, fund.id, name, known).await?;
            known = (name.ends(), again.closing_fen);
            let said = serde_json::from_value::<Books>(row.books.clone()).ok();
            let board = notices.iter().find(|notice| notice.id == row.notice_id);
            if said != Some(again) || !again.add_up() {
                findings.push(format!("month {} of fund {}: the books say otherwise", row.month, fund.id));
            } else if board.is_none_or(|notice| notice.body != again.words()) {
                findings.push(format!("month {} of fund {}: its notice says otherwise", row.month, fund.id));
            }
        }
    }
}
