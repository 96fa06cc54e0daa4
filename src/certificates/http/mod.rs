mod certificates;
mod profile;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    profile::routes(config);
    certificates::routes(config);
}
