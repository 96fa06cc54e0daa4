//! Awards, wallets, leaderboards.

use chrono::Duration;
use entities::audit::log;
use entities::points::score;
use futures_util::future::join_all;
use linli::ledger;
use linli::points::{Award, award};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{GUANGHUA, TestApp, place_id, user_id};

/// An award by a rule, as another capability makes it.
pub async fn credit(app: &TestApp, person: &str, amount: i64, source: Uuid) -> bool {
    let points = &Award {
        community_id: place_id(GUANGHUA),
        person: user_id(person),
        amount,
        rule: "test.rule",
        source: ("signup", source),
        reason: "志愿服务".to_owned(),
        actor: None,
    };
    linli::platform::http::transact(&app.state, async |txn| award(&app.state, txn, points).await)
        .await
        .expect("an award")
}

fn gift(person: &str, amount: i64) -> Value {
    json!({ "user_id": user_id(person), "amount": amount, "reason": "帮忙搬运物资" })
}

// Guard: `ledger_transactions_once` on the dedupe key.
#[actix_web::test]
async fn parallel_awards_for_one_source_credit_once() {
    TestApp::run(async |app| {
        let source = Uuid::from_u128(7);
        let credited = join_all((0..30).map(|_| credit(app, "resident-1", 20, source))).await;
        assert_eq!(credited.into_iter().filter(|credited| *credited).count(), 1);
        // Another person, and another source, are other awards.
        let others = join_all((8..18).map(|at| credit(app, "resident-1", 10, Uuid::from_u128(at)))).await;
        assert!(others.into_iter().all(|credited| credited));
        assert!(credit(app, "resident-2", 20, source).await);
        assert!(!credit(app, "resident-2", 0, Uuid::from_u128(99)).await, "nothing is no award");

        let now = app.state.clock.now();
        let wallet =
            ledger::balance(app.state.db.read(), place_id(GUANGHUA), user_id("resident-1"), now).await.unwrap();
        assert_eq!(wallet, ledger::Balance { available: 120, reserved: 0, debt: 0 });
        let scores = score::Entity::find().all(app.state.db.read()).await.unwrap();
        assert_eq!(scores.len(), 8, "four periods each");
        assert!(scores.iter().all(|row| row.points == if row.user_id == user_id("resident-1") { 120 } else { 20 }));
        let inbox = app.sign_in("resident-1").await.get("/inbox").await.expect(200);
        assert_eq!(inbox["items"].as_array().unwrap().len(), 11);
        assert_eq!(inbox["items"][10]["title"], "积分到账：+20");
    })
    .await;
}

// Guard: the statements of ledger/accounts.rs and points/service.rs add to what is there; reading first would lose awards.
#[actix_web::test]
async fn awards_to_one_wallet_from_many_sides_wait_and_do_not_fail() {
    TestApp::run(async |app| {
        let [staff, staff_2] = app.sign_in_all(["staff", "staff-2"]).await.try_into().ok().unwrap();
        let by_hand = join_all((0..30).map(|at| {
            let giver = if at % 2 == 0 { &staff } else { &staff_2 };
            giver.post("/points/awards", gift("resident-1", 1 + at))
        }));
        let by_rule = join_all((0..30).map(|at| credit(app, "resident-1", 1, Uuid::from_u128(at))));
        let (by_hand, by_rule) = futures_util::join!(by_hand, by_rule);
        for answer in by_hand {
            answer.expect(201);
        }
        assert!(by_rule.into_iter().all(|credited| credited));
        let points = app.sign_in("resident-1").await.get("/me/points").await.expect(200);
        assert_eq!(points, json!({ "available": 495, "reserved": 0, "debt": 0, "earned": 495 }));
    })
    .await;
}

#[actix_web::test]
async fn staff_award_by_hand_and_the_person_sees_it() {
    TestApp::run(async |app| {
        let [staff, person] = app.sign_in_all(["staff", "resident-1"]).await.try_into().ok().unwrap();
        assert_eq!(
            person.get("/me/points").await.expect(200),
            json!({ "available": 0, "reserved": 0, "debt": 0, "earned": 0 })
        );
        let given = staff.post_with_key("/points/awards", gift("resident-1", 30), "once").await.expect(201);
        assert_eq!(staff.post_with_key("/points/awards", gift("resident-1", 30), "once").await.expect(201), given);
        assert_eq!(given["amount"], 30);
        for amount in [1, 2, 3] {
            staff.post("/points/awards", gift("resident-1", amount)).await.expect(201);
        }
        assert_eq!(
            person.get("/me/points").await.expect(200),
            json!({ "available": 36, "reserved": 0, "debt": 0, "earned": 36 })
        );

        let first = person.get("/me/points/entries?limit=3").await.expect(200);
        let amounts = |page: &Value| {
            page["items"].as_array().unwrap().iter().map(|item| item["amount"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(amounts(&first), [3, 2, 1]);
        assert_eq!(first["items"][0]["kind"], "award");
        assert_eq!(first["items"][0]["reserved"], false);
        assert_eq!(first["items"][0]["reason"], "帮忙搬运物资");
        let next = format!("/me/points/entries?limit=3&cursor={}", first["next_cursor"].as_str().unwrap());
        let rest = person.get(&next).await.expect(200);
        assert_eq!((amounts(&rest), &rest["next_cursor"]), (vec![30], &Value::Null));
        person.get("/me/points/entries?cursor=made-up").await.names("?cursor");

        assert_eq!(person.get("/inbox").await.expect(200)["items"][0]["kind"], "points.awarded");
        let audited = log::Entity::find().filter(log::Column::Action.eq("points.award"));
        assert_eq!(audited.count(app.state.db.read()).await.unwrap(), 4);
        let newcomer = app.sign_in("newcomer-1").await;
        assert_eq!(newcomer.get("/me/points").await.expect(200)["earned"], 0);
        assert_eq!(newcomer.get("/me/points/entries").await.expect(200)["items"], json!([]));
    })
    .await;
}

#[actix_web::test]
async fn only_staff_award_and_only_to_verified_residents_of_their_place() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        for persona in ["resident-2", "leader", "merchant", "newcomer-1"] {
            let person = app.sign_in(persona).await;
            person.post("/points/awards", gift("resident-1", 1)).await.refused(403, "forbidden");
        }
        let other = app.sign_in("staff-other").await;
        other.post("/points/awards", gift("resident-1", 1)).await.refused(403, "forbidden");
        app.sign_in("street").await.post("/points/awards", gift("resident-1", 1)).await.expect(201);
        staff.post("/points/awards", gift("staff", 1)).await.refused(403, "own_act");
        staff.post("/points/awards", gift("newcomer-1", 1)).await.names("/user_id");
        staff.post("/points/awards", gift("nobody", 1)).await.names("/user_id");
        for amount in [json!(0), json!(-5), json!(101), json!(1.5), json!("10"), json!(i64::MAX), json!(null)] {
            let mut body = gift("resident-1", 1);
            body["amount"] = amount;
            staff.post("/points/awards", body).await.names("/amount");
        }
        for reason in [json!(""), json!("a\u{0}b"), json!("长".repeat(101)), json!(7)] {
            let mut body = gift("resident-1", 1);
            body["reason"] = reason;
            staff.post("/points/awards", body).await.names("/reason");
        }
        let mut body = gift("resident-1", 1);
        body["rule"] = json!("volunteering.hours");
        staff.post("/points/awards", body).await.names("/rule");
        assert_eq!(app.sign_in("resident-1").await.get("/me/points").await.expect(200)["available"], 1);
    })
    .await;
}

// Guard: the condition of the budget's upsert in points/service.rs (and `award_budgets_daily` behind it).
#[actix_web::test]
async fn the_day_and_staff_member_has_a_limit_that_parallel_calls_cannot_pass() {
    TestApp::run_configured(
        |config| config.rules.award_second_person_above = 100,
        async |app| {
            let [staff, staff_2] = app.sign_in_all(["staff", "staff-2"]).await.try_into().ok().unwrap();
            let people: Vec<String> = (1..=20).map(|number| format!("resident-{number}")).collect();
            staff.post("/points/awards", gift("resident-1", 1)).await.expect(201);
            let answers =
                join_all((0..60).map(|at| staff.post("/points/awards", gift(&people[at % people.len()], 100)))).await;
            let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
            assert_eq!(won.len(), 49, "4,901 of 5,000");
            for answer in lost {
                answer.refused(409, "award_limit");
            }
            staff.post("/points/awards", gift("resident-1", 99)).await.expect(201);
            staff.post("/points/awards", gift("resident-1", 1)).await.refused(409, "award_limit");
            staff_2.post("/points/awards", gift("resident-1", 1)).await.expect(201);
            app.advance(Duration::hours(24)).await;
            app.sign_in("staff").await.post("/points/awards", gift("resident-1", 1)).await.expect(201);
        },
    )
    .await;
}
