//! Supervision: visits, findings, rectification, and what an open finding holds up.

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::projects::{Running, running};
use crate::support::{Person, TestApp};

fn day(app: &TestApp, days: i64) -> Value {
    json!(linli::platform::calendar::day(app.state.clock.now() + Duration::days(days)))
}

async fn visit(app: &TestApp, project: &Running, due: i64) -> String {
    let body = json!({
        "visited_on": day(app, 0), "seen": "课堂秩序良好，签到表不全。", "file_ids": [],
        "findings": [{ "severity": "major", "body": "签到表缺两次课", "due_on": day(app, due) }]
    });
    project.supervisor.post(&project.at("visits"), body).await.expect(201);
    let found = project.supervisor.get(&project.at("findings")).await.expect(200);
    found["items"][0]["id"].as_str().unwrap().to_owned()
}

async fn kinds(person: &Person) -> Vec<String> {
    let inbox = person.get("/inbox").await.expect(200);
    inbox["items"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
}

// Guard: the trigger `projects_no_open_finding`.
#[actix_web::test]
async fn a_project_is_not_completed_while_a_finding_is_open() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let finding = visit(app, &project, 5).await;
        assert!(kinds(&project.implementer).await.contains(&"finding.new".to_owned()));
        let complete = project.at("complete");
        project.report(app, "final").await;
        project.implementer.post(&complete, json!({})).await.refused(409, "finding_open");

        let (rectify, check) = (format!("/findings/{finding}/rectifications"), format!("/findings/{finding}/check"));
        let done = json!({ "done": "补齐签到表", "file_ids": [] });
        let closed = json!({ "verdict": "closed", "remark": "已核对" });
        project.supervisor.post(&check, closed.clone()).await.refused(409, "finding_state");
        project.supervisor.post(&rectify, done.clone()).await.refused(403, "forbidden");
        let tries = join_all((0..6).map(|_| project.implementer.post(&rectify, done.clone()))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        project.implementer.post(&complete, json!({})).await.refused(409, "finding_open");
        project.implementer.post(&check, closed.clone()).await.refused(403, "forbidden");
        let again = json!({ "verdict": "again", "remark": "还缺一次" });
        assert_eq!(project.supervisor.post(&check, again).await.expect(200)["state"], "open");
        project.implementer.post(&rectify, done).await.expect(200);
        assert_eq!(project.supervisor.post(&check, closed.clone()).await.expect(200)["state"], "closed");
        project.supervisor.post(&check, closed).await.refused(409, "finding_state");
        let resident = app.sign_in("resident-1").await;
        let seen = resident.get(&project.at("findings")).await.expect(200);
        let rounds = seen["items"][0]["rectifications"].as_array().unwrap();
        assert_eq!((&rounds[0]["verdict"], &rounds[1]["verdict"]), (&json!("again"), &json!("closed")));
        assert_eq!(resident.get(&project.at("visits")).await.expect(200)["items"].as_array().unwrap().len(), 1);
        project.implementer.post(&complete, json!({})).await.expect(200);
        assert_eq!(project.state().await, "completed");
        project
            .supervisor
            .post(&project.at("visits"), json!({ "visited_on": day(app, 0), "seen": "再看" }))
            .await
            .refused(409, "project_not_running");
    })
    .await;
}

// Guard: the marks in the condition of the update.
#[actix_web::test]
async fn a_finding_is_reminded_of_once_and_escalated_once() {
    TestApp::run(async |app| {
        let project = running(app).await;
        visit(app, &project, 5).await;
        let count =
            async |person: &Person, kind: &str| kinds(person).await.iter().filter(|known| *known == kind).count();
        app.work().await;
        assert_eq!(count(&project.implementer, "finding.due").await, 0, "five days are left");
        app.advance(Duration::days(4)).await;
        for _ in 0..3 {
            app.advance(Duration::hours(1)).await;
        }
        let implementer = app.sign_in("org-a").await;
        assert_eq!(count(&implementer, "finding.due").await, 1);
        assert_eq!(count(&app.sign_in("staff").await, "finding.overdue").await, 0);
        app.advance(Duration::days(2)).await;
        for _ in 0..3 {
            app.advance(Duration::hours(1)).await;
        }
        for officer in ["staff", "staff-2"] {
            assert_eq!(count(&app.sign_in(officer).await, "finding.overdue").await, 1);
        }
        assert_eq!(count(&app.sign_in("staff-other").await, "finding.overdue").await, 0);
        let seen = app.sign_in("resident-1").await.get(&project.at("findings")).await.expect(200);
        assert_eq!(seen["items"][0]["overdue"], true);
    })
    .await;
}

#[actix_web::test]
async fn only_the_supervising_organisation_visits() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let path = project.at("visits");
        let body = json!({ "visited_on": day(app, 0), "seen": "看过" });
        for stranger in [&project.implementer, &project.evaluator, &project.staff] {
            stranger.post(&path, body.clone()).await.refused(403, "forbidden");
        }
        let mut late = body.clone();
        late["findings"] = json!([{ "severity": "minor", "body": "逾期", "due_on": day(app, -1) }]);
        project.supervisor.post(&path, late).await.names("/findings/0/due_on");
        let mut future = body;
        future["visited_on"] = day(app, 1);
        project.supervisor.post(&path, future).await.names("/visited_on");
    })
    .await;
}
