//! The policy in a handler's argument: who is calling, with the grants they hold now.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use chrono::{DateTime, Utc};
use entities::identity::{grant, residency};
use entities::ids::{HouseholdId, PlaceId, UserId};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::ResidencyState;
use super::domain::{Held, Permission};
use crate::places::is_within;
use crate::platform::code::Code;
use crate::platform::http::{Caller, Problem};
use crate::platform::state::AppState;

/// Somebody signed in. Taking an `Actor` is a handler's policy "anybody signed in"; what needs more begins with
/// [`Actor::require`] or [`Actor::require_resident`].
#[derive(Clone, Debug)]
pub struct Actor {
    /// The person.
    pub user_id: UserId,
    /// The sign-in that the access token descends from.
    pub family: Uuid,
    grants: Arc<[grant::Model]>,
    now: DateTime<Utc>,
}

/// Where a verified person lives.
#[derive(Clone, Debug)]
pub struct Residence {
    /// The tenant.
    pub community_id: PlaceId,
    /// The building.
    pub building_id: PlaceId,
    /// The door.
    pub household_id: HouseholdId,
    /// The building's path.
    pub place_path: String,
}

impl From<residency::Model> for Residence {
    fn from(row: residency::Model) -> Self {
        let residency::Model { community_id, building_id, household_id, place_path, .. } = row;
        Self { community_id, building_id, household_id, place_path }
    }
}

impl Actor {
    /// Whether a grant gives a permission at a place.
    pub fn may(&self, permission: Permission, path: &str) -> bool {
        self.held().any(|grant| grant.gives(permission, path, self.now))
    }

    /// 403 unless a grant gives the permission at the place.
    pub fn require(&self, permission: Permission, path: &str) -> Result<(), Problem> {
        if self.may(permission, path) { Ok(()) } else { Err(Code::Forbidden.into()) }
    }

    /// The paths at which a permission is held; 403 if there is none. For lists over all of one's places.
    pub fn require_somewhere(&self, permission: Permission) -> Result<Vec<&str>, Problem> {
        let paths: Vec<_> =
            self.held().filter(|grant| grant.gives(permission, grant.path, self.now)).map(|grant| grant.path).collect();
        if paths.is_empty() { Err(Code::Forbidden.into()) } else { Ok(paths) }
    }

    /// Where the person lives; 403 `not_verified` if nobody has confirmed that, `not_resident_here` if it is elsewhere.
    pub async fn require_resident(&self, connection: &impl ConnectionTrait, path: &str) -> Result<Residence, Problem> {
        let residence = self.require_verified(connection).await?;
        if is_within(&residence.place_path, path) { Ok(residence) } else { Err(Code::NotResidentHere.into()) }
    }

    /// Where the person lives; 403 `not_verified` if nobody has confirmed that.
    pub async fn require_verified(&self, connection: &impl ConnectionTrait) -> Result<Residence, Problem> {
        residence(connection, self.user_id).await?.ok_or_else(|| Code::NotVerified.into())
    }

    /// The grants that count now.
    pub fn held(&self) -> impl Iterator<Item = Held<'_>> {
        self.grants.iter().filter(|grant| grant.until.is_none_or(|until| self.now < until)).map(|grant| Held {
            role: grant.role,
            path: &grant.place_path,
            until: grant.until,
        })
    }

    /// The actor behind a valid access token.
    pub async fn load(state: &AppState, caller: Caller) -> Result<Self, Problem> {
        let grants = if let Some(grants) = state.grants.get(&caller.user_id) {
            grants
        } else {
            let grants: Arc<[_]> = grants_of(state.db.read(), caller.user_id).await?.into();
            state.grants.insert(caller.user_id, Arc::clone(&grants));
            grants
        };
        Ok(Self { user_id: caller.user_id, family: caller.family, grants, now: state.clock.now() })
    }
}

/// A person's grants that nobody has taken back; their end is not looked at.
pub(super) async fn grants_of(connection: &impl ConnectionTrait, user: UserId) -> Result<Vec<grant::Model>, Problem> {
    let live = grant::Entity::find().filter(grant::Column::UserId.eq(user)).filter(grant::Column::RevokedAt.is_null());
    Ok(live.all(connection).await?)
}

/// Whether somebody holds a permission at a place at a time: for naming people who are not calling.
pub async fn holds(
    connection: &impl ConnectionTrait,
    user: UserId,
    permission: Permission,
    path: &str,
    at: DateTime<Utc>,
) -> Result<bool, Problem> {
    let grants = grants_of(connection, user).await?;
    let mut held = grants.iter().map(|grant| Held { role: grant.role, path: &grant.place_path, until: grant.until });
    Ok(held.any(|grant| grant.gives(permission, path, at)))
}

/// Where somebody lives, once that is confirmed.
pub async fn residence(connection: &impl ConnectionTrait, user: UserId) -> Result<Option<Residence>, Problem> {
    let row = residency::Entity::find()
        .filter(residency::Column::UserId.eq(user))
        .filter(residency::Column::State.eq(ResidencyState::Approved))
        .one(connection)
        .await?;
    Ok(row.map(Residence::from))
}

impl FromRequest for Actor {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found =
            request.app_data::<web::Data<AppState>>().cloned().ok_or(Problem::from(Code::Internal)).and_then(|state| {
                let caller = Caller::of_request(&state, request)?;
                Ok((state, caller))
            });
        Box::pin(async move {
            let (state, caller) = found?;
            Self::load(&state, caller).await
        })
    }
}
