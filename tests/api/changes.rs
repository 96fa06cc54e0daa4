//! Shifts that change or do not take place, and the calendar that shows it.

use chrono::{DateTime, Duration};
use entities::jobs::idempotency_key;
use entities::volunteering::SignupState;
use futures_util::future::join_all;
use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::{GUANGHUA, Person, TestApp, place_id, user_id};
use crate::volunteering::{activity, add_shift, after, crowd, id, in_state, queue, sign_up, state_of, taken};

/// The shift as it is, to be sent back with a change.
async fn as_it_is(person: &Person, activity: &str, shift: &str) -> Value {
    let seen = person.get(&format!("/activities/{activity}")).await.expect(200);
    let row = seen["shifts"].as_array().unwrap().iter().find(|row| row["id"] == shift).unwrap().clone();
    let mut body = json!({});
    for field in ["starts_at", "ends_at", "capacity", "leader_id"] {
        body[field] = row[field].clone();
    }
    body
}

#[actix_web::test]
async fn a_moved_shift_is_told_and_nobody_s_other_shifts_are_disregarded() {
    TestApp::run_configured(
        |config| config.rules.minimum_rest_minutes = 60,
        async |app| {
            let [staff, volunteer, stranger] =
                app.sign_in_all(["staff", "volunteer-1", "resident-1"]).await.try_into().ok().unwrap();
            let activity = activity(&staff).await;
            let shift = add_shift(app, &staff, &activity, (1500, 1560), 2).await;
            let other = add_shift(app, &staff, &activity, (2000, 2060), 2).await;
            let signup = sign_up(&volunteer, &shift).await;
            sign_up(&volunteer, &other).await;
            let path = format!("/shifts/{shift}");
            let mut body = as_it_is(&staff, &activity, &shift).await;
            stranger.put(&path, body.clone()).await.refused(403, "forbidden");
            let mut at = |from: i64, to: i64| {
                body["starts_at"] = json!(after(app, from));
                body["ends_at"] = json!(after(app, to));
                body.clone()
            };
            let refused = staff.put(&path, at(2050, 2110)).await.refused(409, "overlapping_shift");
            assert!(refused["detail"].as_str().unwrap().contains("**"), "named, masked: {refused}");
            staff.put(&path, at(2119, 2180)).await.refused(409, "rest_too_short");
            staff.put(&path, at(-10, 60)).await.names("/starts_at");
            staff.put(&path, at(60, 60)).await.names("/ends_at");
            let moved = staff.put(&path, at(1600, 1660)).await.expect(200);
            assert_eq!(moved["revision"], 1);
            assert_eq!(volunteer.get("/inbox").await.expect(200)["items"][0]["kind"], "shift.changed");
            let mine = volunteer.get("/me/signups").await.expect(200);
            let own = mine["items"].as_array().unwrap().iter().find(|row| row["id"] == signup["id"]).unwrap();
            assert_eq!((&own["starts_at"], &own["state"]), (&moved["starts_at"], &json!("confirmed")));

            let mut body = as_it_is(&staff, &activity, &shift).await;
            body["leader_id"] = json!(place_id(GUANGHUA));
            staff.put(&path, body.clone()).await.names("/leader_id");
            body["leader_id"] = json!(stranger.id);
            staff.put(&path, body.clone()).await.expect(200);
            stranger.get(&format!("{path}/signups")).await.expect(200);
            app.advance(Duration::minutes(1600)).await;
            app.sign_in("staff").await.put(&path, at(2300, 2360)).await.refused(409, "shift_started");
        },
    )
    .await;
}

#[actix_web::test]
async fn seats_grow_for_who_waits_and_shrink_only_by_name() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let activity = activity(&staff).await;
        let shift = add_shift(app, &staff, &activity, (1500, 1560), 2).await;
        let people = crowd(app, 4).await;
        let mut signups = Vec::new();
        for person in &people {
            signups.push(sign_up(person, &shift).await);
        }
        let path = format!("/shifts/{shift}");
        let with = |mut body: Value, capacity: i32, release: &[&Value]| {
            body["capacity"] = json!(capacity);
            body["release"] = json!(release.iter().map(|signup| signup["id"].clone()).collect::<Vec<_>>());
            body
        };
        let now = as_it_is(&staff, &activity, &shift).await;
        staff.put(&path, with(now.clone(), 3, &[])).await.expect(200);
        assert_eq!(state_of(&people[2], &signups[2]).await, "offered");
        sign_up(&people[2], &shift).await;

        staff.put(&path, with(now.clone(), 2, &[])).await.refused(409, "seats_taken");
        staff.put(&path, with(now.clone(), 2, &[&signups[3]])).await.names("/release");
        staff.put(&path, with(now.clone(), 2, &[&signups[0], &signups[0]])).await.names("/release");
        staff.put(&path, with(now.clone(), 2, &[&json!({ "id": user_id("staff") })])).await.names("/release");
        staff.put(&path, with(now.clone(), 1, &[&signups[0]])).await.refused(409, "seats_taken");
        staff.put(&path, with(now.clone(), 2, &[&signups[1]])).await.expect(200);
        assert_eq!(people[1].get("/inbox").await.expect(200)["items"][0]["kind"], "shift.released");
        let rows = queue(app, &shift).await;
        let waiting = in_state(&rows, SignupState::Waitlisted);
        assert_eq!(waiting, [&people[1], &people[3]].map(|person| person.id.parse().unwrap()), "at the head");
        assert_eq!(taken(app, &shift).await, 2);
        // The next free seat is theirs.
        people[0].delete(&format!("{path}/signup")).await.expect(200);
        assert_eq!(state_of(&people[1], &signups[1]).await, "offered");
    })
    .await;
}

// Guard: `taken <= capacity` in the condition of the update, and the shift's lock.
#[actix_web::test]
async fn seats_that_shrink_while_people_sign_up_stay_enough() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let activity = activity(&staff).await;
        let shift = add_shift(app, &staff, &activity, (1500, 1560), 20).await;
        let people = crowd(app, 24).await;
        let body = as_it_is(&staff, &activity, &shift).await;
        let (path, signup) = (format!("/shifts/{shift}"), format!("/shifts/{shift}/signup"));
        let shrinking = async {
            let mut reached = 20;
            for capacity in (4..20).rev() {
                let mut body = body.clone();
                body["capacity"] = json!(capacity);
                let answer = staff.put(&path, body).await;
                match answer.status {
                    200 => reached = capacity,
                    _ => drop(answer.refused(409, "seats_taken")),
                }
            }
            reached
        };
        let coming = join_all(people.iter().map(|person| person.put(&signup, json!({}))));
        let (reached, answers) = futures_util::join!(shrinking, coming);
        for answer in answers {
            answer.expect(200);
        }
        let seated = in_state(&queue(app, &shift).await, SignupState::Confirmed).len();
        let taken = taken(app, &shift).await;
        assert_eq!((i32::try_from(seated).unwrap(), taken), (reached.min(24), reached.min(24)));
    })
    .await;
}

#[actix_web::test]
async fn a_shift_is_called_off_and_everybody_is_told() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let activity = activity(&staff).await;
        let shift = add_shift(app, &staff, &activity, (60, 120), 1).await;
        let people = crowd(app, 3).await;
        let mut signups = Vec::new();
        for person in &people[..2] {
            signups.push(sign_up(person, &shift).await);
        }
        let asked = people[0].post(&format!("/signups/{}/stand-in", id(&signups[0])), json!({})).await.expect(201);
        let path = format!("/shifts/{shift}/call-off");
        let body = json!({ "reason": "暴雨" });
        people[2].post(&path, body.clone()).await.refused(403, "forbidden");
        staff.post(&path, json!({ "reason": "" })).await.names("/reason");
        let off = staff.post(&path, body.clone()).await.expect(200);
        assert_eq!((&off["call_off_reason"], &off["taken"]), (&json!("暴雨"), &json!(0)));
        assert_eq!(staff.post(&path, body).await.expect(200), off);
        for (person, signup) in people.iter().zip(&signups) {
            assert_eq!(state_of(person, signup).await, "cancelled");
            assert_eq!(person.get("/inbox").await.expect(200)["items"][0]["kind"], "shift.called_off");
        }
        people[2].put(&format!("/shifts/{shift}/signup"), json!({})).await.refused(409, "shift_called_off");
        people[2].post(&format!("/stand-ins/{}/accept", id(&asked)), json!({})).await.refused(409, "request_ended");
        staff
            .put(&format!("/shifts/{shift}"), as_it_is(&staff, &activity, &shift).await)
            .await
            .refused(409, "shift_called_off");
        let board = staff.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        assert_eq!(board["items"][0]["kind"], "shift.called_off");
    })
    .await;
}

// Guard: the shift's lock: who signs up while it is called off is told or refused, and sits in no called-off shift.
#[actix_web::test]
async fn a_call_off_against_sign_ups_leaves_nobody_behind() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let activity = activity(&staff).await;
        let shift = add_shift(app, &staff, &activity, (1500, 1560), 10).await;
        let people = crowd(app, 20).await;
        let (path, signup) = (format!("/shifts/{shift}/call-off"), format!("/shifts/{shift}/signup"));
        let coming = join_all(people.iter().map(|person| person.put(&signup, json!({}))));
        let (off, answers) = futures_util::join!(staff.post(&path, json!({ "reason": "暴雨" })), coming);
        off.expect(200);
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "shift_called_off");
        }
        assert!(queue(app, &shift).await.iter().all(|row| row.state == SignupState::Cancelled));
        assert_eq!(taken(app, &shift).await, 0);
    })
    .await;
}

async fn calendar(app: &TestApp, url: &str) -> String {
    let path = url.split("/api/v1").nth(1).unwrap();
    let answer = app.anonymous(Method::GET, path, &json!({})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/calendar; charset=utf-8");
    String::from_utf8(answer.bytes).unwrap()
}

/// The properties of each event.
fn events(text: &str) -> Vec<Vec<&str>> {
    let events = text.split("BEGIN:VEVENT").skip(1);
    events
        .map(|event| event.split("END:VEVENT").next().unwrap().lines().filter(|line| !line.is_empty()).collect())
        .collect()
}

#[actix_web::test]
async fn a_secret_link_shows_one_s_own_shifts_to_a_calendar() {
    TestApp::run(async |app| {
        let [staff, volunteer, other] =
            app.sign_in_all(["staff", "volunteer-1", "volunteer-2"]).await.try_into().ok().unwrap();
        let activity = activity(&staff).await;
        let off = add_shift(app, &staff, &activity, (1500, 1560), 2).await;
        let cancelled = add_shift(app, &staff, &activity, (1600, 1660), 2).await;
        let kept = add_shift(app, &staff, &activity, (1700, 1760), 2).await;
        let foreign = add_shift(app, &staff, &activity, (1800, 1860), 2).await;
        let made = volunteer.post_with_key("/me/calendar", json!({}), "feed").await.expect(201);
        let url = made["url"].as_str().unwrap().to_owned();
        assert_eq!(events(&calendar(app, &url).await).len(), 0);
        for shift in [&off, &cancelled, &kept] {
            sign_up(&volunteer, shift).await;
        }
        sign_up(&other, &foreign).await;
        sign_up(&other, &off).await;
        let has = |text: &str, shift: &str, line: &str| {
            let uid = format!("UID:{shift}@linli");
            events(text).iter().any(|event| event.contains(&uid.as_str()) && event.contains(&line))
        };
        let sequence = |text: &str, shift: &str| {
            let uid = format!("UID:{shift}@linli");
            let event = events(text).into_iter().find(|event| event.contains(&uid.as_str())).unwrap();
            event.iter().find_map(|line| line.strip_prefix("SEQUENCE:")).unwrap().parse::<u32>().unwrap()
        };
        let before = calendar(app, &url).await;
        assert_eq!(events(&before).len(), 3);
        assert!(has(&before, &off, "STATUS:CONFIRMED") && has(&before, &off, "SUMMARY:停车值守"));
        let start = as_it_is(&staff, &activity, &kept).await["starts_at"]
            .as_str()
            .unwrap()
            .parse::<DateTime<chrono::Utc>>()
            .unwrap();
        assert!(has(&before, &kept, &format!("DTSTART:{}", start.format("%Y%m%dT%H%M%SZ"))));
        staff.post(&format!("/shifts/{off}/call-off"), json!({ "reason": "暴雨" })).await.expect(200);
        volunteer.delete(&format!("/shifts/{cancelled}/signup")).await.expect(200);
        let text = calendar(app, &url).await;
        assert!(has(&text, &off, "STATUS:CANCELLED") && has(&text, &cancelled, "STATUS:CANCELLED"));
        assert!(has(&text, &kept, "STATUS:CONFIRMED"));
        assert!(
            sequence(&text, &off) > sequence(&before, &off)
                && sequence(&text, &cancelled) > sequence(&before, &cancelled)
        );
        sign_up(&volunteer, &cancelled).await;
        let again = calendar(app, &url).await;
        assert!(
            has(&again, &cancelled, "STATUS:CONFIRMED") && sequence(&again, &cancelled) > sequence(&text, &cancelled)
        );
        for person in ["staff", "volunteer-2", "volunteer-1"] {
            assert!(!again.contains(&user_id(person).to_string()), "it names nobody");
        }

        // The same key answers the same link, a new one ends it.
        assert_eq!(volunteer.post_with_key("/me/calendar", json!({}), "feed").await.expect(201)["url"], url);
        let next = volunteer.post("/me/calendar", json!({})).await.expect(201)["url"].as_str().unwrap().to_owned();
        let path = url.split("/api/v1").nth(1).unwrap().to_owned();
        app.anonymous(Method::GET, &path, &json!({})).await.refused(404, "not_found");
        let mut forged = next.split("/api/v1").nth(1).unwrap().to_owned();
        forged.replace_range(10..14, "AAAA");
        app.anonymous(Method::GET, &forged, &json!({})).await.refused(404, "not_found");
        app.anonymous(Method::GET, "/calendar/x.ics", &json!({})).await.refused(404, "not_found");
        assert_eq!(events(&calendar(app, &next).await).len(), 3);
        let stored = idempotency_key::Entity::find().all(app.state.db.read()).await.unwrap();
        assert!(stored.iter().all(|row| !row.body.to_string().contains(".ics")), "no stored answer holds the secret");
    })
    .await;
}
