use entities::identity::residency;
use entities::ids::{PlaceId, ResidencyId, UserId};
use entities::places::household;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
};
use serde_json::json;

use super::personal::personal;
use crate::audit;
use crate::identity::{Actor, Permission, ResidencyState};
use crate::notifications::{self, Message, Template};
use crate::places::{self, PlaceKind};
use crate::platform::code::Code;
use crate::platform::crypto::{Purpose, hex};
use crate::platform::http::{Problem, transact};
use crate::platform::ids;
use crate::platform::state::AppState;

/// An application for residency.
pub(in crate::identity) struct Application<'a> {
    pub building_id: PlaceId,
    pub unit: &'a str,
    pub room: &'a str,
    pub real_name: &'a str,
    /// WeChat's phone code; exchanged for the number before the transaction begins.
    pub phone: &'a str,
}

/// Applies for a door. One application or residency a person: a unique index.
pub(in crate::identity) async fn apply(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    application: Application<'_>,
) -> Result<residency::Model, Problem> {
    let building = places::named(txn, application.building_id, "/building_id").await?;
    let (PlaceKind::Building, Some(community_id)) = (building.kind, building.community_id) else {
        return Err(Problem::field("/building_id", "须为门栋 / must be a building"));
    };
    let (unit, room) = (application.unit.trim(), application.room.trim());
    let door = household::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        building_id: Set(building.id),
        unit: Set(unit.to_owned()),
        room: Set(room.to_owned()),
        created_at: Set(state.clock.now()),
    };
    let same_door =
        OnConflict::columns([household::Column::BuildingId, household::Column::Unit, household::Column::Room]);
    household::Entity::insert(door)
        .on_conflict(same_door.clone().do_nothing().to_owned())
        .exec_without_returning(txn)
        .await?;
    let door = household::Entity::find()
        .filter(household::Column::BuildingId.eq(building.id))
        .filter(household::Column::Unit.eq(unit))
        .filter(household::Column::Room.eq(room));
    let household_id = door.one(txn).await?.ok_or(Code::Internal)?.id;
    let sealed = |context, text: &str| {
        state.keys.encrypt(context, text).map_err(|error| Problem::from(Code::Internal).caused_by(error))
    };
    let id: ResidencyId = ids::ordered(&state.clock);
    let row = residency::ActiveModel {
        id: Set(id),
        user_id: Set(actor.user_id),
        household_id: Set(household_id),
        building_id: Set(building.id),
        community_id: Set(community_id),
        place_path: Set(building.path),
        state: Set(ResidencyState::Pending),
        real_name_cipher: Set(sealed("residencies.real_name", application.real_name.trim())?),
        phone_cipher: Set(sealed("residencies.phone", application.phone)?),
        phone_hash: Set(hex(&state.keys.sign(Purpose::PhoneHash, application.phone.as_bytes()))),
        applied_at: Set(state.clock.now()),
        decided_by: Set(None),
        decided_at: Set(None),
        reject_reason: Set(None),
    };
    // Literals: PostgreSQL finds the partial index by its condition only where that holds no parameters.
    let one_live = OnConflict::column(residency::Column::UserId)
        .target_and_where(Expr::cust("state IN ('pending', 'approved')"))
        .do_nothing()
        .to_owned();
    if residency::Entity::insert(row).on_conflict(one_live).exec_without_returning(txn).await? == 0 {
        return Err(Code::ResidencyExists.into());
    }
    let row = residency::Entity::find_by_id(id).one(txn).await?.ok_or(Code::Internal)?;
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "residency.apply",
        ("residency", row.id.0),
        Some(row.building_id),
        json!({}),
    )
    .await?;
    Ok(row)
}

/// Confirms or refuses an application. Whoever decides first has decided: the state is part of the statement.
pub(in crate::identity) async fn decide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ResidencyId,
    refusal: Option<&str>,
) -> Result<residency::Model, Problem> {
    let row = residency::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    if !actor.may(Permission::VerifyResidents, &row.place_path) {
        // Who may not decide does not learn that it exists.
        return Err(if row.user_id == actor.user_id { Code::Forbidden.into() } else { Code::NotFound.into() });
    }
    if row.user_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let (decision, word) =
        if refusal.is_some() { (ResidencyState::Rejected, "reject") } else { (ResidencyState::Approved, "approve") };
    let decided = residency::Entity::update_many()
        .col_expr(residency::Column::State, decision.into())
        .col_expr(residency::Column::DecidedBy, actor.user_id.into())
        .col_expr(residency::Column::DecidedAt, state.clock.now().into())
        .col_expr(residency::Column::RejectReason, Expr::value(refusal.map(str::to_owned)))
        .filter(residency::Column::Id.eq(id))
        .filter(residency::Column::State.eq(ResidencyState::Pending))
        .exec_with_returning(txn)
        .await?;
    let Some(row) = decided.into_iter().next() else { return Err(Code::AlreadyDecided.into()) };
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        &format!("residency.{word}"),
        ("residency", id.0),
        Some(row.building_id),
        json!({}),
    )
    .await?;
    let (title, body) = match refusal {
        None => ("居住认证已通过", "您现在可以投票、报名班次并获得积分。".to_owned()),
        Some(reason) => ("居住认证未通过", format!("原因：{reason}")),
    };
    let message = Message {
        kind: "residency.decided",
        title: title.to_owned(),
        body,
        target: Some(("residency", id.0)),
        dedupe_key: format!("residency:{id}"),
        template: Template::Residency,
    };
    notifications::tell(state, txn, row.user_id, &message).await?;
    Ok(row)
}

/// A residency with its personal data; every look is in the audit log.
pub(in crate::identity) async fn reveal(
    state: &AppState,
    actor: &Actor,
    id: ResidencyId,
) -> Result<(residency::Model, household::Model, String, String), Problem> {
    transact(state, async |txn| {
        let row = residency::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
        if row.user_id != actor.user_id && !actor.may(Permission::VerifyResidents, &row.place_path) {
            return Err(Code::NotFound.into());
        }
        let door = household::Entity::find_by_id(row.household_id).one(txn).await?.ok_or(Code::Internal)?;
        audit::record(
            state,
            txn,
            Some(actor.user_id),
            "residency.reveal",
            ("residency", id.0),
            Some(row.building_id),
            json!({}),
        )
        .await?;
        let (name, phone) = personal(state, &row)?;
        Ok((row, door, name, phone))
    })
    .await
}

/// The newest application of a person, whatever its state.
pub(in crate::identity) async fn latest_residency(
    connection: &impl ConnectionTrait,
    person: UserId,
) -> Result<Option<residency::Model>, Problem> {
    let rows =
        residency::Entity::find().filter(residency::Column::UserId.eq(person)).order_by_desc(residency::Column::Id);
    Ok(rows.one(connection).await?)
}
