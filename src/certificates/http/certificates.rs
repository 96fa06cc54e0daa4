use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use entities::certificates::{CertificateState, certificate};
use entities::ids::{CertificateId, PlaceId, UserId};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryTrait};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::certificates::domain::normal_code;
use crate::certificates::pdf;
use crate::certificates::service::issuing::{self, Issuer, Scope};
use crate::identity::{Actor, Permission};
use crate::places;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::{
    Caller, Command, Outcome, Page, PageParams, Paging, Params, Problem, command, text, transact,
};
use crate::platform::pdf::Unprintable;
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(ask).service(mine).service(issue_for).service(list).service(verify).service(issue).service(decline);
    config.service(revoke).service(print);
}

/// A certificate, from the wish for one on.
#[derive(Serialize, ToSchema)]
struct CertificateView {
    id: CertificateId,
    state: CertificateState,
    user_id: UserId,
    community_id: PlaceId,
    /// First and last day that it is about; of all time without them.
    from: Option<String>,
    to: Option<String>,
    requested_at: DateTime<Utc>,
    /// Once issued.
    serial: Option<String>,
    /// By which anybody can check it.
    code: Option<String>,
    minutes: Option<i64>,
    issuer: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    decline_reason: Option<String>,
    revoked_at: Option<DateTime<Utc>>,
    revoke_reason: Option<String>,
}

impl From<certificate::Model> for CertificateView {
    fn from(row: certificate::Model) -> Self {
        Self {
            id: row.id,
            state: row.state,
            user_id: row.user_id,
            community_id: row.community_id,
            from: row.from_day,
            to: row.to_day,
            requested_at: row.requested_at,
            serial: row.serial,
            code: row.code,
            minutes: row.minutes,
            issuer: row.issuer,
            decided_at: row.decided_at,
            decline_reason: row.decline_reason,
            revoked_at: row.revoked_at,
            revoke_reason: row.revoke_reason,
        }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// Where one served; where one lives without it.
    #[garde(skip)]
    community_id: Option<PlaceId>,
    /// First and last day; of all time without them.
    #[garde(skip)]
    from: Option<NaiveDate>,
    #[garde(skip)]
    to: Option<NaiveDate>,
}

/// Ask for a certificate of one's service; staff of the community issue it
#[utoipa::path(tag = "certificates", request_body = Wish, responses((status = 201, body = CertificateView)))]
#[post("/me/certificates")]
async fn ask(state: web::Data<AppState>, actor: Actor, request: Command<Wish>) -> Result<Outcome, Problem> {
    let Wish { community_id, from, to } = request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let home = actor.require_verified(txn).await?;
        let community_id = community_id.unwrap_or(home.community_id);
        let scope = Scope { person: actor.user_id, community_id, from, to };
        issuing::ask(&state, txn, scope).await.map(CertificateView::from)
    })
    .await
}

/// One's own certificates and wishes for one, newest first
#[utoipa::path(tag = "certificates", params(PageParams), responses((status = 200, body = Page<CertificateView>)))]
#[get("/me/certificates")]
async fn mine(
    state: web::Data<AppState>,
    caller: Caller,
    params: Params<PageParams>,
) -> Result<web::Json<Page<CertificateView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let own = certificate::Entity::find().filter(certificate::Column::UserId.eq(caller.user_id));
    let rows = paging.apply(own, certificate::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, CertificateView::from)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Issuing {
    /// 出具单位; the street's and the community's name with 居民委员会 without it.
    #[garde(custom(text::optional_line(60)))]
    issuer: Option<String>,
    /// 负责人
    #[garde(custom(text::line(30)))]
    responsible: String,
    /// 经办人; whoever issues without it.
    #[garde(custom(text::optional_line(30)))]
    handler: Option<String>,
    /// 联系方式
    #[garde(custom(text::line(80)))]
    contact: String,
}

impl Issuing {
    fn issuer(&self) -> Issuer<'_> {
        Issuer {
            name: self.issuer.as_deref(),
            responsible: &self.responsible,
            handler: self.handler.as_deref(),
            contact: &self.contact,
        }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCertificate {
    #[garde(skip)]
    user_id: UserId,
    #[garde(skip)]
    community_id: PlaceId,
    /// First and last day; of all time without them.
    #[garde(skip)]
    from: Option<NaiveDate>,
    #[garde(skip)]
    to: Option<NaiveDate>,
    #[garde(dive)]
    issuing: Issuing,
}

/// What was issued.
#[derive(Serialize, ToSchema)]
struct Issued {
    #[serde(flatten)]
    certificate: CertificateView,
    /// Characters that the fonts do not have: they are printed as 〓 and must be written in by hand. Empty as a rule.
    unprintable: String,
}

fn issued(state: &AppState, row: certificate::Model) -> Result<Issued, Problem> {
    let unprintable = pdf::missing(&issuing::said(state, &row)?).map_err(internal)?;
    Ok(Issued { certificate: row.into(), unprintable })
}

fn internal(error: Unprintable) -> Problem {
    Problem::from(Code::Internal).caused_by(error)
}

/// Issue a certificate for somebody, as staff of the community
#[utoipa::path(tag = "certificates", request_body = NewCertificate, responses((status = 201, body = Issued)))]
#[post("/certificates")]
async fn issue_for(
    state: web::Data<AppState>,
    actor: Actor,
    request: Command<NewCertificate>,
) -> Result<Outcome, Problem> {
    let NewCertificate { user_id, community_id, from, to, issuing } = &request.input;
    let scope = Scope { person: *user_id, community_id: *community_id, from: *from, to: *to };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        issued(&state, issuing::issue_for(&state, txn, &actor, scope, &issuing.issuer()).await?)
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// All of its communities.
    place_id: PlaceId,
    /// All without it.
    state: Option<CertificateState>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Certificates and wishes for one, newest first, for staff of the place
#[utoipa::path(tag = "certificates", params(ListParams), responses((status = 200, body = Page<CertificateView>)))]
#[get("/certificates")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<ListParams>,
) -> Result<web::Json<Page<CertificateView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    actor.require(Permission::ManageActivities, &place.path)?;
    let here = places::listed_in(&place, certificate::Column::CommunityId, certificate::Column::PlacePath);
    let wanted = certificate::Entity::find()
        .filter(here)
        .apply_if(params.state, |query, wanted| query.filter(certificate::Column::State.eq(wanted)));
    let rows = paging.apply(wanted, certificate::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, CertificateView::from)))
}

/// What anybody learns who has a certificate's code.
#[derive(Serialize, ToSchema)]
struct Checked {
    /// `issued`, or `revoked`: then it is good no more.
    state: CertificateState,
    serial: String,
    /// Masked.
    name: String,
    minutes: i64,
    issuer: String,
    issued_on: Option<NaiveDate>,
    revoked_on: Option<NaiveDate>,
    revoke_reason: Option<String>,
}

/// Check a certificate by its code, without signing in; upper or lower case, with or without hyphens
#[utoipa::path(tag = "certificates", responses((status = 200, body = Checked)), security(()))]
#[get("/certificates/verify/{code}")]
async fn verify(state: web::Data<AppState>, code: web::Path<String>) -> Result<web::Json<Checked>, Problem> {
    let code = normal_code(&code).ok_or(Code::NotFound)?;
    let known = certificate::Entity::find().filter(certificate::Column::Code.eq(code));
    let row = known.one(state.db.read()).await?.ok_or(Code::NotFound)?;
    Ok(web::Json(Checked {
        state: row.state,
        serial: row.serial.unwrap_or_default(),
        name: row.masked_name.unwrap_or_default(),
        minutes: row.minutes.unwrap_or_default(),
        issuer: row.issuer.unwrap_or_default(),
        issued_on: row.decided_at.map(calendar::day),
        revoked_on: row.revoked_at.map(calendar::day),
        revoke_reason: row.revoke_reason,
    }))
}

/// Issue the certificate that somebody asked for, as staff of the community
#[utoipa::path(tag = "certificates", request_body = Issuing, responses((status = 200, body = Issued)))]
#[post("/certificates/{id}/issue")]
async fn issue(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CertificateId>,
    request: Command<Issuing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        issued(&state, issuing::issue(&state, txn, &actor, *id, &request.input.issuer()).await?)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// Without personal data: of a revocation everybody who checks the certificate reads it.
    #[garde(custom(text::line(200)))]
    reason: String,
}

/// Issue no certificate, and tell the volunteer why
#[utoipa::path(tag = "certificates", request_body = Reason, responses((status = 200, body = CertificateView)))]
#[post("/certificates/{id}/decline")]
async fn decline(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CertificateId>,
    request: Command<Reason>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        issuing::decline(&state, txn, &actor, *id, &request.input.reason).await.map(CertificateView::from)
    })
    .await
}

/// Take a certificate back: whoever checks it reads that, and why; a notice says so
#[utoipa::path(tag = "certificates", request_body = Reason, responses((status = 200, body = CertificateView)))]
#[post("/certificates/{id}/revoke")]
async fn revoke(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CertificateId>,
    request: Command<Reason>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        issuing::revoke(&state, txn, &actor, *id, &request.input.reason).await.map(CertificateView::from)
    })
    .await
}

/// A certificate as PDF, for its owner and for staff of the community, whose look is audited
#[utoipa::path(tag = "certificates", responses((status = 200, content_type = "application/pdf")))]
#[get("/certificates/{id}/pdf")]
async fn print(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CertificateId>,
) -> Result<HttpResponse, Problem> {
    let content = transact(&state, async |txn| issuing::take_out(&state, txn, &actor, *id).await).await?;
    let name = format!("attachment; filename=\"{}.pdf\"", content.serial);
    // Milliseconds of work: not on a thread that answers others.
    let pdf = web::block(move || pdf::render(&content)).await;
    let pdf = pdf.map_err(|error| Problem::from(Code::Unavailable).caused_by(error))?.map_err(internal)?;
    Ok(HttpResponse::Ok().content_type("application/pdf").insert_header(("content-disposition", name)).body(pdf))
}
