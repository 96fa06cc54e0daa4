mod beneficiaries;
mod cases;
mod milestones;
mod project;
mod reports;
mod services;
mod supervision;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    project::routes(config);
    cases::routes(config);
    reports::routes(config);
    services::routes(config);
    beneficiaries::routes(config);
    supervision::routes(config);
    milestones::routes(config);
}
