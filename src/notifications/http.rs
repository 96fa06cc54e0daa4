use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::InboxEntryId;
use entities::notifications::{consent, inbox_entry};
use garde::Validate;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{Quota, Template, quotas, sending};
use crate::platform::code::Code;
use crate::platform::http::{
    Caller, Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text,
};
use crate::platform::state::AppState;
use actix_web::http::StatusCode;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(mark_read).service(consents);
}

/// Something that one was told.
#[derive(Serialize, ToSchema)]
struct Entry {
    id: InboxEntryId,
    /// What happened, as `capability.event`.
    kind: String,
    title: String,
    body: String,
    /// What it is about, with `target_id`.
    target_kind: Option<String>,
    target_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    read_at: Option<DateTime<Utc>>,
}

impl From<inbox_entry::Model> for Entry {
    fn from(row: inbox_entry::Model) -> Self {
        let inbox_entry::Model { id, kind, title, body, target_kind, target_id, created_at, read_at, .. } = row;
        Self { id, kind, title, body, target_kind, target_id, created_at, read_at }
    }
}

/// One's own inbox, newest first
#[utoipa::path(tag = "notifications", params(PageParams), responses((status = 200, body = Page<Entry>)))]
#[get("/inbox")]
async fn list(
    state: web::Data<AppState>,
    caller: Caller,
    params: Params<PageParams>,
) -> Result<web::Json<Page<Entry>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let mine = inbox_entry::Entity::find().filter(inbox_entry::Column::UserId.eq(caller.user_id));
    let rows = paging.apply(mine, inbox_entry::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, Entry::from)))
}

/// Mark an entry as read
#[utoipa::path(tag = "notifications", responses((status = 200, body = Entry)))]
#[post("/inbox/{id}/read")]
async fn mark_read(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<InboxEntryId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, caller.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = inbox_entry::Entity::find_by_id(*id)
            .one(txn)
            .await?
            .filter(|row| row.user_id == caller.user_id)
            .ok_or(Code::NotFound)?;
        if row.read_at.is_some() {
            return Ok(Entry::from(row));
        }
        let mut read = row.into_active_model();
        read.read_at = Set(Some(state.clock.now()));
        Ok(Entry::from(read.update(txn).await?))
    })
    .await
}

/// What somebody answered in WeChat's popup.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Consent {
    /// One of Linli's names (`residency`, `need`, `survey`, `shift`, `points`) or WeChat's id of the template.
    #[garde(custom(text::line(128)))]
    template: String,
    /// One accept is one message; a refusal clears what is left.
    #[garde(skip)]
    accepted: bool,
}

/// Record the answer to `wx.requestSubscribeMessage`
#[utoipa::path(tag = "notifications", request_body = Consent, responses((status = 200, body = [Quota])))]
#[post("/me/message-consents")]
async fn consents(state: web::Data<AppState>, caller: Caller, request: Command<Consent>) -> Result<Outcome, Problem> {
    let Consent { template, accepted } = &request.input;
    let template = Template::ALL
        .into_iter()
        .find(|known| known.word() == template || sending::template_id(&state, *known) == template)
        .ok_or_else(|| Problem::field("/template", "没有这个模板 / no such template"))?;
    command(&state, caller.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = consent::ActiveModel {
            user_id: Set(caller.user_id),
            template: Set(template.word().to_owned()),
            available: Set(i32::from(*accepted)),
        };
        let next =
            if *accepted { Expr::col((consent::Entity, consent::Column::Available)).add(1) } else { Expr::value(0) };
        let merge = OnConflict::columns([consent::Column::UserId, consent::Column::Template])
            .value(consent::Column::Available, next)
            .to_owned();
        consent::Entity::insert(row).on_conflict(merge).exec_without_returning(txn).await?;
        quotas(&state, txn, caller.user_id).await
    })
    .await
}
