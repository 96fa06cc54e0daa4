//! Requests and answers.

mod designs;
mod projects;
mod reviews;
mod selection;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    projects::routes(config);
    designs::routes(config);
    reviews::routes(config);
    selection::routes(config);
}
