mod academy;
mod conflicts;
mod incubation;
mod people;
mod platforms;
mod pool;
mod qualifications;
mod record;
mod register;
mod sites;
mod talent;

use std::collections::HashMap;

use entities::identity::user;
use entities::ids::UserId;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::masked_name;
use crate::platform::http::Problem;

pub(super) fn routes(config: &mut ServiceConfig) {
    register::routes(config);
    record::routes(config);
    qualifications::routes(config);
    people::routes(config);
    conflicts::routes(config);
    platforms::routes(config);
    pool::routes(config);
    incubation::routes(config);
    academy::routes(config);
    talent::routes(config);
    sites::routes(config);
}

/// The masked names of people: `王**`.
async fn names(
    connection: &impl ConnectionTrait,
    people: impl IntoIterator<Item = UserId>,
) -> Result<HashMap<UserId, String>, Problem> {
    let rows = user::Entity::find().filter(user::Column::Id.is_in(people)).all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.id, masked_name(&row.nickname))).collect())
}

/// 5 to 20 digits; + at the beginning and - between them may stand.
fn check_phone() -> impl Fn(&Option<String>, &()) -> garde::Result {
    |phone, ()| {
        let Some(phone) = phone else { return Ok(()) };
        let digits = phone.strip_prefix('+').unwrap_or(phone);
        let fine = (5..=20).contains(&digits.len())
            && digits.chars().all(|letter| letter.is_ascii_digit() || letter == '-')
            && digits.ends_with(|letter: char| letter.is_ascii_digit());
        if fine { Ok(()) } else { Err(garde::Error::new("须为电话号码 / must be a phone number")) }
    }
}
