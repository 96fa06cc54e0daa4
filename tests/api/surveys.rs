//! Surveys: who may ask whom, who answers once, and what the figures give away.

use chrono::Duration;
use entities::surveys::response;
use futures_util::future::join_all;
use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::{ANJING, Answer, BUILDING_1, BUILDING_2, GUANGHUA, Person, TestApp, place_id, user_id};

/// Everybody verified in building 1: residents 1 to 12 and their leader.
const IN_BUILDING_1: usize = 13;

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn parking(anonymous: bool) -> Value {
    json!({
        "place_id": place_id(GUANGHUA), "title": "停车问卷", "anonymous": anonymous, "questions": [
            { "id": "car", "kind": "single", "title": "有车吗", "required": true, "options": [
                { "id": "yes", "title": "有" }, { "id": "no", "title": "没有" } ] },
            { "id": "when", "kind": "multiple", "title": "何时难停", "options": [
                { "id": "day", "title": "白天" }, { "id": "night", "title": "夜里" }, { "id": "never", "title": "不难" } ] },
            { "id": "order", "kind": "scale", "title": "秩序", "required": true },
            { "id": "fee", "kind": "number", "title": "几元合适" },
            { "id": "idea", "kind": "text", "title": "建议" },
        ]
    })
}

fn answers(car: &str) -> Value {
    json!({ "answers": { "car": car, "when": ["night", "day"], "order": 4, "fee": 2.5, "idea": "划线" } })
}

struct Asked {
    id: String,
    path: String,
    staff: Person,
    leader: Person,
}

/// A published survey.
async fn published(app: &TestApp, anonymous: bool) -> Asked {
    let [staff, leader] = [app.sign_in("staff").await, app.sign_in("leader").await];
    let id = text(&staff.post("/surveys", parking(anonymous)).await.expect(201)["id"]);
    let path = format!("/surveys/{id}");
    staff.post(&format!("{path}/publish"), json!({})).await.expect(200);
    Asked { id, path, staff, leader }
}

/// A survey pushed to building 1 by its leader.
async fn pushed(app: &TestApp, anonymous: bool) -> Asked {
    let asked = published(app, anonymous).await;
    let push = asked.push(&asked.leader, &[BUILDING_1]).await.expect(201);
    assert_eq!(push["audience"], IN_BUILDING_1);
    asked
}

impl Asked {
    async fn push(&self, by: &Person, buildings: &[&str]) -> Answer {
        let ids: Vec<_> = buildings.iter().map(|path| place_id(path)).collect();
        by.post(&format!("{}/pushes", self.path), json!({ "building_ids": ids })).await
    }

    async fn answer(&self, person: &Person, answers: Value) -> Answer {
        person.put(&format!("{}/response", self.path), answers).await
    }

    async fn statistics(&self, person: &Person) -> Value {
        person.get(&format!("{}/statistics", self.path)).await.expect(200)
    }
}

async fn building_1(app: &TestApp) -> Vec<Person> {
    app.sign_in_all((1..=12).map(|at| format!("resident-{at}"))).await
}

#[actix_web::test]
async fn a_survey_goes_from_draft_to_figures() {
    TestApp::run(async |app| {
        let [staff, leader] = [app.sign_in("staff").await, app.sign_in("leader").await];
        let [resident, second] = [app.sign_in("resident-1").await, app.sign_in("resident-2").await];
        let created = staff.post("/surveys", parking(false)).await.expect(201);
        assert_eq!(created["state"], "draft");
        let asked =
            Asked { id: text(&created["id"]), path: format!("/surveys/{}", text(&created["id"])), staff, leader };
        let Asked { staff, leader, path, id } = &asked;

        leader.get(path).await.refused(404, "not_found");
        asked.push(leader, &[BUILDING_1]).await.refused(404, "not_found");
        asked.push(staff, &[BUILDING_1]).await.refused(409, "survey_not_published");
        asked.answer(&resident, answers("yes")).await.refused(409, "survey_not_published");
        assert_eq!(staff.post(&format!("{path}/publish"), json!({})).await.expect(200)["state"], "published");
        staff.post(&format!("{path}/publish"), json!({})).await.refused(409, "survey_not_draft");

        resident.get(path).await.refused(404, "not_found");
        asked.answer(&resident, answers("yes")).await.refused(403, "not_in_audience");
        assert_eq!(asked.push(leader, &[BUILDING_1]).await.expect(201)["audience"], IN_BUILDING_1);

        let mine = resident.get("/surveys?for=me").await.expect(200);
        assert_eq!(mine["items"][0]["id"], id.as_str());
        assert_eq!((&mine["items"][0]["asked_me"], &mine["items"][0]["answered_by_me"]), (&json!(true), &json!(false)));
        let inbox = resident.get("/inbox").await.expect(200);
        assert_eq!(
            (&inbox["items"][0]["kind"], &inbox["items"][0]["target_id"]),
            (&json!("survey.pushed"), &json!(id))
        );
        let seen = resident.get(path).await.expect(200);
        assert_eq!(seen["questions"].as_array().unwrap().len(), 5);
        assert_eq!(seen["questions"][0]["options"][1]["id"], "no");

        let body = asked.answer(&resident, answers("yes")).await.expect(200);
        assert_eq!(body, json!({ "survey_id": id, "answered_by_me": true }));
        asked.answer(&second, json!({ "answers": { "car": "no", "order": 1 } })).await.expect(200);
        asked.answer(&resident, answers("no")).await.refused(409, "already_answered");
        assert_eq!(resident.get(path).await.expect(200)["answered_by_me"], true);

        let figures = asked.statistics(staff).await;
        assert_eq!((&figures["audience"], &figures["responses"]), (&json!(IN_BUILDING_1), &json!(2)));
        assert_eq!(figures["response_rate"], 0.1538);
        let [car, when, order, fee, idea] = [0, 1, 2, 3, 4].map(|at| figures["questions"][at].clone());
        assert_eq!(car["options"][0], json!({ "id": "yes", "title": "有", "count": 1, "suppressed": false }));
        assert_eq!(when["answered"], 1);
        assert_eq!(when["options"][1]["count"], 1);
        assert_eq!((&order["mean"], &order["min"], &order["max"]), (&json!(2.5), &json!(1.0), &json!(4.0)));
        assert_eq!(order["options"][3]["count"], 1);
        assert_eq!(fee["mean"], 2.5);
        assert_eq!(idea["texts"], json!(["划线"]));

        let rate = asked.statistics(leader).await;
        assert_eq!((&rate["audience"], &rate["responses"], &rate["questions"]), (&json!(13), &json!(2), &json!([])));
        resident.get(&format!("{path}/statistics")).await.refused(403, "forbidden");
    })
    .await;
}

#[actix_web::test]
async fn a_leader_pushes_to_their_own_doors_only() {
    TestApp::run(async |app| {
        let asked = published(app, false).await;
        let [resident, other] = [app.sign_in("resident-1").await, app.sign_in("staff-other").await];
        asked.push(&asked.leader, &[BUILDING_2]).await.refused(403, "forbidden");
        asked.push(&asked.leader, &[BUILDING_1, BUILDING_2]).await.refused(403, "forbidden");
        asked.push(&resident, &[BUILDING_1]).await.refused(403, "forbidden");
        asked.push(&other, &[BUILDING_1]).await.refused(404, "not_found");
        asked.push(&asked.staff, &[GUANGHUA]).await.names("/building_ids/0");
        let path = format!("{}/pushes", asked.path);
        for (body, pointer) in [
            (json!({ "building_ids": [] }), "/building_ids"),
            (json!({ "building_ids": [user_id("staff")] }), "/building_ids/0"),
            (json!({ "building_ids": [place_id(BUILDING_1), "x"] }), "/building_ids/1"),
            (json!({ "building_ids": vec![place_id(BUILDING_1); 101] }), "/building_ids"),
            (json!({}), "/building_ids"),
        ] {
            asked.staff.post(&path, body).await.names(pointer);
        }
        // Nothing of this reached anybody.
        assert_eq!(resident.get("/surveys?for=me").await.expect(200)["items"], json!([]));
        assert_eq!(asked.statistics(&asked.staff).await["audience"], 0);

        let of_building =
            json!({ "place_id": place_id(BUILDING_1), "title": "一栋问卷", "questions": parking(false)["questions"] });
        let id = text(&asked.staff.post("/surveys", of_building).await.expect(201)["id"]);
        asked.staff.post(&format!("/surveys/{id}/publish"), json!({})).await.expect(200);
        let beside = json!({ "building_ids": [place_id(BUILDING_2)] });
        asked.staff.post(&format!("/surveys/{id}/pushes"), beside).await.names("/building_ids/0");
        let inside = json!({ "building_ids": [place_id(BUILDING_1)] });
        asked.leader.post(&format!("/surveys/{id}/pushes"), inside).await.expect(201);
    })
    .await;
}

#[actix_web::test]
async fn the_audience_is_a_snapshot_and_only_the_silent_are_reminded() {
    TestApp::run(async |app| {
        let asked = pushed(app, false).await;
        let [resident, second, third] =
            app.sign_in_all(["resident-1", "resident-2", "resident-13"]).await.try_into().ok().unwrap();
        asked.answer(&resident, answers("yes")).await.expect(200);

        // Somebody moves in: the audience grows with the next push only.
        let newcomer = app.sign_in("newcomer-1").await;
        let phone_code = app.simulator.control().phone_code("newcomer-1").unwrap();
        let home = json!({ "building_id": place_id(BUILDING_1), "unit": "1", "room": "909", "real_name": "孙小梅", "phone_code": phone_code });
        let applied = newcomer.post("/residencies", home).await.expect(201);
        asked.leader.post(&format!("/residencies/{}/approve", text(&applied["id"])), json!({})).await.expect(200);
        asked.answer(&newcomer, answers("yes")).await.refused(403, "not_in_audience");
        assert_eq!(asked.statistics(&asked.staff).await["audience"], IN_BUILDING_1);

        let again = asked.push(&asked.staff, &[BUILDING_1, BUILDING_2]).await.expect(201);
        assert_eq!(again["audience"], IN_BUILDING_1 + 1 + 14);
        asked.answer(&newcomer, answers("no")).await.expect(200);
        let told = async |person: &Person| {
            let inbox = person.get("/inbox").await.expect(200);
            inbox["items"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "survey.pushed").count()
        };
        assert_eq!([told(&resident).await, told(&second).await, told(&third).await], [1, 2, 1]);
        assert_eq!(told(&newcomer).await, 1);
        let rate = asked.statistics(&asked.leader).await;
        assert_eq!((&rate["audience"], &rate["responses"]), (&json!(14), &json!(2)), "their own building's only");
        assert_eq!(asked.statistics(&asked.staff).await["audience"], 28);
    })
    .await;
}

#[actix_web::test]
async fn an_accepted_message_goes_to_the_phone_once() {
    TestApp::run(async |app| {
        let resident = app.sign_in("resident-1").await;
        resident.post("/me/message-consents", json!({ "template": "survey", "accepted": true })).await.expect(200);
        let asked = pushed(app, true).await;
        asked.push(&asked.leader, &[BUILDING_1]).await.expect(201);
        app.work().await;
        assert_eq!(app.simulator.control().sent_messages("resident-1").len(), 1);
        assert_eq!(app.simulator.control().sent_messages("resident-2").len(), 0);
    })
    .await;
}

#[actix_web::test]
async fn bad_surveys_are_refused_by_field() {
    TestApp::run(async |app| {
        let [staff, leader, other, resident] =
            app.sign_in_all(["staff", "leader", "staff-other", "resident-1"]).await.try_into().ok().unwrap();
        for person in [&leader, &other, &resident] {
            person.post("/surveys", parking(false)).await.refused(403, "forbidden");
        }
        let with = |change: &dyn Fn(&mut Value)| {
            let mut body = parking(false);
            change(&mut body);
            body
        };
        let question = |at: usize, field: &'static str, value: Value| {
            with(&move |body| body["questions"][at][field] = value.clone())
        };
        let option = json!({ "id": "x", "title": "x" });
        for (body, pointer) in [
            (with(&|body| body["nope"] = json!(1)), "/nope"),
            (with(&|body| body["title"] = json!("")), "/title"),
            (with(&|body| body["title"] = json!("长".repeat(101))), "/title"),
            (with(&|body| body["title"] = json!("a\u{7}")), "/title"),
            (with(&|body| body["place_id"] = json!(user_id("staff"))), "/place_id"),
            (with(&|body| body["place_id"] = json!("x")), "/place_id"),
            (with(&|body| body["questions"] = json!([])), "/questions"),
            (with(&|body| body["questions"] = json!(vec![body["questions"][0].clone(); 101])), "/questions"),
            (with(&|body| body["questions"] = json!("x")), "/questions"),
            (question(0, "id", json!("Q 1")), "/questions/0/id"),
            (question(1, "id", json!("car")), "/questions/1/id"),
            (question(0, "kind", json!("matrix")), "/questions/0/kind"),
            (question(2, "title", json!("问".repeat(201))), "/questions/2/title"),
            (question(0, "extra", json!(1)), "/questions/0/extra"),
            (question(0, "options", json!([option])), "/questions/0/options"),
            (question(0, "options", json!([option, option])), "/questions/0/options/1/id"),
            (question(0, "options", json!([option, { "id": "y", "title": "\u{0}" }])), "/questions/0/options/1/title"),
            (question(1, "options", json!([])), "/questions/1/options"),
            (question(2, "options", json!([option])), "/questions/2/options"),
            (question(4, "options", json!([option, { "id": "y", "title": "y" }])), "/questions/4/options"),
        ] {
            staff.post("/surveys", body).await.names(pointer);
        }
        let elsewhere = with(&|body| body["place_id"] = json!(place_id(ANJING)));
        staff.post("/surveys", elsewhere).await.refused(403, "forbidden");
        let street = with(&|body| body["place_id"] = json!(place_id("/jiangan/chezhan/")));
        app.sign_in("street").await.post("/surveys", street).await.names("/place_id");
        let demo = staff.get(&format!("/surveys?place_id={}", place_id(GUANGHUA))).await.expect(200);
        assert_eq!(demo["items"].as_array().unwrap().len(), 2, "only the demo's");
    })
    .await;
}

#[actix_web::test]
async fn bad_answers_are_refused_by_question_and_leave_the_person_free_to_answer() {
    TestApp::run(async |app| {
        let asked = pushed(app, true).await;
        let resident = app.sign_in("resident-1").await;
        let with = |id: &str, value: Value| {
            let mut body = answers("yes");
            body["answers"][id] = value;
            body
        };
        for (id, value) in [
            ("car", json!("maybe")),
            ("car", json!(1)),
            ("car", Value::Null),
            ("when", json!("day")),
            ("when", json!(["day", "day"])),
            ("when", json!(["noon"])),
            ("order", json!(0)),
            ("order", json!(6)),
            ("order", json!(2.5)),
            ("order", json!("4")),
            ("fee", json!("2")),
            ("fee", json!(1e15)),
            ("idea", json!("字".repeat(2001))),
            ("idea", json!("a\u{0}b")),
            ("idea", json!({ "nested": 1 })),
            ("nope", json!(1)),
        ] {
            asked.answer(&resident, with(id, value)).await.names(&format!("/answers/{id}"));
        }
        asked.answer(&resident, json!({ "answers": {} })).await.names("/answers/order");
        asked.answer(&resident, json!({ "answers": [] })).await.names("/answers");
        asked.answer(&resident, json!({ "answers": {}, "user_id": 1 })).await.names("/user_id");
        resident.put("/surveys/not-an-id/response", answers("yes")).await.refused(404, "not_found");
        let unknown = format!("/surveys/{}/response", user_id("staff"));
        resident.put(&unknown, answers("yes")).await.refused(404, "not_found");
        asked.answer(&app.sign_in("resident-13").await, answers("yes")).await.refused(403, "not_in_audience");
        app.anonymous(Method::PUT, &format!("{}/response", asked.path), &answers("yes"))
            .await
            .refused(401, "unauthenticated");
        assert!(response::Entity::find().all(app.state.db.read()).await.unwrap().is_empty());
        asked.answer(&resident, answers("yes")).await.expect(200);
    })
    .await;
}

#[actix_web::test]
async fn an_anonymous_response_has_no_trace_of_its_person() {
    TestApp::run(async |app| {
        let asked = pushed(app, true).await;
        for person in building_1(app).await.iter().take(4) {
            let request = person.request(Method::PUT, &format!("{}/response", asked.path));
            person.send(request.header("Idempotency-Key", "k").json(&answers("yes"))).await.expect(200);
        }
        let rows = response::Entity::find().all(app.state.db.read()).await.unwrap();
        assert_eq!(rows.len(), 4);
        for row in rows {
            assert_eq!((row.user_id, row.answered_at, row.id.0.get_version_num()), (None, None, 4));
        }
        let keys = entities::jobs::idempotency_key::Entity::find().all(app.state.db.read()).await.unwrap();
        assert!(keys.iter().all(|row| row.key != "k"), "a PUT leaves no key behind");
        // Four of them are too few for any figure.
        let figures = asked.statistics(&asked.staff).await;
        assert_eq!((&figures["responses"], &figures["minimum_cell"]), (&json!(4), &json!(5)));
        for question in figures["questions"].as_array().unwrap() {
            assert_eq!((&question["answered"], &question["suppressed"]), (&Value::Null, &json!(true)), "{question}");
            assert!(question.get("mean").is_none() && question.get("texts").is_none(), "{question}");
            for cell in question["options"].as_array().into_iter().flatten() {
                assert_eq!((&cell["count"], &cell["suppressed"]), (&Value::Null, &json!(true)));
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn small_cells_of_an_anonymous_survey_stay_hidden() {
    TestApp::run(async |app| {
        let asked = pushed(app, true).await;
        // 10 have a car and 2 have none; everybody says 4 of 5; 6 have an idea.
        for (at, person) in building_1(app).await.iter().enumerate() {
            let mut body = answers(if at < 10 { "yes" } else { "no" });
            if at >= 6 {
                body["answers"].as_object_mut().unwrap().remove("idea");
            }
            asked.answer(person, body).await.expect(200);
        }
        let figures = asked.statistics(&asked.staff).await;
        assert_eq!(figures["responses"], 12);
        let [car, _, order, fee, idea] = [0, 1, 2, 3, 4].map(|at| figures["questions"][at].clone());
        assert!(car["options"].as_array().unwrap().iter().all(|cell| cell["count"].is_null()), "12 - 10 = 2: {car}");
        assert!(order["options"].as_array().unwrap().iter().all(|cell| cell["count"].is_null()), "{order}");
        assert!(order.get("mean").is_none(), "all gave the same step: {order}");
        assert_eq!(fee["mean"], 2.5);
        assert!(fee.get("min").is_none() && fee.get("max").is_none());
        assert_eq!(idea["texts"], json!(vec!["划线"; 6]));
    })
    .await;
}

// Guard: `answered = false` in the condition of the flag's update.
#[actix_web::test]
async fn fifty_parallel_answers_of_one_person_are_one() {
    TestApp::run(async |app| {
        for anonymous in [true, false] {
            let asked = pushed(app, anonymous).await;
            let resident = app.sign_in("resident-1").await;
            let sent = join_all((0..50).map(|_| asked.answer(&resident, answers("yes")))).await;
            let (won, lost): (Vec<_>, Vec<_>) = sent.into_iter().partition(|answer| answer.status == 200);
            assert_eq!(won.len(), 1);
            for answer in lost {
                answer.refused(409, "already_answered");
            }
            assert_eq!(asked.statistics(&asked.staff).await["responses"], 1);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_whole_building_answers_at_once() {
    TestApp::run(async |app| {
        let asked = pushed(app, false).await;
        let people = building_1(app).await;
        let sent = join_all(people.iter().map(|person| asked.answer(person, answers("yes")))).await;
        for answer in sent {
            answer.expect(200);
        }
        let figures = asked.statistics(&asked.staff).await;
        assert_eq!((&figures["responses"], &figures["response_rate"]), (&json!(12), &json!(0.9231)));
        assert_eq!(figures["questions"][0]["options"][0]["count"], 12);
    })
    .await;
}

// Guard: the lock on the survey's row, under which the week's pushes are counted.
#[actix_web::test]
async fn parallel_pushes_keep_the_weekly_limit_exactly() {
    TestApp::run(async |app| {
        let asked = published(app, false).await;
        let by = |at: usize| if at.is_multiple_of(2) { &asked.leader } else { &asked.staff };
        let sent = join_all((0..20).map(|at| asked.push(by(at), &[BUILDING_1]))).await;
        let (won, lost): (Vec<_>, Vec<_>) = sent.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(won.len(), 3);
        for answer in won {
            assert_eq!(answer.body["audience"], IN_BUILDING_1);
        }
        for answer in lost {
            answer.refused(409, "push_limit");
        }
        assert_eq!(app.sign_in("resident-1").await.get("/me").await.expect(200)["unread"], 3);
        // The limit protects doors: another building has heard nothing yet, but not together with this one.
        asked.push(&asked.staff, &[BUILDING_1, BUILDING_2]).await.refused(409, "push_limit");
        asked.push(&asked.staff, &[BUILDING_2]).await.expect(201);
        app.advance(Duration::days(7)).await;
        asked.push(&app.sign_in("leader").await, &[BUILDING_1]).await.expect(201);
    })
    .await;
}

// Guard: `state = 'draft'` in the condition of the update.
#[actix_web::test]
async fn parallel_publications_make_one() {
    TestApp::run(async |app| {
        let [staff, other] = [app.sign_in("staff").await, app.sign_in("staff-2").await];
        let id = text(&staff.post("/surveys", parking(false)).await.expect(201)["id"]);
        let path = format!("/surveys/{id}/publish");
        let sent = join_all(
            (0..20).map(|at| if usize::is_multiple_of(at, 2) { &staff } else { &other }.post(&path, json!({}))),
        )
        .await;
        assert_eq!(sent.iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(sent.iter().all(|answer| answer.status == 200 || answer.body["code"] == "survey_not_draft"));
    })
    .await;
}

#[actix_web::test]
async fn a_repeated_key_pushes_once() {
    TestApp::run(async |app| {
        let asked = published(app, false).await;
        let (path, body) = (format!("{}/pushes", asked.path), json!({ "building_ids": [place_id(BUILDING_1)] }));
        let sent = join_all((0..8).map(|_| asked.leader.post_with_key(&path, body.clone(), "one"))).await;
        let first = sent[0].body.clone();
        assert!(sent.iter().all(|answer| answer.status == 201 && answer.body == first));
        assert_eq!(app.sign_in("resident-1").await.get("/me").await.expect(200)["unread"], 1);
    })
    .await;
}

#[actix_web::test]
async fn everybody_finds_their_own_surveys() {
    TestApp::run(async |app| {
        let asked = pushed(app, false).await;
        let [resident, other, street] =
            app.sign_in_all(["resident-1", "staff-other", "street"]).await.try_into().ok().unwrap();
        let here = format!("/surveys?place_id={}", place_id(GUANGHUA));
        let count = |answer: Answer| answer.expect(200)["items"].as_array().unwrap().len();
        assert_eq!(count(asked.staff.get(&here).await), 3);
        assert_eq!(count(street.get(&format!("/surveys?place_id={}", place_id("/jiangan/chezhan/"))).await), 3);
        assert_eq!(count(asked.leader.get(&here).await), 2, "no drafts");
        assert_eq!(count(asked.leader.get(&format!("/surveys?place_id={}", place_id(ANJING))).await), 0);
        assert_eq!(count(other.get(&here).await), 0, "pushes elsewhere only");
        resident.get(&here).await.refused(403, "forbidden");
        resident.get("/surveys").await.names("?place_id");
        resident.get("/surveys?for=all").await.refused(422, "invalid_input");
        resident.get(&format!("{here}&for=me")).await.names("?place_id");
        asked.staff.get("/surveys?place_id=x").await.refused(422, "invalid_input");
        asked.staff.get(&format!("/surveys?place_id={}", user_id("staff"))).await.refused(404, "not_found");

        let second = pushed(app, true).await;
        let first_page = resident.get("/surveys?for=me&limit=1").await.expect(200);
        assert_eq!(first_page["items"][0]["id"], second.id.as_str());
        let cursor = text(&first_page["next_cursor"]);
        let rest = resident.get(&format!("/surveys?for=me&limit=1&cursor={cursor}")).await.expect(200);
        assert_eq!((&rest["items"][0]["id"], &rest["next_cursor"]), (&json!(asked.id), &Value::Null));

        other.get(&asked.path).await.refused(404, "not_found");
        other.get(&format!("{}/statistics", asked.path)).await.refused(404, "not_found");
        other.post(&format!("{}/publish", asked.path), json!({})).await.refused(404, "not_found");
        resident.post(&format!("{}/publish", asked.path), json!({})).await.refused(403, "forbidden");
        asked.leader.post(&format!("{}/publish", asked.path), json!({})).await.refused(403, "forbidden");
    })
    .await;
}

/// What somebody was given for answers, newest first.
async fn rewards(person: &Person) -> Vec<Value> {
    let entries = person.get("/me/points/entries").await.expect(200);
    entries["items"].as_array().unwrap().iter().map(|one| one["reason"].clone()).collect()
}

#[actix_web::test]
async fn an_answer_earns_what_the_rule_says_and_an_anonymous_one_only_later() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let rule = json!({ "place_id": place_id(GUANGHUA), "amount": 2 });
        staff.put("/points/rules/survey_answer", rule).await.expect(200);
        let (named, anonymous) = (pushed(app, false).await, pushed(app, true).await);
        let people = building_1(app).await;
        named.answer(&people[0], answers("yes")).await.expect(200);
        assert_eq!(rewards(&people[0]).await, ["填写问卷：停车问卷"]);
        let why = people[0].get("/me/points/entries").await.expect(200)["items"][0]["id"].clone();
        let why = people[0].get(&format!("/me/points/entries/{}", why.as_str().unwrap())).await.expect(200);
        assert_eq!((&why["source"]["kind"], &why["rule"]["granted"]), (&json!("survey"), &json!(2)));

        // In another order than that of their ids; no award tells it.
        for at in [3, 1, 2] {
            anonymous.answer(&people[at], answers("no")).await.expect(200);
            assert_eq!(rewards(&people[at]).await, Vec::<Value>::new());
        }
        app.advance(Duration::hours(24)).await;
        app.advance(Duration::hours(24)).await;
        let people = building_1(app).await;
        let mut given = Vec::new();
        for person in &people[1..4] {
            let entries = person.get("/me/points/entries").await.expect(200);
            assert_eq!(entries["items"].as_array().unwrap().len(), 1, "once");
            given.push((entries["items"][0]["created_at"].clone().to_string(), person.id.clone()));
        }
        given.sort();
        assert!(given.is_sorted_by_key(|(_, id)| id.clone()), "in the order of ids: {given:?}");
    })
    .await;
}
