//! Who holds a role at a place: for those who are to be told of something, or put in charge of it.

use chrono::{DateTime, Utc};
use entities::identity::grant;
use entities::ids::UserId;
use entities::places::place;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::Role;
use super::actor::grants_of;
use super::domain::{Held, Permission};
use crate::platform::http::Problem;

/// So many people with one role are told or put in charge at once.
const MOST: u64 = 200;

/// Somebody who holds a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The person.
    pub user_id: UserId,
    /// The path of the grant's place.
    pub path: String,
}

/// Who holds a role now at a place or above it: those whose grant lies nearest come first, of these who has held it longest.
pub async fn holders(
    connection: &impl ConnectionTrait,
    role: Role,
    path: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Holder>, Problem> {
    let above: Vec<&str> = path.match_indices('/').skip(1).filter_map(|(at, _)| path.get(..=at)).collect();
    let places = place::Entity::find().filter(place::Column::Path.is_in(above)).all(connection).await?;
    let rows = grant::Entity::find()
        .filter(grant::Column::PlaceId.is_in(places.into_iter().map(|place| place.id)))
        .filter(grant::Column::Role.eq(role))
        .filter(grant::Column::RevokedAt.is_null())
        .filter(Condition::any().add(grant::Column::Until.is_null()).add(grant::Column::Until.gt(now)))
        // Of paths that begin alike the longer one is the nearer.
        .order_by_desc(grant::Column::PlacePath)
        .order_by_asc(grant::Column::GivenAt)
        .order_by_asc(grant::Column::UserId)
        .limit(MOST)
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| Holder { user_id: row.user_id, path: row.place_path }).collect())
}

/// Whether somebody, who need not be the caller, holds a permission at a place now.
pub async fn person_may(
    connection: &impl ConnectionTrait,
    person: UserId,
    permission: Permission,
    path: &str,
    now: DateTime<Utc>,
) -> Result<bool, Problem> {
    let grants = grants_of(connection, person).await?;
    let held = |row: &grant::Model| {
        Held { role: row.role, path: &row.place_path, until: row.until }.gives(permission, path, now)
    };
    Ok(grants.iter().any(held))
}
