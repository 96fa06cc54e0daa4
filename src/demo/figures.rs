//! What the demo shows of figures: last month's summaries of its communities, which were new then and had done nothing yet.

use crate::figures;
use crate::platform::calendar::Month;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// Makes what is missing; only where the demo runs, since a summary is a notice that tests would count.
pub(super) async fn seed(state: &AppState) -> Result<(), Problem> {
    let now = state.clock.now();
    figures::make(state, Month::last_over(now), now).await
}
