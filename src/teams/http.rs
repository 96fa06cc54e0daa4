use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{delete, get, post, put, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{PlaceId, TeamId, TeamMemberId, UserId};
use entities::teams::{MemberState, member, skill, team};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::service::{self, Founding, in_charge};
use crate::identity::{Actor, masked_name, masked_phone, phones};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{
    Body, Caller, Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text, transact,
};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(create)
        .service(list)
        .service(read)
        .service(hand_on)
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

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTeam {
    /// A community or a place in one.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(30)))]
    name: String,
    #[garde(custom(text::paragraph(500)))]
    description: String,
    /// A verified resident of the community; the first member.
    #[garde(skip)]
    leader_id: UserId,
}

/// Volunteers who serve together.
#[derive(Serialize, ToSchema)]
struct TeamView {
    id: TeamId,
    community_id: PlaceId,
    place_id: PlaceId,
    name: String,
    description: String,
    leader_id: UserId,
    /// Masked.
    leader_name: String,
    /// How many are in it.
    members: i64,
    /// The caller's own membership, live or the last one.
    my_membership: Option<MembershipView>,
}

/// Where somebody stands in a team.
#[derive(Serialize, ToSchema)]
struct MembershipView {
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

/// Teams as the person sees them: four queries, however many there are.
async fn views(state: &AppState, person: UserId, rows: Vec<team::Model>) -> Result<Vec<TeamView>, Problem> {
    let connection = state.db.read();
    let teams: Vec<_> = rows.iter().map(|row| row.id).collect();
    let names = names(state, rows.iter().map(|row| row.leader_id)).await?;
    let counts: Vec<(TeamId, i64)> = member::Entity::find()
        .select_only()
        .column(member::Column::TeamId)
        .column_as(member::Column::Id.count(), "members")
        .filter(member::Column::TeamId.is_in(teams.iter().copied()))
        .filter(member::Column::State.eq(MemberState::Active))
        .group_by(member::Column::TeamId)
        .into_tuple()
        .all(connection)
        .await?;
    let counts: HashMap<_, _> = counts.into_iter().collect();
    let own =
        member::Entity::find().filter(member::Column::UserId.eq(person)).filter(member::Column::TeamId.is_in(teams));
    let own = sea_orm::QueryOrder::order_by_asc(own, member::Column::Id).all(connection).await?;
    // Of several the newest stays.
    let mut own: HashMap<TeamId, MembershipView> = own.into_iter().map(|row| (row.team_id, row.into())).collect();
    let view = |row: team::Model| {
        let team::Model { id, community_id, place_id, name, description, leader_id, .. } = row;
        let leader_name = names.get(&leader_id).cloned().unwrap_or_default();
        let members = counts.get(&id).copied().unwrap_or_default();
        let my_membership = own.remove(&id);
        TeamView { id, community_id, place_id, name, description, leader_id, leader_name, members, my_membership }
    };
    Ok(rows.into_iter().map(view).collect())
}

async fn names(state: &AppState, people: impl IntoIterator<Item = UserId>) -> Result<HashMap<UserId, String>, Problem> {
    let rows = user::Entity::find().filter(user::Column::Id.is_in(people)).all(state.db.read()).await?;
    Ok(rows.into_iter().map(|row| (row.id, masked_name(&row.nickname))).collect())
}

async fn view(state: &AppState, person: UserId, row: team::Model) -> Result<TeamView, Problem> {
    views(state, person, vec![row]).await?.pop().ok_or_else(|| Code::Internal.into())
}

/// A team as its founder gets it.
#[derive(Serialize, ToSchema)]
struct FoundedTeam {
    id: TeamId,
    community_id: PlaceId,
    place_id: PlaceId,
    name: String,
    leader_id: UserId,
}

/// Found a team; its leader is its first member
#[utoipa::path(tag = "teams", request_body = NewTeam, responses((status = 201, body = FoundedTeam)))]
#[post("/teams")]
async fn create(state: web::Data<AppState>, actor: Actor, request: Command<NewTeam>) -> Result<Outcome, Problem> {
    let NewTeam { place_id, name, description, leader_id } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let new = Founding { place_id: *place_id, name, description, leader_id: *leader_id };
        let team::Model { id, community_id, place_id, name, leader_id, .. } =
            service::found(&state, txn, &actor, new).await?;
        Ok(FoundedTeam { id, community_id, place_id, name, leader_id })
    })
    .await
}

/// Teams of a place, newest first
#[utoipa::path(tag = "teams", params(places::ListParams), responses((status = 200, body = Page<TeamView>)))]
#[get("/teams")]
async fn list(
    state: web::Data<AppState>,
    caller: Caller,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<TeamView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    let here = places::listed_in(&place, team::Column::CommunityId, team::Column::PlacePath);
    let rows = paging.apply(team::Entity::find().filter(here), team::Column::Id).all(state.db.read()).await?;
    let page = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    let items = views(&state, caller.user_id, page.items).await?;
    Ok(web::Json(Page { items, next_cursor: page.next_cursor }))
}

/// One team
#[utoipa::path(tag = "teams", responses((status = 200, body = TeamView)))]
#[get("/teams/{id}")]
async fn read(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<TeamId>,
) -> Result<web::Json<TeamView>, Problem> {
    let row = team::Entity::find_by_id(*id).one(state.db.read()).await?.ok_or(Code::NotFound)?;
    Ok(web::Json(view(&state, caller.user_id, row).await?))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Who {
    #[garde(skip)]
    user_id: UserId,
}

/// Hand a team on to another member, as its leader or staff
///
/// The new leader leads the team's coming shifts that the old one led.
#[utoipa::path(tag = "teams", request_body = Who, responses((status = 200, body = TeamView)))]
#[put("/teams/{id}/leader")]
async fn hand_on(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TeamId>,
    body: Body<Who>,
) -> Result<web::Json<TeamView>, Problem> {
    let row = transact(&state, async |txn| service::hand_on(&state, txn, &actor, *id, body.user_id).await).await?;
    Ok(web::Json(view(&state, actor.user_id, row).await?))
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
    if !whole && !super::is_member(connection, team.id, actor.user_id).await? {
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
