//! Designs: written, handed in as versions, returned, compared; and what follows when a project goes nowhere.

use chrono::TimeDelta;
use futures_util::future::join_all;
use linli::platform::ids;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::needs::submit as submit_need;
use crate::programmes::{opened, programme};
use crate::support::{ANJING, GUANGHUA, Person, TestApp, place_id};

/// A design that lacks nothing and costs so much.
pub fn design(fen: i64) -> Value {
    json!({
        "goals": "减少楼道里的摔倒。",
        "groups": [{ "key": "elders", "title": "高龄老人", "people": 80 }],
        "plan": "逐栋评估，先装扶手，再装灯。",
        "lines": [{ "title": "扶手", "fen": fen - 1 }, { "title": "人工", "fen": 1 }],
        "indicators": [{ "key": "stairs", "title": "装好扶手的楼道", "target": 12, "unit": "个" }],
        "schedule": [{ "title": "评估", "from": "2027-01-01", "until": "2027-01-31" }],
    })
}

/// The id of 武汉晚晴枫养老助残服务中心, to which `org-a` belongs.
pub fn designer() -> Uuid {
    ids::named("organisation:武汉晚晴枫养老助残服务中心")
}

/// What `org-a` proposes for a place.
pub fn proposal(path: &str, title: &str) -> Value {
    json!({
        "place_id": place_id(path), "title": title, "summary": "给老楼的楼道装扶手。", "budget_fen": 0, "organisation_id": designer(),
    })
}

/// Proposes and hands in a project of so much money; gives its path.
pub async fn handed_in(designer: &Person, programme: &str, title: &str, fen: i64) -> String {
    let path = crate::programmes::made(designer, "/projects", proposal(GUANGHUA, title)).await;
    designer.put(&format!("{path}/design"), design(fen)).await.expect(200);
    let programme = programme.rsplit('/').next().unwrap();
    designer.post(&format!("{path}/submit"), json!({ "programme_id": programme })).await.expect(200);
    path
}

#[actix_web::test]
async fn an_organisation_designs_and_hands_in_versions_that_stay() {
    TestApp::run(async |app| {
        let [district, org, rival, neighbour] =
            app.sign_in_all(["district", "org-a", "org-b", "resident-1"]).await.try_into().ok().unwrap();
        let programme = opened(&district, programme(app, "/jiangan/", 1_000_000)).await;
        let programme_id = programme.rsplit('/').next().unwrap();
        rival.post("/projects", proposal(GUANGHUA, "不是自己的")).await.refused(403, "forbidden");
        neighbour.post("/projects", proposal(GUANGHUA, "居民")).await.refused(403, "forbidden");
        let created = org.post("/projects", proposal(GUANGHUA, "老楼加装扶手")).await.expect(201);
        assert_eq!((&created["designer_id"], &created["version"]), (&json!(designer()), &json!(0)));
        let path = format!("/projects/{}", created["id"].as_str().unwrap());
        let draft = format!("{path}/design");
        let submit = format!("{path}/submit");

        rival.put(&draft, design(500_000)).await.refused(403, "forbidden");
        neighbour.get(&draft).await.refused(404, "not_found");
        let empty = org.put(&draft, json!({ "goals": "减少摔倒" })).await.expect(200);
        assert_eq!(empty["missing"], json!(["/groups", "/plan", "/lines", "/indicators", "/schedule"]));
        org.post(&submit, json!({ "programme_id": programme_id })).await.names("/design/indicators");
        org.post(&submit, json!({})).await.names("/programme_id");
        rival.post(&submit, json!({ "programme_id": programme_id })).await.refused(403, "forbidden");
        assert_eq!(org.put(&draft, design(500_000)).await.expect(200)["budget_fen"], 500_000);

        let tries = join_all((0..6).map(|_| org.post(&submit, json!({ "programme_id": programme_id })))).await;
        assert_eq!(
            tries.iter().filter(|answer| answer.status == 200).count(),
            1,
            "one version of six requests at once"
        );
        let seen = neighbour.get(&path).await.expect(200);
        assert_eq!(
            (&seen["state"], &seen["version"], &seen["budget_fen"]),
            (&json!("submitted"), &json!(1), &json!(500_000))
        );
        org.put(&draft, design(9)).await.refused(409, "project_state");

        org.post(&format!("{path}/return"), json!({ "reason": "自己退" })).await.refused(403, "forbidden");
        district.post(&format!("{path}/return"), json!({ "reason": "" })).await.names("/reason");
        district.post(&format!("{path}/return"), json!({ "reason": "预算偏高，请说明人工" })).await.expect(200);
        assert!(org.get("/inbox").await.expect(200)["items"][0]["body"].as_str().unwrap().contains("预算偏高"));
        let mut changed = design(400_000);
        changed["plan"] = json!("分两批实施。");
        changed["lines"].as_array_mut().unwrap().push(json!({ "title": "灯具", "fen": 50_000 }));
        org.put(&draft, changed).await.expect(200);
        org.post(&submit, json!({ "programme_id": created["id"] })).await.names("/programme_id");
        org.post(&submit, json!({})).await.expect(200);

        let versions = neighbour.get(&format!("{path}/designs")).await.expect(200);
        let sums: Vec<_> =
            versions.as_array().unwrap().iter().map(|row| (&row["version"], &row["budget_fen"])).collect();
        assert_eq!(sums, [(&json!(2), &json!(450_000)), (&json!(1), &json!(500_000))]);
        let diff = neighbour.get(&format!("{path}/designs/2/diff?from=1")).await.expect(200);
        let changes: Vec<_> = diff["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["pointer"].as_str().unwrap(), one["kind"].as_str().unwrap()))
            .collect();
        assert_eq!(changes.len(), 3);
        for expected in [("/lines/0/fen", "changed"), ("/lines/2", "added"), ("/plan", "changed")] {
            assert!(changes.contains(&expected), "{changes:?}");
        }
        assert_eq!(neighbour.get(&format!("{path}/designs/2/diff")).await.expect(200), diff);
        neighbour.get(&format!("{path}/designs/1/diff")).await.refused(404, "not_found");
        neighbour.get(&format!("{path}/designs/3")).await.refused(404, "not_found");
    })
    .await;
}

// Guards: in the service the cap, and one reading of the clock after the locks; behind them the triggers `project_designs_cap` and
// `project_designs_in_time`.
#[actix_web::test]
async fn a_design_comes_within_the_cap_and_in_time() {
    TestApp::run(async |app| {
        let [district, org, staff] =
            app.sign_in_all(["district", "org-a", "staff-other"]).await.try_into().ok().unwrap();
        let mut body = programme(app, "/jiangan/", 1_000_000);
        body["cap_fen"] = json!(300_000);
        let programme_path = opened(&district, body).await;
        let programme_id = programme_path.rsplit('/').next().unwrap();
        let path = crate::programmes::made(&org, "/projects", proposal(GUANGHUA, "老楼加装扶手")).await;
        let (draft, submit) = (format!("{path}/design"), format!("{path}/submit"));
        org.put(&draft, design(300_001)).await.expect(200);
        org.post(&submit, json!({ "programme_id": programme_id })).await.refused(409, "above_cap");
        org.put(&draft, design(300_000)).await.expect(200);
        let elsewhere = opened(&staff, programme(app, ANJING, 1_000_000)).await;
        let elsewhere = elsewhere.rsplit('/').next().unwrap();
        org.post(&submit, json!({ "programme_id": elsewhere })).await.names("/programme_id");
        org.post(&submit, json!({ "programme_id": programme_id })).await.expect(200);
        let late = crate::programmes::made(&org, "/projects", proposal(GUANGHUA, "迟到的")).await;
        org.put(&format!("{late}/design"), design(300_000)).await.expect(200);
        for (what, row) in [
            ("project_designs_cap", "2, programme_id, document, 300001, 1, 1, submitted_by, submitted_at"),
            (
                "project_designs_in_time",
                "2, programme_id, document, 1, 1, 1, submitted_by, '2001-01-01T00:00:00+00:00'",
            ),
        ] {
            let txn = app.state.db.begin().await.unwrap();
            let sql = format!("INSERT INTO project_designs SELECT project_id, {row} FROM project_designs");
            let refused = txn.execute_unprepared(&sql).await.unwrap_err().to_string();
            assert!(refused.contains(what) || refused.contains("a design"), "{refused}");
            txn.rollback().await.unwrap();
        }

        app.advance(TimeDelta::days(21)).await;
        let [district, org] = app.sign_in_all(["district", "org-a"]).await.try_into().ok().unwrap();
        org.post(&format!("{late}/submit"), json!({ "programme_id": programme_id })).await.refused(409, "phase_over");
        // What was returned comes back while experts still review.
        district.post(&format!("{path}/return"), json!({ "reason": "请补充" })).await.expect(200);
        assert_eq!(org.post(&submit, json!({})).await.expect(200)["version"], 2);
        district.post(&format!("{path}/return"), json!({ "reason": "请再补充" })).await.expect(200);
        app.advance(TimeDelta::days(7)).await;
        app.sign_in("org-a").await.post(&submit, json!({})).await.refused(409, "phase_over");
    })
    .await;
}

// Guards: `project_designs_append_only`, `project_reviews_append_only` and the others of their kind.
#[actix_web::test]
async fn what_was_handed_in_is_never_changed() {
    TestApp::run(async |app| {
        let [district, org] = app.sign_in_all(["district", "org-a"]).await.try_into().ok().unwrap();
        let programme = opened(&district, programme(app, "/jiangan/", 1_000_000)).await;
        handed_in(&org, &programme, "老楼加装扶手", 500_000).await;
        for sql in ["UPDATE project_designs SET budget_fen = 1", "DELETE FROM project_designs"] {
            let txn = app.state.db.begin().await.unwrap();
            let refused = txn.execute_unprepared(sql).await.unwrap_err().to_string();
            assert!(refused.contains("append_only") || refused.contains("only ever added"), "{refused}");
            txn.rollback().await.unwrap();
        }
    })
    .await;
}

#[actix_web::test]
async fn a_project_that_goes_nowhere_gives_its_needs_back() {
    TestApp::run(async |app| {
        let [district, org, author] =
            app.sign_in_all(["district", "org-a", "resident-1"]).await.try_into().ok().unwrap();
        let programme = opened(&district, programme(app, "/jiangan/", 1_000_000)).await;
        let need = submit_need(&author, "楼道装灯").await;
        app.work().await;
        let take_up = async || {
            let mut body = proposal(GUANGHUA, "老楼加装扶手");
            body["need_ids"] = json!([need]);
            let path = crate::programmes::made(&org, "/projects", body).await;
            org.put(&format!("{path}/design"), design(500_000)).await.expect(200);
            path
        };
        let state = async || author.get(&format!("/needs/{need}")).await.expect(200)["state"].clone();
        let path = take_up().await;
        assert_eq!(state().await, "in_project");
        org.post(&format!("{path}/withdraw"), json!({})).await.expect(200);
        assert_eq!(state().await, "published");
        org.post(&format!("{path}/withdraw"), json!({})).await.refused(409, "project_state");

        let path = take_up().await;
        let programme_id = programme.rsplit('/').next().unwrap();
        org.post(&format!("{path}/submit"), json!({ "programme_id": programme_id })).await.expect(200);
        org.post(&format!("{path}/decline"), json!({ "reason": "x" })).await.refused(403, "forbidden");
        let declined =
            district.post(&format!("{path}/decline"), json!({ "reason": "与已有项目重复" })).await.expect(200);
        assert_eq!(declined["state"], "declined");
        assert_eq!(state().await, "published");
        let board = author.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        assert_eq!(board["items"][0]["kind"], "project.declined");
        assert!(board["items"][0]["body"].as_str().unwrap().contains("与已有项目重复"));
        let told = author.get("/inbox?limit=100").await.expect(200);
        let kinds: Vec<_> =
            told["items"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == "need.adopted").count(), 2, "{kinds:?}");
        district.post(&format!("{programme}/close"), json!({})).await.expect(200);
    })
    .await;
}
