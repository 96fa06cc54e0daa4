//! A design is written, handed in as a version that stays, and returned for changes.

use chrono::{DateTime, Utc};
use entities::ids::{ProgrammeId, ProjectId, UserId};
use entities::programmes::programme;
use entities::projects::{ProjectAction, design, draft, project};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
};
use serde_json::json;

use super::domain::design::Design;
use super::lifecycle::{self, Who};
use super::{service, steps};
use crate::identity::{Actor, Permission};
use crate::notifications::{self, Message, Template};
use crate::places::is_within;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::{audit, organisations, programmes};

/// Who may take a step, and in which state: what the table says, before anything else is looked at. [`steps::step`] asks again.
pub(super) async fn ready(
    txn: &DatabaseTransaction,
    actor: &Actor,
    project: &project::Model,
    action: ProjectAction,
) -> Result<(), Problem> {
    let line = lifecycle::line(action).ok_or(Code::Internal)?;
    steps::require(txn, actor, project, line.who).await?;
    if line.from.contains(&project.state) { Ok(()) } else { Err(Code::ProjectState.into()) }
}

/// A project of a programme for somebody who acts in the programme: the programme is open and stays so, and both are locked, the
/// programme first.
pub(super) async fn in_programme(
    txn: &DatabaseTransaction,
    id: ProjectId,
) -> Result<(programme::Model, project::Model), Problem> {
    let programme = service::find(txn, id).await?.programme_id.ok_or(Code::ProjectState)?;
    let programme = programmes::share(txn, programme).await?;
    let project = steps::lock(txn, id).await?;
    // Between the two reads only a first submission could have changed it, and none has: it had a programme already.
    if project.programme_id == Some(programme.id) { Ok((programme, project)) } else { Err(Code::ProjectState.into()) }
}

/// Keeps a draft, in place of the one before.
pub async fn save(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    words: &Design,
) -> Result<draft::Model, Problem> {
    let project = steps::lock(txn, id).await?;
    ready(txn, actor, &project, ProjectAction::Submit).await?;
    Problem::of_mistakes("", words.mistakes())?;
    let document = serde_json::to_value(words).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    let row = draft::Model { project_id: id, document, updated_by: actor.user_id, updated_at: state.clock.now() };
    let replaced = OnConflict::column(draft::Column::ProjectId)
        .update_columns([draft::Column::Document, draft::Column::UpdatedBy, draft::Column::UpdatedAt])
        .to_owned();
    draft::Entity::insert(draft::ActiveModel::from(row.clone()))
        .on_conflict(replaced)
        .exec_without_returning(txn)
        .await?;
    Ok(row)
}

/// The draft of a project, for whoever designs it and for staff of its place; 404 for others, and where there is none.
pub(super) async fn draft_of(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    id: ProjectId,
) -> Result<draft::Model, Problem> {
    let project = service::find(connection, id).await?;
    let roles = steps::roles(connection, actor, std::slice::from_ref(&project)).await?;
    let designs = roles.values().flatten().any(|who| *who == Who::Designer);
    if !designs && !actor.may(Permission::ManageProjects, &project.place_path) {
        return Err(Code::NotFound.into());
    }
    draft::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// Hands the draft in, to a programme: it becomes the next version. Whether it comes in time is decided by one reading of the clock
/// after the locks.
pub async fn submit(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    wanted: Option<ProgrammeId>,
) -> Result<project::Model, Problem> {
    let needed = |why: &str| Problem::field("/programme_id", why);
    let known = service::find(txn, id).await?.programme_id;
    let programme = known.or(wanted).ok_or_else(|| needed("请选择资助计划 / name a programme"))?;
    let programme = programmes::share(txn, programme).await?;
    let project = steps::lock(txn, id).await?;
    ready(txn, actor, &project, ProjectAction::Submit).await?;
    if [wanted, project.programme_id].into_iter().flatten().any(|other| other != programme.id) {
        return Err(needed("已定于另一个资助计划 / it belongs to another programme"));
    }
    if !is_within(&project.place_path, &programme.place_path) {
        return Err(needed("项目不在该资助计划的范围内 / the project lies outside of its place"));
    }
    let now = state.clock.now();
    let version = project.version + 1;
    if !programmes::phases(&programme).takes_design(version, now) {
        return Err(Code::PhaseOver.into());
    }
    let draft = draft::Entity::find_by_id(id).one(txn).await?;
    let document = draft.map_or_else(|| json!({}), |draft| draft.document);
    let words: Design =
        serde_json::from_value(document.clone()).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    Problem::of_mistakes("/design", words.missing())?;
    let budget_fen = words.budget_fen();
    if budget_fen > programme.cap_fen {
        return Err(Problem::new(Code::AboveCap, format!("{budget_fen} fen of at most {}", programme.cap_fen)));
    }
    let row = design::ActiveModel {
        project_id: Set(id),
        version: Set(version),
        programme_id: Set(programme.id),
        document: Set(document),
        budget_fen: Set(budget_fen),
        indicators: Set(i64::try_from(words.indicators.len()).unwrap_or(i64::MAX)),
        people: Set(words.people()),
        submitted_by: Set(actor.user_id),
        submitted_at: Set(now),
    };
    design::Entity::insert(row).exec_without_returning(txn).await?;
    let row = project::ActiveModel {
        id: Set(id),
        programme_id: Set(Some(programme.id)),
        version: Set(version),
        budget_fen: Set(budget_fen),
        ..Default::default()
    };
    let project = row.update(txn).await?;
    let project = steps::step(state, txn, actor, &project, ProjectAction::Submit, None).await?;
    let detail = json!({ "programme_id": programme.id, "version": version, "budget_fen": budget_fen });
    audit::record(state, txn, Some(actor.user_id), "project.submit", ("project", id.0), Some(project.place_id), detail)
        .await?;
    let message = Message {
        kind: "project.submitted",
        title: "有设计书待评审".to_owned(),
        body: format!("“{}”第{version}版", project.title),
        target: Some(("project", id.0)),
        dedupe_key: format!("project.submitted:{id}:{version}"),
        template: Template::Project,
    };
    notifications::tell_all(state, txn, &programmes::experts(txn, programme.id).await?, &message).await?;
    Ok(project)
}

/// Who is told about a design: the people of the organisation, or whoever created the project.
pub(super) async fn designers(
    connection: &impl ConnectionTrait,
    project: &project::Model,
) -> Result<Vec<UserId>, Problem> {
    match project.designer_id {
        Some(designer) => organisations::people_of(connection, designer).await,
        None => Ok(project.created_by.into_iter().collect()),
    }
}

/// Returns a design for changes, while the reviews last.
pub async fn return_for_changes(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    reason: &str,
) -> Result<project::Model, Problem> {
    let (programme, project) = in_programme(txn, id).await?;
    ready(txn, actor, &project, ProjectAction::Return).await?;
    if programme.reviews_until <= state.clock.now() {
        return Err(Code::PhaseOver.into());
    }
    let project = steps::step(state, txn, actor, &project, ProjectAction::Return, Some(reason)).await?;
    let message = Message {
        kind: "project.returned",
        title: "设计书需修改".to_owned(),
        body: format!("“{}”：{reason}", project.title),
        target: Some(("project", id.0)),
        dedupe_key: format!("project.returned:{id}:{}", project.moves),
        template: Template::Project,
    };
    notifications::tell_all(state, txn, &designers(txn, &project).await?, &message).await?;
    Ok(project)
}

/// A version of a design.
pub(super) async fn version_of(
    connection: &impl ConnectionTrait,
    id: ProjectId,
    version: i64,
) -> Result<design::Model, Problem> {
    design::Entity::find_by_id((id, version)).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// When each of some projects' present versions were handed in.
pub(super) async fn submitted_at(
    connection: &impl ConnectionTrait,
    projects: &[project::Model],
) -> Result<Vec<(ProjectId, DateTime<Utc>)>, Problem> {
    let rows = design::Entity::find()
        .filter(design::Column::ProjectId.is_in(projects.iter().map(|project| project.id)))
        .all(connection)
        .await?;
    let present = |row: &design::Model| {
        projects.iter().any(|project| project.id == row.project_id && project.version == row.version)
    };
    Ok(rows.iter().filter(|row| present(row)).map(|row| (row.project_id, row.submitted_at)).collect())
}
