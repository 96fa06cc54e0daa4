mod budget;
mod manual;
mod rules;
mod wallet;

use utoipa_actix_web::service_config::ServiceConfig;

use super::board;

pub(super) fn routes(config: &mut ServiceConfig) {
    wallet::routes(config);
    manual::routes(config);
    rules::routes(config);
    budget::routes(config);
    board::http::routes(config);
}
