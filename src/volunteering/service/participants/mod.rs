//! Participants of courses, fairs and performances: enrol, attend, be counted by group. They are no volunteers: enrolling needs no
//! verification, and brings no minutes and no points.
//!
//! Whoever changes the places taken or the waiting list of a session holds its row, as with shifts.

mod attendance;
mod enrolment;
mod handing_over;
mod planning;

use entities::ids::SessionId;
use entities::volunteering::session;
use sea_orm::sea_query::LockType;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, QuerySelect};

use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::volunteering::domain::Span;

pub(in crate::volunteering) use attendance::{Ticked, Who, attend, figures, tick, untick};
pub(in crate::volunteering) use enrolment::{enrol, step_back};
pub(in crate::volunteering) use handing_over::hand_over;
pub(in crate::volunteering) use planning::{Plan, add, name_groups};

/// The session's leader or staff of the place.
pub(in crate::volunteering) fn in_charge(actor: &Actor, session: &session::Model) -> bool {
    session.leader_id == actor.user_id || actor.may(Permission::ManageActivities, &session.place_path)
}

/// A session by its id, or 404.
pub(in crate::volunteering) async fn find(
    connection: &impl ConnectionTrait,
    id: SessionId,
) -> Result<session::Model, Problem> {
    session::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// A session whose places and waiting list stand still until the transaction ends, or 404.
async fn lock(txn: &DatabaseTransaction, id: SessionId) -> Result<session::Model, Problem> {
    session::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or_else(|| Code::NotFound.into())
}

fn span(session: &session::Model) -> Span {
    Span { from: session.starts_at, to: session.ends_at }
}
