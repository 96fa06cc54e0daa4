//! What a place has set for itself.

use std::collections::HashMap;

use entities::ids::PlaceId;
use entities::places::{PlaceKind, place};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    QueryFilter, QueryOrder,
};
use serde_json::{Map, Value};

use crate::platform::code::Code;
use crate::platform::config::Rules;
use crate::platform::http::{FieldError, Problem};
use crate::platform::state::AppState;

/// The rules of a community: the server's, changed by what its district, its street and it itself have set, in this order.
pub async fn rules(state: &AppState, connection: &impl ConnectionTrait, community: PlaceId) -> Result<Rules, Problem> {
    let place = place::Entity::find_by_id(community).one(connection).await?.ok_or(Code::NotFound)?;
    let chain = chain(connection, &place).await?;
    merged(&state.config.rules, chain.iter().map(|place| &place.settings))
}

/// [`rules`] of the community that a place lies in, if one has the place at hand.
pub async fn rules_at(
    state: &AppState,
    connection: &impl ConnectionTrait,
    place: &place::Model,
) -> Result<Rules, Problem> {
    let chain = chain(connection, place).await?;
    // What lies in a community sets nothing.
    let chain = chain.iter().filter(|outer| outer.community_id.is_none_or(|community| community == outer.id));
    merged(&state.config.rules, chain.map(|outer| &outer.settings))
}

/// [`rules`] of each community that a place is, lies in or holds: one query, however many.
pub async fn rules_of_all(
    state: &AppState,
    connection: &impl ConnectionTrait,
    place: &place::Model,
) -> Result<HashMap<PlaceId, Rules>, Problem> {
    let around = Condition::any()
        .add(place::Column::Path.is_in(paths_above(&place.path)))
        .add(super::within(place::Column::Path, &place.path));
    let setting = place::Column::Kind.is_in([PlaceKind::District, PlaceKind::Street, PlaceKind::Community]);
    let rows = place::Entity::find().filter(around).filter(setting).order_by_asc(place::Column::Path);
    let rows = rows.all(connection).await?;
    let communities = rows.iter().filter(|row| row.kind == PlaceKind::Community);
    let rules = communities.map(|community| {
        let chain = rows.iter().filter(|outer| super::is_within(&community.path, &outer.path));
        Ok((community.id, merged(&state.config.rules, chain.map(|outer| &outer.settings))?))
    });
    rules.collect()
}

/// A place with all that it lies in, outermost first.
async fn chain(connection: &impl ConnectionTrait, place: &place::Model) -> Result<Vec<place::Model>, Problem> {
    let above = place::Column::Path.is_in(paths_above(&place.path));
    Ok(place::Entity::find().filter(above).order_by_asc(place::Column::Path).all(connection).await?)
}

/// The path itself and those that it lies in: "/a/b/c/" lies in "/a/" and "/a/b/".
pub(super) fn paths_above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').skip(1).filter_map(|(at, _)| path.get(..=at))
}

/// Replaces what a place has set by `own`, if that makes rules; gives the rules that follow. A mistake is named by its field.
///
/// Each field is checked by itself, so that settings which are right here are right in every place below.
pub async fn set(
    state: &AppState,
    txn: &DatabaseTransaction,
    place: &place::Model,
    own: &Map<String, Value>,
) -> Result<Rules, Problem> {
    let above = chain(txn, place).await?;
    let above = above.iter().filter(|outer| outer.id != place.id).map(|outer| &outer.settings);
    let rules = checked(&merged(&state.config.rules, above)?, own)?;
    let row = place::ActiveModel { id: Set(place.id), settings: Set(Value::Object(own.clone())), ..Default::default() };
    row.update(txn).await?;
    Ok(rules)
}

/// `own` laid over rules; each field that is unknown or wrong is named.
fn checked(rules: &Rules, own: &Map<String, Value>) -> Result<Rules, Problem> {
    let internal = |error| Problem::from(Code::Internal).caused_by(error);
    let all = serde_json::to_value(rules).map_err(internal)?;
    let mut errors = Vec::new();
    for (field, value) in own {
        let pointer = format!("/{field}");
        if all.get(field).is_none() {
            let detail = "没有这项设置 / there is no such setting".to_owned();
            errors.push(FieldError { pointer, code: "unknown".into(), detail });
            continue;
        }
        let mut one = all.clone();
        if let Some(one) = one.as_object_mut() {
            one.insert(field.clone(), value.clone());
        }
        match serde_json::from_value::<Rules>(one).map(|rules| rules.check()) {
            Ok(Ok(())) => {}
            Ok(Err((_, detail))) => errors.push(FieldError { pointer, code: "invalid".into(), detail }),
            Err(error) => errors.push(FieldError { pointer, code: "type".into(), detail: error.to_string() }),
        }
    }
    if errors.is_empty() { merged(rules, [&Value::Object(own.clone())]) } else { Err(Problem::invalid(errors)) }
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

    #[test]
    fn each_mistake_is_named_by_its_field() {
        let rules = Config::with("").unwrap().rules;
        let own = |value: Value| value.as_object().unwrap().clone();
        let set = json!({ "points_per_hour": 5, "holidays": ["2026-10-01"] });
        assert_eq!(checked(&rules, &own(set)).unwrap().points_per_hour, 5);
        for (wrong, code) in [
            (json!({ "points_per_hour": -1 }), "invalid"),
            (json!({ "points_per_hour": "ten" }), "type"),
            (json!({ "holidays": ["2026-02-30"] }), "type"),
            (json!({ "star_hours": [3, 2] }), "invalid"),
            (json!({ "points_per_day": 1 }), "unknown"),
        ] {
            let pointer = format!("/{}", own(wrong.clone()).keys().next().unwrap());
            let document = serde_json::to_value(checked(&rules, &own(wrong)).unwrap_err().document()).unwrap();
            assert_eq!(
                (&document["errors"][0]["pointer"], &document["errors"][0]["code"]),
                (&json!(pointer), &json!(code))
            );
        }
    }
}
