//! Accounts: whose they are, what they hold, and the one place that changes their balances.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entities::ids::{AccountId, PlaceId, UserId};
use entities::ledger::{AccountKind, LedgerUnit, account};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait,
    FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Statement,
};
use uuid::Uuid;

use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;

/// Whose account is meant, within one community.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// A person's wallet of points.
    Person(UserId),
    /// Points that a person owes: what a reversal could not take back.
    Debt(UserId),
    /// Where points come from.
    Issuance,
    /// Points that the community may give away.
    Budget,
    /// Where spent points go.
    Spent,
    /// Where points go that nobody spent in time.
    Expired,
    /// Money for a purpose, by the id of what it belongs to.
    Fund(Uuid),
    /// Where money comes from and goes to.
    Outside,
}

impl Party {
    /// What it counts.
    pub fn unit(self) -> LedgerUnit {
        match self {
            Self::Fund(_) | Self::Outside => LedgerUnit::Fen,
            _ => LedgerUnit::Points,
        }
    }

    fn kind_and_owner(self, community: PlaceId) -> (AccountKind, Uuid) {
        match self {
            Self::Person(person) => (AccountKind::Wallet, person.0),
            Self::Debt(person) => (AccountKind::Debt, person.0),
            Self::Fund(owner) => (AccountKind::Fund, owner),
            Self::Issuance => (AccountKind::Issuance, community.0),
            Self::Budget => (AccountKind::Budget, community.0),
            Self::Spent => (AccountKind::Spent, community.0),
            Self::Expired => (AccountKind::Expired, community.0),
            Self::Outside => (AccountKind::Outside, community.0),
        }
    }
}

/// The account of a party. The id is made of what it stands for, so that nobody has to look it up.
pub fn account_id(community: PlaceId, party: Party) -> AccountId {
    let (unit, (kind, owner)) = (party.unit(), party.kind_and_owner(community));
    ids::named(&format!("account:{unit}:{kind}:{community}:{owner}"))
}

/// What a person's wallet holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What can be spent; what has run out is not among it, even before its expiry is posted.
    pub available: i64,
    /// What open holds keep.
    pub reserved: i64,
    /// What the person owes. Who owes has nothing available.
    pub debt: i64,
}

/// A person's balance in one community at a moment; zeros where there is no wallet yet.
pub async fn balance(
    connection: &impl ConnectionTrait,
    community: PlaceId,
    person: UserId,
    now: DateTime<Utc>,
) -> Result<Balance, Problem> {
    #[derive(FromQueryResult)]
    struct Row {
        available: i64,
        reserved: i64,
        debt: i64,
    }
    let sql = "
        SELECT w.posted - w.reserved - (
                   SELECT CAST(COALESCE(SUM(l.remaining), 0) AS bigint) FROM ledger_lots l
                   WHERE l.wallet_id = w.id AND l.remaining > 0 AND l.expires_at <= $3
               ) AS available,
               w.reserved, COALESCE(-(SELECT d.posted FROM ledger_accounts d WHERE d.id = $2), 0) AS debt
        FROM ledger_accounts w WHERE w.id = $1";
    let [wallet, debt] = [Party::Person(person), Party::Debt(person)].map(|party| account_id(community, party).into());
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, [wallet, debt, now.into()]);
    let row = Row::find_by_statement(statement).one(connection).await?;
    Ok(row.map_or_else(Balance::default, |Row { available, reserved, debt }| Balance { available, reserved, debt }))
}

/// What is available in an account by its row: nothing in one that keeps no balance, or that nobody has used yet.
pub(super) async fn available(txn: &DatabaseTransaction, id: AccountId) -> Result<i64, Problem> {
    Ok(account::Entity::find_by_id(id).one(txn).await?.map_or(0, |row| row.posted - row.reserved))
}

/// One side of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub id: AccountId,
    pub kind: AccountKind,
    pub owner: Uuid,
}

impl Side {
    pub fn of(community: PlaceId, party: Party) -> Self {
        let (kind, owner) = party.kind_and_owner(community);
        Self { id: account_id(community, party), kind, owner }
    }

    pub fn is_wallet(self) -> bool {
        self.kind == AccountKind::Wallet
    }

    fn is_personal(self) -> bool {
        matches!(self.kind, AccountKind::Wallet | AccountKind::Debt)
    }

    fn unit(self) -> LedgerUnit {
        match self.kind {
            AccountKind::Fund | AccountKind::Outside => LedgerUnit::Fen,
            _ => LedgerUnit::Points,
        }
    }

    /// What every movement touches keeps no balance: it would be the row all wait for.
    pub fn is_kept(self) -> bool {
        matches!(self.kind, AccountKind::Wallet | AccountKind::Debt | AccountKind::Budget | AccountKind::Fund)
    }

    fn floor(self) -> Option<i64> {
        matches!(self.kind, AccountKind::Wallet | AccountKind::Budget | AccountKind::Fund).then_some(0)
    }
}

impl From<&account::Model> for Side {
    fn from(row: &account::Model) -> Self {
        Self { id: row.id, kind: row.kind, owner: row.owner_id }
    }
}

/// Makes the accounts that do not exist yet.
pub(super) async fn open(
    txn: &DatabaseTransaction,
    community: PlaceId,
    sides: impl IntoIterator<Item = Side>,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    let mut rows: Vec<_> = sides
        .into_iter()
        .map(|side| {
            let row = account::ActiveModel {
                id: Set(side.id),
                unit: Set(side.unit()),
                kind: Set(side.kind),
                community_id: Set(community),
                owner_id: Set(side.owner),
                kept: Set(side.is_kept()),
                floor: Set(side.floor()),
                posted: Set(0),
                reserved: Set(0),
                created_at: Set(at),
            };
            (side.id, row)
        })
        .collect();
    // In one order: two that open the same accounts at once wait for each other's.
    rows.sort_by_key(|(id, _)| *id);
    rows.dedup_by_key(|(id, _)| *id);
    // Whichever of the unique keys is met first: with one of them named, two first movements at once could meet the other.
    let there = OnConflict::new().do_nothing().to_owned();
    let rows = rows.into_iter().map(|(_, row)| row);
    account::Entity::insert_many(rows).on_conflict(there).exec_without_returning(txn).await?;
    Ok(())
}

/// Locks accounts: those that many share, then people's, each in the order of their ids.
pub(super) async fn lock(
    txn: &DatabaseTransaction,
    ids: impl IntoIterator<Item = AccountId>,
) -> Result<Vec<account::Model>, Problem> {
    let rows = account::Entity::find()
        .filter(account::Column::Id.is_in(ids))
        .order_by_asc(account::Column::Kind.is_in([AccountKind::Wallet, AccountKind::Debt]))
        .order_by_asc(account::Column::Id)
        .lock(LockType::NoKeyUpdate);
    Ok(rows.all(txn).await?)
}

/// Locks a person's wallet, made at its first use, and before it the community's budget; says what is available there, nothing
/// where the community has none. For who decides by the budget how much to award, and keeps counts of their own that the
/// wallet's lock covers.
pub async fn lock_for_award(
    txn: &DatabaseTransaction,
    community: PlaceId,
    person: UserId,
    at: DateTime<Utc>,
) -> Result<Option<i64>, Problem> {
    let [budget, wallet] = [Party::Budget, Party::Person(person)].map(|party| Side::of(community, party));
    let locked = lock(txn, [budget.id, wallet.id]).await?;
    if locked.iter().all(|row| row.id != wallet.id) {
        open(txn, community, [wallet], at).await?;
        lock(txn, [wallet.id]).await?;
    }
    Ok(locked.iter().find(|row| row.id == budget.id).map(|row| row.posted - row.reserved))
}

/// What a community may still give away; nothing where it has no budget.
pub async fn budget(connection: &impl ConnectionTrait, community: PlaceId) -> Result<Option<i64>, Problem> {
    let row = account::Entity::find_by_id(account_id(community, Party::Budget)).one(connection).await?;
    Ok(row.map(|row| row.posted - row.reserved))
}

/// What a transaction does to the accounts that keep a balance, by whether it is a person's and by id.
#[derive(Default)]
pub(super) struct Changes(BTreeMap<(bool, AccountId), Change>);

struct Change {
    side: Side,
    posted: i64,
    reserved: i64,
}

impl Changes {
    pub fn add(&mut self, side: Side, posted: i64, reserved: i64) {
        if side.is_kept() {
            let change = self.0.entry((side.is_personal(), side.id)).or_insert(Change { side, posted: 0, reserved: 0 });
            change.posted += posted;
            change.reserved += reserved;
        }
    }

    /// Changes the accounts in the order of [`lock`], which locks them. The statement's condition keeps what is available from
    /// going below the floor.
    pub async fn apply(self, txn: &DatabaseTransaction) -> Result<(), Problem> {
        for ((_, id), Change { side, posted, reserved }) in self.0 {
            let available = Expr::col(account::Column::Posted).sub(Expr::col(account::Column::Reserved));
            let above = available.add(posted - reserved).gte(Expr::col(account::Column::Floor));
            let updated = account::Entity::update_many()
                .col_expr(account::Column::Posted, Expr::col(account::Column::Posted).add(posted))
                .col_expr(account::Column::Reserved, Expr::col(account::Column::Reserved).add(reserved))
                .filter(account::Column::Id.eq(id))
                .filter(Condition::any().add(account::Column::Floor.is_null()).add(above))
                .exec(txn)
                .await?;
            if updated.rows_affected == 0 {
                let code =
                    if side.unit() == LedgerUnit::Fen { Code::InsufficientFunds } else { Code::InsufficientPoints };
                return Err(code.into());
            }
        }
        Ok(())
    }
}
