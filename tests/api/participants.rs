//! Courses, fairs and performances: enrol, attend, be counted by group.

use std::collections::HashSet;

use chrono::{DateTime, Duration, SubsecRound, Utc};
use entities::volunteering::{EnrolmentState, attendance, enrolment, session};
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use uuid::Uuid;
use wechat_simulator::Persona;

use crate::support::{GUANGHUA, Person, TestApp, place_id};

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

fn after(app: &TestApp, minutes: i64) -> DateTime<Utc> {
    app.state.clock.now().trunc_subsecs(0) + Duration::minutes(minutes)
}

async fn course(staff: &Person) -> String {
    let body = json!({ "place_id": place_id(GUANGHUA), "title": "插花课", "description": "每月两次。" });
    id(&staff.post("/activities", body).await.expect(201))
}

async fn session(app: &TestApp, staff: &Person, course: &str, (from, to): (i64, i64), capacity: i32) -> String {
    let body =
        json!({ "title": "第一课", "starts_at": after(app, from), "ends_at": after(app, to), "capacity": capacity });
    id(&staff.post(&format!("/activities/{course}/sessions"), body).await.expect(201))
}

async fn enrol(person: &Person, session: &str) -> Value {
    person.put(&format!("/sessions/{session}/enrolment"), json!({})).await.expect(200)["state"].clone()
}

/// People whom nobody has verified.
async fn crowd(app: &TestApp, size: usize) -> Vec<Person> {
    let mut people = Vec::new();
    for at in 0..size {
        let name = format!("visitor-{at}");
        let persona = Persona {
            openid: format!("openid-{name}"),
            unionid: None,
            phone: format!("137{at:08}"),
            label: name.clone(),
            name: name.clone(),
        };
        // A second time they are there already.
        let _ = app.simulator.control().add_persona(persona);
        people.push(app.sign_in(&name).await);
    }
    people
}

async fn rows(app: &TestApp, session: &str) -> Vec<enrolment::Model> {
    let session: Uuid = session.parse().unwrap();
    let all = enrolment::Entity::find().filter(enrolment::Column::SessionId.eq(session));
    all.order_by_asc(enrolment::Column::QueuedAt)
        .order_by_asc(enrolment::Column::Id)
        .all(app.state.db.read())
        .await
        .unwrap()
}

#[actix_web::test]
async fn staff_plan_sessions_and_anybody_signed_in_enrols() {
    TestApp::run(async |app| {
        let [staff, other, newcomer] =
            app.sign_in_all(["staff", "staff-other", "newcomer-1"]).await.try_into().ok().unwrap();
        let course = course(&staff).await;
        let path = format!("/activities/{course}/sessions");
        let plan = |field: &str, value: Value| {
            let mut body =
                json!({ "title": "第一课", "starts_at": after(app, 60), "ends_at": after(app, 120), "capacity": 1 });
            body[field] = value;
            body
        };
        for stranger in [&other, &newcomer] {
            stranger.post(&path, plan("capacity", json!(1))).await.refused(403, "forbidden");
        }
        staff.post(&path, plan("capacity", json!(0))).await.names("/capacity");
        staff.post(&path, plan("title", json!(""))).await.names("/title");
        staff.post(&path, plan("ends_at", json!(after(app, 60)))).await.names("/ends_at");
        staff.post(&path, plan("leader_id", json!(place_id(GUANGHUA)))).await.names("/leader_id");
        let session = id(&staff.post(&path, plan("capacity", json!(1))).await.expect(201));

        assert_eq!(enrol(&newcomer, &session).await, "enrolled", "not verified, and welcome");
        assert_eq!(enrol(&newcomer, &session).await, "enrolled", "a repetition answers the same");
        assert_eq!(enrol(&other, &session).await, "waiting");
        let seen = newcomer.get(&path).await.expect(200)["items"][0].clone();
        assert_eq!((&seen["enrolled"], &seen["my_enrolment"]), (&json!(1), &json!("enrolled")));
        let list = format!("/sessions/{session}/enrolments");
        newcomer.get(&list).await.refused(403, "forbidden");
        let entries = staff.get(&list).await.expect(200);
        assert_eq!(entries["items"].as_array().unwrap().len(), 2);
        assert!(entries["items"][0]["name"].as_str().unwrap().ends_with('*'), "masked");

        // The place goes to who waits; who comes again stands at the end.
        let own = format!("/sessions/{session}/enrolment");
        assert_eq!(newcomer.delete(&own).await.expect(200)["state"], "cancelled");
        assert_eq!(newcomer.delete(&own).await.expect(200)["state"], "cancelled", "a repetition");
        assert_eq!(other.get("/inbox").await.expect(200)["items"][0]["kind"], "session.enrolled");
        assert_eq!(enrol(&newcomer, &session).await, "waiting");
        staff.delete(&own).await.refused(404, "not_found");
        app.advance(Duration::minutes(61)).await;
        let other = app.sign_in("staff-other").await;
        other.delete(&own).await.refused(409, "session_started");
        app.advance(Duration::minutes(61)).await;
        let late = app.sign_in("newcomer-2").await;
        late.put(&own, json!({})).await.refused(409, "session_ended");
    })
    .await;
}

// Guard: `enrolled < capacity` in the update; the session's row lock keeps the waiting list in order.
#[actix_web::test]
async fn ten_places_under_two_hundred_clients() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let course = course(&staff).await;
        let session = session(app, &staff, &course, (600, 660), 10).await;
        let people = crowd(app, 200).await;
        let states = join_all(people.iter().map(|person| enrol(person, &session))).await;
        let enrolled = states.iter().filter(|state| **state == "enrolled").count();
        assert_eq!((enrolled, states.len() - enrolled), (10, 190));
        let before = rows(app, &session).await;
        assert!(before[..10].iter().all(|row| row.state == EnrolmentState::Enrolled), "who came first has a place");
        // All ten step back at once, while ten others do who wait.
        let path = format!("/sessions/{session}/enrolment");
        let leaving: HashSet<String> =
            before[..10].iter().chain(&before[190..]).map(|row| row.user_id.to_string()).collect();
        join_all(people.iter().filter(|person| leaving.contains(&person.id)).map(|person| person.delete(&path))).await;
        let after = rows(app, &session).await;
        let with_place: HashSet<_> =
            after.iter().filter(|row| row.state == EnrolmentState::Enrolled).map(|row| row.user_id).collect();
        assert_eq!(with_place, before[10..20].iter().map(|row| row.user_id).collect(), "first in, first out");
        let row =
            session::Entity::find().filter(session::Column::Capacity.eq(10)).one(app.state.db.read()).await.unwrap();
        assert_eq!(row.unwrap().enrolled, 10);
    })
    .await;
}

#[actix_web::test]
async fn attendance_is_taken_by_code_and_by_list_and_counted_by_group() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let course = course(&staff).await;
        let groups = format!("/activities/{course}/groups");
        let newcomer = app.sign_in("newcomer-1").await;
        newcomer.put(&groups, json!({ "names": ["老人"] })).await.refused(403, "forbidden");
        staff.put(&groups, json!({ "names": [""] })).await.names("/names/0");
        let named = staff.put(&groups, json!({ "names": ["青年女性", "全职妈妈"] })).await.expect(200);
        assert_eq!(named["names"].as_array().unwrap().len(), 2);
        let one = session(app, &staff, &course, (10, 70), 50).await;
        let two = session(app, &staff, &course, (100, 160), 50).await;
        let people = crowd(app, 7).await;
        for (at, person) in people.iter().enumerate() {
            let groups = if at < 5 { json!(["青年女性"]) } else { json!([]) };
            for session in [&one, &two] {
                let path = format!("/sessions/{session}/enrolment");
                person.put(&path, json!({ "groups": ["没有"] })).await.names("/groups");
                person.put(&path, json!({ "groups": groups })).await.expect(200);
            }
        }
        let code = async |session: &str| {
            app.sign_in("staff").await.get(&format!("/sessions/{session}/attendance-code")).await.expect(200)["code"].clone()
        };
        newcomer.get(&format!("/sessions/{one}/attendance-code")).await.refused(403, "forbidden");
        let shown = code(&one).await;
        let attend = format!("/sessions/{one}/attend");
        newcomer.post(&attend, json!({ "code": shown })).await.refused(409, "not_enrolled");
        people[0].post(&attend, json!({ "code": code(&two).await })).await.refused(422, "check_in_code_invalid");
        let early = format!("/sessions/{two}/attend");
        people[0].post(&early, json!({ "code": code(&two).await })).await.refused(409, "check_in_window");
        // Guard: `attendances_once`: everybody twice at once.
        let all = people.iter().chain(&people).map(|person| person.post(&attend, json!({ "code": shown })));
        for answer in join_all(all).await {
            answer.expect(200);
        }

        let list = format!("/sessions/{one}/attendance");
        let name = json!({ "name": "王桂兰（3栋）", "groups": ["全职妈妈"] });
        newcomer.post(&list, json!({ "people": [name] })).await.refused(404, "not_found");
        staff.post(&list, json!({ "people": [{}] })).await.names("/people/0");
        staff.post(&list, json!({ "people": [{ "name": "a", "groups": ["没有"] }] })).await.names("/people/0/groups");
        let body = json!({ "people": [name, name, { "user_id": people[0].id }, { "user_id": newcomer.id }, { "user_id": staff.id }] });
        let outcome = staff.post(&list, body).await.expect(200)["results"].clone();
        let told: Vec<_> = outcome.as_array().unwrap().iter().map(|one| (one["already"].clone(), one["code"].clone())).collect();
        let (no, yes, nothing) = (json!(false), json!(true), Value::Null);
        let expected = [
            (no.clone(), nothing.clone()),
            (yes.clone(), nothing.clone()),
            (yes, nothing),
            (no.clone(), json!("not_enrolled")),
            (no, json!("own_act")),
        ];
        assert_eq!(told, expected);
        let stored = attendance::Entity::find().filter(attendance::Column::UserId.is_null()).all(app.state.db.read()).await;
        let stored = stored.unwrap();
        assert!(stored.len() == 1 && !format!("{stored:?}").contains("王桂兰"), "the name is encrypted");
        let seen = staff.get(&list).await.expect(200);
        assert_eq!(seen["items"].as_array().unwrap().len(), 8);
        assert_eq!(seen["items"][0]["name"], "王**");

        // The second evening: the one without a phone again, and one of the others.
        app.advance(Duration::minutes(95)).await;
        let people = crowd(app, 7).await;
        people[0].post(&early, json!({ "code": code(&two).await })).await.expect(200);
        let staff = app.sign_in("staff").await;
        let list_two = format!("/sessions/{two}/attendance");
        staff.post(&list_two, json!({ "people": [name, { "name": "写错了" }] })).await.expect(200);
        let wrong = staff.get(&list_two).await.expect(200)["items"][0].clone();
        people[0].delete(&format!("{list_two}/{}", id(&wrong))).await.refused(404, "not_found");
        staff.delete(&format!("{list}/{}", id(&wrong))).await.refused(404, "not_found");
        staff.delete(&format!("{list_two}/{}", id(&wrong))).await.expect(204);

        let path = format!("/activities/{course}/attendance-figures");
        let all = staff.get(&path).await.expect(200);
        let cell = |people: i64, times: i64| json!({ "people": people, "person_times": times });
        assert_eq!(all["total"], cell(8, 10));
        assert_eq!(all["groups"][1], json!({ "name": "青年女性", "count": cell(5, 6) }));
        assert_eq!(all["groups"][0], json!({ "name": "全职妈妈", "count": cell(1, 2) }));
        // Five are enough to be shown, but the three who are not among them are not.
        let public = people[0].get(&path).await.expect(200);
        assert_eq!(public["total"], cell(8, 10));
        assert_eq!((&public["groups"][0]["count"], &public["groups"][1]["count"]), (&Value::Null, &Value::Null));
        app.advance(Duration::days(8)).await;
        app.sign_in("staff").await.post(&list_two, json!({ "people": [name] })).await.refused(409, "check_in_window");
    })
    .await;
}
