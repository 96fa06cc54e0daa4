//! One elector's vote. A phone waits for it: between BEGIN and COMMIT there are three statements.

use entities::ids::{BallotId, PollId, PollOptionId, UserId};
use entities::polls::{PollKind, PollState, ballot, elector, option, participation, poll};
use sea_orm::entity::prelude::DateTimeUtc;
use sea_orm::sea_query::{LockType, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, JoinType, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;

use super::domain::{Rules, is_over};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// What a ballot is checked against.
struct Sheet {
    rules: Rules,
    secret: bool,
    closes_at: Option<DateTimeUtc>,
    options: Vec<PollOptionId>,
}

/// Casts a ballot.
pub(super) async fn cast(
    state: &AppState,
    txn: &DatabaseTransaction,
    person: UserId,
    poll_id: PollId,
    choices: &[PollOptionId],
) -> Result<(), Problem> {
    let Some(sheet) = sheet(txn, poll_id, state.clock.now()).await? else {
        return Err(why_not(txn, poll_id, state.clock.now()).await?.into());
    };
    // Once more, for the lock may have been waited for.
    let now = state.clock.now();
    if is_over(sheet.closes_at, now) {
        return Err(Code::PollClosed.into());
    }
    take_part(txn, poll_id, person).await?;
    // A mistake in the ballot takes the participation back with the transaction.
    let choices: Vec<_> = sheet
        .rules
        .check(&sheet.options, choices)?
        .into_iter()
        .filter_map(|place| sheet.options.get(place).copied())
        .collect();
    let id: BallotId = if sheet.secret { ids::unordered() } else { ids::ordered(&state.clock) };
    let row = ballot::ActiveModel {
        id: Set(id),
        poll_id: Set(poll_id),
        user_id: Set((!sheet.secret).then_some(person)),
        choices: Set(json!(choices)),
        cast_at: Set((!sheet.secret).then_some(now)),
    };
    ballot::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

/// A poll that can be voted in, and its options, in one round trip. Whoever votes shares the poll's row: closing waits for all
/// of them, and they wait for a closing and then find nothing. A poll whose time is over is not locked at all, so that
/// latecomers cannot keep its closing waiting.
async fn sheet(txn: &DatabaseTransaction, id: PollId, now: DateTimeUtc) -> Result<Option<Sheet>, Problem> {
    type Row = (PollKind, i32, bool, Option<DateTimeUtc>, PollOptionId);
    let options = poll::Entity::belongs_to(option::Entity).from(poll::Column::Id).to(option::Column::PollId).into();
    let mut query = poll::Entity::find()
        .select_only()
        .columns([poll::Column::Kind, poll::Column::MaxChoices, poll::Column::Secret, poll::Column::ClosesAt])
        .column(option::Column::Id)
        .join(JoinType::InnerJoin, options)
        .filter(poll::Column::Id.eq(id))
        .filter(poll::Column::State.eq(PollState::Open))
        .filter(poll::Column::ClosesAt.is_null().or(poll::Column::ClosesAt.gt(now)))
        .order_by_asc(option::Column::Position);
    QuerySelect::query(&mut query).lock_with_tables(LockType::KeyShare, [poll::Entity]);
    let rows: Vec<Row> = query.into_tuple().all(txn).await?;
    let options = rows.iter().map(|row| row.4).collect();
    Ok(rows.first().map(|(kind, max_choices, secret, closes_at, _)| Sheet {
        rules: Rules { kind: *kind, max_choices: usize::try_from(*max_choices).unwrap_or_default() },
        secret: *secret,
        closes_at: *closes_at,
        options,
    }))
}

/// Why [`sheet`] found nothing.
async fn why_not(txn: &DatabaseTransaction, id: PollId, now: DateTimeUtc) -> Result<Code, Problem> {
    let poll = poll::Entity::find_by_id(id).one(txn).await?;
    Ok(match poll {
        None => Code::NotFound,
        Some(poll) if poll.state == PollState::Closed || is_over(poll.closes_at, now) => Code::PollClosed,
        Some(_) => Code::PollNotOpen,
    })
}

/// Ticks the elector off the roll: inserts nothing for who is not on it, and nothing a second time.
async fn take_part(txn: &DatabaseTransaction, poll_id: PollId, person: UserId) -> Result<(), Problem> {
    let elector = Query::select()
        .columns([elector::Column::PollId, elector::Column::UserId])
        .from(elector::Entity)
        .and_where(elector::Column::PollId.eq(poll_id))
        .and_where(elector::Column::UserId.eq(person))
        .to_owned();
    let key = [participation::Column::PollId, participation::Column::UserId];
    let mut tick = Query::insert();
    tick.into_table(participation::Entity).columns(key);
    tick.select_from(elector).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    tick.on_conflict(OnConflict::columns(key).do_nothing().to_owned());
    if txn.execute(&tick).await?.rows_affected() == 1 {
        return Ok(());
    }
    let on_roll = elector::Entity::find_by_id((poll_id, person)).one(txn).await?.is_some();
    Err(if on_roll { Code::AlreadyVoted } else { Code::NotAnElector }.into())
}
