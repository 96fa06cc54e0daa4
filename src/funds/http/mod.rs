mod charter;
mod money;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    charter::routes(config);
    money::routes(config);
}
