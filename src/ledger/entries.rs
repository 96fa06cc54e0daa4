//! What transactions meant for one person's wallet.

use std::collections::HashMap;

use entities::ids::{PlaceId, TransactionId, UserId};
use entities::ledger::{transaction, transfer};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, Statement};
use uuid::Uuid;

use super::accounts::{Party, account_id};
use crate::platform::http::{Paging, Problem};

/// What a transaction meant for somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// What came into the wallet; below zero for what left it or is held.
    pub amount: i64,
    /// By how much more the person owes; below zero for what was paid back.
    pub owed: i64,
}

/// A transaction, and what it meant for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its header.
    pub transaction: transaction::Model,
    /// What it meant.
    pub effect: Effect,
}

/// The transactions of a page, and one more, that make up a person's balance in one community, newest first: what moved, and
/// the holds that are open.
///
/// Each side of each account gives its own newest ones, from an index that is in this order, however long its history is.
pub async fn entries(
    connection: &impl ConnectionTrait,
    community: PlaceId,
    person: UserId,
    paging: &Paging,
) -> Result<Vec<Entry>, Problem> {
    let [wallet, debt] = [Party::Person(person), Party::Debt(person)].map(|party| account_id(community, party));
    let newest = [("debit_id", "$1"), ("credit_id", "$1"), ("debit_id", "$2"), ("credit_id", "$2")].map(|(side, own)| {
        format!(
            "SELECT id FROM (
                 SELECT DISTINCT t.transaction_id AS id
                 FROM ledger_transfers t JOIN ledger_transactions x ON x.id = t.transaction_id
                 WHERE t.{side} = {own} AND t.transaction_id < $3 AND (x.phase IN ('posted', 'post') OR (
                     x.phase = 'pending' AND NOT EXISTS (SELECT 1 FROM ledger_transactions e WHERE e.pending_id = x.id)))
                 ORDER BY t.transaction_id DESC LIMIT $4
             ) AS newest"
        )
    });
    let sql =
        format!("SELECT * FROM ledger_transactions WHERE id IN ({}) ORDER BY id DESC LIMIT $4", newest.join(" UNION "));
    let before = paging.after().unwrap_or(Uuid::max());
    let values = [wallet.into(), debt.into(), before.into(), paging.rows().into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let rows = transaction::Model::find_by_statement(statement).all(connection).await?;

    let effects = effects(connection, community, person, rows.iter().map(|row| row.id)).await?;
    let entry = |transaction: transaction::Model| {
        let effect = effects.get(&transaction.id).copied().unwrap_or_default();
        Entry { transaction, effect }
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// What each of some transactions meant for a person.
pub async fn effects(
    connection: &impl ConnectionTrait,
    community: PlaceId,
    person: UserId,
    transactions: impl IntoIterator<Item = TransactionId>,
) -> Result<HashMap<TransactionId, Effect>, Problem> {
    let [wallet, debt] = [Party::Person(person), Party::Debt(person)].map(|party| account_id(community, party));
    let transfers = transfer::Entity::find().filter(transfer::Column::TransactionId.is_in(transactions));
    let mut effects: HashMap<TransactionId, Effect> = HashMap::new();
    for row in transfers.all(connection).await? {
        let effect = effects.entry(row.transaction_id).or_default();
        for (account, amount) in [(row.credit_id, row.amount), (row.debit_id, -row.amount)] {
            if account == wallet {
                effect.amount += amount;
            } else if account == debt {
                effect.owed -= amount;
            }
        }
    }
    Ok(effects)
}
