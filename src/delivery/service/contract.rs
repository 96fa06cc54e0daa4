//! Temporary shim.
use entities::ids::MilestoneId;
use entities::projects::project;
use entities::tenders::{contract, milestone};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};

use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

pub(super) async fn contract_of_milestone(
    txn: &DatabaseTransaction,
    id: MilestoneId,
) -> Result<contract::Model, Problem> {
    let row = milestone::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    contract::Entity::find_by_id(row.contract_id).one(txn).await?.ok_or_else(|| Code::NotFound.into())
}

pub(super) async fn lock_milestone(txn: &DatabaseTransaction, id: MilestoneId) -> Result<milestone::Model, Problem> {
    milestone::Entity::find_by_id(id).lock_exclusive().one(txn).await?.ok_or_else(|| Code::NotFound.into())
}

pub(super) async fn pay(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    _project: &project::Model,
    row: milestone::Model,
) -> Result<milestone::Model, Problem> {
    let paid = milestone::Entity::update_many()
        .col_expr(milestone::Column::PaidBy, actor.user_id.into())
        .col_expr(milestone::Column::PaidAt, state.clock.now().into())
        .filter(milestone::Column::Id.eq(row.id))
        .filter(milestone::Column::PaidAt.is_null())
        .exec_with_returning(txn)
        .await?;
    paid.into_iter().next().ok_or_else(|| Code::MilestoneState.into())
}

/// Shim.
pub async fn settle(
    _state: &AppState,
    txn: &DatabaseTransaction,
    _actor: &Actor,
    project: &project::Model,
) -> Result<i64, Problem> {
    let Some(contract) = contract::Entity::find().filter(contract::Column::ProjectId.eq(project.id)).one(txn).await?
    else {
        return Ok(0);
    };
    let paid = milestone::Entity::find()
        .filter(milestone::Column::ContractId.eq(contract.id))
        .filter(milestone::Column::PaidAt.is_not_null())
        .all(txn)
        .await?;
    Ok(contract.price_fen - paid.iter().map(|row| row.amount_fen).sum::<i64>())
}
