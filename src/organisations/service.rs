use std::collections::HashSet;

use entities::ids::{OrganisationId, UserId};
use entities::organisations::{organisation, person};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::platform::code::Code;
use crate::platform::http::Problem;

/// The organisations that a person belongs to now.
pub async fn of_person(connection: &impl ConnectionTrait, person: UserId) -> Result<HashSet<OrganisationId>, Problem> {
    let live = person::Entity::find()
        .select_only()
        .column(person::Column::OrganisationId)
        .filter(person::Column::UserId.eq(person))
        .filter(person::Column::EndedAt.is_null());
    Ok(live.into_tuple().all(connection).await?.into_iter().collect())
}

/// The people of an organisation now; for telling them.
pub async fn people_of(
    connection: &impl ConnectionTrait,
    organisation: OrganisationId,
) -> Result<Vec<UserId>, Problem> {
    let live = person::Entity::find()
        .select_only()
        .column(person::Column::UserId)
        .filter(person::Column::OrganisationId.eq(organisation))
        .filter(person::Column::EndedAt.is_null())
        .order_by_asc(person::Column::UserId);
    Ok(live.into_tuple().all(connection).await?)
}

/// Locks organisations in the order of their ids, so that nobody joins or leaves them before the transaction ends; 404 unless
/// there are all of them. Who looks at several organisations' people, or adds to them, does it under this lock.
pub async fn lock(
    txn: &DatabaseTransaction,
    ids: impl IntoIterator<Item = OrganisationId>,
) -> Result<Vec<organisation::Model>, Problem> {
    let wanted: HashSet<_> = ids.into_iter().collect();
    let rows = organisation::Entity::find()
        .filter(organisation::Column::Id.is_in(wanted.iter().copied()))
        .order_by_asc(organisation::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(txn)
        .await?;
    if rows.len() == wanted.len() { Ok(rows) } else { Err(Code::NotFound.into()) }
}
