//! Volunteers' profiles, certificates, and how anybody checks one.

use std::collections::HashSet;

use chrono::{Duration, SubsecRound};
use entities::audit::log;
use entities::certificates::{certificate, volunteer_profile};
use futures_util::future::join_all;
use linli::demo;
use reqwest::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{GUANGHUA, Person, TestApp, place_id, user_id};

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

/// Volunteers 1 to `count` each serve an hour, which `staff` confirms.
async fn served(app: &TestApp, count: usize) {
    let staff = app.sign_in("staff").await;
    let body = json!({ "place_id": place_id(GUANGHUA), "title": "敬老包饺子", "description": "和老人一起过节。" });
    let activity = id(&staff.post("/activities", body).await.expect(201));
    let at = |minutes| app.state.clock.now().trunc_subsecs(0) + Duration::minutes(minutes);
    let body = json!({ "starts_at": at(20), "ends_at": at(80), "capacity": 10 });
    let shift = id(&staff.post(&format!("/activities/{activity}/shifts"), body).await.expect(201));
    let mut signups = Vec::new();
    for at in 1..=count {
        let person = app.sign_in(&format!("volunteer-{at}")).await;
        signups.push(id(&person.put(&format!("/shifts/{shift}/signup"), json!({})).await.expect(200)));
    }
    for (minutes, act) in [(15, "check-in"), (70, "check-out")] {
        app.advance(Duration::minutes(minutes)).await;
        let staff = app.sign_in("staff").await;
        for signup in &signups {
            staff.post(&format!("/signups/{signup}/{act}"), json!({})).await.expect(200);
        }
    }
    let body = json!({ "people_served": 12, "rating": 5 });
    app.sign_in("staff").await.post(&format!("/shifts/{shift}/confirm"), body).await.expect(200);
}

fn profile() -> Value {
    json!({ "sex": "female", "birth": "1949-12-31", "document_type": "id_card", "document_number": "11010519491231002x",
        "skills": ["急救"] })
}

fn issuing() -> Value {
    json!({ "responsible": "周主任", "contact": "027-82800000" })
}

async fn audited(app: &TestApp, action: &str) -> u64 {
    log::Entity::find().filter(log::Column::Action.eq(action)).count(app.state.db.read()).await.unwrap()
}

#[actix_web::test]
async fn a_profile_is_kept_encrypted_shown_masked_and_revealed_with_a_trace() {
    TestApp::run(async |app| {
        let [volunteer, staff, other, newcomer] =
            app.sign_in_all(["volunteer-1", "staff", "staff-other", "newcomer-1"]).await.try_into().ok().unwrap();
        let path = "/me/volunteer-profile";
        volunteer.get(path).await.refused(404, "not_found");
        newcomer.put(path, profile()).await.refused(403, "not_verified");
        let wrong = |field: &str, value: Value| {
            let mut body = profile();
            body[field] = value;
            body
        };
        for (field, value) in [
            ("document_number", json!("110105194912310021")),
            ("sex", json!("male")),
            ("birth", json!("1950-12-31")),
            ("document_type", json!("library_card")),
            ("skills", json!([""])),
        ] {
            let pointer = if field == "skills" { "/skills/0".to_owned() } else { format!("/{field}") };
            volunteer.put(path, wrong(field, value)).await.names(&pointer);
        }
        let kept = volunteer.put(path, profile()).await.expect(200);
        assert_eq!(kept["document_number"], "110***********002X");
        assert_eq!(volunteer.put(path, profile()).await.expect(200)["volunteer_number"], kept["volunteer_number"]);
        assert_eq!(kept["volunteer_number"], "JIANGAN-CHEZHAN-GUANGHUA-V000001");
        let row = volunteer_profile::Entity::find().one(app.state.db.read()).await.unwrap().unwrap();
        assert!(!row.sealed.contains("1949") && !row.sealed.contains("急救"), "encrypted");

        let path = format!("/volunteers/{}/profile", volunteer.id);
        other.get(&path).await.refused(404, "not_found");
        volunteer.get(&path).await.refused(404, "not_found");
        staff.get(&format!("/volunteers/{}/profile", newcomer.id)).await.refused(404, "not_found");
        assert_eq!(audited(app, "volunteer_profile.reveal").await, 0);
        let full = staff.get(&path).await.expect(200);
        assert_eq!(full["document_number"], "11010519491231002X");
        assert_eq!(audited(app, "volunteer_profile.reveal").await, 1);
    })
    .await;
}

// Guard: the counter's row, held until the transaction ends; behind it unique numbers.
#[actix_web::test]
async fn volunteers_numbers_are_given_once_and_without_a_gap() {
    TestApp::run(async |app| {
        let people = app.sign_in_all((1..=5).map(|at| format!("volunteer-{at}"))).await;
        let all = people.iter().cycle().take(25).map(|person| person.put("/me/volunteer-profile", profile()));
        let mut numbers = HashSet::new();
        for answer in join_all(all).await {
            numbers.insert(answer.expect(200)["volunteer_number"].as_str().unwrap().to_owned());
        }
        let expected: HashSet<_> = (1..=5).map(|at| format!("JIANGAN-CHEZHAN-GUANGHUA-V{at:06}")).collect();
        assert_eq!(numbers, expected);
    })
    .await;
}

#[actix_web::test]
async fn a_certificate_is_asked_for_issued_by_staff_printed_checked_and_revoked() {
    TestApp::run(async |app| {
        served(app, 1).await;
        let [volunteer, staff, other, neighbour] =
            app.sign_in_all(["volunteer-1", "staff", "staff-other", "volunteer-2"]).await.try_into().ok().unwrap();
        let own = "/me/certificates";
        volunteer.post(own, json!({ "from": "2026-02-01", "to": "2026-01-01" })).await.names("/to");
        volunteer.post(own, json!({ "community_id": place_id("/jiangan/") })).await.names("/community_id");
        let wish = volunteer.post(own, json!({})).await.expect(201);
        assert_eq!(wish["state"], "requested");
        assert_eq!(volunteer.post(own, json!({})).await.expect(201)["id"], wish["id"], "one wish at a time");
        let path = |act: &str| format!("/certificates/{}/{act}", id(&wish));
        staff.get(&path("pdf")).await.refused(409, "certificate_state");
        staff.post(&path("issue"), issuing()).await.refused(409, "profile_missing");
        volunteer.put("/me/volunteer-profile", profile()).await.expect(200);
        volunteer.post(&path("issue"), issuing()).await.refused(403, "own_act");
        for stranger in [&other, &neighbour] {
            stranger.post(&path("issue"), issuing()).await.refused(404, "not_found");
            stranger.get(&path("pdf")).await.refused(404, "not_found");
        }
        staff.post(&path("issue"), json!({ "responsible": "周主任" })).await.names("/contact");
        let list = format!("/certificates?place_id={}&state=requested", place_id(GUANGHUA));
        neighbour.get(&list).await.refused(403, "forbidden");
        assert_eq!(staff.get(&list).await.expect(200)["items"][0]["id"], wish["id"]);

        let issued = staff.post(&path("issue"), issuing()).await.expect(200);
        assert_eq!(
            (&issued["state"], &issued["minutes"], &issued["unprintable"]),
            (&json!("issued"), &json!(60), &json!(""))
        );
        assert!(issued["serial"].as_str().unwrap().ends_with("-000001"), "{issued}");
        assert_eq!(staff.post(&path("issue"), issuing()).await.expect(200)["serial"], issued["serial"], "a repetition");
        staff.post(&path("decline"), json!({ "reason": "x" })).await.refused(409, "certificate_state");
        let row = certificate::Entity::find().one(app.state.db.read()).await.unwrap().unwrap();
        let name = staff.get(&format!("/volunteers/{}/profile", volunteer.id)).await.expect(200)["real_name"].clone();
        let name = name.as_str().unwrap().to_owned();
        assert!(!format!("{row:?}").contains(&name), "what it says is encrypted");

        // The same certificate is the same file, for its owner and for staff, whose look leaves a trace.
        let first = volunteer.get(&path("pdf")).await;
        assert_eq!((first.status, first.headers["content-type"].to_str().unwrap()), (200, "application/pdf"));
        assert!(first.bytes.starts_with(b"%PDF-"));
        assert_eq!(audited(app, "certificate.read").await, 0);
        assert!(staff.get(&path("pdf")).await.bytes == first.bytes);
        assert_eq!(audited(app, "certificate.read").await, 1);

        let check =
            async |code: &str| app.anonymous(Method::GET, &format!("/certificates/verify/{code}"), &json!({})).await;
        let code = issued["code"].as_str().unwrap();
        let checked = check(code).await.expect(200);
        assert_eq!(
            (&checked["state"], &checked["serial"], &checked["minutes"]),
            (&json!("issued"), &issued["serial"], &json!(60))
        );
        assert_eq!(checked["issuer"], "车站街道光华社区居民委员会");
        assert!(!checked.to_string().contains(&name) && checked["name"].as_str().unwrap().ends_with('*'), "masked");
        assert_eq!(check(&code.to_lowercase().replace('-', "")).await.expect(200), checked, "however it is typed");
        check("0000-0000-0000-0000").await.refused(404, "not_found");
        check("nonsense").await.refused(404, "not_found");

        let reason = json!({ "reason": "时长有误，另行出具" });
        volunteer.post(&path("revoke"), reason.clone()).await.refused(403, "own_act");
        neighbour.post(&path("revoke"), reason.clone()).await.refused(404, "not_found");
        staff.post(&path("revoke"), json!({ "reason": "" })).await.names("/reason");
        staff.post(&path("revoke"), reason.clone()).await.expect(200);
        staff.post(&path("revoke"), reason).await.expect(200);
        let checked = check(code).await.expect(200);
        assert_eq!((&checked["state"], &checked["revoke_reason"]), (&json!("revoked"), &json!("时长有误，另行出具")));
        volunteer.get(&path("pdf")).await.refused(409, "certificate_state");
        staff.post(&path("issue"), issuing()).await.refused(409, "certificate_state");
        assert_eq!(volunteer.get("/inbox").await.expect(200)["items"][0]["kind"], "certificate.revoked");
        let board = volunteer.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        let kinds: Vec<_> =
            board["items"].as_array().unwrap().iter().map(|notice| notice["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds[..2], ["certificate.revoked", "certificate.issued"]);
        assert!(!board.to_string().contains(&name), "without personal data");

        // Guards: the triggers `certificates_sealed` and `certificates_kept`.
        for change in [
            certificate::Entity::update_many().col_expr(certificate::Column::Minutes, Expr::value(6000)),
            certificate::Entity::update_many().col_expr(certificate::Column::State, Expr::value("issued")),
        ] {
            let txn = app.state.db.begin().await.unwrap();
            change.exec(&txn).await.unwrap_err();
            txn.rollback().await.unwrap();
        }
        let txn = app.state.db.begin().await.unwrap();
        certificate::Entity::delete_many().exec(&txn).await.unwrap_err();
        txn.rollback().await.unwrap();
    })
    .await;
}

#[actix_web::test]
async fn there_is_nothing_to_certify_without_confirmed_minutes_of_the_time() {
    TestApp::run(async |app| {
        served(app, 1).await;
        let [volunteer, neighbour, staff] =
            app.sign_in_all(["volunteer-1", "volunteer-2", "staff"]).await.try_into().ok().unwrap();
        for person in [&volunteer, &neighbour] {
            person.put("/me/volunteer-profile", profile()).await.expect(200);
        }
        let body = |person: &Person, from: &str| {
            json!({ "user_id": person.id, "community_id": place_id(GUANGHUA), "from": from, "issuing": issuing() })
        };
        staff.post("/certificates", body(&neighbour, "2020-01-01")).await.refused(409, "no_service_minutes");
        staff.post("/certificates", body(&volunteer, "2999-01-01")).await.refused(409, "no_service_minutes");
        staff.post("/certificates", body(&staff, "2020-01-01")).await.refused(403, "own_act");
        neighbour.post("/certificates", body(&volunteer, "2020-01-01")).await.refused(403, "forbidden");
        let newcomer = app.sign_in("newcomer-1").await;
        staff.post("/certificates", body(&newcomer, "2020-01-01")).await.names("/user_id");
        let issued = staff.post("/certificates", body(&volunteer, "2020-01-01")).await.expect(201);
        assert!(issued["serial"].as_str().unwrap().ends_with("-000001"), "what was refused took no number");
        let wish = id(&neighbour.post("/me/certificates", json!({})).await.expect(201));
        let reason = json!({ "reason": "还没有服务记录" });
        staff.post(&format!("/certificates/{wish}/decline"), reason).await.expect(200);
        let mine = neighbour.get("/me/certificates").await.expect(200);
        assert_eq!((&mine["items"][0]["state"], &mine["items"][0]["decline_reason"]), (&json!("declined"), &json!("还没有服务记录")));
    })
    .await;
}

// Guards: the counter's row held until commit, unique serials behind it.
#[actix_web::test]
async fn fifty_certificates_issued_at_once_have_fifty_numbers_in_a_row() {
    TestApp::run(async |app| {
        served(app, 5).await;
        let people = app.sign_in_all((1..=5).map(|at| format!("volunteer-{at}"))).await;
        for person in &people {
            person.put("/me/volunteer-profile", profile()).await.expect(200);
        }
        let [staff, second] = [app.sign_in("staff").await, app.sign_in("staff-2").await];
        let issue = (0..50).map(|at| {
            let person = &people[at % 5];
            let body = json!({ "user_id": person.id, "community_id": place_id(GUANGHUA), "issuing": issuing() });
            if at % 2 == 0 { &staff } else { &second }.post("/certificates", body)
        });
        let issue: Vec<_> = issue.collect();
        for answer in join_all(issue).await {
            answer.expect(201);
        }
        let rows = certificate::Entity::find().all(app.state.db.read()).await.unwrap();
        let numbers: HashSet<i64> = rows.iter().filter_map(|row| row.seq).collect();
        let made = i64::try_from(rows.len()).unwrap();
        // Two who issue for one person at once may find the same wish: then both are answered with one certificate.
        assert!((5..=50).contains(&made), "{made}");
        assert_eq!(numbers, (1..=made).collect());
        let codes: HashSet<_> = rows.iter().filter_map(|row| row.code.clone()).collect();
        assert_eq!(codes.len(), rows.len());
    })
    .await;
}

#[actix_web::test]
async fn the_demo_shows_a_certificate_and_a_restart_makes_no_second() {
    TestApp::run(async |app| {
        for _ in 0..2 {
            demo::act(&app.state).await.unwrap();
        }
        let volunteer = app.sign_in("volunteer-5").await;
        let mine = volunteer.get("/me/certificates").await.expect(200);
        assert_eq!(mine["items"].as_array().unwrap().len(), 1);
        assert_eq!(mine["items"][0]["minutes"], 960);
        let pdf = volunteer.get(&format!("/certificates/{}/pdf", id(&mine["items"][0]))).await;
        assert!(pdf.bytes.starts_with(b"%PDF-"));
        let course = app.sign_in("resident-1").await;
        let here =
            course.get(&format!("/activities?place_id={}", place_id("/jiangan/chezhan/tongan/"))).await.expect(200);
        let figures =
            course.get(&format!("/activities/{}/attendance-figures", id(&here["items"][0]))).await.expect(200);
        assert_eq!(figures["groups"].as_array().unwrap().len(), 2, "{figures}");
        assert_eq!(user_id("volunteer-5").to_string(), volunteer.id);
    })
    .await;
}
