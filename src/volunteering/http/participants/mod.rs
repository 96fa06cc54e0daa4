mod attendance;
mod sessions;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    sessions::routes(config);
    attendance::routes(config);
}
