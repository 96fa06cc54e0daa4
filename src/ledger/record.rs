//! Entering a transaction: posted at once, or held until it is posted, voided or expired.

use chrono::{DateTime, Duration, Utc};
use entities::ids::{PlaceId, TransactionId, UserId};
use entities::ledger::{TransactionKind, TransactionPhase, transaction};
use sea_orm::{DatabaseTransaction, EntityTrait};
use uuid::Uuid;

use super::accounts::{self, Party, Side};
use super::books::{self, Header, Leg};
use super::{lots, recovery};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Amounts that are to move together, or to be held for moving.
#[derive(Clone, Debug)]
pub struct Transaction<'a> {
    /// Made by the caller: of all with one id only the first takes place. Lists go by it, so let it be time-ordered.
    pub id: TransactionId,
    /// In whose books.
    pub community_id: PlaceId,
    /// Why, for the books.
    pub kind: TransactionKind,
    /// What moves; at least one, all in one unit.
    pub transfers: Vec<Transfer>,
    /// Of all with one key only the first takes place, whatever their ids.
    pub dedupe_key: Option<String>,
    /// Why, for the person; Chinese.
    pub reason: &'a str,
    /// Who decided it; nobody for what follows from a rule.
    pub actor: Option<UserId>,
    /// What it stems from.
    pub source: (&'a str, Uuid),
    /// When.
    pub at: DateTime<Utc>,
}

/// Two entries: one account debited, another credited.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// Debited.
    pub from: Party,
    /// Credited.
    pub to: Party,
    /// Above zero.
    pub amount: i64,
    /// When what it brings into a wallet runs out; never, without.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Moves amounts; false if a transaction with its id or key took place before. An id that stands for something else is an error.
/// 409 `insufficient_points` or `insufficient_funds` if an account would go below its floor.
///
/// What comes into a wallet pays first what its person owes.
pub async fn record(state: &AppState, txn: &DatabaseTransaction, what: &Transaction<'_>) -> Result<bool, Problem> {
    let Some((header, legs)) = enter(txn, what, TransactionPhase::Posted).await? else { return Ok(false) };
    let transfers = books::carry_out(state, txn, &header, &legs).await?;
    spend(state, txn, &header, &legs).await?;
    books::make_lots(txn, &transfers, &legs, header.at).await?;
    recovery::recover(state, txn, &header, legs.iter().map(|leg| leg.credit)).await?;
    Ok(true)
}

/// Reserves amounts until [`post`], [`void`] or [`expire_hold`]; false and 409 as for [`record`].
pub async fn hold(state: &AppState, txn: &DatabaseTransaction, what: &Transaction<'_>) -> Result<bool, Problem> {
    let Some((header, legs)) = enter(txn, what, TransactionPhase::Pending).await? else { return Ok(false) };
    books::carry_out(state, txn, &header, &legs).await?;
    spend(state, txn, &header, &legs).await?;
    Ok(true)
}

/// Moves what a hold reserved; false if the hold has ended before.
pub async fn post(
    state: &AppState,
    txn: &DatabaseTransaction,
    hold: TransactionId,
    actor: Option<UserId>,
) -> Result<bool, Problem> {
    let Some((header, legs)) = resolve(state, txn, hold, actor, TransactionPhase::Post).await? else {
        return Ok(false);
    };
    let transfers = books::carry_out(state, txn, &header, &legs).await?;
    books::make_lots(txn, &transfers, &legs, header.at).await?;
    recovery::recover(state, txn, &header, legs.iter().map(|leg| leg.credit)).await?;
    Ok(true)
}

/// Gives back what a hold reserved, because somebody called it off; false if the hold has ended before. What has run out
/// meanwhile, or would within `grace`, can be spent for that long.
pub async fn void(
    state: &AppState,
    txn: &DatabaseTransaction,
    hold: TransactionId,
    actor: Option<UserId>,
    grace: Duration,
) -> Result<bool, Problem> {
    release(state, txn, hold, actor, TransactionPhase::Void, grace).await
}

/// [`void`], because its time was over.
pub async fn expire_hold(
    state: &AppState,
    txn: &DatabaseTransaction,
    hold: TransactionId,
    grace: Duration,
) -> Result<bool, Problem> {
    release(state, txn, hold, None, TransactionPhase::Expire, grace).await
}

async fn release(
    state: &AppState,
    txn: &DatabaseTransaction,
    hold: TransactionId,
    actor: Option<UserId>,
    phase: TransactionPhase,
    grace: Duration,
) -> Result<bool, Problem> {
    let Some((header, legs)) = resolve(state, txn, hold, actor, phase).await? else { return Ok(false) };
    books::carry_out(state, txn, &header, &legs).await?;
    for (wallet, _) in books::totals(legs.iter().map(|leg| (leg.debit, leg.amount))) {
        // The part of a lot that was not held runs out by itself: what comes back must not take it along.
        lots::post_due(state, txn, header.community_id, wallet).await?;
        lots::give_back(txn, header.id, hold, wallet.id, header.at + grace).await?;
    }
    recovery::recover(state, txn, &header, legs.iter().map(|leg| leg.debit)).await?;
    Ok(true)
}

/// Opens the accounts and adds the header; nothing if it was added before.
async fn enter(
    txn: &DatabaseTransaction,
    what: &Transaction<'_>,
    phase: TransactionPhase,
) -> Result<Option<(Header, Vec<Leg>)>, Problem> {
    let community = what.community_id;
    let unit = what.transfers.first().ok_or_else(|| books::disagree("a transaction moves something"))?.from.unit();
    let side = |party| Side::of(community, party);
    let legs = what.transfers.iter().map(|transfer| {
        let Transfer { from, to, amount, expires_at } = *transfer;
        Leg { debit: side(from), credit: side(to), amount, expires_at }
    });
    let legs: Vec<Leg> = legs.collect();
    let header = Header {
        id: what.id,
        unit,
        community_id: community,
        kind: what.kind,
        phase,
        pending_id: None,
        reverses_id: None,
        dedupe_key: what.dedupe_key.clone(),
        reason: what.reason.to_owned(),
        actor_id: what.actor,
        source: (what.source.0.to_owned(), Some(what.source.1)),
        at: what.at,
    };
    if books::begin(txn, &header, &legs).await? {
        accounts::open(txn, community, legs.iter().flat_map(|leg| [leg.debit, leg.credit]), header.at).await?;
        return Ok(Some((header, legs)));
    }
    match transaction::Entity::find_by_id(what.id).one(txn).await? {
        Some(first) if !same(txn, &first, &header, &legs).await? => {
            Err(books::disagree(format!("transaction {} stands for something else", what.id)))
        }
        _ => Ok(None),
    }
}

/// Whether a transaction that was entered before says what this one says.
async fn same(
    txn: &DatabaseTransaction,
    first: &transaction::Model,
    header: &Header,
    legs: &[Leg],
) -> Result<bool, Problem> {
    let moves = |legs: &[Leg]| {
        let mut moves: Vec<_> = legs.iter().map(|leg| (leg.debit.id, leg.credit.id, leg.amount)).collect();
        moves.sort_unstable();
        moves
    };
    let Header { community_id, kind, phase, source, .. } = header;
    let says = (first.community_id, first.kind, first.phase) == (*community_id, *kind, *phase)
        && (&first.source_kind, first.source_id) == (&source.0, source.1);
    Ok(says && moves(&books::legs_of(txn, first.id).await?) == moves(legs))
}

/// The lots of the wallets that are debited give what is taken, after what has run out is gone.
async fn spend(state: &AppState, txn: &DatabaseTransaction, header: &Header, legs: &[Leg]) -> Result<(), Problem> {
    for (wallet, _) in books::totals(legs.iter().map(|leg| (leg.debit, leg.amount))) {
        lots::post_due(state, txn, header.community_id, wallet).await?;
    }
    books::take_from_lots(txn, header.id, legs, None).await
}

/// Adds the header that ends a hold; nothing if one has ended it before.
async fn resolve(
    state: &AppState,
    txn: &DatabaseTransaction,
    hold: TransactionId,
    actor: Option<UserId>,
    phase: TransactionPhase,
) -> Result<Option<(Header, Vec<Leg>)>, Problem> {
    let pending = transaction::Entity::find_by_id(hold).one(txn).await?.ok_or(Code::Internal)?;
    if pending.phase != TransactionPhase::Pending {
        return Err(books::disagree(format!("transaction {hold} is no hold")));
    }
    let legs = books::legs_of(txn, hold).await?;
    let header = Header {
        id: ids::ordered(&state.clock),
        unit: pending.unit,
        community_id: pending.community_id,
        kind: pending.kind,
        phase,
        pending_id: Some(hold),
        reverses_id: None,
        dedupe_key: None,
        reason: pending.reason,
        actor_id: actor,
        source: (pending.source_kind, pending.source_id),
        at: state.clock.now(),
    };
    Ok(books::begin(txn, &header, &legs).await?.then_some((header, legs)))
}
