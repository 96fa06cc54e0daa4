use std::collections::HashMap;

use actix_web::{get, web};
use entities::delivery::{beneficiary, service_person};
use entities::ids::{BeneficiaryId, ProjectId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit;
use crate::delivery::service::register::{self};
use crate::delivery::service::{self};
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::{Page, PageParams, Paging, Params, Problem, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(beneficiaries);
}

/// Somebody whom a project serves.
#[derive(Serialize, ToSchema)]
struct BeneficiaryView {
    id: BeneficiaryId,
    name: String,
    /// How often, by confirmed services or not.
    services: i64,
}

/// The register of those whom a project serves, for implementer, supervisor and evaluator; each reading is audited
#[utoipa::path(tag = "delivery", params(PageParams), responses((status = 200, body = Page<BeneficiaryView>)))]
#[get("/projects/{id}/beneficiaries")]
async fn beneficiaries(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<BeneficiaryView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let project = service::find(state.db.read(), *id).await?;
    if !service::standing(state.db.read(), &actor, &project).await?.reads_names() {
        return Err(Code::Forbidden.into());
    }
    let page = transact(&state, async |txn| {
        let all = beneficiary::Entity::find().filter(beneficiary::Column::ProjectId.eq(*id));
        let rows = paging.apply(all, beneficiary::Column::Id).all(txn).await?;
        let came = service_person::Entity::find()
            .select_only()
            .column(service_person::Column::BeneficiaryId)
            .expr(Expr::cust("COUNT(*)"))
            .filter(service_person::Column::BeneficiaryId.is_in(rows.iter().map(|row| row.id)))
            .group_by(service_person::Column::BeneficiaryId);
        let times: Vec<(BeneficiaryId, i64)> = came.into_tuple().all(txn).await?;
        let times: HashMap<BeneficiaryId, i64> = times.into_iter().collect();
        let views = rows.into_iter().map(|row| {
            let name = register::name_of(&state, &row)?;
            Ok(BeneficiaryView { id: row.id, name, services: times.get(&row.id).copied().unwrap_or_default() })
        });
        let views = views.collect::<Result<Vec<_>, Problem>>()?;
        let (by, target) = (Some(actor.user_id), ("project", project.id.0));
        let detail = json!({ "names": views.len() });
        audit::record(&state, txn, by, "project.names_read", target, Some(project.place_id), detail).await?;
        Ok(paging.page(&state.keys, views, |view| view.id.0, |view| view))
    });
    page.await.map(web::Json)
}
