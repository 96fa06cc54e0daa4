use actix_web::{delete, get, put, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{ProgrammeId, UserId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, Permission, masked_name};
use crate::platform::code::Code;
use crate::platform::http::{Body, Nothing, Problem, transact};
use crate::platform::state::AppState;
use crate::programmes::{panel, service};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(experts).service(add).service(remove);
}

/// Somebody who may review for a programme.
#[derive(Serialize, ToSchema)]
struct ExpertView {
    user_id: UserId,
    /// Masked.
    name: String,
    added_at: DateTime<Utc>,
}

/// All of a panel.
#[derive(Serialize, ToSchema)]
struct Panel {
    items: Vec<ExpertView>,
}

async fn panel_of(state: &AppState, id: ProgrammeId) -> Result<web::Json<Panel>, Problem> {
    let db = state.db.read();
    let rows = panel::of(db, id).await?;
    let people =
        user::Entity::find().filter(user::Column::Id.is_in(rows.iter().map(|row| row.user_id))).all(db).await?;
    let name = |id| people.iter().find(|person| person.id == id).map(|person| masked_name(&person.nickname));
    let view = |row: entities::programmes::expert::Model| ExpertView {
        user_id: row.user_id,
        name: name(row.user_id).unwrap_or_default(),
        added_at: row.added_at,
    };
    Ok(web::Json(Panel { items: rows.into_iter().map(view).collect() }))
}

/// A programme's experts, for its staff and for them
#[utoipa::path(tag = "programmes", responses((status = 200, body = Panel)))]
#[get("/programmes/{id}/experts")]
async fn experts(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProgrammeId>,
) -> Result<web::Json<Panel>, Problem> {
    let row = service::find(state.db.read(), &actor, *id).await?;
    let staff = actor.may(Permission::ManageProjects, &row.place_path);
    if !staff && !panel::sits_on(state.db.read(), *id, actor.user_id).await? {
        return Err(Code::Forbidden.into());
    }
    panel_of(&state, *id).await
}

/// Put a social worker on the panel
#[utoipa::path(tag = "programmes", request_body = Nothing, responses((status = 200, body = Panel)))]
#[put("/programmes/{id}/experts/{user_id}")]
async fn add(
    state: web::Data<AppState>,
    actor: Actor,
    path: web::Path<(ProgrammeId, UserId)>,
    _: Body<Nothing>,
) -> Result<web::Json<Panel>, Problem> {
    let (id, person) = *path;
    transact(&state, async |txn| panel::add(&state, txn, &actor, id, person).await).await?;
    panel_of(&state, id).await
}

/// Take somebody off the panel; what they have reviewed stays
#[utoipa::path(tag = "programmes", responses((status = 200, body = Panel)))]
#[delete("/programmes/{id}/experts/{user_id}")]
async fn remove(
    state: web::Data<AppState>,
    actor: Actor,
    path: web::Path<(ProgrammeId, UserId)>,
) -> Result<web::Json<Panel>, Problem> {
    let (id, person) = *path;
    transact(&state, async |txn| panel::remove(&state, txn, &actor, id, person).await).await?;
    panel_of(&state, id).await
}
