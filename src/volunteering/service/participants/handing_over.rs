//! A course of a project: who came to a session becomes a service record of the project, once a session.

use std::collections::HashMap;

use entities::delivery::service;
use entities::ids::{AttendanceId, ProjectId, ServiceId, SessionId};
use entities::volunteering::{activity, attendance, attendance_group};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use super::{in_charge, lock};
use crate::delivery::{self, Attendee, NewService, ServiceKind};
use crate::identity::Actor;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// Whether a session's attendance belongs to a project's records; from then on corrections are made there.
pub(super) async fn is_handed_over(connection: &impl ConnectionTrait, id: SessionId) -> Result<bool, Problem> {
    Ok(service::Entity::find().filter(service::Column::SourceId.eq(id.0)).one(connection).await?.is_some())
}

/// Hands the attendance of a session that is over to a project, for who is in charge of the session and acts for the project's
/// implementer or programme. The supervisor or somebody else of the staff confirms it there, like any other record.
pub(in crate::volunteering) async fn hand_over(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SessionId,
    (project, kind): (ProjectId, ServiceKind),
) -> Result<ServiceId, Problem> {
    // The lock makes two who hand the same session over come one after the other.
    let session = lock(txn, id).await?;
    if !in_charge(actor, &session) {
        return Err(Code::NotFound.into());
    }
    if state.clock.now() < session.ends_at {
        return Err(Code::SessionNotOver.into());
    }
    let activity = activity::Entity::find_by_id(session.activity_id).one(txn).await?.ok_or(Code::Internal)?;
    let came = attendance::Entity::find().filter(attendance::Column::SessionId.eq(id)).all(txn).await?;
    let mut groups: HashMap<AttendanceId, Vec<String>> = HashMap::new();
    let named = attendance_group::Entity::find()
        .filter(attendance_group::Column::AttendanceId.is_in(came.iter().map(|row| row.id)));
    for row in named.all(txn).await? {
        groups.entry(row.attendance_id).or_default().push(row.name);
    }
    let attendees = came.into_iter().map(|row| {
        let who = match (row.user_id, &row.name_cipher) {
            (Some(person), _) => Ok(person),
            (None, sealed) => {
                let name = state.keys.decrypt("attendances.name", sealed.as_deref().unwrap_or_default());
                Err(name.map_err(|error| Problem::from(Code::Internal).caused_by(error))?)
            }
        };
        Ok(Attendee { who, groups: groups.remove(&row.id).unwrap_or_default() })
    });
    let attendees = attendees.collect::<Result<Vec<_>, Problem>>()?;
    let new = NewService {
        kind,
        held_on: calendar::day(session.starts_at),
        place: &activity.title,
        content: &session.title,
        heads: 0,
        reached: 0,
        group_heads: Vec::new(),
        indicators: Vec::new(),
        people: Vec::new(),
        source: Some(id.0),
    };
    delivery::record_session(state, txn, actor, project, new, &attendees).await
}
