//! Service sites near people 服务站点.

use entities::ids::{OrganisationId, PlaceId, SiteId};
use entities::organisations::{SiteKind, organisation, site};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ActiveValue::Unchanged, ColumnTrait, ConnectionTrait, DatabaseTransaction,
    EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};

use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::geo::{self, Point};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::{audit, places};

/// At most so many sites are answered at once.
pub(in crate::organisations) const NEAR: u64 = 50;

/// What is known of a site.
pub(in crate::organisations) struct Details<'a> {
    pub place_id: PlaceId,
    pub organisation_id: Option<OrganisationId>,
    pub kind: SiteKind,
    pub name: &'a str,
    pub address: &'a str,
    pub opening: Value,
    pub fees: Value,
    /// Millionths of a degree, north and east.
    pub at: (i64, i64),
}

/// Opens a site, or writes one down anew: staff of its place.
pub(in crate::organisations) async fn keep(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: Option<SiteId>,
    details: Details<'_>,
) -> Result<site::Model, Problem> {
    let place = places::named(txn, details.place_id, "/place_id").await?;
    actor.require(Permission::ManageProjects, &place.path)?;
    if let Some(organisation) = details.organisation_id
        && organisation::Entity::find_by_id(organisation).one(txn).await?.is_none()
    {
        return Err(Problem::field("/organisation_id", "没有这家机构 / no such organisation"));
    }
    let mut row = site::ActiveModel {
        place_id: Set(place.id),
        place_path: Set(place.path),
        organisation_id: Set(details.organisation_id),
        kind: Set(details.kind),
        name: Set(details.name.trim().to_owned()),
        address: Set(details.address.trim().to_owned()),
        opening: Set(details.opening),
        fees: Set(details.fees),
        lat_e6: Set(details.at.0),
        lng_e6: Set(details.at.1),
        ..Default::default()
    };
    let row = if let Some(id) = id {
        let known = find(txn, id).await?;
        actor.require(Permission::ManageProjects, &known.place_path)?;
        row.id = Unchanged(id);
        row.update(txn).await?
    } else {
        row.id = Set(ids::ordered(&state.clock));
        row.created_by = Set(Some(actor.user_id));
        row.created_at = Set(state.clock.now());
        row.insert(txn).await?
    };
    audit::record(state, txn, Some(actor.user_id), "site.keep", ("site", row.id.0), Some(place.id), json!({})).await?;
    Ok(row)
}

/// A site that is not closed, or 404.
pub(in crate::organisations) async fn find(
    connection: &impl ConnectionTrait,
    id: SiteId,
) -> Result<site::Model, Problem> {
    let open = site::Entity::find_by_id(id).filter(site::Column::ClosedAt.is_null());
    open.one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// Closes a site for good.
pub(in crate::organisations) async fn close(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SiteId,
) -> Result<(), Problem> {
    let row = find(txn, id).await?;
    actor.require(Permission::ManageProjects, &row.place_path)?;
    let values = site::ActiveModel { id: Unchanged(id), closed_at: Set(Some(state.clock.now())), ..Default::default() };
    values.update(txn).await?;
    audit::record(state, txn, Some(actor.user_id), "site.close", ("site", id.0), Some(row.place_id), json!({})).await
}

/// The sites within some metres of a point, nearest first. The box is a range of an index; what lies in its corners is left
/// out afterwards.
pub(in crate::organisations) async fn near(
    connection: &impl ConnectionTrait,
    here: Point,
    metres: i64,
    kind: Option<SiteKind>,
) -> Result<Vec<(site::Model, i64)>, Problem> {
    let reach = i32::try_from(metres).map_or(f64::MAX, f64::from);
    let corners = here.box_around(reach).and_then(|(low, high)| low.stored().zip(high.stored()));
    let (Some(((south, west), (north, east))), Some((lat_e6, lng_e6))) = (corners, here.stored()) else {
        return Ok(Vec::new());
    };
    let mut sites = site::Entity::find()
        .filter(site::Column::ClosedAt.is_null())
        .filter(site::Column::LatE6.between(south, north))
        .filter(site::Column::LngE6.between(west, east));
    if let Some(kind) = kind {
        sites = sites.filter(site::Column::Kind.eq(kind));
    }
    // The square of the distance, in integers on both databases.
    let up = || Expr::col(site::Column::LatE6).sub(lat_e6);
    let aside = || Expr::col(site::Column::LngE6).sub(lng_e6).mul(here.narrowing()).div(1000);
    let square: SimpleExpr = up().mul(up()).add(aside().mul(aside()));
    let rows = sites.order_by_asc(square).order_by_asc(site::Column::Id).limit(NEAR).all(connection).await?;
    let away = |row: site::Model| {
        let metres = geo::whole(here.metres_to(Point::of_stored(row.lat_e6, row.lng_e6)));
        (row, metres)
    };
    let mut near: Vec<_> = rows.into_iter().map(away).filter(|(_, away)| *away <= metres).collect();
    near.sort_by_key(|(row, away)| (*away, row.id));
    Ok(near)
}
