use chrono::NaiveDate;
use entities::ids::{ActivityId, ShiftTemplateId, TeamId, UserId};
use entities::volunteering::{shift, shift_template};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::activities::{plannable, require_leader};
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::crypto::hex;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::volunteering::domain::{self, FARTHEST, Part, Planned, Rotation};
use crate::{audit, teams};

/// At most so many shifts in one call.
const MOST_SHIFTS: usize = 500;

/// A template as staff plan it.
pub(in crate::volunteering) struct Template<'a> {
    pub from: NaiveDate,
    pub until: NaiveDate,
    pub rule: &'a str,
    /// As written, and as read.
    pub clocks: Value,
    pub parts: Vec<Part>,
    pub teams: &'a [TeamId],
    pub rotation: Rotation,
    pub capacity: i32,
    pub skill: Option<&'a str>,
    pub leader_id: Option<UserId>,
    /// Nothing is written.
    pub dry_run: bool,
}

/// What a template made, or would make.
pub(in crate::volunteering) struct Made {
    pub template_id: Option<ShiftTemplateId>,
    /// How many were there before.
    pub existing: usize,
    /// New ones, in the order of time; without ids in a dry run.
    pub shifts: Vec<(Planned, Option<TeamId>)>,
}

/// Makes a template's shifts that are not over and not there yet, all or none. The same plan twice makes them once: the
/// template is recognised by what decides on its starts, and each start of it exists once (`shifts_of_template`).
pub(in crate::volunteering) async fn make(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    activity_id: ActivityId,
    template: Template<'_>,
) -> Result<Made, Problem> {
    let activity = plannable(txn, actor, activity_id).await?;
    let named = teams::all(txn, template.teams.iter().copied()).await?;
    let of_community =
        |id: &TeamId| named.iter().find(|team| team.id == *id && team.community_id == activity.community_id);
    for (at, id) in template.teams.iter().enumerate() {
        if of_community(id).is_none() {
            return Err(Problem::field(&format!("/teams/{at}"), "本社区没有这个队伍 / no such team in this community"));
        }
    }
    if let Some(leader) = template.leader_id {
        require_leader(txn, leader).await?;
    }
    let now = state.clock.now();
    let plan = domain::Plan {
        from: template.from,
        until: template.until,
        rule: template.rule,
        parts: &template.parts,
        teams: template.teams.len(),
        rotation: template.rotation,
    };
    let planned = domain::expand(&plan).map_err(|(pointer, why)| Problem::field(pointer, why))?;
    if planned.last().is_some_and(|last| last.span.from > now + FARTHEST) {
        let days = FARTHEST.num_days();
        return Err(Problem::field("/until", format!("最多提前 {days} 天 / at most {days} days ahead")));
    }
    let coming: Vec<_> = planned.into_iter().filter(|planned| planned.span.to > now).collect();
    let row = recognise(state, txn, actor, activity_id, &template).await?;
    let there: std::collections::HashSet<chrono::DateTime<chrono::Utc>> = match &row {
        None => std::collections::HashSet::new(),
        Some(row) => {
            let planned = shift::Entity::find()
                .select_only()
                .column(shift::Column::PlannedAt)
                .filter(shift::Column::TemplateId.eq(row.id))
                .filter(shift::Column::EndsAt.gt(now - domain::LONGEST))
                .into_tuple();
            planned.all(txn).await?.into_iter().collect()
        }
    };
    let before = coming.len();
    let missing: Vec<_> = coming.into_iter().filter(|planned| !there.contains(&planned.span.from)).collect();
    if missing.len() > MOST_SHIFTS {
        let why =
            format!("一次最多 {MOST_SHIFTS} 个班次 / at most {MOST_SHIFTS} shifts a call, here {}", missing.len());
        return Err(Problem::field("/until", why));
    }
    let made = Made {
        template_id: row.as_ref().map(|row| row.id),
        existing: before - missing.len(),
        shifts: missing
            .into_iter()
            .map(|planned| (planned, planned.team.and_then(|team| template.teams.get(team).copied())))
            .collect(),
    };
    let Some(row) = row.filter(|_| !template.dry_run && !made.shifts.is_empty()) else { return Ok(made) };
    let rows = made.shifts.iter().map(|(planned, team)| {
        let led = team.as_ref().and_then(of_community).map(|team| team.leader_id);
        shift::ActiveModel {
            id: Set(ids::ordered(&state.clock)),
            activity_id: Set(activity_id),
            community_id: Set(activity.community_id),
            place_path: Set(activity.place_path.clone()),
            starts_at: Set(planned.span.from),
            ends_at: Set(planned.span.to),
            capacity: Set(template.capacity),
            taken: Set(0),
            leader_id: Set(template.leader_id.or(led).unwrap_or(actor.user_id)),
            created_at: Set(now),
            team_id: Set(*team),
            skill: Set(template.skill.map(|skill| skill.trim().to_owned())),
            template_id: Set(Some(row.id)),
            planned_at: Set(Some(planned.span.from)),
            revision: Set(0),
            ..Default::default()
        }
    });
    let rows: Vec<_> = rows.collect();
    let once = OnConflict::columns([shift::Column::TemplateId, shift::Column::PlannedAt])
        .target_and_where(Expr::cust("template_id IS NOT NULL"))
        .do_nothing()
        .to_owned();
    // In the template's lock there is no conflict; the index holds without it.
    shift::Entity::insert_many(rows).on_conflict(once).exec_without_returning(txn).await?;
    let detail = json!({ "activity_id": activity_id, "shifts": made.shifts.len() });
    let target = ("shift_template", row.id.0);
    audit::record(state, txn, Some(actor.user_id), "shift_template.make", target, Some(activity.place_id), detail)
        .await?;
    Ok(made)
}

/// The template's row, locked: made anew unless the same plan was made before. In a dry run only one that is there.
async fn recognise(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    activity_id: ActivityId,
    template: &Template<'_>,
) -> Result<Option<shift_template::Model>, Problem> {
    let plan = json!({
        "from": template.from, "rule": template.rule, "parts": template.clocks, "teams": template.teams,
        "rotate": if template.rotation == Rotation::Day { "day" } else { "week" }, "skill": template.skill,
    });
    let digest = hex(&Sha256::digest(plan.to_string()));
    if !template.dry_run {
        let row = shift_template::ActiveModel {
            id: Set(ids::ordered(&state.clock)),
            activity_id: Set(activity_id),
            digest: Set(digest.clone()),
            plan: Set(plan),
            created_by: Set(actor.user_id),
            created_at: Set(state.clock.now()),
        };
        let columns = [shift_template::Column::ActivityId, shift_template::Column::Digest];
        let known = OnConflict::columns(columns).do_nothing().to_owned();
        shift_template::Entity::insert(row).on_conflict(known).exec_without_returning(txn).await?;
    }
    let found = shift_template::Entity::find()
        .filter(shift_template::Column::ActivityId.eq(activity_id))
        .filter(shift_template::Column::Digest.eq(digest))
        .order_by_asc(shift_template::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .one(txn)
        .await?;
    if found.is_none() && !template.dry_run {
        return Err(Code::Unavailable.into());
    }
    Ok(found)
}
