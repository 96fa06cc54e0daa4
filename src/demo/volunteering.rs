//! What the demo shows of volunteering.

use sea_orm::DatabaseTransaction;

use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// Puts in what is not there yet; see [`super::seed`].
pub(super) async fn seed(_: &AppState, _: &DatabaseTransaction) -> Result<(), Problem> {
    Ok(())
}
