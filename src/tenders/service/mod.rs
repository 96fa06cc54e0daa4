//! What is done with tenders; one function a command.

pub mod awards;
pub mod bids;
pub mod changes;
pub mod contracts;
pub mod money;
pub mod opening;
pub mod scoring;
pub mod tenders;

use chrono::{DateTime, Utc};
use entities::ids::{OrganisationId, TenderId};
use entities::organisations::organisation;
use entities::programmes::programme;
use entities::projects::{ProjectState, project};
use entities::tenders::{TenderState, tender};
use sea_orm::sea_query::LockType;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, QuerySelect};
use serde_json::Value;

use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::projects::Who;
use crate::{audit, organisations, projects};

/// A tender with what it belongs to, locked.
pub struct Entered {
    /// What is to be done.
    pub project: project::Model,
    /// Who pays.
    pub programme: programme::Model,
    /// How it is put out.
    pub tender: tender::Model,
}

impl Entered {
    /// Whether it still goes on: a project that was called off takes its tender along.
    pub fn goes_on(&self) -> bool {
        self.tender.state == TenderState::Live && self.project.state == ProjectState::Tendering
    }
}

/// A tender by its id, or 404.
pub async fn find(connection: &impl ConnectionTrait, id: TenderId) -> Result<tender::Model, Problem> {
    tender::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// A project's programme; a project without one is never put out to tender.
pub async fn programme_of(
    connection: &impl ConnectionTrait,
    project: &project::Model,
) -> Result<programme::Model, Problem> {
    let id = project.programme_id.ok_or(Code::ProjectState)?;
    programme::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::Internal.into())
}

/// Locks a tender behind its project. Whoever decides by the time reads the clock after this, once.
pub async fn enter(txn: &DatabaseTransaction, id: TenderId) -> Result<Entered, Problem> {
    let project = projects::lock(txn, find(txn, id).await?.project_id).await?;
    let programme = programme_of(txn, &project).await?;
    let tender = tender::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or(Code::NotFound)?;
    Ok(Entered { project, programme, tender })
}

/// [`enter`] for staff of the programme.
pub async fn enter_as_staff(txn: &DatabaseTransaction, actor: &Actor, id: TenderId) -> Result<Entered, Problem> {
    let entered = enter(txn, id).await?;
    projects::require(txn, actor, &entered.project, Who::Programme).await?;
    Ok(entered)
}

/// 403 unless somebody belongs to an organisation and may act for it where a project is.
pub async fn act_for(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    project: &project::Model,
    organisation: OrganisationId,
) -> Result<(), Problem> {
    actor.require(Permission::ActForOrganisation, &project.place_path)?;
    let own = organisations::of_person(connection, actor.user_id).await?;
    if own.contains(&organisation) { Ok(()) } else { Err(Code::Forbidden.into()) }
}

/// An organisation's name, for what is published.
pub async fn name_of(connection: &impl ConnectionTrait, id: OrganisationId) -> Result<String, Problem> {
    let row = organisation::Entity::find_by_id(id).one(connection).await?.ok_or(Code::Internal)?;
    Ok(row.name)
}

/// `2026年11月25日 18:00`, as it is written in notices.
pub fn when(at: DateTime<Utc>) -> String {
    crate::platform::calendar::text(at, "%Y年%-m月%-d日 %H:%M")
}

/// Adds an act to the log, at the project's place.
pub async fn log(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    action: &str,
    target: (&str, uuid::Uuid),
    project: &project::Model,
    detail: Value,
) -> Result<(), Problem> {
    audit::record(state, txn, Some(actor.user_id), action, target, Some(project.place_id), detail).await
}
