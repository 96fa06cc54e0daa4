//! Case files: what is said in confidence reaches the social workers in charge, and nobody else.

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::files::upload;
use crate::needs::need;
use crate::support::{Person, TestApp};

const SECRET: &str = "家里有人动手";

/// Reports something in confidence; gives the case's id.
async fn confide(person: &Person) -> String {
    let mut body = need(SECRET);
    body["confidential"] = json!(true);
    body["category"] = json!("rights");
    let answer = person.post("/needs", body).await.expect(201);
    assert_eq!((&answer["state"], &answer["message"]), (&json!("received"), &json!("已收到，社工会与您电话联系")));
    answer["id"].as_str().unwrap().to_owned()
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

pub async fn count(app: &TestApp, query: &str) -> i64 {
    let db = app.state.db.read();
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), query)).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

/// Every text that the database holds, in one string.
async fn everything(app: &TestApp) -> String {
    let db = app.state.db.read();
    let postgres = app.state.db.is_postgres();
    let tables = if postgres {
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    };
    let backend = db.get_database_backend();
    let mut all = String::new();
    for table in db.query_all_raw(Statement::from_string(backend, tables)).await.unwrap() {
        let table: String = table.try_get("", "name").unwrap();
        let query = if postgres {
            format!("SELECT t::text AS row FROM \"{table}\" t")
        } else {
            let columns = db
                .query_all_raw(Statement::from_string(
                    backend,
                    format!("SELECT name FROM pragma_table_info('{table}')"),
                ))
                .await
                .unwrap();
            let columns: Vec<String> = columns
                .iter()
                .map(|row| format!("COALESCE(CAST(\"{}\" AS TEXT), '')", row.try_get::<String>("", "name").unwrap()))
                .collect();
            format!("SELECT {} AS row FROM \"{table}\"", columns.join(" || '|' || "))
        };
        for row in db.query_all_raw(Statement::from_string(backend, query)).await.unwrap() {
            all.push_str(&row.try_get::<String>("", "row").unwrap_or_default());
            all.push('\n');
        }
    }
    all
}

// Guards: the condition of `cases::service::handled`, and that `confide` writes to no other table.
#[actix_web::test]
async fn what_is_said_in_confidence_is_read_by_its_handlers_only() {
    TestApp::run(async |app| {
        let [reporter, neighbour, leader, staff, street, district, worker] = app
            .sign_in_all(["resident-1", "resident-2", "leader", "staff", "street", "district", "social-worker-1"])
            .await
            .try_into()
            .ok()
            .unwrap();
        let id = confide(&reporter).await;
        assert_eq!(count(app, "SELECT COUNT(*) AS n FROM jobs").await, 0, "WeChat is asked nothing and told nothing");
        app.work().await;
        let path = format!("/cases/{id}");
        for stranger in [&reporter, &neighbour, &leader, &staff, &street, &district] {
            stranger.get(&path).await.refused(404, "not_found");
            stranger.post(&format!("{path}/notes"), json!({ "text": "x" })).await.refused(404, "not_found");
            stranger.post(&format!("{path}/close"), json!({})).await.refused(404, "not_found");
            stranger.get(&format!("/needs/{id}")).await.refused(404, "not_found");
        }
        for curious in [&neighbour, &leader, &staff, &street] {
            curious.post(&format!("{path}/handlers"), json!({ "user_id": staff.id })).await.refused(404, "not_found");
        }
        for query in ["/needs?limit=100", "/needs?mine=true&limit=100", "/inbox?limit=100"] {
            let answer = reporter.get(query).await;
            assert!(answer.status != 200 || !String::from_utf8_lossy(&answer.bytes).contains(SECRET), "{query}");
        }
        assert!(!ids(&staff.get("/cases").await.expect(200)).contains(&id));
        let queue = staff.get("/moderation/items?limit=100").await;
        assert!(!String::from_utf8_lossy(&queue.bytes).contains(SECRET));
        assert!(!everything(app).await.contains(SECRET), "it stands in clear nowhere");

        let receipt = reporter.get("/me/cases").await.expect(200)["items"][0].clone();
        assert_eq!((&receipt["id"], &receipt["state"]), (&json!(id), &json!("open")));
        assert_eq!(receipt.as_object().unwrap().len(), 4, "no more than that it was received");

        assert!(ids(&worker.get("/cases").await.expect(200)).contains(&id));
        let case = worker.get(&path).await.expect(200);
        assert!(case["summary"].as_str().unwrap().starts_with(SECRET));
        assert!(case["reporter"]["phone"].as_str().unwrap().starts_with("138"));
        assert_eq!(case["handlers"].as_array().unwrap().len(), 3, "the district's social workers");
    })
    .await;
}

#[actix_web::test]
async fn handlers_write_close_and_reopen_and_each_reading_is_audited() {
    TestApp::run(async |app| {
        let [reporter, worker, other] =
            app.sign_in_all(["resident-1", "social-worker-1", "social-worker-2"]).await.try_into().ok().unwrap();
        let id = confide(&reporter).await;
        let path = format!("/cases/{id}");
        worker.post(&format!("{path}/notes"), json!({ "text": "已电话联系" })).await.expect(201);
        worker.post(&format!("{path}/notes"), json!({ "text": " " })).await.names("/text");
        let case = other.get(&path).await.expect(200);
        assert_eq!(case["notes"][0]["text"], "已电话联系");
        assert!(!everything(app).await.contains("已电话联系"));
        assert_eq!(worker.post(&format!("{path}/close"), json!({})).await.expect(200)["state"], "closed");
        worker.post(&format!("{path}/close"), json!({})).await.refused(409, "case_closed");
        worker.post(&format!("{path}/notes"), json!({ "text": "x" })).await.refused(409, "case_closed");
        assert_eq!(reporter.get("/me/cases").await.expect(200)["items"][0]["message"], "已办结");
        assert_eq!(other.post(&format!("{path}/reopen"), json!({})).await.expect(200)["state"], "open");
        let audited = "SELECT COUNT(*) AS n FROM audit_log WHERE target_kind = 'case' AND action = 'case.read'";
        assert_eq!(count(app, audited).await, 1, "each reading, and only those");
        let changed = app.state.db.read().execute_unprepared("UPDATE case_notes SET text_cipher = ''").await;
        assert!(changed.is_err(), "notes are only ever added");
    })
    .await;
}

// Guards: the permission looked at in `add_handler`, `case_handlers_not_by_oneself` behind the check before it, the index
// `case_handlers_one_live`, and the condition on other handlers in `remove_handler`.
#[actix_web::test]
async fn the_district_says_who_handles_a_case_and_does_not_read_it() {
    TestApp::run(async |app| {
        let [reporter, district, staff, neighbour, worker] = app
            .sign_in_all(["resident-1", "district", "staff", "resident-2", "social-worker-1"])
            .await
            .try_into()
            .ok()
            .unwrap();
        let id = confide(&reporter).await;
        let path = format!("/cases/{id}/handlers");
        let page = district.get("/case-assignments").await.expect(200);
        assert!(ids(&page).contains(&id));
        assert!(page["items"][0].get("summary").is_none());
        staff.get("/case-assignments").await.refused(403, "forbidden");
        district.post(&path, json!({ "user_id": district.id })).await.refused(403, "own_act");
        district.post(&path, json!({ "user_id": neighbour.id })).await.names("/user_id");
        // Many at once: one gets in.
        let answers = join_all((0..8).map(|_| district.post(&path, json!({ "user_id": staff.id })))).await;
        let (added, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(added.len(), 1);
        for answer in refused {
            answer.refused(409, "already_handler");
        }
        staff.get(&format!("/cases/{id}")).await.expect(200);
        // All at once: one stays.
        let handlers: Vec<String> = worker.get(&format!("/cases/{id}")).await.expect(200)["handlers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|handler| handler["user_id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(handlers.len(), 4);
        let paths: Vec<String> = handlers.iter().map(|person| format!("{path}/{person}")).collect();
        let answers = join_all(paths.iter().map(|path| district.delete(path))).await;
        let (removed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((removed.len(), refused.len()), (3, 1));
        for answer in refused {
            answer.refused(409, "last_handler");
        }
        let mut readers = 0;
        for person in [&worker, &staff] {
            readers += usize::from(person.get(&format!("/cases/{id}")).await.status == 200);
        }
        assert!(readers <= 1);
    })
    .await;
}

#[actix_web::test]
async fn a_confidential_need_takes_no_pictures_and_no_place_outside_a_community() {
    TestApp::run(async |app| {
        let reporter = app.sign_in("newcomer-1").await;
        let mut body = need("求助");
        body["confidential"] = json!(true);
        body["file_ids"] = json!([upload(&reporter).await]);
        reporter.post("/needs", body).await.names("/file_ids");
        let mut body = need("求助");
        body["confidential"] = json!(true);
        body["place_id"] = json!(crate::support::place_id("/jiangan/"));
        reporter.post("/needs", body).await.names("/place_id");
        assert!(ids(&reporter.get("/me/cases").await.expect(200)).is_empty());
    })
    .await;
}
