//! Experts review the version that was handed in; what they may not judge is refused by the database too.

use std::collections::BTreeMap;

use entities::ids::{ProjectId, UserId};
use entities::projects::{
    ProjectAction, ProjectState, Recommendation, conflict, design, project, project_move, review,
};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;

use super::design::in_programme;
use super::domain::reading::{Reader, sees_others};
use super::service;
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::{FieldError, Problem};
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::programmes::{self, Criterion};
use crate::{audit, organisations};

/// A panel has no more people.
const MOST: u64 = 200;

/// What an expert makes of a version.
#[allow(missing_docs, reason = "the fields of the request")]
pub struct Words<'a> {
    pub version: i64,
    pub scores: &'a BTreeMap<String, i64>,
    pub comment: &'a str,
    pub recommendation: Recommendation,
}

/// The scores in the order of the rubric; each mistake is named by its field.
fn checked(rubric: &[Criterion], scores: &BTreeMap<String, i64>) -> Result<Vec<i64>, Problem> {
    let mut errors = Vec::new();
    let mut error = |key: &str, code: &'static str, detail: String| {
        errors.push(FieldError { pointer: format!("/scores/{key}"), code: code.into(), detail });
    };
    let mut found = Vec::new();
    for Criterion { key, maximum, .. } in rubric {
        match scores.get(key) {
            Some(score) if (0..=*maximum).contains(score) => found.push(*score),
            Some(_) => error(key, "invalid", format!("0 至 {maximum} / 0 to {maximum}")),
            None => error(key, "missing", "请打分 / a score is needed".to_owned()),
        }
    }
    for key in scores.keys().filter(|key| rubric.iter().all(|criterion| criterion.key != **key)) {
        error(key, "unknown", "没有这项标准 / there is no such criterion".to_owned());
    }
    if errors.is_empty() { Ok(found) } else { Err(Problem::invalid(errors)) }
}

/// Whether somebody must not judge a project: they created it or handed a version in, are tied to the organisation that designs it,
/// or said so themselves.
async fn is_conflicted(
    state: &AppState,
    connection: &impl ConnectionTrait,
    project: &project::Model,
    person: UserId,
) -> Result<bool, Problem> {
    if project.created_by == Some(person)
        || organisations::conflicts(state, connection, person, project.designer_id).await?
    {
        return Ok(true);
    }
    let handed_in = design::Entity::find()
        .filter(design::Column::ProjectId.eq(project.id))
        .filter(design::Column::SubmittedBy.eq(person));
    let declared = conflict::Entity::find_by_id((project.id, person)).one(connection).await?;
    Ok(declared.is_some() || handed_in.count(connection).await? > 0)
}

/// Writes a review: once an expert and version.
pub async fn write(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    words: Words<'_>,
) -> Result<review::Model, Problem> {
    let (programme, project) = in_programme(txn, id).await?;
    programmes::require_on_panel(txn, programme.id, actor.user_id).await?;
    actor.require(Permission::SocialWork, &project.place_path)?;
    if project.state != ProjectState::Submitted {
        return Err(Code::ProjectState.into());
    }
    if words.version != project.version {
        return Err(Problem::new(Code::ProjectState, format!("the design's version is {} by now", project.version)));
    }
    let now = state.clock.now();
    if programme.reviews_until <= now {
        return Err(Code::PhaseOver.into());
    }
    // Nobody joins the designer's organisation between the look and the review.
    organisations::lock(txn, project.designer_id).await?;
    if is_conflicted(state, txn, &project, actor.user_id).await? {
        return Err(Code::ConflictOfInterest.into());
    }
    let rubric = programmes::rubric(&programme)?;
    let scores = checked(&rubric, words.scores)?;
    let points = programmes::points(&rubric, &scores).ok_or(Code::Internal)?;
    let row = review::Model {
        id: ids::unordered(),
        project_id: id,
        version: words.version,
        programme_id: programme.id,
        reviewer_id: actor.user_id,
        scores: json!(words.scores),
        points,
        comment: words.comment.trim().to_owned(),
        recommendation: words.recommendation,
        created_at: now,
    };
    let once = OnConflict::columns([review::Column::ProjectId, review::Column::Version, review::Column::ReviewerId])
        .do_nothing()
        .to_owned();
    let new = review::Entity::insert(review::ActiveModel::from(row.clone()));
    if new.on_conflict(once).exec_without_returning(txn).await? == 0 {
        return Err(Code::AlreadyReviewed.into());
    }
    // Who wrote it is the panel's own affair: the log names the project.
    let detail = json!({ "version": words.version });
    audit::record(state, txn, Some(actor.user_id), "project.review", ("project", id.0), Some(project.place_id), detail)
        .await?;
    Ok(row)
}

/// Somebody of the panel says that they must not judge a project. A second time changes nothing.
pub(super) async fn declare(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    reason: &str,
) -> Result<(), Problem> {
    let (programme, project) = in_programme(txn, id).await?;
    programmes::require_on_panel(txn, programme.id, actor.user_id).await?;
    let written = review::Entity::find()
        .filter(review::Column::ProjectId.eq(id))
        .filter(review::Column::ReviewerId.eq(actor.user_id));
    if written.count(txn).await? > 0 {
        return Err(Code::AlreadyReviewed.into());
    }
    let row = conflict::ActiveModel {
        project_id: Set(id),
        user_id: Set(actor.user_id),
        reason: Set(reason.trim().to_owned()),
        declared_at: Set(state.clock.now()),
    };
    let once = OnConflict::columns([conflict::Column::ProjectId, conflict::Column::UserId]).do_nothing().to_owned();
    conflict::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await?;
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "project.conflict",
        ("project", id.0),
        Some(project.place_id),
        json!({}),
    )
    .await
}

/// The reviews of a version that somebody may read.
pub(super) struct Shown {
    pub rows: Vec<review::Model>,
    /// Whether others' are among them, if there are any.
    pub complete: bool,
    /// Whether names may be shown.
    pub staff: bool,
}

/// The reviews of a version: one's own always, others' by [`sees_others`].
pub(super) async fn read(
    state: &AppState,
    connection: &impl ConnectionTrait,
    actor: &Actor,
    (id, version): (ProjectId, i64),
) -> Result<Shown, Problem> {
    let project = service::find(connection, id).await?;
    let programme = project.programme_id.ok_or(Code::NotFound)?;
    let programme = programmes::find(connection, actor, programme).await?;
    let rows = review::Entity::find()
        .filter(review::Column::ProjectId.eq(id))
        .filter(review::Column::Version.eq(version))
        .order_by_asc(review::Column::Id)
        .limit(MOST)
        .all(connection)
        .await?;
    // Whoever sits on the panel reads as an expert, whatever else they are.
    let reader = if programmes::sits_on(connection, programme.id, actor.user_id).await? {
        Reader::Expert { reviewed: rows.iter().any(|row| row.reviewer_id == actor.user_id) }
    } else if actor.may(Permission::ManageProjects, &programme.place_path) {
        Reader::Staff
    } else {
        Reader::Anybody
    };
    let shortlisted = project_move::Entity::find()
        .filter(project_move::Column::ProjectId.eq(id))
        .filter(project_move::Column::Action.eq(ProjectAction::Shortlist));
    let shortlisted = version == project.version && shortlisted.count(connection).await? > 0;
    let complete = sees_others(reader, programme.reviews_until <= state.clock.now(), shortlisted);
    let rows = rows.into_iter().filter(|row| complete || row.reviewer_id == actor.user_id).collect();
    Ok(Shown { rows, complete, staff: reader == Reader::Staff })
}

/// How many experts have reviewed a version.
pub(super) async fn count(connection: &impl ConnectionTrait, project: &project::Model) -> Result<i64, Problem> {
    let of_version = review::Entity::find()
        .filter(review::Column::ProjectId.eq(project.id))
        .filter(review::Column::Version.eq(project.version));
    Ok(i64::try_from(of_version.count(connection).await?).unwrap_or(i64::MAX))
}
