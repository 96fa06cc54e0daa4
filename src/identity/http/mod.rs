mod grants;
mod residencies;
mod session;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    session::routes(config);
    grants::routes(config);
    residencies::routes(config);
}
