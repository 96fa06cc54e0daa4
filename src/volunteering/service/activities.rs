use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{ActivityId, PlaceId, UserId};
use entities::volunteering::{activity, shift};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde_json::json;

use crate::audit;
use crate::identity::{Actor, Permission};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::volunteering::domain::Span;

/// Creates an activity; everybody sees it at once.
pub(in crate::volunteering) async fn create(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    place_id: PlaceId,
    title: &str,
    description: &str,
) -> Result<activity::Model, Problem> {
    let (place, community_id) = places::named_in_community(txn, place_id, "/place_id").await?;
    actor.require(Permission::ManageActivities, &place.path)?;
    let row = activity::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        community_id: Set(community_id),
        place_id: Set(place_id),
        place_path: Set(place.path),
        title: Set(title.trim().to_owned()),
        description: Set(description.trim().to_owned()),
        created_by: Set(actor.user_id),
        created_at: Set(state.clock.now()),
    };
    let row = row.insert(txn).await?;
    let target = ("activity", row.id.0);
    audit::record(state, txn, Some(actor.user_id), "activity.create", target, Some(place_id), json!({})).await?;
    Ok(row)
}

/// A shift as staff plan it.
pub(in crate::volunteering) struct Plan {
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub capacity: i32,
    /// Whoever plans it, if nobody is named.
    pub leader_id: Option<UserId>,
}

/// Adds a shift to an activity.
pub(in crate::volunteering) async fn add_shift(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    activity_id: ActivityId,
    plan: Plan,
) -> Result<shift::Model, Problem> {
    let activity = activity::Entity::find_by_id(activity_id).one(txn).await?.ok_or(Code::NotFound)?;
    actor.require(Permission::ManageActivities, &activity.place_path)?;
    let now = state.clock.now();
    let span =
        Span::of_shift(plan.starts_at, plan.ends_at, now).map_err(|(pointer, why)| Problem::field(pointer, why))?;
    let leader_id = plan.leader_id.unwrap_or(actor.user_id);
    if user::Entity::find_by_id(leader_id).one(txn).await?.is_none() {
        return Err(Problem::field("/leader_id", "没有这个用户 / no such person"));
    }
    let row = shift::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        activity_id: Set(activity_id),
        community_id: Set(activity.community_id),
        place_path: Set(activity.place_path),
        starts_at: Set(span.from),
        ends_at: Set(span.to),
        capacity: Set(plan.capacity),
        taken: Set(0),
        leader_id: Set(leader_id),
        created_at: Set(now),
    };
    let row = row.insert(txn).await?;
    let detail = json!({ "activity_id": activity_id, "leader_id": leader_id });
    let target = ("shift", row.id.0);
    audit::record(state, txn, Some(actor.user_id), "shift.create", target, Some(activity.place_id), detail).await?;
    Ok(row)
}
