//! Gifts for points: stock, redemptions, pickup codes.

use chrono::Duration;
use entities::audit::log;
use entities::jobs::idempotency_key;
use entities::rewards::redemption;
use futures_util::future::join_all;
use reqwest::Method;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::points::credit;
use crate::support::{ANJING, Answer, BUILDING_1, GUANGHUA, Person, TestApp, place_id, user_id};

/// A new reward of 光华社区.
pub async fn offer(app: &TestApp, cost: i64, stock: i64) -> String {
    let body = json!({ "place_id": place_id(GUANGHUA), "title": "保温杯", "cost": cost, "stock": stock });
    let reward = app.sign_in("staff").await.post("/rewards", body).await.expect(201);
    reward["id"].as_str().unwrap().to_owned()
}

/// Somebody with points.
pub async fn earner(app: &TestApp, persona: &str, points: i64) -> Person {
    credit(app, persona, points, Uuid::from_u128(1)).await;
    app.sign_in(persona).await
}

pub async fn redeem(person: &Person, reward: &str) -> Answer {
    person.post("/redemptions", json!({ "reward_id": reward })).await
}

pub async fn settle(clerk: &Person, redeemed: &Value) -> Answer {
    clerk.post("/redemptions/settle", json!({ "pickup_code": redeemed["pickup_code"] })).await
}

/// The redemption with the code that its owner's screen shows now.
pub async fn shown(person: &Person, redeemed: &Value) -> Value {
    let path = format!("/me/redemptions/{}/code", redeemed["id"].as_str().unwrap());
    let code = person.get(&path).await.expect(200);
    json!({ "id": redeemed["id"], "pickup_code": code["pickup_code"] })
}

pub async fn cancel(person: &Person, redeemed: &Value) -> Answer {
    person.post(&format!("/redemptions/{}/cancel", redeemed["id"].as_str().unwrap()), json!({})).await
}

pub async fn balance(person: &Person) -> (i64, i64) {
    let points = person.get("/me/points").await.expect(200);
    (points["available"].as_i64().unwrap(), points["reserved"].as_i64().unwrap())
}

pub async fn available(person: &Person, reward: &str) -> i64 {
    let list = person.get(&format!("/rewards?place_id={}&limit=100", place_id(GUANGHUA))).await.expect(200);
    let found = list["items"].as_array().unwrap().iter().find(|item| item["id"] == reward);
    found.unwrap()["available"].as_i64().unwrap()
}

pub fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

#[actix_web::test]
async fn a_volunteer_redeems_and_the_clerk_settles() {
    TestApp::run(async |app| {
        let reward = offer(app, 30, 5).await;
        let person = earner(app, "volunteer-1", 100).await;
        let merchant = app.sign_in("merchant").await;
        let body = json!({ "reward_id": reward });
        let redeemed = person.post_with_key("/redemptions", body.clone(), "once").await.expect(201);
        assert_eq!(redeemed["state"], "reserved");
        assert_eq!(redeemed["reward"]["title"], "保温杯");
        assert_eq!(person.post_with_key("/redemptions", body, "once").await.expect(201), redeemed, "with the code");
        assert_eq!((balance(&person).await, available(&person, &reward).await), ((70, 30), 4));
        let entries = person.get("/me/points/entries").await.expect(200);
        assert_eq!((&entries["items"][0]["amount"], &entries["items"][0]["reserved"]), (&json!(-30), &json!(true)));
        let mine = person.get("/me/redemptions").await.expect(200);
        assert_eq!(mine["items"][0]["pickup_code"], redeemed["pickup_code"]);

        // As a clerk types it.
        let code = redeemed["pickup_code"].as_str().unwrap();
        assert_eq!(code.len(), 23);
        let typed = json!({ "pickup_code": format!(" {} ", code.to_lowercase().replace('-', " ")) });
        let settled = merchant.post("/redemptions/settle", typed).await.expect(200);
        assert_eq!((&settled["id"], &settled["state"]), (&redeemed["id"], &json!("settled")));
        assert_eq!(settled["reward"]["title"], "保温杯");
        assert!(settled.get("pickup_code").is_none());
        settle(&merchant, &redeemed).await.refused(409, "already_settled");
        cancel(&person, &redeemed).await.refused(409, "already_settled");

        assert_eq!((balance(&person).await, available(&person, &reward).await), ((70, 0), 4));
        let entries = person.get("/me/points/entries").await.expect(200);
        assert_eq!(entries["items"].as_array().unwrap().len(), 2, "the hold has become the spending");
        assert_eq!((&entries["items"][0]["amount"], &entries["items"][0]["reserved"]), (&json!(-30), &json!(false)));
        assert_eq!(entries["items"][0]["kind"], "redemption");
        let mine = person.get("/me/redemptions").await.expect(200);
        assert_eq!(mine["items"][0]["state"], "settled");
        assert!(mine["items"][0].get("pickup_code").is_none());
        assert_eq!(person.get("/inbox").await.expect(200)["items"][0]["kind"], "redemption.ended");
        let audited = log::Entity::find().filter(log::Column::Action.eq("redemption.settle"));
        assert_eq!(audited.count(app.state.db.read()).await.unwrap(), 1);
    })
    .await;
}

#[actix_web::test]
async fn a_pickup_code_is_stored_nowhere() {
    TestApp::run(async |app| {
        let reward = offer(app, 10, 5).await;
        let person = earner(app, "resident-1", 10).await;
        let redeemed = redeem(&person, &reward).await.expect(201);
        let code = redeemed["pickup_code"].as_str().unwrap();
        let keys = idempotency_key::Entity::find().all(app.state.db.read()).await.unwrap();
        let rows = redemption::Entity::find().all(app.state.db.read()).await.unwrap();
        let stored = format!("{keys:?}{rows:?}");
        assert!(stored.contains(redeemed["id"].as_str().unwrap()));
        assert!(!stored.contains(code) && !stored.contains(&code.replace('-', "")));
    })
    .await;
}

#[actix_web::test]
async fn without_points_or_stock_nothing_is_taken() {
    TestApp::run(async |app| {
        let (dear, gone, one) = (offer(app, 101, 5).await, offer(app, 1, 0).await, offer(app, 100, 1).await);
        let person = earner(app, "resident-1", 100).await;
        redeem(&person, &dear).await.refused(409, "insufficient_points");
        redeem(&person, &gone).await.refused(409, "out_of_stock");
        assert_eq!((balance(&person).await, available(&person, &dear).await), ((100, 0), 5));
        let poor = app.sign_in("resident-2").await;
        redeem(&poor, &one).await.refused(409, "insufficient_points");
        assert_eq!(available(&poor, &one).await, 1);
        let redeemed = redeem(&person, &one).await.expect(201);
        redeem(&person, &one).await.refused(409, "out_of_stock");
        // Reserved points cannot be spent again.
        redeem(&person, &dear).await.refused(409, "insufficient_points");
        cancel(&person, &redeemed).await.expect(200);
        redeem(&person, &one).await.expect(201);
    })
    .await;
}

#[actix_web::test]
async fn cancelling_gives_both_back_once() {
    TestApp::run(async |app| {
        let reward = offer(app, 40, 2).await;
        let person = earner(app, "resident-1", 100).await;
        let [neighbour, staff, other, merchant] =
            app.sign_in_all(["resident-2", "staff", "staff-other", "merchant"]).await.try_into().ok().unwrap();
        let [first, second] = [redeem(&person, &reward).await.expect(201), redeem(&person, &reward).await.expect(201)];
        assert_eq!((balance(&person).await, available(&person, &reward).await), ((20, 80), 0));
        for stranger in [&neighbour, &other, &merchant] {
            cancel(stranger, &first).await.refused(404, "not_found");
        }
        person.post(&format!("/redemptions/{}/cancel", Uuid::from_u128(9)), json!({})).await.refused(404, "not_found");
        assert_eq!(cancel(&person, &first).await.expect(200)["state"], "cancelled");
        cancel(&person, &first).await.refused(409, "redemption_ended");
        settle(&merchant, &first).await.refused(409, "redemption_ended");
        cancel(&staff, &second).await.expect(200);
        assert_eq!((balance(&person).await, available(&person, &reward).await), ((100, 0), 2));
        let inbox = person.get("/inbox").await.expect(200);
        assert_eq!(inbox["items"][0]["title"], "兑换已取消", "what staff did is told, what one did oneself is not");
        assert_eq!(inbox["items"].as_array().unwrap().len(), 2);
        let entries = person.get("/me/points/entries").await.expect(200);
        assert_eq!(entries["items"].as_array().unwrap().len(), 1, "what was given back leaves no entry");
    })
    .await;
}

#[actix_web::test]
async fn what_is_not_collected_expires_and_is_given_back() {
    TestApp::run(async |app| {
        let reward = offer(app, 40, 2).await;
        let person = earner(app, "resident-1", 100).await;
        let [first, second] = [redeem(&person, &reward).await.expect(201), redeem(&person, &reward).await.expect(201)];
        app.advance(Duration::hours(71)).await;
        let [person, merchant] = app.sign_in_all(["resident-1", "merchant"]).await.try_into().ok().unwrap();
        settle(&merchant, &shown(&person, &first).await).await.expect(200);
        // Past its time it cannot be settled, even before the schedule has run, and with a code that is good still.
        app.simulator.control().advance(Duration::minutes(59).to_std().unwrap());
        app.simulator.control().advance(Duration::seconds(30).to_std().unwrap());
        let [person_later, merchant] = app.sign_in_all(["resident-1", "merchant"]).await.try_into().ok().unwrap();
        let last_code = shown(&person_later, &second).await;
        app.simulator.control().advance(Duration::seconds(31).to_std().unwrap());
        settle(&merchant, &last_code).await.refused(409, "redemption_ended");
        let path = format!("/me/redemptions/{}/code", second["id"].as_str().unwrap());
        person_later.get(&path).await.refused(409, "redemption_ended");
        let mine = person_later.get("/me/redemptions").await.expect(200);
        assert!(mine["items"][0].get("pickup_code").is_none());
        drop(person);
        app.work().await;
        assert_eq!((balance(&person_later).await, available(&person_later, &reward).await), ((60, 0), 1));
        let mine = person_later.get("/me/redemptions").await.expect(200);
        assert_eq!((&mine["items"][0]["state"], &mine["items"][1]["state"]), (&json!("expired"), &json!("settled")));
        assert_eq!(person_later.get("/inbox").await.expect(200)["items"][0]["title"], "兑换已过期");
        app.advance(Duration::hours(1)).await;
        let person = app.sign_in("resident-1").await;
        assert_eq!((balance(&person).await, available(&person, &reward).await), ((60, 0), 1), "once");
    })
    .await;
}

// Guard: `available > 0` in the statement of rewards/service.rs (and `rewards_available` behind it).
#[actix_web::test]
async fn a_stock_of_ten_under_a_thousand_requests_gives_exactly_ten() {
    TestApp::run(async |app| {
        let reward = offer(app, 5, 10).await;
        let residents = (1..=20).map(|number| format!("resident-{number}"));
        let mut people = Vec::new();
        for persona in residents.chain((1..=5).map(|number| format!("volunteer-{number}"))) {
            people.push(earner(app, &persona, 1000).await);
        }
        let answers = join_all((0..1000).map(|at| redeem(&people[at % people.len()], &reward))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(won.len(), 10);
        for answer in lost {
            answer.refused(409, "out_of_stock");
        }
        assert_eq!(available(&people[0], &reward).await, 0);
        let balances = join_all(people.iter().map(balance)).await;
        assert_eq!(balances.iter().map(|(_, reserved)| reserved).sum::<i64>(), 50);
        assert!(balances.iter().all(|(available, reserved)| available + reserved == 1000));
    })
    .await;
}

// Guard: the condition on what is available in ledger/accounts.rs (and `ledger_accounts_available` behind it).
#[actix_web::test]
async fn of_twenty_redemptions_by_somebody_who_can_afford_one_exactly_one_succeeds() {
    TestApp::run(async |app| {
        let rewards = [offer(app, 60, 50).await, offer(app, 60, 50).await];
        let person = earner(app, "resident-1", 100).await;
        let answers = join_all((0..20).map(|at| redeem(&person, &rewards[at % 2]))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(won.len(), 1);
        for answer in lost {
            answer.refused(409, "insufficient_points");
        }
        assert_eq!(balance(&person).await, (40, 60));
        assert_eq!(available(&person, &rewards[0]).await + available(&person, &rewards[1]).await, 99);
    })
    .await;
}

// Guard: the state in the condition of `end` in rewards/service/redemptions.rs (and `ledger_transactions_resolved_once` behind it).
#[actix_web::test]
async fn fifty_scanners_of_one_code_settle_once() {
    TestApp::run(async |app| {
        let (shop, _) = crate::merchants::merchant(app, "洗车行", &["merchant"]).await;
        let reward = crate::merchants::offer_by(app, &shop, json!({ "cost": 60, "stock": 5 })).await;
        let person = earner(app, "resident-1", 100).await;
        let staff = app.sign_in("staff").await;
        let mut clerks = app.sign_in_all(["merchant", "staff", "staff-2", "street", "district"]).await;
        for number in 2..=20 {
            let clerk = app.sign_in(&format!("resident-{number}")).await;
            staff.put(&format!("/merchants/{shop}/people/{}", clerk.id), json!({})).await.expect(204);
            clerks.push(clerk);
        }
        let redeemed = redeem(&person, &reward).await.expect(201);
        let answers = join_all((0..50).map(|at| settle(&clerks[at % clerks.len()], &redeemed))).await;
        assert_eq!(count(&answers, 200), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "already_settled");
        }
        assert_eq!((balance(&person).await, available(&person, &reward).await), ((40, 0), 4));
    })
    .await;
}

// Guard: the proof of a step in rewards/domain/code.rs.
#[actix_web::test]
async fn a_code_rotates_and_an_older_one_is_refused() {
    TestApp::run(async |app| {
        let reward = offer(app, 10, 5).await;
        let person = earner(app, "resident-1", 100).await;
        let [merchant, neighbour] = app.sign_in_all(["merchant", "resident-2"]).await.try_into().ok().unwrap();
        let redeemed = redeem(&person, &reward).await.expect(201);
        let path = format!("/me/redemptions/{}/code", redeemed["id"].as_str().unwrap());
        let first = person.get(&path).await.expect(200);
        assert_eq!(first["pickup_code"], redeemed["pickup_code"]);
        assert!(first["qr_svg"].as_str().unwrap().contains("<svg"));
        let at =
            |code: &Value, name: &str| code[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        let made = at(&redeemed, "created_at");
        assert_eq!(
            (at(&first, "changes_at") - made, at(&first, "expires_at") - made),
            (Duration::seconds(60), Duration::seconds(90))
        );
        neighbour.get(&path).await.refused(404, "not_found");

        app.simulator.control().advance(Duration::seconds(95).to_std().unwrap());
        settle(&merchant, &redeemed).await.refused(409, "pickup_code_expired");
        let second = shown(&person, &redeemed).await;
        let parts = |code: &Value| code["pickup_code"].as_str().unwrap().replace('-', "").split_at(7).0.to_owned();
        assert_eq!(parts(&first), parts(&second), "the part that finds it stays");
        assert_ne!(first["pickup_code"], second["pickup_code"]);
        // Another's proof behind this handle is no code.
        let mut forged = second["pickup_code"].as_str().unwrap().to_owned();
        let last = if forged.pop() == Some('0') { '1' } else { '0' };
        forged.push(last);
        settle(&merchant, &json!({ "pickup_code": forged })).await.refused(404, "pickup_code_invalid");
        // As the phone scans it.
        let scanned = format!("linli://pick-up/{}", second["pickup_code"].as_str().unwrap());
        settle(&merchant, &json!({ "pickup_code": scanned })).await.expect(200);
        person.get(&path).await.refused(409, "already_settled");
    })
    .await;
}

// Guard: rewards/service/tries.rs.
#[actix_web::test]
async fn who_tries_wrong_codes_is_stopped() {
    TestApp::run(async |app| {
        let reward = offer(app, 10, 5).await;
        let person = earner(app, "resident-1", 100).await;
        let [merchant, staff] = app.sign_in_all(["merchant", "staff"]).await.try_into().ok().unwrap();
        let redeemed = redeem(&person, &reward).await.expect(201);
        let guess = |at: usize| json!({ "pickup_code": format!("{at:020}") });
        for at in 0..20 {
            merchant.post("/redemptions/settle", guess(at)).await.refused(404, "pickup_code_invalid");
        }
        let answer = merchant.post("/redemptions/settle", guess(20)).await;
        assert_eq!(answer.headers["retry-after"], "600");
        answer.refused(429, "rate_limited");
        // The right one neither: a hit must not be told apart.
        settle(&merchant, &redeemed).await.refused(429, "rate_limited");
        settle(&staff, &redeemed).await.expect(200);
    })
    .await;
}

// Guard: as above. The state decides who was first, and the hold ends once.
#[actix_web::test]
async fn settling_cancelling_and_expiring_race_to_one_end() {
    TestApp::run(async |app| {
        let reward = offer(app, 10, 10).await;
        let person = earner(app, "resident-1", 100).await;
        let mut redeemed = Vec::new();
        for _ in 0..10 {
            redeemed.push(redeem(&person, &reward).await.expect(201));
        }
        // At the very end of their time, so that all three have a chance.
        app.simulator.control().advance((Duration::hours(72) - Duration::seconds(30)).to_std().unwrap());
        let [person, merchant, staff] =
            app.sign_in_all(["resident-1", "merchant", "staff"]).await.try_into().ok().unwrap();
        let redeemed = join_all(redeemed.iter().map(|redeemed| shown(&person, redeemed))).await;
        let first = redemption::Entity::find().order_by_asc(redemption::Column::Id).one(app.state.db.read()).await;
        let left = first.unwrap().unwrap().expires_at - app.state.clock.now();
        app.simulator.control().advance((left - Duration::milliseconds(300)).to_std().unwrap_or_default());
        let expiries = join_all((0..10).map(|_| app.work()));
        let settlements = join_all(redeemed.iter().take(8).map(|redeemed| settle(&merchant, redeemed)));
        let cancellations = join_all(redeemed.iter().skip(2).map(|redeemed| cancel(&person, redeemed)));
        let more = join_all(redeemed.iter().map(|redeemed| cancel(&staff, redeemed)));
        let (settlements, cancellations, more, _) = futures_util::join!(settlements, cancellations, more, expiries);
        app.advance(Duration::minutes(5)).await;
        let settled = count(&settlements, 200);
        let cancelled = count(&cancellations, 200) + count(&more, 200);
        for answer in settlements.into_iter().chain(cancellations).chain(more).filter(|answer| answer.status != 200) {
            assert!(matches!(answer.body["code"].as_str(), Some("already_settled" | "redemption_ended")), "{answer:?}");
        }
        let rows = redemption::Entity::find().all(app.state.db.read()).await.unwrap();
        let ended = |state: &str| rows.iter().filter(|row| row.state.to_string() == state).count();
        assert_eq!((ended("settled"), ended("cancelled")), (settled, cancelled));
        assert_eq!(ended("settled") + ended("cancelled") + ended("expired"), 10);
        let spent = i64::try_from(settled).unwrap() * 10;
        assert_eq!(balance(&person).await, (100 - spent, 0));
        assert_eq!(available(&person, &reward).await, 10 - spent / 10);
    })
    .await;
}

// Guard: the lock order in rewards/mod.rs.
#[actix_web::test]
async fn redeeming_and_cancelling_at_once_does_not_deadlock() {
    TestApp::run(async |app| {
        let rewards = [offer(app, 1, 500).await, offer(app, 2, 500).await];
        let people = [earner(app, "resident-1", 1000).await, earner(app, "resident-2", 1000).await];
        join_all((0..40).map(async |at| {
            let person = &people[at % 2];
            let redeemed = redeem(person, &rewards[at / 2 % 2]).await.expect(201);
            if at % 4 < 2 {
                cancel(person, &redeemed).await.expect(200);
            }
        }))
        .await;
        for person in &people {
            let (available, reserved) = balance(person).await;
            assert_eq!(available + reserved, 1000);
        }
    })
    .await;
}

#[actix_web::test]
async fn only_residents_of_the_community_redeem_and_only_its_clerks_settle() {
    TestApp::run(async |app| {
        let reward = offer(app, 10, 5).await;
        let person = earner(app, "resident-1", 100).await;
        let [newcomer, other, staff, neighbour, merchant] = app
            .sign_in_all(["newcomer-1", "staff-other", "staff", "resident-2", "merchant"])
            .await
            .try_into()
            .ok()
            .unwrap();
        redeem(&newcomer, &reward).await.refused(403, "not_verified");
        redeem(&staff, &reward).await.refused(403, "not_verified");
        let elsewhere = json!({ "place_id": place_id(ANJING), "title": "米", "cost": 10, "stock": 5 });
        let elsewhere = other.post("/rewards", elsewhere).await.expect(201);
        redeem(&person, elsewhere["id"].as_str().unwrap()).await.refused(403, "not_resident_here");

        let redeemed = redeem(&person, &reward).await.expect(201);
        settle(&neighbour, &redeemed).await.refused(403, "forbidden");
        settle(&other, &redeemed).await.refused(404, "pickup_code_invalid");
        for code in ["00000-00000-00000-00000", "nonsense", "U7K3Q-F2M9X-7K3QF-2M9XA", "七七七"] {
            let body = json!({ "pickup_code": code });
            merchant.post("/redemptions/settle", body).await.refused(404, "pickup_code_invalid");
        }
        // A clerk's own redemption is another clerk's to settle.
        let grant = json!({ "user_id": user_id("resident-1"), "role": "merchant", "place_id": place_id(GUANGHUA) });
        staff.post("/grants", grant).await.expect(201);
        settle(&person, &redeemed).await.refused(403, "own_act");
        settle(&merchant, &redeemed).await.expect(200);
    })
    .await;
}

#[actix_web::test]
async fn rewards_are_offered_by_staff_of_the_place() {
    TestApp::run(async |app| {
        let [staff, other, person] =
            app.sign_in_all(["staff", "staff-other", "resident-1"]).await.try_into().ok().unwrap();
        let body = |field: &str, value: Value| {
            let mut body = json!({ "place_id": place_id(GUANGHUA), "title": "雨伞", "cost": 10, "stock": 5 });
            body[field] = value;
            body
        };
        for stranger in [&other, &person] {
            stranger.post("/rewards", body("stock", json!(1))).await.refused(403, "forbidden");
        }
        staff.post("/rewards", body("place_id", json!(place_id("/jiangan/chezhan/")))).await.names("/place_id");
        staff.post("/rewards", body("place_id", json!(user_id("staff")))).await.names("/place_id");
        for (field, value) in [
            ("title", json!("")),
            ("title", json!("伞".repeat(41))),
            ("title", json!("a\u{7}")),
            ("cost", json!(0)),
            ("cost", json!("10")),
            ("stock", json!(-1)),
            ("stock", json!(1_000_001)),
            ("nope", json!(1)),
        ] {
            staff.post("/rewards", body(field, value)).await.names(&format!("/{field}"));
        }
        person.post("/redemptions", json!({ "reward_id": place_id(GUANGHUA) })).await.names("/reward_id");
        person.post("/redemptions", json!({ "reward_id": 7 })).await.names("/reward_id");
        staff.post("/redemptions/settle", json!({ "pickup_code": "x".repeat(41) })).await.names("/pickup_code");

        let at_home = staff.post("/rewards", body("place_id", json!(place_id(BUILDING_1)))).await.expect(201);
        let titles = async |path: &str| {
            let list = person.get(&format!("/rewards?place_id={}", place_id(path))).await.expect(200);
            list["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["title"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(at_home["available"], 5);
        assert_eq!(titles(BUILDING_1).await, ["雨伞"]);
        assert_eq!(titles(GUANGHUA).await.len(), 5, "the demo's four and this one");
        assert_eq!(titles("/jiangan/chezhan/").await.len(), 5);
        assert!(titles(ANJING).await.is_empty());
        app.anonymous(Method::GET, "/me/redemptions", &json!({})).await.refused(401, "unauthenticated");
    })
    .await;
}

#[actix_web::test]
async fn verify_finds_books_that_were_tampered_with() {
    TestApp::run(async |app| {
        let reward = offer(app, 10, 5).await;
        let person = earner(app, "resident-1", 100).await;
        redeem(&person, &reward).await.expect(201);
        for (table, column) in [
            ("ledger_accounts", "posted"),
            ("ledger_accounts", "reserved"),
            ("points_scores", "points"),
            ("rewards", "stock"),
            ("redemptions", "cost"),
        ] {
            // Only the rows of this test: wallets, its reward and its redemption.
            let only = match table {
                "ledger_accounts" => "WHERE kind = 'wallet'",
                "rewards" => "WHERE title = '保温杯'",
                _ => "",
            };
            let add = async |amount: i64| {
                let txn = app.state.db.begin().await.unwrap();
                let statement = format!("UPDATE {table} SET {column} = {column} + {amount} {only}");
                txn.execute_unprepared(&statement).await.unwrap();
                txn.commit().await.unwrap();
            };
            add(1).await;
            let findings = linli::verify::run(&app.state).await.unwrap();
            assert!(!findings.is_empty(), "{table}.{column}");
            add(-1).await;
        }
        let txn = app.state.db.begin().await.unwrap();
        let refused = txn.execute_unprepared("UPDATE ledger_transfers SET amount = 1").await;
        assert!(refused.unwrap_err().to_string().contains("ledger_transfers"), "rows are only ever added");
    })
    .await;
}
