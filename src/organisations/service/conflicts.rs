//! What ties somebody to an organisation, so that they do not judge it.

use chrono::{DateTime, Months, Utc};
use entities::ids::{ConflictId, OrganisationId, UserId};
use entities::organisations::{ConflictKind, conflict, person};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QuerySelect,
};

use super::find;
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// A tie that has ended counts so long.
const AFTERWARDS: Months = Months::new(12);

/// Whether somebody is tied to one of some organisations: they belong to it, or did within twelve months, or declared an
/// interest in it that has not ended longer ago than that. Whoever is must not judge them.
///
/// For a decision that a person who joins meanwhile must not slip past, [`super::people::lock`] the organisations first.
pub async fn conflicts(
    state: &AppState,
    connection: &impl ConnectionTrait,
    person: UserId,
    organisations: impl IntoIterator<Item = OrganisationId>,
) -> Result<bool, Problem> {
    let organisations: Vec<_> = organisations.into_iter().collect();
    if organisations.is_empty() {
        return Ok(false);
    }
    let since = since(state);
    let belongs = person::Entity::find()
        .filter(person::Column::UserId.eq(person))
        .filter(person::Column::OrganisationId.is_in(organisations.iter().copied()))
        .filter(Condition::any().add(person::Column::EndedAt.is_null()).add(person::Column::EndedAt.gt(since)));
    if belongs.count(connection).await? > 0 {
        return Ok(true);
    }
    let declared = conflict::Entity::find()
        .filter(conflict::Column::UserId.eq(person))
        .filter(conflict::Column::OrganisationId.is_in(organisations))
        .filter(Condition::any().add(conflict::Column::EndedAt.is_null()).add(conflict::Column::EndedAt.gt(since)));
    Ok(declared.count(connection).await? > 0)
}

fn since(state: &AppState) -> DateTime<Utc> {
    state.clock.now().checked_sub_months(AFTERWARDS).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// The organisations that somebody belongs to, or did within twelve months.
pub(in crate::organisations) async fn recent(
    state: &AppState,
    connection: &impl ConnectionTrait,
    person: UserId,
) -> Result<Vec<OrganisationId>, Problem> {
    let rows = person::Entity::find()
        .select_only()
        .column(person::Column::OrganisationId)
        .distinct()
        .filter(person::Column::UserId.eq(person))
        .filter(Condition::any().add(person::Column::EndedAt.is_null()).add(person::Column::EndedAt.gt(since(state))));
    Ok(rows.into_tuple().all(connection).await?)
}

/// Declares an interest; 409 if the same is declared already.
pub(in crate::organisations) async fn declare(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    organisation: OrganisationId,
    kind: ConflictKind,
) -> Result<conflict::Model, Problem> {
    find(txn, organisation).await.map_err(|problem| match problem.code() {
        Code::NotFound => Problem::field("/organisation_id", "没有这家机构 / no such organisation"),
        _ => problem,
    })?;
    let id: ConflictId = ids::ordered(&state.clock);
    let row = conflict::ActiveModel {
        id: Set(id),
        user_id: Set(actor.user_id),
        organisation_id: Set(organisation),
        kind: Set(kind),
        declared_at: Set(state.clock.now()),
        ended_at: Set(None),
    };
    let columns = [conflict::Column::UserId, conflict::Column::OrganisationId, conflict::Column::Kind];
    let one_live =
        OnConflict::columns(columns).target_and_where(Expr::cust("ended_at IS NULL")).do_nothing().to_owned();
    if conflict::Entity::insert(row).on_conflict(one_live).exec_without_returning(txn).await? == 0 {
        return Err(Code::ConflictDeclared.into());
    }
    conflict::Entity::find_by_id(id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Says that an interest is over; it counts for twelve months more. A second time changes nothing.
pub(in crate::organisations) async fn end(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ConflictId,
) -> Result<(), Problem> {
    let own = conflict::Entity::find_by_id(id).filter(conflict::Column::UserId.eq(actor.user_id));
    own.one(txn).await?.ok_or(Code::NotFound)?;
    conflict::Entity::update_many()
        .col_expr(conflict::Column::EndedAt, Expr::value(state.clock.now()))
        .filter(conflict::Column::Id.eq(id))
        .filter(conflict::Column::EndedAt.is_null())
        .exec(txn)
        .await?;
    Ok(())
}
