//! Points that run out: the day, the reminders, several workers at once.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use entities::ledger::{TransactionKind, transaction};
use futures_util::future::join_all;
use linli::platform::jobs::worker;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::points::credit;
use crate::support::{Person, TestApp};

/// China's day.
fn today(app: &TestApp) -> NaiveDate {
    (app.state.clock.now() + Duration::hours(8)).date_naive()
}

fn at(day: NaiveDate, time: &str) -> DateTime<Utc> {
    format!("{day}T{time}+08:00").parse().unwrap()
}

/// Moves to a moment of one of China's days and does what has become due.
async fn move_to(app: &TestApp, day: NaiveDate, time: &str) {
    app.advance(at(day, time) - app.state.clock.now()).await;
}

async fn told(person: &Person, kind: &str) -> Vec<Value> {
    let inbox = person.get("/inbox?limit=100").await.expect(200);
    inbox["items"].as_array().unwrap().iter().filter(|entry| entry["kind"] == kind).cloned().collect()
}

async fn expiries(app: &TestApp) -> u64 {
    let posted = transaction::Entity::find().filter(transaction::Column::Kind.eq(TransactionKind::Expiry));
    posted.count(app.state.db.read()).await.unwrap()
}

async fn expire_after(months: i64, test: impl AsyncFnOnce(&TestApp)) {
    TestApp::run_configured(|config| config.rules.points_expire_months = months, test).await;
}

#[actix_web::test]
async fn points_expire_at_the_end_of_chinas_day_and_people_are_told_30_and_7_days_before() {
    expire_after(3, async |app| {
        // Three lots of one day are one message.
        for source in 1..=3 {
            credit(app, "resident-1", 10, Uuid::from_u128(source)).await;
        }
        let last = today(app).checked_add_months(chrono::Months::new(3)).unwrap();
        let shown = json!([{ "on": last.to_string(), "amount": 30 }]);

        move_to(app, last - Duration::days(31), "12:00:00").await;
        let person = app.sign_in("resident-1").await;
        assert_eq!(told(&person, "points.expiring").await.len(), 0);
        assert_eq!(person.get("/me/points").await.expect(200)["expiring"], shown);
        move_to(app, last - Duration::days(30), "12:00:00").await;
        let reminders = told(&app.sign_in("resident-1").await, "points.expiring").await;
        assert_eq!(reminders.len(), 1);
        assert_eq!(reminders[0]["title"], "30分快到期了");
        let day = last.format("%Y年%-m月%-d日");
        assert_eq!(reminders[0]["body"], format!("您有30分将在{day}结束时失效，请及时兑换。"));
        move_to(app, last - Duration::days(8), "12:00:00").await;
        assert_eq!(told(&app.sign_in("resident-1").await, "points.expiring").await.len(), 1);
        move_to(app, last - Duration::days(7), "12:00:00").await;
        assert_eq!(told(&app.sign_in("resident-1").await, "points.expiring").await.len(), 2);

        move_to(app, last, "23:59:00").await;
        let person = app.sign_in("resident-1").await;
        assert_eq!(person.get("/me/points").await.expect(200)["available"], 30, "good until midnight");
        assert_eq!(told(&person, "points.expiring").await.len(), 2);
        move_to(app, last + Duration::days(1), "00:00:00").await;
        app.advance(Duration::minutes(10)).await;
        let person = app.sign_in("resident-1").await;
        let points = person.get("/me/points").await.expect(200);
        assert_eq!((&points["available"], &points["expiring"], &points["earned"]), (&json!(0), &json!([]), &json!(30)));
        let told = told(&person, "points.expired").await;
        assert_eq!((told.len(), &told[0]["title"]), (1, &json!("积分到期：-30")));
        let entries = person.get("/me/points/entries").await.expect(200);
        assert_eq!((&entries["items"][0]["kind"], &entries["items"][0]["amount"]), (&json!("expiry"), &json!(-30)));
    })
    .await;
}

// Guards: the wallet's lock (ledger/lots.rs) and the primary key of `points_reminders`.
#[actix_web::test]
async fn three_workers_at_once_expire_and_remind_once() {
    expire_after(1, async |app| {
        let people: Vec<String> = (1..=12).map(|number| format!("resident-{number}")).collect();
        for (source, person) in (0_u128..).zip(&people) {
            credit(app, person, 10, Uuid::from_u128(source)).await;
            credit(app, person, 5, Uuid::from_u128(100 + source)).await;
        }
        let last = today(app).checked_add_months(chrono::Months::new(1)).unwrap();
        // The clock alone: the workers below find everything due.
        let jump = |to: DateTime<Utc>| {
            app.simulator.control().advance((to - app.state.clock.now()).to_std().unwrap());
        };
        let run = |name: &'static str| {
            let schedules = app.state.capabilities.iter().flat_map(|capability| &capability.schedules);
            let schedule = schedules.into_iter().find(|schedule| schedule.name == name).unwrap();
            join_all((0..3).map(|_| (schedule.run)(app.state.clone())))
        };
        jump(at(last - Duration::days(5), "12:00:00"));
        for outcome in run("points.remind").await {
            outcome.unwrap();
        }
        for person in app.sign_in_all(&people).await {
            let told = told(&person, "points.expiring").await;
            assert_eq!((told.len(), &told[0]["title"]), (1, &json!("15分快到期了")));
        }
        jump(at(last + Duration::days(1), "00:00:01"));
        for outcome in run("points.expire").await {
            outcome.unwrap();
        }
        assert_eq!(expiries(app).await, 12);
        worker::drain(&app.state).await.unwrap();
        assert_eq!(expiries(app).await, 12);
        for person in app.sign_in_all(&people).await {
            assert_eq!(person.get("/me/points").await.expect(200)["available"], 0);
            assert_eq!(told(&person, "points.expired").await.len(), 1);
        }
    })
    .await;
}

#[actix_web::test]
async fn points_of_a_community_that_wants_it_never_expire() {
    expire_after(0, async |app| {
        credit(app, "resident-1", 10, Uuid::from_u128(1)).await;
        app.advance(Duration::days(4000)).await;
        let points = app.sign_in("resident-1").await.get("/me/points").await.expect(200);
        assert_eq!((&points["available"], &points["expiring"]), (&json!(10), &json!([])));
        assert_eq!(expiries(app).await, 0);
    })
    .await;
}
