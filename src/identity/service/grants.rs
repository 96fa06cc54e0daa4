use std::sync::Arc;

use entities::identity::{grant, user};
use entities::ids::{GrantId, PlaceId, UserId};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;

use crate::audit;
use crate::identity::{Actor, Permission, Role, actor, domain};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Gives a role at a place.
pub(in crate::identity) async fn give(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    person: UserId,
    role: Role,
    place_id: PlaceId,
    until: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<grant::Model, Problem> {
    let place = places::named(txn, place_id, "/place_id").await?;
    let now = state.clock.now();
    let held: Vec<_> = actor.held().collect();
    if !held.iter().any(|grant| grant.gives(Permission::GiveGrants, &place.path, now)) {
        return Err(Code::Forbidden.into());
    }
    if !domain::may_give(&held, role, &place.path, until, now) {
        return Err(Code::GrantExceedsOwn.into());
    }
    if until.is_some_and(|until| until <= now) {
        return Err(Problem::field("/until", "须晚于现在 / must lie in the future"));
    }
    if person == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    if user::Entity::find_by_id(person).one(txn).await?.is_none() {
        return Err(Problem::field("/user_id", "没有这个用户 / no such person"));
    }
    // A grant that has run out makes room for a new one.
    grant::Entity::update_many()
        .col_expr(grant::Column::RevokedAt, now.into())
        .filter(grant::Column::UserId.eq(person))
        .filter(grant::Column::Role.eq(role))
        .filter(grant::Column::PlaceId.eq(place_id))
        .filter(grant::Column::RevokedAt.is_null())
        .filter(grant::Column::Until.lte(now))
        .exec(txn)
        .await?;
    let id: GrantId = ids::ordered(&state.clock);
    let row = grant::ActiveModel {
        id: Set(id),
        user_id: Set(person),
        role: Set(role),
        place_id: Set(place_id),
        place_path: Set(place.path),
        given_by: Set(Some(actor.user_id)),
        given_at: Set(now),
        until: Set(until),
        revoked_by: Set(None),
        revoked_at: Set(None),
    };
    let one_live = OnConflict::columns([grant::Column::UserId, grant::Column::Role, grant::Column::PlaceId])
        .target_and_where(grant::Column::RevokedAt.is_null())
        .do_nothing()
        .to_owned();
    if grant::Entity::insert(row).on_conflict(one_live).exec_without_returning(txn).await? == 0 {
        return Err(Code::GrantExists.into());
    }
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "grant.give",
        ("grant", id.0),
        Some(place_id),
        json!({ "role": role, "user_id": person }),
    )
    .await?;
    grant::Entity::find_by_id(id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Takes a role back; gives whose it was. Whoever could give it can take it.
pub(in crate::identity) async fn take_back(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: GrantId,
) -> Result<UserId, Problem> {
    let row = grant::Entity::find_by_id(id).lock_exclusive().one(txn).await?.ok_or(Code::NotFound)?;
    let now = state.clock.now();
    let held: Vec<_> = actor.held().collect();
    let own = row.user_id == actor.user_id;
    if !own && !domain::may_give(&held, row.role, &row.place_path, row.until.map(|until| until.min(now)), now) {
        return Err(Code::NotFound.into());
    }
    if row.revoked_at.is_some() {
        return Ok(row.user_id);
    }
    grant::Entity::update_many()
        .col_expr(grant::Column::RevokedAt, now.into())
        .col_expr(grant::Column::RevokedBy, actor.user_id.into())
        .filter(grant::Column::Id.eq(id))
        .exec(txn)
        .await?;
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "grant.take_back",
        ("grant", id.0),
        Some(row.place_id),
        json!({ "role": row.role, "user_id": row.user_id }),
    )
    .await?;
    Ok(row.user_id)
}

/// For answers that follow a change of grants at once.
pub(in crate::identity) async fn fresh_grants(
    state: &AppState,
    person: UserId,
) -> Result<Arc<[grant::Model]>, Problem> {
    Ok(actor::grants_of(state.db.read(), person).await?.into())
}
