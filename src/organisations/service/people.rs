//! Who belongs to an organisation.

use std::collections::HashSet;

use entities::identity::user;
use entities::ids::{OrganisationId, OrganisationPersonId, UserId};
use entities::organisations::{PersonRole, organisation, person};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;

use super::{find, is_staff, record};
use crate::identity::Actor;
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// At most so many people belong to one organisation at once.
const PEOPLE: u64 = 500;

/// The organisations that a person belongs to now.
pub async fn of_person(connection: &impl ConnectionTrait, person: UserId) -> Result<HashSet<OrganisationId>, Problem> {
    let live = person::Entity::find()
        .select_only()
        .column(person::Column::OrganisationId)
        .filter(person::Column::UserId.eq(person))
        .filter(person::Column::EndedAt.is_null());
    Ok(live.into_tuple().all(connection).await?.into_iter().collect())
}

/// The people of an organisation now; for telling them.
pub async fn people_of(
    connection: &impl ConnectionTrait,
    organisation: OrganisationId,
) -> Result<Vec<UserId>, Problem> {
    let live = person::Entity::find()
        .select_only()
        .column(person::Column::UserId)
        .filter(person::Column::OrganisationId.eq(organisation))
        .filter(person::Column::EndedAt.is_null())
        .order_by_asc(person::Column::UserId);
    Ok(live.into_tuple().all(connection).await?)
}

/// Locks organisations in the order of their ids, so that nobody joins or leaves them before the transaction ends; 404 unless
/// there are all of them. Who looks at several organisations' people, or adds to them, does it under this lock.
pub async fn lock(
    txn: &DatabaseTransaction,
    ids: impl IntoIterator<Item = OrganisationId>,
) -> Result<Vec<organisation::Model>, Problem> {
    let wanted: HashSet<_> = ids.into_iter().collect();
    let rows = organisation::Entity::find()
        .filter(organisation::Column::Id.is_in(wanted.iter().copied()))
        .order_by_asc(organisation::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(txn)
        .await?;
    if rows.len() == wanted.len() { Ok(rows) } else { Err(Code::NotFound.into()) }
}

/// Whether somebody is a head of an organisation now.
pub async fn is_head(
    connection: &impl ConnectionTrait,
    organisation: OrganisationId,
    person: UserId,
) -> Result<bool, Problem> {
    Ok(role_of(connection, organisation, person).await? == Some(PersonRole::Head))
}

/// What somebody is in an organisation now.
pub(in crate::organisations) async fn role_of(
    connection: &impl ConnectionTrait,
    organisation: OrganisationId,
    person: UserId,
) -> Result<Option<PersonRole>, Problem> {
    let live = live_of(organisation).filter(person::Column::UserId.eq(person)).one(connection).await?;
    Ok(live.map(|row| row.role))
}

fn live_of(organisation: OrganisationId) -> sea_orm::Select<person::Entity> {
    person::Entity::find()
        .filter(person::Column::OrganisationId.eq(organisation))
        .filter(person::Column::EndedAt.is_null())
}

/// Adds somebody to an organisation: staff of its place anybody, a head ordinary members. Nobody adds themself.
///
/// The trigger refuses who would be in two parties of a project; the lock makes it see a party assigned at the same time.
pub(in crate::organisations) async fn add(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    organisation: OrganisationId,
    (person, role, duty): (UserId, PersonRole, &str),
) -> Result<person::Model, Problem> {
    let row = lock(txn, [organisation]).await?.pop().ok_or(Code::NotFound)?;
    let by_head = role == PersonRole::Member && is_head(txn, organisation, actor.user_id).await?;
    if !by_head && !is_staff(txn, actor, &row).await? {
        return Err(Code::Forbidden.into());
    }
    if person == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    if user::Entity::find_by_id(person).one(txn).await?.is_none() {
        return Err(Problem::field("/user_id", "没有这个人 / no such person"));
    }
    if live_of(organisation).count(txn).await? >= PEOPLE {
        return Err(Problem::new(Code::RateLimited, format!("at most {PEOPLE} people an organisation")));
    }
    let id: OrganisationPersonId = ids::ordered(&state.clock);
    let new = person::ActiveModel {
        id: Set(id),
        organisation_id: Set(organisation),
        user_id: Set(person),
        role: Set(role),
        duty: Set(duty.trim().to_owned()),
        since: Set(state.clock.now()),
        added_by: Set(Some(actor.user_id)),
        ended_at: Set(None),
        ended_by: Set(None),
    };
    let one_live = OnConflict::columns([person::Column::OrganisationId, person::Column::UserId])
        .target_and_where(Expr::cust("ended_at IS NULL"))
        .do_nothing()
        .to_owned();
    if person::Entity::insert(new).on_conflict(one_live).exec_without_returning(txn).await? == 0 {
        return Err(Code::AlreadyInOrganisation.into());
    }
    let detail = json!({ "user_id": person, "role": role });
    record(state, txn, actor, "organisation.add_person", &row, detail).await?;
    let message = Message {
        kind: "organisation.joined",
        title: "机构人员登记".to_owned(),
        body: format!("您已登记为“{}”的人员。如有误，可在“我的机构”中退出。", row.name),
        target: Some(("organisation", organisation.0)),
        dedupe_key: format!("organisation.joined:{id}"),
        template: Template::Need,
    };
    notifications::tell(state, txn, person, &message).await?;
    person::Entity::find_by_id(id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Ends somebody's belonging: they themself, a head for ordinary members, staff for anybody. A second time changes nothing.
pub(in crate::organisations) async fn end(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    organisation: OrganisationId,
    id: OrganisationPersonId,
) -> Result<(), Problem> {
    let row = lock(txn, [organisation]).await?.pop().ok_or(Code::NotFound)?;
    let of_it = person::Entity::find_by_id(id).filter(person::Column::OrganisationId.eq(organisation));
    let one = of_it.one(txn).await?.ok_or(Code::NotFound)?;
    let own = one.user_id == actor.user_id;
    let by_head = one.role == PersonRole::Member && is_head(txn, organisation, actor.user_id).await?;
    if !own && !by_head && !is_staff(txn, actor, &row).await? {
        return Err(Code::Forbidden.into());
    }
    let ended = person::Entity::update_many()
        .col_expr(person::Column::EndedAt, Expr::value(state.clock.now()))
        .col_expr(person::Column::EndedBy, Expr::value(actor.user_id))
        .filter(person::Column::Id.eq(id))
        .filter(person::Column::EndedAt.is_null())
        .exec(txn)
        .await?;
    if ended.rows_affected == 1 {
        record(state, txn, actor, "organisation.end_person", &row, json!({ "user_id": one.user_id })).await?;
    }
    Ok(())
}

/// 403 unless the caller may see an organisation's people: its own people and staff of its place.
pub(in crate::organisations) async fn require_insight(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    organisation: OrganisationId,
) -> Result<organisation::Model, Problem> {
    let row = find(connection, organisation).await?;
    if role_of(connection, organisation, actor.user_id).await?.is_none() && !is_staff(connection, actor, &row).await? {
        return Err(Code::Forbidden.into());
    }
    Ok(row)
}
