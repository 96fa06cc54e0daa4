use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::funds::{EntryKind, ExpenseKind, ExpenseState, ReceiptKind, entry, expense, month, receipt};
use entities::ids::{FundExpenseId, FundId, FundReceiptId, NoticeId, TariffId, TransactionId, UserId, VehicleId};
use garde::Validate;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::charter::MOST_FEN;
use crate::funds::domain::Books;
use crate::funds::service::money::{self, NewReceipt};
use crate::funds::service::spending::{self, Expense};
use crate::funds::service::{books, is_officer, require_reader};
use crate::identity::Actor;
use crate::platform::calendar::Month;
use crate::platform::http::{Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(receive).service(receipts).service(reverse_receipt).service(propose).service(expenses);
    config.service(confirm).service(refuse).service(withdraw).service(reverse_expense).service(read).service(entries);
}

/// Money that came in.
#[derive(Serialize, ToSchema)]
struct ReceiptView {
    id: FundReceiptId,
    kind: ReceiptKind,
    tariff_id: Option<TariffId>,
    vehicle_id: Option<VehicleId>,
    /// The month that a vehicle's fee is for.
    period: Option<String>,
    payer_id: Option<UserId>,
    fen: i64,
    recorded_at: DateTime<Utc>,
    reversed_at: Option<DateTime<Utc>>,
    reversal_reason: Option<String>,
}

impl From<receipt::Model> for ReceiptView {
    fn from(row: receipt::Model) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            tariff_id: row.tariff_id,
            vehicle_id: row.vehicle_id,
            period: row.period,
            payer_id: row.payer_id,
            fen: row.fen,
            recorded_at: row.recorded_at,
            reversed_at: row.reversed_at,
            reversal_reason: row.reversal_reason,
        }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReceivedMoney {
    #[garde(skip)]
    kind: ReceiptKind,
    /// What a fee or a service costs.
    #[garde(skip)]
    tariff_id: Option<TariffId>,
    /// For a fee: whose.
    #[garde(skip)]
    vehicle_id: Option<VehicleId>,
    /// For a fee: the month, `2026-11`.
    #[garde(custom(check_month()))]
    period: Option<String>,
    /// Who paid; of a fee the vehicle's owner without it.
    #[garde(skip)]
    payer_id: Option<UserId>,
    /// For a donation: how much.
    #[garde(range(min = 1, max = MOST_FEN))]
    fen: Option<i64>,
}

fn check_month() -> impl Fn(&Option<String>, &()) -> garde::Result {
    |month, ()| match month {
        Some(month) if month.parse::<Month>().is_err() => Err(garde::Error::new("须如 2026-11 / such as 2026-11")),
        _ => Ok(()),
    }
}

/// Record money that came in, as the treasurer; a vehicle pays a month once
#[utoipa::path(tag = "funds", request_body = ReceivedMoney, responses((status = 201, body = ReceiptView)))]
#[post("/funds/{id}/receipts")]
async fn receive(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<FundId>,
    request: Command<ReceivedMoney>,
) -> Result<Outcome, Problem> {
    let ReceivedMoney { kind, tariff_id, vehicle_id, period, payer_id, fen } = &request.input;
    let new = NewReceipt {
        kind: *kind,
        tariff_id: *tariff_id,
        vehicle_id: *vehicle_id,
        period: period.as_deref().and_then(|month| month.parse().ok()),
        payer_id: *payer_id,
        fen: *fen,
    };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        money::receive(&state, txn, &actor, *id, &new).await.map(ReceiptView::from)
    })
    .await
}

/// Receipts, newest first: all for the officers, one's own for residents
#[utoipa::path(tag = "funds", params(PageParams), responses((status = 200, body = Page<ReceiptView>)))]
#[get("/funds/{id}/receipts")]
async fn receipts(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<FundId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<ReceiptView>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let fund = require_reader(connection, &actor, *id).await?;
    let mut rows = receipt::Entity::find().filter(receipt::Column::FundId.eq(*id));
    if !is_officer(&fund, actor.user_id) {
        rows = rows.filter(receipt::Column::PayerId.eq(actor.user_id));
    }
    let rows = paging.apply(rows, receipt::Column::Id).all(connection).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, ReceiptView::from)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    #[garde(custom(text::line(200)))]
    reason: String,
}

/// Take a receipt back, as the auditor, who did not record it
#[utoipa::path(tag = "funds", request_body = Reason, responses((status = 200, body = ReceiptView)))]
#[post("/funds/{id}/receipts/{receipt_id}/reversal")]
async fn reverse_receipt(
    state: web::Data<AppState>,
    actor: Actor,
    ids: web::Path<(FundId, FundReceiptId)>,
    request: Command<Reason>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        money::reverse_receipt(&state, txn, &actor, *ids, &request.input.reason).await.map(ReceiptView::from)
    })
    .await
}

/// Money that goes out, from its proposal on.
#[derive(Serialize, ToSchema)]
struct ExpenseView {
    id: FundExpenseId,
    kind: ExpenseKind,
    payee_id: Option<UserId>,
    purpose: String,
    fen: i64,
    state: ExpenseState,
    proposed_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
    reason: Option<String>,
    reversed_at: Option<DateTime<Utc>>,
}

impl From<expense::Model> for ExpenseView {
    fn from(row: expense::Model) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            payee_id: row.payee_id,
            purpose: row.purpose,
            fen: row.fen,
            state: row.state,
            proposed_at: row.proposed_at,
            decided_at: row.decided_at,
            reason: row.reason,
            reversed_at: row.reversed_at,
        }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProposedExpense {
    #[garde(skip)]
    kind: ExpenseKind,
    /// Who gets it; a subsidy always names a verified resident, and neither officer.
    #[garde(skip)]
    payee_id: Option<UserId>,
    #[garde(custom(text::line(200)))]
    purpose: String,
    #[garde(range(min = 1, max = MOST_FEN))]
    fen: i64,
}

/// Propose to pay a subsidy or an expense, as the treasurer
#[utoipa::path(tag = "funds", request_body = ProposedExpense, responses((status = 201, body = ExpenseView)))]
#[post("/funds/{id}/expenses")]
async fn propose(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<FundId>,
    request: Command<ProposedExpense>,
) -> Result<Outcome, Problem> {
    let ProposedExpense { kind, payee_id, purpose, fen } = &request.input;
    let new = Expense { kind: *kind, payee_id: *payee_id, purpose, fen: *fen };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        spending::propose(&state, txn, &actor, *id, &new).await.map(ExpenseView::from)
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExpenseParams {
    state: Option<ExpenseState>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Proposals and payments, newest first: all for the officers, those to oneself for residents
#[utoipa::path(tag = "funds", params(ExpenseParams), responses((status = 200, body = Page<ExpenseView>)))]
#[get("/funds/{id}/expenses")]
async fn expenses(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<FundId>,
    params: Params<ExpenseParams>,
) -> Result<web::Json<Page<ExpenseView>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let fund = require_reader(connection, &actor, *id).await?;
    let mut wanted = Condition::all().add(expense::Column::FundId.eq(*id));
    if !is_officer(&fund, actor.user_id) {
        wanted = wanted.add(expense::Column::PayeeId.eq(actor.user_id));
    }
    if let Some(state) = params.state {
        wanted = wanted.add(expense::Column::State.eq(state));
    }
    let rows = paging.apply(expense::Entity::find().filter(wanted), expense::Column::Id).all(connection).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, ExpenseView::from)))
}

/// Confirm a proposal and pay, as the auditor: 409 `insufficient_funds` if there is not enough
#[utoipa::path(tag = "funds", responses((status = 200, body = ExpenseView)))]
#[post("/funds/{id}/expenses/{expense_id}/confirmation")]
async fn confirm(
    state: web::Data<AppState>,
    actor: Actor,
    ids: web::Path<(FundId, FundExpenseId)>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        spending::confirm(&state, txn, &actor, *ids).await.map(ExpenseView::from)
    })
    .await
}

/// Refuse a proposal, as the auditor
#[utoipa::path(tag = "funds", request_body = Reason, responses((status = 200, body = ExpenseView)))]
#[post("/funds/{id}/expenses/{expense_id}/refusal")]
async fn refuse(
    state: web::Data<AppState>,
    actor: Actor,
    ids: web::Path<(FundId, FundExpenseId)>,
    request: Command<Reason>,
) -> Result<Outcome, Problem> {
    let to = (ExpenseState::Refused, request.input.reason.as_str());
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        spending::drop_proposal(&state, txn, &actor, *ids, to).await.map(ExpenseView::from)
    })
    .await
}

/// Withdraw a proposal, as the treasurer
#[utoipa::path(tag = "funds", request_body = Reason, responses((status = 200, body = ExpenseView)))]
#[post("/funds/{id}/expenses/{expense_id}/withdrawal")]
async fn withdraw(
    state: web::Data<AppState>,
    actor: Actor,
    ids: web::Path<(FundId, FundExpenseId)>,
    request: Command<Reason>,
) -> Result<Outcome, Problem> {
    let to = (ExpenseState::Withdrawn, request.input.reason.as_str());
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        spending::drop_proposal(&state, txn, &actor, *ids, to).await.map(ExpenseView::from)
    })
    .await
}

/// Write down that a payment came back, as the auditor
#[utoipa::path(tag = "funds", request_body = Reason, responses((status = 200, body = ExpenseView)))]
#[post("/funds/{id}/expenses/{expense_id}/reversal")]
async fn reverse_expense(
    state: web::Data<AppState>,
    actor: Actor,
    ids: web::Path<(FundId, FundExpenseId)>,
    request: Command<Reason>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        spending::reverse_expense(&state, txn, &actor, *ids, &request.input.reason).await.map(ExpenseView::from)
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BooksParams {
    /// `2026-11`; this month without it.
    month: Option<String>,
}

/// A month's books.
#[derive(Serialize, ToSchema)]
struct BooksView {
    month: String,
    #[serde(flatten)]
    books: Books,
    /// The notice that made them public, once the month is over.
    notice_id: Option<NoticeId>,
}

/// A fund's books of a month, for residents of the community, its staff, the officers
#[utoipa::path(tag = "funds", params(BooksParams), responses((status = 200, body = BooksView)))]
#[get("/funds/{id}/books")]
async fn read(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<FundId>,
    params: Params<BooksParams>,
) -> Result<web::Json<BooksView>, Problem> {
    let connection = state.db.read();
    require_reader(connection, &actor, *id).await?;
    let wanted = match &params.month {
        Some(text) => text.parse().map_err(|_no_month| Problem::field("?month", "须如 2026-11 / such as 2026-11"))?,
        None => Month::of(state.clock.now()),
    };
    let published = month::Entity::find()
        .filter(month::Column::FundId.eq(*id))
        .filter(month::Column::Month.eq(wanted.to_string()))
        .one(connection)
        .await?;
    Ok(web::Json(BooksView {
        books: books::books(connection, *id, wanted).await?,
        month: wanted.to_string(),
        notice_id: published.map(|row| row.notice_id),
    }))
}

/// A line of the books.
#[derive(Serialize, ToSchema)]
struct EntryView {
    /// The transaction in the ledger.
    id: TransactionId,
    kind: EntryKind,
    /// Whether it takes another line back.
    correction: bool,
    /// Above zero for what came in.
    fen: i64,
    at: DateTime<Utc>,
}

impl From<entry::Model> for EntryView {
    fn from(row: entry::Model) -> Self {
        let entry::Model { id, kind, correction, fen, at, .. } = row;
        Self { id, kind, correction, fen, at }
    }
}

/// The lines of a fund's books, for whom the books are; they name nobody
#[utoipa::path(tag = "funds", params(PageParams), responses((status = 200, body = Page<EntryView>)))]
#[get("/funds/{id}/entries")]
async fn entries(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<FundId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<EntryView>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    require_reader(connection, &actor, *id).await?;
    let lines = entry::Entity::find().filter(entry::Column::FundId.eq(*id));
    let rows = paging.apply(lines, entry::Column::Id).all(connection).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, EntryView::from)))
}
