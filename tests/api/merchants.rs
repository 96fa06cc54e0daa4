//! Merchants: who settles what, opening times, and monthly statements.

use chrono::Duration;
use entities::audit::log;
use entities::rewards::{merchant, statement};
use futures_util::future::join_all;
use linli::platform::calendar::{Month, local};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::rewards::{cancel, earner, offer, redeem, settle};
use crate::support::{ANJING, GUANGHUA, Person, TestApp, place_id, user_id};

/// A merchant of 光华社区 with people; gives its id and one of them.
pub async fn merchant(app: &TestApp, name: &str, people: &[&str]) -> (String, Person) {
    let staff = app.sign_in("staff").await;
    let body = json!({
        "place_id": place_id(GUANGHUA), "name": name, "address": "南门", "phone": "13800009999",
    });
    let made = staff.post("/merchants", body).await.expect(201);
    let id = made["id"].as_str().unwrap().to_owned();
    for person in people {
        staff.put(&format!("/merchants/{id}/people/{}", user_id(person)), json!({})).await.expect(204);
    }
    (id, app.sign_in(people[0]).await)
}

/// A reward that a merchant offers.
pub async fn offer_by(app: &TestApp, merchant: &str, terms: Value) -> String {
    let mut body = json!({ "place_id": place_id(GUANGHUA), "merchant_id": merchant, "title": "毛巾" });
    body.as_object_mut().unwrap().extend(terms.as_object().unwrap().clone());
    let made = app.sign_in("staff").await.post("/rewards", body).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

// Guard: `clerk` in rewards/service/merchants.rs.
#[actix_web::test]
async fn a_merchants_people_settle_what_it_offers_and_nothing_else() {
    TestApp::run(async |app| {
        let (shop, clerk) = merchant(app, "洗车行", &["resident-11"]).await;
        let (_, rival) = merchant(app, "粮油店", &["resident-12"]).await;
        let [staff, other, granted] =
            app.sign_in_all(["staff", "staff-other", "merchant"]).await.try_into().ok().unwrap();
        let (theirs, ours) = (offer_by(app, &shop, json!({ "cost": 10, "stock": 5 })).await, offer(app, 10, 5).await);
        let person = earner(app, "resident-1", 100).await;
        let redeemed = redeem(&person, &theirs).await.expect(201);
        // Neither another merchant's clerk, nor one whose grant is for what the place itself offers, nor staff elsewhere.
        for stranger in [&rival, &granted, &other] {
            settle(stranger, &redeemed).await.refused(404, "pickup_code_invalid");
        }
        settle(&person, &redeemed).await.refused(403, "forbidden");
        settle(&clerk, &redeemed).await.expect(200);
        let of_the_place = redeem(&person, &ours).await.expect(201);
        settle(&clerk, &of_the_place).await.refused(404, "pickup_code_invalid");
        settle(&granted, &of_the_place).await.expect(200);
        let by_staff = redeem(&person, &theirs).await.expect(201);
        settle(&staff, &by_staff).await.expect(200);

        // Taken off, they settle no more.
        let last = redeem(&person, &theirs).await.expect(201);
        staff.delete(&format!("/merchants/{shop}/people/{}", clerk.id)).await.expect(204);
        settle(&clerk, &last).await.refused(403, "forbidden");
        let audited =
            log::Entity::find().filter(log::Column::Action.is_in(["merchant.add_person", "merchant.remove_person"]));
        assert_eq!(audited.count(app.state.db.read()).await.unwrap(), 3);
    })
    .await;
}

#[actix_web::test]
async fn staff_keep_a_places_merchants_and_a_number_is_masked() {
    TestApp::run(async |app| {
        let (shop, clerk) = merchant(app, "洗车行", &["resident-11"]).await;
        let [staff, other] = app.sign_in_all(["staff", "staff-other"]).await.try_into().ok().unwrap();
        let path = format!("/merchants/{shop}");
        let seen = clerk.get(&path).await.expect(200);
        assert_eq!((&seen["name"], &seen["phone"]), (&json!("洗车行"), &json!("138****9999")));
        let row = merchant::Entity::find_by_id(shop.parse::<entities::ids::MerchantId>().unwrap());
        let row = row.one(app.state.db.read()).await.unwrap().unwrap();
        assert!(!format!("{row:?}").contains("13800009999"));
        assert_eq!(clerk.get("/me/merchants").await.expect(200)[0]["id"], json!(shop));

        clerk.get(&format!("{path}/contact")).await.refused(403, "forbidden");
        assert_eq!(staff.get(&format!("{path}/contact")).await.expect(200)["phone"], "13800009999");
        let audited = log::Entity::find().filter(log::Column::Action.eq("merchant.reveal"));
        assert_eq!(audited.count(app.state.db.read()).await.unwrap(), 1);

        let opening = json!({ "weekly": [{ "weekday": 1, "from": "09:00", "to": "17:30" }], "closed": ["2026-12-01"] });
        let edited = json!({ "name": "光明洗车行", "address": "北门", "opening": opening });
        for stranger in [&other, &clerk] {
            stranger.put(&path, edited.clone()).await.refused(403, "forbidden");
            stranger.put(&format!("{path}/people/{}", clerk.id), json!({})).await.refused(403, "forbidden");
            stranger.get(&format!("{path}/people")).await.refused(403, "forbidden");
        }
        let now = staff.put(&path, edited).await.expect(200);
        assert_eq!((&now["name"], &now["phone"], &now["opening"]), (&json!("光明洗车行"), &Value::Null, &opening));
        let people = staff.get(&format!("{path}/people")).await.expect(200);
        assert_eq!((people.as_array().unwrap().len(), &people[0]["user_id"]), (1, &json!(clerk.id)));
        staff.put(&format!("{path}/people/{}", Uuid::nil()), json!({})).await.refused(404, "not_found");

        let list = clerk.get(&format!("/merchants?place_id={}", place_id(GUANGHUA))).await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 3, "the demo's two and this one");
        let body = |field: &str, value: Value| {
            let mut body = json!({ "place_id": place_id(GUANGHUA), "name": "店", "address": "门口" });
            body[field] = value;
            body
        };
        other.post("/merchants", body("name", json!("店"))).await.refused(403, "forbidden");
        for (field, value) in [
            ("name", json!("")),
            ("address", json!("a\u{7}")),
            ("phone", json!("12a45")),
            ("phone", json!("1")),
            ("opening", json!({ "weekly": [] })),
            ("opening", json!({ "weekly": [{ "weekday": 1, "from": "10:00", "to": "09:00" }] })),
            ("place_id", json!(place_id("/jiangan/"))),
        ] {
            staff.post("/merchants", body(field, value)).await.names(&format!("/{field}"));
        }
        let elsewhere =
            json!({ "place_id": place_id(ANJING), "merchant_id": shop, "title": "米", "cost": 1, "stock": 1 });
        other.post("/rewards", elsewhere).await.names("/merchant_id");
    })
    .await;
}

// Guard: `require_open` in rewards/service/redemptions.rs.
#[actix_web::test]
async fn outside_the_opening_times_only_staff_hand_out() {
    TestApp::run(async |app| {
        let (shop, clerk) = merchant(app, "洗车行", &["resident-11"]).await;
        let staff = app.sign_in("staff").await;
        let today = local(app.state.clock.now()).date();
        let always = (1..=7).map(|day| json!({ "weekday": day, "from": "00:00", "to": "24:00" })).collect::<Vec<_>>();
        let closed_today = json!({ "weekly": always, "closed": [today, today.succ_opt()] });
        let reward = offer_by(app, &shop, json!({ "cost": 10, "stock": 5, "opening": closed_today })).await;
        let person = earner(app, "resident-1", 100).await;
        assert_eq!(person.get(&format!("/rewards/{reward}")).await.expect(200)["opening"], closed_today);
        let [first, second] = [redeem(&person, &reward).await.expect(201), redeem(&person, &reward).await.expect(201)];
        let refused = settle(&clerk, &first).await.refused(409, "outside_opening");
        assert!(refused["detail"].as_str().unwrap().contains("周一 00:00–24:00"), "{refused}");
        settle(&staff, &first).await.expect(200);

        // Without times of its own a reward has its merchant's.
        let terms = json!({ "title": "毛巾", "cost": 10 });
        staff.put(&format!("/rewards/{reward}"), terms).await.expect(200);
        let edit = json!({ "name": "洗车行", "address": "南门", "opening": closed_today });
        staff.put(&format!("/merchants/{shop}"), edit).await.expect(200);
        settle(&clerk, &second).await.refused(409, "outside_opening");
        let open = json!({ "name": "洗车行", "address": "南门", "opening": { "weekly": always } });
        staff.put(&format!("/merchants/{shop}"), open).await.expect(200);
        settle(&clerk, &second).await.expect(200);
    })
    .await;
}

/// Moves the clock to one hour after the end of the month that it is in China, without doing what becomes due.
pub fn into_next_month(app: &TestApp) -> Month {
    let month = Month::of(app.state.clock.now());
    let by = month.ends() + Duration::hours(1) - app.state.clock.now();
    app.simulator.control().advance(by.to_std().unwrap());
    month
}

// Guards: `merchant_statements_once`; the trigger that lets rows only be added; `verify`.
#[actix_web::test]
async fn a_month_has_one_statement_and_it_never_changes() {
    TestApp::run(async |app| {
        // The first hours of a month, so that what is done here lies in one.
        into_next_month(app);
        let (shop, clerk) = merchant(app, "洗车,行", &["resident-11"]).await;
        let (towel, wash) = (
            offer_by(app, &shop, json!({ "cost": 10, "stock": 5 })).await,
            offer_by(app, &shop, json!({ "cost": 25, "stock": 5, "title": "洗车" })).await,
        );
        let person = earner(app, "resident-1", 500).await;
        for reward in [&towel, &towel, &wash] {
            settle(&clerk, &redeem(&person, reward).await.expect(201)).await.expect(200);
        }
        cancel(&person, &redeem(&person, &towel).await.expect(201)).await.expect(200);
        let month = into_next_month(app);
        // The schedule is claimed by one server; here eight run it all the same.
        let schedules = linli::rewards::capability().schedules;
        let schedule = schedules.iter().find(|schedule| schedule.name == "rewards.statements").unwrap();
        for made in join_all((0..8).map(|_| (schedule.run)(app.state.clone()))).await {
            made.unwrap();
        }
        let made = statement::Entity::find()
            .filter(statement::Column::MerchantId.eq(shop.parse::<entities::ids::MerchantId>().unwrap()));
        assert_eq!(made.clone().count(app.state.db.read()).await.unwrap(), 1);
        app.advance(Duration::hours(1)).await;

        let [clerk, staff, stranger, other] =
            app.sign_in_all(["resident-11", "staff", "resident-2", "staff-other"]).await.try_into().ok().unwrap();
        let path = format!("/merchants/{shop}/statements");
        for outsider in [&stranger, &other] {
            outsider.get(&path).await.refused(404, "not_found");
            outsider.get(&format!("{path}/{month}.csv")).await.refused(404, "not_found");
        }
        let list = staff.get(&path).await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        let statement = &list["items"][0];
        assert_eq!(
            (&statement["month"], &statement["pieces"], &statement["points"]),
            (&json!(month.to_string()), &json!(3), &json!(45))
        );
        let lines = statement["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| (line["title"].clone(), line["pieces"].clone(), line["points"].clone()));
        assert_eq!(
            lines.collect::<Vec<_>>(),
            [(json!("毛巾"), json!(2), json!(20)), (json!("洗车"), json!(1), json!(25))]
        );
        let csv = clerk.get(&format!("{path}/{month}.csv")).await;
        assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
        assert_eq!(
            statement["hash"],
            linli::rewards::domain::statement::hash(std::str::from_utf8(&csv.bytes).unwrap())
        );
        let text = String::from_utf8(csv.bytes).unwrap();
        assert!(text.contains(&format!("{month},\"洗车,行\",合计,3,45\r\n")), "{text}");
        staff.get(&format!("{path}/2020-01.csv")).await.refused(404, "not_found");
        staff.get(&format!("{path}/x.csv")).await.refused(404, "not_found");

        // Another name and another title change nothing.
        staff.put(&format!("/merchants/{shop}"), json!({ "name": "新店", "address": "南门" })).await.expect(200);
        staff.put(&format!("/rewards/{towel}"), json!({ "title": "浴巾", "cost": 99 })).await.expect(200);
        assert_eq!(staff.get(&path).await.expect(200), list);
        let txn = app.state.db.begin().await.unwrap();
        let refused = txn.execute_unprepared("UPDATE merchant_statements SET points = 0").await;
        assert!(refused.unwrap_err().to_string().contains("merchant_statements"), "rows are only ever added");
        drop(txn);

        // One that says what was not.
        let row = made.one(app.state.db.read()).await.unwrap().unwrap();
        let txn = app.state.db.begin().await.unwrap();
        let mut wrong = row.into_active_model();
        wrong.id = Set(linli::platform::ids::unordered());
        wrong.month = Set(month.before().to_string());
        wrong.insert(&txn).await.unwrap();
        txn.commit().await.unwrap();
        let findings = linli::verify::run(&app.state).await.unwrap();
        assert!(findings.iter().any(|finding| finding.contains("is not what the redemptions of")), "{findings:?}");
        forget_triggers(app, "merchant_statements").await;
        let txn = app.state.db.begin().await.unwrap();
        let wrong = format!("DELETE FROM merchant_statements WHERE month = '{}'", month.before());
        txn.execute_unprepared(&wrong).await.unwrap();
        txn.commit().await.unwrap();
    })
    .await;
}

/// Takes the triggers off that keep a table append-only.
pub async fn forget_triggers(app: &TestApp, table: &str) {
    let txn = app.state.db.begin().await.unwrap();
    let sql = if app.state.db.is_postgres() {
        format!("ALTER TABLE {table} DISABLE TRIGGER USER")
    } else {
        format!("DROP TRIGGER {table}_no_update; DROP TRIGGER {table}_no_delete")
    };
    txn.execute_unprepared(&sql).await.unwrap();
    txn.commit().await.unwrap();
}
