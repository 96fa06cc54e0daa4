pub(super) mod academy;
pub(super) mod conflicts;
pub(super) mod incubation;
pub(super) mod people;
pub(super) mod platforms;
pub(super) mod pool;
pub(super) mod register;
pub(super) mod results;
pub(super) mod sites;
pub(super) mod talent;

use entities::ids::OrganisationId;
use entities::organisations::organisation;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::Value;

use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::{audit, places};

/// An organisation by its id, or 404.
pub(super) async fn find(
    connection: &impl ConnectionTrait,
    id: OrganisationId,
) -> Result<organisation::Model, Problem> {
    organisation::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// Whether somebody is staff where an organisation is registered.
pub(super) async fn is_staff(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    row: &organisation::Model,
) -> Result<bool, Problem> {
    let Some(place) = row.place_id else { return Ok(false) };
    let place = places::find(connection, place).await?;
    Ok(actor.may(Permission::ManageProjects, &place.path))
}

async fn record(
    state: &AppState,
    txn: &impl ConnectionTrait,
    actor: &Actor,
    action: &str,
    row: &organisation::Model,
    detail: Value,
) -> Result<(), Problem> {
    audit::record(state, txn, Some(actor.user_id), action, ("organisation", row.id.0), row.place_id, detail).await
}
