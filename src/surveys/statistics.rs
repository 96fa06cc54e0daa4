//! Figures: how many were asked, how many answered, and to staff what.

use entities::ids::SurveyResponseId;
use entities::places::place;
use entities::surveys::{audience, response, survey};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::domain::{Figure, Tally};
use super::service::{Sight, from_json, questions};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// So many responses are read at a time.
const PAGE: u64 = 500;

/// The figures of a survey.
#[derive(Serialize, ToSchema)]
pub(super) struct Statistics {
    /// How many were asked: a leader sees those of their own buildings.
    audience: u32,
    /// How many of them answered.
    responses: u32,
    /// 0 to 1.
    response_rate: f64,
    /// Below this number of people nothing of an anonymous survey is shown.
    minimum_cell: Option<u32>,
    /// In the order of the survey; none for a leader.
    questions: Vec<Figure>,
}

/// Staff see the figures, a leader the response rate of their own buildings.
pub(super) async fn read(state: &AppState, survey: &survey::Model, sight: &Sight) -> Result<Statistics, Problem> {
    let db = state.db.read();
    let asked = audience::Entity::find().filter(audience::Column::SurveyId.eq(survey.id));
    if sight.staff {
        let questions = questions(survey)?;
        let mut tally = Tally::new(&questions);
        fold(db, survey, &mut tally).await?;
        let responses = tally.responses();
        let minimum =
            survey.anonymous.then(|| u32::try_from(state.config.rules.minimum_cell.max(0)).unwrap_or(u32::MAX));
        // Read after the responses, so that it is not smaller.
        let audience = number(asked.count(db).await?);
        return Ok(Statistics::new(audience, responses, minimum, tally.figures(minimum)));
    }
    if sight.doors.is_empty() {
        return Err(Code::Forbidden.into());
    }
    let own = Query::select()
        .column(place::Column::Id)
        .from(place::Entity)
        .cond_where(places::within_any(place::Column::Path, sight.doors.iter().map(String::as_str)))
        .to_owned();
    let asked = asked.filter(audience::Column::BuildingId.in_subquery(own));
    let answered = asked.clone().filter(audience::Column::Answered.eq(true)).count(db).await?;
    Ok(Statistics::new(number(asked.count(db).await?), number(answered), None, Vec::new()))
}

impl Statistics {
    fn new(audience: u32, responses: u32, minimum_cell: Option<u32>, questions: Vec<Figure>) -> Self {
        let rate = if audience == 0 { 0.0 } else { f64::from(responses) / f64::from(audience) };
        let response_rate = (rate * 10_000.0).round() / 10_000.0;
        Self { audience, responses, response_rate, minimum_cell, questions }
    }
}

/// Counts all responses, page by page.
async fn fold(db: &impl ConnectionTrait, survey: &survey::Model, tally: &mut Tally<'_>) -> Result<(), Problem> {
    let mut last: Option<SurveyResponseId> = None;
    loop {
        let mut page = response::Entity::find().filter(response::Column::SurveyId.eq(survey.id));
        if let Some(last) = last {
            page = page.filter(response::Column::Id.gt(last));
        }
        let rows: Vec<(SurveyResponseId, Value)> = page
            .order_by_asc(response::Column::Id)
            .limit(PAGE)
            .select_only()
            .columns([response::Column::Id, response::Column::Answers])
            .into_tuple()
            .all(db)
            .await?;
        let Some((next, _)) = rows.last() else { return Ok(()) };
        last = Some(*next);
        for (_, answers) in rows {
            tally.add(&from_json(answers)?);
        }
    }
}

fn number(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
