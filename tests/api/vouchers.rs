//! Codes that somebody else honours.

use std::collections::HashSet;

use chrono::Duration;
use entities::audit::log;
use entities::jobs::idempotency_key;
use entities::rewards::voucher;
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::rewards::{available, balance, cancel, earner, offer, redeem};
use crate::support::{Answer, GUANGHUA, Person, TestApp, place_id};

/// A voucher reward with codes.
async fn offer_vouchers(app: &TestApp, codes: usize) -> String {
    let staff = app.sign_in("staff").await;
    let body = json!({ "place_id": place_id(GUANGHUA), "title": "洗车", "cost": 10, "kind": "voucher" });
    let reward = staff.post("/rewards", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    if codes > 0 {
        let codes: Vec<String> = (0..codes).map(|number| format!("WASH-{number:05}")).collect();
        import(&staff, &reward, &codes).await.expect(201);
    }
    reward
}

async fn import(staff: &Person, reward: &str, codes: &[String]) -> Answer {
    staff.post(&format!("/rewards/{reward}/vouchers"), json!({ "codes": codes })).await
}

async fn show(person: &Person, redeemed: &Value) -> Answer {
    person.post(&format!("/redemptions/{}/voucher", redeemed["id"].as_str().unwrap()), json!({})).await
}

fn codes(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

// Guards: the check under the reward's lock in rewards/service/vouchers.rs; `reward_vouchers_once` behind it.
#[actix_web::test]
async fn codes_are_imported_all_or_none_and_stored_encrypted() {
    TestApp::run(async |app| {
        let reward = offer_vouchers(app, 0).await;
        let [staff, other, person] =
            app.sign_in_all(["staff", "staff-other", "resident-1"]).await.try_into().ok().unwrap();
        let made = import(&staff, &reward, &codes(&["A-1", " A-2 ", "A-3"])).await.expect(201);
        assert_eq!((&made["stock"], &made["available"]), (&json!(3), &json!(3)));
        let refused = import(&staff, &reward, &codes(&["B-1", "A-2", "B-2", "B-1"])).await;
        assert_eq!(refused.body["errors"].as_array().unwrap().len(), 2);
        assert_eq!(refused.body["errors"][1]["code"], "duplicate");
        refused.names("/codes/1");
        import(&staff, &reward, &codes(&["B-1", "A-2", "B-2", "B-1"])).await.names("/codes/3");
        assert_eq!(available(&person, &reward).await, 3, "nothing half-done");
        for wrong in [Vec::new(), codes(&["C-1", ""]), codes(&[&"x".repeat(41)]), vec!["x".to_owned(); 5001]] {
            import(&staff, &reward, &wrong).await.refused(422, "invalid_input");
        }
        for stranger in [&other, &person] {
            import(stranger, &reward, &codes(&["C-1"])).await.refused(403, "forbidden");
        }
        let pieces = offer(app, 1, 1).await;
        import(&staff, &pieces, &codes(&["C-1"])).await.names("/codes");
        staff.post(&format!("/rewards/{reward}/stock"), json!({ "pieces": 1, "reason": "x" })).await.names("/pieces");
        let with_stock =
            json!({ "place_id": place_id(GUANGHUA), "title": "洗车", "cost": 1, "kind": "voucher", "stock": 1 });
        staff.post("/rewards", with_stock).await.names("/stock");

        let many: Vec<String> = (0..5000).map(|number| format!("LARGE-{number:05}")).collect();
        import(&staff, &reward, &many).await.expect(201);
        let rows = voucher::Entity::find().all(app.state.db.read()).await.unwrap();
        let keys = idempotency_key::Entity::find().all(app.state.db.read()).await.unwrap();
        assert!(!format!("{rows:?}{keys:?}").contains("LARGE-"));
        // At once, of the same codes: once.
        let answers = join_all((0..6).map(|_| import(&staff, &reward, &many[..1]))).await;
        for answer in answers {
            answer.names("/codes/0");
        }
        let fresh = codes(&["D-1", "D-2"]);
        let answers = join_all((0..6).map(|_| import(&staff, &reward, &fresh))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!(available(&person, &reward).await, 5005);
    })
    .await;
}

// Guard: `redemption_id IS NULL` in both places of `assign` in rewards/service/vouchers.rs; either alone holds.
#[actix_web::test]
async fn thirty_requests_for_ten_codes_make_ten_owners_of_one_each() {
    TestApp::run(async |app| {
        let reward = offer_vouchers(app, 10).await;
        let names = (1..=20).map(|number| format!("resident-{number}"));
        let names = names.chain((1..=5).map(|number| format!("volunteer-{number}")));
        let names: Vec<String> = names.chain(["leader", "representative"].map(str::to_owned)).collect();
        let mut people = Vec::new();
        for name in &names {
            people.push(earner(app, name, 100).await);
        }
        let answers = join_all((0..30).map(async |at| {
            let person = &people[at % people.len()];
            (person, redeem(person, &reward).await)
        }))
        .await;
        let won: Vec<_> = answers.iter().filter(|(_, answer)| answer.status == 201).collect();
        assert_eq!(won.len(), 10);
        assert!(
            answers
                .iter()
                .filter(|(_, answer)| answer.status != 201)
                .all(|(_, answer)| answer.body["code"] == "out_of_stock")
        );
        let mut codes = HashSet::new();
        for (person, answer) in &won {
            assert!(answer.body.get("pickup_code").is_none());
            let shown = show(person, &answer.body).await.expect(200);
            assert_eq!(shown["state"], "settled");
            assert!(codes.insert(shown["voucher_code"].as_str().unwrap().to_owned()), "each code once");
        }
        assert_eq!(codes.len(), 10);
        assert_eq!(available(&people[0], &reward).await, 0);
    })
    .await;
}

// Guard: to show a code is to end the redemption, in one transaction (rewards/service/vouchers.rs).
#[actix_web::test]
async fn a_code_goes_back_until_it_is_shown_and_never_after() {
    TestApp::run(async |app| {
        let reward = offer_vouchers(app, 1).await;
        let person = earner(app, "resident-1", 100).await;
        let [neighbour, staff] = app.sign_in_all(["resident-2", "staff"]).await.try_into().ok().unwrap();
        let first = redeem(&person, &reward).await.expect(201);
        assert_eq!((balance(&person).await, available(&person, &reward).await), ((90, 10), 0));
        person.get(&format!("/me/redemptions/{}/code", first["id"].as_str().unwrap())).await.refused(404, "not_found");
        cancel(&person, &first).await.expect(200);
        show(&person, &first).await.refused(409, "redemption_ended");
        // Not collected in time it goes back too.
        redeem(&person, &reward).await.expect(201);
        app.advance(Duration::hours(73)).await;
        let [person, neighbour, staff] = {
            drop((person, neighbour, staff));
            app.sign_in_all(["resident-1", "resident-2", "staff"]).await.try_into().ok().unwrap()
        };
        assert_eq!((balance(&person).await, available(&person, &reward).await), ((100, 0), 1));

        let second = redeem(&person, &reward).await.expect(201);
        for stranger in [&neighbour, &staff] {
            show(stranger, &second).await.refused(404, "not_found");
        }
        let path = format!("/redemptions/{}/voucher", second["id"].as_str().unwrap());
        let shown = person.post_with_key(&path, json!({}), "look").await.expect(200);
        assert_eq!((&shown["voucher_code"], &shown["state"]), (&json!("WASH-00000"), &json!("settled")));
        assert_eq!(balance(&person).await, (90, 0), "spent");
        assert_eq!(person.post_with_key(&path, json!({}), "look").await.expect(200), shown);
        assert_eq!(show(&person, &second).await.expect(200)["voucher_code"], "WASH-00000");
        cancel(&person, &second).await.refused(409, "voucher_shown");
        cancel(&staff, &second).await.refused(409, "voucher_shown");
        app.advance(Duration::hours(80)).await;
        let person = app.sign_in("resident-1").await;
        assert_eq!((balance(&person).await, available(&person, &reward).await), ((90, 0), 0));
        let looks = log::Entity::find().filter(log::Column::Action.eq("voucher.show"));
        assert_eq!(
            looks.count(app.state.db.read()).await.unwrap(),
            2,
            "each look, but not each repetition of a request"
        );
        let stored = idempotency_key::Entity::find().all(app.state.db.read()).await.unwrap();
        assert!(!format!("{stored:?}").contains("WASH-"));
    })
    .await;
}

// Guard: the state in the condition of `end` in rewards/service/redemptions.rs.
#[actix_web::test]
async fn looking_and_cancelling_at_once_have_one_winner() {
    TestApp::run(async |app| {
        let reward = offer_vouchers(app, 6).await;
        let person = earner(app, "resident-1", 100).await;
        let mut spent = 0;
        for _ in 0..6 {
            let redeemed = redeem(&person, &reward).await.expect(201);
            let looks = join_all((0..5).map(|_| show(&person, &redeemed)));
            let calls = join_all((0..5).map(|_| cancel(&person, &redeemed)));
            let (looks, calls) = futures_util::join!(looks, calls);
            let looked = looks.iter().filter(|answer| answer.status == 200).count();
            let called_off = calls.iter().filter(|answer| answer.status == 200).count();
            assert!(matches!((looked, called_off), (5, 0) | (0, 1)), "{looked} {called_off}");
            spent += i64::from(looked == 5);
        }
        assert_eq!(balance(&person).await, (100 - 10 * spent, 0));
        assert_eq!(available(&person, &reward).await, 6 - spent);
    })
    .await;
}

#[actix_web::test]
async fn verify_finds_codes_that_were_tampered_with() {
    TestApp::run(async |app| {
        let reward = offer_vouchers(app, 3).await;
        let person = earner(app, "resident-1", 100).await;
        redeem(&person, &reward).await.expect(201);
        let owned = voucher::Entity::find().filter(voucher::Column::RedemptionId.is_not_null());
        let owned = owned.one(app.state.db.read()).await.unwrap().unwrap();
        let run = async |to: Option<entities::ids::RedemptionId>| {
            let txn = app.state.db.begin().await.unwrap();
            voucher::Entity::update_many()
                .col_expr(voucher::Column::RedemptionId, sea_orm::sea_query::Expr::value(to))
                .filter(voucher::Column::Id.eq(owned.id))
                .exec(&txn)
                .await
                .unwrap();
            txn.commit().await.unwrap();
        };
        run(None).await;
        let findings = linli::verify::run(&app.state).await.unwrap();
        assert_eq!(findings.len(), 2, "{findings:?}");
        run(owned.redemption_id).await;
        let txn = app.state.db.begin().await.unwrap();
        let twice = "UPDATE reward_vouchers SET redemption_id = (SELECT redemption_id FROM reward_vouchers WHERE redemption_id IS NOT NULL)";
        assert!(txn.execute_unprepared(twice).await.is_err(), "one code a redemption");
    })
    .await;
}
