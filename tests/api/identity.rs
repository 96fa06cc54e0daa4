//! Signing in, sessions, residency, grants.

use chrono::Duration;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use wechat_simulator::Fault;

use crate::support::{ANJING, BUILDING_1, GUANGHUA, TestApp, place_id, user_id};

#[actix_web::test]
async fn a_resident_signs_in_and_is_known_again() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        assert_eq!(person.id, user_id("resident-1").to_string());
        let me = person.get("/me").await.expect(200);
        assert_eq!(me["residency"]["state"], "approved");
        assert_eq!(me["residency"]["place_id"], place_id(BUILDING_1).to_string());
        assert_eq!(me["unread"], 0);
        assert_eq!(app.sign_in("resident-1").await.id, person.id);
        let staff = app.sign_in("staff").await.get("/me").await.expect(200);
        assert_eq!(staff["grants"][0]["role"], "community_staff");
        assert_eq!(staff["grants"][0]["place_id"], place_id(GUANGHUA).to_string());
    })
    .await;
}

#[actix_web::test]
async fn a_login_code_is_good_once() {
    TestApp::run(async |app| {
        let code = app.simulator.control().login_code("resident-1").unwrap();
        app.anonymous(Method::POST, "/auth/wechat", &json!({ "code": code })).await.expect(200);
        app.anonymous(Method::POST, "/auth/wechat", &json!({ "code": code })).await.refused(401, "wechat_code_invalid");
        app.anonymous(Method::POST, "/auth/wechat", &json!({ "code": "made-up" }))
            .await
            .refused(401, "wechat_code_invalid");
    })
    .await;
}

#[actix_web::test]
async fn wechat_down_is_503_with_retry_after() {
    TestApp::run(async |app| {
        for fault in [
            Fault::errcode("/sns/jscode2session", -1),
            Fault::status("/sns/jscode2session", actix_web::http::StatusCode::BAD_GATEWAY),
            Fault::drop_connection("/sns/jscode2session"),
            Fault::hang("/sns/jscode2session", std::time::Duration::from_secs(30)),
        ] {
            app.simulator.control().fault(fault);
            let code = app.simulator.control().login_code("resident-1").unwrap();
            let answer = app.anonymous(Method::POST, "/auth/wechat", &json!({ "code": code })).await;
            assert!(answer.headers.contains_key("retry-after"));
            answer.refused(503, "wechat_unavailable");
            app.simulator.control().clear_faults();
        }
        app.sign_in("resident-1").await;
    })
    .await;
}

// Guard: the compare-and-set in identity/session.rs.
#[actix_web::test]
async fn of_parallel_presentations_of_one_refresh_token_exactly_one_wins() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        let body = json!({ "refresh_token": person.refresh_token });
        let answers = join_all((0..30).map(|_| app.anonymous(Method::POST, "/auth/refresh", &body))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1);
        for answer in lost {
            answer.refused(401, "refresh_reused");
        }
        let next = json!({ "refresh_token": won[0].body["refresh_token"] });
        app.anonymous(Method::POST, "/auth/refresh", &next).await.refused(401, "refresh_reused");
    })
    .await;
}

#[actix_web::test]
async fn a_chain_of_refreshes_works_and_ends_at_sign_out() {
    TestApp::run(async |app| {
        let mut person = app.sign_in("resident-1").await;
        for _ in 0..3 {
            let body = json!({ "refresh_token": person.refresh_token });
            let answer = app.anonymous(Method::POST, "/auth/refresh", &body).await.expect(200);
            person.refresh_token = answer["refresh_token"].as_str().unwrap().to_owned();
            person.token = answer["access_token"].as_str().unwrap().to_owned();
            person.get("/me").await.expect(200);
        }
        person.post("/auth/logout", json!({})).await.expect(204);
        let body = json!({ "refresh_token": person.refresh_token });
        app.anonymous(Method::POST, "/auth/refresh", &body).await.refused(401, "session_expired");
    })
    .await;
}

#[actix_web::test]
async fn expired_and_forged_tokens_are_told_apart() {
    TestApp::run(async |app| {
        let mut person = app.sign_in("resident-1").await;
        app.anonymous(Method::GET, "/me", &json!({})).await.refused(401, "unauthenticated");
        app.advance(Duration::minutes(11)).await;
        person.get("/me").await.refused(401, "token_expired");
        person.token = person.token.chars().rev().collect();
        person.get("/me").await.refused(401, "token_invalid");
        app.anonymous(Method::POST, "/auth/refresh", &json!({ "refresh_token": "AAAA" }))
            .await
            .refused(401, "token_invalid");
        // A refresh token with a changed letter must not end the family.
        let mut forged = person.refresh_token.clone();
        forged.replace_range(3..4, if &forged[3..4] == "A" { "B" } else { "A" });
        app.anonymous(Method::POST, "/auth/refresh", &json!({ "refresh_token": forged }))
            .await
            .refused(401, "token_invalid");
        app.anonymous(Method::POST, "/auth/refresh", &json!({ "refresh_token": person.refresh_token }))
            .await
            .expect(200);
    })
    .await;
}

fn application(app: &TestApp, persona: &str) -> serde_json::Value {
    let phone_code = app.simulator.control().phone_code(persona).unwrap();
    json!({ "building_id": place_id(BUILDING_1), "unit": "1", "room": "301", "real_name": "孙小梅", "phone_code": phone_code })
}

#[actix_web::test]
async fn a_newcomer_applies_and_the_leader_confirms() {
    TestApp::run(async |app| {
        let [newcomer, leader] = [app.sign_in("newcomer-1").await, app.sign_in("leader").await];
        let body = application(app, "newcomer-1");
        let applied = newcomer.post_with_key("/residencies", body.clone(), "once").await.expect(201);
        assert_eq!(applied["state"], "pending");
        // The phone code is spent; the key still finds the answer.
        assert_eq!(newcomer.post_with_key("/residencies", body, "once").await.expect(201), applied);
        newcomer.post("/residencies", application(app, "newcomer-1")).await.refused(409, "residency_exists");

        let queue = leader.get("/residencies?state=pending").await.expect(200);
        assert_eq!(queue["items"].as_array().unwrap().len(), 1);
        assert_eq!(queue["items"][0]["real_name"], "孙**");
        assert!(queue["items"][0]["phone"].as_str().unwrap().contains("****"));
        let id = applied["id"].as_str().unwrap();
        let full = leader.get(&format!("/residencies/{id}")).await.expect(200);
        assert_eq!(full["real_name"], "孙小梅");

        newcomer.post(&format!("/residencies/{id}/approve"), json!({})).await.refused(403, "forbidden");
        let other = app.sign_in("staff-other").await;
        other.post(&format!("/residencies/{id}/approve"), json!({})).await.refused(404, "not_found");
        other.get(&format!("/residencies/{id}")).await.refused(404, "not_found");
        leader.post(&format!("/residencies/{id}/approve"), json!({})).await.expect(200);
        leader
            .post(&format!("/residencies/{id}/reject"), json!({ "reason": "x" }))
            .await
            .refused(409, "already_decided");

        let me = newcomer.get("/me").await.expect(200);
        assert_eq!(me["residency"]["state"], "approved");
        assert_eq!(me["unread"], 1);
        let inbox = newcomer.get("/inbox").await.expect(200);
        assert_eq!(inbox["items"][0]["kind"], "residency.decided");
    })
    .await;
}

#[actix_web::test]
async fn a_refused_applicant_reads_why_and_may_apply_again() {
    TestApp::run(async |app| {
        let [newcomer, leader] = [app.sign_in("newcomer-1").await, app.sign_in("leader").await];
        newcomer.post("/me/message-consents", json!({ "template": "residency", "accepted": true })).await.expect(200);
        let applied = newcomer.post("/residencies", application(app, "newcomer-1")).await.expect(201);
        let path = format!("/residencies/{}/reject", applied["id"].as_str().unwrap());
        leader.post(&path, json!({})).await.names("/reason");
        leader.post(&path, json!({ "reason": "房号不对" })).await.expect(200);
        app.work().await;
        let messages = app.simulator.control().sent_messages("newcomer-1");
        assert_eq!(messages.len(), 1, "one accept is one message");
        let again = newcomer.post("/residencies", application(app, "newcomer-1")).await.expect(201);
        leader
            .post(&format!("/residencies/{}/reject", again["id"].as_str().unwrap()), json!({ "reason": "还是不对" }))
            .await
            .expect(200);
        app.work().await;
        assert_eq!(app.simulator.control().sent_messages("newcomer-1").len(), 1, "the quota is used up");
        assert_eq!(newcomer.get("/inbox").await.expect(200)["items"].as_array().unwrap().len(), 2);
    })
    .await;
}

// Guard: the state in the update's condition.
#[actix_web::test]
async fn parallel_decisions_make_one() {
    TestApp::run(async |app| {
        let newcomer = app.sign_in("newcomer-1").await;
        let [leader, staff] = [app.sign_in("leader").await, app.sign_in("staff").await];
        let applied = newcomer.post("/residencies", application(app, "newcomer-1")).await.expect(201);
        let path = format!("/residencies/{}/approve", applied["id"].as_str().unwrap());
        let answers =
            join_all((0..20).map(|at| if at % 2 == 0 { &leader } else { &staff }.post(&path, json!({})))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_eq!(newcomer.get("/inbox").await.expect(200)["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

// Guard: `residencies_one_live`.
#[actix_web::test]
async fn parallel_applications_make_one() {
    TestApp::run(async |app| {
        let newcomer = app.sign_in("newcomer-1").await;
        let bodies: Vec<_> = (0..10).map(|_| application(app, "newcomer-1")).collect();
        let answers = join_all(bodies.into_iter().map(|body| newcomer.post("/residencies", body))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(won.len(), 1);
        for answer in lost {
            answer.refused(409, "residency_exists");
        }
    })
    .await;
}

#[actix_web::test]
async fn nobody_gives_more_than_they_hold() {
    TestApp::run(async |app| {
        let [staff, leader, resident] = app.sign_in_all(["staff", "leader", "resident-1"]).await.try_into().ok().unwrap();
        let grant = |role: &str, path: &str| json!({ "user_id": user_id("resident-1"), "role": role, "place_id": place_id(path) });
        leader.post("/grants", grant("building_leader", BUILDING_1)).await.refused(403, "forbidden");
        staff.post("/grants", grant("building_leader", ANJING)).await.refused(403, "forbidden");
        staff.post("/grants", grant("street_staff", GUANGHUA)).await.refused(403, "grant_exceeds_own");
        staff.post("/grants", grant("nonsense", GUANGHUA)).await.names("/role");

        let given = staff.post("/grants", grant("building_leader", BUILDING_1)).await.expect(201);
        staff.post("/grants", grant("building_leader", BUILDING_1)).await.refused(409, "grant_exists");
        resident.get("/residencies").await.expect(200);
        let path = format!("/grants/{}", given["id"].as_str().unwrap());
        leader.delete(&path).await.refused(404, "not_found");
        staff.delete(&path).await.expect(204);
        resident.get("/residencies").await.refused(403, "forbidden");
        staff.post("/grants", grant("building_leader", BUILDING_1)).await.expect(201);
    })
    .await;
}

#[actix_web::test]
async fn a_grant_ends_when_it_says() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let until = app.state.clock.now() + Duration::minutes(5);
        let body = json!({ "user_id": user_id("resident-1"), "role": "building_leader", "place_id": place_id(BUILDING_1), "until": until });
        staff.post("/grants", body).await.expect(201);
        let resident = app.sign_in("resident-1").await;
        resident.get("/residencies").await.expect(200);
        app.advance(Duration::minutes(6)).await;
        resident.get("/residencies").await.refused(403, "forbidden");
    })
    .await;
}

#[actix_web::test]
async fn bad_input_is_named_and_nothing_is_stored() {
    TestApp::run(async |app| {
        let newcomer = app.sign_in("newcomer-1").await;
        let with = |field: &str, value: serde_json::Value| {
            let mut body = application(app, "newcomer-1");
            body[field] = value;
            body
        };
        newcomer.post("/residencies", with("nope", json!(1))).await.names("/nope");
        newcomer.post("/residencies", with("room", json!(301))).await.names("/room");
        newcomer.post("/residencies", with("room", json!("x".repeat(500)))).await.names("/room");
        newcomer.post("/residencies", with("real_name", json!("a\u{0}b"))).await.names("/real_name");
        newcomer.post("/residencies", with("building_id", json!(place_id(GUANGHUA)))).await.names("/building_id");
        newcomer.post("/residencies", with("building_id", json!(user_id("staff")))).await.names("/building_id");
        newcomer.post("/residencies", with("phone_code", json!("made-up"))).await.refused(422, "phone_code_invalid");
        newcomer.get("/places/not-an-id").await.refused(404, "not_found");
        newcomer.get("/residencies/not-an-id").await.refused(404, "not_found");
        newcomer.get("/nowhere").await.refused(404, "not_found");
        let text = newcomer.request(Method::PUT, "/me").header("content-type", "text/plain").body("{}");
        newcomer.send(text).await.refused(415, "unsupported_media_type");
        let broken = newcomer.request(Method::PUT, "/me").header("content-type", "application/json").body("{");
        newcomer.send(broken).await.refused(400, "malformed_request");
        let huge =
            newcomer.request(Method::PUT, "/me").header("content-type", "application/json").body("x".repeat(300_000));
        newcomer.send(huge).await.refused(413, "body_too_large");
        assert_eq!(newcomer.get("/me").await.expect(200)["residency"]["state"], "none");
    })
    .await;
}

#[actix_web::test]
async fn the_same_key_with_another_request_is_refused() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        let consent = |template: &str| json!({ "template": template, "accepted": true });
        let first = person.post_with_key("/me/message-consents", consent("need"), "k").await.expect(200);
        let answers =
            join_all((0..10).map(|_| person.post_with_key("/me/message-consents", consent("need"), "k"))).await;
        for answer in answers {
            assert_eq!(answer.expect(200), first);
        }
        person
            .post_with_key("/me/message-consents", consent("shift"), "k")
            .await
            .refused(409, "idempotency_key_reused");
        let refused = person.post_with_key("/me/message-consents", consent("nope"), "other").await;
        refused.names("/template");
        let me = person.get("/me").await.expect(200);
        let need = me["message_consents"].as_array().unwrap().iter().find(|quota| quota["template"] == "need").unwrap();
        assert_eq!(need["available"], 1);
    })
    .await;
}
