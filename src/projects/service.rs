use entities::ids::{NeedId, OrganisationId, PlaceId, ProgrammeId, ProjectId};
use entities::projects::{Part, ProjectState, project};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait};
use serde_json::json;

use super::lifecycle::{self, Who};
use super::steps;
use crate::audit;
use crate::identity::{Actor, Permission};
use crate::places::{self, is_within};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::{needs, organisations, programmes};

/// A project that somebody proposes.
#[allow(missing_docs, reason = "the fields of the request")]
pub struct NewProject<'a> {
    pub place_id: PlaceId,
    pub title: &'a str,
    pub summary: &'a str,
    pub budget_fen: i64,
    pub need_ids: &'a [NeedId],
    pub designer: Option<OrganisationId>,
    pub programme: Option<ProgrammeId>,
}

/// Proposes a project for a place, which takes needs up: staff, social workers, or somebody for their own organisation.
pub async fn create(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    new: &NewProject<'_>,
) -> Result<project::Model, Problem> {
    let NewProject { place_id, title, summary, budget_fen, need_ids, designer, programme } = *new;
    let (place, community_id) = places::named_in_community(txn, place_id, "/place_id").await?;
    if let Some(designer) = designer {
        actor.require(Permission::ActForOrganisation, &place.path)?;
        if !organisations::of_person(txn, actor.user_id).await?.contains(&designer) {
            return Err(Code::Forbidden.into());
        }
    } else if !actor.may(Permission::ManageProjects, &place.path) {
        actor.require(Permission::SocialWork, &place.path)?;
    }
    if let Some(programme) = programme {
        let programme = programmes::find(txn, actor, programme).await;
        if !programme.is_ok_and(|programme| is_within(&place.path, &programme.place_path)) {
            let why =
                "没有这个资助计划，或项目不在其范围内 / no such programme, or the project lies outside of its place";
            return Err(Problem::field("/programme_id", why));
        }
    }
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
        programme_id: Set(programme),
        designer_id: Set(designer),
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
pub(crate) async fn assign(
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
