//! Programmes: drafting, opening, their money and who may see it, the panel.

use chrono::TimeDelta;
use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::{GUANGHUA, Person, TestApp, place_id, user_id};

const DISTRICT: &str = "/jiangan/";

/// A programme of a place: three weeks of proposals from yesterday on, a week of reviews, a week of votes.
pub fn programme(app: &TestApp, path: &str, budget_fen: i64) -> Value {
    let at = |days| json!(app.state.clock.now() + TimeDelta::days(days));
    json!({
        "place_id": place_id(path), "title": "社区微公益创投", "description": "支持居民身边的小项目。",
        "budget_fen": budget_fen, "cap_fen": budget_fen, "count_target": 10, "expert_weight": 70, "allocation": "ranked",
        "rubric": [
            { "key": "need", "title": "需求真实", "weight": 40, "maximum": 10 },
            { "key": "plan", "title": "方案可行", "weight": 60, "maximum": 3 },
        ],
        "min_reviews": 2, "objection_days": 7,
        "phases": {
            "proposals_from": at(-1), "proposals_until": at(20), "reviews_until": at(27), "votes_until": at(34), "delivery_until": at(400),
        },
    })
}

/// The path of what a POST made.
pub async fn made(person: &Person, path: &str, body: Value) -> String {
    let made = person.post(path, body).await.expect(201);
    format!("{path}/{}", made["id"].as_str().unwrap())
}

/// Drafts and opens a programme; gives its path.
pub async fn opened(staff: &Person, body: Value) -> String {
    let path = made(staff, "/programmes", body).await;
    staff.post(&format!("{path}/open"), json!({})).await.expect(200);
    path
}

fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[actix_web::test]
async fn a_programme_is_opened_once_and_its_budget_stands_in_books_that_everybody_reads() {
    TestApp::run(async |app| {
        let [district, resident, staff] =
            app.sign_in_all(["district", "newcomer-1", "staff"]).await.try_into().ok().unwrap();
        let path = made(&district, "/programmes", programme(app, DISTRICT, 1_000_000)).await;
        for stranger in [&resident, &staff] {
            stranger.get(&path).await.refused(404, "not_found");
            stranger.get(&format!("{path}/books")).await.refused(404, "not_found");
            stranger.post(&format!("{path}/open"), json!({})).await.refused(404, "not_found");
        }
        let mut edited = programme(app, DISTRICT, 2_000_000);
        edited["title"] = json!("居民身边的小项目");
        let draft = district.put(&path, edited.clone()).await.expect(200);
        assert_eq!(
            (&draft["state"], &draft["level"], &draft["available_fen"]),
            (&json!("draft"), &json!("district"), &json!(0))
        );

        let open = format!("{path}/open");
        let tries = join_all((0..8).map(|_| district.post(&open, json!({})))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        for late in tries.into_iter().filter(|answer| answer.status != 200) {
            late.refused(409, "programme_frozen");
        }
        let seen = resident.get(&path).await.expect(200);
        assert_eq!((&seen["state"], &seen["phase"]), (&json!("open"), &json!("proposals")));
        assert_eq!((&seen["budget_fen"], &seen["available_fen"]), (&json!(2_000_000), &json!(2_000_000)));
        let books = resident.get(&format!("{path}/books")).await.expect(200);
        assert_eq!((&books["balance_fen"], &books["reserved_fen"]), (&json!(2_000_000), &json!(0)));
        let entries = books["items"].as_array().unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!((&entries[0]["kind"], &entries[0]["amount_fen"]), (&json!("receipt"), &json!(2_000_000)));
        assert_eq!(entries[0]["others"], json!([{ "kind": "outside", "id": null }]));

        district.put(&path, edited).await.refused(409, "programme_frozen");
        staff.post(&format!("{path}/close"), json!({})).await.refused(403, "forbidden");
        let board = resident.get(&format!("/notices?place_id={}", place_id(DISTRICT))).await.expect(200);
        let notice = &board["items"][0];
        assert_eq!((&notice["kind"], &notice["subject_id"]), (&json!("programme.opened"), &json!(id_of(&path))));
        assert!(notice["body"].as_str().unwrap().contains("经费 20000 元"), "{notice}");

        // Whoever lives below finds it; whoever is in another street does not look at this street's.
        for (place, found) in [(GUANGHUA, true), (DISTRICT, true)] {
            let list = resident.get(&format!("/programmes?place_id={}", place_id(place))).await.expect(200);
            let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
            assert_eq!(ids.contains(&json!(id_of(&path))), found, "{place}");
        }
    })
    .await;
}

// Guard: the floor of the umbrella's account in the ledger's statement. All fifty come with their own draft at once.
#[actix_web::test]
async fn of_fifty_parts_opened_at_once_ten_get_money() {
    TestApp::run(async |app| {
        let district = app.sign_in("district").await;
        let umbrella = opened(&district, programme(app, DISTRICT, 1_000_005)).await;
        let mut part = programme(app, DISTRICT, 100_000);
        part["parent_id"] = json!(id_of(&umbrella));
        let mut parts = Vec::new();
        for number in 0..50 {
            part["title"] = json!(format!("子计划{number}"));
            parts.push(made(&district, "/programmes", part.clone()).await);
        }
        let tries = join_all(parts.iter().map(|part| {
            let (client, part) = (district.clone(), format!("{part}/open"));
            async move { client.post(&part, json!({})).await }
        }))
        .await;
        let (opened, refused): (Vec<_>, Vec<_>) = tries.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((opened.len(), refused.len()), (10, 40));
        for answer in refused {
            answer.refused(409, "insufficient_funds");
        }
        let books = district.get(&format!("{umbrella}/books?limit=100")).await.expect(200);
        assert_eq!(books["balance_fen"], 5);
        let given: i64 =
            books["items"].as_array().unwrap().iter().map(|entry| entry["amount_fen"].as_i64().unwrap()).sum();
        assert_eq!((books["items"].as_array().unwrap().len(), given), (11, 5), "its receipt, and ten that left");
        let list = district.get(&format!("/programmes?parent_id={}&state=open&limit=100", id_of(&umbrella))).await;
        let open = list.expect(200)["items"].as_array().unwrap().clone();
        let held: i64 = open.iter().map(|part| part["available_fen"].as_i64().unwrap()).sum();
        assert_eq!((open.len(), held), (10, 1_000_000));
        district.post(&format!("{umbrella}/close"), json!({})).await.refused(409, "programme_busy");
    })
    .await;
}

#[actix_web::test]
async fn a_budget_is_raised_in_public_and_the_rest_goes_back_at_closing() {
    TestApp::run(async |app| {
        let [district, resident] = app.sign_in_all(["district", "resident-1"]).await.try_into().ok().unwrap();
        let umbrella = opened(&district, programme(app, DISTRICT, 1_000_000)).await;
        let mut part = programme(app, DISTRICT, 600_000);
        part["parent_id"] = json!(id_of(&umbrella));
        let part = opened(&district, part).await;
        let raise = |fen: i64| json!({ "amount_fen": fen, "reason": "申报项目多于预期" });
        district.post(&format!("{part}/raise"), raise(400_001)).await.refused(409, "insufficient_funds");
        let raised = district.post_with_key(&format!("{part}/raise"), raise(300_000), "k").await.expect(200);
        assert_eq!((&raised["budget_fen"], &raised["available_fen"]), (&json!(900_000), &json!(900_000)));
        district.post_with_key(&format!("{part}/raise"), raise(300_000), "k").await.expect(200);
        let notice =
            resident.get(&format!("/notices?place_id={}", place_id(DISTRICT))).await.expect(200)["items"][0].clone();
        assert_eq!(notice["kind"], "programme.raised");
        assert!(notice["body"].as_str().unwrap().contains("追加 3000 元，总经费 9000 元"), "{notice}");
        assert_eq!(district.get(&umbrella).await.expect(200)["available_fen"], 100_000, "raised once");

        district.post(&format!("{part}/close"), json!({})).await.expect(200);
        assert_eq!(resident.get(&part).await.expect(200)["available_fen"], 0);
        assert_eq!(district.get(&umbrella).await.expect(200)["available_fen"], 1_000_000, "all of it is back");
        district.post(&format!("{umbrella}/close"), json!({})).await.expect(200);
        let books = resident.get(&format!("{umbrella}/books")).await.expect(200);
        assert_eq!((&books["balance_fen"], &books["items"][0]["kind"]), (&json!(0), &json!("payment")));
        for path in [&part, &umbrella] {
            district.post(&format!("{path}/raise"), raise(1)).await.refused(409, "programme_not_open");
            district.post(&format!("{path}/close"), json!({})).await.refused(409, "programme_not_open");
        }
    })
    .await;
}

// Guards: the triggers `programmes_frozen` and `programmes_of_one_place`.
#[actix_web::test]
async fn the_database_keeps_an_open_programme_as_it_is() {
    TestApp::run(async |app| {
        let [district, staff] = app.sign_in_all(["district", "staff"]).await.try_into().ok().unwrap();
        let path = opened(&district, programme(app, DISTRICT, 1_000_000)).await;
        for change in [
            "cap_fen = 1",
            "budget_fen = 999999",
            "min_reviews = 1",
            "expert_weight = 0",
            "votes_until = proposals_until",
            "state = 'draft'",
        ] {
            let txn = app.state.db.begin().await.unwrap();
            let refused = txn.execute_unprepared(&format!("UPDATE programmes SET {change} WHERE state = 'open'")).await;
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains("programmes_frozen") || refused.contains("stays as it is"), "{change}: {refused}");
            txn.rollback().await.unwrap();
        }
        let mut part = programme(app, GUANGHUA, 1000);
        part["parent_id"] = json!(id_of(&path));
        staff.post("/programmes", part.clone()).await.names("/parent_id");
        district.post("/programmes", part).await.names("/parent_id");
    })
    .await;
}

#[actix_web::test]
async fn the_panel_is_social_workers_whom_others_named() {
    TestApp::run(async |app| {
        let [district, worker, staff] =
            app.sign_in_all(["district", "social-worker-1", "staff"]).await.try_into().ok().unwrap();
        let path = opened(&district, programme(app, DISTRICT, 1_000_000)).await;
        let seat = |person: &str| format!("{path}/experts/{}", user_id(person));
        worker.get(&format!("{path}/experts")).await.refused(403, "forbidden");
        worker.put(&seat("social-worker-1"), json!({})).await.refused(403, "forbidden");
        staff.put(&seat("social-worker-1"), json!({})).await.refused(403, "forbidden");
        district.put(&seat("resident-1"), json!({})).await.refused(409, "not_an_expert");
        district.put(&seat("district"), json!({})).await.refused(403, "own_act");
        for _ in 0..2 {
            let panel = district.put(&seat("social-worker-1"), json!({})).await.expect(200);
            assert_eq!(panel["items"].as_array().unwrap().len(), 1);
            assert!(panel["items"][0]["name"].as_str().unwrap().ends_with('*'));
        }
        assert_eq!(worker.get(&format!("{path}/experts")).await.expect(200)["items"].as_array().unwrap().len(), 1);
        assert!(district.delete(&seat("social-worker-1")).await.expect(200)["items"].as_array().unwrap().is_empty());
        district.delete(&seat("social-worker-1")).await.refused(404, "not_found");
        assert_eq!(
            district.put(&seat("social-worker-1"), json!({})).await.expect(200)["items"].as_array().unwrap().len(),
            1
        );
    })
    .await;
}

#[actix_web::test]
async fn what_is_wrong_with_a_programme_is_named() {
    TestApp::run(async |app| {
        let [district, staff, resident] =
            app.sign_in_all(["district", "staff", "resident-1"]).await.try_into().ok().unwrap();
        let with = |pointer: &str, value: Value| {
            let mut body = programme(app, DISTRICT, 1_000_000);
            *body.pointer_mut(pointer).unwrap() = value;
            body
        };
        let long_ago = json!(app.state.clock.now() - TimeDelta::days(100));
        for (pointer, value) in [
            ("/place_id", json!(place_id("/jiangan/chezhan/guanghua/wg1/"))),
            ("/title", json!("")),
            ("/budget_fen", json!(0)),
            ("/cap_fen", json!(1_000_001)),
            ("/expert_weight", json!(101)),
            ("/min_reviews", json!(0)),
            ("/rubric", json!([])),
            ("/rubric/1/key", json!("need")),
            ("/rubric/0/key", json!("Not a key")),
            ("/rubric/0/maximum", json!(101)),
            ("/phases/proposals_until", long_ago.clone()),
            ("/phases/delivery_until", long_ago.clone()),
        ] {
            district.post("/programmes", with(pointer, value)).await.names(pointer);
        }
        resident.post("/programmes", with("/place_id", json!(place_id(GUANGHUA)))).await.refused(403, "forbidden");
        staff.post("/programmes", with("/count_target", json!(1))).await.refused(403, "forbidden");
        let path = made(&staff, "/programmes", with("/place_id", json!(place_id(GUANGHUA)))).await;
        staff.put(&path, with("/count_target", json!(1))).await.names("/place_id");

        let mut past = with("/place_id", json!(place_id(GUANGHUA)));
        past["phases"]["proposals_from"] = long_ago;
        past["phases"]["proposals_until"] = json!(app.state.clock.now() - TimeDelta::days(1));
        let path = made(&staff, "/programmes", past).await;
        staff.post(&format!("{path}/open"), json!({})).await.refused(409, "phase_over");
    })
    .await;
}

#[actix_web::test]
async fn the_demo_shows_the_seeds_programmes_under_one_umbrella_and_a_restart_adds_none() {
    TestApp::run(async |app| {
        for _ in 0..2 {
            linli::demo::act(&app.state).await.unwrap();
        }
        let resident = app.sign_in("resident-1").await;
        let all = resident.get(&format!("/programmes?place_id={}", place_id(GUANGHUA))).await.expect(200);
        let all = all["items"].as_array().unwrap();
        let (umbrella, parts): (Vec<_>, Vec<_>) = all.iter().partition(|programme| programme["parent_id"].is_null());
        assert_eq!(
            (umbrella.len(), &umbrella[0]["budget_fen"], &umbrella[0]["available_fen"]),
            (1, &json!(346_000_000), &json!(0))
        );
        let mut counts: Vec<_> = parts.iter().map(|part| part["count_target"].as_i64().unwrap()).collect();
        counts.sort_unstable();
        assert_eq!(counts, [17, 23, 60, 100]);
        let sum: i64 = parts.iter().map(|part| part["budget_fen"].as_i64().unwrap()).sum();
        assert_eq!(sum, 346_000_000);
        let projects = resident.get(&format!("/projects?place_id={}", place_id(GUANGHUA))).await.expect(200);
        let states: Vec<_> = projects["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|project| !project["programme_id"].is_null())
            .map(|project| project["state"].as_str().unwrap())
            .collect();
        assert_eq!(states, ["proposed", "returned", "submitted", "shortlisted"]);
    })
    .await;
}

// Guards: `Phases::moving` under the programme's lock, and behind it the trigger `programmes_frozen`.
#[actix_web::test]
async fn dates_of_an_open_programme_move_to_later_days_in_public_until_they_have_passed() {
    TestApp::run(async |app| {
        let [district, resident, street] =
            app.sign_in_all(["district", "resident-1", "street"]).await.try_into().ok().unwrap();
        let path = opened(&district, programme(app, DISTRICT, 1_000_000)).await;
        let postpone = format!("{path}/postpone");
        let before = district.get(&path).await.expect(200)["phases"].clone();
        let day = |days| json!(app.state.clock.now() + TimeDelta::days(days));
        let with = |changes: &[(&str, Value)]| {
            let mut phases = before.clone();
            for (field, value) in changes {
                phases[*field] = value.clone();
            }
            json!({ "phases": phases, "reason": "申报项目不足" })
        };
        let later = with(&[("proposals_until", day(23)), ("reviews_until", day(30))]);
        for stranger in [&resident, &street] {
            stranger.post(&postpone, later.clone()).await.refused(403, "forbidden");
        }
        district.post(&postpone, with(&[])).await.names("/phases");
        district.post(&postpone, with(&[("proposals_until", day(19))])).await.names("/phases/proposals_until");
        district.post(&postpone, with(&[("proposals_from", day(1))])).await.names("/phases/proposals_from");
        district.post(&postpone, with(&[("reviews_until", day(60))])).await.names("/phases/votes_until");
        let moved = district.post(&postpone, later.clone()).await.expect(200);
        assert_eq!(moved["phases"]["votes_until"], before["votes_until"]);
        let board = resident.get(&format!("/notices?place_id={}", place_id(DISTRICT))).await.expect(200);
        let (correction, opening) = (&board["items"][0], &board["items"][1]);
        assert_eq!((&correction["corrects_id"], &opening["kind"]), (&opening["id"], &json!("programme.opened")));
        let words = correction["body"].as_str().unwrap();
        assert!(words.contains("征集截止由") && words.contains("申报项目不足") && !words.contains("投票"), "{words}");

        // Whoever had until day 20 hands in on day 21.
        app.advance(TimeDelta::days(21)).await;
        let [district, org] = app.sign_in_all(["district", "org-a"]).await.try_into().ok().unwrap();
        crate::designs::handed_in(&org, &path, "扶手", 1000).await;
        app.advance(TimeDelta::days(3)).await;
        let district_again = app.sign_in("district").await;
        let mut again = later;
        again["phases"]["proposals_until"] = json!(app.state.clock.now() + TimeDelta::days(1));
        district_again.post(&postpone, again).await.names("/phases/proposals_until");
        drop(district);
        let txn = app.state.db.begin().await.unwrap();
        let back =
            "UPDATE programmes SET delivery_until = votes_until, votes_until = reviews_until WHERE state = 'open'";
        assert!(txn.execute_unprepared(back).await.is_err(), "programmes_frozen");
        txn.rollback().await.unwrap();
    })
    .await;
}
