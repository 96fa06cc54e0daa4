//! Platforms, the operators' pool, rooms, the academy, the talent rounds, sites near people.

use chrono::{Duration, Timelike};
use entities::ids::OrganisationId;
use entities::notices::notice;
use futures_util::future::join_all;
use linli::demo::organisation_id;
use linli::platform::calendar;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{GUANGHUA, Person, TestApp, place_id, user_id};

const DISTRICT: &str = "/jiangan/";
const CHEZHAN: &str = "/jiangan/chezhan/";
const CHUNHUI: &str = "武汉春晖社会工作服务中心";
const WANQINGFENG: &str = "武汉晚晴枫养老助残服务中心";

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

async fn platforms(person: &Person, path: &str) -> Vec<Value> {
    let list = person.get(&format!("/platforms?place_id={}", place_id(path))).await.expect(200);
    list["items"].as_array().unwrap().clone()
}

/// The demo's base or centre at a place itself.
async fn platform(person: &Person, path: &str) -> String {
    let all = platforms(person, path).await;
    id(all.iter().find(|one| one["place_id"] == json!(place_id(path))).unwrap())
}

#[actix_web::test]
async fn what_is_counted_stands_beside_what_was_published() {
    TestApp::run(async |app| {
        let [reader, district, staff] =
            app.sign_in_all(["newcomer-1", "district", "staff"]).await.try_into().ok().unwrap();
        let overview = async || {
            reader.get(&format!("/platforms/overview?place_id={}", place_id(DISTRICT))).await.expect(200)
        };
        let before = overview().await;
        let base = &before[0];
        assert_eq!((&base["level"], &base["organisations"], &base["area_m2"]), (&json!("district"), &json!(1), &json!(1000)));
        let figures: Vec<_> = before
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|level| level["reported"].as_array().unwrap())
            .map(|row| (row["figure"].as_str().unwrap(), row["amount"].as_i64().unwrap(), row["at_least"] == true))
            .collect();
        for expected in [
            ("incubated", 62, false),
            ("guided", 31, false),
            ("area_m2", 1000, false),
            ("invested_fen", 300_000_000, true),
            ("invested_fen", 100_000_000, true),
            ("invested_fen", 425_000_000, false),
            ("invested_fen", 28_200_000, false),
        ] {
            assert!(figures.contains(&expected), "{expected:?} is not among {figures:?}");
        }
        let base = platform(&reader, DISTRICT).await;
        let entry = json!({
            "place_id": place_id(GUANGHUA), "name": "新苗社", "state": "incubating", "incubator_id": base, "purpose": "互助。", "fields": [],
        });
        staff.post("/organisations", entry).await.expect(201);
        assert_eq!(reader.get(&format!("/platforms/{base}")).await.expect(200)["incubating"], 2);
        assert_eq!(overview().await[0]["organisations"], 2);

        let report = json!({
            "place_id": place_id(DISTRICT), "level": "street", "subject": "街道中心", "figure": "guided", "amount": 33, "source": "区民政局",
        });
        staff.post("/platform-reports", report.clone()).await.refused(403, "forbidden");
        district.post("/platform-reports", report).await.expect(201);
        let new = json!({ "place_id": place_id(GUANGHUA), "name": "光华社区社会工作室", "runs": "社工服务。" });
        staff.post("/platforms", new.clone()).await.refused(409, "platform_known");
        reader.post("/platforms", new).await.refused(403, "forbidden");
        let door = json!({ "place_id": place_id(crate::support::BUILDING_1), "name": "门", "runs": "无。" });
        staff.post("/platforms", door).await.names("/place_id");
    })
    .await;
}

pub fn round(app: &TestApp) -> Value {
    let at = |days: i64| app.state.clock.now() + Duration::days(days);
    json!({
        "place_id": place_id(CHEZHAN), "title": "车站街道运营机构", "criteria": "有团队。", "opens_at": at(0), "closes_at": at(10),
        "valid_from": at(0), "valid_until": at(100),
    })
}

// Guards: the admission that `platforms::operate` asks for under the organisation's lock, and `platforms_from_pool`.
#[actix_web::test]
async fn only_who_is_in_the_pool_operates_a_centre() {
    TestApp::run(async |app| {
        let [street, head, other] = app.sign_in_all(["street", "org-a", "org-b"]).await.try_into().ok().unwrap();
        let centre = platform(&street, CHEZHAN).await;
        let operate = async |organisation: OrganisationId| {
            let body = json!({ "organisation_id": organisation });
            street.put(&format!("/platforms/{centre}/operator"), body).await
        };
        let (ours, theirs) = (organisation_id(WANQINGFENG), organisation_id(CHUNHUI));
        assert_eq!(operate(theirs).await.expect(200)["operator_id"], json!(theirs), "the demo's pool");
        operate(ours).await.refused(409, "not_in_pool");

        head.post("/operator-rounds", round(app)).await.refused(403, "forbidden");
        let round = id(&street.post("/operator-rounds", round(app)).await.expect(201));
        let apply = async |person: &Person, organisation: OrganisationId| {
            let body = json!({ "organisation_id": organisation });
            person.post(&format!("/operator-rounds/{round}/applications"), body).await
        };
        apply(&other, ours).await.refused(403, "forbidden");
        let application = id(&apply(&head, ours).await.expect(201));
        apply(&head, ours).await.refused(409, "already_applied");
        operate(ours).await.refused(409, "not_in_pool");
        let decide = async |person: &Person, state: &str| {
            let body = json!({ "state": state, "reason": "符合条件" });
            person.post(&format!("/operator-admissions/{application}/decisions"), body).await
        };
        head.post("/me/conflicts", json!({ "organisation_id": ours, "kind": "money" })).await.expect(201);
        street.post("/me/conflicts", json!({ "organisation_id": theirs, "kind": "family" })).await.expect(201);
        decide(&head, "admitted").await.refused(403, "forbidden");
        decide(&street, "removed").await.refused(409, "already_decided");
        assert_eq!(decide(&street, "admitted").await.expect(200)["state"], "admitted");
        decide(&street, "refused").await.refused(409, "already_decided");
        operate(ours).await.expect(200);
        decide(&street, "removed").await.expect(200);
        operate(ours).await.refused(409, "not_in_pool");
        let again = id(&apply(&other, theirs).await.expect(201));
        let body = json!({ "state": "admitted", "reason": "好" });
        let tied = street.post(&format!("/operator-admissions/{again}/decisions"), body).await;
        tied.refused(403, "conflict_of_interest");

        app.advance(Duration::days(20)).await;
        let (head, street) = (app.sign_in("org-a").await, app.sign_in("street").await);
        apply(&head, ours).await.refused(409, "round_not_open");
        assert_eq!(
            street.get(&format!("/operator-rounds/{round}/pool")).await.expect(200)["items"].as_array().unwrap().len(),
            2
        );
        assert_eq!(head.get(&format!("/operator-rounds/{round}/pool")).await.expect(200)["items"], json!([]));
    })
    .await;
}

// Guard: `incubation_requests_overlap`: of twenty accepted at once for overlapping times one is booked.
#[actix_web::test]
async fn a_room_is_booked_once_for_a_time() {
    TestApp::run(async |app| {
        let [district, head, reader] = app.sign_in_all(["district", "org-a", "newcomer-1"]).await.try_into().ok().unwrap();
        let base = platform(&reader, DISTRICT).await;
        let room = id(&reader.get(&format!("/platforms/{base}/rooms")).await.expect(200)[0]);
        let path = format!("/platforms/{base}/incubation-requests");
        let start = app.state.clock.now() + Duration::days(1);
        let wish = |from: i64, until: i64| {
            json!({
                "organisation_id": organisation_id(WANQINGFENG), "kind": "space", "wish": "培训", "room_id": room,
                "starts_at": start + Duration::minutes(from), "ends_at": start + Duration::minutes(until),
            })
        };
        let mut asked = Vec::new();
        for at in 0..20 {
            asked.push(id(&head.post(&path, wish(at, 60 + at)).await.expect(201)));
        }
        let answer = async |person: &Person, request: &str, state: &str| {
            person.post(&format!("/incubation-requests/{request}/answers"), json!({ "state": state })).await
        };
        let answers = join_all(asked.iter().map(|one| answer(&district, one, "accepted"))).await;
        let booked = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(booked, 1, "{answers:?}");
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "room_taken");
        }
        // Half open: who comes when another goes does not collide.
        let bookings = reader.get(&format!("/platform-rooms/{room}/bookings")).await.expect(200);
        let ends = bookings[0]["ends_at"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        let after = (ends - start).num_minutes();
        let next = id(&head.post(&path, wish(after, after + 60)).await.expect(201));
        assert_eq!(answer(&district, &next, "accepted").await.expect(200)["state"], "accepted");
        assert_eq!(reader.get(&format!("/platform-rooms/{room}/bookings")).await.expect(200).as_array().unwrap().len(), 2);

        answer(&reader, &next, "done").await.refused(404, "not_found");
        answer(&head, &next, "done").await.refused(403, "forbidden");
        answer(&head, &next, "withdrawn").await.expect(200);
        answer(&district, &next, "done").await.refused(409, "already_decided");
        let help = json!({ "organisation_id": organisation_id(WANQINGFENG), "kind": "registration_help", "wish": "怎样登记？" });
        reader.post(&path, help.clone()).await.refused(403, "forbidden");
        let help = id(&head.post(&path, help).await.expect(201));
        answer(&district, &help, "done").await.refused(409, "already_decided");
        answer(&district, &help, "accepted").await.expect(200);
        answer(&district, &help, "done").await.expect(200);
        assert_eq!(head.get("/inbox").await.expect(200)["items"][0]["title"], "孵化服务已办结");
        for (field, value) in [
            ("room_id", Value::Null),
            ("room_id", json!(place_id(DISTRICT))),
            ("ends_at", json!(start)),
            ("ends_at", json!(start + Duration::days(3))),
            ("starts_at", json!(app.state.clock.now() - Duration::hours(1))),
            ("kind", json!("party")),
        ] {
            let mut body = wish(0, 60);
            body[field] = value;
            head.post(&path, body).await.names(&format!("/{field}"));
        }
        head.get(&path).await.refused(403, "forbidden");
        let own = head.get(&format!("{path}?organisation_id={}", organisation_id(WANQINGFENG))).await.expect(200);
        assert_eq!(own["items"].as_array().unwrap().len(), 20);
    })
    .await;
}

// Guard: the condition of the statement that counts a seat of a course (`academy_courses_capacity` stands behind it).
#[actix_web::test]
async fn a_course_has_as_many_seats_as_it_says() {
    TestApp::run(async |app| {
        let [district, reader] = app.sign_in_all(["district", "newcomer-1"]).await.try_into().ok().unwrap();
        let people = app.sign_in_all((1..=12).map(|at| format!("resident-{at}"))).await;
        let base = platform(&reader, DISTRICT).await;
        let start = app.state.clock.now() + Duration::days(1);
        let new = json!({
            "title": "怎样写项目书", "description": "两小时。", "starts_at": start, "ends_at": start + Duration::hours(2), "capacity": 5,
        });
        reader.post(&format!("/platforms/{base}/courses"), new.clone()).await.refused(403, "forbidden");
        let course = id(&district.post(&format!("/platforms/{base}/courses"), new).await.expect(201));
        let path = format!("/courses/{course}/enrolments");
        let answers = join_all(people.iter().map(|person| person.post(&path, json!({})))).await;
        let seated: Vec<_> = answers.iter().zip(&people).filter(|(answer, _)| answer.status == 201).collect();
        assert_eq!(seated.len(), 5);
        let (first, person) = seated[0];
        let own = id(&first.body);
        person.post(&path, json!({})).await.refused(409, "already_applied");
        people.iter().find(|other| other.id != person.id).unwrap().delete(&format!("/course-enrolments/{own}")).await.refused(404, "not_found");
        person.delete(&format!("/course-enrolments/{own}")).await.expect(204);
        person.delete(&format!("/course-enrolments/{own}")).await.refused(409, "already_decided");
        let again = id(&person.post(&path, json!({})).await.expect(201));
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(answer.body["code"], "course_full");
        }
        let complete = format!("/course-enrolments/{again}/completion");
        district.post(&complete, json!({})).await.refused(409, "course_not_over");
        app.advance(Duration::days(2)).await;
        let (district, person) = (app.sign_in("district").await, app.sign_in("resident-1").await);
        person.post(&complete, json!({})).await.refused(403, "forbidden");
        person.post(&path, json!({})).await.refused(409, "session_started");
        assert_eq!(district.post(&complete, json!({})).await.expect(200)["state"], "completed");
        district.post(&complete, json!({})).await.refused(409, "already_decided");
        let all = district.get(&path).await.expect(200);
        assert!(all["items"].as_array().unwrap().iter().all(|row| row["name"].as_str().unwrap().ends_with('*')));
    })
    .await;
}

// Guards: `conflicts` and `talent_scores_not_by_oneself`, and the two scores that `talent::publish` counts.
#[actix_web::test]
async fn social_workers_are_selected_by_two_who_are_not_tied_to_them() {
    TestApp::run(async |app| {
        let names = ["district", "street", "social-worker-1", "social-worker-2", "social-worker-3", "resident-1"];
        let [district, _, one, two, judge, stranger] = app.sign_in_all(names).await.try_into().ok().unwrap();
        let at = |days: i64| app.state.clock.now() + Duration::days(days);
        let new = json!({
            "place_id": place_id(DISTRICT), "title": "2026年社工人才选拔", "seats": 1, "opens_at": at(0), "closes_at": at(5),
            "criteria": [{ "name": "专业能力", "max": 60 }, { "name": "项目经历", "max": 40 }],
        });
        stranger.post("/talent-rounds", new.clone()).await.refused(403, "forbidden");
        let round = id(&district.post("/talent-rounds", new).await.expect(201));
        let apply = async |person: &Person| {
            person.post(&format!("/talent-rounds/{round}/applications"), json!({ "statement": "做了八年社工。" })).await
        };
        apply(&one).await.refused(409, "profile_missing");
        let profile = json!({
            "place_id": place_id(GUANGHUA), "qualification": "social_worker", "works_since": 2018, "about": "老年社会工作。",
        });
        stranger.put("/me/talent", profile.clone()).await.refused(403, "forbidden");
        for person in [&one, &two] {
            person.put("/me/talent", profile.clone()).await.expect(200);
        }
        let (first, second) = (id(&apply(&one).await.expect(201)), id(&apply(&two).await.expect(201)));
        apply(&one).await.refused(409, "already_applied");
        apply(&stranger).await.refused(403, "forbidden");
        let score = async |person: &Person, application: &str, points: [i64; 2]| {
            person.put(&format!("/talent-applications/{application}/score"), json!({ "points": points })).await
        };
        score(&judge, &first, [50, 30]).await.refused(409, "round_not_over");
        let own = one.get(&format!("/talent-rounds/{round}/applications")).await.expect(200);
        assert_eq!(own["items"].as_array().unwrap().len(), 1, "who applies does not read the others");

        // The second applicant belongs to an organisation that a third person belongs to as well.
        let people = format!("/organisations/{}/people", organisation_id(CHUNHUI));
        let member = |name: &str| json!({ "user_id": user_id(name), "role": "member", "duty": "社工" });
        district.post(&people, member("social-worker-2")).await.expect(201);
        district.post(&people, member("street")).await.expect(201);

        app.advance(Duration::days(6)).await;
        let [district, street, one, judge, stranger] =
            app.sign_in_all(["district", "street", "social-worker-1", "social-worker-3", "resident-1"]).await.try_into().ok().unwrap();
        score(&one, &first, [60, 40]).await.refused(403, "own_act");
        score(&one, &second, [0, 0]).await.refused(403, "conflict_of_interest");
        score(&stranger, &second, [0, 0]).await.refused(403, "forbidden");
        score(&street, &first, [50, 30]).await.refused(403, "forbidden");
        let list = format!("/talent-rounds/{round}/list");
        for (person, application, points) in
            [(&judge, &first, [50, 30]), (&judge, &second, [40, 30]), (&district, &first, [40, 30])]
        {
            score(person, application, points).await.expect(200);
        }
        score(&judge, &first, [61, 0]).await.names("/points/0");
        district.post(&list, json!({})).await.refused(409, "scores_missing");
        score(&district, &second, [60, 40]).await.expect(200);
        stranger.post(&list, json!({})).await.refused(403, "forbidden");
        let answers = join_all((0..10).map(|_| district.post(&list, json!({})))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        score(&judge, &first, [60, 40]).await.refused(409, "already_decided");
        let all = district.get(&format!("/talent-rounds/{round}/applications")).await.expect(200);
        let state = |which: &str| {
            all["items"].as_array().unwrap().iter().find(|row| row["id"] == which).unwrap()["state"].clone()
        };
        assert_eq!((state(&second), state(&first)), (json!("selected"), json!("not_selected")));
        let notice = notice::Entity::find().filter(notice::Column::Kind.eq("talent_round.published"));
        let notice = notice.one(app.state.db.read()).await.unwrap().unwrap();
        assert!(notice.body.contains("平均85.00分") && notice.body.contains("**"), "{}", notice.body);
    })
    .await;
}

#[actix_web::test]
async fn sites_near_a_point_are_found_nearest_first_with_hours_and_fees() {
    TestApp::run(async |app| {
        let [person, staff] = app.sign_in_all(["newcomer-1", "staff"]).await.try_into().ok().unwrap();
        let near = async |query: &str| {
            let list = person.get(&format!("/sites/near?lat=30.6121&lng=114.2961{query}")).await.expect(200);
            list.as_array().unwrap().clone()
        };
        let all = near("").await;
        let names: Vec<_> = all.iter().map(|site| site["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["光华社区养老食堂", "光华社区四点半学校", "随艺手工生活馆亲子课堂", "安静社区康复站"]);
        assert_eq!((&all[0]["fees"][0]["name"], &all[0]["fees"][0]["fen"]), (&json!("午餐"), &json!(1200)));
        let metres: Vec<_> = all.iter().map(|site| site["metres"].as_i64().unwrap()).collect();
        assert!(metres.is_sorted() && metres[0] < 20 && metres[3] < 1100, "{metres:?}");
        assert_eq!(near("&kind=canteen").await.len(), 1);
        assert_eq!(near("&within=100").await.len(), 2);
        assert_eq!(near("&within=10000").await.len(), 5);

        // A site that is open on all days from the hour that China's clocks show now.
        let hour = calendar::local(app.state.clock.now()).hour();
        let weekly: Vec<_> = (1..=7)
            .map(|day| json!({ "weekday": day, "from": format!("{hour:02}:00"), "to": format!("{:02}:00", hour + 1) }))
            .collect();
        let new = json!({
            "place_id": place_id(GUANGHUA), "kind": "health", "name": "健康小屋", "address": "2栋", "opening": { "weekly": weekly },
            "fees": [{ "name": "量血压", "fen": 0 }], "lat_e6": 30_612_100, "lng_e6": 114_296_100,
        });
        person.post("/sites", new.clone()).await.refused(403, "forbidden");
        let site = staff.post("/sites", new.clone()).await.expect(201);
        assert_eq!(site["open_now"], true);
        let open = near("&kind=health&open=true").await;
        assert_eq!((open.len(), &open[0]["metres"]), (1, &json!(0)));
        let path = format!("/sites/{}", id(&site));
        let mut moved = new;
        moved["lat_e6"] = json!(30_622_100);
        // Guards: `change` and `close` ask at the site's own place, whatever place the request names.
        let elsewhere = app.sign_in("staff-other").await;
        let mut taken = moved.clone();
        taken["place_id"] = json!(place_id(crate::support::ANJING));
        elsewhere.put(&path, taken).await.refused(403, "forbidden");
        elsewhere.delete(&path).await.refused(403, "forbidden");
        staff.put(&path, moved.clone()).await.expect(200);
        assert!(near("&kind=health&within=1000").await.is_empty());
        moved["fees"][0]["fen"] = json!(-1);
        staff.put(&path, moved).await.names("/fees/0/fen");
        staff.delete(&path).await.expect(204);
        person.get(&path).await.refused(404, "not_found");
        assert!(near("&kind=health").await.is_empty());
        person.get("/sites/near?lat=91&lng=0").await.names("?lat");
        person.get("/sites/near?lat=30&lng=114&within=20001").await.names("?within");
    })
    .await;
}
