mod budget;
mod manual;
mod rules;
mod wallet;

use utoipa_actix_web::service_config::ServiceConfig;

use super::board;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.configure(board::http::routes);
    wallet::routes(config);
    manual::routes(config);
    rules::routes(config);
    budget::routes(config);
}
