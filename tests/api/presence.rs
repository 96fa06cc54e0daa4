//! Coming and leaving with and without a network, review, confirmation, records and corrections.

use chrono::{DateTime, Duration, SubsecRound, Utc};
use entities::ids::UserId;
use entities::volunteering::{offline_check_in, service_correction, service_record, signup};
use futures_util::future::join_all;
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{GUANGHUA, Person, TestApp, place_id, user_id};

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

fn after(app: &TestApp, minutes: i64) -> DateTime<Utc> {
    app.state.clock.now().trunc_subsecs(0) + Duration::minutes(minutes)
}

async fn activity(staff: &Person) -> String {
    let body = json!({ "place_id": place_id(GUANGHUA), "title": "敬老包饺子", "description": "和老人一起过节。" });
    id(&staff.post("/activities", body).await.expect(201))
}

/// A shift of `staff` that begins and ends so many minutes from now.
async fn new_shift(app: &TestApp, from: i64, to: i64) -> String {
    let staff = app.sign_in("staff").await;
    let activity = activity(&staff).await;
    let body = json!({ "starts_at": after(app, from), "ends_at": after(app, to), "capacity": 30 });
    id(&staff.post(&format!("/activities/{activity}/shifts"), body).await.expect(201))
}

async fn sign_up(app: &TestApp, person: &str, shift: &str) -> String {
    id(&app.sign_in(person).await.put(&format!("/shifts/{shift}/signup"), json!({})).await.expect(200))
}

async fn code(app: &TestApp, shift: &str) -> Value {
    app.sign_in("staff").await.get(&format!("/shifts/{shift}/check-in-code")).await.expect(200)["code"].clone()
}

/// Comes or leaves with the code on the screen.
async fn scan(app: &TestApp, person: &str, shift: &str, step: &str) {
    let body = json!({ "code": code(app, shift).await });
    app.sign_in(person).await.post(&format!("/shifts/{shift}/{step}"), body).await.expect(200);
}

async fn row(app: &TestApp, signup: &str) -> signup::Model {
    let signup: Uuid = signup.parse().unwrap();
    signup::Entity::find_by_id(signup).one(app.state.db.read()).await.unwrap().unwrap()
}

async fn presence(app: &TestApp, shift: &str) -> Value {
    app.sign_in("staff").await.get(&format!("/shifts/{shift}/presence")).await.expect(200)["items"].clone()
}

async fn notices(app: &TestApp, kind: &str) -> Vec<Value> {
    let path = format!("/notices?place_id={}&limit=100", place_id(GUANGHUA));
    let all = app.sign_in("resident-1").await.get(&path).await.expect(200);
    all["items"].as_array().unwrap().iter().filter(|notice| notice["kind"] == kind).cloned().collect()
}

async fn available(app: &TestApp, person: &str) -> i64 {
    app.sign_in(person).await.get("/me/points").await.expect(200)["available"].as_i64().unwrap()
}

#[actix_web::test]
async fn where_a_phone_was_is_a_hint_that_decides_nothing() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 10, 60).await;
        let [staff, other, volunteer] =
            app.sign_in_all(["staff", "staff-other", "volunteer-1"]).await.try_into().ok().unwrap();
        let activity = presence_activity(app, &shift).await;
        let point = json!({ "latitude": 30.6, "longitude": 114.3, "radius_m": 100 });
        let (of_shift, of_activity) =
            (format!("/shifts/{shift}/meeting-point"), format!("/activities/{activity}/meeting-point"));
        volunteer.get(&of_shift).await.refused(404, "not_found");
        for stranger in [&other, &volunteer] {
            stranger.put(&of_shift, point.clone()).await.refused(403, "forbidden");
            stranger.put(&of_activity, point.clone()).await.refused(403, "forbidden");
        }
        let mut wrong = point.clone();
        wrong["radius_m"] = json!(5);
        staff.put(&of_shift, wrong).await.names("/radius_m");
        assert_eq!(staff.put(&of_activity, point.clone()).await.expect(200)["of_shift"], false);
        let mut own = point.clone();
        own["radius_m"] = json!(200);
        staff.put(&of_shift, own).await.expect(200);
        assert_eq!(volunteer.get(&of_shift).await.expect(200)["radius_m"], 200, "the shift's own comes first");

        for (person, latitude, accuracy, nearness) in [
            ("volunteer-1", 30.6005, Some(20), "near"),
            ("volunteer-2", 30.7, Some(20), "far"),
            ("volunteer-3", 30.7, Some(50_000), "unclear"),
        ] {
            sign_up(app, person, &shift).await;
            let position = json!({ "latitude": latitude, "longitude": 114.3, "accuracy_m": accuracy });
            let body = json!({ "code": code(app, &shift).await, "position": position });
            app.sign_in(person).await.post(&format!("/shifts/{shift}/check-in"), body).await.expect(200);
            let seen = presence(app, &shift).await;
            let seen = &seen[0]["check_in"]["position"];
            assert_eq!(
                (&seen["nearness"], &seen["accuracy_m"]),
                (&json!(nearness), &json!(f64::from(accuracy.unwrap())))
            );
            let distance = seen["distance_m"].as_f64().unwrap();
            assert!(if nearness == "near" { distance < 100.0 } else { distance > 10_000.0 }, "{distance}");
        }
        let [staff, volunteer] = [app.sign_in("staff").await, app.sign_in("volunteer-1").await];
        staff.delete(&of_shift).await.expect(204);
        assert_eq!(volunteer.get(&of_shift).await.expect(200)["radius_m"], 100, "then the activity's");
        staff.delete(&of_activity).await.expect(204);
        volunteer.get(&of_shift).await.refused(404, "not_found");
        volunteer.get(&format!("/shifts/{shift}/presence")).await.refused(403, "forbidden");
    })
    .await;
}

async fn presence_activity(app: &TestApp, shift: &str) -> String {
    use entities::volunteering::shift as table;
    let shift: Uuid = shift.parse().unwrap();
    table::Entity::find_by_id(shift).one(app.state.db.read()).await.unwrap().unwrap().activity_id.to_string()
}

// Guards: the primary key of `offline_check_ins` with its insert's row count; before it the sign-up's row lock.
#[actix_web::test]
async fn one_nonce_uploaded_by_thirty_at_once_happens_once() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 10, 120).await;
        let signup = sign_up(app, "volunteer-1", &shift).await;
        let body = json!({ "step": "in", "code": code(app, &shift).await, "nonce": "phone-0001",
            "device_time": app.state.clock.now() });
        let scanned = app.state.clock.now();
        app.advance(Duration::minutes(40)).await;
        let volunteer = app.sign_in("volunteer-1").await;
        let path = format!("/shifts/{shift}/check-ins/offline");
        let answers = join_all((0..30).map(|_| volunteer.post(&path, body.clone()))).await;
        let answers: Vec<Value> = answers.into_iter().map(|answer| answer.expect(200)).collect();
        assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
        assert_eq!((&answers[0]["late"], &answers[0]["applied"]), (&json!(true), &json!(true)));
        let stored = offline_check_in::Entity::find().count(app.state.db.read()).await.unwrap();
        assert_eq!(stored, 1);
        let row = row(app, &signup).await;
        let came = row.checked_in_at.unwrap();
        assert!((came - scanned).abs() < Duration::seconds(1), "the phone's time counts: {came}, {scanned}");
        assert_eq!(row.proof["check_in"]["method"], "offline");
        let seen = presence(app, &shift).await;
        assert_eq!(seen[0]["check_in"]["late"], true);
        assert!(seen[0]["check_in"]["received_at"].is_string() && seen[0]["check_in"]["device_time"].is_string());

        // The same nonce for something else is a mistake of the phone; a nonce is one's own.
        let mut other = body.clone();
        other["step"] = json!("out");
        volunteer.post(&path, other).await.refused(409, "idempotency_key_reused");
        sign_up(app, "volunteer-2", &shift).await;
        app.sign_in("volunteer-2").await.post(&path, body.clone()).await.expect(200);
        // A repetition days later gets the same answer still.
        app.advance(Duration::days(3)).await;
        assert_eq!(app.sign_in("volunteer-1").await.post(&path, body).await.expect(200), answers[0]);
    })
    .await;
}

#[actix_web::test]
async fn an_upload_counts_only_within_what_its_code_proves() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 10, 120).await;
        let other = new_shift(app, 10, 120).await;
        let signup = sign_up(app, "volunteer-1", &shift).await;
        let path = format!("/shifts/{shift}/check-ins/offline");
        let volunteer = app.sign_in("volunteer-1").await;
        let now = app.state.clock.now();
        let shown = code(app, &shift).await;
        let body = |step: &str, code: &Value, at: DateTime<Utc>, nonce: &str| {
            json!({ "step": step, "code": code, "device_time": at, "nonce": nonce })
        };
        // Another window's code, another shift's, none at all.
        for (code, at) in [
            (shown.clone(), now - Duration::minutes(5)),
            (code(app, &other).await, now),
            (json!("AAAAAAAAAAAAAAAA"), now),
        ] {
            volunteer.post(&path, body("in", &code, at, "phone-0001")).await.refused(422, "check_in_code_invalid");
        }
        volunteer.post(&path, body("in", &shown, now + Duration::minutes(2), "phone-0001")).await.names("/device_time");
        volunteer.post(&path, body("in", &shown, now, "short")).await.names("/nonce");
        volunteer.post(&path, body("out", &shown, now, "phone-0001")).await.refused(409, "signup_state");
        app.sign_in("volunteer-2")
            .await
            .post(&path, body("in", &shown, now, "phone-0001"))
            .await
            .refused(409, "signup_state");
        // What was refused left nothing behind: the same nonce may come again. A clock 50 s ahead is held to the code's minute.
        let kept = volunteer.post(&path, body("in", &shown, now + Duration::seconds(50), "phone-0001")).await.expect(200);
        let at: DateTime<Utc> = kept["at"].as_str().unwrap().parse().unwrap();
        assert!(at <= app.state.clock.now() && (at - now).abs() < Duration::seconds(61), "{at} {now}");
        assert_eq!(kept["late"], false);

        app.advance(Duration::minutes(60)).await;
        let leaving = code(app, &shift).await;
        let left = app.state.clock.now();
        // Back in the network after the shift was put under review.
        app.advance(Duration::hours(4)).await;
        assert_eq!(row(app, &signup).await.state.to_string(), "in_review");
        let volunteer = app.sign_in("volunteer-1").await;
        volunteer.post(&path, body("out", &leaving, left, "phone-0002")).await.expect(200);
        let row = row(app, &signup).await;
        assert_eq!(row.state.to_string(), "checked_out");
        assert!((row.checked_out_at.unwrap() - left).abs() < Duration::seconds(1));
    })
    .await;
}

#[actix_web::test]
async fn an_upload_comes_within_a_day_and_never_overrides_the_leader() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 10, 120).await;
        let signup = sign_up(app, "volunteer-1", &shift).await;
        let path = format!("/shifts/{shift}/check-ins/offline");
        let scanned = app.state.clock.now();
        let body =
            json!({ "step": "in", "code": code(app, &shift).await, "device_time": scanned, "nonce": "phone-0001" });
        app.advance(Duration::minutes(20)).await;
        let staff = app.sign_in("staff").await;
        staff.post(&format!("/signups/{signup}/check-in"), json!({})).await.expect(200);
        let marked = row(app, &signup).await.checked_in_at;
        let answer = app.sign_in("volunteer-1").await.post(&path, body.clone()).await.expect(200);
        assert_eq!(answer["applied"], false);
        assert_eq!(row(app, &signup).await.checked_in_at, marked, "the mark stands");
        assert_eq!(presence(app, &shift).await[0]["also_uploaded"].as_array().unwrap().len(), 1, "as evidence");
        app.advance(Duration::hours(24)).await;
        let mut late = body;
        late["nonce"] = json!("phone-0002");
        app.sign_in("volunteer-1").await.post(&path, late).await.refused(409, "offline_too_late");
    })
    .await;
}

#[actix_web::test]
async fn a_code_scanned_by_all_at_once_is_good_for_all() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 10, 120).await;
        let names: Vec<String> =
            (1..=15).map(|at| format!("resident-{at}")).chain((1..=5).map(|at| format!("volunteer-{at}"))).collect();
        let people = app.sign_in_all(&names).await;
        let path = format!("/shifts/{shift}/signup");
        for answer in join_all(people.iter().map(|person| person.put(&path, json!({})))).await {
            answer.expect(200);
        }
        let body = json!({ "code": code(app, &shift).await });
        let path = format!("/shifts/{shift}/check-in");
        for answer in join_all(people.iter().chain(&people).map(|person| person.post(&path, body.clone()))).await {
            assert_eq!(answer.expect(200)["state"], "checked_in");
        }
    })
    .await;
}

#[actix_web::test]
async fn who_forgot_to_check_out_is_reviewed_with_a_reason() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 10, 130).await;
        let signup = sign_up(app, "volunteer-1", &shift).await;
        app.advance(Duration::minutes(10)).await;
        scan(app, "volunteer-1", &shift, "check-in").await;
        let came = row(app, &signup).await.checked_in_at.unwrap();
        let review = format!("/signups/{signup}/review");
        let body = |left_at: DateTime<Utc>| json!({ "left_at": left_at, "reason": "同伴说九点离开" });
        app.sign_in("staff").await.post(&review, body(came)).await.refused(409, "signup_state");
        app.advance(Duration::minutes(245)).await;
        assert_eq!(row(app, &signup).await.state.to_string(), "in_review");
        let [staff, other, volunteer] =
            app.sign_in_all(["staff", "staff-other", "volunteer-1"]).await.try_into().ok().unwrap();
        let newest = async |person: &Person| person.get("/inbox").await.expect(200)["items"][0]["kind"].clone();
        assert_eq!(
            (newest(&volunteer).await, newest(&staff).await),
            (json!("shift.in_review"), json!("shift.to_review"))
        );

        // A mark would say "now": in review somebody must say when, and why.
        staff.post(&format!("/signups/{signup}/check-out"), json!({})).await.refused(409, "signup_state");
        staff.post(&format!("/signups/{signup}/confirm"), json!({})).await.refused(409, "signup_state");
        let left = came + Duration::minutes(45);
        volunteer.post(&review, body(left)).await.refused(403, "own_act");
        other.post(&review, body(left)).await.refused(404, "not_found");
        staff.post(&review, body(came - Duration::minutes(1))).await.names("/left_at");
        staff.post(&review, body(app.state.clock.now() + Duration::minutes(1))).await.names("/left_at");
        staff.post(&review, json!({ "left_at": left, "reason": " " })).await.names("/reason");
        assert_eq!(staff.post(&review, body(left)).await.expect(200)["state"], "checked_out");
        assert_eq!(staff.post(&review, body(left)).await.expect(200)["state"], "checked_out", "a repetition");
        staff.post(&review, body(came)).await.refused(409, "signup_state");
        assert_eq!(newest(&volunteer).await, "shift.reviewed");
        let mine = volunteer.get("/me/service-records").await.expect(200);
        assert_eq!(mine["items"][0]["review_reason"], "同伴说九点离开", "the volunteer sees it");
        let credit = staff.post(&format!("/signups/{signup}/confirm"), json!({})).await.expect(200);
        assert!((44..=45).contains(&credit["minutes"].as_i64().unwrap()), "{credit}");
    })
    .await;
}

/// Brings people through a shift of an hour (minutes 20 to 80) by the leader's mark.
async fn serve(app: &TestApp, signups: &[String]) {
    app.advance(Duration::minutes(15)).await;
    mark(app, signups, "check-in").await;
    app.advance(Duration::minutes(70)).await;
    mark(app, signups, "check-out").await;
}

async fn mark(app: &TestApp, signups: &[String], act: &str) {
    let staff = app.sign_in("staff").await;
    for signup in signups {
        staff.post(&format!("/signups/{signup}/{act}"), json!({})).await.expect(200);
    }
}

#[actix_web::test]
async fn a_confirmation_carries_the_record_and_is_made_public_without_names() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 20, 80).await;
        let signup = sign_up(app, "volunteer-1", &shift).await;
        serve(app, std::slice::from_ref(&signup)).await;
        let staff = app.sign_in("staff").await;
        let path = format!("/signups/{signup}/confirm");
        for (field, wrong) in
            [("people_served", json!(-1)), ("rating", json!(6)), ("content", json!("")), ("nope", json!(1))]
        {
            let body = json!({ field: wrong });
            staff.post(&path, body).await.names(&format!("/{field}"));
        }
        let body = json!({ "people_served": 12, "content": "包饺子、陪聊天", "rating": 5, "responsible": "周主任" });
        staff.post(&path, body).await.expect(200);
        let volunteer = app.sign_in("volunteer-1").await;
        let record = volunteer.get("/me/service-records").await.expect(200)["items"][0].clone();
        for (field, value) in [
            ("activity", json!("敬老包饺子")),
            ("place", json!("光华社区")),
            ("minutes", json!(60)),
            ("sealed_minutes", json!(60)),
            ("people_served", json!(12)),
            ("content", json!("包饺子、陪聊天")),
            ("rating", json!(5)),
            ("responsible", json!("周主任")),
            ("state", json!("credited")),
            ("corrections", json!([])),
        ] {
            assert_eq!(record[field], value, "{field}");
        }
        let me = staff.get("/me").await.expect(200);
        assert_eq!(record["recorded_by"], me["nickname"], "{me}");
        let public = notices(app, "volunteering.hours").await;
        assert_eq!(public.len(), 1);
        let text = public[0].to_string();
        assert!(text.contains("1名志愿者，共60分钟"), "{text}");
        let name = volunteer.get("/me").await.expect(200)["nickname"].as_str().unwrap().to_owned();
        assert!(!text.contains(&name) && !text.contains("周主任"));

        // Guard: the triggers `service_records_append_only`.
        let txn = app.state.db.begin().await.unwrap();
        let more = service_record::Entity::update_many().col_expr(service_record::Column::Minutes, Expr::value(600));
        more.exec(&txn).await.unwrap_err();
        txn.rollback().await.unwrap();
    })
    .await;
}

#[actix_web::test]
async fn a_whole_shift_is_confirmed_with_one_notice_and_an_answer_for_each() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 20, 80).await;
        let mut signups = Vec::new();
        for at in 1..=4 {
            signups.push(sign_up(app, &format!("volunteer-{at}"), &shift).await);
        }
        app.advance(Duration::minutes(15)).await;
        mark(app, &signups, "check-in").await;
        app.advance(Duration::minutes(70)).await;
        mark(app, &signups[..3], "check-out").await;
        let path = format!("/shifts/{shift}/confirm");
        let [staff, other, volunteer] =
            app.sign_in_all(["staff", "staff-other", "volunteer-1"]).await.try_into().ok().unwrap();
        for stranger in [&other, &volunteer] {
            stranger.post(&path, json!({})).await.refused(404, "not_found");
        }
        staff
            .post(&path, json!({ "ratings": [{ "signup_id": signups[0], "rating": 0 }] }))
            .await
            .names("/ratings/0/rating");
        let body =
            json!({ "rating": 4, "ratings": [{ "signup_id": signups[0], "rating": 5 }], "leave_out": [signups[2]] });
        let answer = staff.post(&path, body).await.expect(200);
        let results = answer["results"].as_array().unwrap();
        assert_eq!((results.len(), &answer["remaining"]), (3, &json!(0)), "{answer}");
        assert_eq!((&results[2]["signup_id"], &results[2]["code"]), (&json!(signups[3]), &json!("signup_state")));
        for result in &results[..2] {
            assert_eq!((&result["minutes"], &result["code"]), (&json!(60), &Value::Null));
            assert!(result["name"].as_str().unwrap().ends_with('*'), "masked");
        }
        let ratings = service_record::Entity::find().all(app.state.db.read()).await.unwrap();
        let rating_of =
            |signup: &str| ratings.iter().find(|row| row.signup_id.to_string() == signup).and_then(|row| row.rating);
        assert_eq!((rating_of(&signups[0]), rating_of(&signups[1]), rating_of(&signups[2])), (Some(5), Some(4), None));
        let public = notices(app, "volunteering.hours").await;
        assert_eq!(public.len(), 1);
        assert!(public[0].to_string().contains("2名志愿者，共120分钟"));
        let rest = staff.post(&path, json!({})).await.expect(200);
        assert_eq!(rest["results"].as_array().unwrap().len(), 2);
        let rest = staff.post(&path, json!({})).await.expect(200);
        assert_eq!(rest["results"].as_array().unwrap().len(), 1, "nothing is left but who has not checked out");
        assert_eq!(notices(app, "volunteering.hours").await.len(), 2, "and nothing is made public");
    })
    .await;
}

// Guards: the sign-ups' row locks, and behind them the state in the condition of the update.
#[actix_web::test]
async fn two_who_confirm_one_shift_at_once_credit_each_once() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 20, 80).await;
        let mut signups = Vec::new();
        for at in 1..=5 {
            signups.push(sign_up(app, &format!("volunteer-{at}"), &shift).await);
        }
        serve(app, &signups).await;
        let [staff, second] = [app.sign_in("staff").await, app.sign_in("staff-2").await];
        let (path, one) = (format!("/shifts/{shift}/confirm"), format!("/signups/{}/confirm", signups[2]));
        let answers = join_all((0..12).map(|at| {
            let person = if at % 2 == 0 { &staff } else { &second };
            person.post(if at % 3 == 0 { &one } else { &path }, json!({}))
        }))
        .await;
        let mut credited = 0;
        for answer in answers {
            credited += answer.expect(200)["results"].as_array().map_or(0, Vec::len);
        }
        assert!((4..=5).contains(&credited), "{credited}");
        let minutes: i64 = 5 * 60;
        let rows = service_record::Entity::find().all(app.state.db.read()).await.unwrap();
        assert_eq!(
            rows.iter().filter(|row| signups.contains(&row.signup_id.to_string())).map(|row| row.minutes).sum::<i64>(),
            minutes
        );
        for at in 1..=5 {
            assert_eq!(available(app, &format!("volunteer-{at}")).await, 10);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_correction_stands_beside_the_sealed_figure_and_comes_from_a_second_person() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 20, 80).await;
        let signup = sign_up(app, "volunteer-1", &shift).await;
        serve(app, std::slice::from_ref(&signup)).await;
        let path = format!("/signups/{signup}/corrections");
        let body = |minutes: i64| json!({ "minutes": minutes, "reason": "签退晚了" });
        let [staff, second, other, volunteer] =
            app.sign_in_all(["staff", "staff-2", "staff-other", "volunteer-1"]).await.try_into().ok().unwrap();
        second.post(&path, body(30)).await.refused(409, "signup_state");
        staff.post(&format!("/signups/{signup}/confirm"), json!({})).await.expect(200);
        assert_eq!(available(app, "volunteer-1").await, 10);

        volunteer.post(&path, body(60)).await.refused(403, "own_act");
        staff.post(&path, body(30)).await.refused(403, "own_act");
        other.post(&path, body(30)).await.refused(404, "not_found");
        second.post(&path, body(61)).await.names("/minutes");
        second.post(&path, body(60)).await.names("/minutes");
        second.post(&path, json!({ "minutes": 30, "reason": "" })).await.names("/reason");

        // Less, and more again: the points of the difference come only once.
        let less = second.post(&path, body(30)).await.expect(201);
        assert_eq!((&less["minutes_before"], &less["minutes"], &less["points"]), (&json!(60), &json!(30), &json!(0)));
        let hours = async || app.sign_in("volunteer-1").await.get("/me/hours").await.expect(200)["minutes"].clone();
        assert_eq!(hours().await, 30);
        second.post(&path, body(54)).await.expect(201);
        assert_eq!((hours().await, available(app, "volunteer-1").await), (json!(54), 10));
        let record = volunteer.get("/me/service-records").await.expect(200)["items"][0].clone();
        assert_eq!((&record["minutes"], &record["sealed_minutes"]), (&json!(54), &json!(60)), "both are visible");
        assert_eq!(record["corrections"].as_array().unwrap().len(), 2);
        assert_eq!(record["corrections"][1]["minutes_before"], 30);
        let public = notices(app, "volunteering.correction").await;
        assert_eq!(public.len(), 2);
        assert!(public[1].to_string().contains("由60分钟更正为30分钟") && !public[1].to_string().contains("签退晚了"));
        assert_eq!(volunteer.get("/inbox").await.expect(200)["items"][0]["kind"], "shift.corrected");

        // Guards: the triggers `service_corrections_append_only`.
        let txn = app.state.db.begin().await.unwrap();
        let edit =
            service_correction::Entity::update_many().col_expr(service_correction::Column::Minutes, Expr::value(600));
        edit.exec(&txn).await.unwrap_err();
        txn.rollback().await.unwrap();
        let txn = app.state.db.begin().await.unwrap();
        service_correction::Entity::delete_many().exec(&txn).await.unwrap_err();
        txn.rollback().await.unwrap();
    })
    .await;
}

#[actix_web::test]
async fn a_correction_upward_brings_the_points_that_were_missing() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 20, 80).await;
        let signup = sign_up(app, "volunteer-1", &shift).await;
        app.advance(Duration::minutes(50)).await;
        let mark = async |act: &str| {
            app.sign_in("staff").await.post(&format!("/signups/{signup}/{act}"), json!({})).await.expect(200)
        };
        mark("check-in").await;
        app.advance(Duration::minutes(40)).await;
        mark("check-out").await;
        assert_eq!(mark("confirm").await["points"], 4, "29 or 30 minutes");
        let second = app.sign_in("staff-2").await;
        let body = json!({ "minutes": 60, "reason": "实际八点到" });
        // Guard: the sign-up's row lock, and the unique (sign-up, number) behind it.
        let path = format!("/signups/{signup}/corrections");
        let answers = join_all((0..10).map(|_| second.post(&path, body.clone()))).await;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(made.len(), 1);
        assert_eq!(made[0].body["points"], 5, "for the 31 minutes that were missing");
        assert_eq!(available(app, "volunteer-1").await, 9);
    })
    .await;
}

#[actix_web::test]
async fn a_volunteer_asks_for_a_correction_and_is_answered_once() {
    TestApp::run(async |app| {
        let shift = new_shift(app, 20, 80).await;
        let signup = sign_up(app, "volunteer-1", &shift).await;
        serve(app, std::slice::from_ref(&signup)).await;
        let path = format!("/signups/{signup}/correction-requests");
        let body = json!({ "minutes": 60, "reason": "我八点就到了" });
        let [staff, second, volunteer, neighbour] =
            app.sign_in_all(["staff", "staff-2", "volunteer-1", "volunteer-2"]).await.try_into().ok().unwrap();
        volunteer.post(&path, body.clone()).await.refused(409, "signup_state");
        staff.post(&format!("/signups/{signup}/confirm"), json!({})).await.expect(200);
        neighbour.post(&path, body.clone()).await.refused(404, "not_found");
        // Guard: the unique index `correction_requests_one_open`.
        let answers = join_all((0..10).map(|_| volunteer.post(&path, body.clone()))).await;
        let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(made.len(), 1);
        for answer in refused {
            answer.refused(409, "correction_open");
        }
        let wish = id(&made[0].body);
        assert_eq!(staff.get("/inbox").await.expect(200)["items"][0]["kind"], "shift.correction_asked");
        let list = format!("/correction-requests?place_id={}&state=open", place_id(GUANGHUA));
        volunteer.get(&list).await.refused(403, "forbidden");
        assert_eq!(staff.get(&list).await.expect(200)["items"][0]["id"], wish);

        let decline = format!("/correction-requests/{wish}/decline");
        let reason = json!({ "reason": "签到记录为准" });
        volunteer.post(&decline, reason.clone()).await.refused(403, "own_act");
        neighbour.post(&decline, reason.clone()).await.refused(404, "not_found");
        let answers = join_all([&staff, &second].map(|person| person.post(&decline, reason.clone()))).await;
        assert_eq!(
            answers.iter().filter(|answer| answer.status == 200).count(),
            1,
            "whoever answers first has answered"
        );
        volunteer.post(&path, body).await.expect(201);
        second
            .post(&format!("/signups/{signup}/corrections"), json!({ "minutes": 50, "reason": "核对过" }))
            .await
            .expect(201);
        let record = volunteer.get("/me/service-records").await.expect(200)["items"][0].clone();
        let states: Vec<_> = record["requests"].as_array().unwrap().iter().map(|wish| wish["state"].clone()).collect();
        assert_eq!(states, ["declined", "granted"]);
        assert_eq!(record["requests"][0]["answer"], "签到记录为准");
        assert_eq!(staff.get(&list).await.expect(200)["items"], json!([]));
    })
    .await;
}

// The second guards by themselves: nobody corrects what they confirmed or served.
#[actix_web::test]
async fn the_database_refuses_corrections_by_the_wrong_person() {
    TestApp::run(async |app| {
        use entities::ids::SignupId;
        use linli::platform::code::Code;
        use linli::platform::http::Problem;
        use sea_orm::{ActiveModelTrait, ActiveValue::Set};
        let shift = new_shift(app, 20, 80).await;
        let signup = sign_up(app, "volunteer-1", &shift).await;
        serve(app, std::slice::from_ref(&signup)).await;
        app.sign_in("staff").await.post(&format!("/signups/{signup}/confirm"), json!({})).await.expect(200);
        for by in ["staff", "volunteer-1"] {
            let by: UserId = user_id(by);
            let txn = app.state.db.begin().await.unwrap();
            let row = service_correction::ActiveModel {
                id: Set(linli::platform::ids::ordered(&app.state.clock)),
                signup_id: Set(SignupId(signup.parse().unwrap())),
                user_id: Set(user_id("volunteer-1")),
                community_id: Set(place_id(GUANGHUA)),
                seq: Set(0),
                minutes_before: Set(60),
                minutes: Set(90),
                delta: Set(30),
                points: Set(0),
                reason: Set("x".to_owned()),
                recorded_by: Set(user_id("staff")),
                corrected_by: Set(by),
                corrected_at: Set(app.state.clock.now()),
            };
            let problem = Problem::from(row.insert(&txn).await.unwrap_err());
            assert_eq!(problem.code(), Code::OwnAct);
            txn.rollback().await.unwrap();
        }
    })
    .await;
}
