mod absence;
mod activities;
mod calendar;
mod changes;
mod exchange;
mod participants;
mod presence;
mod signups;
mod templates;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    activities::routes(config);
    signups::routes(config);
    presence::routes(config);
    participants::routes(config);
    templates::routes(config);
    exchange::routes(config);
    absence::routes(config);
    changes::routes(config);
    calendar::routes(config);
}
