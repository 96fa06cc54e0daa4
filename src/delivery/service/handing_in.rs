//! What the implementer hands in: what is counted, and reports.

use chrono::NaiveDate;
use entities::delivery::{FileOwner, ReportKind, group, indicator, report};
use entities::ids::{FileId, ProjectId};
use entities::projects::Part;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder,
};
use serde_json::json;

use super::{attach, lock_running, past_day, people_of, tell};
use crate::audit;
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// A project counts by so many names at most.
const MOST: usize = 50;

/// What a project is to reach.
pub(crate) struct Indicator<'a> {
    pub name: &'a str,
    pub unit: &'a str,
    pub target: i64,
}

/// Adds groups and indicators that a running project is counted by; those that are there stay as they are.
pub(crate) async fn count_by(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    groups: &[String],
    indicators: &[Indicator<'_>],
) -> Result<(), Problem> {
    let project = lock_running(txn, actor, id, |is| is.implementer || is.staff).await?;
    let named: Vec<&str> = groups.iter().map(String::as_str).collect();
    add(state, txn, Some(actor), id, &named, indicators).await?;
    let there = (groups_of(txn, id).await?.len(), indicators_of(txn, id).await?.len());
    if there.0 > MOST || there.1 > MOST {
        return Err(Problem::field("", format!("最多 {MOST} 项 / at most {MOST} of each")));
    }
    let detail = json!({ "groups": groups.len(), "indicators": indicators.len() });
    let place = Some(project.place_id);
    audit::record(state, txn, Some(actor.user_id), "project.count_by", ("project", id.0), place, detail).await
}

/// [`count_by`] without asking: what the design names comes in when the project starts.
pub(super) async fn add(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: Option<&Actor>,
    id: ProjectId,
    groups: &[&str],
    indicators: &[Indicator<'_>],
) -> Result<(), Problem> {
    let (by, at) = (actor.map(|actor| actor.user_id), state.clock.now());
    let rows: Vec<_> = groups
        .iter()
        .map(|name| group::ActiveModel {
            project_id: Set(id),
            name: Set(name.trim().to_owned()),
            added_by: Set(by),
            added_at: Set(at),
        })
        .collect();
    let nothing = || OnConflict::new().do_nothing().to_owned();
    if !rows.is_empty() {
        group::Entity::insert_many(rows).on_conflict(nothing()).exec_without_returning(txn).await?;
    }
    let rows: Vec<_> = indicators
        .iter()
        .map(|new| indicator::ActiveModel {
            project_id: Set(id),
            name: Set(new.name.trim().to_owned()),
            unit: Set(new.unit.trim().to_owned()),
            target: Set(new.target),
            added_by: Set(by),
            added_at: Set(at),
        })
        .collect();
    if !rows.is_empty() {
        indicator::Entity::insert_many(rows).on_conflict(nothing()).exec_without_returning(txn).await?;
    }
    Ok(())
}

/// The names of a project's groups.
pub async fn groups_of(connection: &impl ConnectionTrait, id: ProjectId) -> Result<Vec<String>, Problem> {
    let rows = group::Entity::find().filter(group::Column::ProjectId.eq(id)).order_by_asc(group::Column::Name);
    Ok(rows.all(connection).await?.into_iter().map(|row| row.name).collect())
}

/// A project's indicators.
pub async fn indicators_of(connection: &impl ConnectionTrait, id: ProjectId) -> Result<Vec<indicator::Model>, Problem> {
    let rows = indicator::Entity::find().filter(indicator::Column::ProjectId.eq(id));
    Ok(rows.order_by_asc(indicator::Column::Name).all(connection).await?)
}

/// A report to be handed in.
pub(crate) struct NewReport<'a> {
    pub kind: ReportKind,
    pub period: (NaiveDate, NaiveDate),
    pub body: &'a str,
    /// Indicator and figure.
    pub figures: Vec<(&'a str, i64)>,
    pub file_ids: &'a [FileId],
}

/// The implementer reports; residents of the place read it.
pub(crate) async fn report(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    new: NewReport<'_>,
) -> Result<report::Model, Problem> {
    let project = lock_running(txn, actor, id, |is| is.implementer).await?;
    let (from, until) = new.period;
    if from > until {
        return Err(Problem::field("/period_until", "须不早于开始日期 / not before the first day"));
    }
    let until = past_day(state, until, "/period_until")?;
    let known = indicators_of(txn, id).await?;
    let mut seen = std::collections::HashSet::new();
    for (at, (name, _)) in new.figures.iter().enumerate() {
        if !known.iter().any(|row| row.name == *name) || !seen.insert(*name) {
            let why = "不是该项目的指标，或有重复 / not an indicator of the project, or one twice";
            return Err(Problem::field(&format!("/figures/{at}/indicator"), why));
        }
    }
    if new.kind == ReportKind::Final {
        let last = report::Entity::find()
            .filter(report::Column::ProjectId.eq(id))
            .filter(report::Column::Kind.eq(ReportKind::Final));
        if last.one(txn).await?.is_some() {
            return Err(Code::FinalReportExists.into());
        }
    }
    let figures: Vec<_> =
        new.figures.iter().map(|(name, amount)| json!({ "indicator": name, "amount": amount })).collect();
    let row = report::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        project_id: Set(id),
        kind: Set(new.kind),
        period_from: Set(from.to_string()),
        period_until: Set(until),
        body: Set(new.body.to_owned()),
        figures: Set(json!(figures)),
        author_id: Set(actor.user_id),
        created_at: Set(state.clock.now()),
    };
    let row = row.insert(txn).await?;
    attach(txn, actor, &project, (FileOwner::Report, row.id.0), new.file_ids).await?;
    let supervisors = people_of(txn, id, Part::Supervisor).await?;
    let title =
        if new.kind == ReportKind::Final { "项目提交了结项报告" } else { "项目提交了进展报告" };
    tell(state, txn, &supervisors, ("project.report", row.id.0), title, project.title.clone(), id).await?;
    let detail = json!({ "kind": new.kind });
    let place = Some(project.place_id);
    audit::record(state, txn, Some(actor.user_id), "project.report", ("project", id.0), place, detail).await?;
    Ok(row)
}
