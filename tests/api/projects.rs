//! Projects and organisations.

use serde_json::{Value, json};

use crate::support::{ANJING, BUILDING_1, GUANGHUA, TestApp, place_id, user_id};

fn project(path: &str) -> Value {
    json!({ "place_id": place_id(path), "title": "老楼加装扶手", "summary": "给三栋老楼的楼道装扶手。\n先装1栋。", "budget_fen": 1_200_000 })
}

fn titles(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn everybody_reads_the_seeds_projects_with_their_figures() {
    TestApp::run(async |app| {
        let person = app.sign_in("newcomer-1").await;
        let list = person.get(&format!("/projects?place_id={}", place_id("/jiangan/"))).await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 5);
        let here = person.get(&format!("/projects?place_id={}", place_id(ANJING))).await.expect(200);
        assert_eq!(here["items"].as_array().unwrap().len(), 1);
        let one = &here["items"][0];
        assert_eq!(one["figures"]["households_refitted"], 500);
        assert_eq!(one["organisation"], "武汉晚晴枫养老助残服务中心");
        assert_eq!(&person.get(&format!("/projects/{}", one["id"].as_str().unwrap())).await.expect(200), one);
        let register = person.get("/organisations?limit=3").await.expect(200);
        assert_eq!(register["items"].as_array().unwrap().len(), 3);
        let rest = person.get(&format!("/organisations?cursor={}", register["next_cursor"].as_str().unwrap())).await;
        assert_eq!(rest.expect(200)["items"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[actix_web::test]
async fn staff_propose_projects_in_their_own_place() {
    TestApp::run(async |app| {
        let [staff, other, street] = ["staff", "staff-other", "street"].map(|name| app.sign_in(name));
        let (staff, other, street) = (staff.await, other.await, street.await);
        let resident = app.sign_in("resident-1").await;
        let created = staff.post_with_key("/projects", project(GUANGHUA), "k").await.expect(201);
        assert_eq!((&created["state"], &created["budget_fen"]), (&json!("proposed"), &json!(1_200_000)));
        assert_eq!(staff.post_with_key("/projects", project(GUANGHUA), "k").await.expect(201)["id"], created["id"]);
        street.post("/projects", project(BUILDING_1)).await.expect(201);
        for person in [&other, &resident] {
            person.post("/projects", project(GUANGHUA)).await.refused(403, "forbidden");
        }
        other.post("/projects", project(ANJING)).await.expect(201);

        let list = async |path: &str| resident.get(&format!("/projects?place_id={}", place_id(path))).await.expect(200);
        assert_eq!(titles(&list(GUANGHUA).await).len(), 3, "the seed's, the community's, the building's");
        assert_eq!(titles(&list(BUILDING_1).await), ["老楼加装扶手"]);
        assert_eq!(titles(&list("/jiangan/chezhan/").await).len(), 4);
        assert_eq!(titles(&list(ANJING).await).len(), 2);
    })
    .await;
}

#[actix_web::test]
async fn bad_input_is_named() {
    TestApp::run(async |app| {
        let staff = app.sign_in("district").await;
        let with = |field: &str, value: Value| {
            let mut body = project(GUANGHUA);
            body[field] = value;
            body
        };
        for (field, value) in [
            ("nope", json!(1)),
            ("title", json!("")),
            ("title", json!("x".repeat(61))),
            ("title", json!("a\u{7}")),
            ("summary", json!("x".repeat(2001))),
            ("budget_fen", json!(-1)),
            ("budget_fen", json!(10_000_000_001_i64)),
            ("budget_fen", json!(1.5)),
            ("place_id", json!(user_id("staff"))),
            ("place_id", json!(place_id("/jiangan/chezhan/"))),
            ("place_id", json!("x")),
        ] {
            staff.post("/projects", with(field, value)).await.names(&format!("/{field}"));
        }
        staff.post("/projects", json!({ "title": "x" })).await.names("/place_id");
        staff.get("/projects").await.names("?place_id");
        staff.get("/projects/x").await.refused(404, "not_found");
        staff.get(&format!("/projects/{}", place_id(GUANGHUA))).await.refused(404, "not_found");
        let list = staff.get(&format!("/projects?place_id={}", place_id("/jiangan/"))).await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 5, "nothing was stored");
    })
    .await;
}
