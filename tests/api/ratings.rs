//! The residents' rating: who may, once each, and what is published.

use chrono::Duration;
use entities::judgement::rating;
use futures_util::future::join_all;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::projects::running;
use crate::support::{GUANGHUA, TestApp, place_id};

async fn board(app: &TestApp) -> Vec<Value> {
    let person = app.sign_in("resident-1").await;
    let board = person.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
    board["items"].as_array().unwrap().clone()
}

// Guard: the primary key `project_ratings_once`.
#[actix_web::test]
async fn one_person_rating_twenty_times_at_once_counts_once() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let resident = app.sign_in("resident-1").await;
        let path = project.at("ratings");
        resident.post(&path, json!({ "score": 5 })).await.refused(409, "rating_closed");
        project.rated(app, &[]).await;
        let tries = join_all((0..20).map(|number| resident.post(&path, json!({ "score": 1 + number % 5 })))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 201).count(), 1);
        for late in tries.into_iter().filter(|answer| answer.status != 201) {
            late.refused(409, "already_rated");
        }
        assert_eq!(rating::Entity::find().count(app.state.db.read()).await.unwrap(), 1);
        assert!(resident.get(&path).await.expect(200)["mine"]["score"].is_number());
    })
    .await;
}

#[actix_web::test]
async fn those_who_were_served_and_residents_of_the_place_may_rate_and_nobody_else() {
    TestApp::run(async |app| {
        let project = running(app).await;
        // Resident 2's number stands in a confirmed record; a newcomer's stands in none that is confirmed.
        let phone = |name: &str| linli::demo::phone_of(name).unwrap();
        let person = |name: &str| json!({ "name": "王桂兰", "phone": phone(name), "groups": [] });
        project.service(app, json!({ "people": [person("resident-2")] })).await;
        project.recorded(app, json!({ "people": [person("newcomer-1")] })).await;
        project.rated(app, &[]).await;
        let path = project.at("ratings");
        for name in ["newcomer-1", "staff-other", "street"] {
            let stranger = app.sign_in(name).await;
            stranger.post(&path, json!({ "score": 5 })).await.refused(403, "not_eligible_to_rate");
            assert_eq!(stranger.get(&path).await.expect(200)["may_rate_as"], Value::Null);
        }
        for party in [&project.implementer, &project.supervisor, &project.evaluator] {
            party.post(&path, json!({ "score": 5 })).await.refused(403, "not_eligible_to_rate");
        }
        for (name, standing) in [("resident-2", "served"), ("resident-3", "resident")] {
            let rater = app.sign_in(name).await;
            assert_eq!(rater.get(&path).await.expect(200)["may_rate_as"], standing);
            assert_eq!(rater.post(&path, json!({ "score": 4 })).await.expect(201)["standing"], standing);
        }
        let rater = app.sign_in("resident-4").await;
        rater.post(&path, json!({ "score": 6 })).await.names("/score");
        rater.post(&path, json!({ "score": 0 })).await.names("/score");
    })
    .await;
}

#[actix_web::test]
async fn the_result_is_published_with_its_count_or_as_too_few() {
    TestApp::run(async |app| {
        for (raters, enough) in [(4, false), (6, true)] {
            let project = running(app).await;
            project.rated(app, &[]).await;
            let path = project.at("ratings");
            for number in 1..=raters {
                let rater = app.sign_in(&format!("resident-{number}")).await;
                rater.post(&path, json!({ "score": if number == 1 { 2 } else { 5 } })).await.expect(201);
            }
            let representative = app.sign_in("representative").await;
            assert_eq!(representative.get(&path).await.expect(200)["count"], raters, "representatives see how it goes");
            let resident = app.sign_in("resident-9").await;
            let before = resident.get(&path).await.expect(200);
            assert_eq!((&before["count"], &before["mean_hundredths"]), (&Value::Null, &Value::Null));
            app.advance(Duration::days(16)).await;
            app.advance(Duration::minutes(10)).await;

            let resident = app.sign_in("resident-9").await;
            let result = resident.get(&path).await.expect(200);
            assert_eq!((&result["count"], &result["enough"]), (&json!(raters), &json!(enough)));
            resident.post(&path, json!({ "score": 5 })).await.refused(409, "rating_closed");
            let told: Vec<Value> =
                board(app).await.into_iter().filter(|notice| notice["kind"] == "project.rated").collect();
            let words = told[0]["body"].as_str().unwrap();
            if enough {
                // (2 + 5 × 5) / 6 = 4.5
                assert_eq!(result["mean_hundredths"], 450);
                assert!(words.contains("6 人参与评议，平均 4.50 分"), "{words}");
                assert_eq!(result["distribution"], json!([0, null, 0, 0, null]), "one low score would tell who");
                assert_eq!(told.len(), 2, "one notice a project");
            } else {
                assert_eq!(result["mean_hundredths"], Value::Null);
                assert!(words.contains("不足 5 人"), "{words}");
            }
            assert_eq!(told[0]["id"], result["notice_id"]);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_comment_is_shown_once_it_has_passed_and_goes_when_it_is_hidden() {
    TestApp::run(async |app| {
        let project = running(app).await;
        project.rated(app, &[]).await;
        let [author, reader, staff] =
            app.sign_in_all(["resident-1", "resident-2", "staff"]).await.try_into().ok().unwrap();
        let comment = json!({ "score": 5, "comment": "老师很耐心。" });
        author.post(&project.at("ratings"), comment).await.expect(201);
        let shown = async || reader.get(&project.at("ratings/comments")).await.expect(200)["items"].clone();
        assert_eq!(shown().await, json!([]), "not before it has passed");
        app.work().await;
        let comments = shown().await;
        assert_eq!(comments[0]["comment"], "老师很耐心。");
        assert!(comments[0].get("score").is_none() && comments[0].get("user_id").is_none());
        let queue = staff.get("/moderation/items?state=open").await.expect(200);
        let item = queue["items"].as_array().unwrap().iter().find(|item| item["target_kind"] == "rating").unwrap();
        let hide = json!({ "action": "hide", "reason": "测试" });
        staff.post(&format!("/moderation/items/{}/decision", item["id"].as_str().unwrap()), hide).await.expect(200);
        assert_eq!(shown().await, json!([]));
    })
    .await;
}
