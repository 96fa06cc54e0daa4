//! Founding a fund: its officers, what things cost, whose vehicles pay.

use entities::funds::{TariffKind, fund, tariff, vehicle};
use entities::ids::{FundId, HouseholdId, PlaceId, ProjectId, TariffId, UserId, VehicleId};
use entities::places::{household, place};
use entities::projects::project;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ActiveValue::Unchanged, ColumnTrait, ConnectionTrait, DatabaseTransaction,
    EntityTrait, PaginatorTrait, QueryFilter,
};
use serde_json::json;
use uuid::Uuid;

use super::{find, is_officer, lock, record, require_treasurer};
use crate::funds::domain;
use crate::identity::{self, Actor, Permission};
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::places;
use crate::platform::code::Code;
use crate::platform::crypto::{Purpose, hex};
use crate::platform::http::{Caller, Problem};
use crate::platform::ids;
use crate::platform::state::AppState;

/// What a plate's cipher is bound to.
const PLATE: &str = "fund_vehicles.plate";
/// At most so many tariffs of a fund count at once.
const TARIFFS: u64 = 50;

/// What staff say of a new fund.
pub struct NewFund<'a> {
    /// A community.
    pub place_id: PlaceId,
    /// Of what association.
    pub name: &'a str,
    /// What the association agreed on.
    pub charter: &'a str,
    /// The project whose services it takes money for.
    pub project_id: Option<ProjectId>,
    /// Takes money in, proposes what goes out.
    pub treasurer_id: UserId,
    /// Confirms it.
    pub auditor_id: UserId,
}

/// Founds a fund, as staff of the community. That its officers are two people is a CHECK's.
pub async fn found(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    new: &NewFund<'_>,
) -> Result<fund::Model, Problem> {
    let (place, community) = places::named_in_community(txn, new.place_id, "/place_id").await?;
    if place.id != community {
        return Err(Problem::field("/place_id", "须为社区 / must be a community"));
    }
    actor.require(Permission::ManageProjects, &place.path)?;
    require_eligible(state, txn, &place, (new.treasurer_id, new.auditor_id)).await?;
    if let Some(id) = new.project_id {
        let there = project::Entity::find_by_id(id).filter(project::Column::CommunityId.eq(community));
        if there.one(txn).await?.is_none() {
            return Err(Problem::field("/project_id", "本社区没有这个项目 / no such project in this community"));
        }
    }
    let id: FundId = ids::ordered(&state.clock);
    let row = fund::ActiveModel {
        id: Set(id),
        community_id: Set(community),
        place_path: Set(place.path),
        name: Set(new.name.trim().to_owned()),
        charter: Set(new.charter.trim().to_owned()),
        project_id: Set(new.project_id),
        treasurer_id: Set(new.treasurer_id),
        auditor_id: Set(new.auditor_id),
        created_by: Set(Some(actor.user_id)),
        created_at: Set(state.clock.now()),
    };
    let once = OnConflict::columns([fund::Column::CommunityId, fund::Column::Name]).do_nothing().to_owned();
    if fund::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await? == 0 {
        return Err(Code::FundKnown.into());
    }
    let row = find(txn, id).await?;
    record(state, txn, actor, "fund.found", &row, ("fund", id.0), officers(&row)).await?;
    tell_officers(state, txn, &row).await?;
    let notice = Notice {
        community_id: community,
        kind: "fund.founded",
        title: format!("自治经费设立：{}", row.name),
        body: row.charter.clone(),
        subject: Some(("fund", id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(row)
}

fn officers(row: &fund::Model) -> serde_json::Value {
    json!({ "treasurer_id": row.treasurer_id, "auditor_id": row.auditor_id })
}

/// Both live in the community, or are its staff; and they are two.
async fn require_eligible(
    state: &AppState,
    txn: &DatabaseTransaction,
    community: &place::Model,
    (treasurer, auditor): (UserId, UserId),
) -> Result<(), Problem> {
    if treasurer == auditor {
        return Err(Problem::field("/auditor_id", "须为两个人 / must be somebody else than the treasurer"));
    }
    for (person, pointer) in [(treasurer, "/treasurer_id"), (auditor, "/auditor_id")] {
        let lives = identity::residence(txn, person).await?.is_some_and(|home| home.community_id == community.id);
        let serves = async || -> Result<bool, Problem> {
            let caller = Caller { user_id: person, family: Uuid::nil() };
            Ok(Actor::load(state, caller).await?.may(Permission::ManageProjects, &community.path))
        };
        if !lives && !serves().await? {
            let detail = "须为本社区已认证居民或工作人员 / must be a verified resident or staff of the community";
            return Err(Problem::field(pointer, detail));
        }
    }
    Ok(())
}

async fn tell_officers(state: &AppState, txn: &DatabaseTransaction, row: &fund::Model) -> Result<(), Problem> {
    for (person, duty) in [(row.treasurer_id, "出纳"), (row.auditor_id, "审核人")] {
        let message = Message {
            kind: "fund.officer",
            title: format!("自治经费{duty}任命"),
            body: format!("您被任命为“{}”{duty}。", row.name),
            target: Some(("fund", row.id.0)),
            dedupe_key: format!("fund.officer:{}:{duty}:{}", row.id, state.clock.now().timestamp_millis()),
            template: Template::Need,
        };
        notifications::tell(state, txn, person, &message).await?;
    }
    Ok(())
}

/// Names other officers, as staff of the community.
pub(in crate::funds) async fn appoint(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: FundId,
    (treasurer, auditor): (UserId, UserId),
) -> Result<fund::Model, Problem> {
    let row = lock(txn, id).await?;
    actor.require(Permission::ManageProjects, &row.place_path)?;
    let community = places::find(txn, row.community_id).await?;
    require_eligible(state, txn, &community, (treasurer, auditor)).await?;
    let values = fund::ActiveModel {
        id: Unchanged(id),
        treasurer_id: Set(treasurer),
        auditor_id: Set(auditor),
        ..Default::default()
    };
    let row = values.update(txn).await?;
    record(state, txn, actor, "fund.appoint", &row, ("fund", id.0), officers(&row)).await?;
    tell_officers(state, txn, &row).await?;
    Ok(row)
}

/// Says what something costs from now on, as the treasurer.
pub async fn set_tariff(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: FundId,
    (kind, name, fen): (TariffKind, &str, i64),
) -> Result<tariff::Model, Problem> {
    let fund = lock(txn, id).await?;
    require_treasurer(&fund, actor)?;
    let live = tariff::Entity::find().filter(tariff::Column::FundId.eq(id)).filter(tariff::Column::EndedAt.is_null());
    if live.count(txn).await? >= TARIFFS {
        return Err(Problem::new(Code::RateLimited, format!("at most {TARIFFS} tariffs a fund")));
    }
    let row = tariff::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        fund_id: Set(id),
        kind: Set(kind),
        name: Set(name.trim().to_owned()),
        fen: Set(fen),
        created_by: Set(Some(actor.user_id)),
        created_at: Set(state.clock.now()),
        ended_at: Set(None),
    };
    let row = row.insert(txn).await?;
    let detail = json!({ "fen": fen });
    record(state, txn, actor, "fund.set_tariff", &fund, ("fund_tariff", row.id.0), detail).await?;
    Ok(row)
}

/// Ends a tariff; a second time changes nothing.
pub(in crate::funds) async fn end_tariff(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (id, tariff_id): (FundId, TariffId),
) -> Result<(), Problem> {
    let fund = lock(txn, id).await?;
    require_treasurer(&fund, actor)?;
    let of_it = tariff::Entity::find_by_id(tariff_id).filter(tariff::Column::FundId.eq(id));
    of_it.one(txn).await?.ok_or(Code::NotFound)?;
    let ended = tariff::Entity::update_many()
        .col_expr(tariff::Column::EndedAt, Expr::value(state.clock.now()))
        .filter(tariff::Column::Id.eq(tariff_id))
        .filter(tariff::Column::EndedAt.is_null())
        .exec(txn)
        .await?;
    if ended.rows_affected == 1 {
        record(state, txn, actor, "fund.end_tariff", &fund, ("fund_tariff", tariff_id.0), json!({})).await?;
    }
    Ok(())
}

/// Whose a vehicle is.
#[derive(Clone, Copy, Debug)]
pub enum VehicleOwner {
    /// A verified resident of the community.
    Person(UserId),
    /// A door of the community.
    Household(HouseholdId),
}

/// A vehicle for the register.
pub struct NewVehicle<'a> {
    /// As it is read.
    pub plate: &'a str,
    /// Whose.
    pub owner: VehicleOwner,
}

/// Enters a vehicle into a fund's register, as the treasurer. One plate is one vehicle of a fund.
pub async fn keep_vehicle(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: FundId,
    new: &NewVehicle<'_>,
) -> Result<vehicle::Model, Problem> {
    let fund = lock(txn, id).await?;
    require_treasurer(&fund, actor)?;
    let plate =
        domain::plate(new.plate).ok_or_else(|| Problem::field("/plate", "须为车牌号 / must be a number plate"))?;
    let (owner_id, household_id) = match new.owner {
        VehicleOwner::Person(person) => {
            let home = identity::residence(txn, person).await?;
            if home.is_none_or(|home| home.community_id != fund.community_id) {
                let detail = "须为本社区已认证居民 / must be a verified resident of the community";
                return Err(Problem::field("/owner_id", detail));
            }
            (Some(person), None)
        }
        VehicleOwner::Household(door) => {
            let there = household::Entity::find_by_id(door).one(txn).await?;
            let building = match there {
                Some(door) => Some(places::find(txn, door.building_id).await?),
                None => None,
            };
            if building.and_then(|building| building.community_id) != Some(fund.community_id) {
                return Err(Problem::field("/household_id", "本社区没有这一户 / no such door in the community"));
            }
            (None, Some(door))
        }
    };
    let vehicle_id: VehicleId = ids::ordered(&state.clock);
    let row = vehicle::ActiveModel {
        id: Set(vehicle_id),
        fund_id: Set(id),
        plate_cipher: Set(state.keys.encrypt(PLATE, &plate).map_err(unreadable)?),
        plate_hash: Set(plate_hash(state, id, &plate)),
        owner_id: Set(owner_id),
        household_id: Set(household_id),
        added_by: Set(Some(actor.user_id)),
        added_at: Set(state.clock.now()),
        ended_at: Set(None),
    };
    let one_live = OnConflict::columns([vehicle::Column::FundId, vehicle::Column::PlateHash])
        .target_and_where(Expr::cust("ended_at IS NULL"))
        .do_nothing()
        .to_owned();
    if vehicle::Entity::insert(row).on_conflict(one_live).exec_without_returning(txn).await? == 0 {
        return Err(Code::VehicleKnown.into());
    }
    record(state, txn, actor, "fund.keep_vehicle", &fund, ("fund_vehicle", vehicle_id.0), json!({})).await?;
    vehicle::Entity::find_by_id(vehicle_id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

fn unreadable(error: crate::platform::crypto::Unreadable) -> Problem {
    Problem::from(Code::Internal).caused_by(error)
}

/// The keyed hash of a plate in one fund: the same plate of two funds has two.
pub(in crate::funds) fn plate_hash(state: &AppState, fund: FundId, plate: &str) -> String {
    hex(&state.keys.sign(Purpose::PlateHash, format!("{fund}:{plate}").as_bytes()))
}

/// A vehicle's plate.
pub(in crate::funds) fn plate_of(state: &AppState, row: &vehicle::Model) -> Result<String, Problem> {
    state.keys.decrypt(PLATE, &row.plate_cipher).map_err(unreadable)
}

/// The plate in full, for the fund's officers; each look is audited.
pub(in crate::funds) async fn reveal(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (id, vehicle_id): (FundId, VehicleId),
) -> Result<String, Problem> {
    let fund = lock(txn, id).await?;
    if !is_officer(&fund, actor.user_id) {
        return Err(Code::Forbidden.into());
    }
    let row = of_fund(txn, id, vehicle_id).await?.ok_or(Code::NotFound)?;
    record(state, txn, actor, "fund.reveal_plate", &fund, ("fund_vehicle", vehicle_id.0), json!({})).await?;
    plate_of(state, &row)
}

/// A vehicle of a fund.
pub(in crate::funds) async fn of_fund(
    connection: &impl ConnectionTrait,
    id: FundId,
    vehicle_id: VehicleId,
) -> Result<Option<vehicle::Model>, Problem> {
    let of_it = vehicle::Entity::find_by_id(vehicle_id).filter(vehicle::Column::FundId.eq(id));
    Ok(of_it.one(connection).await?)
}

/// Takes a vehicle off the register; what it paid stays. A second time changes nothing.
pub(in crate::funds) async fn end_vehicle(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (id, vehicle_id): (FundId, VehicleId),
) -> Result<(), Problem> {
    let fund = lock(txn, id).await?;
    require_treasurer(&fund, actor)?;
    of_fund(txn, id, vehicle_id).await?.ok_or(Code::NotFound)?;
    let ended = vehicle::Entity::update_many()
        .col_expr(vehicle::Column::EndedAt, Expr::value(state.clock.now()))
        .filter(vehicle::Column::Id.eq(vehicle_id))
        .filter(vehicle::Column::EndedAt.is_null())
        .exec(txn)
        .await?;
    if ended.rows_affected == 1 {
        record(state, txn, actor, "fund.end_vehicle", &fund, ("fund_vehicle", vehicle_id.0), json!({})).await?;
    }
    Ok(())
}
