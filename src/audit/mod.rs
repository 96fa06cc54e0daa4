//! Who did what, when, to what: rows that are only ever added.
//!
//! A command records itself in its own transaction, so that there is no act without its row and no row without the act.

use entities::audit::log;
use entities::ids::{PlaceId, UserId};
use sea_orm::{ActiveModelTrait, ConnectionTrait, Set};
use serde_json::Value;
use uuid::Uuid;

use crate::platform::clock::Clock;
use crate::platform::http::Problem;
use crate::platform::ids;

/// One act. `detail` holds what is needed to understand it, and no personal data.
#[derive(Debug, Default)]
pub struct Act<'a> {
    /// Who; nobody for what the system does by itself.
    pub actor: Option<UserId>,
    /// What, as `capability.verb`.
    pub action: &'a str,
    /// To what kind of thing.
    pub target_kind: &'a str,
    /// To which.
    pub target_id: Option<Uuid>,
    /// Where.
    pub place_id: Option<PlaceId>,
    /// Anything else, as a JSON object.
    pub detail: Value,
}

/// Adds an act to the log, in the caller's transaction.
pub async fn record(txn: &impl ConnectionTrait, clock: &Clock, act: Act<'_>) -> Result<(), Problem> {
    let row = log::ActiveModel {
        id: Set(ids::ordered(clock)),
        at: Set(clock.now()),
        actor_id: Set(act.actor),
        action: Set(act.action.to_owned()),
        target_kind: Set(act.target_kind.to_owned()),
        target_id: Set(act.target_id),
        place_id: Set(act.place_id),
        detail: Set(act.detail),
    };
    row.insert(txn).await?;
    Ok(())
}
