use actix_web::{get, web};
use entities::funds::fund;
use entities::ids::{FundId, PlaceId, ProgrammeId};
use entities::programmes::{ProgrammeState, programme};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::figures::money::{self, FundUse, Use};
use crate::identity::{Actor, Permission};
use crate::places;
use crate::platform::http::{Caller, Page, Paging, Params, Problem};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(programmes).service(funds);
}

/// Where a programme's money is. `budget_fen` is the sum of `left_fen`, `in_parts_fen`, `committed_fen`, `contracted_fen`, `paid_fen`
/// and `given_back_fen`.
#[derive(Serialize, ToSchema)]
struct ProgrammeUse {
    programme_id: ProgrammeId,
    /// The programme that it is a part of.
    parent_id: Option<ProgrammeId>,
    place_id: PlaceId,
    title: String,
    state: ProgrammeState,
    /// What it got: from outside, or, a part, from its programme.
    budget_fen: i64,
    /// Handed on to its parts.
    in_parts_fen: i64,
    /// In projects that were selected, and in no contract yet.
    committed_fen: i64,
    /// In contracts, and not paid yet.
    contracted_fen: i64,
    /// Paid for accepted milestones.
    paid_fen: i64,
    /// Came back from projects and contracts so far; it is in what is left again.
    returned_fen: i64,
    /// Went back to where it came from when the programme was closed.
    given_back_fen: i64,
    /// In the programme's own fund.
    left_fen: i64,
}

impl ProgrammeUse {
    fn new(row: programme::Model, money: Use) -> Self {
        Self {
            programme_id: row.id,
            parent_id: row.parent_id,
            place_id: row.place_id,
            title: row.title,
            state: row.state,
            budget_fen: money.budget_fen,
            in_parts_fen: money.in_parts_fen,
            committed_fen: money.committed_fen,
            contracted_fen: money.contracted_fen,
            paid_fen: money.paid_fen,
            returned_fen: money.returned_fen,
            given_back_fen: money.given_back_fen,
            left_fen: money.left_fen,
        }
    }
}

/// Where the money of the programmes at and below a place is, the newest programme first
///
/// From the ledger. Each part is a line of its own; of its programme it is in `in_parts_fen`.
#[utoipa::path(tag = "figures", params(places::ListParams), responses((status = 200, body = Page<ProgrammeUse>)))]
#[get("/figures/programmes")]
async fn programmes(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<ProgrammeUse>>, Problem> {
    let (db, paging) = (state.db.read(), Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?);
    let place = places::named(db, params.place_id, "?place_id").await?;
    let there = programme::Entity::find()
        .filter(places::within(programme::Column::PlacePath, &place.path))
        .filter(programme::Column::State.ne(ProgrammeState::Draft));
    let rows = paging.apply(there, programme::Column::Id).all(db).await?;
    let mut money = money::of_programmes(db, rows.iter().map(|row| row.id)).await?;
    let view = |row: programme::Model| {
        let of_it = money.remove(&row.id).unwrap_or_default();
        ProgrammeUse::new(row, of_it)
    };
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, view)))
}

/// Where a self-governed fund's money is: `left_fen` is `received_fen` less `refunded_fen` and `spent_fen`, and `paid_back_fen`.
#[derive(Serialize, ToSchema)]
struct FundUseView {
    fund_id: FundId,
    place_id: PlaceId,
    name: String,
    /// Fees, services, donations.
    received_fen: i64,
    /// Of these, what was taken back.
    refunded_fen: i64,
    /// Subsidies and expenses.
    spent_fen: i64,
    /// Of these, what came back.
    paid_back_fen: i64,
    /// What the fund holds.
    left_fen: i64,
}

/// Where the money of the self-governed funds at and below a place is, the newest fund first; for staff who manage projects there
///
/// Residents read the books of the funds of their community at `GET /funds/{id}/books`.
#[utoipa::path(tag = "figures", params(places::ListParams), responses((status = 200, body = Page<FundUseView>)))]
#[get("/figures/funds")]
async fn funds(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<FundUseView>>, Problem> {
    let (db, paging) = (state.db.read(), Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?);
    let place = places::named(db, params.place_id, "?place_id").await?;
    actor.require(Permission::ManageProjects, &place.path)?;
    let there = fund::Entity::find().filter(places::within(fund::Column::PlacePath, &place.path));
    let rows = paging.apply(there, fund::Column::Id).all(db).await?;
    let mut money = money::of_funds(db, rows.iter().map(|row| row.id)).await?;
    let view = |row: fund::Model| {
        let FundUse { received_fen, refunded_fen, spent_fen, paid_back_fen, left_fen } =
            money.remove(&row.id).unwrap_or_default();
        let (fund_id, place_id, name) = (row.id, row.community_id, row.name);
        FundUseView { fund_id, place_id, name, received_fen, refunded_fen, spent_fen, paid_back_fen, left_fen }
    };
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, view)))
}
