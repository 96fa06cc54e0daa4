use chrono::{DateTime, Utc};
use entities::certificates::{certificate_number as counter, volunteer_number, volunteer_profile};
use entities::ids::{PlaceId, UserId};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait};
use serde_json::json;

use super::{open, seal};
use crate::audit;
use crate::certificates::domain::{Content, Profile};
use crate::identity::{self, Actor, Permission, Personal};
use crate::places;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::{FieldError, Problem};
use crate::platform::state::AppState;

const CONTEXT: &str = "volunteer_profiles.sealed";

/// Keeps what the ministry's certificate asks for of the caller, who must be a verified resident; a volunteer's number comes with it.
pub async fn keep(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    profile: &Profile,
) -> Result<(), Problem> {
    let now = state.clock.now();
    let home = actor.require_verified(txn).await?;
    let mistakes = profile.mistakes(calendar::day(now));
    if !mistakes.is_empty() {
        let errors = mistakes.into_iter().map(|(pointer, detail)| FieldError {
            pointer: pointer.to_owned(),
            code: "invalid".into(),
            detail: detail.to_owned(),
        });
        return Err(Problem::invalid(errors.collect()));
    }
    let row = volunteer_profile::ActiveModel {
        user_id: Set(actor.user_id),
        sealed: Set(seal(state, CONTEXT, profile)?),
        updated_at: Set(now),
    };
    let newer = OnConflict::column(volunteer_profile::Column::UserId)
        .update_columns([volunteer_profile::Column::Sealed, volunteer_profile::Column::UpdatedAt])
        .to_owned();
    volunteer_profile::Entity::insert(row).on_conflict(newer).exec_without_returning(txn).await?;
    number(state, txn, actor.user_id, home.community_id).await?;
    let target = ("user", actor.user_id.0);
    let place = Some(home.community_id);
    audit::record(state, txn, Some(actor.user_id), "volunteer_profile.keep", target, place, json!({})).await
}

/// A volunteer's number: the one they have, or the community's next.
pub(super) async fn number(
    state: &AppState,
    txn: &DatabaseTransaction,
    person: UserId,
    community: PlaceId,
) -> Result<String, Problem> {
    // In the person's lock: two who ask for one person's number at once get the same.
    crate::platform::http::lock_person(txn, person).await?;
    if let Some(known) = volunteer_number::Entity::find_by_id(person).one(txn).await? {
        return Ok(known.number);
    }
    let path = places::find(txn, community).await?.path;
    let number = Content::volunteer_number(&path, next(txn, community, "volunteer", 0).await?);
    let row = volunteer_number::ActiveModel {
        user_id: Set(person),
        community_id: Set(community),
        number: Set(number.clone()),
        given_at: Set(state.clock.now()),
    };
    volunteer_number::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(number)
}

/// A community's next number of a kind; its row is held until the transaction ends, so that a number that is taken back with it is
/// given to the next.
pub(super) async fn next(txn: &DatabaseTransaction, community: PlaceId, kind: &str, year: i32) -> Result<i64, Problem> {
    let first = counter::ActiveModel {
        community_id: Set(community),
        kind: Set(kind.to_owned()),
        year: Set(year),
        last: Set(1),
    };
    let one_more = OnConflict::columns([counter::Column::CommunityId, counter::Column::Kind, counter::Column::Year])
        .value(counter::Column::Last, Expr::cust("certificate_numbers.last + 1"))
        .to_owned();
    Ok(counter::Entity::insert(first).on_conflict(one_more).exec_with_returning(txn).await?.last)
}

/// A profile with its number.
pub(in crate::certificates) struct Kept {
    pub profile: Profile,
    pub number: String,
    pub updated_at: DateTime<Utc>,
}

/// A person's profile, decrypted; nothing if there is none.
pub(in crate::certificates) async fn of(
    state: &AppState,
    connection: &impl ConnectionTrait,
    person: UserId,
) -> Result<Option<Kept>, Problem> {
    let Some(row) = volunteer_profile::Entity::find_by_id(person).one(connection).await? else { return Ok(None) };
    let number = volunteer_number::Entity::find_by_id(person).one(connection).await?.ok_or(Code::Internal)?.number;
    Ok(Some(Kept { profile: open(state, CONTEXT, &row.sealed)?, number, updated_at: row.updated_at }))
}

/// A volunteer's profile in full for staff of the place where they live; every look is in the audit log.
pub(in crate::certificates) async fn reveal(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    person: UserId,
) -> Result<(Kept, Personal), Problem> {
    let personal = identity::personal_of(state, txn, person).await?.ok_or(Code::NotFound)?;
    if !actor.may(Permission::ManageActivities, &personal.residence.place_path) {
        return Err(Code::NotFound.into());
    }
    let kept = of(state, txn, person).await?.ok_or(Code::NotFound)?;
    let place = Some(personal.residence.community_id);
    let target = ("user", person.0);
    audit::record(state, txn, Some(actor.user_id), "volunteer_profile.reveal", target, place, json!({})).await?;
    Ok((kept, personal))
}
