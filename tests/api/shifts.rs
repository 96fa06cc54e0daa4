//! What a sign-up must meet: teams first, rest, skills, the cut-off; and the shifts that templates make.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use entities::volunteering::{SignupState, shift, signup};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use linli::platform::code::Code;
use linli::platform::config::Config;
use linli::platform::http::Problem;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};
use serde_json::{Value, json};

use crate::support::{ANJING, GUANGHUA, Person, TestApp, place_id, user_id};
use crate::volunteering::{activity, add_shift, after, crowd, id, in_state, queue, sign_up, step_back, taken};

/// A team of 光华社区 led by volunteer-1, with volunteer-2 in it.
pub async fn team(app: &TestApp) -> (String, String) {
    let [staff, leader, member] =
        app.sign_in_all(["staff", "volunteer-1", "volunteer-2"]).await.try_into().ok().unwrap();
    let body =
        json!({ "place_id": place_id(GUANGHUA), "name": "一队", "description": "停车值守", "leader_id": leader.id });
    let team = id(&staff.post("/teams", body).await.expect(201));
    let asked = id(&member.post(&format!("/teams/{team}/requests"), json!({})).await.expect(201));
    leader.post(&format!("/team-members/{asked}/accept"), json!({})).await.expect(200);
    (team, asked)
}

/// A shift with more than times and seats.
pub async fn special(app: &TestApp, staff: &Person, activity: &str, (from, to): (i64, i64), more: Value) -> String {
    let mut body = json!({ "starts_at": after(app, from), "ends_at": after(app, to), "capacity": 1 });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    id(&staff.post(&format!("/activities/{activity}/shifts"), body).await.expect(201))
}

#[actix_web::test]
async fn a_team_s_shift_is_its_members_first_and_everybody_s_later() {
    TestApp::run(async |app| {
        let (team, membership) = team(app).await;
        let [staff, leader, member, other] =
            app.sign_in_all(["staff", "volunteer-1", "volunteer-2", "resident-1"]).await.try_into().ok().unwrap();
        let activity = activity(&staff).await;
        let shift =
            special(app, &staff, &activity, (49 * 60, 50 * 60), json!({ "team_id": team, "capacity": 3 })).await;
        let seen = other.get(&format!("/activities/{activity}")).await.expect(200)["shifts"][0].clone();
        assert_eq!(
            (&seen["team_id"], &seen["leader_id"]),
            (&json!(team), &json!(leader.id)),
            "the team's leader leads"
        );
        let path = format!("/shifts/{shift}/signup");
        other.put(&path, json!({})).await.refused(409, "team_first");
        assert_eq!(sign_up(&member, &shift).await["state"], "confirmed");

        // Who leaves the team keeps the seat, and is no member for the next shift.
        let next = special(app, &staff, &activity, (60 * 60, 61 * 60), json!({ "team_id": team })).await;
        leader.delete(&format!("/team-members/{membership}")).await.expect(200);
        member.put(&format!("/shifts/{next}/signup"), json!({})).await.refused(409, "team_first");
        assert_eq!(in_state(&queue(app, &shift).await, SignupState::Confirmed), [user_id("volunteer-2")]);

        app.advance(Duration::hours(1)).await;
        let other = app.sign_in("resident-1").await;
        assert_eq!(sign_up(&other, &shift).await["state"], "confirmed");

        let elsewhere = app.sign_in("staff-other").await;
        let body = json!({ "place_id": place_id(ANJING), "title": "别处", "description": "安静社区的活动" });
        let there = id(&elsewhere.post("/activities", body).await.expect(201));
        let body = json!({ "starts_at": after(app, 60), "ends_at": after(app, 90), "capacity": 1, "team_id": team });
        elsewhere.post(&format!("/activities/{there}/shifts"), body).await.names("/team_id");
    })
    .await;
}

#[actix_web::test]
async fn a_new_leader_leads_the_team_s_coming_shifts_that_the_old_one_led() {
    TestApp::run(async |app| {
        let (team, _) = team(app).await;
        let [staff, leader, member] =
            app.sign_in_all(["staff", "volunteer-1", "volunteer-2"]).await.try_into().ok().unwrap();
        let activity = activity(&staff).await;
        let led = special(app, &staff, &activity, (60, 120), json!({ "team_id": team })).await;
        let named = json!({ "team_id": team, "leader_id": staff.id });
        let named = special(app, &staff, &activity, (120, 180), named).await;
        leader.put(&format!("/teams/{team}/leader"), json!({ "user_id": member.id })).await.expect(200);
        app.work().await;
        let seen = staff.get(&format!("/activities/{activity}")).await.expect(200);
        let leads = |shift: &str| {
            let shifts = seen["shifts"].as_array().unwrap();
            shifts.iter().find(|row| row["id"] == shift).unwrap()["leader_id"].clone()
        };
        assert_eq!((leads(&led), leads(&named)), (json!(member.id), json!(staff.id)));
        member.get(&format!("/shifts/{led}/signups")).await.expect(200);
        leader.get(&format!("/shifts/{led}/signups")).await.refused(403, "forbidden");
    })
    .await;
}

#[actix_web::test]
async fn a_shift_may_need_a_skill_that_somebody_confirmed() {
    TestApp::run(async |app| {
        let (_, membership) = team(app).await;
        let [staff, leader, member] =
            app.sign_in_all(["staff", "volunteer-1", "volunteer-2"]).await.try_into().ok().unwrap();
        let activity = activity(&staff).await;
        let shift = special(app, &staff, &activity, (1500, 1560), json!({ "skill": "急救" })).await;
        let (path, skills) = (format!("/shifts/{shift}/signup"), format!("/team-members/{membership}/skills"));
        member.put(&path, json!({})).await.refused(409, "not_qualified");
        member.put(&skills, json!({ "skills": ["急救"] })).await.expect(200);
        member.put(&path, json!({})).await.refused(409, "not_qualified");
        leader.put(&skills, json!({ "skills": ["急救"] })).await.expect(200);
        assert_eq!(sign_up(&member, &shift).await["state"], "confirmed");
        // Out of the team, out of its word.
        step_back(&member, &shift).await;
        member.delete(&format!("/team-members/{membership}")).await.expect(200);
        member.put(&path, json!({})).await.refused(409, "not_qualified");
    })
    .await;
}

fn eight_hours(config: &mut Config) {
    config.rules.minimum_rest_minutes = 480;
}

#[actix_web::test]
async fn between_two_shifts_of_one_person_lies_the_rest_that_the_community_wants() {
    TestApp::run_configured(eight_hours, async |app| {
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        let activity = activity(&staff).await;
        let first = add_shift(app, &staff, &activity, (3000, 3480), 2).await;
        let short = add_shift(app, &staff, &activity, (3959, 4439), 2).await;
        let before = add_shift(app, &staff, &activity, (2041, 2521), 2).await;
        let within = add_shift(app, &staff, &activity, (3100, 3200), 2).await;
        let enough = add_shift(app, &staff, &activity, (3960, 4440), 2).await;
        sign_up(&volunteer, &first).await;
        for shift in [&short, &before] {
            let refused =
                volunteer.put(&format!("/shifts/{shift}/signup"), json!({})).await.refused(409, "rest_too_short");
            assert!(refused["detail"].as_str().unwrap().contains("480"), "{refused}");
            assert_eq!(taken(app, shift).await, 0, "no seat is lost");
        }
        volunteer.put(&format!("/shifts/{within}/signup"), json!({})).await.refused(409, "overlapping_shift");
        assert_eq!(sign_up(&volunteer, &enough).await["state"], "confirmed");
    })
    .await;
}

// The second guard by itself: `signups_overlap` holds the rest, for a new row and for one that is moved.
#[actix_web::test]
async fn the_database_keeps_the_rest_by_itself() {
    TestApp::run_configured(eight_hours, async |app| {
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        let activity = activity(&staff).await;
        let first = add_shift(app, &staff, &activity, (3000, 3480), 2).await;
        let later = add_shift(app, &staff, &activity, (3960, 4440), 2).await;
        sign_up(&volunteer, &first).await;
        sign_up(&volunteer, &later).await;
        let row = queue(app, &later).await.remove(0);
        let earlier = row.starts_at - Duration::minutes(1);
        let txn = app.state.db.begin().await.unwrap();
        let mut moved = row.clone().into_active_model();
        moved.starts_at = Set(earlier);
        let refused: Problem = moved.update(&txn).await.unwrap_err().into();
        assert_eq!(refused.code(), Code::OverlappingShift);
        drop(txn);
        let txn = app.state.db.begin().await.unwrap();
        signup::Entity::delete_by_id(row.id).exec(&txn).await.unwrap();
        let mut new = row.into_active_model();
        new.starts_at = Set(earlier);
        let refused: Problem = new.insert(&txn).await.unwrap_err().into();
        assert_eq!(refused.code(), Code::OverlappingShift);
    })
    .await;
}

// Guards: the person's row lock before the check, and `signups_overlap`; either is enough.
#[actix_web::test]
async fn parallel_sign_ups_of_one_person_leave_the_rest() {
    TestApp::run_configured(eight_hours, async |app| {
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        let activity = activity(&staff).await;
        let mut shifts = Vec::new();
        for at in 0..10 {
            // Each begins when the one before ends.
            shifts.push(add_shift(app, &staff, &activity, (3000 + at * 60, 3060 + at * 60), 5).await);
        }
        let paths: Vec<_> = shifts.iter().map(|shift| format!("/shifts/{shift}/signup")).collect();
        let answers = join_all(paths.iter().map(|path| volunteer.put(path, json!({})))).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        let live = signup::Entity::find().filter(signup::Column::UserId.eq(user_id("volunteer-1")));
        let live = live.all(app.state.db.read()).await.unwrap();
        assert_eq!(won, live.len());
        assert!(matches!(won, 1 | 2), "of ten hours at most the first and the last leave eight between them");
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "rest_too_short");
        }
    })
    .await;
}

// Guards: the shift's row lock (queue) and `taken < capacity` in the condition (seat).
#[actix_web::test]
async fn of_a_thousand_people_one_gets_the_last_seat_and_no_other_shift_at_that_time() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let activity = activity(&staff).await;
        let last = add_shift(app, &staff, &activity, (1500, 1560), 1).await;
        let other = add_shift(app, &staff, &activity, (1530, 1590), 1000).await;
        let people = crowd(app, 1000).await;
        let (last_path, other_path) = (format!("/shifts/{last}/signup"), format!("/shifts/{other}/signup"));
        // Everybody wants the last seat; every tenth asks for the overlapping shift in the same moment.
        let wishes = people.iter().enumerate().map(async |(at, person)| {
            if at % 10 == 0 {
                let (one, two) =
                    futures_util::join!(person.put(&last_path, json!({})), person.put(&other_path, json!({})));
                assert_eq!([one.status, two.status].iter().filter(|status| **status == 200).count(), 1);
            } else {
                person.put(&last_path, json!({})).await.expect(200);
            }
        });
        stream::iter(wishes).buffer_unordered(200).collect::<()>().await;
        let rows = queue(app, &last).await;
        let winners = in_state(&rows, SignupState::Confirmed);
        assert_eq!((winners.len(), taken(app, &last).await), (1, 1));
        let live = signup::Entity::find().filter(signup::Column::UserId.eq(winners[0])).count(app.state.db.read());
        assert_eq!(live.await.unwrap(), 1);
    })
    .await;
}

#[actix_web::test]
async fn stepping_back_is_free_until_the_cut_off() {
    TestApp::run(async |app| {
        let [staff, volunteer, second, third] =
            app.sign_in_all(["staff", "volunteer-1", "volunteer-2", "volunteer-3"]).await.try_into().ok().unwrap();
        let activity = activity(&staff).await;
        let shift = add_shift(app, &staff, &activity, (12 * 60 + 10, 13 * 60), 1).await;
        sign_up(&volunteer, &shift).await;
        step_back(&volunteer, &shift).await;
        let signup = sign_up(&volunteer, &shift).await;
        sign_up(&second, &shift).await;
        app.advance(Duration::minutes(10)).await;
        let [volunteer, second] = [app.sign_in("volunteer-1").await, app.sign_in("volunteer-2").await];
        let path = format!("/shifts/{shift}/signup");
        let refused = volunteer.delete(&path).await.refused(409, "cancel_too_late");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("/signups/{}/stand-in", id(&signup))), "{detail}");
        // Who waits holds no seat, and goes as they like.
        assert_eq!(step_back(&second, &shift).await["state"], "cancelled");
        drop(third);
    })
    .await;
}

fn day(app: &TestApp, days: i64) -> NaiveDate {
    let china = chrono::FixedOffset::east_opt(8 * 3600).unwrap();
    (app.state.clock.now() + Duration::days(days)).with_timezone(&china).date_naive()
}

/// 三班倒 of some teams for so many days from tomorrow on.
fn three_shifts(app: &TestApp, teams: &[String], days: i64) -> Value {
    json!({
        "from": day(app, 1), "until": day(app, days), "rule": "FREQ=DAILY", "teams": teams, "capacity": 2,
        "parts": [
            { "start": "00:00", "end": "08:00" }, { "start": "08:00", "end": "16:00" }, { "start": "16:00", "end": "24:00" },
        ],
    })
}

async fn made(app: &TestApp, template: &Value) -> u64 {
    let id: uuid::Uuid = template["template_id"].as_str().unwrap().parse().unwrap();
    shift::Entity::find().filter(shift::Column::TemplateId.eq(id)).count(app.state.db.read()).await.unwrap()
}

#[actix_web::test]
async fn a_template_makes_shifts_around_the_clock_for_teams_in_turn() {
    TestApp::run(async |app| {
        let (team, _) = team(app).await;
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-3").await];
        let mut teams = vec![team];
        for name in ["二队", "三队"] {
            let body = json!({ "place_id": place_id(GUANGHUA), "name": name, "description": "停车值守", "leader_id": volunteer.id });
            teams.push(id(&staff.post("/teams", body).await.expect(201)));
        }
        let activity = activity(&staff).await;
        let path = format!("/activities/{activity}/shift-templates");
        let mut plan = three_shifts(app, &teams, 7);
        plan["dry_run"] = json!(true);
        let preview = staff.post(&path, plan.clone()).await.expect(200);
        assert_eq!((preview["shifts"].as_array().unwrap().len(), &preview["template_id"]), (21, &Value::Null));
        let seen = staff.get(&format!("/activities/{activity}")).await.expect(200);
        assert_eq!(seen["shifts"], json!([]), "a dry run leaves nothing");

        plan["dry_run"] = json!(false);
        let first = staff.post(&path, plan.clone()).await.expect(201);
        assert_eq!(first["shifts"], preview["shifts"]);
        assert_eq!(made(app, &first).await, 21);
        let shifts = first["shifts"].as_array().unwrap();
        let at = |shift: &Value, end: &str| shift[end].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        assert!(shifts.windows(2).all(|pair| at(&pair[0], "ends_at") == at(&pair[1], "starts_at")), "midnight too");
        let turns: Vec<_> = shifts[..6].iter().map(|shift| shift["team_id"].as_str().unwrap()).collect();
        assert_eq!(turns, [&teams[0], &teams[1], &teams[2], &teams[1], &teams[2], &teams[0]]);
        let seen = staff.get(&format!("/activities/{activity}")).await.expect(200);
        assert_eq!(seen["shifts"][1]["leader_id"], volunteer.id, "the team's leader");

        // Again: nothing. Longer: only what is missing. A dry run of it tells as much.
        let again = staff.post(&path, plan.clone()).await.expect(201);
        assert_eq!((&again["template_id"], &again["existing"]), (&first["template_id"], &json!(21)));
        plan["until"] = json!(day(app, 9));
        let longer = staff.post(&path, plan).await.expect(201);
        assert_eq!((longer["shifts"].as_array().unwrap().len(), made(app, &first).await), (6, 27));
    })
    .await;
}

#[actix_web::test]
async fn a_template_within_limits_and_at_home() {
    TestApp::run(async |app| {
        let [staff, other, volunteer] =
            app.sign_in_all(["staff", "staff-other", "volunteer-1"]).await.try_into().ok().unwrap();
        let activity = activity(&staff).await;
        let path = format!("/activities/{activity}/shift-templates");
        let plan = three_shifts(app, &[], 7);
        volunteer.post(&path, plan.clone()).await.refused(403, "forbidden");
        other.post(&path, plan.clone()).await.refused(403, "forbidden");
        let with = |field: &str, value: Value| {
            let mut plan = plan.clone();
            plan[field] = value;
            plan
        };
        staff.post(&path, with("rule", json!("FREQ=SECONDLY"))).await.names("/rule");
        staff.post(&path, with("rule", json!("每天"))).await.names("/rule");
        staff.post(&path, with("until", json!(day(app, 0)))).await.names("/until");
        staff.post(&path, with("until", json!(day(app, 300)))).await.names("/until");
        staff.post(&path, with("until", json!(day(app, 399)))).await.names("/until");
        staff.post(&path, with("teams", json!([user_id("staff")]))).await.names("/teams/0");
        staff.post(&path, with("leader_id", json!(place_id(GUANGHUA)))).await.names("/leader_id");
        staff.post(&path, with("capacity", json!(0))).await.names("/capacity");
        staff.post(&path, with("parts", json!([]))).await.names("/parts");
        staff.post(&path, with("parts", json!([{ "start": "24:00", "end": "08:00" }]))).await.names("/parts/0");
        let twice = json!([{ "start": "08:00", "end": "09:00" }, { "start": "08:00", "end": "10:00" }]);
        staff.post(&path, with("parts", twice)).await.names("/parts");
        let seen = staff.get(&format!("/activities/{activity}")).await.expect(200);
        assert_eq!(seen["shifts"], json!([]), "what was refused left nothing");
        // What began and is not over is made, what is over is not.
        let made = staff.post(&path, with("from", json!(day(app, -7)))).await.expect(201);
        let ends: Vec<DateTime<Utc>> = made["shifts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|shift| shift["ends_at"].as_str().unwrap().parse().unwrap())
            .collect();
        assert!(ends.iter().all(|end| *end > app.state.clock.now()) && ends.len() > 21);
    })
    .await;
}

// Guards: the template's lock, `shift_templates_once` and `shifts_of_template`.
#[actix_web::test]
async fn one_template_made_by_many_at_once_makes_its_shifts_once() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let path = format!("/activities/{}/shift-templates", activity(&staff).await);
        let answers = join_all((0..8).map(|_| staff.post(&path, three_shifts(app, &[], 30)))).await;
        let answers: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201)).collect();
        let total: usize = answers.iter().map(|answer| answer["shifts"].as_array().unwrap().len()).sum();
        assert_eq!((total, made(app, &answers[0]).await), (90, 90));
    })
    .await;
}
