use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, put, web};
use entities::ids::{PlaceId, TeamId, UserId};
use entities::teams::{MemberState, member, team};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::members::MembershipView;
use super::{Who, names};
use crate::identity::Actor;
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Body, Caller, Command, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::state::AppState;
use crate::teams::service::{self, Founding};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(create).service(list).service(read).service(hand_on);
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
    let own = own.order_by_asc(member::Column::Id).all(connection).await?;
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
