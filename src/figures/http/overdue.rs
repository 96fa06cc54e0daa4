use std::collections::BTreeMap;

use actix_web::{get, web};
use chrono::{DateTime, Utc};
use entities::ids::PlaceId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::figures::overdue::{self, Item, KINDS, Kind};
use crate::figures::scope::Scope;
use crate::identity::Actor;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::{Moments, Page, Params, Problem};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OverdueParams {
    /// This place and those below it.
    place_id: PlaceId,
    /// Only these: `need`, `objection`, `tender`, `award`, `milestone`, `finding` or `evaluation`.
    kind: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// 1 to 100; 20 without it.
    limit: Option<u64>,
}

/// Something whose day is over.
#[derive(Serialize, ToSchema)]
struct OverdueView {
    /// `need`: a public answer; `objection`: a reply; `tender`: its opening; `award`: its contract; `milestone`: its acceptance;
    /// `finding`: its rectification; `evaluation`: what it asked to put right.
    kind: String,
    /// What people read.
    kind_title: &'static str,
    id: Uuid,
    title: String,
    place_id: PlaceId,
    place: String,
    due_at: DateTime<Utc>,
    /// Days of China's calendar since that day: 0 on the day itself.
    days_over: i64,
    /// Where it is dealt with, below `/api/v1`.
    path: String,
}

/// What is overdue.
#[derive(Serialize, ToSchema)]
struct OverdueList {
    /// How many of each kind, on all pages.
    counts: BTreeMap<String, i64>,
    /// The oldest first.
    items: Vec<OverdueView>,
    /// Names the next page in `?cursor=`; absent on the last one.
    next_cursor: Option<String>,
}

/// Everything at and below a place whose day is over, the oldest first; each kind for staff who deal with it there
///
/// Case files are never among them.
#[utoipa::path(tag = "figures", params(OverdueParams), responses((status = 200, body = OverdueList)))]
#[get("/figures/overdue")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<OverdueParams>,
) -> Result<web::Json<OverdueList>, Problem> {
    let (db, now) = (state.db.read(), state.clock.now());
    let paging = Moments::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let scope = Scope::named(db, &actor, params.place_id, None).await?;
    let wanted = match params.kind.as_deref() {
        Some(word) => Some(overdue::kind(word).ok_or_else(|| Problem::field("?kind", "没有这一类 / no such kind"))?),
        None => None,
    };
    let kinds: Vec<&Kind> = KINDS
        .iter()
        .filter(|kind| wanted.is_none_or(|wanted| wanted.word == kind.word))
        .filter(|kind| actor.may(kind.permission, &scope.place.path))
        .collect();
    if kinds.is_empty() {
        return Err(Code::Forbidden.into());
    }
    let counts = overdue::counts(db, &scope, &kinds, now).await?;
    let rows = overdue::page(db, &scope, &kinds, now, &paging).await?;
    let today = calendar::day(now);
    let view = |row: Item| OverdueView {
        path: row.path(),
        kind_title: row.words(),
        days_over: (today - calendar::day(row.due_at)).num_days(),
        kind: row.kind,
        id: row.id,
        title: row.title,
        place_id: row.place_id,
        place: row.place,
        due_at: row.due_at,
    };
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| (row.due_at, row.id), view);
    Ok(web::Json(OverdueList { counts, items, next_cursor }))
}
