//! The register: what is known of an organisation, and how it stands.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::{OrganisationId, PlaceId, PlatformId, QualificationId};
use entities::organisations::{
    OrganisationState, PersonRole, ServiceField, field, organisation, person, platform, qualification, standing,
};
use entities::projects::{ProjectState, project};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ActiveValue::Unchanged, ColumnTrait, ConnectionTrait, DatabaseTransaction,
    DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, SqlErr,
};
use serde_json::json;

use super::people::{is_head, lock};
use super::{find, is_staff, record};
use crate::identity::{Actor, Permission};
use crate::notifications::{self, Message, Template};
use crate::places;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::{Problem, transact};
use crate::platform::ids;
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;

/// What a phone number's cipher is bound to.
const PHONE: &str = "organisations.phone";
/// At most so many qualifications of an organisation count at once.
const QUALIFICATIONS: u64 = 50;
/// So long before a qualification runs out its organisation is told.
const WARNING: TimeDelta = TimeDelta::days(30);
/// So many warnings at a time.
const BATCH: u64 = 100;

/// What can be written down anew at any time.
pub(in crate::organisations) struct Details<'a> {
    pub purpose: &'a str,
    pub address: Option<&'a str>,
    pub phone: Option<&'a str>,
    pub fields: &'a [ServiceField],
}

/// How an organisation stands.
pub(in crate::organisations) struct Standing<'a> {
    pub state: OrganisationState,
    pub credit_code: Option<&'a str>,
    pub incubator_id: Option<PlatformId>,
    pub reason: &'a str,
}

/// Enters an organisation into the register.
pub(in crate::organisations) async fn enter(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (place_id, name): (PlaceId, &str),
    standing: &Standing<'_>,
    details: &Details<'_>,
) -> Result<organisation::Model, Problem> {
    let place = places::named(txn, place_id, "/place_id").await?;
    actor.require(Permission::ManageProjects, &place.path)?;
    check(txn, standing, None).await?;
    let id: OrganisationId = ids::ordered(&state.clock);
    let row = organisation::ActiveModel {
        id: Set(id),
        name: Set(name.trim().to_owned()),
        state: Set(standing.state),
        place_id: Set(Some(place.id)),
        created_at: Set(state.clock.now()),
        credit_code: Set(standing.credit_code.map(str::to_owned)),
        purpose: Set(details.purpose.trim().to_owned()),
        address: Set(details.address.map(|address| address.trim().to_owned())),
        phone_cipher: Set(sealed(state, details.phone)?),
        incubator_id: Set(standing.incubator_id),
    };
    // Its name and its code are its own.
    let nothing = OnConflict::new().do_nothing().to_owned();
    if organisation::Entity::insert(row).on_conflict(nothing).exec_without_returning(txn).await? == 0 {
        return Err(Code::OrganisationKnown.into());
    }
    let row = find(txn, id).await?;
    keep_fields(txn, id, details.fields).await?;
    add_standing(state, txn, actor, id, standing).await?;
    record(state, txn, actor, "organisation.enter", &row, json!({ "state": row.state })).await?;
    Ok(row)
}

/// Who is registered has a code; who is raised, and by whom, is a platform that there is.
async fn check(
    connection: &impl ConnectionTrait,
    standing: &Standing<'_>,
    known_code: Option<&str>,
) -> Result<(), Problem> {
    if standing.state == OrganisationState::Registered && standing.credit_code.or(known_code).is_none() {
        let detail = "已登记的机构须有统一社会信用代码 / a registered organisation has a credit code";
        return Err(Problem::field("/credit_code", detail));
    }
    if let Some(id) = standing.incubator_id
        && platform::Entity::find_by_id(id).one(connection).await?.is_none()
    {
        return Err(Problem::field("/incubator_id", "没有这个平台 / no such platform"));
    }
    Ok(())
}

async fn keep_fields(txn: &DatabaseTransaction, id: OrganisationId, fields: &[ServiceField]) -> Result<(), Problem> {
    field::Entity::delete_many().filter(field::Column::OrganisationId.eq(id)).exec(txn).await?;
    let once: BTreeSet<_> = fields.iter().copied().collect();
    let rows = once.into_iter().map(|field| field::ActiveModel { organisation_id: Set(id), field: Set(field) });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        field::Entity::insert_many(rows).exec_without_returning(txn).await?;
    }
    Ok(())
}

async fn add_standing(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: OrganisationId,
    standing: &Standing<'_>,
) -> Result<(), Problem> {
    let row = standing::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        organisation_id: Set(id),
        state: Set(standing.state),
        incubator_id: Set(standing.incubator_id),
        reason: Set(standing.reason.trim().to_owned()),
        decided_by: Set(Some(actor.user_id)),
        at: Set(state.clock.now()),
    };
    standing::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

/// Says how an organisation stands from now on, as staff of its place.
pub(in crate::organisations) async fn stand(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: OrganisationId,
    standing: &Standing<'_>,
) -> Result<organisation::Model, Problem> {
    let row = lock(txn, [id]).await?.pop().ok_or(Code::NotFound)?;
    if !is_staff(txn, actor, &row).await? {
        return Err(Code::Forbidden.into());
    }
    check(txn, standing, row.credit_code.as_deref()).await?;
    let mut values = organisation::ActiveModel {
        id: Unchanged(id),
        state: Set(standing.state),
        incubator_id: Set(standing.incubator_id),
        ..Default::default()
    };
    if let Some(code) = standing.credit_code {
        values.credit_code = Set(Some(code.to_owned()));
    }
    let row = values.update(txn).await.map_err(known)?;
    add_standing(state, txn, actor, id, standing).await?;
    record(state, txn, actor, "organisation.stand", &row, json!({ "state": row.state })).await?;
    Ok(row)
}

/// Another organisation has the code.
fn known(error: DbErr) -> Problem {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Code::OrganisationKnown.into(),
        _ => error.into(),
    }
}

/// Writes down anew what is known of an organisation: its head, or staff of its place.
pub(in crate::organisations) async fn edit(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: OrganisationId,
    details: &Details<'_>,
) -> Result<organisation::Model, Problem> {
    let row = lock(txn, [id]).await?.pop().ok_or(Code::NotFound)?;
    require_keeper(txn, actor, &row).await?;
    let values = organisation::ActiveModel {
        id: Unchanged(id),
        purpose: Set(details.purpose.trim().to_owned()),
        address: Set(details.address.map(|address| address.trim().to_owned())),
        phone_cipher: Set(sealed(state, details.phone)?),
        ..Default::default()
    };
    let row = values.update(txn).await?;
    keep_fields(txn, id, details.fields).await?;
    record(state, txn, actor, "organisation.edit", &row, json!({})).await?;
    Ok(row)
}

async fn require_keeper(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    row: &organisation::Model,
) -> Result<(), Problem> {
    let keeper = is_head(connection, row.id, actor.user_id).await? || is_staff(connection, actor, row).await?;
    if keeper { Ok(()) } else { Err(Code::Forbidden.into()) }
}

/// An organisation's phone number.
pub(in crate::organisations) fn phone(state: &AppState, row: &organisation::Model) -> Result<Option<String>, Problem> {
    let opened = row.phone_cipher.as_deref().map(|sealed| state.keys.decrypt(PHONE, sealed));
    opened.transpose().map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

fn sealed(state: &AppState, phone: Option<&str>) -> Result<Option<String>, Problem> {
    let sealed = phone.map(|phone| state.keys.encrypt(PHONE, phone));
    sealed.transpose().map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// The number in full, for its people and staff of its place; each look is audited.
pub(in crate::organisations) async fn reveal(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: OrganisationId,
) -> Result<Option<String>, Problem> {
    let row = super::people::require_insight(txn, actor, id).await?;
    record(state, txn, actor, "organisation.reveal", &row, json!({})).await?;
    phone(state, &row)
}

/// What somebody certified.
pub(in crate::organisations) struct Certified<'a> {
    pub name: &'a str,
    pub issuer: &'a str,
    pub number: &'a str,
    pub expires_on: Option<chrono::NaiveDate>,
}

/// Adds a qualification: its head, or staff of its place.
pub(in crate::organisations) async fn qualify(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: OrganisationId,
    new: &Certified<'_>,
) -> Result<qualification::Model, Problem> {
    let row = lock(txn, [id]).await?.pop().ok_or(Code::NotFound)?;
    require_keeper(txn, actor, &row).await?;
    let live = qualification::Entity::find()
        .filter(qualification::Column::OrganisationId.eq(id))
        .filter(qualification::Column::EndedAt.is_null());
    if live.count(txn).await? >= QUALIFICATIONS {
        return Err(Problem::new(
            Code::RateLimited,
            format!("at most {QUALIFICATIONS} qualifications an organisation"),
        ));
    }
    let new = qualification::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        organisation_id: Set(id),
        name: Set(new.name.trim().to_owned()),
        issuer: Set(new.issuer.trim().to_owned()),
        number: Set(new.number.trim().to_owned()),
        expires_at: Set(new.expires_on.map(calendar::day_end)),
        warned_at: Set(None),
        added_by: Set(Some(actor.user_id)),
        added_at: Set(state.clock.now()),
        ended_at: Set(None),
    };
    let new = new.insert(txn).await?;
    record(state, txn, actor, "organisation.qualify", &row, json!({ "qualification_id": new.id })).await?;
    Ok(new)
}

/// Takes a qualification off; a second time changes nothing.
pub(in crate::organisations) async fn disqualify(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (id, qualification): (OrganisationId, QualificationId),
) -> Result<(), Problem> {
    let row = lock(txn, [id]).await?.pop().ok_or(Code::NotFound)?;
    require_keeper(txn, actor, &row).await?;
    let of_it = qualification::Entity::find_by_id(qualification).filter(qualification::Column::OrganisationId.eq(id));
    of_it.one(txn).await?.ok_or(Code::NotFound)?;
    let ended = qualification::Entity::update_many()
        .col_expr(qualification::Column::EndedAt, Expr::value(state.clock.now()))
        .filter(qualification::Column::Id.eq(qualification))
        .filter(qualification::Column::EndedAt.is_null())
        .exec(txn)
        .await?;
    if ended.rows_affected == 1 {
        let detail = json!({ "qualification_id": qualification });
        record(state, txn, actor, "organisation.disqualify", &row, detail).await?;
    }
    Ok(())
}

/// The schedule: tells heads of what runs out within thirty days, once each.
pub(in crate::organisations) async fn warn(state: &AppState) -> Result<(), JobError> {
    while transact(state, async |txn| warn_some(state, txn).await).await? {}
    Ok(())
}

/// Whether there may be more.
async fn warn_some(state: &AppState, txn: &DatabaseTransaction) -> Result<bool, Problem> {
    let now = state.clock.now();
    let due = qualification::Column::ExpiresAt.lte(now + WARNING);
    let due = qualification::Entity::find()
        .filter(due)
        .filter(qualification::Column::WarnedAt.is_null())
        .filter(qualification::Column::EndedAt.is_null())
        .order_by_asc(qualification::Column::ExpiresAt)
        .limit(BATCH)
        .lock_with_behavior(sea_orm::sea_query::LockType::Update, sea_orm::sea_query::LockBehavior::SkipLocked)
        .all(txn)
        .await?;
    if due.is_empty() {
        return Ok(false);
    }
    qualification::Entity::update_many()
        .col_expr(qualification::Column::WarnedAt, Expr::value(now))
        .filter(qualification::Column::Id.is_in(due.iter().map(|row| row.id)))
        .exec(txn)
        .await?;
    let heads = person::Entity::find()
        .filter(person::Column::OrganisationId.is_in(due.iter().map(|row| row.organisation_id)))
        .filter(person::Column::Role.eq(PersonRole::Head))
        .filter(person::Column::EndedAt.is_null())
        .all(txn)
        .await?;
    for row in &due {
        let people: Vec<_> =
            heads.iter().filter(|head| head.organisation_id == row.organisation_id).map(|head| head.user_id).collect();
        let day = row.expires_at.map(|at| calendar::day_text(calendar::day(at))).unwrap_or_default();
        let message = Message {
            kind: "organisation.qualification",
            title: "资质即将到期".to_owned(),
            body: format!("“{}”将于{day}到期，请及时换证并更新登记。", row.name),
            target: Some(("organisation", row.organisation_id.0)),
            dedupe_key: format!("organisation.qualification:{}", row.id),
            template: Template::Need,
        };
        notifications::tell_all(state, txn, &people, &message).await?;
    }
    Ok(true)
}

/// What an organisation did before: its projects by state.
pub(in crate::organisations) async fn track_record(
    connection: &impl ConnectionTrait,
    id: OrganisationId,
) -> Result<Vec<(ProjectState, i64)>, Problem> {
    let counted = project::Entity::find()
        .select_only()
        .column(project::Column::State)
        .column_as(project::Column::Id.count(), "projects")
        .filter(project::Column::OrganisationId.eq(id))
        .group_by(project::Column::State);
    Ok(counted.into_tuple().all(connection).await?)
}

/// Whether a qualification still holds.
pub(in crate::organisations) fn is_valid(row: &qualification::Model, now: DateTime<Utc>) -> bool {
    row.ended_at.is_none() && row.expires_at.is_none_or(|until| now <= until)
}
