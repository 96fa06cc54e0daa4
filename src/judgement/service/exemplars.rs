//! Exemplars: what went well, for others to copy.

use entities::ids::{ExemplarId, PlaceId, ProjectId};
use entities::judgement::{EvaluationResult, exemplar, exemplar_copy};
use entities::projects::{Part, ProjectState, design, draft, project};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::{Value, json};

use super::evaluating::evaluations;
use crate::identity::Actor;
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::projects::{NewProject, Who};
use crate::{audit, delivery, places, projects};

/// Publishes a finished project that was found excellent: its design and the figures that everybody may read.
pub(in crate::judgement) async fn publish(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
) -> Result<exemplar::Model, Problem> {
    let project = projects::lock(txn, id).await?;
    projects::require(txn, actor, &project, Who::Programme).await?;
    let excellent = evaluations(txn, id).await?.first().is_some_and(|last| last.result == EvaluationResult::Excellent);
    if project.state != ProjectState::Finished || !excellent {
        return Err(Code::NotExemplary.into());
    }
    if exemplar::Entity::find().filter(exemplar::Column::ProjectId.eq(id)).one(txn).await?.is_some() {
        return Err(Code::AlreadyDecided.into());
    }
    let design = design::Entity::find()
        .filter(design::Column::ProjectId.eq(id))
        .order_by_desc(design::Column::Version)
        .one(txn)
        .await?;
    let indicators = delivery::indicators_of(txn, id).await?;
    let template = json!({
        "title": project.title,
        "summary": project.summary,
        "budget_fen": project.budget_fen,
        "design": design.map_or(Value::Null, |design| design.document),
        "groups": delivery::groups_of(txn, id).await?,
        "indicators": indicators.iter().map(|row| json!({ "name": row.name, "unit": row.unit, "target": row.target }))
            .collect::<Vec<_>>(),
    });
    let minimum = places::rules(state, txn, project.community_id).await?.minimum_cell;
    let figures = delivery::figures(txn, &project).await?;
    let row = exemplar::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        project_id: Set(id),
        title: Set(project.title.clone()),
        template: Set(template),
        figures: Set(json!({ "words": figures.words(minimum), "indicators": figures.indicators })),
        published_by: Set(actor.user_id),
        published_at: Set(state.clock.now()),
    };
    let row = row.insert(txn).await?;
    let notice = Notice {
        community_id: project.community_id,
        kind: "project.exemplar",
        title: format!("优秀项目推广：{}", project.title),
        body: format!("“{}”评为优秀，其他社区可以借鉴。{}。", project.title, figures.words(minimum)),
        subject: Some(("project", id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    let (target, place) = (("project", id.0), Some(project.place_id));
    let detail = json!({ "exemplar_id": row.id });
    audit::record(state, txn, Some(actor.user_id), "project.exemplar", target, place, detail).await?;
    Ok(row)
}

/// Proposes an exemplar's work for another place, with the design as a draft to begin with.
pub(in crate::judgement) async fn copy(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ExemplarId,
    (place, title): (PlaceId, Option<&str>),
) -> Result<project::Model, Problem> {
    let from = exemplar::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let text = |name: &str| from.template.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let summary = text("summary");
    let budget_fen = from.template.get("budget_fen").and_then(Value::as_i64).unwrap_or_default();
    let new = NewProject {
        place_id: place,
        title: title.unwrap_or(&from.title),
        summary: &summary,
        budget_fen,
        need_ids: &[],
        designer: None,
        programme: None,
    };
    let copied = projects::create(state, txn, actor, &new).await?;
    if let Some(document) = from.template.get("design").filter(|design| !design.is_null()) {
        let row = draft::ActiveModel {
            project_id: Set(copied.id),
            document: Set(document.clone()),
            updated_by: Set(actor.user_id),
            updated_at: Set(state.clock.now()),
        };
        draft::Entity::insert(row).exec_without_returning(txn).await?;
    }
    let row = exemplar_copy::ActiveModel {
        project_id: Set(copied.id),
        exemplar_id: Set(id),
        copied_from: Set(from.project_id),
        copied_by: Set(actor.user_id),
        copied_at: Set(state.clock.now()),
    };
    row.insert(txn).await?;
    let people = delivery::people_of(txn, from.project_id, Part::Implementer).await?;
    let message = Message {
        kind: "exemplar.copied",
        title: "您的优秀项目被借鉴".to_owned(),
        body: from.title,
        target: Some(("project", copied.id.0)),
        dedupe_key: format!("exemplar.copied:{}", copied.id),
        template: Template::Project,
    };
    notifications::tell_all(state, txn, &people, &message).await?;
    Ok(copied)
}

/// So many of a project's copies are named.
const MOST: u64 = 100;

/// What a project was copied from, and what was copied from it.
pub(in crate::judgement) async fn lineage(
    connection: &impl ConnectionTrait,
    id: ProjectId,
) -> Result<(Option<exemplar_copy::Model>, Vec<exemplar_copy::Model>), Problem> {
    let from = exemplar_copy::Entity::find_by_id(id).one(connection).await?;
    let copies = exemplar_copy::Entity::find()
        .filter(exemplar_copy::Column::CopiedFrom.eq(id))
        .order_by_desc(exemplar_copy::Column::ProjectId)
        .limit(MOST);
    Ok((from, copies.all(connection).await?))
}
