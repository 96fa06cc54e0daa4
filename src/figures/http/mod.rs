mod exports;
mod summaries;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    summaries::routes(config);
    exports::routes(config);
}
