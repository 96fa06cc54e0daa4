//! `linli verify`: the rules in SQL, and what SQL alone cannot add up again.

use std::collections::BTreeMap;

use entities::programmes::programme;
use entities::projects::{design, review};
use sea_orm::{ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::RULES;
use super::domain::design::Design;
use crate::platform::state::AppState;
use crate::programmes;

const PAGE: u64 = 200;

/// Adds up every design and every review again.
pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let mut findings = state.db.audit(RULES).await?;
    findings.extend(designs(state).await?);
    findings.extend(reviews(state).await?);
    Ok(findings)
}

async fn designs(state: &AppState) -> Result<Vec<String>, DbErr> {
    let mut findings = Vec::new();
    let mut after = None;
    loop {
        let mut page = design::Entity::find()
            .order_by_asc(design::Column::ProjectId)
            .order_by_asc(design::Column::Version)
            .limit(PAGE);
        if let Some((id, version)) = after {
            let later = design::Column::ProjectId.gt(id);
            page =
                page.filter(Condition::any().add(later).add(
                    Condition::all().add(design::Column::ProjectId.eq(id)).add(design::Column::Version.gt(version)),
                ));
        }
        let rows = page.all(state.db.read()).await?;
        let Some(last) = rows.last() else { return Ok(findings) };
        after = Some((last.project_id, last.version));
        for row in rows {
            let words = serde_json::from_value::<Design>(row.document);
            let right = words.is_ok_and(|words| {
                words.missing().is_empty()
                    && (words.budget_fen(), words.people()) == (row.budget_fen, row.people)
                    && i64::try_from(words.indicators.len()) == Ok(row.indicators)
            });
            if !right {
                findings.push(format!(
                    "version {} of project {} does not add up to what it says",
                    row.version, row.project_id
                ));
            }
        }
    }
}

async fn reviews(state: &AppState) -> Result<Vec<String>, DbErr> {
    let db = state.db.read();
    let mut findings = Vec::new();
    let mut after = None;
    loop {
        let mut page = review::Entity::find().order_by_asc(review::Column::Id).limit(PAGE);
        if let Some(after) = after {
            page = page.filter(review::Column::Id.gt(after));
        }
        let rows = page.all(db).await?;
        let Some(last) = rows.last() else { return Ok(findings) };
        after = Some(last.id);
        let of = rows.iter().map(|row| row.programme_id);
        let programmes = programme::Entity::find().filter(programme::Column::Id.is_in(of)).all(db).await?;
        for row in rows {
            let rubric = programmes.iter().find(|programme| programme.id == row.programme_id);
            let rubric = rubric.and_then(|programme| programmes::rubric(programme).ok()).unwrap_or_default();
            let scores = serde_json::from_value::<BTreeMap<String, i64>>(row.scores).unwrap_or_default();
            let in_order: Vec<i64> =
                rubric.iter().filter_map(|criterion| scores.get(&criterion.key).copied()).collect();
            if scores.len() != rubric.len() || programmes::points(&rubric, &in_order) != Some(row.points) {
                findings.push(format!("review {} is not worth what its scores say", row.id));
            }
        }
    }
}
