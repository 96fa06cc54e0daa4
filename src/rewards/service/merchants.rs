//! Merchants and their people.

use entities::identity::user;
use entities::ids::{MerchantId, PlaceId, UserId};
use entities::rewards::{merchant, merchant_person, reward};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ActiveValue::Unchanged, ConnectionTrait, DatabaseTransaction, EntityTrait,
    QuerySelect,
};
use serde_json::json;

use super::stored;
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::opening::Opening;
use crate::platform::state::AppState;
use crate::{audit, places};

/// What a phone number's cipher is bound to.
const PHONE: &str = "merchants.phone";
/// At most so many people settle for one merchant.
const PEOPLE: u64 = 100;

/// What is known of a merchant.
pub(in crate::rewards) struct Details<'a> {
    pub name: &'a str,
    pub address: &'a str,
    pub opening: Option<&'a Opening>,
    pub phone: Option<&'a str>,
}

/// Whoever hands out rewards at a place, or 404.
pub(in crate::rewards) async fn find(
    connection: &impl ConnectionTrait,
    id: MerchantId,
) -> Result<merchant::Model, Problem> {
    merchant::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// Registers a merchant.
pub(in crate::rewards) async fn create(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    place_id: PlaceId,
    details: &Details<'_>,
) -> Result<merchant::Model, Problem> {
    let (place, community_id) = places::named_in_community(txn, place_id, "/place_id").await?;
    actor.require(Permission::ManageRewards, &place.path)?;
    let row = merchant::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        community_id: Set(community_id),
        place_id: Set(place.id),
        place_path: Set(place.path),
        name: Set(details.name.to_owned()),
        address: Set(details.address.to_owned()),
        opening: Set(stored(details.opening)?),
        phone_cipher: Set(sealed(state, details.phone)?),
        created_by: Set(actor.user_id),
        created_at: Set(state.clock.now()),
    };
    let row = row.insert(txn).await?;
    record(state, txn, actor, "merchant.create", &row, json!({})).await?;
    Ok(row)
}

/// Writes down anew what is known of a merchant.
pub(in crate::rewards) async fn edit(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: MerchantId,
    details: &Details<'_>,
) -> Result<merchant::Model, Problem> {
    let row = find(txn, id).await?;
    actor.require(Permission::ManageRewards, &row.place_path)?;
    let row = merchant::ActiveModel {
        id: Unchanged(id),
        name: Set(details.name.to_owned()),
        address: Set(details.address.to_owned()),
        opening: Set(stored(details.opening)?),
        phone_cipher: Set(sealed(state, details.phone)?),
        ..Default::default()
    };
    let row = row.update(txn).await?;
    record(state, txn, actor, "merchant.edit", &row, json!({})).await?;
    Ok(row)
}

/// Lets somebody settle what a merchant offers; a second time changes nothing.
pub(in crate::rewards) async fn add_person(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: MerchantId,
    person: UserId,
) -> Result<(), Problem> {
    use sea_orm::sea_query::LockType;
    use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter};
    // The lock makes additions count one after the other.
    let locked = merchant::Entity::find_by_id(id).lock(LockType::NoKeyUpdate);
    let row = locked.one(txn).await?.ok_or(Code::NotFound)?;
    actor.require(Permission::ManageRewards, &row.place_path)?;
    user::Entity::find_by_id(person).one(txn).await?.ok_or(Code::NotFound)?;
    let people = merchant_person::Entity::find().filter(merchant_person::Column::MerchantId.eq(id));
    if people.count(txn).await? >= PEOPLE {
        return Err(Problem::new(Code::RateLimited, format!("at most {PEOPLE} people a merchant")));
    }
    let new = merchant_person::ActiveModel {
        merchant_id: Set(id),
        user_id: Set(person),
        added_by: Set(actor.user_id),
        added_at: Set(state.clock.now()),
    };
    let once = OnConflict::columns([merchant_person::Column::MerchantId, merchant_person::Column::UserId])
        .do_nothing()
        .to_owned();
    if merchant_person::Entity::insert(new).on_conflict(once).exec_without_returning(txn).await? == 1 {
        record(state, txn, actor, "merchant.add_person", &row, json!({ "user_id": person })).await?;
    }
    Ok(())
}

/// Ends that; from the next scan on it counts.
pub(in crate::rewards) async fn remove_person(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: MerchantId,
    person: UserId,
) -> Result<(), Problem> {
    let row = find(txn, id).await?;
    actor.require(Permission::ManageRewards, &row.place_path)?;
    if merchant_person::Entity::delete_by_id((id, person)).exec(txn).await?.rows_affected == 1 {
        record(state, txn, actor, "merchant.remove_person", &row, json!({ "user_id": person })).await?;
    }
    Ok(())
}

/// Whether somebody settles for a merchant.
pub(in crate::rewards) async fn is_person(
    connection: &impl ConnectionTrait,
    id: MerchantId,
    person: UserId,
) -> Result<bool, Problem> {
    Ok(merchant_person::Entity::find_by_id((id, person)).one(connection).await?.is_some())
}

/// Whether somebody settles for any merchant.
pub(super) async fn is_anywhere(connection: &impl ConnectionTrait, person: UserId) -> Result<bool, Problem> {
    use sea_orm::{ColumnTrait, QueryFilter};
    let any = merchant_person::Entity::find().filter(merchant_person::Column::UserId.eq(person));
    Ok(any.one(connection).await?.is_some())
}

/// In what capacity somebody hands out a reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clerk {
    /// Staff of its place: at any time.
    Staff,
    /// Its merchant's own people, or for a reward without one a clerk of the place: within its opening times.
    Counter,
}

/// Whether, and in what capacity, somebody may hand out a reward.
pub(super) async fn clerk(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    reward: &reward::Model,
) -> Result<Option<Clerk>, Problem> {
    if actor.may(Permission::ManageRewards, &reward.place_path) {
        return Ok(Some(Clerk::Staff));
    }
    let at_counter = match reward.merchant_id {
        Some(merchant) => is_person(connection, merchant, actor.user_id).await?,
        None => actor.may(Permission::SettleRedemptions, &reward.place_path),
    };
    Ok(at_counter.then_some(Clerk::Counter))
}

/// A merchant's phone number.
pub(in crate::rewards) fn phone(state: &AppState, row: &merchant::Model) -> Result<Option<String>, Problem> {
    let opened = row.phone_cipher.as_deref().map(|sealed| state.keys.decrypt(PHONE, sealed));
    opened.transpose().map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// The number in full, for staff; each look is audited.
pub(in crate::rewards) async fn reveal(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: MerchantId,
) -> Result<Option<String>, Problem> {
    let row = find(txn, id).await?;
    actor.require(Permission::ManageRewards, &row.place_path)?;
    record(state, txn, actor, "merchant.reveal", &row, json!({})).await?;
    phone(state, &row)
}

fn sealed(state: &AppState, phone: Option<&str>) -> Result<Option<String>, Problem> {
    let sealed = phone.map(|phone| state.keys.encrypt(PHONE, phone));
    sealed.transpose().map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    action: &str,
    row: &merchant::Model,
    detail: serde_json::Value,
) -> Result<(), Problem> {
    audit::record(state, txn, Some(actor.user_id), action, ("merchant", row.id.0), Some(row.place_id), detail).await
}
