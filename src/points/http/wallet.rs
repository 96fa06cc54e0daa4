use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{AwardId, PlaceId, TransactionId};
use entities::ledger::transaction;
use entities::points::{Cut, RuleKey, score};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::manual::{AwardView, Because};
use crate::identity::{self, Actor};
use crate::ledger::{self, TakenBack, TransactionKind, TransactionPhase};
use crate::platform::calendar;
use crate::platform::http::{Command, Outcome, Page, Paging, Params, Problem, command};
use crate::platform::state::AppState;
use crate::points::domain::{self, Calculation, Period};
use crate::points::service::expiry::{self, Expiring};
use crate::points::service::reversal;
use crate::points::why::{self, Why};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(mine).service(entries).service(entry).service(reverse_award).service(reverse_entry);
}

/// What one holds in the community one lives in.
#[derive(Serialize, ToSchema, Default)]
struct PointsView {
    /// Can be spent.
    available: i64,
    /// Held for gifts that wait to be collected.
    reserved: i64,
    /// Owed, of what a reversal could not take back: what one earns next pays it.
    debt: i64,
    /// All that one was ever awarded here, without what was taken back.
    earned: i64,
    /// What runs out in the next 90 days, by day.
    expiring: Vec<Expiring>,
}

/// One's own points in the community one lives in; zeros without a confirmed residence
#[utoipa::path(tag = "points", responses((status = 200, body = PointsView)))]
#[get("/me/points")]
async fn mine(state: web::Data<AppState>, actor: Actor) -> Result<web::Json<PointsView>, Problem> {
    let connection = state.db.read();
    let Some(home) = identity::residence(connection, actor.user_id).await? else {
        return Ok(web::Json(PointsView::default()));
    };
    let balance = ledger::balance(connection, home.community_id, actor.user_id, state.clock.now()).await?;
    let ever = Period::All.key(calendar::day(state.clock.now()));
    let earned = score::Entity::find_by_id((home.community_id, ever, actor.user_id)).one(connection).await?;
    Ok(web::Json(PointsView {
        available: balance.available,
        reserved: balance.reserved,
        debt: balance.debt,
        earned: earned.map_or(0, |row| row.points),
        expiring: expiry::expiring(&state, connection, home.community_id, actor.user_id).await?,
    }))
}

/// Something that makes up one's balance.
#[derive(Serialize, ToSchema)]
struct Entry {
    id: TransactionId,
    /// Below zero for what left the wallet or is reserved.
    amount: i64,
    /// By how much more one owes, of what a reversal could not take back; below zero for what was paid back.
    owed: i64,
    kind: TransactionKind,
    /// A hold that is still open: not spent, and not available.
    reserved: bool,
    reason: String,
    created_at: DateTime<Utc>,
}

impl Entry {
    fn new(row: &transaction::Model, effect: ledger::Effect) -> Self {
        Self {
            id: row.id,
            amount: effect.amount,
            owed: effect.owed,
            kind: row.kind,
            reserved: row.phase == TransactionPhase::Pending,
            reason: row.reason.clone(),
            created_at: row.created_at,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntryParams {
    cursor: Option<String>,
    limit: Option<u64>,
}

/// What makes up one's balance in the community one lives in, newest first
#[utoipa::path(tag = "points", params(EntryParams), responses((status = 200, body = Page<Entry>)))]
#[get("/me/points/entries")]
async fn entries(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<EntryParams>,
) -> Result<web::Json<Page<Entry>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let connection = state.db.read();
    let Some(home) = identity::residence(connection, actor.user_id).await? else {
        return Ok(web::Json(Page { items: Vec::new(), next_cursor: None }));
    };
    let rows = ledger::entries(connection, home.community_id, actor.user_id, &paging).await?;
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.transaction.id.0,
        |row| Entry::new(&row.transaction, row.effect),
    )))
}

/// An entry, and why it is there.
#[derive(Serialize, ToSchema)]
struct EntryDetail {
    #[serde(flatten)]
    entry: Entry,
    community_id: PlaceId,
    /// What it stems from; absent where there is no more to say than `reason`.
    source: Option<SourceView>,
    /// By which rule, for what a rule gave.
    rule: Option<RuleApplied>,
    /// Until when what it brought can be spent; absent for what does not run out.
    expires_at: Option<DateTime<Utc>>,
    /// The entry that took it back.
    reversed_by: Option<TransactionId>,
    /// The entry that it takes back.
    reverses: Option<TransactionId>,
}

/// What points stem from. Texts are Chinese, names masked.
#[derive(Serialize, ToSchema)]
struct SourceView {
    kind: String,
    what: String,
    evidence: Vec<EvidenceView>,
    minutes: Option<i64>,
    confirmed: Vec<ConfirmedView>,
}

/// A recorded moment, such as a check-in.
#[derive(Serialize, ToSchema)]
struct EvidenceView {
    what: &'static str,
    /// How it is known: `qr`, `leader`, …
    method: String,
    at: DateTime<Utc>,
}

/// Who stands for it.
#[derive(Serialize, ToSchema)]
struct ConfirmedView {
    name: String,
    role: &'static str,
    at: DateTime<Utc>,
}

/// A rule as it was applied.
#[derive(Serialize, ToSchema)]
struct RuleApplied {
    key: RuleKey,
    title: &'static str,
    /// 0: the settings of then.
    version: i32,
    calculation: Calculation,
    /// China's day, to which the cap belongs.
    day: String,
    daily_cap: Option<i64>,
    /// What the rule gave.
    asked: i64,
    /// What of it was granted.
    granted: i64,
    /// Why less.
    cut_by: Option<Cut>,
}

/// Why an entry of one's own is there: its source, the proof, who confirmed it, and the rule
#[utoipa::path(tag = "points", responses((status = 200, body = EntryDetail)))]
#[get("/me/points/entries/{id}")]
async fn entry(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TransactionId>,
) -> Result<web::Json<EntryDetail>, Problem> {
    let Why { row, effect, source, names, earning, expires_at, reversed_by } =
        why::find(&state, actor.user_id, *id).await?;
    let name = |by| names.get(&by).cloned().unwrap_or_default();
    let source = source.map(|source| SourceView {
        kind: row.source_kind.clone(),
        what: source.what,
        evidence: source
            .evidence
            .into_iter()
            .map(|one| EvidenceView { what: one.what, method: one.method, at: one.at })
            .collect(),
        minutes: source.minutes,
        confirmed: source
            .confirmed
            .into_iter()
            .map(|one| ConfirmedView { name: name(one.by), role: one.role, at: one.at })
            .collect(),
    });
    let rule = earning.map(|(earning, calculation)| RuleApplied {
        key: earning.rule,
        title: domain::title(earning.rule),
        version: earning.version,
        calculation,
        day: earning.day,
        daily_cap: earning.daily_cap,
        asked: earning.asked,
        granted: earning.granted,
        cut_by: earning.cut_by,
    });
    Ok(web::Json(EntryDetail {
        entry: Entry::new(&row, effect),
        community_id: row.community_id,
        source,
        rule,
        expires_at,
        reversed_by,
        reverses: row.reverses_id,
    }))
}

/// What a reversal did.
#[derive(Serialize, ToSchema)]
struct Reversed {
    /// Out of the wallet.
    taken: i64,
    /// Had run out unspent.
    expired: i64,
    /// Spent already: the person owes it.
    owed: i64,
}

impl From<TakenBack> for Reversed {
    fn from(TakenBack { taken, expired, owed }: TakenBack) -> Self {
        Self { taken, expired, owed }
    }
}

/// An award that was taken back.
#[derive(Serialize, ToSchema)]
struct ReversedAward {
    #[serde(flatten)]
    award: AwardView,
    #[serde(flatten)]
    reversed: Reversed,
}

/// Take an award by hand back, once, with a reason that the person reads
///
/// What is spent already the person owes (`debt` of `/me/points`); what they earn next pays it.
#[utoipa::path(tag = "points", request_body = Because, responses((status = 200, body = ReversedAward)))]
#[post("/points/awards/{id}/reverse")]
async fn reverse_award(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<AwardId>,
    request: Command<Because>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let (row, taken) = reversal::of_award(&state, txn, &actor, *id, request.input.reason.trim()).await?;
        Ok(ReversedAward { award: row.into(), reversed: taken.into() })
    })
    .await
}

/// Take any award back by its entry, also one that a rule gave
#[utoipa::path(tag = "points", request_body = Because, responses((status = 200, body = Reversed)))]
#[post("/points/entries/{id}/reverse")]
async fn reverse_entry(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TransactionId>,
    request: Command<Because>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        reversal::of_entry(&state, txn, &actor, *id, request.input.reason.trim()).await.map(Reversed::from)
    })
    .await
}
