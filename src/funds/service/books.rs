//! A fund's books: what residents read at any time, and what is made public each month.

use chrono::{DateTime, Utc};
use entities::funds::{EntryKind, entry, fund, month};
use entities::ids::{FundId, FundMonthId};
use sea_orm::sea_query::{Expr, Func, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use crate::funds::domain::{Books, Line};
use crate::notices::{self, Notice};
use crate::platform::calendar::Month;
use crate::platform::code::Code;
use crate::platform::http::{Problem, transact};
use crate::platform::ids;
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;

/// A server that stood still makes up for so many months.
const MONTHS: usize = 3;
/// So many funds at a time.
const BATCH: u64 = 100;

/// What a fund's books say of a month. The opening is what the newest month made public before it closed with, and what moved
/// since; for a fund without one, all that moved before.
pub(in crate::funds) async fn books(
    connection: &impl ConnectionTrait,
    fund: FundId,
    month: Month,
) -> Result<Books, DbErr> {
    let published = month::Entity::find()
        .filter(month::Column::FundId.eq(fund))
        .filter(month::Column::Month.lt(month.to_string()))
        .order_by_desc(month::Column::Month)
        .one(connection)
        .await?;
    let known = published.and_then(|row| {
        let books: Books = serde_json::from_value(row.books).ok()?;
        Some((row.month.parse::<Month>().ok()?.ends(), books.closing_fen))
    });
    let (since, before) = known.unwrap_or((DateTime::<Utc>::UNIX_EPOCH, 0));
    derive(connection, fund, month, (since, before)).await
}

/// [`books`] from a moment whose balance is known.
pub(in crate::funds) async fn derive(
    connection: &impl ConnectionTrait,
    fund: FundId,
    month: Month,
    (since, before): (DateTime<Utc>, i64),
) -> Result<Books, DbErr> {
    let moved = sums(connection, fund, since, month.starts()).await?;
    let opening_fen = before + moved.iter().map(|(_, _, _, fen)| fen).sum::<i64>();
    let mut books = Books { opening_fen, closing_fen: opening_fen, ..Books::default() };
    for (kind, correction, count, fen) in sums(connection, fund, month.starts(), month.ends()).await? {
        let line = match (kind, correction) {
            (EntryKind::Fee, false) => &mut books.fees,
            (EntryKind::Service, false) => &mut books.services,
            (EntryKind::Donation, false) => &mut books.donations,
            (EntryKind::Subsidy, false) => &mut books.subsidies,
            (EntryKind::Expense, false) => &mut books.expenses,
            (EntryKind::Subsidy | EntryKind::Expense, true) => &mut books.paid_back,
            (EntryKind::Fee | EntryKind::Service | EntryKind::Donation, true) => &mut books.refunds,
        };
        *line = Line { count: line.count + count, fen: line.fen + fen.abs() };
        books.closing_fen += fen;
    }
    Ok(books)
}

async fn sums(
    connection: &impl ConnectionTrait,
    fund: FundId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<(EntryKind, bool, i64, i64)>, DbErr> {
    let sum = Func::coalesce([Expr::col(entry::Column::Fen).sum(), Expr::val(0)]);
    entry::Entity::find()
        .select_only()
        .column(entry::Column::Kind)
        .column(entry::Column::Correction)
        .column_as(entry::Column::Id.count(), "count")
        .column_as(Expr::expr(sum).cast_as("bigint"), "fen")
        .filter(entry::Column::FundId.eq(fund))
        .filter(entry::Column::At.gte(from))
        .filter(entry::Column::At.lt(until))
        .group_by(entry::Column::Kind)
        .group_by(entry::Column::Correction)
        .into_tuple()
        .all(connection)
        .await
}

/// The schedule: makes public what is missing of the months that are over, the oldest first.
pub(in crate::funds) async fn publish_due(state: &AppState) -> Result<(), JobError> {
    let newest = Month::last_over(state.clock.now());
    let months: Vec<Month> = std::iter::successors(Some(newest), |month| Some(month.before())).take(MONTHS).collect();
    for month in months.into_iter().rev() {
        publish_month(state, month).await?;
    }
    Ok(())
}

/// Makes a month's books public, of each fund that existed in it and has not.
pub async fn publish_month(state: &AppState, month: Month) -> Result<(), Problem> {
    loop {
        let missing = missing(state, month).await?;
        if missing.is_empty() {
            return Ok(());
        }
        for fund in missing {
            match transact(state, async |txn| publish(state, txn, &fund, month).await).await {
                // Refused: another process made it a moment ago.
                Err(problem) if problem.code() != Code::AlreadyDecided => return Err(problem),
                _ => {}
            }
        }
    }
}

async fn missing(state: &AppState, month: Month) -> Result<Vec<fund::Model>, DbErr> {
    let made = Query::select()
        .column(month::Column::FundId)
        .from(month::Entity)
        .and_where(month::Column::Month.eq(month.to_string()))
        .to_owned();
    fund::Entity::find()
        .filter(fund::Column::CreatedAt.lt(month.ends()))
        .filter(fund::Column::Id.not_in_subquery(made))
        .order_by_asc(fund::Column::Id)
        .limit(BATCH)
        .all(state.db.read())
        .await
}

async fn publish(state: &AppState, txn: &DatabaseTransaction, fund: &fund::Model, month: Month) -> Result<(), Problem> {
    let books = books(txn, fund.id, month).await?;
    let id: FundMonthId = ids::ordered(&state.clock);
    let notice = Notice {
        community_id: fund.community_id,
        kind: "fund.month",
        title: format!("{}{month}月收支公示", fund.name),
        body: books.words(),
        subject: Some(("fund_month", id.0)),
        ..Notice::default()
    };
    let notice_id = notices::publish(state, txn, notice).await?;
    let row = month::ActiveModel {
        id: Set(id),
        fund_id: Set(fund.id),
        month: Set(month.to_string()),
        books: Set(serde_json::to_value(books).map_err(|error| Problem::from(Code::Internal).caused_by(error))?),
        notice_id: Set(notice_id),
        made_at: Set(state.clock.now()),
    };
    let once = OnConflict::columns([month::Column::FundId, month::Column::Month]).do_nothing().to_owned();
    // Whoever comes second undoes their notice with this refusal.
    match month::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await? {
        1 => Ok(()),
        _ => Err(Code::AlreadyDecided.into()),
    }
}
