use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{ActivityId, PlaceId, TeamId, UserId};
use entities::volunteering::{activity, shift};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde_json::json;

use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::volunteering::domain::Span;
use crate::{audit, places, teams};

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
pub(in crate::volunteering) struct Plan<'a> {
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub capacity: i32,
    /// The team's leader or whoever plans it, if nobody is named.
    pub leader_id: Option<UserId>,
    /// Whose members sign up first.
    pub team_id: Option<TeamId>,
    /// What one must be able to do.
    pub skill: Option<&'a str>,
}

/// An activity with the caller's right to plan its shifts.
pub(super) async fn plannable(
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ActivityId,
) -> Result<activity::Model, Problem> {
    let activity = activity::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    actor.require(Permission::ManageActivities, &activity.place_path)?;
    Ok(activity)
}

/// Somebody whom a request names as leader.
pub(super) async fn require_leader(txn: &DatabaseTransaction, id: UserId) -> Result<(), Problem> {
    match user::Entity::find_by_id(id).one(txn).await? {
        Some(_) => Ok(()),
        None => Err(Problem::field("/leader_id", "没有这个用户 / no such person")),
    }
}

/// Adds a shift to an activity.
pub(in crate::volunteering) async fn add_shift(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    activity_id: ActivityId,
    plan: Plan<'_>,
) -> Result<shift::Model, Problem> {
    let activity = plannable(txn, actor, activity_id).await?;
    let now = state.clock.now();
    let span =
        Span::of_shift(plan.starts_at, plan.ends_at, now).map_err(|(pointer, why)| Problem::field(pointer, why))?;
    let team = match plan.team_id {
        Some(team) => Some(teams::named(txn, team, activity.community_id, "/team_id").await?),
        None => None,
    };
    let leader_id = plan.leader_id.or(team.as_ref().map(|team| team.leader_id)).unwrap_or(actor.user_id);
    require_leader(txn, leader_id).await?;
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
        team_id: Set(plan.team_id),
        skill: Set(plan.skill.map(|skill| skill.trim().to_owned())),
        ..Default::default()
    };
    let row = row.insert(txn).await?;
    let detail = json!({ "activity_id": activity_id, "leader_id": leader_id });
    let target = ("shift", row.id.0);
    audit::record(state, txn, Some(actor.user_id), "shift.create", target, Some(activity.place_id), detail).await?;
    Ok(row)
}
