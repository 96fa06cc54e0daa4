use entities::volunteering::shift;
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter};

use crate::platform::http::transact;
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::teams::LeaderChanged;

/// The job: who leads a team now leads its coming shifts that the one before led. Others were named for a shift on purpose.
pub(in crate::volunteering) async fn follow_leader(state: &AppState, changed: LeaderChanged) -> Result<(), JobError> {
    transact(state, async |txn| {
        let led = shift::Entity::update_many()
            .col_expr(shift::Column::LeaderId, changed.to.into())
            .col_expr(shift::Column::Revision, sea_orm::sea_query::Expr::col(shift::Column::Revision).add(1))
            .filter(shift::Column::TeamId.eq(changed.team_id))
            .filter(shift::Column::LeaderId.eq(changed.from))
            .filter(shift::Column::EndsAt.gt(state.clock.now()));
        Ok(led.exec(txn).await?.rows_affected)
    })
    .await?;
    Ok(())
}
