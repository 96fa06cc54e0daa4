use actix_web::{get, web};
use chrono::{DateTime, Utc};
use entities::ids::{ProgrammeId, TransactionId};
use entities::ledger::{TransactionKind, TransactionPhase};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::identity::Actor;
use crate::ledger::{self, FundEntry, Party};
use crate::platform::http::{Page, PageParams, Paging, Params, Problem};
use crate::platform::state::AppState;
use crate::programmes::service;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(books);
}

/// The other side of an entry.
#[derive(Serialize, ToSchema)]
struct OtherSide {
    /// `fund`: of a programme, a project or a contract. `outside`: the world outside of these books.
    kind: &'static str,
    /// Whose fund.
    id: Option<Uuid>,
}

/// One entry of a fund.
#[derive(Serialize, ToSchema)]
struct FundEntryView {
    id: TransactionId,
    kind: TransactionKind,
    /// `pending` is money that is held and has not gone yet.
    phase: TransactionPhase,
    /// Above zero for what came in, below for what went out.
    amount_fen: i64,
    reason: String,
    /// What it stems from, with `source_id`.
    source_kind: String,
    source_id: Option<Uuid>,
    others: Vec<OtherSide>,
    at: DateTime<Utc>,
}

impl From<FundEntry> for FundEntryView {
    fn from(entry: FundEntry) -> Self {
        let FundEntry { transaction, amount, others } = entry;
        let other = |party| match party {
            Party::Fund(id) => OtherSide { kind: "fund", id: Some(id) },
            _ => OtherSide { kind: "outside", id: None },
        };
        Self {
            id: transaction.id,
            kind: transaction.kind,
            phase: transaction.phase,
            amount_fen: amount,
            reason: transaction.reason,
            source_kind: transaction.source_kind,
            source_id: transaction.source_id,
            others: others.into_iter().map(other).collect(),
            at: transaction.created_at,
        }
    }
}

/// What a programme holds, and a page of its entries.
#[derive(Serialize, ToSchema)]
struct Books {
    /// What it got less what it gave away.
    balance_fen: i64,
    /// What is held of that.
    reserved_fen: i64,
    #[serde(flatten)]
    entries: Page<FundEntryView>,
}

/// A programme's books: every entry of its money, for everybody, newest first
#[utoipa::path(tag = "programmes", params(PageParams), responses((status = 200, body = Books)))]
#[get("/programmes/{id}/books")]
async fn books(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProgrammeId>,
    params: Params<PageParams>,
) -> Result<web::Json<Books>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let db = state.db.read();
    let row = service::find(db, &actor, *id).await?;
    let balance = ledger::fund_balance(db, row.place_id, id.0).await?;
    let entries = ledger::fund_entries(db, row.place_id, id.0, &paging).await?;
    let entries = paging.page(&state.keys, entries, |entry| entry.transaction.id.0, FundEntryView::from);
    Ok(web::Json(Books { balance_fen: balance.posted, reserved_fen: balance.reserved, entries }))
}
