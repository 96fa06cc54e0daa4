use actix_web::http::StatusCode;
use actix_web::{post, web};
use chrono::{DateTime, NaiveDate, Utc};
use entities::ids::{ActivityId, ShiftTemplateId, TeamId, UserId};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::{Command, Outcome, Problem, command, text};
use crate::platform::state::AppState;
use crate::volunteering::domain::{Part, Rotation};
use crate::volunteering::service::templates::{self, Template};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(make);
}

#[derive(Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct DayPart {
    /// `16:00` by China's clocks.
    #[garde(custom(text::line(5)))]
    start: String,
    /// `24:00` is the day's end. One at or before the start is on the next day.
    #[garde(custom(text::line(5)))]
    end: String,
}

/// When the teams move on to the part before.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Rotate {
    Day,
    Week,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTemplate {
    /// The first day.
    #[garde(skip)]
    from: NaiveDate,
    /// The last day.
    #[garde(skip)]
    until: NaiveDate,
    /// Which days: an RFC 5545 rule by day, week or month, such as `FREQ=DAILY` or `FREQ=WEEKLY;BYDAY=SA,SU`.
    #[garde(custom(text::line(200)))]
    rule: String,
    /// Of each day; half-open, so that parts may meet.
    #[garde(length(min = 1, max = 12), dive)]
    parts: Vec<DayPart>,
    /// In the order of rotation: part `p` of day `d` is team `(p + d) mod teams`.
    #[serde(default)]
    #[garde(length(max = 20))]
    teams: Vec<TeamId>,
    /// From one day of the rule to the next, without it.
    #[garde(skip)]
    rotate_every: Option<Rotate>,
    #[garde(range(min = 1, max = 10_000))]
    capacity: i32,
    /// What one must be able to do.
    #[garde(custom(text::optional_line(20)))]
    skill: Option<String>,
    /// Without it each team's leader, or the caller.
    #[garde(skip)]
    leader_id: Option<UserId>,
    /// Only shows what would be made.
    #[serde(default)]
    #[garde(skip)]
    dry_run: bool,
}

/// A shift that was made, or would be.
#[derive(Serialize, ToSchema)]
struct PlannedShift {
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    team_id: Option<TeamId>,
}

/// What a template makes.
#[derive(Serialize, ToSchema)]
struct MadeView {
    /// Absent in a dry run of a plan that was never made.
    template_id: Option<ShiftTemplateId>,
    dry_run: bool,
    /// Shifts of this template that were there before, and stay as they are.
    existing: usize,
    /// New ones, in the order of time.
    shifts: Vec<PlannedShift>,
}

/// Make the shifts of a template (三班倒), or preview them
///
/// All or none, at most 500 a call; what is over is left out. The same plan made again makes nothing, with a later `until` only
/// what is missing; shifts that were moved or called off meanwhile stay so.
#[utoipa::path(tag = "volunteering", request_body = NewTemplate,
    responses((status = 201, body = MadeView), (status = 200, body = MadeView, description = "A dry run")))]
#[post("/activities/{id}/shift-templates")]
async fn make(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ActivityId>,
    request: Command<NewTemplate>,
) -> Result<Outcome, Problem> {
    let input = &request.input;
    let status = if input.dry_run { StatusCode::OK } else { StatusCode::CREATED };
    command(&state, actor.user_id, &request.key, status, async |txn| {
        let mut parts = Vec::new();
        for (at, DayPart { start, end }) in input.parts.iter().enumerate() {
            let part = Part::read(start, end);
            parts.push(part.ok_or_else(|| {
                Problem::field(
                    &format!("/parts/{at}"),
                    "须为 00:00 至 24:00 的时刻 / must be times of the clock, 24:00 only as end",
                )
            })?);
        }
        let template = Template {
            from: input.from,
            until: input.until,
            rule: input.rule.trim(),
            clocks: serde_json::to_value(&input.parts)
                .map_err(|error| Problem::from(Code::Internal).caused_by(error))?,
            parts,
            teams: &input.teams,
            rotation: match input.rotate_every {
                Some(Rotate::Week) => Rotation::Week,
                Some(Rotate::Day) | None => Rotation::Day,
            },
            capacity: input.capacity,
            skill: input.skill.as_deref(),
            leader_id: input.leader_id,
            dry_run: input.dry_run,
        };
        let made = templates::make(&state, txn, &actor, *id, template).await?;
        let shifts = made.shifts.into_iter().map(|(planned, team_id)| PlannedShift {
            starts_at: planned.span.from,
            ends_at: planned.span.to,
            team_id,
        });
        Ok(MadeView {
            template_id: made.template_id,
            dry_run: input.dry_run,
            existing: made.existing,
            shifts: shifts.collect(),
        })
    })
    .await
}
