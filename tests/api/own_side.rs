//! Nobody decides about their own side, and nobody acts for a side without the grant for it: the programme's steps and the parties'.

use chrono::TimeDelta;
use linli::platform::ids;
use serde_json::{Value, json};

use crate::designs::{design, designer, handed_in, proposal};
use crate::programmes::{made, opened, programme};
use crate::reviews::{review, seat};
use crate::selection::{second_officer, shortlisted};
use crate::support::projects::running;
use crate::support::{GUANGHUA, TestApp, place_id};
use crate::tenders::join_organisation;

const EXPERTS: [&str; 2] = ["social-worker-1", "social-worker-2"];

/// A programme whose ranking is the experts' alone, so that no poll is waited for.
fn by_experts(app: &TestApp) -> Value {
    let mut body = programme(app, "/jiangan/", 1_000_000);
    body["expert_weight"] = json!(100);
    body
}

// Guards: `involved` in `steps::roles` for whoever designs, and the roles that `selection::propose` asks of all candidates.
#[actix_web::test]
async fn an_officer_decides_nothing_about_what_their_own_organisation_designs() {
    TestApp::run(async |app| {
        let [district, org] = app.sign_in_all(["district", "org-a"]).await.try_into().ok().unwrap();
        let path = opened(&district, by_experts(app)).await;
        seat(&district, &path, &EXPERTS).await;
        let project = handed_in(&org, &path, "扶手", 500_000).await;
        let officer = second_officer(app).await;
        join_organisation(app, designer().into(), "newcomer-3").await;
        for (step, body) in
            [("return", json!({ "reason": "x" })), ("decline", json!({ "reason": "x" })), ("shortlist", json!({}))]
        {
            officer.post(&format!("{project}/{step}"), body).await.refused(403, "forbidden");
        }
        shortlisted(app, &district, &project, (8, 2)).await;
        app.advance(TimeDelta::days(35)).await;
        let [district, officer] = app.sign_in_all(["district", "newcomer-3"]).await.try_into().ok().unwrap();
        officer.post(&format!("{path}/selection"), json!({})).await.refused(403, "conflict_of_interest");
        let proposed = district.post(&format!("{path}/selection"), json!({})).await.expect(201);
        let confirm = format!("{path}/selection/{}/confirm", proposed["id"].as_str().unwrap());
        officer.post(&confirm, json!({})).await.refused(403, "forbidden");
        officer.post(&format!("{project}/select"), json!({})).await.refused(403, "forbidden");
        assert_eq!(district.get(&project).await.expect(200)["state"], "shortlisted");
    })
    .await;
}

// Guards: `involved` in `steps::roles` for a party's people; a party's own permission at the place in the same function.
#[actix_web::test]
async fn whoever_belongs_to_a_party_neither_decides_for_the_programme_nor_acts_without_the_grant() {
    TestApp::run(async |app| {
        let project = running(app).await;
        join_organisation(app, ids::named("organisation:随艺测试中心"), "staff-2").await;
        join_organisation(app, ids::named("organisation:随艺测试中心"), "resident-5").await;
        join_organisation(app, ids::named("organisation:督导测试中心"), "resident-6").await;
        let reason = json!({ "reason": "不再需要" });
        project.staff_2.post(&project.at("terminate"), reason).await.refused(403, "forbidden");
        let today = linli::platform::calendar::day(app.state.clock.now());
        let report = json!({
            "kind": "progress", "period_from": today, "period_until": today, "body": "x", "figures": [], "file_ids": [],
        });
        let visit = json!({ "visited_on": today, "seen": "x", "findings": [], "file_ids": [] });
        let [member, checker] = app.sign_in_all(["resident-5", "resident-6"]).await.try_into().ok().unwrap();
        member.post(&project.at("reports"), report).await.refused(403, "forbidden");
        checker.post(&project.at("visits"), visit).await.refused(403, "forbidden");
        let proposed = json!({
            "place_id": place_id(GUANGHUA), "title": "x", "summary": "x", "budget_fen": 0,
            "organisation_id": ids::named::<uuid::Uuid>("organisation:随艺测试中心"),
        });
        member.post("/projects", proposed).await.refused(403, "forbidden");
        let round =
            app.sign_in("street").await.post("/operator-rounds", crate::platforms::round(app)).await.expect(201);
        let apply = format!("/operator-rounds/{}/applications", round["id"].as_str().unwrap());
        let own = json!({ "organisation_id": ids::named::<uuid::Uuid>("organisation:随艺测试中心") });
        member.post(&apply, own).await.refused(403, "forbidden");
    })
    .await;
}

// Guards: the creator's refusal in `deciding::shortlist` and in `selection::take`; `draft_of` shows a draft to its side only.
#[actix_web::test]
async fn what_an_officer_created_another_one_judges_and_its_draft_is_nobody_elses() {
    TestApp::run(async |app| {
        let district = app.sign_in("district").await;
        let officer = second_officer(app).await;
        let path = opened(&district, by_experts(app)).await;
        seat(&district, &path, &EXPERTS).await;
        let mut own = proposal(GUANGHUA, "扶手");
        own.as_object_mut().unwrap().remove("organisation_id");
        let project = made(&officer, "/projects", own).await;
        officer.put(&format!("{project}/design"), design(500_000)).await.expect(200);
        for stranger in ["org-b", "resident-1", "staff-other"] {
            app.sign_in(stranger).await.get(&format!("{project}/design")).await.refused(404, "not_found");
        }
        district.get(&format!("{project}/design")).await.expect(200);
        let id = path.rsplit('/').next().unwrap();
        officer.post(&format!("{project}/submit"), json!({ "programme_id": id })).await.expect(200);
        for expert in EXPERTS {
            app.sign_in(expert).await.post(&format!("{project}/reviews"), review(1, 8, 2)).await.expect(201);
        }
        officer.post(&format!("{project}/shortlist"), json!({})).await.refused(403, "own_act");
        district.post(&format!("{project}/shortlist"), json!({})).await.expect(200);
        app.advance(TimeDelta::days(35)).await;
        let [district, officer] = app.sign_in_all(["district", "newcomer-3"]).await.try_into().ok().unwrap();
        district.post(&format!("{path}/selection"), json!({})).await.expect(201);
        officer.post(&format!("{project}/select"), json!({})).await.refused(403, "own_act");
    })
    .await;
}

// Guards: the phases that `deciding::shortlist` and `selection::{draft_poll, propose}` look at, and what there must be to select.
#[actix_web::test]
async fn a_shortlist_ends_with_the_votes_and_is_proposed_after_the_reviews() {
    TestApp::run(async |app| {
        let [district, org] = app.sign_in_all(["district", "org-a"]).await.try_into().ok().unwrap();
        let path = opened(&district, by_experts(app)).await;
        seat(&district, &path, &EXPERTS).await;
        let first = handed_in(&org, &path, "扶手", 500_000).await;
        let late = handed_in(&org, &path, "路灯", 300_000).await;
        let poll = json!({ "community_id": place_id(GUANGHUA) });
        let selection = format!("{path}/selection");
        district.post(&format!("{path}/poll"), poll.clone()).await.refused(409, "selection_not_ready");
        for expert in EXPERTS {
            app.sign_in(expert).await.post(&format!("{late}/reviews"), review(1, 8, 2)).await.expect(201);
        }
        shortlisted(app, &district, &first, (8, 2)).await;
        district.post(&selection, json!({})).await.refused(409, "selection_not_ready");
        app.advance(TimeDelta::days(35)).await;
        let [district, org] = app.sign_in_all(["district", "org-a"]).await.try_into().ok().unwrap();
        district.post(&format!("{late}/shortlist"), json!({})).await.refused(409, "phase_over");
        district.post(&format!("{path}/poll"), poll).await.refused(409, "phase_over");
        district.post(&format!("{first}/decline"), json!({ "reason": "重复" })).await.expect(200);
        district.post(&selection, json!({})).await.refused(409, "selection_not_ready");
        org.post(&format!("{late}/withdraw"), json!({})).await.expect(200);
        district.post(&format!("{path}/close"), json!({})).await.expect(200);
        district.post(&selection, json!({})).await.refused(409, "programme_not_open");
    })
    .await;
}
