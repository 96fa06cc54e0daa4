mod members;
mod teams;

use std::collections::HashMap;

use entities::identity::user;
use entities::ids::UserId;
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::masked_name;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    teams::routes(config);
    members::routes(config);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Who {
    #[garde(skip)]
    user_id: UserId,
}

async fn names(state: &AppState, people: impl IntoIterator<Item = UserId>) -> Result<HashMap<UserId, String>, Problem> {
    let rows = user::Entity::find().filter(user::Column::Id.is_in(people)).all(state.db.read()).await?;
    Ok(rows.into_iter().map(|row| (row.id, masked_name(&row.nickname))).collect())
}
