//! Projects and organisations.

use serde_json::{Value, json};

use crate::support::{ANJING, BUILDING_1, GUANGHUA, Person, TestApp, place_id, user_id};

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
        assert_eq!(rest.expect(200)["items"].as_array().unwrap().len(), 4);
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

// Guard: the state in the condition of `needs::adopt`: two projects that want one need wait for each other, and one gets it.
#[actix_web::test]
async fn a_project_takes_needs_up_and_their_authors_are_rewarded_once() {
    TestApp::run(async |app| {
        let [author, shy, staff, newcomer] =
            ["resident-1", "resident-2", "staff", "newcomer-1"].map(|name| app.sign_in(name));
        let (author, shy, staff, newcomer) = (author.await, shy.await, staff.await, newcomer.await);
        let rule = json!({ "place_id": place_id(GUANGHUA), "amount": 20 });
        staff.put("/points/rules/need_adopted", rule).await.expect(200);
        let mut needs = Vec::new();
        for (person, anonymous) in [(&author, false), (&shy, true), (&newcomer, false)] {
            let need = json!({
                "place_id": place_id(BUILDING_1), "category": "convenience", "title": "楼道装灯", "body": "晚上看不清台阶。",
                "file_ids": [], "anonymous": anonymous
            });
            needs.push(person.post("/needs", need).await.expect(201)["id"].clone());
        }
        let mut wanted = project(GUANGHUA);
        wanted["need_ids"] = json!(needs);
        let early = staff.post("/projects", wanted.clone()).await;
        assert_eq!(early.expect(422)["errors"][0]["pointer"], "/need_ids", "they wait for review");
        app.work().await;

        let before = staff.get(&format!("/projects?place_id={}", place_id(GUANGHUA))).await.expect(200);
        let tries = (0..8).map(|_| staff.post("/projects", wanted.clone()));
        let tries = futures_util::future::join_all(tries).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!(tries.iter().filter(|answer| answer.status == 422).count(), 7);
        let after = staff.get(&format!("/projects?place_id={}", place_id(GUANGHUA))).await.expect(200);
        assert_eq!(titles(&after).len(), titles(&before).len() + 1, "whoever got no need made no project");

        app.work().await;
        let seen = author.get(&format!("/needs/{}", needs[0].as_str().unwrap())).await.expect(200);
        assert_eq!((&seen["state"], &seen["project_id"]), (&json!("in_project"), &after["items"][0]["id"]));
        let points = async |person: &Person| person.get("/me/points").await.expect(200)["earned"].clone();
        assert_eq!(points(&author).await, 20);
        assert_eq!((points(&shy).await, points(&newcomer).await), (json!(0), json!(0)), "anonymous; not verified");
        let entry = author.get("/me/points/entries").await.expect(200)["items"][0]["id"].clone();
        let why = author.get(&format!("/me/points/entries/{}", entry.as_str().unwrap())).await.expect(200);
        assert_eq!((&why["rule"]["key"], &why["source"]["what"]), (&json!("need_adopted"), &json!("需求被采纳：楼道装灯")));
        let told = shy.get("/inbox").await.expect(200);
        assert_eq!(told["items"][0]["title"], "您的需求已立项");
    })
    .await;
}
