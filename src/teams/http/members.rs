use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{delete, get, post, put, web};
use chrono::{DateTime, Utc};
use entities::ids::{TeamId, TeamMemberId, UserId};
use entities::teams::{MemberState, member, skill, team};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Who, names};
use crate::identity::{Actor, masked_phone, phones};
use crate::platform::code::Code;
use crate::platform::http::{
    Body, Caller, Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text, transact,
};
use crate::platform::state::AppState;
use crate::teams::service::{self, in_charge};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(ask)
        .service(invite)
        .service(roster)
        .service(accept)
        .service(refuse)
        .service(reveal)
        .service(end)
        .service(set_skills)
        .service(mine);
}

/// Where somebody stands in a team.
#[derive(Serialize, ToSchema)]
pub(super) struct MembershipView {
    id: TeamMemberId,
    team_id: TeamId,
    user_id: UserId,
    state: MemberState,
    asked_at: DateTime<Utc>,
}

impl From<member::Model> for MembershipView {
    fn from(row: member::Model) -> Self {
        let member::Model { id, team_id, user_id, state, asked_at, .. } = row;
        Self { id, team_id, user_id, state, asked_at }
    }
}

/// Ask to join a team, as a verified resident of its community
#[utoipa::path(tag = "teams", responses((status = 201, body = MembershipView)))]
#[post("/teams/{id}/requests")]
async fn ask(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TeamId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        service::ask(&state, txn, &actor, *id).await.map(MembershipView::from)
    })
    .await
}

/// Invite a verified resident, as the leader or staff
#[utoipa::path(tag = "teams", request_body = Who, responses((status = 201, body = MembershipView)))]
#[post("/teams/{id}/invitations")]
async fn invite(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TeamId>,
    request: Command<Who>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        service::invite(&state, txn, &actor, *id, request.input.user_id).await.map(MembershipView::from)
    })
    .await
}

/// Something a member can do.
#[derive(Serialize, ToSchema)]
struct SkillView {
    skill: String,
    /// Whether somebody else has confirmed it; only then it qualifies for a shift.
    confirmed: bool,
}

impl From<skill::Model> for SkillView {
    fn from(row: skill::Model) -> Self {
        Self { skill: row.skill, confirmed: row.confirmed_by.is_some() }
    }
}

/// A line of the roster.
#[derive(Serialize, ToSchema)]
struct RosterLine {
    id: TeamMemberId,
    user_id: UserId,
    /// Masked.
    name: String,
    /// Masked, and only for the leader and staff. The whole number: `GET /team-members/{id}`.
    phone: Option<String>,
    state: MemberState,
    skills: Vec<SkillView>,
    asked_at: DateTime<Utc>,
}

/// A team's roster, newest first
///
/// Members see who is in it; the leader and staff also see phones (masked), requests, invitations, and who left.
#[utoipa::path(tag = "teams", params(PageParams), responses((status = 200, body = Page<RosterLine>)))]
#[get("/teams/{id}/members")]
async fn roster(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TeamId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<RosterLine>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let team = team::Entity::find_by_id(*id).one(connection).await?.ok_or(Code::NotFound)?;
    let whole = in_charge(&actor, &team);
    if !whole && !crate::teams::is_member(connection, team.id, actor.user_id).await? {
        return Err(Code::Forbidden.into());
    }
    let mut rows = member::Entity::find().filter(member::Column::TeamId.eq(team.id));
    if !whole {
        rows = rows.filter(member::Column::State.eq(MemberState::Active));
    }
    let rows = paging.apply(rows, member::Column::Id).all(connection).await?;
    let people: Vec<_> = rows.iter().map(|row| row.user_id).collect();
    let names = names(&state, people.iter().copied()).await?;
    let phones = if whole { phones(&state, connection, people).await? } else { HashMap::new() };
    let found = skill::Entity::find().filter(skill::Column::MemberId.is_in(rows.iter().map(|row| row.id)));
    let mut skills: HashMap<TeamMemberId, Vec<SkillView>> = HashMap::new();
    for row in found.all(connection).await? {
        skills.entry(row.member_id).or_default().push(row.into());
    }
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| RosterLine {
            name: names.get(&row.user_id).cloned().unwrap_or_default(),
            phone: phones.get(&row.user_id).map(|phone| masked_phone(phone)),
            skills: skills.remove(&row.id).unwrap_or_default(),
            id: row.id,
            user_id: row.user_id,
            state: row.state,
            asked_at: row.asked_at,
        },
    )))
}

async fn answer(
    state: &AppState,
    actor: &Actor,
    id: TeamMemberId,
    request: Command<Nothing>,
    accepted: bool,
) -> Result<Outcome, Problem> {
    command(state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::answer(state, txn, actor, id, accepted).await.map(MembershipView::from)
    })
    .await
}

/// Accept: an invitation as the invited person, a request as the leader or staff
#[utoipa::path(tag = "teams", responses((status = 200, body = MembershipView)))]
#[post("/team-members/{id}/accept")]
async fn accept(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TeamMemberId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    answer(&state, &actor, *id, request, true).await
}

/// Refuse: an invitation as the invited person, a request as the leader or staff
#[utoipa::path(tag = "teams", responses((status = 200, body = MembershipView)))]
#[post("/team-members/{id}/refuse")]
async fn refuse(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TeamMemberId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    answer(&state, &actor, *id, request, false).await
}

/// A membership with the phone number.
#[derive(Serialize, ToSchema)]
struct Contact {
    id: TeamMemberId,
    user_id: UserId,
    /// Whole; absent if the person is not verified any more.
    phone: Option<String>,
}

/// A member's phone number, for the leader and staff; every look is in the audit log
#[utoipa::path(tag = "teams", responses((status = 200, body = Contact)))]
#[get("/team-members/{id}")]
async fn reveal(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TeamMemberId>,
) -> Result<web::Json<Contact>, Problem> {
    let (row, phone) = service::reveal(&state, &actor, *id).await?;
    Ok(web::Json(Contact { id: row.id, user_id: row.user_id, phone }))
}

/// Leave a team or take a request back, or remove somebody as the leader or staff
///
/// Sign-ups for coming shifts stay. A leader hands the team on first: 409 `team_leader`.
#[utoipa::path(tag = "teams", responses((status = 200, body = MembershipView)))]
#[delete("/team-members/{id}")]
async fn end(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TeamMemberId>,
) -> Result<web::Json<MembershipView>, Problem> {
    let row = transact(&state, async |txn| service::end(&state, txn, &actor, *id).await).await?;
    Ok(web::Json(row.into()))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Skills {
    /// All of them: what is not named goes.
    #[garde(length(max = 10), inner(custom(text::line(20))))]
    skills: Vec<String>,
}

/// Write a member's skills: confirmed by the leader or staff, unconfirmed by oneself
#[utoipa::path(tag = "teams", request_body = Skills, responses((status = 200, body = Vec<SkillView>)))]
#[put("/team-members/{id}/skills")]
async fn set_skills(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TeamMemberId>,
    body: Body<Skills>,
) -> Result<web::Json<Vec<SkillView>>, Problem> {
    let rows = transact(&state, async |txn| service::set_skills(&state, txn, &actor, *id, &body.skills).await).await?;
    Ok(web::Json(rows.into_iter().map(SkillView::from).collect()))
}

/// One's own memberships, requests and invitations, newest first
#[utoipa::path(tag = "teams", params(PageParams), responses((status = 200, body = Page<MembershipView>)))]
#[get("/me/teams")]
async fn mine(
    state: web::Data<AppState>,
    caller: Caller,
    params: Params<PageParams>,
) -> Result<web::Json<Page<MembershipView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let own = member::Entity::find().filter(member::Column::UserId.eq(caller.user_id));
    let rows = paging.apply(own, member::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, MembershipView::from)))
}
