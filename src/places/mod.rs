//! The tree of places: district 区 → street 街道 → community 社区 → grid 网格 → building 门栋 (→ household 户, in its own table
//! because the others are public and doors are not).
//!
//! Each place has a materialised path of codes, `/jiangan/chezhan/guanghua/`, so that "inside" is one range of an index
//! ([`within`]). A community is the tenant: whatever belongs to a place below or at a community carries its `community_id`.

mod http;
mod near;
mod rules;

use entities::ids::PlaceId;
use entities::places::place;
use futures_util::FutureExt;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait};

use crate::platform::capability::Capability;
use crate::platform::code::Code;
use crate::platform::http::Problem;

pub use http::ListParams;
pub use near::locate;
pub use rules::{merged, rules, rules_at, rules_of_all, set};

pub use entities::places::PlaceKind;
pub use entities::places::place::Model as Place;

const RULES: &[(&str, &str)] = &[
    (
        "place {} has not its parent's path with its own code",
        "SELECT c.id FROM places c LEFT JOIN places p ON p.id = c.parent_id \
         WHERE c.path <> COALESCE(p.path, '/') || c.code || '/'",
    ),
    (
        "place {} is not in its parent's community",
        "SELECT c.id FROM places c JOIN places p ON p.id = c.parent_id \
         WHERE (p.community_id IS NOT NULL AND c.community_id <> p.community_id) OR (c.kind = 'community' AND c.community_id <> c.id)",
    ),
];

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "places",
        routes: Some(http::routes),
        verify: Some(|state| state.db.audit(RULES).boxed_local()),
        ..Capability::default()
    }
}

/// A place by its id, or 404.
pub async fn find(connection: &impl ConnectionTrait, id: PlaceId) -> Result<Place, Problem> {
    place::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// A place that a request names in its body; the answer to a wrong one names `pointer`.
pub async fn named(connection: &impl ConnectionTrait, id: PlaceId, pointer: &str) -> Result<Place, Problem> {
    place::Entity::find_by_id(id)
        .one(connection)
        .await?
        .ok_or_else(|| Problem::field(pointer, "没有这个地点 / no such place"))
}

/// [`named`] for what belongs to a community: the place is one or lies in one. Gives the community as well.
pub async fn named_in_community(
    connection: &impl ConnectionTrait,
    id: PlaceId,
    pointer: &str,
) -> Result<(Place, PlaceId), Problem> {
    let place = named(connection, id, pointer).await?;
    match place.community_id {
        Some(community) => Ok((place, community)),
        None => Err(Problem::field(pointer, "须为社区或社区内的地点 / must be a community or lie in one")),
    }
}

/// From where to before where the paths at or below `path` lie, for statements that are written as text.
pub fn range(path: &str) -> [String; 2] {
    // Paths end with '/', and '0' is the next character: the range holds exactly what begins with the path.
    [path.to_owned(), format!("{}0", path.trim_end_matches('/'))]
}

/// The rows whose path column lies at or below `path`: one range of the column's index.
pub fn within(column: impl ColumnTrait, path: &str) -> Condition {
    let [from, above] = range(path);
    Condition::all().add(column.gte(from)).add(column.lt(above))
}

/// The rows at or below any of the paths; none for no path.
pub fn within_any<'a>(column: impl ColumnTrait + Copy, paths: impl IntoIterator<Item = &'a str>) -> Condition {
    // An empty `any` would hold for every row.
    let nothing = Condition::any().add(column.is_null().and(column.is_not_null()));
    paths.into_iter().fold(nothing, |any, path| any.add(within(column, path)))
}

/// Rows for a list of a place: those of its community (an index leads there), narrowed by path below it and above it.
pub fn listed_in<C: ColumnTrait>(place: &Place, community: C, path: C) -> Condition {
    match place.community_id {
        Some(id) if place.id == id => Condition::all().add(community.eq(id)),
        Some(id) => within(path, &place.path).add(community.eq(id)),
        None => within(path, &place.path),
    }
}

/// Rows of communities for a list of a place: the community that it is or lies in, or all that lie in it.
pub fn communities_of(place: &Place, community: impl ColumnTrait) -> Condition {
    if let Some(id) = place.community_id {
        return Condition::all().add(community.eq(id));
    }
    let mut below = sea_orm::sea_query::Query::select();
    below
        .column(place::Column::Id)
        .from(place::Entity)
        .cond_where(within(place::Column::Path, &place.path))
        .and_where(place::Column::Kind.eq(PlaceKind::Community));
    Condition::all().add(community.in_subquery(below))
}

/// Rows of places for a list that concerns a place: its own, those of the places that it lies in, and of those below it.
pub fn around(place: &Place, column: impl ColumnTrait) -> Condition {
    let mut around = sea_orm::sea_query::Query::select();
    around.column(place::Column::Id).from(place::Entity).cond_where(
        Condition::any()
            .add(within(place::Column::Path, &place.path))
            .add(place::Column::Path.is_in(rules::paths_above(&place.path))),
    );
    Condition::all().add(column.in_subquery(around))
}

/// Whether `path` lies at or below `outer`.
pub fn is_within(path: &str, outer: &str) -> bool {
    path.starts_with(outer)
}
