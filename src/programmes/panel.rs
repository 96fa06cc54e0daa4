//! A programme's experts.

use entities::ids::{ProgrammeId, UserId};
use entities::programmes::{ProgrammeState, expert, programme};
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
};
use serde_json::json;

use super::money::KIND;
use super::service;
use crate::audit;
use crate::identity::{self, Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// Names an expert, or again one who had left. A second time changes nothing.
pub(super) async fn add(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProgrammeId,
    person: UserId,
) -> Result<(), Problem> {
    let row = service::managed(txn, actor, id).await?;
    if row.state == ProgrammeState::Closed {
        return Err(Code::ProgrammeNotOpen.into());
    }
    if person == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let now = state.clock.now();
    if !identity::holds(txn, person, Permission::SocialWork, &row.place_path, now).await? {
        return Err(Code::NotAnExpert.into());
    }
    let new = expert::ActiveModel {
        programme_id: Set(id),
        user_id: Set(person),
        added_by: Set(actor.user_id),
        added_at: Set(now),
        removed_at: Set(None),
    };
    let again = OnConflict::columns([expert::Column::ProgrammeId, expert::Column::UserId])
        .update_column(expert::Column::RemovedAt)
        .to_owned();
    expert::Entity::insert(new).on_conflict(again).exec_without_returning(txn).await?;
    record(state, txn, actor, &row, person, "programme.add_expert").await
}

/// Takes an expert off the panel; reviews that are written stay.
pub(super) async fn remove(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProgrammeId,
    person: UserId,
) -> Result<(), Problem> {
    let row = service::managed(txn, actor, id).await?;
    let removed = expert::Entity::update_many()
        .col_expr(expert::Column::RemovedAt, state.clock.now().into())
        .filter(expert::Column::ProgrammeId.eq(id))
        .filter(expert::Column::UserId.eq(person))
        .filter(expert::Column::RemovedAt.is_null())
        .exec(txn)
        .await?;
    if removed.rows_affected == 0 {
        return Err(Code::NotFound.into());
    }
    record(state, txn, actor, &row, person, "programme.remove_expert").await
}

async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    row: &programme::Model,
    person: UserId,
    action: &str,
) -> Result<(), Problem> {
    let detail = json!({ "user_id": person });
    audit::record(state, txn, Some(actor.user_id), action, (KIND, row.id.0), Some(row.place_id), detail).await
}

/// The experts of a programme now.
pub(super) async fn of(connection: &impl ConnectionTrait, id: ProgrammeId) -> Result<Vec<expert::Model>, Problem> {
    let live =
        expert::Entity::find().filter(expert::Column::ProgrammeId.eq(id)).filter(expert::Column::RemovedAt.is_null());
    // A panel is a dozen people.
    Ok(live.limit(200).all(connection).await?)
}

/// Whether somebody is on a programme's panel now.
pub async fn sits_on(connection: &impl ConnectionTrait, id: ProgrammeId, person: UserId) -> Result<bool, Problem> {
    let row = expert::Entity::find_by_id((id, person)).one(connection).await?;
    Ok(row.is_some_and(|row| row.removed_at.is_none()))
}

/// 403 `not_on_panel` unless somebody is on a programme's panel, and stays there until the transaction ends.
pub async fn require_on_panel(txn: &DatabaseTransaction, id: ProgrammeId, person: UserId) -> Result<(), Problem> {
    let row = expert::Entity::find_by_id((id, person)).lock(LockType::Share).one(txn).await?;
    if row.is_some_and(|row| row.removed_at.is_none()) { Ok(()) } else { Err(Code::NotOnPanel.into()) }
}
