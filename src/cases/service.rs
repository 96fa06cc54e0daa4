use entities::cases::{CaseOrigin, CaseState, case_file, handler, note};
use entities::identity::user;
use entities::ids::{CaseHandlerId, CaseId, CaseNoteId, FileId, PlaceId, ProjectId, UserId};
use entities::needs::NeedCategory;
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};

use super::domain;
use crate::identity::{self, Actor, Permission, Role};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::{audit, places};

/// The word for a case in the audit log and in the inbox.
const KIND: &str = "case";
const SUBJECT: &str = "case_files.subject";
const SUMMARY: &str = "case_files.summary";
const TEXT: &str = "case_notes.text";
/// Notes that one answer holds; the newest.
const NOTES: u64 = 200;

/// A case to be opened.
#[derive(Clone, Copy, Debug)]
pub struct NewCase<'a> {
    /// A community, or a place in one.
    pub place_id: PlaceId,
    /// Which of the four services it belongs to.
    pub category: NeedCategory,
    /// Whom it is about: a name, how to reach them.
    pub subject: &'a str,
    /// What the trouble is.
    pub summary: &'a str,
    /// What they said, uploaded in confidence and taken for this case by the caller.
    pub voice: Option<FileId>,
}

/// Opens a case out of a confidential need, in the caller's transaction. The reporter is never among its first handlers.
pub async fn open(
    state: &AppState,
    txn: &DatabaseTransaction,
    reporter: UserId,
    new: &NewCase<'_>,
) -> Result<CaseId, Problem> {
    insert(state, txn, reporter, None, new).await
}

/// Opens a case within a project, in the caller's transaction. Whoever opens it handles it if they are a social worker there.
pub async fn open_for_project(
    state: &AppState,
    txn: &DatabaseTransaction,
    opener: UserId,
    project_id: ProjectId,
    new: &NewCase<'_>,
) -> Result<CaseId, Problem> {
    insert(state, txn, opener, Some(project_id), new).await
}

/// How many cases a project has opened: all that anybody else learns of them.
pub async fn count_of_project(connection: &impl ConnectionTrait, project_id: ProjectId) -> Result<u64, Problem> {
    Ok(case_file::Entity::find().filter(case_file::Column::ProjectId.eq(project_id)).count(connection).await?)
}

async fn insert(
    state: &AppState,
    txn: &DatabaseTransaction,
    opener: UserId,
    project_id: Option<ProjectId>,
    new: &NewCase<'_>,
) -> Result<CaseId, Problem> {
    let now = state.clock.now();
    let (place, community_id) = places::named_in_community(txn, new.place_id, "/place_id").await?;
    let id: CaseId = ids::ordered(&state.clock);
    let row = case_file::ActiveModel {
        id: Set(id),
        community_id: Set(community_id),
        place_id: Set(place.id),
        place_path: Set(place.path.clone()),
        origin: Set(if project_id.is_some() { CaseOrigin::Project } else { CaseOrigin::Need }),
        project_id: Set(project_id),
        category: Set(new.category),
        subject_cipher: Set(sealed(state, SUBJECT, new.subject)?),
        summary_cipher: Set(sealed(state, SUMMARY, new.summary)?),
        state: Set(CaseState::Open),
        opened_by: Set(opener),
        opened_at: Set(now),
        closed_by: Set(None),
        closed_at: Set(None),
        voice_file_id: Set(new.voice),
    };
    case_file::Entity::insert(row).exec_without_returning(txn).await?;
    let workers = identity::holders(txn, Role::SocialWorker, &place.path, now).await?;
    let workers = workers.iter().map(|holder| (holder.user_id, holder.path.as_str()));
    let mut handlers = domain::in_charge(workers, project_id.is_none().then_some(opener));
    if project_id.is_some()
        && !handlers.contains(&opener)
        && identity::person_may(txn, opener, Permission::SocialWork, &place.path, now).await?
    {
        handlers.push(opener);
    }
    if handlers.is_empty() {
        let supervisors = identity::holders(txn, Role::DistrictStaff, &place.path, now).await?;
        let supervisors: Vec<_> = supervisors.into_iter().map(|holder| holder.user_id).collect();
        tell(state, txn, id, &supervisors, domain::UNASSIGNED).await?;
    } else {
        let rows = handlers.iter().map(|person| handler_row(state, id, *person, None));
        handler::Entity::insert_many(rows).exec_without_returning(txn).await?;
        let others: Vec<_> = handlers.into_iter().filter(|person| *person != opener).collect();
        tell(state, txn, id, &others, domain::TOLD).await?;
    }
    record(state, txn, opener, "case.open", id, Some(place.id), json!({})).await?;
    Ok(id)
}

fn handler_row(state: &AppState, case_id: CaseId, person: UserId, by: Option<UserId>) -> handler::ActiveModel {
    handler::ActiveModel {
        id: Set(ids::ordered::<CaseHandlerId>(&state.clock)),
        case_id: Set(case_id),
        user_id: Set(person),
        added_by: Set(by),
        added_at: Set(state.clock.now()),
        removed_by: Set(None),
        removed_at: Set(None),
    }
}

/// Tells people that there is a case, and no more.
async fn tell(
    state: &AppState,
    txn: &DatabaseTransaction,
    id: CaseId,
    people: &[UserId],
    what: &str,
) -> Result<(), Problem> {
    if people.is_empty() {
        return Ok(());
    }
    let message = Message {
        kind: "case.assigned",
        title: what.to_owned(),
        body: String::new(),
        target: Some((KIND, id.0)),
        dedupe_key: format!("case.assigned:{id}:{}", state.clock.now().timestamp_micros()),
        template: Template::Need,
    };
    notifications::tell_all(state, txn, people, &message).await
}

async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: UserId,
    action: &str,
    id: CaseId,
    place: Option<PlaceId>,
    detail: Value,
) -> Result<(), Problem> {
    audit::record(state, txn, Some(actor), action, (KIND, id.0), place, detail).await
}

fn sealed(state: &AppState, context: &str, text: &str) -> Result<String, Problem> {
    state.keys.encrypt(context, text).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

fn unsealed(state: &AppState, context: &str, text: &str) -> Result<String, Problem> {
    state.keys.decrypt(context, text).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// The case for one of its handlers who still is a social worker there; to everybody else there is none.
pub(super) async fn handled(txn: &DatabaseTransaction, actor: &Actor, id: CaseId) -> Result<case_file::Model, Problem> {
    let row = case_file::Entity::find_by_id(id).lock_exclusive().one(txn).await?.ok_or(Code::NotFound)?;
    let handles = live(id).filter(handler::Column::UserId.eq(actor.user_id)).count(txn).await? > 0;
    if handles && actor.may(Permission::SocialWork, &row.place_path) { Ok(row) } else { Err(Code::NotFound.into()) }
}

/// The case for a supervisor of cases, who says who handles it and does not read it.
async fn supervised(txn: &DatabaseTransaction, actor: &Actor, id: CaseId) -> Result<case_file::Model, Problem> {
    let row = case_file::Entity::find_by_id(id).lock_exclusive().one(txn).await?;
    row.filter(|row| actor.may(Permission::SuperviseCases, &row.place_path)).ok_or_else(|| Code::NotFound.into())
}

fn live(id: CaseId) -> sea_orm::Select<handler::Entity> {
    handler::Entity::find().filter(handler::Column::CaseId.eq(id)).filter(handler::Column::RemovedAt.is_null())
}

/// A case as its handlers read it.
pub(super) struct CaseRead {
    pub row: case_file::Model,
    pub subject: String,
    pub summary: String,
    /// Who reported it, if they are a verified resident: name and number in full.
    pub reporter: Option<identity::Personal>,
    pub handlers: Vec<(handler::Model, String)>,
    /// With whom wrote each; the newest first.
    pub notes: Vec<(note::Model, String, String)>,
}

/// Reads a case; that somebody did is in the audit log.
pub(super) async fn read(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CaseId,
) -> Result<CaseRead, Problem> {
    let row = handled(txn, actor, id).await?;
    record(state, txn, actor.user_id, "case.read", id, Some(row.place_id), json!({})).await?;
    let reporter = match row.origin {
        CaseOrigin::Need => identity::personal_of(state, txn, row.opened_by).await?,
        CaseOrigin::Project => None,
    };
    let rows = note::Entity::find().filter(note::Column::CaseId.eq(id)).order_by_desc(note::Column::Id);
    let rows = rows.limit(NOTES).all(txn).await?;
    let handlers = live(id).order_by_asc(handler::Column::Id).all(txn).await?;
    let people: Vec<UserId> =
        handlers.iter().map(|row| row.user_id).chain(rows.iter().map(|row| row.author_id)).collect();
    let people = user::Entity::find().filter(user::Column::Id.is_in(people)).all(txn).await?;
    let name = |id: UserId| people.iter().find(|person| person.id == id).map(|person| person.nickname.clone());
    let notes = rows.into_iter().map(|row| {
        let text = unsealed(state, TEXT, &row.text_cipher)?;
        let author = name(row.author_id).unwrap_or_default();
        Ok((row, text, author))
    });
    Ok(CaseRead {
        subject: unsealed(state, SUBJECT, &row.subject_cipher)?,
        summary: unsealed(state, SUMMARY, &row.summary_cipher)?,
        reporter,
        notes: notes.collect::<Result<_, Problem>>()?,
        handlers: handlers
            .into_iter()
            .map(|row| (name(row.user_id).unwrap_or_default(), row))
            .map(|(a, b)| (b, a))
            .collect(),
        row,
    })
}

/// Which voice belongs to a case; that somebody listens to it is in the audit log.
pub(super) async fn voice(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CaseId,
) -> Result<FileId, Problem> {
    let row = handled(txn, actor, id).await?;
    let voice = row.voice_file_id.ok_or(Code::NotFound)?;
    record(state, txn, actor.user_id, "case.listen", id, Some(row.place_id), json!({})).await?;
    Ok(voice)
}

/// Writes something down in an open case.
pub(super) async fn add_note(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CaseId,
    text: &str,
) -> Result<CaseNoteId, Problem> {
    let row = handled(txn, actor, id).await?;
    if row.state != CaseState::Open {
        return Err(Code::CaseClosed.into());
    }
    let note_id: CaseNoteId = ids::ordered(&state.clock);
    let note = note::ActiveModel {
        id: Set(note_id),
        case_id: Set(id),
        author_id: Set(actor.user_id),
        text_cipher: Set(sealed(state, TEXT, text)?),
        at: Set(state.clock.now()),
    };
    note::Entity::insert(note).exec_without_returning(txn).await?;
    record(state, txn, actor.user_id, "case.note", id, Some(row.place_id), json!({ "note_id": note_id })).await?;
    Ok(note_id)
}

/// Closes an open case, or opens a closed one again.
pub(super) async fn settle(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CaseId,
    to: CaseState,
) -> Result<CaseState, Problem> {
    let row = handled(txn, actor, id).await?;
    let closed = to == CaseState::Closed;
    let moved = case_file::Entity::update_many()
        .col_expr(case_file::Column::State, to.into())
        .col_expr(case_file::Column::ClosedBy, Expr::value(closed.then_some(actor.user_id.0)))
        .col_expr(case_file::Column::ClosedAt, Expr::value(closed.then(|| state.clock.now())))
        .filter(case_file::Column::Id.eq(id))
        .filter(case_file::Column::State.ne(to))
        .exec(txn)
        .await?;
    if moved.rows_affected == 0 {
        return Err(if closed { Code::CaseClosed } else { Code::AlreadyDecided }.into());
    }
    let action = if closed { "case.close" } else { "case.reopen" };
    record(state, txn, actor.user_id, action, id, Some(row.place_id), json!({})).await?;
    Ok(to)
}

/// Lets a social worker of the place into a case.
pub(super) async fn add_handler(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CaseId,
    person: UserId,
) -> Result<(), Problem> {
    let row = supervised(txn, actor, id).await?;
    if person == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    if !identity::person_may(txn, person, Permission::SocialWork, &row.place_path, state.clock.now()).await? {
        return Err(Problem::field("/user_id", "须为该地的社工 / must be a social worker of the place"));
    }
    let once = OnConflict::new().do_nothing().to_owned();
    let added = handler::Entity::insert(handler_row(state, id, person, Some(actor.user_id))).on_conflict(once);
    if added.exec_without_returning(txn).await? == 0 {
        return Err(Code::AlreadyHandler.into());
    }
    tell(state, txn, id, &[person], domain::TOLD).await?;
    record(state, txn, actor.user_id, "case.add_handler", id, Some(row.place_id), json!({ "user_id": person })).await
}

/// Ends somebody's part in a case; one handler stays.
pub(super) async fn remove_handler(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CaseId,
    person: UserId,
) -> Result<(), Problem> {
    let row = supervised(txn, actor, id).await?;
    // The case's row is locked: of two who remove the last two handlers the second finds one.
    let others = Query::select()
        .expr(Expr::value(1))
        .from_as(handler::Entity, "others")
        .and_where(Expr::col(("others", handler::Column::CaseId)).eq(id))
        .and_where(Expr::col(("others", handler::Column::UserId)).ne(person))
        .and_where(Expr::col(("others", handler::Column::RemovedAt)).is_null())
        .to_owned();
    let removed = handler::Entity::update_many()
        .col_expr(handler::Column::RemovedAt, state.clock.now().into())
        .col_expr(handler::Column::RemovedBy, actor.user_id.into())
        .filter(handler::Column::CaseId.eq(id))
        .filter(handler::Column::UserId.eq(person))
        .filter(handler::Column::RemovedAt.is_null())
        .filter(Expr::exists(others))
        .exec(txn)
        .await?;
    if removed.rows_affected == 0 {
        let handles = live(id).filter(handler::Column::UserId.eq(person)).count(txn).await? > 0;
        return Err(if handles { Code::LastHandler } else { Code::NotFound }.into());
    }
    record(state, txn, actor.user_id, "case.remove_handler", id, Some(row.place_id), json!({ "user_id": person })).await
}

/// The audit of this capability.
pub(super) const RULES: &[(&str, &str)] = &[
    (
        "case {} has not the path or community of its place",
        "SELECT c.id FROM case_files c JOIN places p ON p.id = c.place_id \
         WHERE c.place_path <> p.path OR c.community_id <> p.community_id",
    ),
    (
        "case {} is handled by whoever reported it",
        "SELECT c.id FROM case_files c JOIN case_handlers h ON h.case_id = c.id AND h.added_by IS NULL AND h.user_id = c.opened_by \
         WHERE c.origin = 'need'",
    ),
    (
        "case {} was opened and the audit log does not know it",
        "SELECT c.id FROM case_files c WHERE NOT EXISTS \
         (SELECT 1 FROM audit_log a WHERE a.target_kind = 'case' AND a.target_id = c.id AND a.action = 'case.open')",
    ),
    (
        "inbox entry {} says something of a case",
        "SELECT e.id FROM inbox_entries e WHERE e.target_kind = 'case' AND (e.body <> '' OR e.kind <> 'case.assigned')",
    ),
    ("notice {} tells of a case", "SELECT n.id FROM notices n JOIN case_files c ON c.id = n.subject_id"),
    (
        "moderation item {} is about a case",
        "SELECT i.id FROM moderation_items i JOIN case_files c ON c.id = i.target_id",
    ),
];
