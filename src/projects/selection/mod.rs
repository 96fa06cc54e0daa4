//! Selecting: one officer proposes what the programme's rule takes, another confirms, and the money moves with it.
//!
//! A proposal is a row that stays, with the ranking and what explains it; the latest of a programme is the one that counts.
//! Confirming takes it as a whole ([`confirm`]) or a project of it ([`select`]); the ledger's floor decides whether the money is there.

mod ranking;

use entities::ids::{PlaceId, ProgrammeId, ProjectId, SelectionId};
use entities::polls::{PollKind, poll};
use entities::programmes::{ProgrammeState, community_poll, programme, selection};
use entities::projects::{ProjectAction, ProjectState, project, selected};
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;

use super::design::ready;
use super::lifecycle::Who;
use super::{deciding, service, steps};
use crate::identity::Actor;
use crate::notices::{self, Notice};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::money::yuan;
use crate::platform::state::AppState;
use crate::{audit, ledger, places, polls, programmes};

pub(super) use ranking::{Line, Ranking};

/// A programme has no more projects to choose among at once.
const MOST: u64 = 1000;

async fn shortlisted(
    connection: &impl ConnectionTrait,
    id: ProgrammeId,
    community: Option<PlaceId>,
) -> Result<Vec<project::Model>, Problem> {
    let mut found = project::Entity::find()
        .filter(project::Column::ProgrammeId.eq(id))
        .filter(project::Column::State.eq(ProjectState::Shortlisted));
    if let Some(community) = community {
        found = found.filter(project::Column::CommunityId.eq(community));
    }
    Ok(found.order_by_asc(project::Column::Id).limit(MOST).all(connection).await?)
}

/// Drafts a community's poll about the programme's shortlist: an approval poll over its projects there, or yes or no over a single
/// one. From then on nothing is added to that list. One a programme and community.
pub(super) async fn draft_poll(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProgrammeId,
    community: PlaceId,
) -> Result<poll::Model, Problem> {
    let programme = programmes::lock(txn, actor, id).await?;
    if programme.state != ProgrammeState::Open {
        return Err(Code::ProgrammeNotOpen.into());
    }
    let now = state.clock.now();
    if programme.votes_until <= now {
        return Err(Code::PhaseOver.into());
    }
    let (_, in_community) = places::named_in_community(txn, community, "/community_id").await?;
    let list = shortlisted(txn, id, Some(in_community)).await?;
    let title = format!("居民投票：{}", programme.title);
    let options =
        list.iter().zip(1..).map(|(project, number)| (format!("{number}. {}", project.title), Some(project.id)));
    let mut options: Vec<_> = options.collect();
    let kind = match list.as_slice() {
        [] => return Err(Problem::new(Code::SelectionNotReady, "the community has no shortlisted project")),
        [_] => {
            options = vec![
                ("赞成".to_owned(), list.first().map(|one| one.id)),
                ("反对".to_owned(), None),
                ("弃权".to_owned(), None),
            ];
            PollKind::YesNo
        }
        _ => PollKind::Approval,
    };
    let new = polls::NewPoll {
        place_id: in_community,
        title: &title,
        kind,
        max_choices: None,
        options: options.iter().map(|(title, project)| (title.as_str(), *project)).collect(),
        secret: false,
        opens_at: None,
        closes_at: Some(programme.votes_until),
        subject: Some(("programme", id.0)),
    };
    let poll = polls::create(state, txn, actor, new).await?;
    let row = community_poll::ActiveModel {
        poll_id: Set(poll.id),
        programme_id: Set(id),
        community_id: Set(in_community),
        created_by: Set(actor.user_id),
        created_at: Set(now),
    };
    let once = OnConflict::columns([community_poll::Column::ProgrammeId, community_poll::Column::CommunityId])
        .do_nothing()
        .to_owned();
    if community_poll::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await? == 0 {
        return Err(Code::AlreadyDecided.into());
    }
    Ok(poll)
}

/// Proposes what the programme's rule selects of its shortlist, as far as its money goes.
pub(super) async fn propose(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProgrammeId,
) -> Result<selection::Model, Problem> {
    let programme = programmes::lock(txn, actor, id).await?;
    if programme.state != ProgrammeState::Open {
        return Err(Code::ProgrammeNotOpen.into());
    }
    let now = state.clock.now();
    if now < programme.reviews_until {
        return Err(Problem::new(Code::SelectionNotReady, "experts review until reviews_until"));
    }
    let candidates = shortlisted(txn, id, None).await?;
    if candidates.is_empty() {
        return Err(Problem::new(Code::SelectionNotReady, "no project is shortlisted"));
    }
    // Nobody decides about what their own organisation designs.
    let roles = steps::roles(txn, actor, &candidates).await?;
    if !candidates.iter().all(|one| roles.get(&one.id).is_some_and(|roles| roles.contains(&Who::Programme))) {
        return Err(Code::ConflictOfInterest.into());
    }
    let available = ledger::fund_balance(txn, programme.place_id, id.0).await?.available();
    let ranking = ranking::rank(txn, &programme, &candidates, available).await?;
    let ranking = serde_json::to_value(ranking).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    let seq = latest(txn, id).await?.map_or(0, |last| last.seq) + 1;
    let row = selection::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        programme_id: Set(id),
        seq: Set(seq),
        available_fen: Set(available),
        ranking: Set(ranking),
        proposed_by: Set(actor.user_id),
        proposed_at: Set(now),
    };
    let row = row.insert(txn).await?;
    let detail = json!({ "selection_id": row.id, "available_fen": available });
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "programme.propose",
        ("programme", id.0),
        Some(programme.place_id),
        detail,
    )
    .await?;
    Ok(row)
}

/// The proposal of a programme that counts.
pub(super) async fn latest(
    connection: &impl ConnectionTrait,
    id: ProgrammeId,
) -> Result<Option<selection::Model>, Problem> {
    let all = selection::Entity::find().filter(selection::Column::ProgrammeId.eq(id));
    Ok(all.order_by_desc(selection::Column::Seq).one(connection).await?)
}

/// What a proposal says.
pub(super) fn ranking_of(row: &selection::Model) -> Result<Ranking, Problem> {
    serde_json::from_value(row.ranking.clone()).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// The latest proposal of a programme for somebody who confirms it and did not make it.
async fn proposal(
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProgrammeId,
) -> Result<(selection::Model, Ranking), Problem> {
    let row = latest(txn, id).await?.ok_or(Code::SelectionStale)?;
    if row.proposed_by == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let ranking = ranking_of(&row)?;
    Ok((row, ranking))
}

/// Confirms a proposal: all that it selects and that is not selected yet, or nothing.
pub(super) async fn confirm(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (id, wanted): (ProgrammeId, SelectionId),
) -> Result<selection::Model, Problem> {
    let programme = programmes::lock(txn, actor, id).await?;
    if programme.state != ProgrammeState::Open {
        return Err(Code::ProgrammeNotOpen.into());
    }
    let (row, ranking) = proposal(txn, actor, id).await?;
    if row.id != wanted {
        return Err(Code::SelectionStale.into());
    }
    let chosen: Vec<&Line> = ranking.lines.iter().filter(|line| line.choice.selected).collect();
    let locked = project::Entity::find()
        .filter(project::Column::Id.is_in(chosen.iter().map(|line| line.choice.project_id)))
        .order_by_asc(project::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(txn)
        .await?;
    let done = selected::Entity::find().filter(selected::Column::SelectionId.eq(row.id)).all(txn).await?;
    // All windows before the first notice: that is the order of locks.
    for project in &locked {
        deciding::not_contested(state, txn, project.id).await?;
    }
    let mut fresh = Vec::new();
    for line in chosen {
        if done.iter().any(|done| done.project_id == line.choice.project_id) {
            continue;
        }
        let project = locked.iter().find(|project| project.id == line.choice.project_id).ok_or(Code::SelectionStale)?;
        take(state, txn, actor, (&programme, &row), project, line).await?;
        fresh.push(line);
    }
    if fresh.is_empty() {
        return Err(Code::AlreadyDecided.into());
    }
    let sum: i64 = fresh.iter().map(|line| line.choice.amount_fen).sum();
    let names: Vec<_> = fresh
        .iter()
        .map(|line| format!("{}. {}（{} 元）", line.choice.rank, line.title, yuan(line.choice.amount_fen)))
        .collect();
    let notice = Notice {
        community_id: programme.place_id,
        kind: "programme.selected",
        title: format!("入选项目：{}", programme.title),
        body: format!("入选 {} 个项目，共 {} 元。\n{}", fresh.len(), yuan(sum), names.join("\n")),
        subject: Some(("selection", row.id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(row)
}

/// Confirms one project of the latest proposal.
pub(super) async fn select(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
) -> Result<project::Model, Problem> {
    let (programme, project) = super::design::in_programme(txn, id).await?;
    ready(txn, actor, &project, ProjectAction::Select).await?;
    let (row, ranking) = proposal(txn, actor, programme.id).await?;
    let line = ranking.lines.iter().find(|line| line.choice.project_id == id && line.choice.selected);
    deciding::not_contested(state, txn, id).await?;
    take(state, txn, actor, (&programme, &row), &project, line.ok_or(Code::SelectionStale)?).await?;
    service::find(txn, id).await
}

/// Gives a locked project its money and takes the step, as the proposal says.
async fn take(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (programme, proposal): (&programme::Model, &selection::Model),
    project: &project::Model,
    line: &Line,
) -> Result<(), Problem> {
    if project.created_by == Some(actor.user_id) {
        return Err(Code::OwnAct.into());
    }
    let as_ranked = project.state == ProjectState::Shortlisted
        && project.version == line.version
        && project.budget_fen == line.choice.amount_fen;
    if !as_ranked {
        return Err(Code::SelectionStale.into());
    }
    let whom = (project.id, project.title.as_str());
    let transaction = programmes::commit(state, txn, actor, programme, whom, line.choice.amount_fen).await?;
    let row = selected::ActiveModel {
        project_id: Set(project.id),
        selection_id: Set(proposal.id),
        amount_fen: Set(line.choice.amount_fen),
        transaction_id: Set(transaction),
        proposed_by: Set(proposal.proposed_by),
        confirmed_by: Set(actor.user_id),
        confirmed_at: Set(state.clock.now()),
    };
    selected::Entity::insert(row).exec_without_returning(txn).await?;
    let project = steps::step(state, txn, actor, project, ProjectAction::Select, None).await?;
    deciding::publish_for_objections(state, txn, &project, deciding::SELECTED, line.explanation.clone()).await
}
