//! Where the money of programmes and of self-governed funds is: from the ledger, which is the only truth about it.

use std::collections::BTreeMap;

use entities::funds::fund;
use entities::ids::{FundId, ProgrammeId};
use entities::programmes::{ProgrammeState, programme};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::scope::Sql;
use crate::platform::state::AppState;

/// A programme's money, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_field_names, reason = "money says its unit")]
pub(super) struct Use {
    /// What it got: from outside, or, a part, from its programme.
    pub budget_fen: i64,
    /// In its parts' hands.
    pub in_parts_fen: i64,
    /// In projects that were selected, and in no contract yet.
    pub committed_fen: i64,
    /// In contracts, and not paid yet.
    pub contracted_fen: i64,
    /// Paid for accepted milestones.
    pub paid_fen: i64,
    /// Came back from projects and contracts so far; it is in what is left again.
    pub returned_fen: i64,
    /// Went back to where it came from when the programme was closed.
    pub given_back_fen: i64,
    /// In the programme's own fund.
    pub left_fen: i64,
}

impl Use {
    /// Every fen of the budget is somewhere, once.
    pub(super) fn adds_up(&self) -> bool {
        self.budget_fen
            == self.left_fen
                + self.in_parts_fen
                + self.committed_fen
                + self.contracted_fen
                + self.paid_fen
                + self.given_back_fen
    }
}

/// `{}` is the list of programmes. What moved is added up from transfers; what is there is what the funds keep. SQLite takes a cross
/// join in the order in which it is written, and so does not go through everybody's accounts.
const PROGRAMMES: &str = "
    WITH own AS (
        SELECT g.id AS programme_id, g.parent_id, g.place_id, a.id AS account_id, a.posted FROM programmes g
        JOIN ledger_accounts a ON a.owner_id = g.id AND a.community_id = g.place_id AND a.unit = 'fen' AND a.kind = 'fund'
        WHERE g.id IN ({})
    ), contracted AS (
        SELECT p.programme_id, a.id AS account_id, a.posted FROM own w CROSS JOIN projects p CROSS JOIN contracts c CROSS JOIN ledger_accounts a
        WHERE p.programme_id = w.programme_id AND c.project_id = p.id
            AND a.owner_id = c.id AND a.community_id = w.place_id AND a.unit = 'fen' AND a.kind = 'fund'
    )
    SELECT programme_id AS owner_id, flow AS what, CAST(SUM(amount) AS bigint) AS fen FROM (
        SELECT w.programme_id, CASE WHEN o.kind = 'outside' OR o.owner_id = w.parent_id THEN 'received'
            WHEN r.id IS NOT NULL THEN 'from_parts' ELSE 'returned' END AS flow, t.amount
        FROM own w JOIN ledger_transfers t ON t.credit_id = w.account_id
        JOIN ledger_transactions x ON x.id = t.transaction_id AND x.phase IN ('posted', 'post')
        JOIN ledger_accounts o ON o.id = t.debit_id LEFT JOIN programmes r ON r.id = o.owner_id AND r.parent_id = w.programme_id
        UNION ALL
        SELECT w.programme_id, CASE WHEN o.kind = 'outside' OR o.owner_id = w.parent_id THEN 'given_back'
            WHEN r.id IS NOT NULL THEN 'to_parts' ELSE 'given' END, t.amount
        FROM own w JOIN ledger_transfers t ON t.debit_id = w.account_id
        JOIN ledger_transactions x ON x.id = t.transaction_id AND x.phase IN ('posted', 'post')
        JOIN ledger_accounts o ON o.id = t.credit_id LEFT JOIN programmes r ON r.id = o.owner_id AND r.parent_id = w.programme_id
        UNION ALL
        SELECT programme_id, 'left', posted FROM own
        UNION ALL
        SELECT w.programme_id, 'committed', a.posted FROM own w CROSS JOIN projects p CROSS JOIN ledger_accounts a
        WHERE p.programme_id = w.programme_id AND a.owner_id = p.id AND a.community_id = w.place_id AND a.unit = 'fen' AND a.kind = 'fund'
        UNION ALL
        SELECT programme_id, 'contracted', posted FROM contracted
        UNION ALL
        SELECT c.programme_id, 'paid', t.amount FROM contracted c JOIN ledger_transfers t ON t.debit_id = c.account_id
        JOIN ledger_transactions x ON x.id = t.transaction_id AND x.phase IN ('posted', 'post')
        JOIN ledger_accounts o ON o.id = t.credit_id AND o.kind = 'outside'
    ) flows GROUP BY programme_id, flow";

/// Some money of a programme or fund, and what became of it.
#[derive(FromQueryResult)]
struct Flow {
    owner_id: Uuid,
    what: String,
    fen: i64,
}

/// One statement, in which `{}` stands for the owners.
async fn flows(
    connection: &DatabaseConnection,
    text: &str,
    owners: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Flow>, DbErr> {
    let mut sql = Sql::new(connection);
    let owners = sql.bind_all(owners);
    if owners.is_empty() {
        return Ok(Vec::new());
    }
    sql.read::<Flow>(text.replace("{}", &owners)).all(connection).await
}

/// Where the money of some programmes is; one statement. A programme without money is not among them.
pub(super) async fn of_programmes(
    connection: &DatabaseConnection,
    ids: impl IntoIterator<Item = ProgrammeId>,
) -> Result<BTreeMap<ProgrammeId, Use>, DbErr> {
    let mut all: BTreeMap<ProgrammeId, Use> = BTreeMap::new();
    for Flow { owner_id, what, fen } in flows(connection, PROGRAMMES, ids.into_iter().map(|id| id.0)).await? {
        let row = all.entry(ProgrammeId(owner_id)).or_default();
        match what.as_str() {
            "received" => row.budget_fen += fen,
            "to_parts" => row.in_parts_fen += fen,
            "from_parts" => row.in_parts_fen -= fen,
            "returned" => row.returned_fen += fen,
            "given_back" => row.given_back_fen += fen,
            "left" => row.left_fen += fen,
            "committed" => row.committed_fen += fen,
            "contracted" => row.contracted_fen += fen,
            "paid" => row.paid_fen += fen,
            // What projects were given is where it is now: in them, in contracts, paid, or back.
            _ => {}
        }
    }
    Ok(all)
}

/// A self-governed fund's money, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_field_names, reason = "money says its unit")]
pub(super) struct FundUse {
    /// Fees, services, donations.
    pub received_fen: i64,
    /// Of these, what was taken back.
    pub refunded_fen: i64,
    /// Subsidies and expenses.
    pub spent_fen: i64,
    /// Of these, what came back.
    pub paid_back_fen: i64,
    /// What the fund holds.
    pub left_fen: i64,
}

impl FundUse {
    pub(super) fn adds_up(&self) -> bool {
        self.left_fen == self.received_fen - self.refunded_fen - self.spent_fen + self.paid_back_fen
    }
}

/// `{}` is the list of funds.
const FUNDS: &str = "
    WITH own AS (
        SELECT f.id AS fund_id, a.id AS account_id, a.posted FROM funds f
        JOIN ledger_accounts a ON a.owner_id = f.id AND a.community_id = f.community_id AND a.unit = 'fen' AND a.kind = 'fund'
        WHERE f.id IN ({})
    )
    SELECT fund_id AS owner_id, flow AS what, CAST(SUM(amount) AS bigint) AS fen FROM (
        SELECT w.fund_id, CASE WHEN x.kind = 'reversal' THEN 'paid_back' ELSE 'received' END AS flow, t.amount
        FROM own w JOIN ledger_transfers t ON t.credit_id = w.account_id
        JOIN ledger_transactions x ON x.id = t.transaction_id AND x.phase IN ('posted', 'post')
        UNION ALL
        SELECT w.fund_id, CASE WHEN x.kind = 'reversal' THEN 'refunded' ELSE 'spent' END, t.amount
        FROM own w JOIN ledger_transfers t ON t.debit_id = w.account_id
        JOIN ledger_transactions x ON x.id = t.transaction_id AND x.phase IN ('posted', 'post')
        UNION ALL
        SELECT fund_id, 'left', posted FROM own
    ) flows GROUP BY fund_id, flow";

/// Where the money of some funds is; one statement. A fund without money is not among them.
pub(super) async fn of_funds(
    connection: &DatabaseConnection,
    ids: impl IntoIterator<Item = FundId>,
) -> Result<BTreeMap<FundId, FundUse>, DbErr> {
    let mut all: BTreeMap<FundId, FundUse> = BTreeMap::new();
    for Flow { owner_id, what, fen } in flows(connection, FUNDS, ids.into_iter().map(|id| id.0)).await? {
        let row = all.entry(FundId(owner_id)).or_default();
        match what.as_str() {
            "received" => row.received_fen += fen,
            "refunded" => row.refunded_fen += fen,
            "spent" => row.spent_fen += fen,
            "paid_back" => row.paid_back_fen += fen,
            _ => row.left_fen += fen,
        }
    }
    Ok(all)
}

/// What is published adds up, of every programme and fund.
pub(super) async fn verify(state: &AppState) -> Result<Vec<String>, DbErr> {
    const PAGE: u64 = 200;
    let connection = state.db.read();
    let mut findings = Vec::new();
    let mut after = None;
    loop {
        let mut page = programme::Entity::find().filter(programme::Column::State.ne(ProgrammeState::Draft));
        if let Some(after) = after {
            page = page.filter(programme::Column::Id.gt(after));
        }
        let page = page.order_by_asc(programme::Column::Id).limit(PAGE).all(connection).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        let uses = of_programmes(connection, page.iter().map(|row| row.id)).await?;
        let wrong = uses.iter().filter(|(_, row)| !row.adds_up());
        findings.extend(wrong.map(|(id, row)| format!("programme {id} has money that is nowhere, or twice: {row:?}")));
    }
    let mut after = None;
    loop {
        let mut page = fund::Entity::find();
        if let Some(after) = after {
            page = page.filter(fund::Column::Id.gt(after));
        }
        let page = page.order_by_asc(fund::Column::Id).limit(PAGE).all(connection).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        let uses = of_funds(connection, page.iter().map(|row| row.id)).await?;
        let wrong = uses.iter().filter(|(_, row)| !row.adds_up());
        findings.extend(wrong.map(|(id, row)| format!("fund {id} has money that is nowhere, or twice: {row:?}")));
    }
    Ok(findings)
}
