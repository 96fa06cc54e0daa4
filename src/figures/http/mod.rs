mod exports;
mod money;
mod overdue;
mod pipeline;
mod services;
mod summaries;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    summaries::routes(config);
    pipeline::routes(config);
    overdue::routes(config);
    services::routes(config);
    money::routes(config);
    exports::routes(config);
}
