//! Third-party evaluation: after the rating, by somebody with no other part, as often as it takes.

use chrono::Duration;
use entities::identity::{Role, grant};
use entities::judgement::evaluation;
use futures_util::future::join_all;
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::files::send;
use crate::support::projects::{Running, organisation, running};
use crate::support::{GUANGHUA, Person, TestApp, place_id};

pub const PDF: &[u8] = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n";

pub async fn document(person: &Person) -> String {
    let answer = send(person, PDF.to_vec(), "application/pdf", None).await.expect(201);
    assert_eq!(answer["content_type"], "application/pdf");
    answer["id"].as_str().unwrap().to_owned()
}

pub fn evaluation(file: &str, result: &str, change: Value) -> Value {
    let mut body = json!({
        "result": result, "score": 92, "summary": "目标达成，居民满意。", "report_file_id": file,
        "indicators": [{ "name": "服务人次", "evidence": "抽查签到表", "score": 95 }]
    });
    for (field, value) in change.as_object().into_iter().flatten() {
        body[field] = value.clone();
    }
    body
}

/// The rating's time over, its result published.
pub async fn published(app: &TestApp, project: &Running) -> Person {
    project.rated(app, &[]).await;
    app.advance(Duration::days(16)).await;
    app.advance(Duration::minutes(10)).await;
    app.sign_in("evaluator").await
}

// Guard: the trigger `project_evaluations_after_rating` (and the check before it).
#[actix_web::test]
async fn an_evaluation_comes_after_the_rating_and_its_report_can_be_checked() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let path = project.at("evaluations");
        let file = document(&project.evaluator).await;
        project.evaluator.post(&path, evaluation(&file, "pass", json!({}))).await.refused(409, "project_state");
        project.rated(app, &[]).await;
        project.evaluator.post(&path, evaluation(&file, "pass", json!({}))).await.refused(409, "rating_open");
        app.advance(Duration::days(16)).await;
        app.advance(Duration::minutes(10)).await;
        let evaluator = app.sign_in("evaluator").await;
        for (name, change, pointer) in [
            ("rectify", json!({}), "/rectify_by"),
            ("pass", json!({ "rectify_by": "2999-01-01" }), "/rectify_by"),
            ("rectify", json!({ "rectify_by": "2020-01-01", "advice": "补课" }), "/rectify_by"),
            ("pass", json!({ "score": 101 }), "/score"),
            ("pass", json!({ "indicators": [] }), "/indicators"),
            ("pass", json!({ "report_file_id": place_id(GUANGHUA) }), "/report_file_id"),
        ] {
            evaluator.post(&path, evaluation(&file, name, change)).await.names(pointer);
        }
        let picture = crate::files::upload(&evaluator).await;
        evaluator.post(&path, evaluation(&picture, "pass", json!({}))).await.names("/report_file_id");
        for stranger in ["org-a", "supervisor", "staff", "org-b"] {
            let stranger = app.sign_in(stranger).await;
            stranger.post(&path, evaluation(&file, "pass", json!({}))).await.refused(403, "forbidden");
        }
        let tries = join_all((0..6).map(|_| evaluator.post(&path, evaluation(&file, "excellent", json!({}))))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!(project_state(app, &project).await, "evaluated");

        let hash = linli::platform::crypto::hex(&Sha256::digest(PDF));
        let resident = app.sign_in("resident-1").await;
        let seen = resident.get(&path).await.expect(200)["items"][0].clone();
        assert_eq!(seen["report_sha256"], json!(hash));
        let url = seen["report_url"].as_str().unwrap();
        let report = app.call(app.http.get(url), "the report").await;
        assert_eq!((report.status, report.bytes.as_slice()), (200, PDF));
        assert!(report.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
        let board = resident.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        let notice = board["items"].as_array().unwrap().iter().find(|row| row["kind"] == "project.evaluated").unwrap();
        assert!(notice["body"].as_str().unwrap().contains(&hash));
    })
    .await;
}

async fn project_state(app: &TestApp, project: &Running) -> Value {
    app.sign_in("staff").await.get(&project.path).await.expect(200)["state"].clone()
}

#[actix_web::test]
async fn what_is_to_be_rectified_is_evaluated_again() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let evaluator = published(app, &project).await;
        let path = project.at("evaluations");
        let day = linli::platform::calendar::day(app.state.clock.now() + Duration::days(10));
        let wish = json!({ "rectify_by": day, "advice": "补两次课" });
        let first = document(&evaluator).await;
        evaluator.post(&path, evaluation(&first, "rectify", wish)).await.expect(201);
        assert_eq!(project_state(app, &project).await, "rectifying");
        let implementer = app.sign_in("org-a").await;
        assert_eq!(implementer.get("/inbox").await.expect(200)["items"][0]["kind"], "project.evaluation");
        let second = document(&evaluator).await;
        evaluator.post(&path, evaluation(&second, "pass", json!({}))).await.refused(409, "project_state");
        let resubmit = project.at("resubmit");
        evaluator.post(&resubmit, json!({ "body": "已补" })).await.refused(403, "forbidden");
        let tries = join_all((0..6).map(|_| implementer.post(&resubmit, json!({ "body": "已补两次课" })))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        evaluator.post(&path, evaluation(&first, "pass", json!({}))).await.refused(409, "file_in_use");
        evaluator.post(&path, evaluation(&second, "pass", json!({}))).await.expect(201);
        assert_eq!(project_state(app, &project).await, "evaluated");
        let all = implementer.get(&path).await.expect(200);
        let results: Vec<_> = all["items"].as_array().unwrap().iter().map(|row| row["result"].clone()).collect();
        assert_eq!(results, [json!("pass"), json!("rectify")], "nothing is taken back");
    })
    .await;
}

// Guard: the trigger `project_evaluations_independent`.
#[actix_web::test]
async fn whoever_had_another_part_in_a_project_does_not_evaluate_it() {
    TestApp::run(async |app| {
        let project = running(app).await;
        // Somebody of the supervisor's who visited changes over to the evaluator's afterwards.
        let today = linli::platform::calendar::day(app.state.clock.now());
        project
            .supervisor
            .post(&project.at("visits"), json!({ "visited_on": today, "seen": "看过" }))
            .await
            .expect(201);
        project.service(app, json!({ "heads": 3 })).await;
        published(app, &project).await;
        let db = app.state.db.begin().await.unwrap();
        let moved = "UPDATE organisation_people SET ended_at = since, ended_by = user_id WHERE user_id = \
                     (SELECT visited_by FROM supervision_visits LIMIT 1)";
        db.execute_unprepared(moved).await.unwrap();
        db.commit().await.unwrap();
        organisation(app, "评估测试中心", &["supervisor"]).await;
        let_evaluate(app, "supervisor").await;
        let turncoat = app.sign_in("supervisor").await;
        let file = document(&turncoat).await;
        let path = project.at("evaluations");
        turncoat.post(&path, evaluation(&file, "pass", json!({}))).await.refused(403, "evaluator_involved");
        assert!(evaluation::Entity::find().one(app.state.db.read()).await.unwrap().is_none());
        // Somebody else of the same organisation may.
        let evaluator = app.sign_in("evaluator").await;
        let file = document(&evaluator).await;
        evaluator.post(&path, evaluation(&file, "pass", json!({}))).await.expect(201);
    })
    .await;
}

/// Lets somebody evaluate everywhere.
async fn let_evaluate(app: &TestApp, name: &str) {
    let row = grant::ActiveModel {
        id: Set(linli::platform::ids::unordered()),
        user_id: Set(crate::support::user_id(name)),
        role: Set(Role::Evaluator),
        place_id: Set(place_id("/jiangan/")),
        place_path: Set("/jiangan/".to_owned()),
        given_by: Set(None),
        given_at: Set(app.state.clock.now()),
        until: Set(None),
        revoked_by: Set(None),
        revoked_at: Set(None),
    };
    crate::support::projects::put(app, row).await;
    app.state.grants.invalidate_all();
}

// Guard: `attach` leaves documents alone; the first bytes decide what a file is.
#[actix_web::test]
async fn a_document_is_known_by_its_content_and_is_no_picture() {
    TestApp::run(async |app| {
        let project = running(app).await;
        send(&project.evaluator, b"not a pdf".to_vec(), "application/pdf", None)
            .await
            .refused(422, "file_type_mismatch");
        send(&project.evaluator, PDF.to_vec(), "image/png", None).await.refused(422, "file_type_mismatch");
        let file = document(&project.implementer).await;
        let today = linli::platform::calendar::day(app.state.clock.now());
        let body =
            json!({ "kind": "progress", "period_from": today, "period_until": today, "body": "x", "file_ids": [file] });
        project.implementer.post(&project.at("reports"), body).await.names("/file_ids/0");
        let resident = app.sign_in("resident-1").await;
        resident.get(&format!("/files/{file}")).await.refused(404, "not_found");
    })
    .await;
}

// Guards: `published_at` and `minimum_ratings` in organisations/service/results.rs.
#[actix_web::test]
async fn an_organisations_page_shows_what_was_published_of_its_projects() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let organisation: entities::ids::OrganisationId = linli::platform::ids::named("organisation:随艺测试中心");
        let page = format!("/organisations/{organisation}");
        let raters = app.sign_in_all(["resident-1", "resident-2", "resident-3", "resident-4", "resident-5"]).await;
        let ratings: Vec<_> = raters.iter().zip([5, 5, 4, 4, 5]).collect();
        project.rated(app, &ratings).await;
        assert_eq!(raters[0].get(&page).await.expect(200)["results"], json!([]), "nothing is published yet");
        app.advance(Duration::days(16)).await;
        app.advance(Duration::minutes(10)).await;
        let evaluator = app.sign_in("evaluator").await;
        let rated = evaluator.get(&page).await.expect(200)["results"].clone();
        let shown = |row: &Value| (row["ratings"].clone(), row["mean_hundredths"].clone(), row["evaluation"].clone());
        assert_eq!(shown(&rated[0]), (json!(5), json!(460), json!(null)));
        let file = document(&evaluator).await;
        evaluator.post(&project.at("evaluations"), evaluation(&file, "pass", json!({}))).await.expect(201);
        let judged = evaluator.get(&page).await.expect(200)["results"].clone();
        assert_eq!(shown(&judged[0]), (json!(5), json!(460), json!("pass")));
        assert_eq!((&judged[0]["evaluation_score"], &judged[0]["project_id"]), (&json!(92), &json!(project.id)));
    })
    .await;
}

#[actix_web::test]
async fn an_organisations_page_gives_no_mean_of_too_few() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let rater = app.sign_in("resident-1").await;
        project.rated(app, &[(&rater, 1)]).await;
        app.advance(Duration::days(16)).await;
        app.advance(Duration::minutes(10)).await;
        let organisation: entities::ids::OrganisationId = linli::platform::ids::named("organisation:随艺测试中心");
        let page = app.sign_in("resident-1").await.get(&format!("/organisations/{organisation}")).await.expect(200);
        let result = &page["results"][0];
        assert_eq!((&result["ratings"], &result["mean_hundredths"]), (&json!(1), &json!(null)));
    })
    .await;
}
