mod catalogue;
mod merchants;
mod redemptions;
mod statements;
mod stock;

use garde::Error;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::platform::opening::Opening;

pub(super) fn routes(config: &mut ServiceConfig) {
    catalogue::routes(config);
    stock::routes(config);
    merchants::routes(config);
    statements::routes(config);
    redemptions::routes(config);
}

/// Opening times that somebody can keep.
fn check_opening() -> impl Fn(&Option<Opening>, &()) -> garde::Result {
    |times, ()| times.as_ref().map_or(Ok(()), |times| times.check().map_err(Error::new))
}
