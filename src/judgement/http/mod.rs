mod evaluations;
mod exemplars;
mod ratings;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    ratings::routes(config);
    evaluations::routes(config);
    exemplars::routes(config);
}
