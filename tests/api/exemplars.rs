//! The end of a project, and what others learn from it.

use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::evaluations::{document, evaluation, published};
use crate::support::projects::{Running, running};
use crate::support::{ANJING, BUILDING_1, GUANGHUA, Person, TestApp, place_id};

async fn evaluated(app: &TestApp, project: &Running, result: &str) {
    let evaluator = published(app, project).await;
    let file = document(&evaluator).await;
    evaluator.post(&project.at("evaluations"), evaluation(&file, result, json!({}))).await.expect(201);
}

/// A published need that the project takes up, with a supporter.
async fn answered_need(app: &TestApp, project: &Running, author: &Person, supporter: &Person) -> String {
    let body = json!({
        "place_id": place_id(BUILDING_1), "category": "convenience", "title": "想学烘焙", "body": "希望周末有课。",
        "file_ids": [], "anonymous": false
    });
    let need = author.post("/needs", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    app.work().await;
    supporter.put(&format!("/needs/{need}/support"), json!({})).await.expect(200);
    let db = app.state.db.begin().await.unwrap();
    let statement = sea_orm::Statement::from_sql_and_values(
        db.get_database_backend(),
        "UPDATE needs SET state = 'in_project', project_id = $1 WHERE id = $2",
        [project.id.into(), need.parse::<uuid::Uuid>().unwrap().into()],
    );
    db.execute_raw(statement).await.unwrap();
    db.commit().await.unwrap();
    need
}

// Guards: the step's condition, `project_closings`' primary key.
#[actix_web::test]
async fn finishing_resolves_the_needs_and_tells_their_authors_once() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let [author, supporter] = app.sign_in_all(["resident-1", "resident-2"]).await.try_into().ok().unwrap();
        let need = answered_need(app, &project, &author, &supporter).await;
        project.service(app, json!({ "heads": 1010 })).await;
        project.staff.post(&project.at("finish"), json!({})).await.refused(409, "project_state");
        evaluated(app, &project, "pass").await;
        let staff = app.sign_in("staff").await;
        app.sign_in("org-a").await.post(&project.at("finish"), json!({})).await.refused(403, "forbidden");
        let finish = project.at("finish");
        let tries = join_all((0..6).map(|_| staff.post(&finish, json!({})))).await;
        let done: Vec<_> = tries.into_iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(done.len(), 1);
        assert_eq!(done[0].body["needs_resolved"], 1);
        // Supporters, who may be many, are told by a job.
        app.work().await;
        let author = app.sign_in("resident-1").await;
        assert_eq!(author.get(&format!("/needs/{need}")).await.expect(200)["state"], "resolved");
        for name in ["resident-1", "resident-2"] {
            let told = app.sign_in(name).await.get("/inbox").await.expect(200);
            let told =
                told["items"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "need.resolved").count();
            assert_eq!(told, 1, "{name}");
        }
        let board = author.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        let closing = board["items"].as_array().unwrap().iter().find(|row| row["kind"] == "project.finished").unwrap();
        assert!(closing["body"].as_str().unwrap().contains("服务 1010 人次"), "{closing}");
        staff.post(&project.at("exemplar"), json!({})).await.refused(409, "not_exemplary");
    })
    .await;
}

// Guard: the trigger `exemplars_excellent` (and the check before it).
#[actix_web::test]
async fn an_excellent_project_is_published_and_copied_with_its_lineage() {
    TestApp::run(async |app| {
        let project = running(app).await;
        project.service(app, json!({ "people": [{ "name": "王桂兰", "phone": "13900000001", "groups": [] }] })).await;
        evaluated(app, &project, "excellent").await;
        let staff = app.sign_in("staff").await;
        let path = project.at("exemplar");
        staff.post(&path, json!({})).await.refused(409, "not_exemplary");
        staff.post(&project.at("finish"), json!({})).await.expect(200);
        app.sign_in("org-a").await.post(&path, json!({})).await.refused(403, "forbidden");
        let tries = join_all((0..6).map(|_| staff.post(&path, json!({})))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 201).count(), 1);

        let other = app.sign_in("staff-other").await;
        let list = other.get("/exemplars").await.expect(200);
        let exemplar = &list["items"][0];
        assert_eq!(exemplar["template"]["groups"], json!(["全职妈妈", "青年女性"]));
        let words = exemplar.to_string();
        assert!(!words.contains("王桂兰") && !words.contains("13900000001"), "no personal data: {words}");
        assert!(words.contains("不足5人"), "one person served is not told: {words}");
        let copy = format!("/exemplars/{}/copy", exemplar["id"].as_str().unwrap());
        other.post(&copy, json!({ "place_id": place_id(GUANGHUA) })).await.refused(403, "forbidden");
        other.post(&copy, json!({ "place_id": place_id("/jiangan/") })).await.names("/place_id");
        let made = other.post(&copy, json!({ "place_id": place_id(ANJING), "title": "安静手工课" })).await.expect(201);
        assert_eq!((&made["state"], &made["copied_from"]), (&json!("proposed"), &json!(project.id)));
        let lineage = async |id: &str| other.get(&format!("/projects/{id}/lineage")).await.expect(200);
        let up = lineage(made["id"].as_str().unwrap()).await;
        assert_eq!((&up["copied_from"], &up["exemplar_id"]), (&json!(project.id), &exemplar["id"]));
        let down = lineage(&project.id.to_string()).await;
        assert_eq!((&down["copied_from"], &down["copies"]), (&Value::Null, &json!([made["id"]])));
    })
    .await;
}
