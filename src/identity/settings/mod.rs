//! What staff set for their place. The rules are `places`'; who may set them is known here.

pub(super) mod http;

use entities::ids::PlaceId;
use sea_orm::DatabaseTransaction;
use serde_json::{Map, Value, json};

use super::{Actor, Permission};
use crate::audit;
use crate::places::{self, Place};
use crate::platform::config::Rules;
use crate::platform::geo::Point;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// Replaces what a place has set for itself. Its settings before and after are in the audit log.
async fn set(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: PlaceId,
    own: &Map<String, Value>,
) -> Result<Rules, Problem> {
    let place = managed(txn, actor, id).await?;
    let rules = places::set(state, txn, &place, own).await?;
    let detail = json!({ "before": place.settings, "after": own });
    audit::record(state, txn, Some(actor.user_id), "place.settings", ("place", id.0), Some(id), detail).await?;
    Ok(rules)
}

/// Says where a place is.
async fn set_point(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: PlaceId,
    point: Point,
) -> Result<(), Problem> {
    let place = managed(txn, actor, id).await?;
    places::locate(txn, place.id, point).await?;
    audit::record(state, txn, Some(actor.user_id), "place.point", ("place", id.0), Some(id), json!({})).await
}

/// A place whose settings the actor may read and change.
async fn managed(connection: &impl sea_orm::ConnectionTrait, actor: &Actor, id: PlaceId) -> Result<Place, Problem> {
    let place = places::find(connection, id).await?;
    actor.require(Permission::ManageSettings, &place.path)?;
    Ok(place)
}
