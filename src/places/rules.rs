//! What a community has set for itself.

use entities::ids::PlaceId;
use entities::places::place;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::Value;

use crate::platform::code::Code;
use crate::platform::config::Rules;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// The rules of a community: the server's, changed by what its district, its street and it itself have set, in this order.
pub async fn rules(state: &AppState, connection: &impl ConnectionTrait, community: PlaceId) -> Result<Rules, Problem> {
    let place = place::Entity::find_by_id(community).one(connection).await?.ok_or(Code::NotFound)?;
    // "/a/b/c/" lies in "/a/", "/a/b/" and itself.
    let above = place.path.match_indices('/').skip(1).filter_map(|(at, _)| place.path.get(..=at));
    let chain = place::Entity::find()
        .filter(place::Column::Path.is_in(above))
        .order_by_asc(place::Column::Path)
        .all(connection)
        .await?;
    merged(&state.config.rules, chain.iter().map(|place| &place.settings))
}

/// Settings laid over rules, each over what stands before it. Fails if together they make no rules.
pub fn merged<'a>(rules: &Rules, settings: impl IntoIterator<Item = &'a Value>) -> Result<Rules, Problem> {
    let internal = |error| Problem::from(Code::Internal).caused_by(error);
    let mut all = serde_json::to_value(rules).map_err(internal)?;
    for set in settings {
        if let (Some(all), Some(set)) = (all.as_object_mut(), set.as_object()) {
            all.extend(set.clone());
        }
    }
    serde_json::from_value(all).map_err(internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::config::Config;
    use serde_json::json;

    #[test]
    fn what_stands_nearer_wins() {
        let rules = Config::with("").unwrap().rules;
        let (street, own) = (json!({ "points_per_hour": 5, "pickup_hours": 24 }), json!({ "points_per_hour": 7 }));
        let merged = merged(&rules, [&json!({}), &street, &own]).unwrap();
        assert_eq!((merged.points_per_hour, merged.pickup_hours, merged.offer_minutes), (7, 24, rules.offer_minutes));
    }
}
