//! What somebody has served, as the ministry's record asks for it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{ActivityId, CorrectionId, CorrectionRequestId, PlaceId, ShiftId, SignupId, UserId};
use entities::places::place;
use entities::volunteering::{
    CorrectionRequestState, activity, correction_request, service_correction, service_record, shift, signup,
};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use serde::Serialize;
use utoipa::ToSchema;

use crate::platform::http::Problem;
use crate::volunteering::SignupState;

/// One service: presence, what was confirmed of it, and every correction.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ServiceRecord {
    /// The sign-up.
    pub id: SignupId,
    /// How far it has come: `checked_in`, `in_review`, `checked_out` or `credited`.
    pub state: SignupState,
    /// What was served in.
    pub activity_id: Option<ActivityId>,
    /// The activity's title.
    pub activity: String,
    /// The place's name.
    pub place: String,
    /// The shift's beginning.
    pub starts_at: DateTime<Utc>,
    /// The shift's end.
    pub ends_at: DateTime<Utc>,
    /// When the person came.
    pub checked_in_at: Option<DateTime<Utc>>,
    /// When the person left.
    pub checked_out_at: Option<DateTime<Utc>>,
    /// Why somebody else said when the person left, who had not checked out.
    pub review_reason: Option<String>,
    /// The figure that counts, after all corrections; travel does not count.
    pub minutes: Option<i64>,
    /// The figure that was sealed.
    pub sealed_minutes: Option<i64>,
    /// Points for the sealed figure.
    pub points: Option<i64>,
    /// Whom it reached.
    pub people_served: Option<i32>,
    /// What was done.
    pub content: Option<String>,
    /// Quality, 1 to 5.
    pub rating: Option<i32>,
    /// Who was responsible.
    pub responsible: Option<String>,
    /// Who recorded it.
    pub recorded_by: Option<String>,
    /// When.
    pub recorded_at: Option<DateTime<Utc>>,
    /// Oldest first.
    pub corrections: Vec<CorrectionView>,
    /// One's wishes for a correction, oldest first.
    pub requests: Vec<RequestView>,
}

/// A correction: both figures, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct CorrectionView {
    pub id: CorrectionId,
    pub minutes_before: i64,
    pub minutes: i64,
    /// Points that came with it; fewer minutes take none back.
    pub points: i64,
    pub reason: String,
    pub corrected_at: DateTime<Utc>,
}

impl From<service_correction::Model> for CorrectionView {
    fn from(row: service_correction::Model) -> Self {
        let service_correction::Model { id, minutes_before, minutes, points, reason, corrected_at, .. } = row;
        Self { id, minutes_before, minutes, points, reason, corrected_at }
    }
}

/// A wish for a correction.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct RequestView {
    pub id: CorrectionRequestId,
    pub signup_id: SignupId,
    pub state: CorrectionRequestState,
    /// What the volunteer thinks is right, if they say.
    pub minutes: Option<i64>,
    pub reason: String,
    pub answer: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl From<correction_request::Model> for RequestView {
    fn from(row: correction_request::Model) -> Self {
        let correction_request::Model { id, signup_id, state, minutes, reason, answer, created_at, .. } = row;
        Self { id, signup_id, state, minutes, reason, answer, created_at }
    }
}

/// A person's sign-ups that stand for presence.
pub(in crate::volunteering) fn present(person: UserId) -> Select<signup::Entity> {
    use SignupState::{CheckedIn, CheckedOut, Credited, InReview};
    signup::Entity::find()
        .filter(signup::Column::UserId.eq(person))
        .filter(signup::Column::State.is_in([CheckedIn, InReview, CheckedOut, Credited]))
}

/// Confirmed minutes of a person, as corrected; of one community, or of all.
pub async fn served_minutes(
    connection: &impl ConnectionTrait,
    person: UserId,
    community: Option<PlaceId>,
) -> Result<i64, Problem> {
    let sealed: Option<i64> = service_record::Entity::find()
        .select_only()
        .column_as(Expr::cust("CAST(COALESCE(SUM(minutes), 0) AS bigint)"), "minutes")
        .filter(service_record::Column::UserId.eq(person))
        .apply_if(community, |query, id| query.filter(service_record::Column::CommunityId.eq(id)))
        .into_tuple()
        .one(connection)
        .await?;
    let corrected: Option<i64> = service_correction::Entity::find()
        .select_only()
        .column_as(Expr::cust("CAST(COALESCE(SUM(delta), 0) AS bigint)"), "minutes")
        .filter(service_correction::Column::UserId.eq(person))
        .apply_if(community, |query, id| query.filter(service_correction::Column::CommunityId.eq(id)))
        .into_tuple()
        .one(connection)
        .await?;
    Ok(sealed.unwrap_or_default() + corrected.unwrap_or_default())
}

/// A person's confirmed services in a community that began within a time, oldest first, at most so many.
pub async fn credited(
    connection: &impl ConnectionTrait,
    person: UserId,
    community: PlaceId,
    (from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    limit: u64,
) -> Result<Vec<ServiceRecord>, Problem> {
    let rows = signup::Entity::find()
        .filter(signup::Column::UserId.eq(person))
        .filter(signup::Column::CommunityId.eq(community))
        .filter(signup::Column::State.eq(SignupState::Credited))
        .apply_if(from, |query, from| query.filter(signup::Column::StartsAt.gte(from)))
        .apply_if(to, |query, to| query.filter(signup::Column::StartsAt.lt(to)))
        .order_by_asc(signup::Column::StartsAt)
        .order_by_asc(signup::Column::Id)
        .limit(limit)
        .all(connection)
        .await?;
    of_signups(connection, rows).await
}

/// Sign-ups as records, in their order: a few queries, however many there are.
pub(in crate::volunteering) async fn of_signups(
    connection: &impl ConnectionTrait,
    rows: Vec<signup::Model>,
) -> Result<Vec<ServiceRecord>, Problem> {
    let ids: Vec<SignupId> = rows.iter().map(|row| row.id).collect();
    let shifts = shift::Entity::find().filter(shift::Column::Id.is_in(rows.iter().map(|row| row.shift_id)));
    let shifts: HashMap<ShiftId, ActivityId> =
        shifts.all(connection).await?.into_iter().map(|row| (row.id, row.activity_id)).collect();
    let activities = activity::Entity::find().filter(activity::Column::Id.is_in(shifts.values().copied()));
    let activities: HashMap<ActivityId, activity::Model> =
        activities.all(connection).await?.into_iter().map(|row| (row.id, row)).collect();
    let places = place::Entity::find().filter(place::Column::Id.is_in(activities.values().map(|row| row.place_id)));
    let places: HashMap<PlaceId, String> =
        places.all(connection).await?.into_iter().map(|row| (row.id, row.name)).collect();
    let records = service_record::Entity::find().filter(service_record::Column::SignupId.is_in(ids.iter().copied()));
    let mut records: HashMap<SignupId, service_record::Model> =
        records.all(connection).await?.into_iter().map(|row| (row.signup_id, row)).collect();
    let recorders = user::Entity::find().filter(user::Column::Id.is_in(records.values().map(|row| row.recorded_by)));
    let recorders: HashMap<UserId, String> =
        recorders.all(connection).await?.into_iter().map(|row| (row.id, row.nickname)).collect();
    let mut corrections: HashMap<SignupId, Vec<CorrectionView>> = HashMap::new();
    let all = service_correction::Entity::find()
        .filter(service_correction::Column::SignupId.is_in(ids.iter().copied()))
        .order_by_asc(service_correction::Column::Seq);
    for row in all.all(connection).await? {
        corrections.entry(row.signup_id).or_default().push(row.into());
    }
    let mut requests: HashMap<SignupId, Vec<RequestView>> = HashMap::new();
    let all = correction_request::Entity::find()
        .filter(correction_request::Column::SignupId.is_in(ids.iter().copied()))
        .order_by_asc(correction_request::Column::Id);
    for row in all.all(connection).await? {
        requests.entry(row.signup_id).or_default().push(row.into());
    }
    let views = rows.into_iter().map(|row| {
        let activity = shifts.get(&row.shift_id).and_then(|id| activities.get(id));
        let record = records.remove(&row.id);
        let corrections = corrections.remove(&row.id).unwrap_or_default();
        let reviewed = row.proof.get("check_out").and_then(|proof| proof.get("reason")).and_then(|text| text.as_str());
        ServiceRecord {
            id: row.id,
            state: row.state,
            activity_id: activity.map(|activity| activity.id),
            activity: activity.map(|activity| activity.title.clone()).unwrap_or_default(),
            place: activity.and_then(|activity| places.get(&activity.place_id).cloned()).unwrap_or_default(),
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            checked_in_at: row.checked_in_at,
            checked_out_at: row.checked_out_at,
            review_reason: reviewed.map(str::to_owned),
            minutes: corrections.last().map(|last| last.minutes).or(row.minutes),
            sealed_minutes: row.minutes,
            points: row.points,
            people_served: record.as_ref().and_then(|record| record.people_served),
            rating: record.as_ref().and_then(|record| record.rating),
            recorded_by: record.as_ref().and_then(|record| recorders.get(&record.recorded_by).cloned()),
            recorded_at: record.as_ref().map(|record| record.recorded_at),
            responsible: record.as_ref().map(|record| record.responsible.clone()),
            content: record.map(|record| record.content),
            corrections,
            requests: requests.remove(&row.id).unwrap_or_default(),
        }
    });
    Ok(views.collect())
}
