//! How delivery begins and ends: start, complete, terminate.

use entities::ids::ProjectId;
use entities::projects::{Part, ProjectAction, design, project};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use serde::Deserialize;

use super::handing_in::{self, Indicator};
use super::{
    milestones::{is_owed, yuan},
    people_of, tell,
};
use crate::identity::Actor;
use crate::notices::{self, Notice};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::projects::Who;
use crate::{projects, tenders};

/// What a design says of how its work is counted.
#[derive(Deserialize)]
struct CountedBy {
    #[serde(default)]
    groups: Vec<DesignGroup>,
    #[serde(default)]
    indicators: Vec<DesignIndicator>,
}

#[derive(Deserialize)]
struct DesignGroup {
    #[serde(alias = "title")]
    name: String,
}

#[derive(Deserialize)]
struct DesignIndicator {
    #[serde(alias = "title")]
    name: String,
    unit: String,
    target: i64,
}

/// The work begins; a supervisor must be named. What the design counts by is what the project counts by.
pub(in crate::delivery) async fn start(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
) -> Result<project::Model, Problem> {
    let project = projects::lock(txn, id).await?;
    projects::require(txn, actor, &project, Who::Implementer).await?;
    if projects::party(txn, id, Part::Supervisor).await?.is_none() {
        return Err(Code::NoSupervisor.into());
    }
    let design = design::Entity::find()
        .filter(design::Column::ProjectId.eq(id))
        .order_by_desc(design::Column::Version)
        .one(txn)
        .await?;
    let project = projects::step(state, txn, actor, &project, ProjectAction::Start, None).await?;
    if let Some(design) = design {
        let counted: CountedBy =
            serde_json::from_value(design.document).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
        let groups: Vec<&str> = counted.groups.iter().map(|group| group.name.as_str()).collect();
        let indicators: Vec<Indicator<'_>> = counted
            .indicators
            .iter()
            .map(|new| Indicator { name: &new.name, unit: &new.unit, target: new.target })
            .collect();
        handing_in::add(state, txn, None, id, &groups, &indicators).await?;
    }
    tell_parties(state, txn, &project, "project.started", "项目开始实施").await?;
    publish(state, txn, &project, "project.started", "项目开始实施", format!("“{}”开始实施。", project.title)).await?;
    Ok(project)
}

/// The work is done: every milestone accepted, no finding open, the last report there. The database refuses it otherwise.
pub async fn complete(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
) -> Result<project::Model, Problem> {
    let project = projects::lock(txn, id).await?;
    let project = projects::step(state, txn, actor, &project, ProjectAction::Complete, None).await?;
    tell_parties(state, txn, &project, "project.completed", "项目已完成实施").await?;
    let body = format!("“{}”已完成实施，接受居民评议和第三方评估。", project.title);
    publish(state, txn, &project, "project.completed", "项目完成实施", body).await?;
    Ok(project)
}

/// The work ends before its time: what the contract has not paid goes back to the programme.
pub(in crate::delivery) async fn terminate(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    reason: &str,
) -> Result<project::Model, Problem> {
    let project = projects::lock(txn, id).await?;
    let project = projects::step(state, txn, actor, &project, ProjectAction::Terminate, Some(reason)).await?;
    // Work that was accepted is owed. Who pays and who accepts locks the project first, as this does.
    if is_owed(txn, id).await? {
        return Err(Code::MilestonesUnpaid.into());
    }
    let back = tenders::settle(state, txn, actor, &project).await?;
    tell_parties(state, txn, &project, "project.terminated", "项目已终止").await?;
    let body = format!("“{}”终止。原因：{reason}。未支付的 {} 退回资助计划。", project.title, yuan(back));
    publish(state, txn, &project, "project.terminated", "项目终止公示", body).await?;
    Ok(project)
}

async fn tell_parties(
    state: &AppState,
    txn: &DatabaseTransaction,
    project: &project::Model,
    kind: &str,
    title: &str,
) -> Result<(), Problem> {
    for part in [Part::Implementer, Part::Supervisor, Part::Evaluator] {
        let people = people_of(txn, project.id, part).await?;
        tell(state, txn, &people, (kind, project.id.0), title, project.title.clone(), project.id).await?;
    }
    Ok(())
}

async fn publish(
    state: &AppState,
    txn: &DatabaseTransaction,
    project: &project::Model,
    kind: &str,
    title: &str,
    body: String,
) -> Result<(), Problem> {
    let notice = Notice {
        community_id: project.community_id,
        kind,
        title: format!("{title}：{}", project.title),
        body,
        subject: Some(("project", project.id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(())
}
