//! Requests and answers.

mod books;
mod panel;
mod programmes;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    programmes::routes(config);
    panel::routes(config);
    books::routes(config);
}
