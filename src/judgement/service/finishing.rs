//! The end of a project: money back, needs resolved, figures in public; once.

use entities::ids::ProjectId;
use entities::judgement::closing;
use entities::projects::{Part, ProjectAction, project};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction};

use crate::identity::Actor;
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::{delivery, needs, places, projects, tenders};

/// Finishes an evaluated project. What its contract and its own fund still hold goes back to the programme, its needs are
/// resolved, and a notice says its figures.
pub(crate) async fn finish(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
) -> Result<(project::Model, closing::Model), Problem> {
    let before = projects::lock(txn, id).await?;
    let project = projects::step(state, txn, actor, &before, ProjectAction::Finish, None).await?;
    if delivery::is_owed(txn, id).await? {
        return Err(Code::MilestonesUnpaid.into());
    }
    let returned = tenders::settle(state, txn, actor, &project).await?;
    let words = format!("由项目“{}”办结，结果见公示", project.title);
    let resolved = needs::resolve_of_project(state, txn, Some(actor.user_id), id, &words).await?;
    let minimum = places::rules(state, txn, project.community_id).await?.minimum_cell;
    let figures = delivery::figures(txn, &project).await?.words(minimum);
    let row = closing::ActiveModel {
        project_id: Set(id),
        returned_fen: Set(returned),
        needs_resolved: Set(i64::try_from(resolved).unwrap_or(i64::MAX)),
        figures: Set(figures.clone()),
        closed_by: Set(actor.user_id),
        closed_at: Set(state.clock.now()),
    };
    let row = row.insert(txn).await?;
    let notice = Notice {
        community_id: project.community_id,
        kind: "project.finished",
        title: format!("项目结项公示：{}", project.title),
        body: format!("{figures}。办结需求 {resolved} 项。退回资助计划 {}。", delivery::yuan(returned)),
        subject: Some(("project", id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    let mut people = Vec::new();
    for part in [Part::Implementer, Part::Supervisor, Part::Evaluator] {
        people.extend(delivery::people_of(txn, id, part).await?);
    }
    let message = Message {
        kind: "project.finished",
        title: "项目已结项".to_owned(),
        body: project.title.clone(),
        target: Some(("project", id.0)),
        dedupe_key: format!("project.finished:{id}"),
        template: Template::Need,
    };
    notifications::tell_all(state, txn, &people, &message).await?;
    Ok((project, row))
}
