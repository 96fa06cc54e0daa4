use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use entities::ids::{ActivityId, AttendanceId, SessionId, UserId};
use entities::volunteering::{
    EnrolmentState, activity, attendance, attendance_group, beneficiary_group, enrolment, session,
};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, JoinType, PaginatorTrait,
    QueryFilter, QuerySelect,
};
use serde_json::json;

use super::{enrolment::known_groups, find, handing_over::is_handed_over, in_charge, lock, span};
use crate::audit;
use crate::identity::{Actor, Permission};
use crate::places;
use crate::platform::check_in;
use crate::platform::code::Code;
use crate::platform::crypto::{Purpose, hex};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::volunteering::domain::{Count, Figures, Span};

/// The list can be completed for so long after a session.
const LIST_OPEN: TimeDelta = TimeDelta::days(7);

/// The caller is there, holding the code on the leader's screen. Repeated, it answers the same.
pub(in crate::volunteering) async fn attend(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SessionId,
    code: &str,
) -> Result<(), Problem> {
    let session = find(txn, id).await?;
    if !check_in::is_good(state, id.0, code) {
        return Err(Code::CheckInCodeInvalid.into());
    }
    let own = enrolment::Entity::find()
        .filter(enrolment::Column::SessionId.eq(id))
        .filter(enrolment::Column::UserId.eq(actor.user_id))
        .filter(enrolment::Column::State.eq(EnrolmentState::Enrolled));
    let own = own.one(txn).await?.ok_or(Code::NotEnrolled)?;
    let early = places::rules(state, txn, session.community_id).await?.check_in_early_minutes;
    let open = Span { from: session.starts_at - TimeDelta::minutes(early), to: session.ends_at };
    if !open.contains(state.clock.now()) {
        return Err(Code::CheckInWindow.into());
    }
    let groups: Vec<String> = serde_json::from_value(own.belongs_to).unwrap_or_default();
    write(state, txn, actor, &session, "code", &Who::Person(actor.user_id), &groups).await?;
    Ok(())
}

/// Somebody on the leader's list.
pub(in crate::volunteering) enum Who {
    Person(UserId),
    /// Somebody without a phone.
    Named(String),
}

/// A line of the leader's list: who was there, and in which groups they count; those that an enrolled person chose, if none are named.
pub(in crate::volunteering) struct Ticked {
    pub who: Who,
    pub groups: Option<Vec<String>>,
}

/// The leader or staff say who was there, by list. Gives for each line whether it is new, or why it was not taken.
pub(in crate::volunteering) async fn tick(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SessionId,
    list: &[Ticked],
) -> Result<Vec<Result<bool, Code>>, Problem> {
    let session = lock(txn, id).await?;
    if !in_charge(actor, &session) {
        return Err(Code::NotFound.into());
    }
    if is_handed_over(txn, id).await? {
        return Err(Code::SessionHandedOver.into());
    }
    let early = places::rules(state, txn, session.community_id).await?.check_in_early_minutes;
    let open = Span { from: session.starts_at - TimeDelta::minutes(early), to: session.ends_at + LIST_OPEN };
    if !open.contains(state.clock.now()) {
        return Err(Code::CheckInWindow.into());
    }
    let named = list.iter().filter_map(|line| match line.who {
        Who::Person(person) => Some(person),
        Who::Named(_) => None,
    });
    let enrolled = enrolment::Entity::find()
        .filter(enrolment::Column::SessionId.eq(id))
        .filter(enrolment::Column::UserId.is_in(named))
        .filter(enrolment::Column::State.ne(EnrolmentState::Cancelled));
    let enrolled: HashMap<UserId, Vec<String>> = enrolled
        .all(txn)
        .await?
        .into_iter()
        .map(|row| (row.user_id, serde_json::from_value(row.belongs_to).unwrap_or_default()))
        .collect();
    for (at, line) in list.iter().enumerate() {
        let groups = line.groups.as_deref().unwrap_or_default();
        known_groups(txn, session.activity_id, groups, &format!("/people/{at}/groups")).await?;
    }
    let mut outcomes = Vec::with_capacity(list.len());
    let mut new = 0;
    for line in list {
        let chosen = match line.who {
            // Nobody says of themself that they were there.
            Who::Person(person) if person == actor.user_id => Err(Code::OwnAct),
            // Not a way to find out who has an account: the list is of those who enrolled.
            Who::Person(person) => enrolled.get(&person).cloned().ok_or(Code::NotEnrolled),
            Who::Named(_) => Ok(Vec::new()),
        };
        let outcome = match chosen {
            Ok(chosen) => {
                let groups = line.groups.clone().unwrap_or(chosen);
                Ok(write(state, txn, actor, &session, "list", &line.who, &groups).await?)
            }
            Err(code) => Err(code),
        };
        new += usize::from(outcome == Ok(true));
        outcomes.push(outcome);
    }
    let detail = json!({ "people": new });
    let target = ("session", id.0);
    audit::record(state, txn, Some(actor.user_id), "session.attendance", target, Some(session.community_id), detail)
        .await?;
    Ok(outcomes)
}

/// Writes an attendance unless it stands already: `attendances_once` decides.
async fn write(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    session: &session::Model,
    method: &str,
    who: &Who,
    groups: &[String],
) -> Result<bool, Problem> {
    let (user_id, name_cipher, key) = match who {
        Who::Person(person) => (Some(*person), None, person.to_string()),
        Who::Named(name) => {
            let name = name.trim();
            let sealed = state.keys.encrypt("attendances.name", name);
            let sealed = sealed.map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
            let message = [session.activity_id.0.as_bytes().as_slice(), name.as_bytes()].concat();
            let key = state.keys.sign(Purpose::AttendanceName, &message);
            (None, Some(sealed), hex(key.get(..16).unwrap_or_default()))
        }
    };
    let id: AttendanceId = ids::ordered(&state.clock);
    let row = attendance::ActiveModel {
        id: Set(id),
        session_id: Set(session.id),
        activity_id: Set(session.activity_id),
        user_id: Set(user_id),
        name_cipher: Set(name_cipher),
        who: Set(key),
        method: Set(method.to_owned()),
        recorded_by: Set(actor.user_id),
        recorded_at: Set(state.clock.now()),
    };
    let once = OnConflict::columns([attendance::Column::SessionId, attendance::Column::Who]).do_nothing().to_owned();
    if attendance::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await? == 0 {
        return Ok(false);
    }
    let groups: Vec<_> = groups
        .iter()
        .map(|name| attendance_group::ActiveModel {
            attendance_id: Set(id),
            activity_id: Set(session.activity_id),
            name: Set(name.clone()),
        })
        .collect();
    if !groups.is_empty() {
        attendance_group::Entity::insert_many(groups).exec_without_returning(txn).await?;
    }
    Ok(true)
}

/// Takes back a tick that was a mistake.
pub(in crate::volunteering) async fn untick(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (id, attendance_id): (SessionId, AttendanceId),
) -> Result<(), Problem> {
    let session = lock(txn, id).await?;
    if !in_charge(actor, &session) {
        return Err(Code::NotFound.into());
    }
    if is_handed_over(txn, id).await? {
        return Err(Code::SessionHandedOver.into());
    }
    if state.clock.now() >= span(&session).to + LIST_OPEN {
        return Err(Code::CheckInWindow.into());
    }
    let wanted = attendance::Entity::find_by_id(attendance_id).filter(attendance::Column::SessionId.eq(id));
    if wanted.count(txn).await? == 0 {
        return Err(Code::NotFound.into());
    }
    let groups = attendance_group::Entity::delete_many();
    groups.filter(attendance_group::Column::AttendanceId.eq(attendance_id)).exec(txn).await?;
    attendance::Entity::delete_by_id(attendance_id).exec(txn).await?;
    let target = ("session", id.0);
    let place = Some(session.community_id);
    audit::record(state, txn, Some(actor.user_id), "session.attendance_undone", target, place, json!({})).await
}

/// Counts an activity's participants. Says whether the actor is staff there, who see every cell.
pub(in crate::volunteering) async fn figures(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    id: ActivityId,
) -> Result<(activity::Model, Figures, bool), Problem> {
    let activity = activity::Entity::find_by_id(id).one(connection).await?.ok_or(Code::NotFound)?;
    let staff = actor.may(Permission::ManageActivities, &activity.place_path);
    let count = |(people, person_times)| Count { people, person_times };
    let total: Option<(i64, i64)> = attendance::Entity::find()
        .select_only()
        .expr(Expr::cust("COUNT(DISTINCT who)"))
        .expr(Expr::cust("COUNT(*)"))
        .filter(attendance::Column::ActivityId.eq(id))
        .into_tuple()
        .one(connection)
        .await?;
    // A group that nobody was in is there with nothing.
    let named = beneficiary_group::Entity::find().filter(beneficiary_group::Column::ActivityId.eq(id));
    let mut groups: BTreeMap<String, Count> =
        named.all(connection).await?.into_iter().map(|row| (row.name, Count::default())).collect();
    let counted: Vec<(String, i64, i64)> = attendance_group::Entity::find()
        .select_only()
        .column(attendance_group::Column::Name)
        .expr(Expr::cust("COUNT(DISTINCT attendances.who)"))
        .expr(Expr::cust("COUNT(*)"))
        .join(
            JoinType::InnerJoin,
            attendance_group::Entity::belongs_to(attendance::Entity)
                .from(attendance_group::Column::AttendanceId)
                .to(attendance::Column::Id)
                .into(),
        )
        .filter(attendance_group::Column::ActivityId.eq(id))
        .group_by(attendance_group::Column::Name)
        .into_tuple()
        .all(connection)
        .await?;
    groups.extend(counted.into_iter().map(|(name, people, times)| (name, count((people, times)))));
    let figures = Figures { total: total.map(count).unwrap_or_default(), groups };
    Ok((activity, figures, staff))
}
