//! What places set for themselves.

use entities::audit::log;
use linli::places;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use crate::support::{ANJING, BUILDING_1, GUANGHUA, TestApp, place_id};

const STREET: &str = "/jiangan/chezhan/";

fn settings(path: &str) -> String {
    format!("/places/{}/settings", place_id(path))
}

#[actix_web::test]
async fn a_street_sets_and_a_community_overrides() {
    TestApp::run(async |app| {
        let [street, staff] = app.sign_in_all(["street", "staff"]).await.try_into().ok().unwrap();
        let set = street.put(&settings(STREET), json!({ "points_per_hour": 6, "pickup_hours": 24 })).await.expect(200);
        assert_eq!(set["own"], json!({ "points_per_hour": 6, "pickup_hours": 24 }));
        assert_eq!((&set["rules"]["points_per_hour"], &set["rules"]["offer_minutes"]), (&json!(6), &json!(60)));

        let set = staff.put(&settings(GUANGHUA), json!({ "points_per_hour": 8 })).await.expect(200);
        assert_eq!((&set["rules"]["points_per_hour"], &set["rules"]["pickup_hours"]), (&json!(8), &json!(24)));
        let read = staff.get(&settings(GUANGHUA)).await.expect(200);
        assert_eq!((&read["own"], &read["rules"]), (&json!({ "points_per_hour": 8 }), &set["rules"]));
        let below = staff.get(&settings(BUILDING_1)).await.expect(200);
        assert_eq!((&below["own"], &below["rules"]), (&json!({}), &set["rules"]));
        let rules = places::rules(&app.state, app.state.db.read(), place_id(GUANGHUA)).await.unwrap();
        assert_eq!((rules.points_per_hour, rules.pickup_hours), (8, 24));
        let elsewhere = places::rules(&app.state, app.state.db.read(), place_id(ANJING)).await.unwrap();
        assert_eq!((elsewhere.points_per_hour, elsewhere.pickup_hours), (10, 72));

        // What is not named any more is the street's again.
        let set = staff.put(&settings(GUANGHUA), json!({})).await.expect(200);
        assert_eq!(set["rules"]["points_per_hour"], 6);
        let audited = log::Entity::find().filter(log::Column::Action.eq("place.settings"));
        assert_eq!(audited.count(app.state.db.read()).await.unwrap(), 3);
    })
    .await;
}

#[actix_web::test]
async fn only_staff_of_the_place_set_and_read() {
    TestApp::run(async |app| {
        let body = json!({ "points_per_hour": 100 });
        for persona in ["staff-other", "leader", "resident-1", "merchant"] {
            let person = app.sign_in(persona).await;
            person.put(&settings(GUANGHUA), body.clone()).await.refused(403, "forbidden");
            person.get(&settings(GUANGHUA)).await.refused(403, "forbidden");
        }
        // A clerk of a community does not set for the street above it.
        let staff = app.sign_in("staff").await;
        staff.put(&settings(STREET), body).await.refused(403, "forbidden");
        staff.get(&settings("/nowhere/")).await.refused(404, "not_found");
        app.anonymous(reqwest::Method::GET, &settings(GUANGHUA), &json!({})).await.refused(401, "unauthenticated");
    })
    .await;
}

#[actix_web::test]
async fn a_wrong_setting_is_named_and_changes_nothing() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        staff.put(&settings(GUANGHUA), json!({ "pickup_hours": 24 })).await.expect(200);
        for (body, pointer) in [
            (json!({ "pickup_hours": 0 }), "/pickup_hours"),
            (json!({ "pickup_hours": "24" }), "/pickup_hours"),
            (json!({ "pickup_hours": null }), "/pickup_hours"),
            (json!({ "points_per_hour": 1001 }), "/points_per_hour"),
            (json!({ "star_hours": [100, 100] }), "/star_hours"),
            (json!({ "holidays": ["国庆"] }), "/holidays"),
            (json!({ "award_second_person_above": 101 }), "/award_second_person_above"),
            (json!({ "pickup_hours": 48, "database_url": "sqlite://x" }), "/database_url"),
        ] {
            staff.put(&settings(GUANGHUA), body).await.names(pointer);
        }
        staff.put(&settings(GUANGHUA), json!([1])).await.refused(422, "invalid_input");
        assert_eq!(staff.get(&settings(GUANGHUA)).await.expect(200)["own"], json!({ "pickup_hours": 24 }));
    })
    .await;
}
