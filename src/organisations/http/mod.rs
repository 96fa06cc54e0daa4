mod conflicts;
mod people;
mod register;

use std::collections::HashMap;

use entities::identity::user;
use entities::ids::UserId;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::masked_name;
use crate::platform::http::Problem;

pub(super) fn routes(config: &mut ServiceConfig) {
    register::routes(config);
    people::routes(config);
    conflicts::routes(config);
}

/// The masked names of people: `王**`.
async fn names(
    connection: &impl ConnectionTrait,
    people: impl IntoIterator<Item = UserId>,
) -> Result<HashMap<UserId, String>, Problem> {
    let rows = user::Entity::find().filter(user::Column::Id.is_in(people)).all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.id, masked_name(&row.nickname))).collect())
}
