//! What earns points: versions of rules, factors, caps.

use chrono::{DateTime, Duration, Utc};
use entities::points::{day, earning};
use futures_util::future::join_all;
use linli::points::{self, Cut, Earn, Earned, Quantity, RuleKey};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{ANJING, BUILDING_1, GUANGHUA, Person, TestApp, place_id, user_id};

/// What another capability asks for: something done now, once.
fn done(app: &TestApp, rule: RuleKey, person: &str, source: u128) -> Earn<'static> {
    Earn {
        rule,
        community_id: place_id(GUANGHUA),
        person: user_id(person),
        source: ("survey", Uuid::from_u128(source)),
        quantity: Quantity::Once,
        at: app.state.clock.now(),
        reason: "填写问卷".to_owned(),
        actor: None,
    }
}

async fn earn(app: &TestApp, earn: &Earn<'_>) -> Earned {
    linli::platform::http::transact(&app.state, async |txn| points::earn(&app.state, txn, earn).await)
        .await
        .expect("never fails for a rule")
}

fn whole(points: i64) -> Earned {
    Earned { asked: points, granted: points, cut: None }
}

fn rules(path: &str) -> String {
    format!("/points/rules?place_id={}", place_id(path))
}

async fn set(staff: &Person, key: &str, mut body: Value) -> Value {
    body["place_id"] = json!(place_id(GUANGHUA));
    staff.put(&format!("/points/rules/{key}"), body).await.expect(200)
}

/// One rule of the answer.
fn rule<'a>(answer: &'a Value, key: &str) -> &'a Value {
    answer["rules"].as_array().unwrap().iter().find(|rule| rule["key"] == key).expect("a rule")
}

#[actix_web::test]
async fn everybody_reads_what_earns_what() {
    TestApp::run(async |app| {
        let [staff, person] = app.sign_in_all(["staff", "newcomer-1"]).await.try_into().ok().unwrap();
        let before = person.get(&rules(GUANGHUA)).await.expect(200);
        assert_eq!(before["rules"].as_array().unwrap().len(), 5);
        let hour = rule(&before, "service_hour");
        assert_eq!((&hour["version"], &hour["amount"]), (&json!(0), &json!(10)));
        assert_eq!(hour["text"], "志愿服务每小时 10 分，按分钟计算，零头舍去");
        assert_eq!(rule(&before, "survey_answer")["text"], "目前不积分");

        let body = json!({ "amount": 12, "night_percent": 150, "holiday_percent": 200, "daily_cap": 60 });
        let after = set(&staff, "service_hour", body.clone()).await;
        let hour = rule(&after, "service_hour");
        assert_eq!((&hour["version"], &hour["amount"], &hour["daily_cap"]), (&json!(1), &json!(12), &json!(60)));
        let text = "志愿服务每小时 12 分，按分钟计算，零头舍去；夜间（22:00至次日6:00）按 150% 计；节假日按 200% 计，两者同时符合时\
                    按较高的计；每人每天最多 60 分";
        assert_eq!(hour["text"], text);
        assert!(hour["set_by"].as_str().unwrap().ends_with("**"));
        assert_eq!(person.get(&rules(BUILDING_1)).await.expect(200), after);
        assert_eq!(rule(&person.get(&rules(ANJING)).await.expect(200), "service_hour")["version"], 0);
        // The same again is no new version; something else is, and it can be announced.
        assert_eq!(set(&staff, "service_hour", body.clone()).await, after);
        let from = app.state.clock.now() + Duration::days(7);
        let mut later = body;
        (later["amount"], later["from"]) = (json!(15), json!(from));
        let announced = set(&staff, "service_hour", later).await;
        let hour = rule(&announced, "service_hour");
        assert_eq!((&hour["version"], &hour["next"]["version"]), (&json!(1), &json!(2)));
        assert!(hour["next"]["text"].as_str().unwrap().starts_with("志愿服务每小时 15 分"));
        let notices = person.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        let titles: Vec<_> = notices["items"].as_array().unwrap().iter().map(|item| &item["title"]).collect();
        assert_eq!(titles[..2], ["积分规则调整：志愿服务时长", "积分规则调整：志愿服务时长"]);
        app.advance(Duration::days(7)).await;
        let hour = app.sign_in("newcomer-1").await.get(&rules(GUANGHUA)).await.expect(200);
        let hour = rule(&hour, "service_hour");
        assert_eq!((&hour["version"], &hour["amount"], &hour["next"]), (&json!(2), &json!(15), &Value::Null));
    })
    .await;
}

#[actix_web::test]
async fn only_staff_of_the_community_set_rules_and_mistakes_are_named() {
    TestApp::run(async |app| {
        let body = json!({ "place_id": place_id(GUANGHUA), "amount": 1 });
        for persona in ["staff-other", "leader", "resident-1"] {
            let person = app.sign_in(persona).await;
            person.put("/points/rules/survey_answer", body.clone()).await.refused(403, "forbidden");
        }
        let staff = app.sign_in("staff").await;
        let with = |field: &str, value: Value| {
            let mut body = body.clone();
            body[field] = value;
            body
        };
        for (key, body, pointer) in [
            ("survey_answer", with("amount", json!(-1)), "/amount"),
            ("survey_answer", with("amount", json!(1001)), "/amount"),
            ("service_hour", with("night_percent", json!(99)), "/night_percent"),
            ("service_hour", with("holiday_percent", json!(501)), "/holiday_percent"),
            ("survey_answer", with("night_percent", json!(150)), "/night_percent"),
            ("survey_answer", with("daily_cap", json!(-1)), "/daily_cap"),
            ("survey_answer", with("from", json!("2020-01-01T00:00:00Z")), "/from"),
            ("survey_answer", with("place_id", json!(place_id(BUILDING_1))), "/place_id"),
            ("survey_answer", with("place_id", json!(place_id("/jiangan/"))), "/place_id"),
            ("survey_answer", with("rate", json!(1)), "/rate"),
        ] {
            staff.put(&format!("/points/rules/{key}"), body).await.names(pointer);
        }
        staff.put("/points/rules/breathing", body).await.refused(404, "not_found");
        staff.get("/points/rules").await.refused(422, "invalid_input");
        staff.get(&rules("/jiangan/")).await.names("?place_id");
    })
    .await;
}

// Guard: `points_rules_not_backwards` and the append-only triggers; `from_at <= at` in service/rules.rs.
#[actix_web::test]
async fn a_new_version_changes_nothing_that_was_done_before_it() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let survey = RuleKey::SurveyAnswer;
        assert_eq!(earn(app, &done(app, survey, "resident-1", 1)).await, Earned::default(), "off by default");
        let before = app.state.clock.now();
        set(&staff, "survey_answer", json!({ "amount": 2 })).await;
        assert_eq!(earn(app, &done(app, survey, "resident-1", 2)).await, whole(2));
        let between = app.state.clock.now();
        set(&staff, "survey_answer", json!({ "amount": 5 })).await;
        assert_eq!(earn(app, &done(app, survey, "resident-1", 3)).await, whole(5));
        // Confirmed late: the version of then.
        let late = |at, source| Earn { at, ..done(app, survey, "resident-1", source) };
        assert_eq!(earn(app, &late(between, 4)).await, whole(2));
        assert_eq!(earn(app, &late(before, 5)).await, Earned::default());
        set(&staff, "survey_answer", json!({ "amount": 0 })).await;
        assert_eq!(earn(app, &done(app, survey, "resident-1", 6)).await, Earned::default(), "switched off");
        // The same thing again gives what it gave.
        assert_eq!(earn(app, &done(app, survey, "resident-1", 3)).await, Earned::default());
        assert_eq!(earn(app, &late(between, 2)).await, whole(2));

        let kept = earning::Entity::find().all(app.state.db.read()).await.unwrap();
        let kept: Vec<_> = kept.iter().map(|row| (row.source_id.as_u128(), row.version, row.granted)).collect();
        assert_eq!(kept, [(2, 1, 2), (3, 2, 5), (4, 1, 2)]);
        assert_eq!(app.sign_in("resident-1").await.get("/me/points").await.expect(200)["available"], 9);
        let txn = app.state.db.begin().await.unwrap();
        let refused = entities::points::rule::Entity::delete_many().exec(&txn).await;
        assert!(refused.is_err(), "append-only");
    })
    .await;
}

// Guard: the lock and the condition of `points_days` in service/earn.rs, and `points_days_cap` behind them.
#[actix_web::test]
async fn a_cap_of_the_day_holds_under_fifty_parallel_awards() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        set(&staff, "survey_answer", json!({ "amount": 2, "daily_cap": 15 })).await;
        let things: Vec<_> = (0..50).map(|at| done(app, RuleKey::SurveyAnswer, "resident-1", at)).collect();
        let earned = join_all(things.iter().map(|thing| earn(app, thing))).await;
        assert!(earned.iter().all(|one| one.asked == 2));
        assert_eq!(earned.iter().map(|one| one.granted).sum::<i64>(), 15);
        assert_eq!(earned.iter().filter(|one| one.cut.is_none()).count(), 7);
        assert_eq!(earned.iter().filter(|one| one.granted == 1 && one.cut == Some(Cut::DailyCap)).count(), 1);
        let person = app.sign_in("resident-1").await;
        assert_eq!(person.get("/me/points").await.expect(200)["available"], 15);
        let inbox = person.get("/inbox?limit=100").await.expect(200);
        let inbox = inbox["items"].as_array().unwrap();
        assert_eq!(inbox.iter().filter(|entry| entry["kind"] == "points.cut").count(), 42, "told each time");
        assert!(inbox.iter().any(|entry| entry["body"] == "填写问卷（应得2分，已达每日上限）"));
        // Somebody else, another rule and the next day have caps of their own.
        assert_eq!(earn(app, &done(app, RuleKey::SurveyAnswer, "resident-2", 1)).await, whole(2));
        app.advance(Duration::hours(24)).await;
        assert_eq!(earn(app, &done(app, RuleKey::SurveyAnswer, "resident-1", 99)).await, whole(2));
        assert_eq!(day::Entity::find().count(app.state.db.read()).await.unwrap(), 3);
    })
    .await;
}

// Guard: the counter's lock, under which the earlier row is looked for, and `points_earnings_once` behind it.
#[actix_web::test]
async fn one_thing_earns_once_by_a_rule_however_often_it_is_said() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        set(&staff, "survey_answer", json!({ "amount": 3 })).await;
        let thing = done(app, RuleKey::SurveyAnswer, "resident-1", 1);
        let earned = join_all((0..20).map(|_| earn(app, &thing))).await;
        assert!(earned.into_iter().all(|one| one == whole(3)), "each is told the same");
        assert_eq!(earning::Entity::find().count(app.state.db.read()).await.unwrap(), 1);
        let person = app.sign_in("resident-1").await;
        assert_eq!(person.get("/me/points").await.expect(200)["available"], 3);
    })
    .await;
}

#[actix_web::test]
async fn hours_at_night_and_on_holidays_count_more() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        set(&staff, "service_hour", json!({ "amount": 10, "night_percent": 150, "holiday_percent": 200 })).await;
        let settings = format!("/places/{}/settings", place_id(GUANGHUA));
        staff.put(&settings, json!({ "holidays": ["2030-10-01"] })).await.expect(200);
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (from, to) = (at("2030-09-30T20:00:00+08:00"), at("2030-10-01T02:00:00+08:00"));
        let served = Earn {
            rule: RuleKey::ServiceHour,
            quantity: Quantity::Service(vec![(from, to)]),
            at: from,
            ..done(app, RuleKey::ServiceHour, "volunteer-1", 1)
        };
        // Two hours by day, two of night, two of the holiday.
        assert_eq!(earn(app, &served).await, whole(20 + 30 + 40));
        let kept = earning::Entity::find().one(app.state.db.read()).await.unwrap().unwrap();
        assert_eq!((kept.day.as_str(), kept.version), ("2030-09-30", 1));
        assert_eq!(kept.calculation["parts"][1], json!({ "factor": "night", "minutes": 120, "percent": 150 }));
    })
    .await;
}

async fn raise(staff: &Person, amount: i64) -> Value {
    let body = json!({ "place_id": place_id(GUANGHUA), "amount": amount, "reason": "街道拨付的礼品经费" });
    staff.post("/points/budget", body).await.expect(201)
}

async fn budget(person: &Person) -> Value {
    person.get(&format!("/points/budget?place_id={}", place_id(BUILDING_1))).await.expect(200)["available"].clone()
}

#[actix_web::test]
async fn a_budget_that_is_set_and_empty_stops_awards_by_hand_and_cuts_rules() {
    TestApp::run(async |app| {
        let [staff, person] = app.sign_in_all(["staff", "resident-1"]).await.try_into().ok().unwrap();
        set(&staff, "survey_answer", json!({ "amount": 5 })).await;
        assert_eq!(budget(&person).await, Value::Null);
        assert_eq!(earn(app, &done(app, RuleKey::SurveyAnswer, "resident-1", 1)).await, whole(5), "not set: no limit");
        assert_eq!(raise(&staff, 12).await["available"], 12);
        let notices = person.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        assert_eq!(notices["items"][0]["title"], "积分预算增加 12 分");
        assert_eq!(notices["items"][0]["body"], "街道拨付的礼品经费。目前还可发放 12 分。");

        assert_eq!(earn(app, &done(app, RuleKey::SurveyAnswer, "resident-1", 2)).await, whole(5));
        let by_hand = |amount: i64| json!({ "user_id": user_id("resident-2"), "amount": amount, "reason": "帮忙" });
        let refused = staff.post("/points/awards", by_hand(8)).await.refused(409, "points_budget_exhausted");
        assert_eq!(refused["title"], "本社区的积分预算不足");
        staff.post("/points/awards", by_hand(4)).await.expect(201);
        let last = earn(app, &done(app, RuleKey::SurveyAnswer, "resident-1", 3)).await;
        assert_eq!(last, Earned { asked: 5, granted: 3, cut: Some(Cut::Budget) });
        let none = earn(app, &done(app, RuleKey::SurveyAnswer, "resident-1", 4)).await;
        assert_eq!(none, Earned { asked: 5, granted: 0, cut: Some(Cut::Budget) });
        let inbox = person.get("/inbox").await.expect(200);
        assert_eq!(inbox["items"][0]["body"], "填写问卷（应得5分，社区积分预算不足）");
        assert_eq!(budget(&person).await, 0);
        // What is taken back can be given again.
        let list = format!("/points/awards?state=awarded&place_id={}", place_id(GUANGHUA));
        let awards = staff.get(&list).await.expect(200);
        let path = format!("/points/awards/{}/reverse", awards["items"][0]["id"].as_str().unwrap());
        staff.post(&path, json!({ "reason": "记错" })).await.expect(200);
        assert_eq!(budget(&person).await, 4);
        assert_eq!(raise(&staff, 100).await["available"], 104);
        assert_eq!(earn(app, &done(app, RuleKey::SurveyAnswer, "resident-1", 5)).await, whole(5));
    })
    .await;
}

#[actix_web::test]
async fn only_staff_of_the_community_raise_its_budget() {
    TestApp::run(async |app| {
        let body = json!({ "place_id": place_id(GUANGHUA), "amount": 10, "reason": "礼品经费" });
        for persona in ["staff-other", "leader", "resident-1", "merchant"] {
            app.sign_in(persona).await.post("/points/budget", body.clone()).await.refused(403, "forbidden");
        }
        let staff = app.sign_in("staff").await;
        for (field, value) in [
            ("amount", json!(0)),
            ("amount", json!(-1)),
            ("reason", json!("")),
            ("place_id", json!(place_id("/jiangan/"))),
            ("place_id", json!(place_id(BUILDING_1))),
        ] {
            let mut body = body.clone();
            body[field] = value;
            staff.post("/points/budget", body).await.names(&format!("/{field}"));
        }
        staff.get("/points/budget").await.refused(422, "invalid_input");
        assert_eq!(budget(&staff).await, Value::Null);
    })
    .await;
}

// Guards: the lock of the budget's row, the condition of the statement that takes from it (ledger/accounts.rs), and
// `ledger_accounts_available` behind them.
#[actix_web::test]
async fn a_race_for_the_budget_gives_exactly_the_budget() {
    TestApp::run(async |app| {
        let [staff, second] = app.sign_in_all(["staff", "staff-2"]).await.try_into().ok().unwrap();
        set(&staff, "survey_answer", json!({ "amount": 7 })).await;
        raise(&staff, 200).await;
        let people: Vec<String> = (1..=20).map(|number| format!("resident-{number}")).collect();
        let things: Vec<_> = (0_u128..30)
            .zip(people.iter().cycle())
            .map(|(at, who)| done(app, RuleKey::SurveyAnswer, who, at))
            .collect();
        let rules = join_all(things.iter().map(|thing| earn(app, thing)));
        let hands = join_all((0..30).map(|at| {
            let body = json!({ "user_id": user_id(&people[at % 20]), "amount": 5, "reason": "帮忙" });
            if at % 2 == 0 { &staff } else { &second }.post("/points/awards", body)
        }));
        let (rules, hands) = futures_util::join!(rules, hands);
        let by_rule: i64 = rules.iter().map(|one| one.granted).sum();
        let (won, lost): (Vec<_>, Vec<_>) = hands.into_iter().partition(|answer| answer.status == 201);
        for answer in lost {
            answer.refused(409, "points_budget_exhausted");
        }
        // 360 were asked for: a rule takes what awards by hand, which are whole or nothing, have left.
        let given = by_rule + 5 * i64::try_from(won.len()).unwrap();
        let left = budget(&staff).await.as_i64().unwrap();
        assert_eq!(given + left, 200);
        assert!(left < 5 && (left == 0 || rules.iter().all(|one| one.cut.is_none())), "{left}");
    })
    .await;
}

#[actix_web::test]
async fn a_service_entry_says_why_from_the_check_in_to_the_rule() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let settings = format!("/places/{}/settings", place_id(GUANGHUA));
        staff.put(&settings, json!({ "points_per_hour": 0 })).await.expect(200);
        set(&staff, "service_hour", json!({ "amount": 12, "daily_cap": 10 })).await;
        set(&staff, "service_shift", json!({ "amount": 2 })).await;
        let shift = crate::volunteering::new_shift(app, 20, 80, 1).await;
        let signup = crate::volunteering::served(app, &shift).await;
        let staff = app.sign_in("staff").await;
        let path = format!("/signups/{}/confirm", signup["id"].as_str().unwrap());
        let credit = staff.post(&path, json!({})).await.expect(200);
        // 60 minutes at 12 an hour, cut to 10 by the cap, and 2 for the shift.
        assert_eq!((&credit["minutes"], &credit["points"]), (&json!(60), &json!(12)));
        let volunteer = app.sign_in("volunteer-1").await;
        let entries = volunteer.get("/me/points/entries").await.expect(200);
        let entries = entries["items"].as_array().unwrap();
        assert_eq!(entries.iter().map(|one| one["amount"].as_i64().unwrap()).collect::<Vec<_>>(), [2, 10]);
        let path = format!("/me/points/entries/{}", entries[1]["id"].as_str().unwrap());
        let why = volunteer.get(&path).await.expect(200);
        let source = &why["source"];
        assert!(source["what"].as_str().unwrap().starts_with("停车值守，"));
        assert_eq!((&source["kind"], &source["minutes"]), (&json!("signup"), &json!(60)));
        let evidence: Vec<_> = source["evidence"].as_array().unwrap().iter().map(|one| &one["what"]).collect();
        assert_eq!(evidence, ["签到", "签退"]);
        assert!(["qr", "leader"].contains(&source["evidence"][0]["method"].as_str().unwrap()));
        assert!(source["confirmed"][0]["name"].as_str().unwrap().ends_with('*'));
        let rule = &why["rule"];
        assert_eq!(
            (&rule["key"], &rule["version"], &rule["daily_cap"]),
            (&json!("service_hour"), &json!(1), &json!(10))
        );
        assert_eq!((&rule["asked"], &rule["granted"], &rule["cut_by"]), (&json!(12), &json!(10), &json!("daily_cap")));
        assert_eq!(rule["calculation"]["parts"], json!([{ "factor": "plain", "minutes": 60, "percent": 100 }]));
        app.sign_in("resident-1").await.get(&path).await.refused(404, "not_found");
    })
    .await;
}

#[actix_web::test]
async fn confirming_minutes_never_fails_for_an_empty_budget() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        raise(&staff, 4).await;
        let shift = crate::volunteering::new_shift(app, 20, 80, 1).await;
        let signup = crate::volunteering::served(app, &shift).await;
        let path = format!("/signups/{}/confirm", signup["id"].as_str().unwrap());
        let credit = app.sign_in("staff").await.post(&path, json!({})).await.expect(200);
        assert_eq!((&credit["minutes"], &credit["points"]), (&json!(60), &json!(4)));
    })
    .await;
}

#[actix_web::test]
async fn the_demos_points_are_there_once_however_often_it_starts() {
    TestApp::run(async |app| {
        for _ in 0..2 {
            linli::demo::act(&app.state).await.unwrap();
        }
        let [second, person] = app.sign_in_all(["staff-2", "resident-1"]).await.try_into().ok().unwrap();
        assert_eq!(budget(&person).await, 100_000);
        let rules = person.get(&rules("/jiangan/laodong/yiyuan/")).await.expect(200);
        let hour = rule(&rules, "service_hour");
        assert_eq!((&hour["version"], &hour["night_percent"]), (&json!(1), &json!(150)));
        let waiting = second.get(&format!("/points/awards?place_id={}", place_id(GUANGHUA))).await.expect(200);
        assert_eq!(waiting["items"].as_array().unwrap().len(), 1);
        assert_eq!(waiting["items"][0]["may_decide"], true);
    })
    .await;
}
