//! Selection: residents' votes, the ranking, two officers, and the money that goes with it.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::designs::handed_in;
use crate::programmes::{made, opened, programme};
use crate::reviews::{review, seat};
use crate::support::{GUANGHUA, Person, TestApp, place_id};

const EXPERTS: [&str; 2] = ["social-worker-1", "social-worker-2"];

fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// A second officer at the district's level: the district's own staff give the role.
pub async fn second_officer(app: &TestApp) -> Person {
    let district = app.sign_in("district").await;
    let body = json!({ "user_id": crate::support::user_id("newcomer-3"), "role": "district_staff", "place_id": place_id("/jiangan/") });
    let given = district.post("/grants", body).await;
    assert!([201, 409].contains(&given.status), "{}", given.body);
    app.sign_in("newcomer-3").await
}

/// Shortlists a project that both experts gave these scores.
pub async fn shortlisted(app: &TestApp, staff: &Person, path: &str, (need, plan): (i64, i64)) {
    for expert in EXPERTS {
        app.sign_in(expert).await.post(&format!("{path}/reviews"), review(1, need, plan)).await.expect(201);
    }
    staff.post(&format!("{path}/shortlist"), json!({})).await.expect(200);
}

async fn state(person: &Person, path: &str) -> Value {
    person.get(path).await.expect(200)["state"].clone()
}

#[actix_web::test]
async fn experts_and_residents_rank_one_officer_proposes_and_another_confirms() {
    TestApp::run(async |app| {
        let [district, org] = app.sign_in_all(["district", "org-a"]).await.try_into().ok().unwrap();
        let path = opened(&district, programme(app, "/jiangan/", 1_000_000)).await;
        seat(&district, &path, &EXPERTS).await;
        let mut projects = Vec::new();
        for (title, fen, scores) in [("扶手", 600_000, (10, 3)), ("路灯", 500_000, (9, 3)), ("花园", 300_000, (5, 1))]
        {
            let project = handed_in(&org, &path, title, fen).await;
            shortlisted(app, &district, &project, scores).await;
            projects.push(project);
        }
        let late = handed_in(&org, &path, "迟到的", 1000).await;
        district.post(&format!("{path}/selection"), json!({})).await.refused(409, "selection_not_ready");

        let poll = json!({ "community_id": place_id(GUANGHUA) });
        app.sign_in("staff").await.post(&format!("{path}/poll"), poll.clone()).await.refused(403, "forbidden");
        let drafted = district.post(&format!("{path}/poll"), poll.clone()).await.expect(201);
        district.post(&format!("{path}/poll"), poll).await.refused(409, "already_decided");
        for expert in EXPERTS {
            app.sign_in(expert).await.post(&format!("{late}/reviews"), review(1, 1, 1)).await.expect(201);
        }
        district.post(&format!("{late}/shortlist"), json!({})).await.refused(409, "phase_over");
        district.post(&format!("{late}/decline"), json!({ "reason": "太晚" })).await.expect(200);
        let poll = format!("/polls/{}", drafted["poll_id"].as_str().unwrap());
        let options = district.post(&format!("{poll}/open"), json!({})).await.expect(200)["options"].clone();
        assert_eq!(options[1]["project_id"], id_of(&projects[1]));
        // Of three ballots one is for the first, all for the second, two for the third.
        for (voter, choices) in [("resident-1", vec![0, 1]), ("resident-2", vec![1, 2]), ("resident-3", vec![1, 2])] {
            let choices: Vec<_> = choices.into_iter().map(|at: usize| options[at]["id"].clone()).collect();
            app.sign_in(voter).await.put(&format!("{poll}/ballot"), json!({ "choices": choices })).await.expect(200);
        }

        app.advance(TimeDelta::days(28)).await;
        let [district, resident] = app.sign_in_all(["district", "resident-1"]).await.try_into().ok().unwrap();
        district.post(&format!("{path}/selection"), json!({})).await.refused(409, "selection_not_ready");
        district.post(&format!("{poll}/close"), json!({})).await.expect(200);
        resident.post(&format!("{path}/selection"), json!({})).await.refused(403, "forbidden");
        let proposal = district.post(&format!("{path}/selection"), json!({})).await.expect(201);
        let lines = proposal["ranking"]["lines"].as_array().unwrap();
        let told: Vec<_> = lines
            .iter()
            .map(|line| {
                (
                    line["title"].as_str().unwrap(),
                    line["score"].as_i64().unwrap(),
                    line["choice"]["selected"].as_bool().unwrap(),
                )
            })
            .collect();
        // 70 × 960000 + 30 × 1000000; 70 × 1000000 + 30 × 333333; 70 × 400000 + 30 × 666666.
        assert_eq!(told, [("路灯", 97_200_000, true), ("扶手", 79_999_990, false), ("花园", 47_999_980, true)]);
        assert_eq!(lines[1]["choice"]["left_fen"], 500_000);
        assert!(lines[1]["explanation"].as_str().unwrap().contains("余额不足"), "{}", lines[1]["explanation"]);
        assert_eq!(resident.get(&format!("{path}/selection")).await.expect(200), proposal);

        let confirm = format!("{path}/selection/{}/confirm", proposal["id"].as_str().unwrap());
        district.post(&confirm, json!({})).await.refused(403, "own_act");
        assert_eq!(state(&resident, &projects[1]).await, "shortlisted", "nothing moved yet");
        let officer = second_officer(app).await;
        // Guard: the programme's lock; of six confirmations one finds the projects as they were.
        let tries = join_all((0..6).map(|_| officer.post(&confirm, json!({})))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        for late in tries.into_iter().filter(|answer| answer.status != 200) {
            late.refused(409, "already_decided");
        }
        let states = [
            state(&resident, &projects[0]).await,
            state(&resident, &projects[1]).await,
            state(&resident, &projects[2]).await,
        ];
        assert_eq!(states, [json!("shortlisted"), json!("selected"), json!("selected")]);
        assert_eq!(resident.get(&path).await.expect(200)["available_fen"], 200_000);
        let books = resident.get(&format!("{path}/books")).await.expect(200);
        let amounts: Vec<_> =
            books["items"].as_array().unwrap().iter().map(|entry| entry["amount_fen"].as_i64().unwrap()).collect();
        assert_eq!((amounts.iter().sum::<i64>(), amounts.len()), (200_000, 3));
        let board = resident.get(&format!("/notices?place_id={}", place_id("/jiangan/"))).await.expect(200);
        let on_board =
            board["items"].as_array().unwrap().iter().filter(|notice| notice["kind"] == "programme.selected").count();
        assert_eq!(on_board, 1);

        // What is called off gives its money back, once; the next proposal finds it.
        let cancel = format!("{}/cancel", projects[1]);
        let reason = json!({ "reason": "场地无法使用" });
        org_is_refused(app, &cancel, &reason).await;
        let tries = join_all((0..6).map(|_| officer.post(&cancel, reason.clone()))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_eq!(resident.get(&path).await.expect(200)["available_fen"], 700_000);
        let again = officer.post(&format!("{path}/selection"), json!({})).await.expect(201);
        assert_eq!((&again["seq"], &again["ranking"]["lines"][0]["choice"]["selected"]), (&json!(2), &json!(true)));
        officer.post(&confirm, json!({})).await.refused(403, "own_act");
        district.post(&confirm, json!({})).await.refused(409, "selection_stale");
        district.post(&format!("{}/select", projects[0]), json!({})).await.expect(200);
        assert_eq!(resident.get(&path).await.expect(200)["available_fen"], 100_000);
        district.post(&format!("{path}/close"), json!({})).await.expect(200);
        // Guard: the programme's state in each command. Nothing more is decided with money that went back.
        let poll = json!({ "community_id": place_id(GUANGHUA) });
        let confirm = format!("{path}/selection/{}/confirm", again["id"].as_str().unwrap());
        for (rest, body) in [("/poll", poll), ("/selection", json!({}))] {
            district.post(&format!("{path}{rest}"), body).await.refused(409, "programme_not_open");
        }
        district.post(&confirm, json!({})).await.refused(409, "programme_not_open");
        let seat = format!("{path}/experts/{}", crate::support::user_id("social-worker-3"));
        district.put(&seat, json!({})).await.refused(409, "programme_not_open");
    })
    .await;
}

async fn org_is_refused(app: &TestApp, path: &str, body: &Value) {
    app.sign_in("org-a").await.post(path, body.clone()).await.refused(403, "forbidden");
}

// Guard: the floor of the programme's account in the ledger's statement. Ten projects and forty parts want one share each of a budget of
// ten, all at once, each in a request of its own.
#[actix_web::test]
async fn of_fifty_commitments_at_once_ten_fit() {
    TestApp::run(async |app| {
        let [district, org] = app.sign_in_all(["district", "org-a"]).await.try_into().ok().unwrap();
        let mut body = programme(app, "/jiangan/", 1_000_003);
        body["expert_weight"] = json!(100);
        // Experts are done before proposals end, so that parts can still be opened when the selection is proposed.
        body["min_reviews"] = json!(1);
        let at = |hours| json!(app.state.clock.now() + TimeDelta::hours(hours));
        body["phases"]["proposals_until"] = at(1);
        body["phases"]["reviews_until"] = at(1);
        let path = opened(&district, body).await;
        seat(&district, &path, &EXPERTS).await;
        let mut wanted = Vec::new();
        for number in 0..10 {
            let project = handed_in(&org, &path, &format!("项目{number}"), 100_000).await;
            shortlisted(app, &district, &project, (5, 1)).await;
            wanted.push(format!("{project}/select"));
        }
        app.advance(TimeDelta::hours(2)).await;
        let district = app.sign_in("district").await;
        for number in 0..40 {
            let mut part = programme(app, "/jiangan/", 100_000);
            part["parent_id"] = json!(id_of(&path));
            part["title"] = json!(format!("子计划{number}"));
            wanted.push(format!("{}/open", made(&district, "/programmes", part).await));
        }
        let proposal = district.post(&format!("{path}/selection"), json!({})).await.expect(201);
        let lines = proposal["ranking"]["lines"].as_array().unwrap();
        assert!(lines.len() == 10 && lines.iter().all(|line| line["choice"]["selected"] == true));

        let officer = second_officer(app).await;
        let tries = join_all(wanted.iter().map(|path| officer.post(path, json!({})))).await;
        let (taken, refused): (Vec<_>, Vec<_>) = tries.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((taken.len(), refused.len()), (10, 40));
        for answer in refused {
            answer.refused(409, "insufficient_funds");
        }
        let books = officer.get(&format!("{path}/books?limit=100")).await.expect(200);
        let amounts: Vec<_> =
            books["items"].as_array().unwrap().iter().map(|entry| entry["amount_fen"].as_i64().unwrap()).collect();
        assert_eq!((&books["balance_fen"], amounts.len(), amounts.iter().sum::<i64>()), (&json!(3), 11, 3));
    })
    .await;
}

/// A notice of a kind about a project.
async fn notice_of(person: &Person, kind: &str, project: &str) -> String {
    let page = person.get(&format!("/notices?place_id={}&limit=100", place_id(GUANGHUA))).await.expect(200);
    let all = page["items"].as_array().unwrap();
    let found = all.iter().find(|row| row["kind"] == kind && row["subject_id"] == id_of(project)).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

async fn object(person: &Person, notice: &str) -> String {
    let body = json!({ "text": "受益人数与实际不符，请复核" });
    let made = person.post(&format!("/notices/{notice}/objections"), body).await.expect(201);
    format!("/objections/{}/reply", made["id"].as_str().unwrap())
}

// Guards: `require_undisputed` in `tenders::create`, `not_contested` before `take`, `nearest_staff` in notices.
#[actix_web::test]
async fn a_selection_is_on_the_board_for_five_days_before_it_is_tendered() {
    TestApp::run(async |app| {
        let [district, org] = app.sign_in_all(["district", "org-a"]).await.try_into().ok().unwrap();
        let mut body = programme(app, "/jiangan/", 1_000_000);
        body["expert_weight"] = json!(100);
        let path = opened(&district, body).await;
        seat(&district, &path, &EXPERTS).await;
        let mut projects = Vec::new();
        for title in ["扶手", "路灯"] {
            let project = handed_in(&org, &path, title, 300_000).await;
            shortlisted(app, &district, &project, (9, 3)).await;
            projects.push(project);
        }
        // One neighbour objects to the shortlisting of the first; the staff of the place are told, once each.
        let neighbour = app.sign_in("resident-1").await;
        let reply = object(&neighbour, &notice_of(&neighbour, "project.shortlisted", &projects[0]).await).await;
        for (name, expected) in [("staff", 1), ("staff-2", 1), ("street", 0), ("staff-other", 0), ("resident-2", 0)] {
            let inbox = app.sign_in(name).await.get("/inbox?limit=100").await.expect(200);
            let told = inbox["items"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "notice.objection");
            assert_eq!(told.clone().count(), expected, "{name}");
            assert!(told.into_iter().all(|entry| !entry.to_string().contains("复核")), "unread by content security");
        }
        app.advance(TimeDelta::days(35)).await;
        let [district, neighbour] = app.sign_in_all(["district", "resident-1"]).await.try_into().ok().unwrap();
        let officer = second_officer(app).await;
        let proposal = district.post(&format!("{path}/selection"), json!({})).await.expect(201);
        let confirm = format!("{path}/selection/{}/confirm", proposal["id"].as_str().unwrap());
        officer.post(&confirm, json!({})).await.refused(409, "selection_not_clear");
        officer.post(&format!("{}/select", projects[0]), json!({})).await.refused(409, "selection_not_clear");
        let answer = |outcome: &str| json!({ "outcome": outcome, "reply": "经复核。" });
        district.post(&reply, answer("dismissed")).await.expect(200);
        officer.post(&confirm, json!({})).await.expect(200);

        // Both are public; one of them is objected to.
        let tenders = projects.iter().map(|project| format!("{project}/tenders")).collect::<Vec<_>>();
        for tender in &tenders {
            let terms = crate::tenders::terms(app);
            district.post(tender, terms).await.refused(409, "selection_not_clear");
        }
        let reply = object(&neighbour, &notice_of(&neighbour, "project.selected", &projects[0]).await).await;
        app.advance(TimeDelta::days(6)).await;
        let [district, neighbour] = app.sign_in_all(["district", "resident-1"]).await.try_into().ok().unwrap();
        let terms = crate::tenders::terms(app);
        district.post(&tenders[1], terms.clone()).await.expect(201);
        district.post(&tenders[0], terms.clone()).await.refused(409, "selection_not_clear");
        let late = format!("/notices/{}/objections", notice_of(&neighbour, "project.selected", &projects[1]).await);
        neighbour.post(&late, json!({ "text": "迟了" })).await.refused(409, "objections_closed");
        district.post(&reply, answer("upheld")).await.expect(200);
        district.post(&tenders[0], terms).await.refused(409, "selection_not_clear");
        assert_eq!(state(&neighbour, &projects[0]).await, "selected", "the step was not taken");
        let reason = json!({ "reason": "异议成立" });
        district.post(&format!("{}/cancel", projects[0]), reason).await.expect(200);
        assert_eq!(neighbour.get(&path).await.expect(200)["available_fen"], 700_000);
    })
    .await;
}
