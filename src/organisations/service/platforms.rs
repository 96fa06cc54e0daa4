//! Platforms of the three levels, what was published about them, and who operates them.

use std::collections::BTreeMap;

use entities::ids::{OperatorAdmissionId, OrganisationId, PlaceId, PlatformId};
use entities::organisations::{
    AdmissionState, OrganisationState, PlatformLevel, ReportedFigure, operator_admission, operator_round, organisation,
    platform, platform_report,
};
use entities::places::PlaceKind;
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ActiveValue::Unchanged, ColumnTrait, ConnectionTrait, DatabaseTransaction,
    EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QuerySelect, Statement,
};
use serde_json::json;

use super::people::lock;
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::{audit, places};

/// A platform by its id, or 404.
pub(in crate::organisations) async fn find(
    connection: &impl ConnectionTrait,
    id: PlatformId,
) -> Result<platform::Model, Problem> {
    platform::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// Whether somebody runs a platform: staff of its place.
pub(in crate::organisations) fn runs(actor: &Actor, row: &platform::Model) -> Result<(), Problem> {
    actor.require(Permission::ManageProjects, &row.place_path)
}

/// What is said of a new platform.
pub(in crate::organisations) struct NewPlatform<'a> {
    pub place_id: PlaceId,
    pub name: &'a str,
    pub runs: &'a str,
    pub area_m2: Option<i64>,
    pub invested_fen: Option<i64>,
    pub opened_year: Option<i64>,
}

/// Writes a platform down; its level is its place's.
pub(in crate::organisations) async fn create(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    new: &NewPlatform<'_>,
) -> Result<platform::Model, Problem> {
    let place = places::named(txn, new.place_id, "/place_id").await?;
    actor.require(Permission::ManageProjects, &place.path)?;
    let level = match place.kind {
        PlaceKind::District => PlatformLevel::District,
        PlaceKind::Street => PlatformLevel::Street,
        PlaceKind::Community => PlatformLevel::Community,
        _ => {
            let detail = "须为区、街道或社区 / must be a district, a street or a community";
            return Err(Problem::field("/place_id", detail));
        }
    };
    let id: PlatformId = ids::ordered(&state.clock);
    let row = platform::ActiveModel {
        id: Set(id),
        level: Set(level),
        place_id: Set(place.id),
        place_path: Set(place.path),
        name: Set(new.name.trim().to_owned()),
        runs: Set(new.runs.trim().to_owned()),
        area_m2: Set(new.area_m2),
        invested_fen: Set(new.invested_fen),
        opened_year: Set(new.opened_year),
        operator_id: Set(None),
        operator_admission_id: Set(None),
        created_by: Set(Some(actor.user_id)),
        created_at: Set(state.clock.now()),
    };
    let once = OnConflict::columns([platform::Column::PlaceId, platform::Column::Name]).do_nothing().to_owned();
    if platform::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await? == 0 {
        return Err(Code::PlatformKnown.into());
    }
    record(state, txn, actor, "platform.create", id, place.id, json!({ "level": level })).await?;
    find(txn, id).await
}

/// Hands a platform to an operator of the pool: one admitted by a round of this place or one above it, whose validity has begun
/// and not ended. Whoever removes them from the pool locks the organisation as well; that the admission is the operator's own
/// is a foreign key's.
pub(in crate::organisations) async fn operate(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: PlatformId,
    operator: OrganisationId,
) -> Result<platform::Model, Problem> {
    let row = find(txn, id).await?;
    runs(actor, &row)?;
    lock(txn, [operator]).await.map_err(|problem| match problem.code() {
        Code::NotFound => Problem::field("/organisation_id", "没有这家机构 / no such organisation"),
        _ => problem,
    })?;
    let now = state.clock.now();
    let above = row.place_path.match_indices('/').skip(1).filter_map(|(at, _)| row.place_path.get(..=at));
    let mut valid = Query::select();
    valid
        .column((operator_admission::Entity, operator_admission::Column::Id))
        .from(operator_admission::Entity)
        .inner_join(
            operator_round::Entity,
            Expr::col((operator_round::Entity, operator_round::Column::Id))
                .equals((operator_admission::Entity, operator_admission::Column::RoundId)),
        )
        .and_where(operator_admission::Column::OrganisationId.eq(operator))
        .and_where(operator_admission::Column::State.eq(AdmissionState::Admitted))
        .and_where(operator_round::Column::ValidFrom.lte(now))
        .and_where(operator_round::Column::ValidUntil.gt(now))
        .and_where(operator_round::Column::PlacePath.is_in(above))
        .order_by((operator_round::Entity, operator_round::Column::ValidUntil), sea_orm::Order::Desc)
        .limit(1);
    let admission = operator_admission::Entity::find()
        .select_only()
        .column(operator_admission::Column::Id)
        .filter(operator_admission::Column::Id.in_subquery(valid))
        .into_tuple::<OperatorAdmissionId>()
        .one(txn)
        .await?
        .ok_or(Code::NotInPool)?;
    let values = platform::ActiveModel {
        id: Unchanged(id),
        operator_id: Set(Some(operator)),
        operator_admission_id: Set(Some(admission)),
        ..Default::default()
    };
    let row = values.update(txn).await?;
    let detail = json!({ "organisation_id": operator, "admission_id": admission });
    record(state, txn, actor, "platform.operate", id, row.place_id, detail).await?;
    Ok(row)
}

/// A figure as it was published.
pub(in crate::organisations) struct NewReport<'a> {
    pub place_id: PlaceId,
    pub level: PlatformLevel,
    pub subject: &'a str,
    pub figure: ReportedFigure,
    pub amount: i64,
    pub at_least: bool,
    pub source: &'a str,
}

/// Writes down a figure as it was published, beside what is counted.
pub(in crate::organisations) async fn report(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    new: &NewReport<'_>,
) -> Result<platform_report::Model, Problem> {
    let place = places::named(txn, new.place_id, "/place_id").await?;
    actor.require(Permission::ManageProjects, &place.path)?;
    let row = platform_report::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        level: Set(new.level),
        place_id: Set(place.id),
        place_path: Set(place.path),
        subject: Set(new.subject.trim().to_owned()),
        figure: Set(new.figure),
        amount: Set(new.amount),
        at_least: Set(new.at_least),
        source: Set(new.source.trim().to_owned()),
        recorded_by: Set(Some(actor.user_id)),
        recorded_at: Set(state.clock.now()),
    };
    Ok(row.insert(txn).await?)
}

async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    action: &str,
    id: PlatformId,
    place: PlaceId,
    detail: serde_json::Value,
) -> Result<(), Problem> {
    audit::record(state, txn, Some(actor.user_id), action, ("platform", id.0), Some(place), detail).await
}

/// How many organisations each of some platforms raises now.
pub(in crate::organisations) async fn raised(
    connection: &impl ConnectionTrait,
    platforms: impl IntoIterator<Item = PlatformId>,
) -> Result<BTreeMap<(PlatformId, OrganisationState), i64>, Problem> {
    let counted = organisation::Entity::find()
        .select_only()
        .column(organisation::Column::IncubatorId)
        .column(organisation::Column::State)
        .column_as(organisation::Column::Id.count(), "organisations")
        .filter(organisation::Column::IncubatorId.is_in(platforms))
        .group_by(organisation::Column::IncubatorId)
        .group_by(organisation::Column::State);
    let rows: Vec<(PlatformId, OrganisationState, i64)> = counted.into_tuple().all(connection).await?;
    Ok(rows.into_iter().map(|(platform, state, count)| ((platform, state), count)).collect())
}

/// What is counted of the platforms of one level.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub(in crate::organisations) struct Counted {
    pub level: PlatformLevel,
    pub platforms: i64,
    pub invested_fen: i64,
    pub area_m2: i64,
    /// Organisations whose base or centre one of them is.
    pub raised: i64,
}

/// What is counted of the platforms at and below a place, by level.
pub(in crate::organisations) async fn counted(
    connection: &impl ConnectionTrait,
    path: &str,
) -> Result<Vec<Counted>, Problem> {
    let sql = "
        SELECT p.level, COUNT(*) AS platforms, CAST(COALESCE(SUM(p.invested_fen), 0) AS bigint) AS invested_fen,
               CAST(COALESCE(SUM(p.area_m2), 0) AS bigint) AS area_m2,
               CAST(COALESCE(SUM((SELECT COUNT(*) FROM organisations o WHERE o.incubator_id = p.id)), 0) AS bigint) AS raised
        FROM platforms p WHERE p.place_path >= $1 AND p.place_path < $2 GROUP BY p.level";
    let values = places::range(path).map(Into::into);
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(Counted::find_by_statement(statement).all(connection).await?)
}
