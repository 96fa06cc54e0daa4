pub(super) mod books;
pub(super) mod charter;
pub(super) mod money;
pub(super) mod spending;

use entities::funds::fund;
use entities::ids::{FundId, UserId};
use sea_orm::sea_query::LockType;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use crate::audit;
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

pub(super) use books::publish_due;
pub use books::publish_month;
pub use charter::{NewFund, NewVehicle, VehicleOwner, found, keep_vehicle, set_tariff};
pub use money::{NewReceipt, receive};
pub use spending::{Expense, confirm, propose};

/// A fund by its id, or 404.
pub(super) async fn find(connection: &impl ConnectionTrait, id: FundId) -> Result<fund::Model, Problem> {
    fund::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// A fund whose officers stay who they are until the transaction ends.
async fn lock(txn: &DatabaseTransaction, id: FundId) -> Result<fund::Model, Problem> {
    let locked = fund::Entity::find_by_id(id).lock(LockType::NoKeyUpdate);
    locked.one(txn).await?.ok_or_else(|| Code::NotFound.into())
}

/// Whether somebody keeps a fund's money, or checks it.
pub(super) fn is_officer(fund: &fund::Model, person: UserId) -> bool {
    [fund.treasurer_id, fund.auditor_id].contains(&person)
}

fn require_treasurer(fund: &fund::Model, actor: &Actor) -> Result<(), Problem> {
    if fund.treasurer_id == actor.user_id { Ok(()) } else { Err(Code::Forbidden.into()) }
}

fn require_auditor(fund: &fund::Model, actor: &Actor) -> Result<(), Problem> {
    if fund.auditor_id == actor.user_id { Ok(()) } else { Err(Code::Forbidden.into()) }
}

/// 404 unless the caller reads a fund's books: residents of its community, its officers, staff of the place.
pub(super) async fn require_reader(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    id: FundId,
) -> Result<fund::Model, Problem> {
    let fund = find(connection, id).await?;
    if is_officer(&fund, actor.user_id)
        || actor.may(Permission::ManageProjects, &fund.place_path)
        || actor.require_resident(connection, &fund.place_path).await.is_ok()
    {
        return Ok(fund);
    }
    Err(Code::NotFound.into())
}

async fn record(
    state: &AppState,
    txn: &impl ConnectionTrait,
    actor: &Actor,
    action: &str,
    fund: &fund::Model,
    what: (&str, Uuid),
    detail: Value,
) -> Result<(), Problem> {
    audit::record(state, txn, Some(actor.user_id), action, what, Some(fund.community_id), detail).await
}
