//! Why an entry of a wallet is there: what it stems from, by which rule, and what became of it.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{AccountId, AwardId, TransactionId, UserId};
use entities::ledger::{lot, transaction, transfer};
use entities::points::{award, earning};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::domain::Calculation;
use crate::identity::masked_name;
use crate::ledger::{self, Effect, Party};
use crate::platform::capability::{Confirmed, Explained, Explanation};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// All that there is to say of an entry.
pub(super) struct Why {
    pub row: transaction::Model,
    pub effect: Effect,
    pub source: Option<Explanation>,
    /// Masked, of those whom the source names.
    pub names: HashMap<UserId, String>,
    pub earning: Option<(earning::Model, Calculation)>,
    pub expires_at: Option<DateTime<Utc>>,
    pub reversed_by: Option<TransactionId>,
}

/// An entry of the person's own, or 404.
pub(super) async fn find(state: &AppState, person: UserId, id: TransactionId) -> Result<Why, Problem> {
    let connection = state.db.read();
    let row = transaction::Entity::find_by_id(id).one(connection).await?.ok_or(Code::NotFound)?;
    let own: [AccountId; 2] =
        [Party::Person(person), Party::Debt(person)].map(|party| ledger::account_id(row.community_id, party));
    let transfers = transfer::Entity::find().filter(transfer::Column::TransactionId.eq(id)).all(connection).await?;
    if !transfers.iter().any(|one| own.contains(&one.debit_id) || own.contains(&one.credit_id)) {
        return Err(Code::NotFound.into());
    }
    let effects = ledger::effects(connection, row.community_id, person, [id]).await?;
    let source = match row.source_id {
        Some(source) => explain(state, &row.source_kind, source).await?,
        None => None,
    };
    let people = source.iter().flat_map(|source| &source.confirmed).map(|one| one.by);
    let names = user::Entity::find().filter(user::Column::Id.is_in(people)).all(connection).await?;
    // A reversal is explained by what it takes back.
    let award = row.reverses_id.unwrap_or(id);
    let earning = earning::Entity::find().filter(earning::Column::EntryId.eq(award)).one(connection).await?;
    let earning = earning.map(|row| {
        let kept = serde_json::from_value(row.calculation.clone());
        kept.map(|kept| (row, kept)).map_err(|error| Problem::from(Code::Internal).caused_by(error))
    });
    let lots = lot::Entity::find().filter(lot::Column::Id.is_in(transfers.iter().map(|one| one.id)));
    let lots = lots.filter(lot::Column::WalletId.is_in(own)).all(connection).await?;
    let reversal = transaction::Entity::find().filter(transaction::Column::ReversesId.eq(id)).one(connection).await?;
    Ok(Why {
        effect: effects.get(&id).copied().unwrap_or_default(),
        source,
        names: names.into_iter().map(|person| (person.id, masked_name(&person.nickname))).collect(),
        earning: earning.transpose()?,
        expires_at: lots.iter().find_map(|lot| lot.expires_at),
        reversed_by: reversal.map(|row| row.id),
        row,
    })
}

/// Asks the capability whose word the source is.
async fn explain(state: &AppState, kind: &str, id: Uuid) -> Result<Option<Explanation>, Problem> {
    let explained = state.capabilities.iter().flat_map(|capability| &capability.explained);
    match explained.into_iter().find(|(word, _)| *word == kind) {
        Some((_, explained)) => explained.explain(state.db.read(), id).await,
        None => Ok(None),
    }
}

/// Awards by hand explain themselves.
pub(super) struct ByHand;

#[async_trait(?Send)]
impl Explained for ByHand {
    async fn explain(&self, connection: &DatabaseConnection, id: Uuid) -> Result<Option<Explanation>, Problem> {
        let row = award::Entity::find_by_id(AwardId(id)).one(connection).await?;
        Ok(row.map(|row| {
            let asked = Confirmed { by: row.asked_by, role: "发放人", at: row.asked_at };
            let second = row.decided_by.zip(row.decided_at);
            let second = second.map(|(by, at)| Confirmed { by, role: "复核人", at });
            Explanation {
                what: row.reason,
                evidence: Vec::new(),
                minutes: None,
                confirmed: std::iter::once(asked).chain(second).collect(),
            }
        }))
    }
}
