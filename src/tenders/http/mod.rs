//! Thin handlers and what they read and write.

mod awards;
mod bids;
mod contracts;
mod opening;
mod questions;
mod tenders;

use std::collections::HashMap;

use entities::ids::OrganisationId;
use entities::organisations::organisation;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::platform::http::Problem;
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    tenders::routes(config);
    questions::routes(config);
    opening::routes(config);
    bids::routes(config);
    awards::routes(config);
    contracts::routes(config);
}

/// The names of some organisations.
async fn names(
    state: &AppState,
    ids: impl IntoIterator<Item = OrganisationId>,
) -> Result<HashMap<OrganisationId, String>, Problem> {
    let rows = organisation::Entity::find().filter(organisation::Column::Id.is_in(ids)).all(state.db.read()).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}
