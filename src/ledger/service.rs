use chrono::{DateTime, Utc};
use entities::ids::{AccountId, PlaceId, TransferId, UserId};
use entities::ledger::{AccountKind, LedgerUnit, TransferKind, TransferPhase, account, transfer};
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    ExprTrait, IntoActiveModel, QueryFilter, Select,
};
use uuid::Uuid;

use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Whose account is meant, within one community.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// A person's wallet.
    Person(UserId),
    /// Where points come from.
    Issuance,
    /// Where spent points go.
    Spent,
}

/// An amount that is to move, or to be held for moving.
#[derive(Clone, Debug)]
pub struct Movement<'a> {
    /// In whose books.
    pub community_id: PlaceId,
    /// Debited.
    pub from: Party,
    /// Credited.
    pub to: Party,
    /// Above zero.
    pub amount: i64,
    /// Why, for the books.
    pub kind: TransferKind,
    /// Of all movements with one key only the first takes place.
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

/// What a wallet holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What can be spent.
    pub available: i64,
    /// What open holds keep.
    pub reserved: i64,
}

/// The account of a party. The id is made of what it stands for, so that nobody has to look it up.
pub fn account_id(community: PlaceId, party: Party) -> AccountId {
    let (kind, owner) = kind_and_owner(community, party);
    ids::named(&format!("account:points:{kind}:{community}:{owner}"))
}

fn kind_and_owner(community: PlaceId, party: Party) -> (AccountKind, Uuid) {
    match party {
        Party::Person(person) => (AccountKind::Wallet, person.0),
        Party::Issuance => (AccountKind::Issuance, community.0),
        Party::Spent => (AccountKind::Spent, community.0),
    }
}

/// A person's balance in one community; zeros where there is no wallet yet.
pub async fn balance(
    connection: &impl ConnectionTrait,
    community: PlaceId,
    person: UserId,
) -> Result<Balance, Problem> {
    let wallet = account::Entity::find_by_id(account_id(community, Party::Person(person))).one(connection).await?;
    Ok(wallet
        .map_or_else(Balance::default, |row| Balance { available: row.posted - row.reserved, reserved: row.reserved }))
}

/// What makes up a wallet's balance: what moved, and the holds that are open.
pub fn entries(wallet: AccountId) -> Select<transfer::Entity> {
    let resolved = Query::select()
        .column(transfer::Column::PendingId)
        .from(transfer::Entity)
        .and_where(transfer::Column::DebitId.eq(wallet).and(transfer::Column::PendingId.is_not_null()))
        .to_owned();
    let moved = transfer::Column::Phase.is_in([TransferPhase::Posted, TransferPhase::Post]);
    let held = transfer::Column::Phase.eq(TransferPhase::Pending).and(transfer::Column::Id.not_in_subquery(resolved));
    transfer::Entity::find()
        .filter(transfer::Column::DebitId.eq(wallet).or(transfer::Column::CreditId.eq(wallet)))
        .filter(Condition::any().add(moved).add(held))
}

/// Moves an amount; false if a movement with its dedupe key took place before. 409 `insufficient_points` if the wallet
/// debited has less available.
pub async fn transfer(state: &AppState, txn: &DatabaseTransaction, movement: &Movement<'_>) -> Result<bool, Problem> {
    open(txn, movement).await?;
    if !insert(txn, row(state, movement, TransferPhase::Posted), transfer::Column::DedupeKey).await? {
        return Ok(false);
    }
    let sides = [(movement.from, -movement.amount), (movement.to, movement.amount)];
    let changes = sides
        .into_iter()
        .filter(|(party, _)| matches!(party, Party::Person(_)))
        .map(|(party, posted)| Change { wallet: account_id(movement.community_id, party), posted, reserved: 0 });
    apply(txn, changes.collect()).await?;
    Ok(true)
}

/// Reserves an amount of a person's wallet until [`post`] or [`void`]. 409 `insufficient_points` if less is available.
pub async fn hold(state: &AppState, txn: &DatabaseTransaction, movement: &Movement<'_>) -> Result<TransferId, Problem> {
    open(txn, movement).await?;
    let wallet = account_id(movement.community_id, movement.from);
    apply(txn, vec![Change { wallet, posted: 0, reserved: movement.amount }]).await?;
    let id: TransferId = ids::ordered(&state.clock);
    let row = transfer::ActiveModel { id: Set(id), ..row(state, movement, TransferPhase::Pending) };
    transfer::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(id)
}

/// Moves what a hold reserved; false if the hold has ended before.
pub async fn post(
    state: &AppState,
    txn: &DatabaseTransaction,
    hold: TransferId,
    actor: Option<UserId>,
) -> Result<bool, Problem> {
    resolve(state, txn, hold, actor, TransferPhase::Post).await
}

/// Frees what a hold reserved; false if the hold has ended before.
pub async fn void(
    state: &AppState,
    txn: &DatabaseTransaction,
    hold: TransferId,
    actor: Option<UserId>,
) -> Result<bool, Problem> {
    resolve(state, txn, hold, actor, TransferPhase::Void).await
}

async fn resolve(
    state: &AppState,
    txn: &DatabaseTransaction,
    hold: TransferId,
    actor: Option<UserId>,
    phase: TransferPhase,
) -> Result<bool, Problem> {
    let pending = transfer::Entity::find_by_id(hold)
        .filter(transfer::Column::Phase.eq(TransferPhase::Pending))
        .one(txn)
        .await?
        .ok_or(Code::Internal)?;
    let (wallet, credited, amount) = (pending.debit_id, pending.credit_id, pending.amount);
    let row = transfer::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        phase: Set(phase),
        pending_id: Set(Some(hold)),
        dedupe_key: Set(None),
        actor_id: Set(actor),
        created_at: Set(state.clock.now()),
        ..pending.into_active_model().reset_all()
    };
    if !insert(txn, row, transfer::Column::PendingId).await? {
        return Ok(false);
    }
    let posted = if phase == TransferPhase::Post { amount } else { 0 };
    let mut changes = vec![Change { wallet, posted: -posted, reserved: -amount }];
    if posted > 0 && is_wallet(txn, credited).await? {
        changes.push(Change { wallet: credited, posted, reserved: 0 });
    }
    apply(txn, changes).await?;
    Ok(true)
}

async fn is_wallet(txn: &DatabaseTransaction, id: AccountId) -> Result<bool, Problem> {
    let row = account::Entity::find_by_id(id).one(txn).await?;
    Ok(row.is_some_and(|row| row.kind == AccountKind::Wallet))
}

/// Makes the accounts of a movement that do not exist yet.
async fn open(txn: &DatabaseTransaction, movement: &Movement<'_>) -> Result<(), Problem> {
    let rows = [movement.from, movement.to].map(|party| {
        let (kind, owner_id) = kind_and_owner(movement.community_id, party);
        account::ActiveModel {
            id: Set(account_id(movement.community_id, party)),
            unit: Set(LedgerUnit::Points),
            kind: Set(kind),
            community_id: Set(movement.community_id),
            owner_id: Set(owner_id),
            posted: Set(0),
            reserved: Set(0),
            created_at: Set(movement.at),
        }
    });
    // Whichever of the unique keys is met first: with one of them named, two first movements at once could meet the other.
    let there = OnConflict::new().do_nothing().to_owned();
    account::Entity::insert_many(rows).on_conflict(there).exec_without_returning(txn).await?;
    Ok(())
}

fn row(state: &AppState, movement: &Movement<'_>, phase: TransferPhase) -> transfer::ActiveModel {
    transfer::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        kind: Set(movement.kind),
        phase: Set(phase),
        pending_id: Set(None),
        debit_id: Set(account_id(movement.community_id, movement.from)),
        credit_id: Set(account_id(movement.community_id, movement.to)),
        amount: Set(movement.amount),
        dedupe_key: Set(movement.dedupe_key.clone()),
        reason: Set(movement.reason.to_owned()),
        actor_id: Set(movement.actor),
        source_kind: Set(movement.source.0.to_owned()),
        source_id: Set(Some(movement.source.1)),
        created_at: Set(movement.at),
    }
}

/// Adds a row unless one has the same value in a unique column; whoever comes at the same time waits for the other's end.
async fn insert(
    txn: &DatabaseTransaction,
    row: transfer::ActiveModel,
    unique: transfer::Column,
) -> Result<bool, Problem> {
    let nothing = OnConflict::column(unique).do_nothing().to_owned();
    Ok(transfer::Entity::insert(row).on_conflict(nothing).exec_without_returning(txn).await? == 1)
}

/// What a transfer does to one wallet.
struct Change {
    wallet: AccountId,
    posted: i64,
    reserved: i64,
}

/// Changes wallets in the order of their ids. The statement's condition keeps what is available from going below zero.
async fn apply(txn: &DatabaseTransaction, mut changes: Vec<Change>) -> Result<(), Problem> {
    changes.sort_by_key(|change| change.wallet);
    for Change { wallet, posted, reserved } in changes {
        let available = Expr::col(account::Column::Posted).sub(Expr::col(account::Column::Reserved));
        let updated = account::Entity::update_many()
            .col_expr(account::Column::Posted, Expr::col(account::Column::Posted).add(posted))
            .col_expr(account::Column::Reserved, Expr::col(account::Column::Reserved).add(reserved))
            .filter(account::Column::Id.eq(wallet))
            .filter(available.gte(reserved - posted))
            .exec(txn)
            .await?;
        if updated.rows_affected == 0 {
            return Err(Code::InsufficientPoints.into());
        }
    }
    Ok(())
}
