//! The third party's evaluation, and what follows from it.

use chrono::NaiveDate;
use entities::ids::{FileId, ProjectId};
use entities::judgement::{EvaluationResult, evaluation, resubmission};
use entities::projects::{Part, ProjectAction, ProjectState, project};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder,
};
use serde::Serialize;
use serde_json::json;

use super::ratings;
use crate::identity::Actor;
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::projects::Who;
use crate::{audit, delivery, files, projects};

/// One indicator with what it rests on.
#[derive(Serialize)]
pub(in crate::judgement) struct Judged<'a> {
    pub name: &'a str,
    pub evidence: &'a str,
    pub score: i64,
}

/// An evaluation to be handed in.
pub(in crate::judgement) struct NewEvaluation<'a> {
    pub result: EvaluationResult,
    pub score: i64,
    pub indicators: Vec<Judged<'a>>,
    pub summary: &'a str,
    pub advice: Option<&'a str>,
    pub rectify_by: Option<NaiveDate>,
    pub report_file_id: FileId,
}

/// A project's evaluations, the last first.
pub(in crate::judgement) async fn evaluations(
    connection: &impl ConnectionTrait,
    id: ProjectId,
) -> Result<Vec<evaluation::Model>, Problem> {
    let all = evaluation::Entity::find().filter(evaluation::Column::ProjectId.eq(id));
    Ok(all.order_by_desc(evaluation::Column::Seq).all(connection).await?)
}

/// The evaluator hands their evaluation in: published at once, with the hash of the report. The trigger
/// `project_evaluations_independent` refuses whoever had another part in the project.
pub(in crate::judgement) async fn evaluate(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    new: &NewEvaluation<'_>,
) -> Result<evaluation::Model, Problem> {
    let project = projects::lock(txn, id).await?;
    projects::require(txn, actor, &project, Who::Evaluator).await?;
    if project.state != ProjectState::Completed {
        return Err(Code::ProjectState.into());
    }
    if ratings::window(txn, id).await?.is_none_or(|window| window.published_at.is_none()) {
        return Err(Code::RatingOpen.into());
    }
    let rectify = new.result == EvaluationResult::Rectify;
    let wrong = "整改结论须有期限和意见，其他结论没有期限 / a day and advice go with `rectify`, and no day with others";
    if rectify != new.rectify_by.is_some() || (rectify && new.advice.is_none()) {
        return Err(Problem::field("/rectify_by", wrong));
    }
    if new.rectify_by.is_some_and(|day| day <= calendar::day(state.clock.now())) {
        return Err(Problem::field("/rectify_by", "须晚于今天 / a day to come"));
    }
    let organisation_id = projects::party(txn, id, Part::Evaluator).await?.ok_or(Code::Internal)?;
    let before = evaluations(txn, id).await?;
    let sha256 =
        files::attach_document(txn, actor.user_id, new.report_file_id, &project.place_path, "/report_file_id").await?;
    let row = evaluation::ActiveModel {
        project_id: Set(id),
        seq: Set(before.first().map_or(0, |last| last.seq) + 1),
        result: Set(new.result),
        score: Set(new.score),
        indicators: Set(json!(new.indicators)),
        summary: Set(new.summary.to_owned()),
        advice: Set(new.advice.map(str::to_owned)),
        rectify_by: Set(new.rectify_by.map(|day| day.to_string())),
        report_file_id: Set(new.report_file_id),
        report_sha256: Set(sha256.clone()),
        organisation_id: Set(organisation_id),
        evaluator_id: Set(actor.user_id),
        created_at: Set(state.clock.now()),
    };
    let row = row.insert(txn).await?;
    files::show(txn, &[new.report_file_id], true).await?;
    let (action, word) = match new.result {
        EvaluationResult::Excellent => (ProjectAction::Evaluate, "优秀"),
        EvaluationResult::Pass => (ProjectAction::Evaluate, "合格"),
        EvaluationResult::Rectify => (ProjectAction::Rectify, "需整改"),
    };
    let reason = new.advice.unwrap_or(new.summary);
    projects::step(state, txn, actor, &project, action, rectify.then_some(reason)).await?;
    let day = row.rectify_by.as_ref().map(|day| format!("整改期限：{day}。")).unwrap_or_default();
    let body = format!(
        "第 {} 次评估结论：{word}，{} 分。{}\n{day}评估报告 SHA-256：{sha256}",
        row.seq, row.score, row.summary
    );
    // One notice of a kind about one thing: a second evaluation is a kind of its own.
    let kind = if row.seq == 1 { "project.evaluated".to_owned() } else { format!("project.evaluated.{}", row.seq) };
    let notice = Notice {
        community_id: project.community_id,
        kind: &kind,
        title: format!("第三方评估结果：{}", project.title),
        body,
        subject: Some(("project", id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    tell(
        state,
        txn,
        &project,
        Part::Implementer,
        "第三方评估结果已公布",
        &format!("project.evaluated:{id}:{}", row.seq),
    )
    .await?;
    let (target, place) = (("project", id.0), Some(project.place_id));
    let detail = json!({ "seq": row.seq, "result": new.result });
    audit::record(state, txn, Some(actor.user_id), "project.evaluate", target, place, detail).await?;
    Ok(row)
}

/// The implementer says what was put right; the project is evaluated again.
pub(in crate::judgement) async fn resubmit(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    body: &str,
) -> Result<project::Model, Problem> {
    let before = projects::lock(txn, id).await?;
    let project = projects::step(state, txn, actor, &before, ProjectAction::Resubmit, None).await?;
    let last = evaluations(txn, id).await?.first().map(|row| row.seq).ok_or(Code::Internal)?;
    let row = resubmission::ActiveModel {
        project_id: Set(id),
        seq: Set(last),
        body: Set(body.to_owned()),
        submitted_by: Set(actor.user_id),
        submitted_at: Set(state.clock.now()),
    };
    row.insert(txn).await?;
    tell(state, txn, &project, Part::Evaluator, "整改已提交，请再次评估", &format!("project.resubmitted:{id}:{last}"))
        .await?;
    Ok(project)
}

async fn tell(
    state: &AppState,
    txn: &DatabaseTransaction,
    project: &project::Model,
    part: Part,
    title: &str,
    key: &str,
) -> Result<(), Problem> {
    let people = delivery::people_of(txn, project.id, part).await?;
    let message = Message {
        kind: "project.evaluation",
        title: title.to_owned(),
        body: project.title.clone(),
        target: Some(("project", project.id.0)),
        dedupe_key: key.to_owned(),
        template: Template::Project,
    };
    notifications::tell_all(state, txn, &people, &message).await
}
