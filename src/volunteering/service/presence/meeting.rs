use entities::ids::{ActivityId, PlaceId, ShiftId};
use entities::volunteering::meeting_point::Column::{Latitude, Longitude, RadiusM, SetAt, SetBy, TargetId};
use entities::volunteering::{activity, meeting_point, shift};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audit;
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::geo::Point;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::volunteering::domain;
use crate::volunteering::service::find_shift;

/// Where a phone said it was.
#[derive(Clone, Copy)]
pub(in crate::volunteering) struct Sighting {
    pub point: Point,
    /// The radius in metres within which the phone believes to be.
    pub accuracy_m: Option<f64>,
}

/// What a meeting point belongs to.
#[derive(Clone, Copy)]
pub(in crate::volunteering) enum Expected {
    Activity(ActivityId),
    Shift(ShiftId),
}

impl Expected {
    fn id(self) -> Uuid {
        match self {
            Self::Activity(id) => id.0,
            Self::Shift(id) => id.0,
        }
    }

    /// Whose it is, if the actor may set it: staff of the place.
    async fn require(self, txn: &DatabaseTransaction, actor: &Actor) -> Result<(&'static str, PlaceId), Problem> {
        let (kind, path, community) = match self {
            Self::Activity(id) => {
                let row = activity::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
                ("activity", row.place_path, row.community_id)
            }
            Self::Shift(id) => {
                let row = find_shift(txn, id).await?;
                ("shift", row.place_path, row.community_id)
            }
        };
        actor.require(Permission::ManageActivities, &path)?;
        Ok((kind, community))
    }
}

/// Sets where people are expected.
pub(in crate::volunteering) async fn place(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    of: Expected,
    point: Point,
    radius_m: i32,
) -> Result<meeting_point::Model, Problem> {
    let (kind, community) = of.require(txn, actor).await?;
    let (activity_id, shift_id) = match of {
        Expected::Activity(id) => (Some(id), None),
        Expected::Shift(id) => (None, Some(id)),
    };
    let row = meeting_point::ActiveModel {
        target_id: Set(of.id()),
        activity_id: Set(activity_id),
        shift_id: Set(shift_id),
        latitude: Set(point.lat),
        longitude: Set(point.lng),
        radius_m: Set(radius_m),
        set_by: Set(actor.user_id),
        set_at: Set(state.clock.now()),
    };
    let newer = OnConflict::column(TargetId).update_columns([Latitude, Longitude, RadiusM, SetBy, SetAt]).to_owned();
    let row = meeting_point::Entity::insert(row).on_conflict(newer).exec_with_returning(txn).await?;
    let target = (kind, of.id());
    audit::record(state, txn, Some(actor.user_id), "meeting_point.set", target, Some(community), json!({})).await?;
    Ok(row)
}

/// Takes a meeting point away; a shift's gives way to its activity's.
pub(in crate::volunteering) async fn clear(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    of: Expected,
) -> Result<(), Problem> {
    let (kind, community) = of.require(txn, actor).await?;
    meeting_point::Entity::delete_by_id(of.id()).exec(txn).await?;
    let target = (kind, of.id());
    audit::record(state, txn, Some(actor.user_id), "meeting_point.clear", target, Some(community), json!({})).await
}

/// Where a shift expects people: its own point, else its activity's.
async fn expected(
    connection: &impl ConnectionTrait,
    shift: &shift::Model,
) -> Result<Option<meeting_point::Model>, Problem> {
    let points =
        meeting_point::Entity::find().filter(TargetId.is_in([shift.id.0, shift.activity_id.0])).all(connection).await?;
    let (own, others): (Vec<_>, Vec<_>) = points.into_iter().partition(|point| point.shift_id.is_some());
    Ok(own.into_iter().chain(others).next())
}

/// [`expected`] of a shift by its id, or 404.
pub(in crate::volunteering) async fn expected_at(
    connection: &impl ConnectionTrait,
    shift: ShiftId,
) -> Result<meeting_point::Model, Problem> {
    let shift = find_shift(connection, shift).await?;
    expected(connection, &shift).await?.ok_or_else(|| Code::NotFound.into())
}

/// What is stored of a phone's position: rounded to about 100 m, with its distance from where people are expected.
pub(super) async fn hint(
    connection: &impl ConnectionTrait,
    shift: &shift::Model,
    sighting: Option<Sighting>,
) -> Result<Option<Value>, Problem> {
    let Some(Sighting { point, accuracy_m }) = sighting else { return Ok(None) };
    let round = |degrees: f64| (degrees * 1000.0).round() / 1000.0;
    let mut hint = json!({ "latitude": round(point.lat), "longitude": round(point.lng) });
    let expected = expected(connection, shift).await?;
    if let Some(hint) = hint.as_object_mut() {
        if let Some(accuracy_m) = accuracy_m {
            hint.insert("accuracy_m".to_owned(), json!(accuracy_m.round()));
        }
        if let Some(expected) = expected {
            let there = Point { lat: expected.latitude, lng: expected.longitude };
            let distance = point.metres_to(there);
            let nearness = domain::nearness(distance, accuracy_m.unwrap_or_default(), f64::from(expected.radius_m));
            hint.insert("distance_m".to_owned(), json!((distance / 10.0).round() * 10.0));
            hint.insert("radius_m".to_owned(), json!(expected.radius_m));
            hint.insert("nearness".to_owned(), json!(nearness));
        }
    }
    Ok(Some(hint))
}
