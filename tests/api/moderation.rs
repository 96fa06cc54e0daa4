//! The queue: content security, decisions, reports; and complaints.

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};
use wechat_simulator::{Fault, Suggest};

use crate::files::upload;
use crate::needs::{need, submit};
use crate::support::{ANJING, GUANGHUA, Person, TestApp, place_id};

const TEXT: &str = "/wxa/msg_sec_check";

/// The newest item about a target, open if there is one.
pub async fn item_of(staff: &Person, target: &str) -> String {
    for state in ["open", "closed"] {
        let page = staff.get(&format!("/moderation/items?state={state}&limit=100")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        if let Some(item) = items.iter().find(|item| item["target_id"] == target) {
            return item["id"].as_str().unwrap().to_owned();
        }
    }
    panic!("no item about {target}");
}

async fn item(staff: &Person, target: &str) -> Value {
    let id = item_of(staff, target).await;
    staff.get(&format!("/moderation/items/{id}")).await.expect(200)
}

fn decision(id: &str) -> String {
    format!("/moderation/items/{id}/decision")
}

fn hide() -> Value {
    json!({ "action": "hide", "reason": "与社区无关" })
}

fn report(target: &str) -> Value {
    json!({ "target_kind": "need", "target_id": target, "reason": "广告" })
}

#[actix_web::test]
async fn what_passes_is_published_and_stays_for_a_second_look() {
    TestApp::run(async |app| {
        let [author, staff] = app.sign_in_all(["resident-1", "staff"]).await.try_into().ok().unwrap();
        let id = submit(&author, "楼道灯坏了").await;
        let waiting = item(&staff, &id).await;
        assert_eq!((&waiting["reason"], &waiting["security"]), (&json!("new"), &json!("text")));
        assert_eq!(waiting["excerpt"], "楼道灯坏了：三楼的灯坏了很久，晚上看不见。");
        app.work().await;
        let passed = item(&staff, &id).await;
        assert_eq!(
            (&passed["state"], &passed["reason"], &passed["security"]),
            (&json!("open"), &json!("new"), &json!("passed"))
        );
        assert_eq!(author.get(&format!("/needs/{id}")).await.expect(200)["state"], "published");
        let inbox = author.get("/inbox").await.expect(200);
        assert_eq!(
            (&inbox["items"][0]["kind"], inbox["items"].as_array().unwrap().len()),
            (&json!("need.published"), 1)
        );

        let path = decision(passed["id"].as_str().unwrap());
        let closed = staff.post(&path, json!({ "action": "approve" })).await.expect(200);
        assert_eq!((&closed["state"], &closed["action"]), (&json!("closed"), &json!("approve")));
        assert_eq!(author.get("/inbox").await.expect(200)["items"].as_array().unwrap().len(), 1, "told once");
        staff.post(&path, hide()).await.refused(409, "already_decided");
    })
    .await;
}

#[actix_web::test]
async fn what_is_risky_waits_for_a_person() {
    TestApp::run(async |app| {
        let [author, staff] = app.sign_in_all(["resident-1", "staff"]).await.try_into().ok().unwrap();
        let mut ids = Vec::new();
        for title in ["违规内容", "疑似内容"] {
            ids.push(submit(&author, title).await);
        }
        for suggest in [Suggest::Risky, Suggest::Review] {
            app.simulator.control().script_next_media(suggest);
            let mut body = need("图片");
            body["file_ids"] = json!([upload(&author).await]);
            ids.push(author.post("/needs", body).await.expect(201)["id"].as_str().unwrap().to_owned());
            app.work().await;
        }
        for id in &ids {
            let item = item(&staff, id).await;
            assert_eq!((&item["reason"], &item["security"]), (&json!("risky"), &json!("risky")), "{item}");
            assert_eq!(author.get(&format!("/needs/{id}")).await.expect(200)["state"], "in_review");
        }
        let risky = staff.get("/moderation/items?reason=risky&limit=100").await.expect(200);
        assert!(ids.iter().all(|id| risky["items"].as_array().unwrap().iter().any(|item| item["target_id"] == **id)));
        let path = decision(&item_of(&staff, &ids[0]).await);
        staff.post(&path, json!({ "action": "approve" })).await.expect(200);
        assert_eq!(author.get(&format!("/needs/{}", ids[0])).await.expect(200)["state"], "published");
        assert_eq!(author.get("/inbox").await.expect(200)["items"][0]["kind"], "need.published");
    })
    .await;
}

#[actix_web::test]
async fn a_text_passes_and_its_pictures_may_still_be_waited_for() {
    TestApp::run(async |app| {
        let [author, staff] = app.sign_in_all(["resident-1", "staff"]).await.try_into().ok().unwrap();
        // The pictures' check is asked for late: the text is through long before.
        app.simulator.control().fault(Fault::errcode("/wxa/media_check_async", -1));
        let mut body = need("两张图片");
        body["file_ids"] = json!([upload(&author).await, upload(&author).await]);
        let id = author.post("/needs", body).await.expect(201)["id"].as_str().unwrap().to_owned();
        app.work().await;
        assert_eq!(item(&staff, &id).await["security"], "pictures");
        assert_eq!(author.get(&format!("/needs/{id}")).await.expect(200)["state"], "in_review");
        app.simulator.control().clear_faults();
        app.advance(Duration::seconds(30)).await;
        assert_eq!(item(&staff, &id).await["security"], "passed");
        assert_eq!(author.get(&format!("/needs/{id}")).await.expect(200)["state"], "published");
    })
    .await;
}

#[actix_web::test]
async fn what_wechat_does_not_check_is_not_lost() {
    TestApp::run(async |app| {
        let [author, staff] = app.sign_in_all(["resident-1", "staff"]).await.try_into().ok().unwrap();
        let security = async |id: &str| item(&staff, id).await["security"].clone();
        // Busy for a while: the need is stored, and published once WeChat answers.
        app.simulator.control().fault(Fault::errcode(TEXT, -1));
        let busy = submit(&author, "微信忙").await;
        app.work().await;
        assert_eq!(security(&busy).await, "text");
        app.simulator.control().clear_faults();
        app.advance(Duration::seconds(10)).await;
        assert_eq!(security(&busy).await, "passed");
        // Refused for good: a person decides.
        app.simulator.control().fault(Fault::errcode(TEXT, 61010));
        let inactive = submit(&author, "不活跃").await;
        app.work().await;
        let unchecked = item(&staff, &inactive).await;
        assert_eq!((&unchecked["reason"], &unchecked["security"]), (&json!("risky"), &json!("unchecked")));
        // Away for ever: the same, before the job would be parked.
        app.simulator.control().clear_faults();
        app.simulator.control().fault(Fault::drop_connection(TEXT));
        let away = submit(&author, "微信断开").await;
        app.simulator.control().fault(Fault::drop_connection("/wxa/media_check_async"));
        for _ in 0..20 {
            app.advance(Duration::minutes(2)).await;
        }
        let staff = app.sign_in("staff").await;
        assert_eq!(item(&staff, &away).await["security"], "unchecked");
    })
    .await;
}

#[actix_web::test]
async fn a_verdict_that_never_comes_is_found_by_the_sweep() {
    TestApp::run(async |app| {
        let [author, _] = app.sign_in_all(["resident-1", "staff"]).await.try_into().ok().unwrap();
        app.simulator.set_push(None);
        let mut body = need("图片");
        body["file_ids"] = json!([upload(&author).await]);
        let id = author.post("/needs", body).await.expect(201)["id"].as_str().unwrap().to_owned();
        app.work().await;
        app.advance(Duration::minutes(41)).await;
        let staff = app.sign_in("staff").await;
        let item = item(&staff, &id).await;
        assert_eq!((&item["reason"], &item["security"]), (&json!("risky"), &json!("unchecked")));
    })
    .await;
}

#[actix_web::test]
async fn a_person_may_decide_before_wechat_does() {
    TestApp::run(async |app| {
        let [author, staff, neighbour] =
            app.sign_in_all(["resident-1", "staff", "resident-2"]).await.try_into().ok().unwrap();
        let (good, bad) = (submit(&author, "违规停车多").await, submit(&author, "卖东西").await);
        staff.post(&decision(&item_of(&staff, &good).await), json!({ "action": "approve" })).await.expect(200);
        staff.post(&decision(&item_of(&staff, &bad).await), hide()).await.expect(200);
        app.work().await;
        neighbour.get(&format!("/needs/{good}")).await.expect(200);
        neighbour.get(&format!("/needs/{bad}")).await.refused(404, "not_found");
        assert_eq!(item(&staff, &good).await["reason"], "new", "WeChat is not asked any more");
    })
    .await;
}

#[actix_web::test]
async fn hidden_is_gone_at_once_and_can_be_restored() {
    TestApp::run(async |app| {
        let [author, staff, neighbour] =
            app.sign_in_all(["resident-1", "staff", "resident-2"]).await.try_into().ok().unwrap();
        let id = submit(&author, "修路灯").await;
        app.work().await;
        let listed = async || {
            let page = neighbour.get(&format!("/needs?place_id={}", place_id(GUANGHUA))).await.expect(200);
            page["items"].as_array().unwrap().iter().any(|item| item["id"] == *id)
        };
        assert!(listed().await);
        let path = decision(&item_of(&staff, &id).await);
        staff.post(&path, json!({ "action": "hide" })).await.names("/reason");
        staff.post(&path, json!({ "action": "restore" })).await.names("/action");
        staff.post(&path, hide()).await.expect(200);
        assert!(!listed().await);
        neighbour.get(&format!("/needs/{id}")).await.refused(404, "not_found");
        neighbour.put(&format!("/needs/{id}/support"), json!({})).await.refused(404, "not_found");
        neighbour.post("/reports", report(&id)).await.refused(404, "not_found");
        assert_eq!(author.get(&format!("/needs/{id}")).await.expect(200)["hidden"], true);
        let inbox = author.get("/inbox").await.expect(200);
        assert_eq!(inbox["items"][0]["kind"], "moderation.decided");
        assert!(inbox["items"][0]["body"].as_str().unwrap().contains("与社区无关"));

        staff.post(&path, json!({ "action": "approve" })).await.refused(409, "already_decided");
        staff.post(&path, json!({ "action": "restore" })).await.expect(200);
        assert!(listed().await);
        staff.post(&path, json!({ "action": "restore" })).await.refused(409, "already_decided");
        // To hide it once more somebody reports it: a new item, a new decision.
        staff.post("/reports", report(&id)).await.expect(201);
        staff.post(&decision(&item_of(&staff, &id).await), hide()).await.expect(200);
        assert!(!listed().await);
    })
    .await;
}

#[actix_web::test]
async fn only_moderators_of_the_place_see_the_queue_and_nobody_decides_on_their_own() {
    TestApp::run(async |app| {
        let [author, staff, second, other, street, leader] = app
            .sign_in_all(["resident-1", "staff", "staff-2", "staff-other", "street", "leader"])
            .await
            .try_into()
            .ok()
            .unwrap();
        let id = submit(&author, "修路灯").await;
        let item = item_of(&staff, &id).await;
        for stranger in [&author, &leader] {
            stranger.get("/moderation/items").await.refused(403, "forbidden");
        }
        let page = other.get("/moderation/items").await.expect(200);
        assert!(page["items"].as_array().unwrap().iter().all(|item| item["target_id"] != *id));
        other.get(&format!("/moderation/items?place_id={}", place_id(GUANGHUA))).await.refused(403, "forbidden");
        street.get(&format!("/moderation/items?place_id={}", place_id(GUANGHUA))).await.expect(200);
        for stranger in [&author, &other, &leader] {
            stranger.get(&format!("/moderation/items/{item}")).await.refused(404, "not_found");
            stranger.post(&decision(&item), hide()).await.refused(404, "not_found");
        }
        staff.post(&decision(&item), json!({ "action": "delete" })).await.names("/action");
        staff.post(&decision(&item), json!({ "action": "hide", "reason": "x".repeat(201) })).await.names("/reason");
        staff.post(&decision("00000000-0000-0000-0000-000000000000"), hide()).await.refused(404, "not_found");
        staff.get("/moderation/items?state=gone").await.refused(422, "invalid_input");

        let own = submit(&staff, "工作人员也有需求").await;
        let own = item_of(&staff, &own).await;
        staff.post(&decision(&own), json!({ "action": "approve" })).await.refused(403, "own_act");
        second.post(&decision(&own), json!({ "action": "approve" })).await.expect(200);
    })
    .await;
}

// Guard: the item's state in the update's condition (moderation/service.rs).
#[actix_web::test]
async fn parallel_decisions_make_one() {
    TestApp::run(async |app| {
        let [author, staff, second] =
            app.sign_in_all(["resident-1", "staff", "staff-2"]).await.try_into().ok().unwrap();
        for round in 0..3 {
            let id = submit(&author, &format!("第{round}件")).await;
            app.work().await;
            let path = decision(&item_of(&staff, &id).await);
            let answers = join_all((0..30).map(|at| {
                let (who, body) =
                    if at % 2 == 0 { (&staff, json!({ "action": "approve" })) } else { (&second, hide()) };
                who.post(&path, body)
            }))
            .await;
            let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
            assert_eq!(won.len(), 1);
            for answer in lost {
                answer.refused(409, "already_decided");
            }
            let hidden = author.get(&format!("/needs/{id}")).await.expect(200)["hidden"].clone();
            assert_eq!(hidden, won[0].body["action"] == "hide");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_report_opens_an_item_or_upgrades_the_open_one() {
    TestApp::run(async |app| {
        let [author, staff, one, two] =
            app.sign_in_all(["resident-1", "staff", "resident-2", "newcomer-1"]).await.try_into().ok().unwrap();
        let id = submit(&author, "低价出租车位").await;
        one.post("/reports", report(&id)).await.refused(404, "not_found");
        app.work().await;
        let fresh = item(&staff, &id).await;
        one.post("/reports", report(&id)).await.expect(201);
        one.post("/reports", report(&id)).await.refused(409, "already_reported");
        two.post("/reports", json!({ "target_kind": "need", "target_id": id, "reason": "不是需求" })).await.expect(201);
        let reported = item(&staff, &id).await;
        assert_eq!(reported["id"], fresh["id"]);
        assert_eq!((&reported["reason"], &reported["report_count"]), (&json!("reported"), &json!(2)));
        assert_eq!(reported["reports"][0]["reason"], "不是需求");
        staff.post(&decision(reported["id"].as_str().unwrap()), json!({ "action": "approve" })).await.expect(200);
        // Decided: the next report asks again.
        app.sign_in("resident-3").await.post("/reports", report(&id)).await.expect(201);
        let again = item(&staff, &id).await;
        assert_ne!(again["id"], fresh["id"]);
        assert_eq!((&again["state"], &again["security"]), (&json!("open"), &Value::Null));

        one.post("/reports", json!({ "target_kind": "moon", "target_id": id, "reason": "x" }))
            .await
            .names("/target_kind");
        one.post("/reports", report(&place_id(GUANGHUA).to_string())).await.refused(404, "not_found");
        one.post("/reports", json!({ "target_kind": "need", "target_id": "x", "reason": "x" }))
            .await
            .names("/target_id");
        one.post("/reports", json!({ "target_kind": "need", "target_id": id, "reason": " " })).await.names("/reason");
    })
    .await;
}

// Guards: `moderation_items_one_open` and `reports_once`.
#[actix_web::test]
async fn parallel_reports_open_one_item_and_count_once_a_person() {
    TestApp::run(async |app| {
        let [author, staff] = app.sign_in_all(["resident-1", "staff"]).await.try_into().ok().unwrap();
        let people = app.sign_in_all((2..=12).map(|number| format!("resident-{number}"))).await;
        let id = submit(&author, "低价出租车位").await;
        app.work().await;
        let path = decision(&item_of(&staff, &id).await);
        staff.post(&path, json!({ "action": "approve" })).await.expect(200);
        let body = report(&id);
        let answers =
            join_all(people.iter().flat_map(|person| (0..4).map(|_| person.post("/reports", body.clone())))).await;
        let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(taken.len(), people.len());
        for answer in refused {
            answer.refused(409, "already_reported");
        }
        let open = staff.get("/moderation/items?state=open&limit=100").await.expect(200);
        let about: Vec<_> = open["items"].as_array().unwrap().iter().filter(|item| item["target_id"] == *id).collect();
        assert_eq!(about.len(), 1);
        assert_eq!(about[0]["report_count"], people.len());
    })
    .await;
}

#[actix_web::test]
async fn complaints_reach_the_staff_of_the_place_lived_in() {
    TestApp::run(async |app| {
        let [resident, newcomer, staff, other, district, street] = app
            .sign_in_all(["resident-1", "newcomer-1", "staff", "staff-other", "district", "street"])
            .await
            .try_into()
            .ok()
            .unwrap();
        resident
            .post("/complaints", json!({ "about": "电话没人接", "body": "打了三次都没有人接。" }))
            .await
            .expect(201);
        newcomer.post("/complaints", json!({ "body": "认证等了两周。" })).await.expect(201);
        resident.get("/complaints").await.refused(403, "forbidden");
        let bodies = async |person: &Person| {
            let page = person.get("/complaints").await.expect(200);
            let items = page["items"].as_array().unwrap().clone();
            items.into_iter().map(|item| item["body"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(bodies(&staff).await, ["打了三次都没有人接。"]);
        assert_eq!(bodies(&street).await, ["打了三次都没有人接。"]);
        assert!(bodies(&other).await.is_empty());
        assert_eq!(bodies(&district).await, ["认证等了两周。", "打了三次都没有人接。"]);
        let page = staff.get("/complaints").await.expect(200);
        assert!(page["items"][0]["author"].as_str().unwrap().contains('*'));

        resident.post("/complaints", json!({})).await.names("/body");
        resident.post("/complaints", json!({ "body": "x".repeat(2001) })).await.names("/body");
        resident.post("/complaints", json!({ "body": "x", "about": "a\u{7}" })).await.names("/about");
        resident.post("/complaints", json!({ "body": "x", "place_id": place_id(ANJING) })).await.names("/place_id");
    })
    .await;
}
