//! Who did not come: marks, appeals, suspensions.

use chrono::Duration;
use entities::volunteering::{no_show, suspension};
use futures_util::future::join_all;
use linli::platform::code::Code;
use linli::platform::http::Problem;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::{Person, TestApp, user_id};
use crate::volunteering::{activity, add_shift, id, sign_up, state_of};

/// Seats of volunteer-1 in so many shifts, which are over.
async fn missed(app: &TestApp, shifts: i64) -> Vec<Value> {
    let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
    let activity = activity(&staff).await;
    let mut signups = Vec::new();
    for at in 0..shifts {
        let shift = add_shift(app, &staff, &activity, (10 + at * 10, 20 + at * 10), 1).await;
        let mut signup = sign_up(&volunteer, &shift).await;
        signup["shift"] = json!(shift);
        signups.push(signup);
    }
    app.advance(Duration::minutes(10 + shifts * 10)).await;
    signups
}

async fn mark(by: &Person, signup: &Value) -> Value {
    by.post(&format!("/signups/{}/no-show", id(signup)), json!({})).await.expect(200)
}

async fn appeal(person: &Person, signup: &Value) -> Value {
    let body = json!({ "reason": "陪老人去医院" });
    person.post(&format!("/signups/{}/appeal", id(signup)), body).await.expect(200)
}

fn decision(excused: bool) -> Value {
    json!({ "excused": excused, "reason": "已核实" })
}

#[actix_web::test]
async fn leaders_are_reminded_and_somebody_marks_who_did_not_come() {
    TestApp::run(async |app| {
        let signups = missed(app, 1).await;
        app.advance(Duration::hours(3)).await;
        app.advance(Duration::hours(1)).await;
        let [staff, volunteer, stranger] =
            app.sign_in_all(["staff", "volunteer-1", "resident-1"]).await.try_into().ok().unwrap();
        assert_eq!(state_of(&volunteer, &signups[0]).await, "confirmed", "nobody is marked by the clock");
        let inbox = staff.get("/inbox").await.expect(200);
        let reminders = inbox["items"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "shift.unmarked");
        assert_eq!(reminders.count(), 1, "once a shift");
        let path = format!("/signups/{}/no-show", id(&signups[0]));
        stranger.post(&path, json!({})).await.refused(404, "not_found");
        volunteer.post(&path, json!({})).await.refused(403, "own_act");
        let marked = mark(&staff, &signups[0]).await;
        assert_eq!(marked["state"], "standing");
        assert_eq!(mark(&staff, &signups[0]).await, marked, "said again, the same");
        assert_eq!(state_of(&volunteer, &signups[0]).await, "no_show");
        assert_eq!(volunteer.get("/inbox").await.expect(200)["items"][0]["kind"], "signup.no_show");
        assert_eq!(volunteer.get("/me/no-shows").await.expect(200)["items"][0], marked);
    })
    .await;
}

#[actix_web::test]
async fn a_no_show_is_marked_once_the_shift_is_over_and_only_of_who_did_not_come() {
    TestApp::run(async |app| {
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        let activity = activity(&staff).await;
        let shift = add_shift(app, &staff, &activity, (10, 60), 1).await;
        let signup = sign_up(&volunteer, &shift).await;
        let path = format!("/signups/{}/no-show", id(&signup));
        staff.post(&path, json!({})).await.refused(409, "signup_state");
        staff.post(&format!("/signups/{}/check-in", id(&signup)), json!({})).await.expect(200);
        app.advance(Duration::minutes(60)).await;
        app.sign_in("staff").await.post(&path, json!({})).await.refused(409, "signup_state");
    })
    .await;
}

#[actix_web::test]
async fn an_appeal_is_decided_by_somebody_else_than_who_marked() {
    TestApp::run(async |app| {
        let signups = missed(app, 2).await;
        let [staff, second, volunteer, stranger] =
            app.sign_in_all(["staff", "staff-2", "volunteer-1", "resident-1"]).await.try_into().ok().unwrap();
        let [one, two] = [&signups[0], &signups[1]];
        let appeals = |signup: &Value| format!("/signups/{}/appeal", id(signup));
        let decisions = |signup: &Value| format!("/signups/{}/appeal/decision", id(signup));
        volunteer.post(&appeals(one), json!({ "reason": "没有" })).await.refused(404, "not_found");
        mark(&staff, one).await;
        mark(&staff, two).await;
        stranger.post(&appeals(one), json!({ "reason": "别人的" })).await.refused(404, "not_found");
        volunteer.post(&appeals(one), json!({ "reason": "" })).await.names("/reason");
        second.post(&decisions(one), decision(true)).await.refused(404, "not_found");
        assert_eq!(appeal(&volunteer, one).await["state"], "appealed");
        volunteer.post(&appeals(one), json!({ "reason": "再来一次" })).await.refused(409, "appeal_window");
        assert_eq!(second.get("/appeals").await.expect(200)["items"][0]["signup_id"], one["id"]);
        volunteer.get("/appeals").await.refused(403, "forbidden");
        let elsewhere = app.sign_in("staff-other").await;
        assert_eq!(elsewhere.get("/appeals").await.expect(200)["items"], json!([]));

        staff.post(&decisions(one), decision(true)).await.refused(403, "own_act");
        volunteer.post(&decisions(one), decision(true)).await.refused(403, "own_act");
        elsewhere.post(&decisions(one), decision(true)).await.refused(404, "not_found");
        let decided = second.post(&decisions(one), decision(true)).await.expect(200);
        assert_eq!((&decided["state"], &decided["decision"]), (&json!("excused"), &json!("已核实")));
        second.post(&decisions(one), decision(false)).await.refused(409, "already_decided");
        assert_eq!(state_of(&volunteer, one).await, "excused");
        assert_eq!(volunteer.get("/inbox").await.expect(200)["items"][0]["kind"], "appeal.decided");
        assert_eq!(second.get("/appeals").await.expect(200)["items"], json!([]));

        appeal(&volunteer, two).await;
        assert_eq!(second.post(&decisions(two), decision(false)).await.expect(200)["state"], "rejected");
        assert_eq!(state_of(&volunteer, two).await, "no_show");
    })
    .await;
}

#[actix_web::test]
async fn an_appeal_has_its_time() {
    TestApp::run(async |app| {
        let signups = missed(app, 1).await;
        mark(&app.sign_in("staff").await, &signups[0]).await;
        app.advance(Duration::days(7)).await;
        let volunteer = app.sign_in("volunteer-1").await;
        let body = json!({ "reason": "太晚了" });
        volunteer.post(&format!("/signups/{}/appeal", id(&signups[0])), body).await.refused(409, "appeal_window");
    })
    .await;
}

// The second guards by themselves: `no_shows_not_by_oneself` and `no_shows_appeal_by_another`.
#[actix_web::test]
async fn the_database_lets_nobody_mark_or_excuse_themself() {
    TestApp::run(async |app| {
        let signups = missed(app, 1).await;
        mark(&app.sign_in("staff").await, &signups[0]).await;
        let row = no_show::Entity::find().one(app.state.db.read()).await.unwrap().unwrap();
        for forge in [
            |row: &mut no_show::ActiveModel| row.set_by = Set(Some(user_id("volunteer-1"))),
            |row: &mut no_show::ActiveModel| {
                row.state = Set(entities::volunteering::NoShowState::Excused);
                row.appealed_at = Set(Some(chrono::DateTime::UNIX_EPOCH));
                row.decided_by = Set(Some(user_id("staff")));
            },
        ] {
            let mut forged = row.clone().into_active_model();
            forge(&mut forged);
            let txn = app.state.db.begin().await.unwrap();
            let refused: Problem = forged.update(&txn).await.unwrap_err().into();
            assert_eq!(refused.code(), Code::OwnAct);
        }
    })
    .await;
}

#[actix_web::test]
async fn three_no_shows_suspend_and_an_excuse_lifts_it() {
    TestApp::run(async |app| {
        let signups = missed(app, 3).await;
        let [staff, second, volunteer] =
            app.sign_in_all(["staff", "staff-2", "volunteer-1"]).await.try_into().ok().unwrap();
        let activity = activity(&staff).await;
        let next = add_shift(app, &staff, &activity, (3000, 3060), 2).await;
        let path = format!("/shifts/{next}/signup");
        mark(&staff, &signups[0]).await;
        mark(&staff, &signups[1]).await;
        sign_up(&volunteer, &next).await;
        volunteer.delete(&path).await.expect(200);
        mark(&staff, &signups[2]).await;
        let until = volunteer.get("/me/volunteering").await.expect(200)["suspended_until"].clone();
        let until: chrono::DateTime<chrono::Utc> = until.as_str().unwrap().parse().unwrap();
        assert_eq!((until - app.state.clock.now()).num_days(), 29, "thirty, less a moment");
        let refused = volunteer.put(&path, json!({})).await.refused(409, "suspended");
        assert!(refused["detail"].as_str().unwrap().contains("月"), "{refused}");

        appeal(&volunteer, &signups[1]).await;
        volunteer.put(&path, json!({})).await.refused(409, "suspended");
        let decide = format!("/signups/{}/appeal/decision", id(&signups[1]));
        second.post(&decide, decision(true)).await.expect(200);
        assert_eq!(volunteer.get("/me/volunteering").await.expect(200)["suspended_until"], Value::Null);
        sign_up(&volunteer, &next).await;
    })
    .await;
}

#[actix_web::test]
async fn a_suspension_ends_by_itself_and_its_no_shows_are_paid_for() {
    TestApp::run(async |app| {
        let signups = missed(app, 4).await;
        let staff = app.sign_in("staff").await;
        for signup in &signups[..3] {
            mark(&staff, signup).await;
        }
        app.advance(Duration::days(31)).await;
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        let activity = activity(&staff).await;
        let next = add_shift(app, &staff, &activity, (3000, 3060), 2).await;
        sign_up(&volunteer, &next).await;
        mark(&staff, &signups[3]).await;
        assert_eq!(volunteer.get("/me/volunteering").await.expect(200)["suspended_until"], Value::Null);
        assert_eq!(suspension::Entity::find().count(app.state.db.read()).await.unwrap(), 1);
    })
    .await;
}

// Guard: the person's row lock; without it a mark that comes twice at once is refused instead of answered the same.
#[actix_web::test]
async fn three_marks_at_once_suspend_once() {
    TestApp::run(async |app| {
        let signups = missed(app, 3).await;
        let [staff, second] = [app.sign_in("staff").await, app.sign_in("staff-2").await];
        let paths: Vec<_> = signups.iter().map(|signup| format!("/signups/{}/no-show", id(signup))).collect();
        let marks = paths.iter().flat_map(|path| [staff.post(path, json!({})), second.post(path, json!({}))]);
        for answer in join_all(marks).await {
            answer.expect(200);
        }
        let db = app.state.db.read();
        assert_eq!(no_show::Entity::find().count(db).await.unwrap(), 3);
        assert_eq!(suspension::Entity::find().count(db).await.unwrap(), 1);
        let suspended = app.sign_in("volunteer-1").await.get("/me/volunteering").await.expect(200);
        assert!(suspended["suspended_until"].is_string());
    })
    .await;
}
