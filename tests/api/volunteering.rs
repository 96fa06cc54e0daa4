//! Activities, shifts, seats, presence, credit.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Duration, SubsecRound, Utc};
use entities::identity::residency;
use entities::ids::UserId;
use entities::volunteering::{SignupState, shift, signup};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use linli::platform::code::Code;
use linli::platform::http::Problem;
use linli::platform::ids;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use uuid::Uuid;
use wechat_simulator::Persona;

use crate::support::{ANJING, BUILDING_1, GUANGHUA, Person, TestApp, place_id, user_id};

pub fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

pub fn after(app: &TestApp, minutes: i64) -> DateTime<Utc> {
    app.state.clock.now().trunc_subsecs(0) + Duration::minutes(minutes)
}

pub async fn activity(staff: &Person) -> String {
    let body = json!({ "place_id": place_id(GUANGHUA), "title": "停车值守", "description": "三班轮值。" });
    id(&staff.post("/activities", body).await.expect(201))
}

/// Adds a shift that begins and ends so many minutes from now.
pub async fn add_shift(app: &TestApp, staff: &Person, activity: &str, (from, to): (i64, i64), capacity: i32) -> String {
    let body = json!({ "starts_at": after(app, from), "ends_at": after(app, to), "capacity": capacity });
    id(&staff.post(&format!("/activities/{activity}/shifts"), body).await.expect(201))
}

pub async fn new_shift(app: &TestApp, from: i64, to: i64, capacity: i32) -> String {
    let staff = app.sign_in("staff").await;
    let activity = activity(&staff).await;
    add_shift(app, &staff, &activity, (from, to), capacity).await
}

pub async fn sign_up(person: &Person, shift: &str) -> Value {
    person.put(&format!("/shifts/{shift}/signup"), json!({})).await.expect(200)
}

pub async fn step_back(person: &Person, shift: &str) -> Value {
    person.delete(&format!("/shifts/{shift}/signup")).await.expect(200)
}

pub async fn code(leader: &Person, shift: &str) -> Value {
    leader.get(&format!("/shifts/{shift}/check-in-code")).await.expect(200)["code"].clone()
}

pub async fn taken(app: &TestApp, shift: &str) -> i32 {
    let shift: Uuid = shift.parse().unwrap();
    shift::Entity::find_by_id(shift).one(app.state.db.read()).await.unwrap().unwrap().taken
}

/// A shift's sign-ups in the order of the queue.
pub async fn queue(app: &TestApp, shift: &str) -> Vec<signup::Model> {
    let shift: Uuid = shift.parse().unwrap();
    signup::Entity::find()
        .filter(signup::Column::ShiftId.eq(shift))
        .order_by_asc(signup::Column::QueuedAt)
        .order_by_asc(signup::Column::Id)
        .all(app.state.db.read())
        .await
        .unwrap()
}

pub fn in_state(rows: &[signup::Model], state: SignupState) -> Vec<UserId> {
    rows.iter().filter(|row| row.state == state).map(|row| row.user_id).collect()
}

pub async fn state_of(person: &Person, signup: &Value) -> Value {
    let mine = person.get("/me/signups?limit=100").await.expect(200);
    mine["items"].as_array().unwrap().iter().find(|row| row["id"] == signup["id"]).expect("my sign-up")["state"].clone()
}

/// What the person may spend, and how many entries brought it there.
pub async fn wallet(person: &Person) -> (i64, usize) {
    let points = person.get("/me/points").await.expect(200);
    let entries = person.get("/me/points/entries").await.expect(200);
    (points["available"].as_i64().unwrap(), entries["items"].as_array().unwrap().len())
}

/// Everybody of the demo who lives in 光华社区, and as many made-up neighbours as are missing.
pub async fn crowd(app: &TestApp, size: usize) -> Vec<Person> {
    let demo = (1..=20).map(|at| format!("resident-{at}")).chain((1..=5).map(|at| format!("volunteer-{at}")));
    let mut people = app.sign_in_all(demo.take(size)).await;
    let resident = residency::Entity::find().filter(residency::Column::UserId.eq(user_id("resident-1")));
    let resident = resident.one(app.state.db.read()).await.unwrap().unwrap();
    for at in people.len()..size {
        let name = format!("neighbour-{at}");
        let persona = Persona {
            openid: format!("openid-{name}"),
            unionid: None,
            phone: format!("139{at:08}"),
            label: name.clone(),
            name: name.clone(),
        };
        app.simulator.control().add_persona(persona).unwrap();
        let person = app.sign_in(&name).await;
        let txn = app.state.db.begin().await.unwrap();
        let mut row = resident.clone().into_active_model();
        row.id = Set(ids::ordered(&app.state.clock));
        row.user_id = Set(person.id.parse().unwrap());
        row.phone_hash = Set(name);
        row.insert(&txn).await.unwrap();
        txn.commit().await.unwrap();
        people.push(person);
    }
    people
}

#[actix_web::test]
async fn a_volunteer_signs_up_serves_and_is_credited() {
    TestApp::run(async |app| {
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        let activity = activity(&staff).await;
        let shift = add_shift(app, &staff, &activity, (20, 140), 2).await;

        let signup = sign_up(&volunteer, &shift).await;
        assert_eq!(signup["state"], "confirmed");
        assert_eq!(sign_up(&volunteer, &shift).await, signup, "a repetition answers the same");
        let seen = volunteer.get(&format!("/activities/{activity}")).await.expect(200);
        assert_eq!((&seen["shifts"][0]["capacity"], &seen["shifts"][0]["taken"]), (&json!(2), &json!(1)));
        assert_eq!(seen["shifts"][0]["my_signup"]["state"], "confirmed");
        let others = staff.get(&format!("/activities/{activity}")).await.expect(200);
        assert_eq!(others["shifts"][0]["my_signup"], Value::Null);

        let position = json!({ "latitude": 30.612_345, "longitude": 114.298_765 });
        let body = json!({ "code": code(&staff, &shift).await, "position": position });
        let path = format!("/shifts/{shift}/check-in");
        assert_eq!(volunteer.post(&path, body).await.expect(200)["state"], "checked_in");
        app.advance(Duration::minutes(110)).await;

        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        let body = json!({ "code": code(&staff, &shift).await });
        let path = format!("/shifts/{shift}/check-out");
        assert_eq!(volunteer.post(&path, body).await.expect(200)["state"], "checked_out");
        let path = format!("/signups/{}/confirm", id(&signup));
        let credit = staff.post(&path, json!({})).await.expect(200);
        // From minute 20 to (a little after) minute 110.
        assert_eq!(credit, json!({ "minutes": 90, "points": 15 }));
        assert_eq!(staff.post(&path, json!({})).await.expect(200), credit);
        assert_eq!(wallet(&volunteer).await, (15, 1));
        assert_eq!(volunteer.get("/me/hours").await.expect(200), json!({ "minutes": 90, "stars": 0 }));
        let mine = volunteer.get("/me/signups").await.expect(200);
        assert_eq!(mine["items"][0]["state"], "credited");
        assert_eq!((&mine["items"][0]["minutes"], &mine["items"][0]["title"]), (&json!(90), &json!("停车值守")));

        let row = &queue(app, &shift).await[0];
        assert_eq!(row.proof["check_in"]["method"], "qr");
        assert_eq!(row.proof["check_in"]["position"], json!({ "latitude": 30.612, "longitude": 114.299 }), "rounded");
    })
    .await;
}

#[actix_web::test]
async fn lists_show_what_comes_and_who_may_see_whom() {
    TestApp::run(async |app| {
        let [staff, volunteer, other] =
            app.sign_in_all(["staff", "volunteer-1", "staff-other"]).await.try_into().ok().unwrap();
        let activity = activity(&staff).await;
        let path = format!("/activities?place_id={}&limit=1", place_id(GUANGHUA));
        for hour in 0..12 {
            add_shift(app, &staff, &activity, (60 * hour + 20, 60 * hour + 80), 1).await;
        }
        let first = volunteer.get(&path).await.expect(200);
        assert_eq!(first["items"][0]["id"], activity);
        let shifts = first["items"][0]["shifts"].as_array().unwrap();
        assert_eq!(shifts.len(), 10, "the next ten");
        let starts: Vec<_> = shifts.iter().map(|shift| shift["starts_at"].as_str().unwrap()).collect();
        assert!(starts.is_sorted());
        let next = first["next_cursor"].as_str().unwrap();
        let second = volunteer.get(&format!("{path}&cursor={next}")).await.expect(200);
        assert_eq!(second["items"][0]["title"], "“红色引擎”停车值守", "the demo's are older");
        assert_eq!(second["items"][0]["shifts"].as_array().unwrap().len(), 10);
        let alone = volunteer.get(&format!("/activities/{activity}")).await.expect(200);
        assert_eq!(alone["shifts"].as_array().unwrap().len(), 12);
        let elsewhere = volunteer.get(&format!("/activities?place_id={}", place_id(ANJING))).await.expect(200);
        assert_eq!(elsewhere["items"], json!([]));
        let district = volunteer.get(&format!("/activities?place_id={}", place_id("/jiangan/"))).await.expect(200);
        assert_eq!(district["items"].as_array().unwrap().len(), 4);

        let shift = shifts[0]["id"].as_str().unwrap();
        let signup = sign_up(&volunteer, shift).await;
        let path = format!("/shifts/{shift}/signups");
        let roster = staff.get(&path).await.expect(200);
        assert_eq!(roster["items"][0]["id"], signup["id"]);
        assert!(roster["items"][0]["name"].as_str().unwrap().ends_with('*'), "masked");
        for person in [&volunteer, &other] {
            person.get(&path).await.refused(403, "forbidden");
            person.get(&format!("/shifts/{shift}/check-in-code")).await.refused(403, "forbidden");
        }
    })
    .await;
}

#[actix_web::test]
async fn only_verified_residents_of_the_community_sign_up_and_only_before_it_ends() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 10, 60, 2).await;
        let path = format!("/shifts/{shift}/signup");
        app.sign_in("newcomer-1").await.put(&path, json!({})).await.refused(403, "not_verified");
        app.sign_in("org-a").await.put(&path, json!({})).await.refused(403, "not_verified");
        let other = app.sign_in("staff-other").await;
        let body = json!({ "place_id": place_id(ANJING), "title": "别处", "description": "安静社区的活动" });
        let elsewhere = id(&other.post("/activities", body).await.expect(201));
        let elsewhere = add_shift(app, &other, &elsewhere, (10, 60), 5).await;
        let stranger = app.sign_in("resident-2").await;
        stranger.put(&format!("/shifts/{elsewhere}/signup"), json!({})).await.refused(403, "not_resident_here");
        let volunteer = app.sign_in("volunteer-1").await;
        volunteer.put(&format!("/shifts/{}/signup", user_id("staff")), json!({})).await.refused(404, "not_found");
        volunteer.delete(&path).await.refused(404, "not_found");
        volunteer.put(&path, json!({ "seat": 1 })).await.names("/seat");
        let own = sign_up(&app.sign_in("resident-1").await, &shift).await;
        app.advance(Duration::minutes(10)).await;
        let [volunteer, resident] = [app.sign_in("volunteer-1").await, app.sign_in("resident-1").await];
        assert_eq!(sign_up(&resident, &shift).await, own, "the same sign-up still");
        resident.delete(&path).await.refused(409, "shift_started");
        volunteer.put(&path, json!({})).await.expect(200);
        let late = app.sign_in("volunteer-2").await;
        late.put(&path, json!({})).await.refused(409, "shift_started");
        assert_eq!(taken(app, &shift).await, 2);
        app.advance(Duration::minutes(60)).await;
        app.sign_in("volunteer-2").await.put(&path, json!({})).await.refused(409, "shift_ended");
    })
    .await;
}

#[actix_web::test]
async fn staff_plan_within_limits_and_at_home() {
    TestApp::run(async |app| {
        let [staff, other, volunteer] =
            app.sign_in_all(["staff", "staff-other", "volunteer-1"]).await.try_into().ok().unwrap();
        let new = |field: &str, value: Value| {
            let mut body = json!({ "place_id": place_id(BUILDING_1), "title": "值守", "description": "说明\n两行" });
            body[field] = value;
            body
        };
        volunteer.post("/activities", new("title", json!("值守"))).await.refused(403, "forbidden");
        other.post("/activities", new("title", json!("值守"))).await.refused(403, "forbidden");
        staff.post("/activities", new("place_id", json!(place_id("/jiangan/")))).await.names("/place_id");
        staff.post("/activities", new("place_id", json!(user_id("staff")))).await.names("/place_id");
        staff.post("/activities", new("title", json!("长".repeat(61)))).await.names("/title");
        staff.post("/activities", new("title", json!("两\n行"))).await.names("/title");
        staff.post("/activities", new("description", json!("\u{7}"))).await.names("/description");
        staff.post("/activities", new("nope", json!(1))).await.names("/nope");
        staff.get("/activities").await.names("?place_id");
        staff.get(&format!("/activities?place_id={}", user_id("staff"))).await.names("?place_id");
        staff.get(&format!("/activities/{}", user_id("staff"))).await.refused(404, "not_found");

        let activity = id(&staff.post("/activities", new("title", json!(" 值守 "))).await.expect(201));
        let path = format!("/activities/{activity}/shifts");
        let plan = |field: &str, value: Value| {
            let mut body = json!({ "starts_at": after(app, 60), "ends_at": after(app, 120), "capacity": 1 });
            body[field] = value;
            body
        };
        volunteer.post(&path, plan("capacity", json!(1))).await.refused(403, "forbidden");
        other.post(&path, plan("capacity", json!(1))).await.refused(403, "forbidden");
        let nowhere = format!("/activities/{}/shifts", user_id("staff"));
        staff.post(&nowhere, plan("capacity", json!(1))).await.refused(404, "not_found");
        for capacity in [json!(0), json!(-1), json!(10_001), json!("1"), json!(1.5)] {
            staff.post(&path, plan("capacity", capacity)).await.names("/capacity");
        }
        let mut over = plan("starts_at", json!(after(app, -60)));
        over["ends_at"] = json!(after(app, -1));
        staff.post(&path, over).await.names("/ends_at");
        staff.post(&path, plan("starts_at", json!(after(app, 60 * 24 * 400)))).await.names("/starts_at");
        staff.post(&path, plan("starts_at", json!("+200000-01-01T00:00:00Z"))).await.names("/starts_at");
        staff.post(&path, plan("starts_at", json!("tomorrow"))).await.names("/starts_at");
        staff.post(&path, plan("ends_at", json!(after(app, 60)))).await.names("/ends_at");
        staff.post(&path, plan("ends_at", json!(after(app, 60 + 24 * 60 + 1)))).await.names("/ends_at");
        staff.post(&path, plan("leader_id", json!(place_id(GUANGHUA)))).await.names("/leader_id");
        staff.post(&path, plan("nope", json!(1))).await.names("/nope");
        let key = "once";
        let made = staff.post_with_key(&path, plan("ends_at", json!(after(app, 60 + 24 * 60))), key).await.expect(201);
        assert_eq!(made["leader_id"], staff.id);
        let led = staff.post(&path, plan("leader_id", json!(volunteer.id))).await.expect(201);
        volunteer.get(&format!("/shifts/{}/check-in-code", id(&led))).await.expect(200);
        let seen = staff.get(&format!("/activities/{activity}")).await.expect(200);
        assert_eq!(seen["shifts"].as_array().unwrap().len(), 2, "what was refused left nothing");
        assert_eq!(seen["title"], "值守");
    })
    .await;
}

#[actix_web::test]
async fn shifts_of_one_person_meet_but_do_not_overlap() {
    TestApp::run_configured(
        // Stepping back shortly before is not what this is about.
        |config| config.rules.cancel_cutoff_hours = 0,
        async |app| {
            let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
            let activity = activity(&staff).await;
            let day = add_shift(app, &staff, &activity, (60, 120), 1).await;
            let next = add_shift(app, &staff, &activity, (120, 180), 1).await;
            let across = add_shift(app, &staff, &activity, (119, 121), 1).await;
            let within = add_shift(app, &staff, &activity, (70, 80), 1).await;
            sign_up(&volunteer, &day).await;
            sign_up(&volunteer, &next).await;
            for shift in [&across, &within] {
                let path = format!("/shifts/{shift}/signup");
                volunteer.put(&path, json!({})).await.refused(409, "overlapping_shift");
                assert_eq!(taken(app, shift).await, 0, "no seat is lost");
            }
            // A place in a waiting list counts too, a cancelled one does not.
            sign_up(&app.sign_in("volunteer-2").await, &within).await;
            step_back(&volunteer, &day).await;
            assert_eq!(sign_up(&volunteer, &within).await["state"], "waitlisted");
            volunteer.put(&format!("/shifts/{day}/signup"), json!({})).await.refused(409, "overlapping_shift");
        },
    )
    .await;
}

/// A live sign-up as nobody but a faulty service would write it.
async fn forced(app: &TestApp, shift: &str, person: &str) -> Result<signup::Model, Problem> {
    let shift: Uuid = shift.parse().unwrap();
    let shift = shift::Entity::find_by_id(shift).one(app.state.db.read()).await.unwrap().unwrap();
    let txn = app.state.db.begin().await.unwrap();
    let row = signup::ActiveModel {
        id: Set(ids::ordered(&app.state.clock)),
        shift_id: Set(shift.id),
        user_id: Set(user_id(person)),
        community_id: Set(shift.community_id),
        state: Set(SignupState::Waitlisted),
        starts_at: Set(shift.starts_at),
        ends_at: Set(shift.ends_at),
        rests_until: Set(shift.ends_at),
        queued_at: Set(shift.created_at),
        offer_expires_at: Set(None),
        checked_in_at: Set(None),
        checked_out_at: Set(None),
        proof: Set(json!({})),
        minutes: Set(None),
        points: Set(None),
        confirmed_by: Set(None),
        confirmed_at: Set(None),
    };
    let row = row.insert(&txn).await?;
    txn.commit().await.unwrap();
    Ok(row)
}

// The second guard by itself: `signups_overlap`, and its code.
#[actix_web::test]
async fn the_database_refuses_overlaps_by_itself() {
    TestApp::run(async |app| {
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        let activity = activity(&staff).await;
        let [one, two, next] = [(60, 120), (90, 150), (120, 180)];
        let one = add_shift(app, &staff, &activity, one, 5).await;
        let two = add_shift(app, &staff, &activity, two, 5).await;
        let next = add_shift(app, &staff, &activity, next, 5).await;
        sign_up(&volunteer, &one).await;
        for shift in [&one, &two] {
            let problem = forced(app, shift, "volunteer-1").await.unwrap_err();
            assert_eq!(problem.code(), Code::OverlappingShift);
        }
        // A place in the waiting list beside free seats is a finding of `verify`: it goes at once.
        let allowed = forced(app, &next, "volunteer-1").await.unwrap();
        let txn = app.state.db.begin().await.unwrap();
        signup::Entity::delete_by_id(allowed.id).exec(&txn).await.unwrap();
        txn.commit().await.unwrap();
    })
    .await;
}

#[actix_web::test]
async fn a_freed_seat_is_offered_in_turn_and_for_a_time() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 1500, 1560, 1).await;
        let mut people = crowd(app, 4).await;
        let consent = json!({ "template": "shift", "accepted": true });
        people[1].post("/me/message-consents", consent).await.expect(200);
        assert_eq!(sign_up(&people[0], &shift).await["state"], "confirmed");
        let mut waiting = Vec::new();
        for person in &people[1..4] {
            waiting.push(sign_up(person, &shift).await);
        }
        assert!(waiting.iter().all(|signup| signup["state"] == "waitlisted"));

        assert_eq!(step_back(&people[0], &shift).await["state"], "cancelled");
        assert_eq!(step_back(&people[0], &shift).await["state"], "cancelled", "a repetition");
        assert_eq!(taken(app, &shift).await, 1, "the seat is held");
        // Who steps back and comes again stands at the end.
        assert_eq!(sign_up(&people[0], &shift).await["state"], "waitlisted");
        assert_eq!(state_of(&people[1], &waiting[0]).await, "offered");
        app.work().await;
        assert_eq!(app.simulator.control().sent_messages("resident-2").len(), 1);
        let inbox = people[1].get("/inbox").await.expect(200);
        assert_eq!(inbox["items"][0]["kind"], "shift.offered");
        assert_eq!(inbox["items"][0]["target_id"], shift);

        // The first lets it run out, the second declines, the third accepts.
        app.advance(Duration::minutes(61)).await;
        people = crowd(app, 4).await;
        assert_eq!(state_of(&people[1], &waiting[0]).await, "cancelled");
        assert_eq!(people[1].get("/inbox").await.expect(200)["items"][0]["kind"], "shift.offer_ended");
        assert_eq!(state_of(&people[2], &waiting[1]).await, "offered");
        step_back(&people[2], &shift).await;
        let accepted = sign_up(&people[3], &shift).await;
        assert_eq!((&accepted["id"], &accepted["state"]), (&waiting[2]["id"], &json!("confirmed")));
        assert_eq!(accepted["offer_expires_at"], Value::Null);
        assert_eq!(taken(app, &shift).await, 1);
        // Nobody but the one who came back waits; when they go too, the seat is free.
        step_back(&people[0], &shift).await;
        step_back(&people[3], &shift).await;
        assert_eq!(taken(app, &shift).await, 0);
    })
    .await;
}

#[actix_web::test]
async fn offers_and_waiting_lists_end_when_the_shift_begins() {
    TestApp::run_configured(
        // Stepping back shortly before is not what this is about.
        |config| config.rules.cancel_cutoff_hours = 0,
        async |app| {
            let shift = new_shift(app, 30, 90, 1).await;
            let people = crowd(app, 3).await;
            let mut signups = Vec::new();
            for person in &people {
                signups.push(sign_up(person, &shift).await);
            }
            step_back(&people[0], &shift).await;
            let offered = &queue(app, &shift).await[1];
            assert_eq!(offered.offer_expires_at, Some(offered.starts_at), "an hour would reach into the shift");
            app.simulator.control().advance(std::time::Duration::from_mins(30));
            // Before the schedule: the offer has run out all the same.
            let people = crowd(app, 3).await;
            people[1].put(&format!("/shifts/{shift}/signup"), json!({})).await.refused(409, "signup_state");
            app.work().await;
            for (person, signup) in people.iter().zip(&signups) {
                assert_eq!(state_of(person, signup).await, "cancelled");
            }
            assert_eq!(taken(app, &shift).await, 0);
            assert_eq!(people[2].get("/inbox").await.expect(200)["items"][0]["kind"], "shift.full");
        },
    )
    .await;
}

#[actix_web::test]
async fn the_check_in_code_turns_and_is_the_shift_s_own() {
    TestApp::run(async |app| {
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        let activity = activity(&staff).await;
        let shift = add_shift(app, &staff, &activity, (10, 60), 2).await;
        let other = add_shift(app, &staff, &activity, (70, 80), 2).await;
        let path = format!("/shifts/{shift}/check-in");
        let shown = staff.get(&format!("/shifts/{shift}/check-in-code")).await.expect(200);
        assert!(shown["qr_svg"].as_str().unwrap().starts_with("<svg"));
        let with = |code: &Value| json!({ "code": code });
        volunteer.post(&path, with(&shown["code"])).await.refused(409, "signup_state");
        sign_up(&volunteer, &shift).await;
        for wrong in [json!("AAAAAAAAAAAAAAAA"), json!("?"), json!(""), code(&staff, &other).await] {
            let answer = volunteer.post(&path, with(&wrong)).await;
            if wrong == "" { answer.names("/code") } else { drop(answer.refused(422, "check_in_code_invalid")) }
        }
        // Cut short, the signature would be easy to guess.
        let cut = json!(shown["code"].as_str().unwrap()[..8]);
        volunteer.post(&path, with(&cut)).await.refused(422, "check_in_code_invalid");
        let body = json!({ "code": shown["code"], "position": { "latitude": 91, "longitude": 0 } });
        volunteer.post(&path, body).await.names("/position/latitude");
        let body = json!({ "code": shown["code"], "position": { "latitude": 9, "longitude": 0, "altitude": 1 } });
        volunteer.post(&path, body).await.names("/position/altitude");

        let life = shown["expires_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap() - app.state.clock.now();
        assert!(Duration::seconds(29) < life && life <= Duration::seconds(60));
        app.advance(life).await;
        volunteer.post(&path, with(&shown["code"])).await.refused(422, "check_in_code_invalid");
        let fresh = code(&staff, &shift).await;
        app.advance(Duration::seconds(29)).await;
        volunteer.post(&path, with(&fresh)).await.expect(200);
    })
    .await;
}

#[actix_web::test]
async fn presence_has_its_window_and_its_order() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 60, 120, 3).await;
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        let (come, leave) = (format!("/shifts/{shift}/check-in"), format!("/shifts/{shift}/check-out"));
        let late = sign_up(&app.sign_in("volunteer-2").await, &shift).await;
        let signup = sign_up(&volunteer, &shift).await;
        let body = async || json!({ "code": code(&app.sign_in("staff").await, &shift).await });
        volunteer.post(&come, body().await).await.refused(409, "check_in_window");
        let mark = |signup: &Value, act: &str| format!("/signups/{}/{act}", id(signup));
        staff.post(&mark(&signup, "check-in"), json!({})).await.refused(409, "check_in_window");
        volunteer.post(&leave, body().await).await.refused(409, "signup_state");

        app.advance(Duration::minutes(31)).await;
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        let first = volunteer.post(&come, body().await).await.expect(200);
        assert_eq!(first["state"], "checked_in");
        assert_eq!(volunteer.post(&come, body().await).await.expect(200), first, "a repetition answers the same");
        assert_eq!(staff.post(&mark(&signup, "check-in"), json!({})).await.expect(200), first);
        volunteer.delete(&format!("/shifts/{shift}/signup")).await.refused(409, "signup_state");
        assert_eq!(sign_up(&volunteer, &shift).await["state"], "checked_in");
        staff.post(&mark(&signup, "confirm"), json!({})).await.refused(409, "signup_state");

        // 31 minutes after the end: too late for the code, not for the leader.
        app.advance(Duration::minutes(120)).await;
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        volunteer.post(&leave, body().await).await.refused(409, "check_in_window");
        staff.post(&mark(&late, "check-in"), json!({})).await.refused(409, "check_in_window");
        staff.post(&mark(&signup, "check-out"), json!({})).await.expect(200);
        staff.post(&mark(&signup, "check-out"), json!({})).await.expect(200);
        volunteer.post(&come, body().await).await.refused(409, "signup_state");
        let credit = staff.post(&mark(&signup, "confirm"), json!({})).await.expect(200);
        assert_eq!(credit, json!({ "minutes": 60, "points": 10 }), "no more than the shift");
        staff.post(&mark(&signup, "check-out"), json!({})).await.refused(409, "signup_state");
        assert_eq!(queue(app, &shift).await[1].proof["check_out"]["method"], "leader");

        // The other never came.
        app.advance(Duration::hours(2)).await;
        let [staff, never] = [app.sign_in("staff").await, app.sign_in("volunteer-2").await];
        assert_eq!(state_of(&never, &late).await, "confirmed", "the clock marks nobody");
        staff.post(&mark(&late, "no-show"), json!({})).await.expect(200);
        assert_eq!(state_of(&never, &late).await, "no_show");
        staff.post(&mark(&late, "confirm"), json!({})).await.refused(409, "signup_state");
        assert_eq!(taken(app, &shift).await, 2, "a no-show frees nothing");
    })
    .await;
}

#[actix_web::test]
async fn nobody_marks_or_confirms_themself_and_strangers_learn_nothing() {
    TestApp::run(async |app| {
        let [staff, leader, volunteer, other] =
            app.sign_in_all(["staff", "volunteer-1", "volunteer-2", "staff-other"]).await.try_into().ok().unwrap();
        let activity = activity(&staff).await;
        let plan =
            json!({ "starts_at": after(app, 10), "ends_at": after(app, 70), "capacity": 5, "leader_id": leader.id });
        let shift = id(&staff.post(&format!("/activities/{activity}/shifts"), plan).await.expect(201));
        let [own, theirs] = [sign_up(&leader, &shift).await, sign_up(&volunteer, &shift).await];
        for act in ["check-in", "check-out", "confirm"] {
            let path = |signup: &Value| format!("/signups/{}/{act}", id(signup));
            leader.post(&path(&own), json!({})).await.refused(403, "own_act");
            volunteer.post(&path(&theirs), json!({})).await.refused(403, "own_act");
            volunteer.post(&path(&own), json!({})).await.refused(404, "not_found");
            other.post(&path(&own), json!({})).await.refused(404, "not_found");
            staff.post(&format!("/signups/{}/{act}", user_id("staff")), json!({})).await.refused(404, "not_found");
            staff.post(&path(&own), json!({ "minutes": 9 })).await.names("/minutes");
            // The leader may, for others; staff may, for the leader.
            leader.post(&path(&theirs), json!({})).await.expect(200);
            staff.post(&path(&own), json!({})).await.expect(200);
        }
        // Checked out before the shift began: no minute, no points, no entry.
        assert_eq!(wallet(&volunteer).await, (0, 0));
        assert_eq!(volunteer.get("/me/hours").await.expect(200)["minutes"], 0);
    })
    .await;
}

/// A sign-up of `volunteer-1` that waits to be confirmed, of one hour.
pub async fn served(app: &TestApp, shift: &str) -> Value {
    let signup = sign_up(&app.sign_in("volunteer-1").await, shift).await;
    let mark = async |act: &str| {
        let staff = app.sign_in("staff").await;
        staff.post(&format!("/signups/{}/{act}", id(&signup)), json!({})).await.expect(200);
    };
    app.advance(Duration::minutes(15)).await;
    mark("check-in").await;
    app.advance(Duration::minutes(70)).await;
    mark("check-out").await;
    signup
}

// Guard: the sign-up's row lock, so that each finds either nothing or everything done. Behind it the state in the condition of
// the update, `signups_sealed`, and the ledger's one award a source.
#[actix_web::test]
async fn parallel_confirmations_credit_once() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 20, 80, 1).await;
        let signup = served(app, &shift).await;
        let [staff, second] = [app.sign_in("staff").await, app.sign_in("staff-2").await];
        let path = format!("/signups/{}/confirm", id(&signup));
        let answers =
            join_all((0..40).map(|at| if at % 2 == 0 { &staff } else { &second }.post(&path, json!({})))).await;
        for answer in answers {
            assert_eq!(answer.expect(200), json!({ "minutes": 60, "points": 10 }));
        }
        let volunteer = app.sign_in("volunteer-1").await;
        assert_eq!(wallet(&volunteer).await, (10, 1));
        assert_eq!(volunteer.get("/me/hours").await.expect(200)["minutes"], 60);
    })
    .await;
}

// Guard: the triggers `signups_sealed`.
#[actix_web::test]
async fn credited_minutes_are_sealed() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 20, 80, 1).await;
        let signup = served(app, &shift).await;
        let path = format!("/signups/{}/confirm", id(&signup));
        app.sign_in("staff").await.post(&path, json!({})).await.expect(200);
        let row: Uuid = id(&signup).parse().unwrap();
        let txn = app.state.db.begin().await.unwrap();
        let more = signup::Entity::update_many()
            .col_expr(signup::Column::Minutes, Expr::value(600))
            .filter(signup::Column::Id.eq(row));
        more.exec(&txn).await.unwrap_err();
        txn.rollback().await.unwrap();
        let txn = app.state.db.begin().await.unwrap();
        signup::Entity::delete_by_id(row).exec(&txn).await.unwrap_err();
        txn.rollback().await.unwrap();
    })
    .await;
}

// Guards: `taken < capacity` in the update for the seats; the shift's row lock for offers that are made at once.
#[actix_web::test]
async fn ten_seats_under_a_thousand_sign_ups() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 1500, 1560, 10).await;
        let people = crowd(app, 100).await;
        let path = format!("/shifts/{shift}/signup");
        let requests = (0..1000).map(|at| people[at % people.len()].put(&path, json!({})));
        let answers: Vec<_> = stream::iter(requests).buffer_unordered(250).collect().await;
        let mut states: HashMap<String, HashSet<String>> = HashMap::new();
        for answer in answers {
            let signup = answer.expect(200);
            states.entry(signup["state"].as_str().unwrap().to_owned()).or_default().insert(id(&signup));
        }
        assert_eq!((states["confirmed"].len(), states["waitlisted"].len(), states.len()), (10, 90, 2));
        assert_eq!(taken(app, &shift).await, 10);

        let before = queue(app, &shift).await;
        assert_eq!(before.len(), 100, "nobody is lost or doubled");
        let (seated, waiting) = (in_state(&before, SignupState::Confirmed), in_state(&before, SignupState::Waitlisted));
        assert!(before[..10].iter().all(|row| row.state == SignupState::Confirmed), "who came first has a seat");

        // All ten step back at once: ten offers, to the first ten who wait.
        let by_id: HashMap<_, _> = people.iter().map(|person| (person.id.clone(), person)).collect();
        let leaving = seated.iter().map(|person| by_id[&person.to_string()].delete(&path));
        for answer in join_all(leaving).await {
            answer.expect(200);
        }
        let rows = queue(app, &shift).await;
        assert_eq!(in_state(&rows, SignupState::Offered), waiting[..10]);
        assert_eq!(in_state(&rows, SignupState::Waitlisted), waiting[10..]);
        assert_eq!(taken(app, &shift).await, 10);
    })
    .await;
}

// Guards: the person's row lock before the check, and `signups_overlap`; either is enough.
#[actix_web::test]
async fn parallel_sign_ups_of_one_person_for_overlapping_shifts_make_one() {
    TestApp::run(async |app| {
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        let activity = activity(&staff).await;
        let mut shifts = Vec::new();
        for at in 0..10 {
            shifts.push(add_shift(app, &staff, &activity, (60 + at, 120 + at), 5).await);
        }
        let paths: Vec<_> = shifts.iter().map(|shift| format!("/shifts/{shift}/signup")).collect();
        let answers = join_all(paths.iter().map(|path| volunteer.put(path, json!({})))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1);
        for answer in lost {
            answer.refused(409, "overlapping_shift");
        }
        let mut seats = 0;
        for shift in &shifts {
            seats += taken(app, shift).await;
        }
        assert_eq!(seats, 1);
    })
    .await;
}

// Whatever comes between what, count, queue and people agree. The guards are those of the tests around this one.
#[actix_web::test]
async fn parallel_coming_and_going_keeps_the_count() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 1500, 1560, 14).await;
        let people = crowd(app, 25).await;
        let path = format!("/shifts/{shift}/signup");
        let churn = people.iter().enumerate().map(async |(at, person)| {
            for round in 0..12 {
                let answer =
                    if (at + round) % 3 == 2 { person.delete(&path).await } else { person.put(&path, json!({})).await };
                assert!(matches!(answer.status, 200 | 404 | 409), "{answer:?}");
            }
        });
        join_all(churn).await;
        let rows = queue(app, &shift).await;
        let seats =
            rows.iter().filter(|row| matches!(row.state, SignupState::Offered | SignupState::Confirmed)).count();
        assert_eq!(i32::try_from(seats).unwrap(), taken(app, &shift).await);
        let waiting = in_state(&rows, SignupState::Waitlisted).len();
        assert!(seats == 14 || waiting == 0, "{seats} seats are taken and {waiting} wait");
        let live: Vec<_> = rows.iter().filter(|row| row.state != SignupState::Cancelled).collect();
        let who: HashSet<_> = live.iter().map(|row| row.user_id).collect();
        assert_eq!(who.len(), live.len(), "one live sign-up each");
    })
    .await;
}

// Guard: the state in the condition of the update: an offer is taken or runs out, and its seat exists once.
#[actix_web::test]
async fn an_offer_taken_while_it_runs_out_is_kept_or_refused() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 1500, 1560, 5).await;
        let people = crowd(app, 20).await;
        let path = format!("/shifts/{shift}/signup");
        for person in &people {
            sign_up(person, &shift).await;
        }
        join_all(people[..5].iter().map(|person| person.delete(&path))).await;
        let offered = queue(app, &shift).await;
        assert_eq!(in_state(&offered, SignupState::Offered).len(), 5);
        app.simulator.control().advance(std::time::Duration::from_secs(3590));
        let people = crowd(app, 20).await;
        // The rows are held, so that (on PostgreSQL) those who accept and the schedule all come to wait for them.
        let held = app.state.db.begin().await.unwrap();
        let rows = signup::Entity::find().filter(signup::Column::State.eq(SignupState::Offered)).lock_exclusive();
        assert_eq!(rows.all(&held).await.unwrap().len(), 5);
        let accepting = join_all(people[5..10].iter().map(|person| person.put(&path, json!({}))));
        let ending = async {
            actix_web::rt::time::sleep(std::time::Duration::from_millis(500)).await;
            app.simulator.control().advance(std::time::Duration::from_mins(1));
            app.work().await;
        };
        let releasing = async {
            actix_web::rt::time::sleep(std::time::Duration::from_secs(1)).await;
            held.commit().await.unwrap();
        };
        let (answers, (), ()) = futures_util::join!(accepting, ending, releasing);
        let rows = queue(app, &shift).await;
        let confirmed = in_state(&rows, SignupState::Confirmed);
        for (person, answer) in people[5..10].iter().zip(answers) {
            let kept = confirmed.contains(&person.id.parse().unwrap());
            match answer.status {
                200 => assert!(kept, "who was told that the seat is theirs has it"),
                _ => assert!(!kept && answer.refused(409, "signup_state").is_object()),
            }
        }
        let seats = confirmed.len() + in_state(&rows, SignupState::Offered).len();
        assert_eq!((seats, taken(app, &shift).await), (5, 5));
    })
    .await;
}
