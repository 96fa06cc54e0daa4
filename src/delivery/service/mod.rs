//! Delivery's commands. Each locks the project first, so that what one person hands in and what another closes come one after
//! the other.

pub(super) mod closing;
pub(super) mod correcting;
pub(super) mod figures;
pub(super) mod findings;
pub(super) mod handing_in;
pub(super) mod milestones;
pub(super) mod recording;
pub(super) mod register;
pub(super) mod visiting;

use chrono::NaiveDate;
use entities::delivery::{FileOwner, file_use};
use entities::files::{FileState, file};
use entities::ids::{FileId, ProjectId, UserId};
use entities::projects::{Part, ProjectState, project};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
};
use uuid::Uuid;

use crate::files::{self, Audience, Links};
use crate::identity::Actor;
use crate::notifications::{self, Message, Template};
use crate::organisations;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::projects;
use crate::projects::Who;

/// What somebody is in a project.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    /// Acts for who carries it out.
    pub implementer: bool,
    /// Acts for who follows the work.
    pub supervisor: bool,
    /// Acts for who judges it.
    pub evaluator: bool,
    /// Runs the programme that pays for it, or the place where there is none.
    pub staff: bool,
}

impl Standing {
    /// Whether the project's own papers are shown.
    pub fn is_inside(self) -> bool {
        self.implementer || self.supervisor || self.evaluator || self.staff
    }

    /// Whether names of those who were served are shown.
    pub fn reads_names(self) -> bool {
        self.implementer || self.supervisor || self.evaluator
    }
}

/// What the actor is in a project, as [`projects::roles`] says.
pub async fn standing(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    project: &project::Model,
) -> Result<Standing, Problem> {
    let roles = projects::roles(connection, actor, std::slice::from_ref(project)).await?;
    let is = |who| roles.values().flatten().any(|role| *role == who);
    Ok(Standing {
        implementer: is(Who::Implementer),
        supervisor: is(Who::Supervisor),
        evaluator: is(Who::Evaluator),
        staff: is(Who::Programme),
    })
}

/// A project, or 404.
pub async fn find(connection: &impl ConnectionTrait, id: ProjectId) -> Result<project::Model, Problem> {
    project::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// Locks a project that is being carried out, for somebody who is in it what `is` says.
pub(in crate::delivery) async fn lock_running(
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    is: impl Fn(Standing) -> bool,
) -> Result<project::Model, Problem> {
    let project = projects::lock(txn, id).await?;
    require(txn, actor, &project, is).await?;
    if project.state == ProjectState::Running { Ok(project) } else { Err(Code::ProjectNotRunning.into()) }
}

/// 403 unless somebody is in the project what `is` says.
pub async fn require(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    project: &project::Model,
    is: impl Fn(Standing) -> bool,
) -> Result<Standing, Problem> {
    let standing = standing(connection, actor, project).await?;
    if is(standing) { Ok(standing) } else { Err(Code::Forbidden.into()) }
}

/// The people of the organisation with a part in a project; nobody while there is none.
pub async fn people_of(
    connection: &impl ConnectionTrait,
    project: ProjectId,
    part: Part,
) -> Result<Vec<UserId>, Problem> {
    match projects::party(connection, project, part).await? {
        Some(organisation) => organisations::people_of(connection, organisation).await,
        None => Ok(Vec::new()),
    }
}

/// Tells people of something in a project.
pub(super) async fn tell(
    state: &AppState,
    txn: &DatabaseTransaction,
    people: &[UserId],
    (kind, dedupe): (&str, Uuid),
    title: &str,
    body: String,
    project: ProjectId,
) -> Result<(), Problem> {
    let message = Message {
        kind,
        title: title.to_owned(),
        body,
        target: Some(("project", project.0)),
        dedupe_key: format!("{kind}:{dedupe}"),
        template: Template::Project,
    };
    notifications::tell_all(state, txn, people, &message).await
}

/// A day that has been; the answer to another names `pointer`.
pub(super) fn past_day(state: &AppState, day: NaiveDate, pointer: &str) -> Result<String, Problem> {
    if day > calendar::day(state.clock.now()) {
        return Err(Problem::field(pointer, "日期不能晚于今天 / not a day to come"));
    }
    Ok(day.to_string())
}

/// Uses somebody's own pictures for something.
pub(super) async fn attach(
    txn: &DatabaseTransaction,
    actor: &Actor,
    project: &project::Model,
    (owner, owner_id): (FileOwner, Uuid),
    ids: &[FileId],
) -> Result<(), Problem> {
    if ids.is_empty() {
        return Ok(());
    }
    files::attach(txn, actor.user_id, ids, &project.place_path, "/file_ids").await?;
    let rows = ids.iter().zip(0..).map(|(id, position)| file_use::ActiveModel {
        file_id: Set(*id),
        owner_kind: Set(owner),
        owner_id: Set(owner_id),
        position: Set(position),
    });
    file_use::Entity::insert_many(rows).exec_without_returning(txn).await?;
    Ok(())
}

/// Links to pictures by what they belong to. Others than those inside see only what content security has passed.
pub async fn pictures(
    state: &AppState,
    connection: &impl ConnectionTrait,
    owner: FileOwner,
    of: &[Uuid],
    inside: bool,
) -> Result<Vec<(Uuid, Links)>, Problem> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let mut wanted = file_use::Entity::find()
        .filter(file_use::Column::OwnerKind.eq(owner))
        .filter(file_use::Column::OwnerId.is_in(of.iter().copied()));
    if !inside {
        let mut passed = sea_orm::sea_query::Query::select();
        passed.column(file::Column::Id).from(file::Entity).and_where(file::Column::State.eq(FileState::Passed));
        wanted = wanted.filter(file_use::Column::FileId.in_subquery(passed));
    }
    let rows = wanted.order_by_asc(file_use::Column::Position).all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.owner_id, files::link(state, row.file_id, Audience::Insider))).collect())
}
