//! The people who call: verified residents of a community of the demo's, with numbers instead of names.

use chrono::{DateTime, Utc};
use entities::identity::{ResidencyState, Role, grant, residency, user};
use entities::ids::{HouseholdId, PlaceId, UserId};
use entities::places::household;
use linli::demo::{place_id, user_id};
use linli::platform::http::Caller;
use linli::platform::ids;
use linli::platform::state::AppState;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelBehavior, ActiveModelTrait, EntityTrait, IntoActiveModel};
use uuid::Uuid;

use crate::Failure;

/// Where they live: the demo puts nothing else there.
pub const COMMUNITY: &str = "/jiangan/laodong/yiyuan/";
const BUILDING: &str = "/jiangan/laodong/yiyuan/wg1/b1/";
/// So many people share a door.
const HOUSEHOLD: u32 = 4;
/// So many rows in one statement.
const ROWS: usize = 1000;

/// The id of a person; [`SQL_ID`] makes the same.
pub fn id(number: u32) -> UserId {
    Uuid::from_u128(0x0be9_c000_0000_7000_8000_0000_0000_0000 + u128::from(number)).into()
}

/// [`id`] of pgbench's variable `n`, as text.
pub const SQL_ID: &str = "('0be9c000-0000-7000-8000-' || lpad(to_hex(:n::bigint), 12, '0'))";

/// WeChat's id of a person. It holds the person's own id, so that a recorded statement can be made about somebody else.
pub fn openid(number: u32) -> String {
    format!("bench-{}", id(number))
}

/// The community's id.
pub fn community() -> PlaceId {
    place_id(COMMUNITY)
}

/// An access token of somebody, good for ten minutes.
pub fn token(state: &AppState, person: UserId) -> Result<String, Failure> {
    let caller = Caller { user_id: person, family: ids::unordered() };
    caller.token(state).map_err(|problem| format!("{problem:?}").into())
}

/// Puts people into the database: `residents` of them verified, and `staff` with the community's after them.
pub async fn seed(state: &AppState, residents: u32, staff: u32) -> Result<(), Failure> {
    let now = state.clock.now();
    let door = |number: u32| -> HouseholdId { ids::named(&format!("bench-door:{}", number / HOUSEHOLD)) };
    insert(state, (0..residents + staff).map(|number| person(number, now))).await?;
    let doors = (0..residents).step_by(usize::try_from(HOUSEHOLD)?);
    let doors = doors.map(|number| household::ActiveModel {
        id: Set(door(number)),
        building_id: Set(place_id(BUILDING)),
        unit: Set("bench".to_owned()),
        room: Set((number / HOUSEHOLD).to_string()),
        created_at: Set(now),
    });
    insert(state, doors).await?;
    let sealed = state.keys.encrypt("residencies.real_name", "测试")?;
    let homes = (0..residents).map(|number| residency::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        user_id: Set(id(number)),
        household_id: Set(door(number)),
        building_id: Set(place_id(BUILDING)),
        community_id: Set(community()),
        place_path: Set(BUILDING.to_owned()),
        state: Set(ResidencyState::Approved),
        real_name_cipher: Set(sealed.clone()),
        phone_cipher: Set(sealed.clone()),
        phone_hash: Set(format!("bench-{number}")),
        applied_at: Set(now),
        decided_by: Set(Some(user_id("district"))),
        decided_at: Set(Some(now)),
        reject_reason: Set(None),
    });
    insert(state, homes).await?;
    let grants = (residents..residents + staff).map(|number| grant::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        user_id: Set(id(number)),
        role: Set(Role::CommunityStaff),
        place_id: Set(community()),
        place_path: Set(COMMUNITY.to_owned()),
        given_by: Set(Some(user_id("district"))),
        given_at: Set(now),
        until: Set(None),
        revoked_by: Set(None),
        revoked_at: Set(None),
    });
    insert(state, grants).await
}

fn person(number: u32, now: DateTime<Utc>) -> user::ActiveModel {
    user::ActiveModel {
        id: Set(id(number)),
        openid: Set(openid(number)),
        unionid: Set(None),
        nickname: Set(format!("王{number}")),
        board_opt_out: Set(false),
        last_login_at: Set(now),
        created_at: Set(now),
    }
}

/// Puts rows in, a thousand in one statement.
pub async fn insert<A>(state: &AppState, rows: impl IntoIterator<Item = A>) -> Result<(), Failure>
where
    A: ActiveModelTrait + ActiveModelBehavior + Send,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    let mut rows = rows.into_iter();
    loop {
        let some: Vec<A> = rows.by_ref().take(ROWS).collect();
        if some.is_empty() {
            return Ok(());
        }
        <A::Entity as EntityTrait>::insert_many(some).exec_without_returning(state.db.read()).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_sql() {
        assert_eq!(id(0x1f).to_string(), "0be9c000-0000-7000-8000-00000000001f");
    }
}
