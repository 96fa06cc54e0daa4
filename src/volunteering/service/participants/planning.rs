use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{ActivityId, UserId};
use entities::volunteering::{activity, beneficiary_group, session};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;

use crate::audit;
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::volunteering::domain::Span;

/// A session as staff plan it.
pub(in crate::volunteering) struct Plan<'a> {
    pub title: &'a str,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub capacity: i32,
    /// Whoever plans it, if nobody is named.
    pub leader_id: Option<UserId>,
}

/// Adds a session to an activity.
pub(in crate::volunteering) async fn add(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    activity_id: ActivityId,
    plan: Plan<'_>,
) -> Result<session::Model, Problem> {
    let activity = activity::Entity::find_by_id(activity_id).one(txn).await?.ok_or(Code::NotFound)?;
    actor.require(Permission::ManageActivities, &activity.place_path)?;
    let now = state.clock.now();
    let span =
        Span::of_shift(plan.starts_at, plan.ends_at, now).map_err(|(pointer, why)| Problem::field(pointer, why))?;
    let leader_id = plan.leader_id.unwrap_or(actor.user_id);
    if user::Entity::find_by_id(leader_id).one(txn).await?.is_none() {
        return Err(Problem::field("/leader_id", "没有这个用户 / no such person"));
    }
    let row = session::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        activity_id: Set(activity_id),
        community_id: Set(activity.community_id),
        place_path: Set(activity.place_path),
        title: Set(plan.title.trim().to_owned()),
        starts_at: Set(span.from),
        ends_at: Set(span.to),
        capacity: Set(plan.capacity),
        enrolled: Set(0),
        leader_id: Set(leader_id),
        created_at: Set(now),
    };
    let row = row.insert(txn).await?;
    let detail = json!({ "activity_id": activity_id, "leader_id": leader_id });
    let target = ("session", row.id.0);
    audit::record(state, txn, Some(actor.user_id), "session.create", target, Some(activity.place_id), detail).await?;
    Ok(row)
}

/// An activity counts in at most so many groups.
const MOST_GROUPS: u64 = 20;

/// Adds groups that an activity's participants are counted in; those that are there stay, for people were counted in them. Gives
/// the names of all.
pub(in crate::volunteering) async fn name_groups(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    activity_id: ActivityId,
    names: &[String],
) -> Result<Vec<String>, Problem> {
    // Locked, so that two who add at once do not go beyond the number together.
    let activity = activity::Entity::find_by_id(activity_id).lock_exclusive().one(txn).await?.ok_or(Code::NotFound)?;
    actor.require(Permission::ManageActivities, &activity.place_path)?;
    let rows: Vec<_> = names
        .iter()
        .map(|name| beneficiary_group::ActiveModel {
            activity_id: Set(activity_id),
            name: Set(name.trim().to_owned()),
            created_at: Set(state.clock.now()),
        })
        .collect();
    if !rows.is_empty() {
        let known = OnConflict::columns([beneficiary_group::Column::ActivityId, beneficiary_group::Column::Name])
            .do_nothing()
            .to_owned();
        beneficiary_group::Entity::insert_many(rows).on_conflict(known).exec_without_returning(txn).await?;
    }
    let all = beneficiary_group::Entity::find().filter(beneficiary_group::Column::ActivityId.eq(activity_id));
    if all.clone().count(txn).await? > MOST_GROUPS {
        return Err(Problem::field("/names", format!("一个活动最多 {MOST_GROUPS} 个群体 / at most {MOST_GROUPS}")));
    }
    let target = ("activity", activity_id.0);
    let place = Some(activity.place_id);
    audit::record(state, txn, Some(actor.user_id), "activity.groups", target, place, json!({ "names": names })).await?;
    let all = all.order_by_asc(beneficiary_group::Column::Name).all(txn).await?;
    Ok(all.into_iter().map(|row| row.name).collect())
}
