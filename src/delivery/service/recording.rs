//! Service records: what was done, for whom. One person records, another confirms; from then on a record is sealed.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use entities::delivery::{
    CountOf, ServiceKind, ServiceState, service, service_count, service_person, service_person_group,
};
use entities::ids::{ProjectId, ServiceId, UserId};
use entities::projects::project;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
};
use serde_json::json;
use uuid::Uuid;

use super::handing_in::{groups_of, indicators_of};
use super::register::{self, Identity, Someone};
use super::{lock_running, past_day};
use crate::audit;
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::projects;

/// A service to be recorded.
#[derive(Clone, Debug)]
pub struct NewService<'a> {
    /// What was done.
    pub kind: ServiceKind,
    /// When.
    pub held_on: NaiveDate,
    /// Where, in words.
    pub place: &'a str,
    /// What, in words.
    pub content: &'a str,
    /// Those who came and stand in no register.
    pub heads: i64,
    /// How many it reached at all.
    pub reached: i64,
    /// How many of the heads were of a group.
    pub group_heads: Vec<(&'a str, i64)>,
    /// What it did for an indicator.
    pub indicators: Vec<(&'a str, i64)>,
    /// Those who are registered.
    pub people: Vec<Someone>,
    /// What it was taken over from, once.
    pub source: Option<Uuid>,
}

/// The implementer's people record a service, and so do the programme's staff.
pub(crate) async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    new: &NewService<'_>,
) -> Result<service::Model, Problem> {
    let project = lock_running(txn, actor, id, |is| is.implementer || is.staff).await?;
    write(state, txn, actor, &project, new).await
}

/// Somebody who came to a session of a course.
#[derive(Clone, Debug)]
pub struct Attendee {
    /// Their account, or their name if they have none.
    pub who: Result<UserId, String>,
    /// The groups they chose; those that the project does not count by are left out.
    pub groups: Vec<String>,
}

/// Takes the attendance of a course's session over as a service of a project, once a session: `source` decides. For the
/// implementer's people and the programme's staff; somebody else confirms it like any other. 409 `already_decided` a second time.
pub async fn record_session(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    mut new: NewService<'_>,
    attendees: &[Attendee],
) -> Result<ServiceId, Problem> {
    let project = lock_running(txn, actor, id, |is| is.implementer || is.staff).await?;
    let groups = groups_of(txn, id).await?;
    let accounts: Vec<UserId> = attendees.iter().filter_map(|one| one.who.as_ref().ok().copied()).collect();
    let names = register::nicknames(txn, &accounts).await?;
    new.people = attendees
        .iter()
        .map(|one| {
            let (identity, name) = match &one.who {
                Ok(person) => (Identity::Account(*person), names.get(person).cloned().unwrap_or_default()),
                Err(name) => (Identity::Door(String::new()), name.clone()),
            };
            let groups = one.groups.iter().filter(|group| groups.contains(group)).cloned().collect();
            Someone { identity, name, groups }
        })
        .collect();
    if let Some(source) = new.source {
        let before = service::Entity::find().filter(service::Column::SourceId.eq(source));
        if before.one(txn).await?.is_some() {
            return Err(Code::AlreadyDecided.into());
        }
    }
    Ok(write(state, txn, actor, &project, &new).await?.id)
}

async fn write(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    project: &project::Model,
    new: &NewService<'_>,
) -> Result<service::Model, Problem> {
    let id = project.id;
    let held_on = past_day(state, new.held_on, "/held_on")?;
    check(txn, id, new).await?;
    let row = service::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        project_id: Set(id),
        kind: Set(new.kind),
        held_on: Set(held_on),
        place: Set(new.place.to_owned()),
        content: Set(new.content.to_owned()),
        heads: Set(new.heads),
        reached: Set(new.reached),
        source_id: Set(new.source),
        state: Set(ServiceState::Recorded),
        recorded_by: Set(actor.user_id),
        recorded_at: Set(state.clock.now()),
        decided_by: Set(None),
        decided_at: Set(None),
        reason: Set(None),
    };
    let row = row.insert(txn).await?;
    let registered = register::enter(state, txn, actor, id, &new.people).await?;
    // One person twice in one list is one who came, in all the groups that were named.
    let mut came: BTreeMap<_, HashSet<&str>> = BTreeMap::new();
    for (person, one) in registered.iter().zip(&new.people) {
        came.entry(*person).or_default().extend(one.groups.iter().map(String::as_str));
    }
    let people: Vec<_> = came
        .keys()
        .map(|person| service_person::ActiveModel { service_id: Set(row.id), beneficiary_id: Set(*person) })
        .collect();
    let counted = people.len();
    if !people.is_empty() {
        service_person::Entity::insert_many(people).exec_without_returning(txn).await?;
    }
    let in_groups: Vec<_> = came
        .iter()
        .flat_map(|(person, groups)| groups.iter().map(|name| (*person, *name)))
        .map(|(person, name)| service_person_group::ActiveModel {
            service_id: Set(row.id),
            beneficiary_id: Set(person),
            project_id: Set(id),
            name: Set(name.to_owned()),
        })
        .collect();
    for some in in_groups.chunks(1000) {
        service_person_group::Entity::insert_many(some.to_vec()).exec_without_returning(txn).await?;
    }
    let counts: Vec<_> = [(CountOf::Heads, &new.group_heads), (CountOf::Indicator, &new.indicators)]
        .into_iter()
        .flat_map(|(what, amounts)| amounts.iter().map(move |(name, amount)| (what, *name, *amount)))
        .map(|(what, name, amount)| service_count::ActiveModel {
            service_id: Set(row.id),
            project_id: Set(id),
            what: Set(what),
            name: Set(name.to_owned()),
            amount: Set(amount),
        })
        .collect();
    if !counts.is_empty() {
        service_count::Entity::insert_many(counts).exec_without_returning(txn).await?;
    }
    let detail = json!({ "service_id": row.id, "people": counted, "heads": new.heads });
    let place = Some(project.place_id);
    audit::record(state, txn, Some(actor.user_id), "project.service", ("project", id.0), place, detail).await?;
    Ok(row)
}

/// Names must be the project's, each once; heads of a group are not more than all heads.
async fn check(txn: &DatabaseTransaction, id: ProjectId, new: &NewService<'_>) -> Result<(), Problem> {
    let groups: HashSet<String> = groups_of(txn, id).await?.into_iter().collect();
    let indicators: HashSet<String> = indicators_of(txn, id).await?.into_iter().map(|row| row.name).collect();
    let group_why = "不是该项目的服务群体，或有重复 / not a group of the project, or one twice";
    let mut seen = HashSet::new();
    for (at, (name, amount)) in new.group_heads.iter().enumerate() {
        if !groups.contains(*name) || !seen.insert(*name) {
            return Err(Problem::field(&format!("/group_heads/{at}/group"), group_why));
        }
        if *amount > new.heads {
            let why = "不能多于总人次 / not more than all heads";
            return Err(Problem::field(&format!("/group_heads/{at}/amount"), why));
        }
    }
    seen.clear();
    for (at, (name, _)) in new.indicators.iter().enumerate() {
        if !indicators.contains(*name) || !seen.insert(*name) {
            let why = "不是该项目的指标，或有重复 / not an indicator of the project, or one twice";
            return Err(Problem::field(&format!("/indicators/{at}/indicator"), why));
        }
    }
    for (at, one) in new.people.iter().enumerate() {
        let distinct: HashSet<_> = one.groups.iter().collect();
        if distinct.len() != one.groups.len() || !one.groups.iter().all(|name| groups.contains(name)) {
            return Err(Problem::field(&format!("/people/{at}/groups"), group_why));
        }
    }
    Ok(())
}

/// Supervisor or staff confirm a record or refuse it; whoever wrote it does not. The state is part of the statement.
pub(crate) async fn decide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ServiceId,
    to: ServiceState,
    reason: Option<&str>,
) -> Result<service::Model, Problem> {
    let before = of_insider(txn, actor, id).await?;
    // Under the project's lock: what closes the project counts what is confirmed.
    let project = projects::lock(txn, before.project_id).await?;
    super::require(txn, actor, &project, |is| is.supervisor || is.staff).await?;
    if before.recorded_by == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    if project.state != entities::projects::ProjectState::Running {
        return Err(Code::ProjectNotRunning.into());
    }
    let decided = service::Entity::update_many()
        .col_expr(service::Column::State, to.into())
        .col_expr(service::Column::DecidedBy, actor.user_id.into())
        .col_expr(service::Column::DecidedAt, state.clock.now().into())
        .col_expr(service::Column::Reason, Expr::value(reason.map(str::to_owned)))
        .filter(service::Column::Id.eq(id))
        .filter(service::Column::State.eq(ServiceState::Recorded))
        .exec_with_returning(txn)
        .await?;
    let row = decided.into_iter().next().ok_or(Code::AlreadyDecided)?;
    let detail = json!({ "service_id": id });
    let word = format!("project.service_{to}");
    let place = Some(project.place_id);
    audit::record(state, txn, Some(actor.user_id), &word, ("project", project.id.0), place, detail).await?;
    if to == ServiceState::Refused {
        let because = reason.unwrap_or_default().to_owned();
        let recorder = [row.recorded_by];
        let (kind, title) = ("project.service_refused", "服务记录未获确认");
        super::tell(state, txn, &recorder, (kind, id.0), title, because, project.id).await?;
    }
    Ok(row)
}

/// A record, for those inside its project; others do not learn that it exists.
pub(crate) async fn of_insider(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    id: ServiceId,
) -> Result<service::Model, Problem> {
    let row = service::Entity::find_by_id(id).one(connection).await?.ok_or(Code::NotFound)?;
    let project = super::find(connection, row.project_id).await?;
    if super::standing(connection, actor, &project).await?.is_inside() { Ok(row) } else { Err(Code::NotFound.into()) }
}

/// The groups that people counted in at a service.
pub(crate) async fn groups_by_person(
    connection: &impl ConnectionTrait,
    id: ServiceId,
) -> Result<HashMap<entities::ids::BeneficiaryId, Vec<String>>, Problem> {
    let mut groups: HashMap<_, Vec<String>> = HashMap::new();
    let rows = service_person_group::Entity::find().filter(service_person_group::Column::ServiceId.eq(id));
    for row in rows.all(connection).await? {
        groups.entry(row.beneficiary_id).or_default().push(row.name);
    }
    Ok(groups)
}
