//! One function a command: authorise, lock, decide, write, audit, tell.

pub(super) mod catalogue;
pub(super) mod merchants;
pub(super) mod redemptions;
pub(super) mod statements;
pub(super) mod tries;
pub(super) mod vouchers;

use entities::ids::RewardId;
use entities::rewards::reward;
use sea_orm::{ConnectionTrait, EntityTrait};

use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::opening::Opening;

/// A reward, or 404.
pub(super) async fn find_reward(connection: &impl ConnectionTrait, id: RewardId) -> Result<reward::Model, Problem> {
    reward::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// Opening times as a row keeps them.
pub(super) fn opening(stored: Option<&serde_json::Value>) -> Result<Option<Opening>, Problem> {
    let read = |value: &serde_json::Value| serde_json::from_value(value.clone());
    stored.map(read).transpose().map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// Opening times as a row is to keep them.
fn stored(opening: Option<&Opening>) -> Result<Option<serde_json::Value>, Problem> {
    opening.map(serde_json::to_value).transpose().map_err(|error| Problem::from(Code::Internal).caused_by(error))
}
