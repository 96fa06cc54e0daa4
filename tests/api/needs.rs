//! Needs: submitting, seeing, supporting.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::files::upload;
use crate::support::{ANJING, BUILDING_1, BUILDING_2, GUANGHUA, Person, TestApp, place_id, user_id};

/// A need of 光华社区.
pub fn need(title: &str) -> Value {
    json!({
        "place_id": place_id(GUANGHUA), "category": "convenience", "title": title,
        "body": "三楼的灯坏了很久，晚上看不见。", "file_ids": [], "anonymous": false,
    })
}

/// Submits a need; gives its id.
pub async fn submit(person: &Person, title: &str) -> String {
    let answer = person.post("/needs", need(title)).await.expect(201);
    assert_eq!(answer["state"], "in_review");
    answer["id"].as_str().unwrap().to_owned()
}

pub async fn published(app: &TestApp, author: &Person, title: &str) -> String {
    let id = submit(author, title).await;
    app.work().await;
    assert_eq!(author.get(&format!("/needs/{id}")).await.expect(200)["state"], "published");
    id
}

pub fn support(id: &str) -> String {
    format!("/needs/{id}/support")
}

#[actix_web::test]
async fn a_need_is_seen_by_its_author_and_moderators_until_it_passes() {
    TestApp::run(async |app| {
        let [author, neighbour, staff, other] =
            app.sign_in_all(["newcomer-1", "resident-2", "staff", "staff-other"]).await.try_into().ok().unwrap();
        let id = submit(&author, "楼道灯坏了").await;
        let path = format!("/needs/{id}");
        for insider in [&author, &staff] {
            assert_eq!(insider.get(&path).await.expect(200)["state"], "in_review");
        }
        for stranger in [&neighbour, &other] {
            stranger.get(&path).await.refused(404, "not_found");
            stranger.put(&support(&id), json!({})).await.refused(404, "not_found");
        }
        staff.put(&support(&id), json!({})).await.refused(409, "need_not_open");
        let ids = async |person: &Person, query: &str| {
            let page = person.get(&format!("/needs?{query}")).await.expect(200);
            page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
        };
        assert!(!ids(&author, "").await.contains(&json!(id)));
        assert!(ids(&staff, "state=in_review").await.is_empty());
        assert_eq!(ids(&author, "mine=true").await, [json!(id)]);
        assert!(ids(&neighbour, "mine=true").await.is_empty());
        app.work().await;
        let seen = neighbour.get(&path).await.expect(200);
        assert_eq!(
            (&seen["state"], &seen["mine"], &seen["support_count"]),
            (&json!("published"), &json!(false), &json!(0))
        );
        assert_eq!(seen["place_id"], place_id(GUANGHUA).to_string());
        assert!(seen["author"].as_str().unwrap().ends_with('*'), "masked: {}", seen["author"]);
        assert!(seen["published_at"].is_string());
        assert_eq!(ids(&neighbour, "").await[0], json!(id));
    })
    .await;
}

#[actix_web::test]
async fn an_anonymous_need_shows_nobody() {
    TestApp::run(async |app| {
        let [author, neighbour, staff] =
            app.sign_in_all(["resident-1", "resident-2", "staff"]).await.try_into().ok().unwrap();
        let mut body = need("楼上太吵");
        body["anonymous"] = json!(true);
        let id = author.post("/needs", body).await.expect(201)["id"].as_str().unwrap().to_owned();
        app.work().await;
        for (person, mine) in [(&neighbour, false), (&staff, false), (&author, true)] {
            let answer = person.get(&format!("/needs/{id}")).await;
            assert!(!String::from_utf8_lossy(&answer.bytes).contains(&author.id));
            let view = answer.expect(200);
            assert_eq!((&view["author"], &view["mine"]), (&Value::Null, &json!(mine)));
        }
    })
    .await;
}

#[actix_web::test]
async fn lists_are_narrowed_and_paged() {
    TestApp::run(async |app| {
        let author = app.sign_in("resident-1").await;
        let mut ids = Vec::new();
        for (at, place) in [BUILDING_1, BUILDING_2, GUANGHUA, ANJING, BUILDING_1].into_iter().enumerate() {
            let mut body = need(&format!("第{at}件"));
            body["place_id"] = json!(place_id(place));
            body["category"] = json!(if at == 4 { "rights" } else { "charity" });
            ids.push(author.post("/needs", body).await.expect(201)["id"].clone());
            app.work().await;
        }
        ids.reverse();
        let found = async |query: String| {
            let page = author.get(&format!("/needs?limit=100&{query}")).await.expect(200);
            let items = page["items"].as_array().unwrap().clone();
            items.into_iter().map(|item| item["id"].clone()).filter(|id| ids.contains(id)).collect::<Vec<_>>()
        };
        let pick = |numbers: &[usize]| numbers.iter().map(|at| ids[*at].clone()).collect::<Vec<_>>();
        assert_eq!(found(format!("place_id={}", place_id(GUANGHUA))).await, pick(&[0, 2, 3, 4]));
        assert_eq!(found(format!("place_id={}", place_id(BUILDING_1))).await, pick(&[0, 4]));
        assert_eq!(found(format!("place_id={}", place_id("/jiangan/"))).await, ids);
        assert_eq!(
            found(format!("place_id={}&category=charity&state=published", place_id(BUILDING_1))).await,
            pick(&[4])
        );
        assert!(found("state=resolved".to_owned()).await.is_empty());

        let mut walked = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = author.get(&format!("/needs?mine=true&limit=2{cursor}")).await.expect(200);
            walked.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(walked, ids);
        for (query, pointer) in [("limit=0", "?limit"), ("cursor=AAAA", "?cursor"), ("nope=1", "?nope")] {
            author.get(&format!("/needs?{query}")).await.names(pointer);
        }
        author.get(&format!("/needs?place_id={}", user_id("staff"))).await.names("?place_id");
        author.get("/needs?state=gone").await.refused(422, "invalid_input");
    })
    .await;
}

#[actix_web::test]
async fn pictures_are_ones_own_and_used_once() {
    TestApp::run(async |app| {
        let [author, other] = app.sign_in_all(["resident-1", "resident-2"]).await.try_into().ok().unwrap();
        let with = |files: Value| {
            let mut body = need("有图");
            body["file_ids"] = files;
            body
        };
        let (first, second, foreign) = (upload(&author).await, upload(&author).await, upload(&other).await);
        author.post("/needs", with(json!([first, foreign]))).await.names("/file_ids/1");
        author.post("/needs", with(json!([first, place_id(GUANGHUA)]))).await.names("/file_ids/1");
        author.post("/needs", with(json!([first, first]))).await.names("/file_ids/1");
        author.post("/needs", with(json!(["x"]))).await.names("/file_ids/0");
        author.post("/needs", with(json!(vec![&first; 10]))).await.names("/file_ids");
        let id =
            author.post("/needs", with(json!([second, first]))).await.expect(201)["id"].as_str().unwrap().to_owned();
        author.post("/needs", with(json!([first]))).await.refused(409, "file_in_use");
        app.work().await;
        let view = other.get(&format!("/needs/{id}")).await.expect(200);
        let files: Vec<_> = view["files"].as_array().unwrap().iter().map(|file| file["id"].clone()).collect();
        assert_eq!(files, [json!(second), json!(first)], "in the order given");
        // The same within a quarter of an hour: phones keep what they have.
        assert_eq!(other.get(&format!("/needs/{id}")).await.expect(200)["files"], view["files"]);
        assert_eq!(author.get("/needs?mine=true").await.expect(200)["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

// Guard: the condition on `place_path` in files::attach, and behind it `need_files_used_once`.
#[actix_web::test]
async fn parallel_needs_cannot_share_a_picture() {
    TestApp::run(async |app| {
        let author = app.sign_in("resident-1").await;
        let mut body = need("同一张图");
        body["file_ids"] = json!([upload(&author).await]);
        let answers = join_all((0..12).map(|_| author.post("/needs", body.clone()))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(won.len(), 1);
        for answer in lost {
            answer.refused(409, "file_in_use");
        }
    })
    .await;
}

#[actix_web::test]
async fn neighbours_support_once_and_step_out() {
    TestApp::run(async |app| {
        let [author, neighbour, newcomer, staff] =
            app.sign_in_all(["resident-1", "resident-2", "newcomer-1", "staff"]).await.try_into().ok().unwrap();
        let id = published(app, &author, "修路灯").await;
        let expected = |count: i64, mine: bool| json!({ "id": id, "support_count": count, "supported_by_me": mine });
        for _ in 0..2 {
            assert_eq!(neighbour.put(&support(&id), json!({})).await.expect(200), expected(1, true));
        }
        let view = neighbour.get(&format!("/needs/{id}")).await.expect(200);
        assert_eq!((&view["support_count"], &view["supported_by_me"]), (&json!(1), &json!(true)));
        assert_eq!(author.get(&format!("/needs/{id}")).await.expect(200)["supported_by_me"], false);
        author.put(&support(&id), json!({})).await.refused(409, "own_need");
        newcomer.put(&support(&id), json!({})).await.refused(403, "not_verified");
        staff.put(&support(&id), json!({})).await.refused(403, "not_verified");
        assert_eq!(newcomer.delete(&support(&id)).await.expect(200), expected(1, false));
        for _ in 0..2 {
            assert_eq!(neighbour.delete(&support(&id)).await.expect(200), expected(0, false));
        }
        assert_eq!(neighbour.put(&support(&id), json!({})).await.expect(200), expected(1, true));

        let mut elsewhere = need("别的社区");
        elsewhere["place_id"] = json!(place_id(ANJING));
        let elsewhere = author.post("/needs", elsewhere).await.expect(201)["id"].as_str().unwrap().to_owned();
        app.work().await;
        neighbour.put(&support(&elsewhere), json!({})).await.refused(403, "not_resident_here");
        neighbour.put(&support("00000000-0000-0000-0000-000000000000"), json!({})).await.refused(404, "not_found");
        // The demo has one that is resolved already.
        let resolved =
            neighbour.get("/needs?state=resolved").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
        neighbour.put(&support(&resolved), json!({})).await.refused(409, "need_not_open");
    })
    .await;
}

// Guards: the primary key of `need_supports`, and the count that moves with its row (needs/service.rs); `linli verify`
// recounts after every test.
#[actix_web::test]
async fn one_support_a_person_however_often_they_press() {
    TestApp::run(async |app| {
        let author = app.sign_in("resident-1").await;
        let people = app.sign_in_all((2..=20).map(|number| format!("resident-{number}"))).await;
        let id = published(app, &author, "修路灯").await;
        let path = support(&id);
        let answers = join_all((0..50).map(|_| people[0].put(&path, json!({})))).await;
        for answer in answers {
            assert_eq!(answer.expect(200)["support_count"], 1);
        }
        let answers = join_all(people.iter().flat_map(|person| (0..6).map(|_| person.put(&path, json!({}))))).await;
        for answer in answers {
            answer.expect(200);
        }
        let count = async || author.get(&format!("/needs/{id}")).await.expect(200)["support_count"].clone();
        assert_eq!(count().await, people.len());
        // Pressing and taking back in one go: whatever comes out, the count is that of the rows.
        let mixed = people.iter().enumerate().flat_map(|(at, person)| {
            let path = &path;
            (0..6).map(move |turn| async move {
                if (at + turn) % 2 == 0 { person.put(path, json!({})).await } else { person.delete(path).await }
            })
        });
        for answer in join_all(mixed).await {
            answer.expect(200);
        }
        let mut supporters = 0;
        for person in &people {
            let view = person.get(&format!("/needs/{id}")).await.expect(200);
            supporters += i64::from(view["supported_by_me"] == true);
        }
        assert_eq!(count().await, supporters);
    })
    .await;
}

/// What was refused because of the hiding left no row and no count behind.
#[actix_web::test]
async fn hiding_among_supports_loses_none() {
    TestApp::run(async |app| {
        let [author, staff] = app.sign_in_all(["resident-1", "staff"]).await.try_into().ok().unwrap();
        let people = app.sign_in_all((2..=20).map(|number| format!("resident-{number}"))).await;
        let id = published(app, &author, "修路灯").await;
        let item = super::moderation::item_of(&staff, &id).await;
        let decision = format!("/moderation/items/{item}/decision");
        let hide = staff.post(&decision, json!({ "action": "hide", "reason": "核实中" }));
        let path = support(&id);
        let (answers, hidden) = tokio::join!(join_all(people.iter().map(|person| person.put(&path, json!({})))), hide);
        hidden.expect(200);
        let taken = answers.iter().filter(|answer| answer.status == 200).count();
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 404 | 409)));
        assert_eq!(author.get(&format!("/needs/{id}")).await.expect(200)["support_count"], taken);
    })
    .await;
}

// Guard: the key's row in platform/http/command.rs.
#[actix_web::test]
async fn one_key_is_one_need() {
    TestApp::run(async |app| {
        let author = app.sign_in("resident-1").await;
        let answers = join_all((0..20).map(|_| author.post_with_key("/needs", need("修路灯"), "k"))).await;
        let ids: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201)["id"].clone()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]));
        assert_eq!(author.get("/needs?mine=true").await.expect(200)["items"].as_array().unwrap().len(), 1);
        author.post_with_key("/needs", need("另一件"), "k").await.refused(409, "idempotency_key_reused");
    })
    .await;
}

// Guard: the lock on the person's row (needs/service.rs).
#[actix_web::test]
async fn a_person_submits_so_many_needs_a_day() {
    TestApp::run(async |app| {
        let author = app.sign_in("resident-1").await;
        let answers = join_all((0..60).map(|at| author.post("/needs", need(&format!("第{at}件"))))).await;
        let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(taken.len(), 50);
        for answer in refused {
            answer.refused(429, "rate_limited");
        }
    })
    .await;
}

#[actix_web::test]
async fn bad_input_is_named_and_nothing_is_stored() {
    TestApp::run(async |app| {
        let author = app.sign_in("resident-1").await;
        let long = "长".repeat(2001);
        for (field, value, pointer) in [
            ("nope", json!(1), "/nope"),
            ("title", json!(7), "/title"),
            ("title", json!(""), "/title"),
            ("title", json!("长".repeat(61)), "/title"),
            ("title", json!("两\n行"), "/title"),
            ("body", json!(long), "/body"),
            ("body", json!("a\u{0}b"), "/body"),
            ("category", json!("fun"), "/category"),
            ("anonymous", json!("yes"), "/anonymous"),
            ("place_id", json!(user_id("staff")), "/place_id"),
            ("place_id", json!(place_id("/jiangan/chezhan/")), "/place_id"),
            ("file_ids", json!(null), "/file_ids"),
        ] {
            let mut body = need("修路灯");
            body[field] = value;
            author.post("/needs", body).await.names(pointer);
        }
        author.get("/needs/not-an-id").await.refused(404, "not_found");
        assert!(author.get("/needs?mine=true").await.expect(200)["items"].as_array().unwrap().is_empty());
    })
    .await;
}

#[actix_web::test]
async fn the_demo_shows_needs_and_a_restart_doubles_nothing() {
    TestApp::run(async |app| {
        let [person, volunteer] = app.sign_in_all(["resident-1", "volunteer-1"]).await.try_into().ok().unwrap();
        let read = async || person.get(&format!("/needs?place_id={}&limit=100", place_id(GUANGHUA))).await.expect(200);
        let before = read().await;
        assert_eq!(before["items"].as_array().unwrap().len(), 5);
        let handrails =
            before["items"].as_array().unwrap().iter().find(|item| item["title"] == "2栋楼梯加装扶手").unwrap()["id"]
                .as_str()
                .unwrap();
        volunteer.delete(&support(handrails)).await.expect(200);
        let after = read().await;
        linli::demo::seed(&app.state).await.unwrap();
        assert_eq!(read().await, after);
    })
    .await;
}
