//! What becomes of a project that was handed in, apart from being selected: shortlisted, declined, withdrawn, cancelled.

use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::ProjectId;
use entities::programmes::community_poll;
use entities::projects::{ProjectAction, project, selected};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};

use super::design::{designers, in_programme, ready};
use super::{review, steps};
use crate::identity::Actor;
use crate::needs;
use crate::notices::{self, Notice, Standing};
use crate::notifications::{self, Message, Template};
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::money::yuan;
use crate::platform::state::AppState;
use crate::{places, programmes};

/// Puts a project on the shortlist: enough experts have reviewed this version, and residents do not vote on the list yet. Whoever
/// created the project leaves that to somebody else.
pub async fn shortlist(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
) -> Result<project::Model, Problem> {
    let (programme, project) = in_programme(txn, id).await?;
    ready(txn, actor, &project, ProjectAction::Shortlist).await?;
    if project.created_by == Some(actor.user_id) {
        return Err(Code::OwnAct.into());
    }
    if programme.votes_until <= state.clock.now() {
        return Err(Code::PhaseOver.into());
    }
    let reviews = review::count(txn, &project).await?;
    if reviews < programme.min_reviews {
        return Err(Problem::new(Code::ReviewsMissing, format!("{reviews} of {}", programme.min_reviews)));
    }
    let voted = community_poll::Entity::find()
        .filter(community_poll::Column::ProgrammeId.eq(programme.id))
        .filter(community_poll::Column::CommunityId.eq(project.community_id));
    if voted.count(txn).await? > 0 {
        return Err(Problem::new(
            Code::PhaseOver,
            "the residents of its community have a poll about the shortlist already",
        ));
    }
    let project = steps::step(state, txn, actor, &project, ProjectAction::Shortlist, None).await?;
    let body = format!("资助计划“{}”，{reviews} 位专家评审，预算 {} 元。", programme.title, yuan(project.budget_fen));
    publish_for_objections(state, txn, &project, SHORTLISTED, body).await?;
    Ok(project)
}

/// What a notice is called in its kind, and by residents.
const SHORTLISTED: (&str, &str) = ("project.shortlisted", "项目入围");
pub(super) const SELECTED: (&str, &str) = ("project.selected", "项目入选");

/// [`publish`] with a window of the days that the community gives.
pub(super) async fn publish_for_objections(
    state: &AppState,
    txn: &DatabaseTransaction,
    project: &project::Model,
    what: (&str, &str),
    body: String,
) -> Result<(), Problem> {
    let days = places::rules(state, txn, project.community_id).await?.selection_objection_days;
    let last = calendar::day(state.clock.now()) + TimeDelta::days(days);
    let body = format!("{body}\n公示至{}，期间可以提出异议。", calendar::day_text(last));
    announce(state, txn, project, what, body, Some(calendar::day_end(last))).await
}

/// Refuses with `selection_not_clear` while an objection to a project's shortlisting waits after its time, or was upheld.
pub(super) async fn not_contested(state: &AppState, txn: &DatabaseTransaction, id: ProjectId) -> Result<(), Problem> {
    match notices::standing_of(txn, SHORTLISTED.0, ("project", id.0), state.clock.now()).await? {
        Standing::Open(_) | Standing::Clear => Ok(()),
        Standing::Contested | Standing::Upheld => Err(Code::SelectionNotClear.into()),
    }
}

/// Refuses with `selection_not_clear` while people may object to the shortlisting or the selection of a locked project, or an objection
/// stands. What was decided before there were windows is clear.
pub async fn require_undisputed(state: &AppState, txn: &DatabaseTransaction, id: ProjectId) -> Result<(), Problem> {
    for (kind, _) in [SHORTLISTED, SELECTED] {
        if notices::standing_of(txn, kind, ("project", id.0), state.clock.now()).await? != Standing::Clear {
            return Err(Code::SelectionNotClear.into());
        }
    }
    Ok(())
}

/// Tells a project's designers and its community's board what became of it.
pub(super) async fn publish(
    state: &AppState,
    txn: &DatabaseTransaction,
    project: &project::Model,
    what: (&str, &str),
    body: String,
) -> Result<(), Problem> {
    announce(state, txn, project, what, body, None).await
}

async fn announce(
    state: &AppState,
    txn: &DatabaseTransaction,
    project: &project::Model,
    (kind, what): (&str, &str),
    body: String,
    window: Option<DateTime<Utc>>,
) -> Result<(), Problem> {
    let title = format!("{what}：{}", project.title);
    let message = Message {
        kind,
        title: what.to_owned(),
        body: format!("“{}”：{body}", project.title),
        target: Some(("project", project.id.0)),
        dedupe_key: format!("{kind}:{}", project.id),
        template: Template::Project,
    };
    notifications::tell_all(state, txn, &designers(txn, project).await?, &message).await?;
    let subject = Some(("project", project.id.0));
    let notice = Notice { community_id: project.community_id, kind, title, body, subject, window, ..Notice::default() };
    notices::publish(state, txn, notice).await.map(drop)
}

/// Declines a project, and says why in public; its needs are free again.
pub(super) async fn decline(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    reason: &str,
) -> Result<project::Model, Problem> {
    let (_, project) = in_programme(txn, id).await?;
    let project = steps::step(state, txn, actor, &project, ProjectAction::Decline, Some(reason)).await?;
    needs::release_of_project(state, txn, actor, id).await?;
    publish(state, txn, &project, ("project.declined", "项目未通过"), format!("原因：{reason}")).await?;
    Ok(project)
}

/// Takes a project back; its needs are free again.
pub(super) async fn withdraw(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
) -> Result<project::Model, Problem> {
    let project = steps::lock(txn, id).await?;
    let project = steps::step(state, txn, actor, &project, ProjectAction::Withdraw, None).await?;
    needs::release_of_project(state, txn, actor, id).await?;
    Ok(project)
}

/// Calls a selected project off before there is a contract: its money goes back, its needs are free again.
pub(super) async fn cancel(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    reason: &str,
) -> Result<project::Model, Problem> {
    let project = steps::lock(txn, id).await?;
    let project = steps::step(state, txn, actor, &project, ProjectAction::Cancel, Some(reason)).await?;
    needs::release_of_project(state, txn, actor, id).await?;
    let mut returned = 0;
    if let Some(selected) = selected::Entity::find_by_id(id).one(txn).await? {
        let why = format!("项目取消，经费退回：{}", project.title);
        programmes::give_back(state, txn, actor, selected.transaction_id, &why).await?;
        returned = selected.amount_fen;
    }
    let body = format!("原因：{reason}。退回经费 {} 元。", yuan(returned));
    publish(state, txn, &project, ("project.cancelled", "项目取消"), body).await?;
    Ok(project)
}
