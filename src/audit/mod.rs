//! Who did what, when, to what: rows that are only ever added.
//!
//! A command records itself in its own transaction, so that there is no act without its row and no row without the act.

use entities::audit::log;
use entities::ids::{PlaceId, UserId};
use sea_orm::{ActiveModelTrait, ConnectionTrait, Set};
use serde_json::Value;
use uuid::Uuid;

use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Adds an act to the log: who (nobody for what the system does by itself), what as `capability.verb`, to what, where.
/// `detail` holds what is needed to understand it, and no personal data.
pub async fn record(
    state: &AppState,
    txn: &impl ConnectionTrait,
    actor: Option<UserId>,
    action: &str,
    (target_kind, target_id): (&str, Uuid),
    place_id: Option<PlaceId>,
    detail: Value,
) -> Result<(), Problem> {
    let row = log::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        at: Set(state.clock.now()),
        actor_id: Set(actor),
        action: Set(action.to_owned()),
        target_kind: Set(target_kind.to_owned()),
        target_id: Set(Some(target_id)),
        place_id: Set(place_id),
        detail: Set(detail),
    };
    row.insert(txn).await?;
    Ok(())
}
