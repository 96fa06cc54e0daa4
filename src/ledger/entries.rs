//! What transactions meant for one person's wallet.

use std::collections::HashMap;

use entities::ids::{PlaceId, TransactionId, UserId};
use entities::ledger::{TransactionPhase, transaction, transfer};
use sea_orm::sea_query::{Alias, Expr, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, Select};

use super::accounts::{Party, account_id};
use crate::platform::http::Problem;

/// The transactions that make up a person's balance in one community: what moved, and the holds that are open.
pub fn entries(community: PlaceId, person: UserId) -> Select<transaction::Entity> {
    let own = [Party::Person(person), Party::Debt(person)].map(|party| account_id(community, party));
    let touching = |side: transfer::Column| -> SelectStatement {
        Query::select()
            .column(transfer::Column::TransactionId)
            .from(transfer::Entity)
            .and_where(side.is_in(own))
            .to_owned()
    };
    let ended = Alias::new("ended");
    let resolved = Query::select()
        .expr(Expr::val(1))
        .from_as(transaction::Entity, ended.clone())
        .and_where(
            Expr::col((ended, transaction::Column::PendingId)).equals((transaction::Entity, transaction::Column::Id)),
        )
        .to_owned();
    let moved = transaction::Column::Phase.is_in([TransactionPhase::Posted, TransactionPhase::Post]);
    let held = transaction::Column::Phase.eq(TransactionPhase::Pending).and(Expr::exists(resolved).not());
    let (debited, credited) = (touching(transfer::Column::DebitId), touching(transfer::Column::CreditId));
    transaction::Entity::find()
        .filter(
            Condition::any()
                .add(transaction::Column::Id.in_subquery(debited))
                .add(transaction::Column::Id.in_subquery(credited)),
        )
        .filter(Condition::any().add(moved).add(held))
}

/// What a transaction meant for somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// What came into the wallet; below zero for what left it or is held.
    pub amount: i64,
    /// By how much more the person owes; below zero for what was paid back.
    pub owed: i64,
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
