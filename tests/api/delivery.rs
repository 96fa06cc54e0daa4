//! Delivery: start, reports, completion and termination.

use entities::ids::OrganisationId;
use entities::projects::Part;
use futures_util::future::join_all;
use linli::platform::ids;
use serde_json::{Value, json};

use crate::support::projects::{assign, contracted, programme, running, three};
use crate::support::{GUANGHUA, Person, TestApp, place_id};

async fn notices(person: &Person) -> Vec<Value> {
    let board = person.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
    board["items"].as_array().unwrap().iter().map(|notice| notice["kind"].clone()).collect()
}

// Guard: the trigger `projects_supervised`.
#[actix_web::test]
async fn a_project_starts_once_a_supervisor_is_named() {
    TestApp::run(async |app| {
        let [implementer, supervisor, _] = three(app).await;
        let programme = programme(app).await;
        let id = contracted(app, programme, implementer).await;
        let start = format!("/projects/{id}/start");
        let [org, staff, stranger] = app.sign_in_all(["org-a", "staff", "org-b"]).await.try_into().ok().unwrap();
        org.post(&start, json!({})).await.refused(409, "no_supervisor");
        assign(app, id, Part::Supervisor, supervisor).await;
        for other in [&staff, &stranger] {
            other.post(&start, json!({})).await.refused(403, "forbidden");
        }
        let tries = join_all((0..6).map(|_| org.post(&start, json!({})))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        for late in tries.into_iter().filter(|answer| answer.status != 200) {
            late.refused(409, "project_state");
        }
        assert!(notices(&staff).await.contains(&json!("project.started")));
    })
    .await;
}

// Guards: `project_reports_one_final`; the trigger `projects_final_report`.
#[actix_web::test]
async fn the_implementer_reports_and_residents_read() {
    TestApp::run(async |app| {
        let project = running(app).await;
        project.implementer.post(&project.at("complete"), json!({})).await.refused(409, "final_report_missing");
        let today = linli::platform::calendar::day(app.state.clock.now());
        let with = |field: &str, value: Value| {
            let mut body =
                json!({ "kind": "progress", "period_from": today, "period_until": today, "body": "开课两次。" });
            body[field] = value;
            body
        };
        let path = project.at("reports");
        for (field, value, pointer) in [
            ("period_from", json!("2999-01-01"), "/period_until"),
            ("period_until", json!("2999-01-01"), "/period_until"),
            ("figures", json!([{ "indicator": "种树", "amount": 1 }]), "/figures/0/indicator"),
            ("figures", json!([{ "indicator": "改造家庭", "amount": -1 }]), "/figures/0/amount"),
            ("body", json!(""), "/body"),
        ] {
            project.implementer.post(&path, with(field, value)).await.names(pointer);
        }
        project.supervisor.post(&path, with("body", json!("x"))).await.refused(403, "forbidden");
        project.report(app, "progress").await;
        let tries = join_all((0..6).map(|_| project.implementer.post(&path, with("kind", json!("final"))))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 201).count(), 1);
        for late in tries.into_iter().filter(|answer| answer.status != 201) {
            late.refused(409, "final_report_exists");
        }
        let resident = app.sign_in("resident-1").await;
        let read = resident.get(&path).await.expect(200);
        assert_eq!(read["items"].as_array().unwrap().len(), 2);
        assert_eq!(read["items"][1]["figures"], json!([{ "indicator": "改造家庭", "amount": 1 }]));
        project.staff.post(&project.at("complete"), json!({})).await.refused(403, "forbidden");
        project.implementer.post(&project.at("complete"), json!({})).await.expect(200);
        assert!(notices(&resident).await.contains(&json!("project.completed")));
    })
    .await;
}

#[actix_web::test]
async fn staff_terminate_with_a_reason_and_in_public() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let terminate = project.at("terminate");
        project.staff.post(&terminate, json!({ "reason": "" })).await.names("/reason");
        project.implementer.post(&terminate, json!({ "reason": "不做了" })).await.refused(403, "forbidden");
        project.staff.post(&terminate, json!({ "reason": "机构注销" })).await.expect(200);
        assert_eq!(project.state().await, "terminated");
        assert!(notices(&project.staff).await.contains(&json!("project.terminated")));
        // Guard: `is_end` in `service::assign`.
        let late = json!({ "organisation_id": ids::named::<OrganisationId>("organisation:督导测试中心") });
        project.staff.put(&project.at("parties/supervisor"), late).await.refused(409, "project_state");
        project
            .implementer
            .post(&project.at("services"), project.record(app, json!({})))
            .await
            .refused(409, "project_not_running");
    })
    .await;
}
