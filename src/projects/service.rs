use entities::ids::{NeedId, OrganisationId, PlaceId, ProjectId};
use entities::projects::{Part, ProjectState, project};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait};
use serde_json::json;

use super::lifecycle::{self, Who};
use super::steps;
use crate::audit;
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::{needs, places};

/// Proposes a project for a place, which takes needs up.
pub async fn create(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    place_id: PlaceId,
    (title, summary): (&str, &str),
    budget_fen: i64,
    need_ids: &[NeedId],
) -> Result<project::Model, Problem> {
    let (place, community_id) = places::named_in_community(txn, place_id, "/place_id").await?;
    actor.require(Permission::ManageProjects, &place.path)?;
    let id: ProjectId = ids::ordered(&state.clock);
    let row = project::ActiveModel {
        id: Set(id),
        community_id: Set(community_id),
        place_id: Set(place.id),
        place_path: Set(place.path),
        organisation_id: Set(None),
        title: Set(title.trim().to_owned()),
        summary: Set(summary.trim().to_owned()),
        budget_fen: Set(budget_fen),
        state: Set(ProjectState::Proposed),
        figures: Set(json!({})),
        created_by: Set(Some(actor.user_id)),
        created_at: Set(state.clock.now()),
        programme_id: Set(None),
        designer_id: Set(None),
        version: Set(0),
        moves: Set(0),
        state_since: Set(state.clock.now()),
    };
    let row = row.insert(txn).await?;
    needs::adopt(state, txn, actor, community_id, (id, &row.title), need_ids).await?;
    let detail = json!({ "budget_fen": budget_fen, "need_ids": need_ids });
    audit::record(state, txn, Some(actor.user_id), "project.create", ("project", id.0), Some(place_id), detail).await?;
    Ok(row)
}

/// A project, or 404.
pub(super) async fn find(connection: &impl ConnectionTrait, id: ProjectId) -> Result<project::Model, Problem> {
    project::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// Assigns who supervises or evaluates a project that is not over.
pub(super) async fn assign(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    part: Part,
    organisation: OrganisationId,
) -> Result<(), Problem> {
    let project = steps::lock(txn, id).await?;
    steps::require(txn, actor, &project, Who::Programme).await?;
    if part == Part::Implementer {
        return Err(Problem::field("/part", "实施机构由招标确定 / decided by the tender"));
    }
    if lifecycle::is_end(project.state) {
        return Err(Code::ProjectState.into());
    }
    steps::assign(state, txn, actor, &project, part, organisation).await
}
