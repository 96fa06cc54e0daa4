mod board;
mod objections;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    board::routes(config);
    objections::routes(config);
}
