//! Needs that say the same become one, and can become two again; similar ones are found beforehand.

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use crate::needs::{need, published, support};
use crate::support::{ANJING, BUILDING_1, GUANGHUA, Person, TestApp, place_id};

async fn count(person: &Person, id: &str) -> i64 {
    person.get(&format!("/needs/{id}")).await.expect(200)["support_count"].as_i64().unwrap()
}

async fn supports(person: &Person, id: &str) -> bool {
    person.get(&format!("/needs/{id}")).await.expect(200)["supported_by_me"] == true
}

/// Whether somebody was told something of a kind.
async fn told(person: &Person, kind: &str) -> bool {
    let page = person.get("/inbox?limit=100").await.expect(200);
    page["items"].as_array().unwrap().iter().any(|entry| entry["kind"] == kind)
}

// Guards: ON CONFLICT in `merging::carry` (a person counts once) and its condition on the target's author.
#[actix_web::test]
async fn a_merge_keeps_every_supporter_once_and_tells_them() {
    TestApp::run(async |app| {
        let [staff, first, second, both, only, late] = app
            .sign_in_all(["staff", "resident-1", "resident-2", "resident-3", "resident-4", "resident-5"])
            .await
            .try_into()
            .ok()
            .unwrap();
        let source = published(app, &first, "楼道灯不亮").await;
        let target = published(app, &second, "楼梯间的灯坏了").await;
        for (person, id) in [(&both, &source), (&both, &target), (&only, &source), (&second, &source)] {
            person.put(&support(id), json!({})).await.expect(200);
        }
        let path = format!("/needs/{source}/merge");
        let body = json!({ "into": target, "reason": "同一处楼道" });
        first.post(&path, body.clone()).await.refused(403, "forbidden");
        staff.post(&path, json!({ "into": source, "reason": "x" })).await.names("/into");
        let merged = staff.post(&path, body.clone()).await.expect(200);
        // `both` once, `only`, and the author of the source; not the target's own author.
        assert_eq!(merged["support_count"], 3);
        app.work().await;
        for (person, expected) in [(&both, true), (&only, true), (&first, true), (&second, false), (&late, false)] {
            assert_eq!(supports(person, &target).await, expected);
        }
        for person in [&first, &both, &only, &second] {
            assert!(told(person, "need.merged").await);
        }
        let view = late.get(&format!("/needs/{source}")).await.expect(200);
        assert_eq!((&view["state"], &view["merged_into"]), (&json!("merged"), &json!(target)));
        late.put(&support(&source), json!({})).await.refused(409, "need_not_open");
        staff.post(&path, body).await.refused(409, "need_taken");

        // Each can leave; who comes by themselves stays when the merge is undone.
        only.delete(&support(&target)).await.expect(200);
        late.put(&support(&target), json!({})).await.expect(200);
        // A carried support that one presses oneself becomes one's own.
        first.put(&support(&target), json!({})).await.expect(200);
        assert_eq!(count(&staff, &target).await, 3);
        let undo = format!("/needs/{source}/unmerge");
        let back = staff.post(&undo, json!({ "text": "不是同一处" })).await.expect(200);
        assert_eq!((&back["state"], &back["support_count"]), (&json!("published"), &json!(3)));
        app.work().await;
        assert_eq!(count(&staff, &target).await, 3, "both, late and first by their own act");
        for person in [&both, &only, &second] {
            assert!(supports(person, &source).await, "as it was before the merge");
            assert!(told(person, "need.unmerged").await);
        }
        staff.post(&undo, json!({ "text": "再来" })).await.refused(409, "already_decided");
        let timeline = late.get(&format!("/needs/{source}/timeline")).await.expect(200);
        let kinds: Vec<_> = timeline["items"].as_array().unwrap().iter().map(|step| step["kind"].clone()).collect();
        assert_eq!(kinds, [json!("submitted"), json!("published"), json!("merged"), json!("unmerged")]);
    })
    .await;
}

#[actix_web::test]
async fn what_went_on_is_undone_in_its_order_and_only_within_a_community() {
    TestApp::run(async |app| {
        let [staff, district, author] =
            app.sign_in_all(["staff", "district", "resident-1"]).await.try_into().ok().unwrap();
        let [a, b, c] = [
            published(app, &author, "甲").await,
            published(app, &author, "乙").await,
            published(app, &author, "丙").await,
        ];
        let mut elsewhere = need("别的社区");
        elsewhere["place_id"] = json!(place_id(ANJING));
        let elsewhere = author.post("/needs", elsewhere).await.expect(201)["id"].as_str().unwrap().to_owned();
        app.work().await;
        let merge = async |from: &str, into: &str| {
            district.post(&format!("/needs/{from}/merge"), json!({ "into": into, "reason": "同" })).await
        };
        merge(&a, &elsewhere).await.names("/into");
        merge(&a, &b).await.expect(200);
        merge(&b, &c).await.expect(200);
        merge(&c, &b).await.refused(409, "need_not_open");
        let undo = async |id: &str| staff.post(&format!("/needs/{id}/unmerge"), json!({ "text": "分开" })).await;
        undo(&a).await.refused(409, "need_not_open");
        undo(&b).await.expect(200);
        undo(&a).await.expect(200);
        for id in [&a, &b, &c] {
            assert_eq!(author.get(&format!("/needs/{id}")).await.expect(200)["state"], "published");
        }
    })
    .await;
}

// Guards: the need's lock in `service::locked` before its supports are touched, and the conditions of merging's statements;
// `linli verify` recounts and looks at every carried support.
#[actix_web::test]
async fn merging_and_undoing_among_many_supporters_loses_and_doubles_none() {
    TestApp::run(async |app| {
        let [staff, staff_2, author, other] =
            app.sign_in_all(["staff", "staff-2", "resident-1", "resident-2"]).await.try_into().ok().unwrap();
        let people = app.sign_in_all((3..=20).map(|number| format!("resident-{number}"))).await;
        let source = published(app, &author, "楼道灯不亮").await;
        let target = published(app, &other, "楼梯间的灯坏了").await;
        let presses = people.iter().enumerate().flat_map(|(at, person)| {
            let (source, target) = (&source, &target);
            (0..8).map(move |turn| async move {
                let id = if (at + turn) % 3 == 0 { source } else { target };
                if (at + turn) % 4 == 3 {
                    person.delete(&support(id)).await
                } else {
                    person.put(&support(id), json!({})).await
                }
            })
        });
        let clerks = [&staff, &staff_2];
        let moves = (0..16).map(|turn| {
            let (source, target) = (&source, &target);
            async move {
                let clerk = clerks[turn % 2];
                if turn % 4 < 2 {
                    clerk.post(&format!("/needs/{source}/merge"), json!({ "into": target, "reason": "同" })).await
                } else {
                    clerk.post(&format!("/needs/{source}/unmerge"), json!({ "text": "分开" })).await
                }
            }
        });
        let (pressed, moved) = tokio::join!(join_all(presses), join_all(moves));
        for answer in pressed.iter().chain(&moved) {
            assert!(matches!(answer.status, 200 | 409), "{answer:?}");
        }
        // Undone at the end, if it is not: the source has exactly the rows that were pressed there.
        staff.post(&format!("/needs/{source}/unmerge"), json!({ "text": "分开" })).await;
        let mut rows = [0, 0];
        for person in people.iter().chain([&author, &other]) {
            for (at, id) in [&source, &target].into_iter().enumerate() {
                rows[at] += i64::from(supports(person, id).await);
            }
        }
        assert_eq!([count(&staff, &source).await, count(&staff, &target).await], rows);
        let db = app.state.db.read();
        let carried = "SELECT COUNT(*) AS n FROM need_supports WHERE merge_id IS NOT NULL";
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), carried)).await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "n").unwrap(), 0, "nothing carried is left");
    })
    .await;
}

// Guards: `similar::refresh` in what hides, merges and withdraws.
#[actix_web::test]
async fn similar_needs_are_found_while_they_are_open_and_nearest_first() {
    TestApp::run(async |app| {
        let [author, neighbour, staff] =
            app.sign_in_all(["resident-1", "resident-2", "staff"]).await.try_into().ok().unwrap();
        let post = async |title: &str, body: &str, place: &str| {
            let mut new = need(title);
            new["body"] = json!(body);
            new["place_id"] = json!(place_id(place));
            let id = author.post("/needs", new).await.expect(201)["id"].as_str().unwrap().to_owned();
            app.work().await;
            id
        };
        let far = post("想要电瓶车充电桩", "飞线充电太危险。", GUANGHUA).await;
        let near = post("想要电瓶车充电桩", "飞线充电太危险。", BUILDING_1).await;
        post("电动车充电不安全", "希望建充电棚。", ANJING).await;
        let find = async |person: &Person, title: &str| {
            let path = format!("/needs/similar?place_id={}&title={title}", place_id(BUILDING_1));
            let found = person.get(&path).await.expect(200);
            found["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["need"]["id"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let title = "电动车充电桩";
        assert_eq!(find(&neighbour, title).await, [near.clone(), far.clone()]);
        assert!(find(&neighbour, "教老人唱楚剧").await.is_empty());
        assert!(find(&neighbour, "希望社区解决").await.is_empty(), "nothing is said");
        // In review: not yet. Hidden, merged, withdrawn: no more.
        let mut waiting = need("电瓶车充电桩");
        waiting["body"] = json!("充电桩");
        let waiting = author.post("/needs", waiting).await.expect(201)["id"].as_str().unwrap().to_owned();
        assert!(!find(&neighbour, title).await.contains(&waiting));
        author.post(&format!("/needs/{waiting}/withdraw"), json!({})).await.expect(200);
        let item = crate::moderation::item_of(&staff, &near).await;
        let decide = format!("/moderation/items/{item}/decision");
        staff.post(&decide, json!({ "action": "hide", "reason": "核实" })).await.expect(200);
        assert_eq!(find(&neighbour, title).await, std::slice::from_ref(&far));
        staff.post(&decide, json!({ "action": "restore" })).await.expect(200);
        staff.post(&format!("/needs/{far}/merge"), json!({ "into": near, "reason": "同" })).await.expect(200);
        assert_eq!(find(&neighbour, title).await, std::slice::from_ref(&near));
        author.post(&format!("/needs/{near}/withdraw"), json!({})).await.expect(200);
        assert!(find(&neighbour, title).await.is_empty());
        neighbour.get(&format!("/needs/similar?place_id={}&title=", place_id(GUANGHUA))).await.names("?title");
        neighbour.get(&format!("/needs/similar?place_id={}&title=x", place_id("/jiangan/"))).await.names("?place_id");
    })
    .await;
}
