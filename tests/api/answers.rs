//! Needs recorded for others, answers in time, and what a resident can follow.

use serde_json::{Value, json};

use crate::needs::{need, published, support};
use crate::support::{BUILDING_1, GUANGHUA, Person, TestApp, place_id};

fn recorded(title: &str, whom: Value) -> Value {
    let mut body = need(title);
    body["place_id"] = json!(place_id(BUILDING_1));
    body["channel"] = json!("household_visit");
    body["on_behalf_of"] = whom;
    body
}

fn named() -> Value {
    json!({ "name": "万守义", "contact": "13900000000", "consent": "spoken", "consent_at": "2026-11-01T10:00:00+08:00" })
}

async fn told(person: &Person, kind: &str) -> usize {
    let page = person.get("/inbox?limit=100").await.expect(200);
    page["items"].as_array().unwrap().iter().filter(|entry| entry["kind"] == kind).count()
}

#[actix_web::test]
async fn a_need_tells_its_service_urgency_and_for_whom() {
    TestApp::run(async |app| {
        let author = app.sign_in("resident-1").await;
        let catalogue = author.get("/needs/categories").await.expect(200);
        assert_eq!(catalogue["categories"].as_array().unwrap().len(), 4);
        let mut body = need("想要助餐点");
        body["service"] = json!("elderly_canteen");
        body["urgency"] = json!("soon");
        body["beneficiary_groups"] = json!(["elders"]);
        body["beneficiary_count"] = json!(40);
        let id = author.post("/needs", body.clone()).await.expect(201)["id"].as_str().unwrap().to_owned();
        let view = author.get(&format!("/needs/{id}")).await.expect(200);
        assert_eq!(
            (
                &view["service"],
                &view["urgency"],
                &view["beneficiary_groups"],
                &view["beneficiary_count"],
                &view["channel"]
            ),
            (&json!("elderly_canteen"), &json!("soon"), &json!(["elders"]), &json!(40), &json!("mini_program"))
        );
        for (field, value, pointer) in [
            ("service", json!("crisis"), "/service"),
            ("beneficiary_groups", json!(["dogs"]), "/beneficiary_groups/0"),
            ("beneficiary_count", json!(0), "/beneficiary_count"),
            ("channel", json!("hotline"), "/channel"),
            ("urgency", json!("now"), "/urgency"),
        ] {
            let mut wrong = body.clone();
            wrong[field] = value;
            author.post("/needs", wrong).await.names(pointer);
        }
    })
    .await;
}

// Guards: `of_whom` (who may record, for whom) and constraint `needs_recorder_not_author`.
#[actix_web::test]
async fn whoever_records_a_need_is_not_its_author_and_the_subject_may_dispute_it() {
    TestApp::run(async |app| {
        let [leader, subject, neighbour, staff, other] = app
            .sign_in_all(["leader", "resident-1", "resident-2", "staff", "staff-other"])
            .await
            .try_into()
            .ok()
            .unwrap();
        let whom = json!({ "user_id": subject.id, "consent": "spoken", "consent_at": "2026-11-01T10:00:00+08:00" });
        for stranger in [&neighbour, &other] {
            stranger.post("/needs", recorded("装扶手", whom.clone())).await.refused(403, "forbidden");
        }
        let mut oneself = whom.clone();
        oneself["user_id"] = json!(leader.id);
        leader.post("/needs", recorded("装扶手", oneself)).await.names("/on_behalf_of/user_id");
        let mut nobody = whom.clone();
        nobody["user_id"] = json!(staff.id);
        leader.post("/needs", recorded("装扶手", nobody)).await.names("/on_behalf_of/user_id");
        let mut later = whom.clone();
        later["consent_at"] = json!("2099-01-01T00:00:00+08:00");
        leader.post("/needs", recorded("装扶手", later)).await.names("/on_behalf_of/consent_at");
        let mut through_phone = recorded("装扶手", whom.clone());
        through_phone["channel"] = json!("mini_program");
        leader.post("/needs", through_phone).await.names("/channel");

        let id = leader.post("/needs", recorded("装扶手", whom)).await.expect(201)["id"].as_str().unwrap().to_owned();
        assert_eq!(told(&subject, "need.recorded").await, 1);
        app.work().await;
        let mine = subject.get("/needs?mine=true").await.expect(200);
        assert_eq!(mine["items"][0]["id"], json!(id));
        assert_eq!(leader.get("/needs?mine=true").await.expect(200)["items"], json!([]));
        assert_eq!(leader.get("/needs?recorded=true").await.expect(200)["items"][0]["id"], json!(id));
        subject.put(&support(&id), json!({})).await.refused(409, "own_need");
        leader.put(&support(&id), json!({})).await.expect(200);
        let view = neighbour.get(&format!("/needs/{id}")).await.expect(200);
        assert_eq!(view["on_behalf"]["consent"], "spoken");
        leader.post(&format!("/needs/{id}/withdraw"), json!({})).await.refused(403, "forbidden");
        let dispute = format!("/needs/{id}/dispute");
        leader.post(&dispute, json!({ "reason": "x" })).await.refused(403, "forbidden");
        assert_eq!(subject.post(&dispute, json!({ "reason": "我没有说过" })).await.expect(200)["state"], "withdrawn");
        subject.post(&dispute, json!({ "reason": "再来" })).await.refused(409, "already_decided");
        neighbour.get(&format!("/needs/{id}")).await.refused(404, "not_found");
        assert_eq!(told(&leader, "need.disputed").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn somebody_without_an_account_is_kept_encrypted_and_read_by_few() {
    TestApp::run(async |app| {
        let [leader, neighbour, staff] =
            app.sign_in_all(["leader", "resident-2", "staff"]).await.try_into().ok().unwrap();
        let id =
            leader.post("/needs", recorded("装扶手", named())).await.expect(201)["id"].as_str().unwrap().to_owned();
        app.work().await;
        let view = neighbour.get(&format!("/needs/{id}")).await.expect(200);
        assert_eq!((&view["author"], view["on_behalf"].get("subject")), (&Value::Null, None));
        neighbour.get(&format!("/needs/{id}/subject")).await.refused(403, "forbidden");
        assert_eq!(staff.get(&format!("/needs/{id}")).await.expect(200)["on_behalf"]["subject"], "万**");
        assert_eq!(staff.get(&format!("/needs/{id}/subject")).await.expect(200)["contact"], "13900000000");
        // Whoever recorded it takes it back where nobody else can.
        assert_eq!(leader.post(&format!("/needs/{id}/withdraw"), json!({})).await.expect(200)["state"], "withdrawn");
        leader
            .post(
                "/needs",
                recorded("装扶手", json!({ "consent": "spoken", "consent_at": "2026-11-01T10:00:00+08:00" })),
            )
            .await
            .names("/on_behalf_of");
    })
    .await;
}

// Guards: the conditions on the state in `answers::answer` and `settle`, and on `escalated_at` in `escalate`.
#[actix_web::test]
async fn staff_answer_in_time_or_the_street_is_told_once() {
    TestApp::run(async |app| {
        let [author, neighbour, staff, other, street] = app
            .sign_in_all(["resident-1", "resident-2", "staff", "staff-other", "street"])
            .await
            .try_into()
            .ok()
            .unwrap();
        let answered = published(app, &author, "修路灯").await;
        let late = published(app, &author, "修水管").await;
        neighbour.put(&support(&answered), json!({})).await.expect(200);
        let answer = format!("/needs/{answered}/answers");
        for stranger in [&author, &other] {
            stranger.post(&answer, json!({ "text": "好" })).await.refused(403, "forbidden");
        }
        staff.post(&answer, json!({ "text": "下周派人看" })).await.expect(200);
        staff.post(&answer, json!({ "text": "已派人" })).await.expect(200);
        app.work().await;
        assert_eq!(told(&neighbour, "need.answered").await, 2);
        let view = neighbour.get(&format!("/needs/{answered}")).await.expect(200);
        assert_eq!(view["answers"][1]["text"], "已派人");
        assert!(view["answered_at"].is_string() && view["due_at"].is_string());
        let notices = neighbour.get(&format!("/notices?place_id={}&limit=100", place_id(GUANGHUA))).await.expect(200);
        let about: Vec<_> = notices["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|notice| notice["subject_id"] == json!(answered))
            .collect();
        assert_eq!(about.len(), 1, "the first answer is on the board");

        let overdue = async || {
            staff.get("/needs/overdue").await.expect(200)["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].clone())
                .collect::<Vec<_>>()
        };
        assert!(!overdue().await.contains(&json!(late)));
        author.get("/needs/overdue").await.refused(403, "forbidden");
        app.advance(chrono::Duration::days(16)).await;
        let [author, neighbour, staff, street_now] =
            app.sign_in_all(["resident-1", "resident-2", "staff", "street"]).await.try_into().ok().unwrap();
        let overdue = staff.get("/needs/overdue").await.expect(200)["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].clone())
            .collect::<Vec<_>>();
        assert!(overdue.contains(&json!(late)) && !overdue.contains(&json!(answered)));
        app.advance(chrono::Duration::minutes(5)).await;
        let page = street_now.get("/inbox?limit=100").await.expect(200);
        let about = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["kind"] == "need.overdue" && entry["target_id"] == json!(late))
            .count();
        assert_eq!(about, 1, "once");
        assert_eq!(street.id, street_now.id);

        let decline = format!("/needs/{late}/decline");
        staff.post(&decline, json!({})).await.names("/text");
        assert_eq!(
            staff.post(&decline, json!({ "text": "属水务公司，已转告" })).await.expect(200)["state"],
            "declined"
        );
        staff.post(&decline, json!({ "text": "再来" })).await.refused(409, "need_taken");
        neighbour.put(&support(&late), json!({})).await.refused(409, "need_not_open");
        author.post(&format!("/needs/{late}/withdraw"), json!({})).await.refused(409, "need_taken");
        assert_eq!(
            staff.post(&format!("/needs/{answered}/resolve"), json!({ "text": "已修好" })).await.expect(200)["state"],
            "resolved"
        );
        let timeline = neighbour.get(&format!("/needs/{late}/timeline")).await.expect(200);
        let kinds: Vec<_> = timeline["items"].as_array().unwrap().iter().map(|step| step["kind"].clone()).collect();
        assert_eq!(kinds, [json!("submitted"), json!("published"), json!("escalated"), json!("declined")]);
        author.post(&format!("/needs/{late}/complaints"), json!({ "body": "推诿" })).await.expect(201);
        let complaints = staff.get("/complaints").await.expect(200);
        assert_eq!(
            (&complaints["items"][0]["need_id"], &complaints["items"][0]["body"]),
            (&json!(late), &json!("推诿"))
        );
    })
    .await;
}

#[actix_web::test]
async fn a_timeline_goes_on_with_the_project() {
    TestApp::run(async |app| {
        let [author, staff] = app.sign_in_all(["resident-1", "staff"]).await.try_into().ok().unwrap();
        let id = published(app, &author, "修路灯").await;
        let project = staff
            .post("/projects", json!({ "place_id": place_id(GUANGHUA), "title": "照明", "summary": "换灯", "budget_fen": 0, "need_ids": [id] }))
            .await
            .expect(201)["id"]
            .clone();
        let timeline = author.get(&format!("/needs/{id}/timeline")).await.expect(200);
        let step = timeline["items"].as_array().unwrap().iter().find(|step| step["kind"] == "in_project").unwrap().clone();
        assert_eq!((&step["related_kind"], &step["related_id"]), (&json!("project"), &project));
    })
    .await;
}

#[actix_web::test]
async fn places_near_a_point_are_found_nearest_first() {
    TestApp::run(async |app| {
        let [staff, resident] = app.sign_in_all(["staff", "resident-1"]).await.try_into().ok().unwrap();
        let at = async |person: &Person, place: &str, lat: f64, lng: f64| {
            person.put(&format!("/places/{}/point", place_id(place)), json!({ "lat": lat, "lng": lng })).await
        };
        at(&resident, BUILDING_1, 30.61, 114.30).await.refused(403, "forbidden");
        at(&staff, BUILDING_1, 91.0, 114.30).await.names("/lat");
        at(&staff, BUILDING_1, 30.6100, 114.3000).await.expect(200);
        at(&staff, crate::support::BUILDING_2, 30.6103, 114.3000).await.expect(200);
        at(&staff, GUANGHUA, 30.7000, 114.3000).await.expect(200);
        let near = resident.get("/places/near?lat=30.6103&lng=114.3001").await.expect(200);
        let ids: Vec<_> = near["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
        assert_eq!(
            ids,
            [json!(place_id(crate::support::BUILDING_2)), json!(place_id(BUILDING_1))],
            "what is ten kilometres away is not near"
        );
        assert!(near["items"][1]["metres"].as_i64().unwrap() < 50);
        resident.get("/places/near?lat=x&lng=1").await.refused(422, "invalid_input");
        resident.get("/places/near?lat=91&lng=1").await.names("?lat");
    })
    .await;
}
