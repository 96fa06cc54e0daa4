//! What is offered: limits, windows, stock, pictures, editing.

use chrono::Duration;
use entities::rewards::{count, stock_change};
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::files::upload;
use crate::rewards::{available, balance, cancel, count as answered, earner, offer, redeem, settle, shown};
use crate::support::{GUANGHUA, Person, TestApp, place_id};

async fn offer_with(app: &TestApp, terms: Value) -> String {
    let mut body = json!({ "place_id": place_id(GUANGHUA), "title": "雨伞", "cost": 10, "stock": 50 });
    body.as_object_mut().unwrap().extend(terms.as_object().unwrap().clone());
    let made = app.sign_in("staff").await.post("/rewards", body).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

async fn left(person: &Person, reward: &str) -> Value {
    person.get(&format!("/rewards/{reward}")).await.expect(200)["left_for_me"].clone()
}

// Guard: the condition of the upsert in rewards/service/redemptions.rs (and `reward_counts_limit` behind it).
#[actix_web::test]
async fn a_limit_of_two_under_thirty_parallel_requests_gives_two() {
    TestApp::run(async |app| {
        crate::merchants::into_next_month(app);
        let reward = offer_with(app, json!({ "limit": { "count": 2, "period": "month" } })).await;
        let [person, neighbour] = [earner(app, "resident-1", 1000).await, earner(app, "resident-2", 1000).await];
        assert_eq!(left(&person, &reward).await, 2);
        let answers = join_all((0..30).map(|_| redeem(&person, &reward))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(won.len(), 2);
        for answer in lost {
            answer.refused(409, "redemption_limit");
        }
        assert_eq!((left(&person, &reward).await, left(&neighbour, &reward).await), (json!(0), json!(2)));
        assert_eq!((balance(&person).await, available(&person, &reward).await), ((980, 20), 48));
        redeem(&neighbour, &reward).await.expect(201);

        // Cancelled by many at once it is given back once.
        let won: Vec<_> = won.into_iter().map(|answer| answer.body).collect();
        let cancelled = join_all((0..10).map(|_| cancel(&person, &won[0]))).await;
        assert_eq!(answered(&cancelled, 200), 1);
        assert_eq!(left(&person, &reward).await, 1);
        redeem(&person, &reward).await.expect(201);
        redeem(&person, &reward).await.refused(409, "redemption_limit");
    })
    .await;
}

#[actix_web::test]
async fn what_runs_out_counts_no_more_and_a_new_period_begins_anew() {
    TestApp::run(async |app| {
        // One hour after midnight, so that what is done here lies in one day.
        crate::merchants::into_next_month(app);
        let daily = offer_with(app, json!({ "limit": { "count": 1, "period": "day" } })).await;
        let ever = offer_with(app, json!({ "limit": { "count": 1, "period": "ever" } })).await;
        let person = earner(app, "resident-1", 1000).await;
        for reward in [&daily, &ever] {
            redeem(&person, reward).await.expect(201);
            redeem(&person, reward).await.refused(409, "redemption_limit");
        }
        app.advance(Duration::days(1)).await;
        let person = app.sign_in("resident-1").await;
        redeem(&person, &daily).await.expect(201);
        redeem(&person, &ever).await.refused(409, "redemption_limit");
        app.advance(Duration::days(3)).await;
        let [person, staff] = app.sign_in_all(["resident-1", "staff"]).await.try_into().ok().unwrap();
        let again = redeem(&person, &ever).await.expect(201);
        settle(&staff, &again).await.expect(200);
        redeem(&person, &ever).await.refused(409, "redemption_limit");
        let used = count::Entity::find().filter(count::Column::Used.gt(0)).all(app.state.db.read()).await.unwrap();
        assert_eq!(used.len(), 1, "{used:?}");
    })
    .await;
}

// Guard: the conditions of `take` in rewards/service/redemptions.rs.
#[actix_web::test]
async fn a_reward_is_redeemed_within_its_time_and_not_once_it_is_withdrawn() {
    TestApp::run(async |app| {
        let now = app.state.clock.now();
        let (from, until) = (now + Duration::hours(1), now + Duration::hours(3));
        let reward = offer_with(app, json!({ "available_from": from, "available_until": until })).await;
        let person = earner(app, "resident-1", 100).await;
        redeem(&person, &reward).await.refused(409, "reward_not_offered");
        app.advance(Duration::hours(2)).await;
        let [person, staff] = app.sign_in_all(["resident-1", "staff"]).await.try_into().ok().unwrap();
        let first = redeem(&person, &reward).await.expect(201);

        let terms = json!({ "title": "大雨伞", "cost": 40, "description": "蓝色", "withdrawn": true });
        let edited = staff.put(&format!("/rewards/{reward}"), terms.clone()).await.expect(200);
        assert_eq!(
            (&edited["title"], &edited["withdrawn"], &edited["available_until"]),
            (&json!("大雨伞"), &json!(true), &Value::Null)
        );
        redeem(&person, &reward).await.refused(409, "reward_not_offered");
        let listed = async |more: &str| {
            let list = person.get(&format!("/rewards?place_id={}{more}", place_id(GUANGHUA))).await.expect(200);
            list["items"].as_array().unwrap().iter().any(|item| item["id"] == json!(reward))
        };
        assert!(!listed("").await && listed("&withdrawn=true").await);
        // What is reserved is still handed out, at the cost it was redeemed at.
        let settled = settle(&staff, &shown(&person, &first).await).await.expect(200);
        assert_eq!(settled["cost"], 10);
        assert_eq!(balance(&person).await, (90, 0));

        let mut again = terms;
        again["withdrawn"] = json!(false);
        staff.put(&format!("/rewards/{reward}"), again.clone()).await.expect(200);
        assert_eq!(redeem(&person, &reward).await.expect(201)["cost"], 40);
        for stranger in [&person, &app.sign_in("staff-other").await] {
            stranger.put(&format!("/rewards/{reward}"), again.clone()).await.refused(403, "forbidden");
        }
        again["available_from"] = json!(until);
        again["available_until"] = json!(from);
        staff.put(&format!("/rewards/{reward}"), again).await.names("/available_until");
        staff
            .put(&format!("/rewards/{}", place_id(GUANGHUA)), json!({ "title": "伞", "cost": 1 }))
            .await
            .refused(404, "not_found");
    })
    .await;
}

// Guard: the condition of `add_stock` in rewards/service/catalogue.rs (and `rewards_available` behind it).
#[actix_web::test]
async fn a_stock_never_falls_below_what_is_redeemed() {
    TestApp::run(async |app| {
        let reward = offer(app, 1, 10).await;
        let people = join_all((1..=5).map(|number| async move { format!("resident-{number}") })).await;
        let mut earners = Vec::new();
        for person in &people {
            earners.push(earner(app, person, 100).await);
        }
        let staff = app.sign_in("staff").await;
        let change = async |pieces: i64| {
            staff.post(&format!("/rewards/{reward}/stock"), json!({ "pieces": pieces, "reason": "盘点" })).await
        };
        let lowered = join_all((0..10).map(|_| change(-2)));
        let redeemed = join_all((0..20).map(|at| redeem(&earners[at % 5], &reward)));
        let (lowered, redeemed) = futures_util::join!(lowered, redeemed);
        let (gone, taken) = (2 * answered(&lowered, 200), answered(&redeemed, 201));
        for answer in lowered.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "stock_in_use");
        }
        let seen = staff.get(&format!("/rewards/{reward}")).await.expect(200);
        let number = |name: &str| usize::try_from(seen[name].as_i64().unwrap()).unwrap();
        assert_eq!((number("stock"), number("available")), (10 - gone, 10 - gone - taken));
        assert_eq!(change(7).await.expect(200)["available"], 10 - gone - taken + 7);
        change(0).await.names("/pieces");
        change(1_000_000).await.names("/pieces");
        staff.post(&format!("/rewards/{reward}/stock"), json!({ "pieces": 1, "reason": "" })).await.names("/reason");
        let [person, other] = app.sign_in_all(["resident-1", "staff-other"]).await.try_into().ok().unwrap();
        for stranger in [&person, &other] {
            let body = json!({ "pieces": 1, "reason": "x" });
            stranger.post(&format!("/rewards/{reward}/stock"), body).await.refused(403, "forbidden");
            stranger.get(&format!("/rewards/{reward}/stock")).await.refused(403, "forbidden");
        }
        let changes = staff.get(&format!("/rewards/{reward}/stock?limit=100")).await.expect(200);
        let changes = changes["items"].as_array().unwrap();
        assert_eq!(
            changes.iter().map(|change| change["pieces"].as_i64().unwrap()).sum::<i64>(),
            i64::try_from(17 - gone).unwrap()
        );
        assert_eq!(changes[0]["reason"], "盘点");
        let txn = app.state.db.begin().await.unwrap();
        let refused = txn.execute_unprepared("DELETE FROM reward_stock_changes").await;
        assert!(refused.unwrap_err().to_string().contains("reward_stock_changes"), "rows are only ever added");
    })
    .await;
}

#[actix_web::test]
async fn a_picture_is_ones_own_checked_and_shown_while_it_is_the_rewards() {
    TestApp::run(async |app| {
        let [staff, person] = app.sign_in_all(["staff", "resident-1"]).await.try_into().ok().unwrap();
        let body = |file: &str| json!({ "place_id": place_id(GUANGHUA), "title": "雨伞", "cost": 1, "stock": 1, "file_id": file });
        let picture = upload(&staff).await;
        staff.post("/rewards", body(&picture)).await.names("/file_id");
        app.work().await;
        let reward = staff.post("/rewards", body(&picture)).await.expect(201);
        let url = reward["picture"]["url"].as_str().unwrap().to_owned();
        let seen = app.call(app.http.get(&url), "the picture").await;
        assert_eq!(seen.status, 200);
        // Neither a second time nor somebody else's.
        staff.post("/rewards", body(&picture)).await.refused(409, "file_in_use");
        let others = upload(&person).await;
        app.work().await;
        staff.post("/rewards", body(&others)).await.names("/file_id");

        let path = format!("/rewards/{}", reward["id"].as_str().unwrap());
        let kept = json!({ "title": "雨伞", "cost": 2, "file_id": picture });
        assert_eq!(staff.put(&path, kept).await.expect(200)["picture"]["id"], json!(picture));
        let without = staff.put(&path, json!({ "title": "雨伞", "cost": 2 })).await.expect(200);
        assert_eq!(without["picture"], Value::Null);
        assert_eq!(app.call(app.http.get(&url), "the picture").await.status, 404, "shown no more");
    })
    .await;
}

#[actix_web::test]
async fn verify_finds_counts_and_stocks_that_were_tampered_with() {
    TestApp::run(async |app| {
        let reward = offer_with(app, json!({ "limit": { "count": 2, "period": "ever" } })).await;
        let person = earner(app, "resident-1", 100).await;
        redeem(&person, &reward).await.expect(201);
        let both = "UPDATE rewards SET stock = stock + 1, available = available + 1 WHERE title = '雨伞'";
        for (tamper, back) in [
            ("UPDATE reward_counts SET used = 0", "UPDATE reward_counts SET used = 1"),
            ("UPDATE reward_counts SET period = 'x'", "UPDATE reward_counts SET period = 'ever'"),
            (both, "UPDATE rewards SET stock = stock - 1, available = available - 1 WHERE title = '雨伞'"),
        ] {
            let run = async |sql: &str| {
                let txn = app.state.db.begin().await.unwrap();
                txn.execute_unprepared(sql).await.unwrap();
                txn.commit().await.unwrap();
            };
            run(tamper).await;
            assert!(!linli::verify::run(&app.state).await.unwrap().is_empty(), "{tamper}");
            run(back).await;
        }
        assert_eq!(
            stock_change::Entity::find().count(app.state.db.read()).await.unwrap(),
            5,
            "the demo's four and this one"
        );
    })
    .await;
}
