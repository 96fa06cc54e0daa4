//! Milestones: evidence, statement, decision and payment, each by somebody else.

use chrono::{Duration, TimeDelta};
use entities::projects::Part;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::projects::{assign, organisation};
use crate::support::{GUANGHUA, Person, TestApp, place_id};
use crate::tenders::{Round, money, text};

/// A running project that came all the way: awarded, signed, started.
struct Running {
    path: String,
    contract: uuid::Uuid,
    round: Round,
    supervisor: Person,
}

impl Running {
    async fn new(app: &TestApp) -> Self {
        let (mut round, _, _) = Round::awarded(app).await;
        app.advance(TimeDelta::days(9)).await;
        round.refresh(app).await;
        let path = format!("/projects/{}", round.project);
        let contract = text(&round.staff.post(&format!("{path}/contract"), json!({})).await.expect(201)["id"]);
        round.orgs[1].post(&format!("/contracts/{contract}/signature"), json!({})).await.expect(200);
        let supervisor = organisation(app, "督导测试中心", &["supervisor"]).await;
        assign(app, round.project, Part::Supervisor, supervisor).await;
        round.orgs[1].post(&format!("{path}/start"), json!({})).await.expect(200);
        let supervisor = app.sign_in("supervisor").await;
        Self { path, contract: contract.parse().unwrap(), round, supervisor }
    }

    async fn milestones(&self) -> Vec<Value> {
        let seen = self.round.staff.get(&format!("{}/milestones", self.path)).await.expect(200);
        seen["items"].as_array().unwrap().clone()
    }

    /// The path of a milestone.
    async fn at(&self, at: usize) -> String {
        format!("/milestones/{}", text(&self.milestones().await[at]["id"]))
    }

    /// Evidence, statement, acceptance.
    async fn accept(&self, milestone: &str) {
        let org = &self.round.orgs[1];
        org.post(&format!("{milestone}/evidence"), json!({ "body": "评估表 80 份" })).await.expect(200);
        let statement = json!({ "statement": "抽查属实", "supports": true });
        self.supervisor.post(&format!("{milestone}/statement"), statement).await.expect(200);
        self.round.staff.post(&format!("{milestone}/decision"), json!({ "decision": "accepted" })).await.expect(200);
    }
}

// Guards: `milestone_submissions_one_open`, `milestone_submissions_after_statement`, the step table.
#[actix_web::test]
async fn a_milestone_goes_from_evidence_to_statement_to_decision() {
    TestApp::run(async |app| {
        let project = Running::new(app).await;
        let (org, staff) = (&project.round.orgs[1], &project.round.staff);
        let milestone = project.at(0).await;
        let [evidence, statement, decision] =
            ["evidence", "statement", "decision"].map(|step| format!("{milestone}/{step}"));
        let opinion = json!({ "statement": "缺 3 户", "supports": false });
        project.supervisor.post(&statement, opinion.clone()).await.refused(409, "milestone_state");
        for stranger in [&project.supervisor, staff] {
            stranger.post(&evidence, json!({ "body": "x" })).await.refused(403, "forbidden");
        }
        project.round.orgs[0].post(&evidence, json!({ "body": "x" })).await.refused(404, "not_found");
        let tries = join_all((0..6).map(|_| org.post(&evidence, json!({ "body": "评估表 77 份" })))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        for late in tries.into_iter().filter(|answer| answer.status != 200) {
            late.refused(409, "milestone_state");
        }
        staff.post(&decision, json!({ "decision": "accepted" })).await.refused(409, "statement_missing");
        staff.post(&statement, opinion.clone()).await.refused(403, "forbidden");
        project.supervisor.post(&statement, opinion.clone()).await.expect(200);
        project.supervisor.post(&statement, opinion).await.refused(409, "already_decided");
        project.supervisor.post(&decision, json!({ "decision": "accepted" })).await.refused(403, "forbidden");
        staff.post(&decision, json!({ "decision": "returned" })).await.names("/reason");
        let back = json!({ "decision": "returned", "reason": "请补齐 3 户" });
        assert_eq!(staff.post(&decision, back).await.expect(200)["state"], "returned");
        project.accept(&milestone).await;
        staff.post(&decision, json!({ "decision": "accepted" })).await.refused(409, "milestone_state");
        let seen = project.milestones().await[0].clone();
        assert_eq!(seen["state"], "accepted");
        assert_eq!(seen["submissions"][0]["reason"], "请补齐 3 户");
        let resident = app.sign_in("resident-1").await;
        let public = resident.get(&format!("{}/milestones", project.path)).await.expect(200);
        assert_eq!(public["items"][0]["submissions"], json!([]), "evidence is for those in the project");
    })
    .await;
}

// Guards: `milestones_paid_by_another`, `paid_at IS NULL` in the update of `tenders::pay`, `projects_milestones_accepted`.
#[actix_web::test]
async fn another_officer_pays_once_and_the_rest_goes_back_in_the_end() {
    TestApp::run(async |app| {
        let project = Running::new(app).await;
        let (staff, second) = (&project.round.staff, &project.round.second);
        let milestone = project.at(0).await;
        let payment = format!("{milestone}/payment");
        second.post(&payment, json!({})).await.refused(409, "milestone_state");
        project.accept(&milestone).await;
        staff.post(&payment, json!({})).await.refused(403, "own_act");
        project.round.orgs[1].post(&payment, json!({})).await.refused(403, "forbidden");
        let before = money(app, project.contract).await;
        let tries = join_all((0..8).map(|_| second.post(&payment, json!({})))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        let amount = project.milestones().await[0]["amount_fen"].as_i64().unwrap();
        assert_eq!(money(app, project.contract).await, before - amount);
        let board = second.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        let paid = board["items"].as_array().unwrap().iter().filter(|row| row["kind"] == "milestone.paid").count();
        assert_eq!(paid, 1);

        let today = linli::platform::calendar::day(app.state.clock.now());
        let last = json!({ "kind": "final", "period_from": today, "period_until": today, "body": "完成" });
        project.round.orgs[1].post(&format!("{}/reports", project.path), last).await.expect(201);
        let complete = format!("{}/complete", project.path);
        project.round.orgs[1].post(&complete, json!({})).await.refused(409, "milestones_open");
        let ended = json!({ "reason": "机构注销" });
        staff.post(&format!("{}/terminate", project.path), ended).await.expect(200);
        assert_eq!(money(app, project.contract).await, 0);
        assert_eq!(money(app, project.round.programme.0).await, 10_000_000 - amount, "what was not paid went back");
        project.round.orgs[1]
            .post(&format!("{}/evidence", project.at(1).await), json!({ "body": "x" }))
            .await
            .refused(409, "project_not_running");
    })
    .await;
}

#[actix_web::test]
async fn what_is_overdue_is_listed_for_those_who_manage_projects() {
    TestApp::run(async |app| {
        let project = Running::new(app).await;
        let path = format!("/milestones/overdue?place_id={}", place_id("/jiangan/"));
        project.round.staff.get(&path).await.refused(403, "forbidden");
        app.advance(Duration::days(61)).await;
        let district = app.sign_in("district").await;
        let late = district.get(&path).await.expect(200);
        assert_eq!(late["items"].as_array().unwrap().len(), 1);
        assert_eq!(late["items"][0]["project_id"], json!(project.round.project));
    })
    .await;
}

// Guard: `is_owed` under the project's lock, in `closing::terminate`.
#[actix_web::test]
async fn what_was_accepted_is_paid_before_a_project_is_terminated() {
    TestApp::run(async |app| {
        let project = Running::new(app).await;
        let (staff, second) = (&project.round.staff, &project.round.second);
        let terminate = format!("{}/terminate", project.path);
        let reason = json!({ "reason": "机构注销" });
        let milestone = project.at(0).await;
        project.accept(&milestone).await;
        let amount = project.milestones().await[0]["amount_fen"].as_i64().unwrap();
        staff.post(&terminate, reason.clone()).await.refused(409, "milestones_unpaid");
        assert_eq!(staff.get(&project.path).await.expect(200)["state"], "running");

        // Many pay and many terminate at once: whatever comes first, the accepted work is paid, and once.
        let payment = format!("{milestone}/payment");
        let payers = join_all((0..6).map(|_| second.post(&payment, json!({}))));
        let enders = join_all((0..6).map(|_| staff.post(&terminate, reason.clone())));
        let (paid, ended) = tokio::join!(payers, enders);
        assert_eq!(paid.iter().filter(|answer| answer.status == 200).count(), 1);
        for late in ended.into_iter().filter(|answer| answer.status != 200) {
            let code = late.body["code"].as_str().unwrap().to_owned();
            assert!(["milestones_unpaid", "project_state"].contains(&code.as_str()), "{code}");
        }
        let again = staff.post(&terminate, reason).await;
        assert!(again.status == 200 || again.body["code"] == "project_state");
        assert_eq!(money(app, project.contract).await, 0);
        assert_eq!(money(app, project.round.programme.0).await, 10_000_000 - amount);
    })
    .await;
}

// Guard: the schedule `programmes.pass_on`; `linli verify` finds a closed programme that keeps money.
#[actix_web::test]
async fn what_comes_back_to_a_closed_programme_goes_on_to_where_it_had_it_from() {
    TestApp::run(async |app| {
        let project = Running::new(app).await;
        let programme = project.round.programme;
        let path = format!("/programmes/{programme}");
        let staff = &project.round.staff;
        staff.post(&format!("{path}/close"), json!({})).await.expect(200);
        assert_eq!(money(app, programme.0).await, 0);
        let held = money(app, project.contract).await;
        assert!(held > 0);
        let reason = json!({ "reason": "机构注销" });
        staff.post(&format!("{}/terminate", project.path), reason).await.expect(200);
        app.advance(Duration::minutes(6)).await;
        assert_eq!((money(app, project.contract).await, money(app, programme.0).await), (0, 0));
        let staff = app.sign_in("staff").await;
        let books = staff.get(&format!("{path}/books")).await.expect(200);
        assert_eq!((&books["items"][0]["amount_fen"], &books["items"][0]["kind"]), (&json!(-held), &json!("payment")));
        let board = staff.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        let told = board["items"].as_array().unwrap().iter().filter(|row| row["kind"] == "programme.passed_on");
        assert_eq!(told.count(), 1);
        app.advance(Duration::minutes(20)).await;
        assert_eq!(money(app, programme.0).await, 0);
    })
    .await;
}

// Guard: `is_owed` under the project's lock.
#[actix_web::test]
async fn a_project_is_not_finished_while_it_owes_its_implementer() {
    TestApp::run(async |app| {
        let project = Running::new(app).await;
        for at in 0..project.milestones().await.len() {
            project.accept(&project.at(at).await).await;
        }
        let first = format!("{}/payment", project.at(0).await);
        project.round.second.post(&first, json!({})).await.expect(200);
        let today = linli::platform::calendar::day(app.state.clock.now());
        let last = json!({ "kind": "final", "period_from": today, "period_until": today, "body": "完成" });
        let org = &project.round.orgs[1];
        org.post(&format!("{}/reports", project.path), last).await.expect(201);
        org.post(&format!("{}/complete", project.path), json!({})).await.expect(200);
        let evaluators = organisation(app, "评估测试中心", &["evaluator"]).await;
        assign(app, project.round.project, Part::Evaluator, evaluators).await;
        app.advance(Duration::days(16)).await;
        app.advance(Duration::minutes(10)).await;
        let evaluator = app.sign_in("evaluator").await;
        let file = crate::evaluations::document(&evaluator).await;
        let judged = crate::evaluations::evaluation(&file, "pass", json!({}));
        evaluator.post(&format!("{}/evaluations", project.path), judged).await.expect(201);
        let [staff, second] = app.sign_in_all(["staff", "staff-2"]).await.try_into().ok().unwrap();
        let finish = format!("{}/finish", project.path);
        staff.post(&finish, json!({})).await.refused(409, "milestones_unpaid");
        second.post(&format!("{}/payment", project.at_as(&staff, 1).await), json!({})).await.expect(200);
        assert_eq!(staff.post(&finish, json!({})).await.expect(200)["returned_fen"], 0);
        assert_eq!(money(app, project.contract).await, 0);
    })
    .await;
}

impl Running {
    /// [`Self::at`], for a token that is still good.
    async fn at_as(&self, person: &Person, at: usize) -> String {
        let seen = person.get(&format!("{}/milestones", self.path)).await.expect(200);
        format!("/milestones/{}", text(&seen["items"][at]["id"]))
    }
}
