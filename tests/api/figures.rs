//! What a community publishes about a month.

use chrono::{DateTime, Duration, Utc};
use entities::figures::summary;
use entities::ledger::{lot, transaction};
use entities::notices::notice;
use futures_util::future::join_all;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::merchants::{forget_triggers, into_next_month};
use crate::points::credit;
use crate::rewards::{earner, offer, redeem, settle};
use crate::support::{ANJING, GUANGHUA, TestApp, place_id};

/// Somebody takes a shift of an hour that begins now; confirmed by staff.
async fn serve(app: &TestApp, personas: &[&str]) {
    let staff = app.sign_in("staff").await;
    let activity = json!({ "place_id": place_id(GUANGHUA), "title": "楼栋清洁", "description": "打扫公共楼道" });
    let activity = staff.post("/activities", activity).await.expect(201)["id"].as_str().unwrap().to_owned();
    let starts: DateTime<Utc> = app.state.clock.now() + Duration::minutes(1);
    let shift = json!({ "starts_at": starts, "ends_at": starts + Duration::hours(1), "capacity": 20 });
    let shift = staff.post(&format!("/activities/{activity}/shifts"), shift).await.expect(201);
    let mut signups = Vec::new();
    for person in app.sign_in_all(personas).await {
        let path = format!("/shifts/{}/signup", shift["id"].as_str().unwrap());
        signups.push(person.put(&path, json!({})).await.expect(200)["id"].as_str().unwrap().to_owned());
    }
    app.simulator.control().advance(Duration::minutes(2).to_std().unwrap());
    for signup in &signups {
        staff.post(&format!("/signups/{signup}/check-in"), json!({})).await.expect(200);
    }
    app.simulator.control().advance(Duration::minutes(70).to_std().unwrap());
    let staff = app.sign_in("staff").await;
    for signup in &signups {
        staff.post(&format!("/signups/{signup}/check-out"), json!({})).await.expect(200);
        staff.post(&format!("/signups/{signup}/confirm"), json!({})).await.expect(200);
    }
}

async fn summaries(app: &TestApp, path: &str) -> Value {
    let list = app.sign_in("newcomer-1").await.get(&format!("/summaries?place_id={}&limit=100", place_id(path))).await;
    list.expect(200)["items"].clone()
}

// Guards: `community_summaries_once` with the refusal that undoes the second notice; the trigger; `verify`.
#[actix_web::test]
async fn a_month_is_published_once_with_its_file_and_never_changes() {
    TestApp::run(async |app| {
        // The first hours of a month, so that what is done here lies in one.
        into_next_month(app);
        serve(app, &["volunteer-1", "volunteer-2", "volunteer-3", "volunteer-4", "volunteer-5"]).await;
        let reward = offer(app, 10, 50).await;
        for number in 1..=6 {
            let person = earner(app, &format!("resident-{number}"), 30).await;
            let staff = app.sign_in("staff").await;
            settle(&staff, &redeem(&person, &reward).await.expect(201)).await.expect(200);
        }
        let month = into_next_month(app);
        // The schedule is claimed by one server; here eight run it all the same.
        let schedule = linli::figures::capability().schedules.remove(0);
        for made in join_all((0..8).map(|_| (schedule.run)(app.state.clone()))).await {
            made.unwrap();
        }
        app.advance(Duration::hours(1)).await;
        let items = summaries(app, GUANGHUA).await;
        assert_eq!(items.as_array().unwrap().len(), 2, "and the month before");
        let summary = &items[0];
        assert_eq!((&summary["month"], &summary["community_name"]), (&json!(month.to_string()), &json!("光华社区")));
        let figures = &summary["figures"];
        let minutes = figures["minutes"].as_i64().unwrap();
        assert!((5 * 55..=5 * 60).contains(&minutes), "{minutes}");
        assert_eq!(
            (&figures["gifts"], &figures["points_redeemed"], &figures["people_active"]),
            (&json!(6), &json!(60), &json!(11))
        );
        assert!(figures["points_issued"].as_i64().unwrap() >= 180 + 5 * 9, "{figures}");

        let person = app.sign_in("newcomer-1").await;
        let id = summary["id"].as_str().unwrap();
        assert_eq!(&person.get(&format!("/summaries/{id}")).await.expect(200), summary);
        let file = person.get(&format!("/summaries/{id}.csv")).await;
        assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
        let text = String::from_utf8(file.bytes).unwrap();
        assert!(text.contains(&format!("光华社区,{month},兑换礼品,6,件\r\n")), "{text}");
        assert_eq!(summary["hash"], linli::figures::domain::hash(&text));
        let board = person.get(&format!("/notices/{}", summary["notice_id"].as_str().unwrap())).await.expect(200);
        assert!(board["body"].as_str().unwrap().contains(summary["hash"].as_str().unwrap()), "{board}");
        assert_eq!((&board["kind"], &board["subject_id"]), (&json!("summary.published"), &summary["id"]));
        let notices = notice::Entity::find()
            .filter(notice::Column::Kind.eq("summary.published"))
            .filter(notice::Column::CommunityId.eq(place_id(GUANGHUA)));
        assert_eq!(notices.count(app.state.db.read()).await.unwrap(), 2);
        assert_eq!(summaries(app, "/jiangan/").await.as_array().unwrap().len(), 10, "one a community and month");
        person.get(&format!("/summaries/{}", Uuid::nil())).await.refused(404, "not_found");
        person.get("/summaries/x.csv").await.refused(404, "not_found");

        let txn = app.state.db.begin().await.unwrap();
        let refused = txn.execute_unprepared("UPDATE community_summaries SET hash = ''").await;
        assert!(refused.unwrap_err().to_string().contains("community_summaries"), "rows are only ever added");
        drop(txn);
        forget_triggers(app, "community_summaries").await;
        let original = summary::Entity::find_by_id(id.parse::<entities::ids::SummaryId>().unwrap());
        let original = original.one(app.state.db.read()).await.unwrap().unwrap();
        let mut figures = original.figures.clone();
        figures["minutes"] = json!(minutes + 1);
        for tampered in [
            summary::Model { figures, ..original.clone() },
            summary::Model { csv: original.csv.replace(",6,", ",7,"), ..original.clone() },
            summary::Model { hash: "0".repeat(64), ..original.clone() },
        ] {
            let write = async |row: summary::Model| {
                let txn = app.state.db.begin().await.unwrap();
                row.into_active_model().reset_all().update(&txn).await.unwrap();
                txn.commit().await.unwrap();
            };
            write(tampered).await;
            let findings = linli::verify::run(&app.state).await.unwrap();
            assert!(findings.iter().any(|finding| finding.starts_with("figures: ")), "{findings:?}");
            write(original.clone()).await;
        }
    })
    .await;
}

// Guard: `Sum::shown` in figures/domain.rs.
#[actix_web::test]
async fn a_figure_of_few_people_is_kept_back_and_stays_so() {
    TestApp::run(async |app| {
        into_next_month(app);
        for number in 1..=4 {
            credit(app, &format!("resident-{number}"), 10, Uuid::from_u128(number)).await;
        }
        into_next_month(app);
        app.work().await;
        let items = summaries(app, GUANGHUA).await;
        let figures = &items[0]["figures"];
        assert_eq!((&figures["points_issued"], &figures["people_active"]), (&Value::Null, &Value::Null));
        assert_eq!((&figures["points_redeemed"], &figures["minutes"]), (&json!(0), &json!(0)));
        let file =
            app.sign_in("resident-1").await.get(&format!("/summaries/{}.csv", items[0]["id"].as_str().unwrap())).await;
        assert!(String::from_utf8(file.bytes).unwrap().contains("发放积分,不足5人，不公开,分"));
        // Another rule for the months to come changes nothing of this one.
        let txn = app.state.db.begin().await.unwrap();
        let mut place = entities::places::place::Entity::find_by_id(place_id(GUANGHUA))
            .one(&txn)
            .await
            .unwrap()
            .unwrap()
            .into_active_model();
        place.settings = Set(json!({ "minimum_cell": 2 }));
        place.update(&txn).await.unwrap();
        txn.commit().await.unwrap();
        assert_eq!(summaries(app, GUANGHUA).await, items);
        assert_eq!(summaries(app, ANJING).await[0]["figures"]["points_issued"], 0);
        app.advance(Duration::days(32)).await;
        let items = summaries(app, GUANGHUA).await;
        assert_eq!((items.as_array().unwrap().len(), &items[0]["minimum_cell"]), (3, &json!(2)));
    })
    .await;
}

#[actix_web::test]
async fn expired_and_reversed_points_belong_to_the_month_in_which_that_happens() {
    TestApp::run(async |app| {
        into_next_month(app);
        let community = place_id(GUANGHUA);
        let mut given = Vec::new();
        for number in 1..=10_u128 {
            let person = crate::support::user_id(&format!("resident-{number}"));
            credit(app, &format!("resident-{number}"), 10, Uuid::from_u128(number)).await;
            given.push((number, person));
        }
        let first = into_next_month(app);
        app.work().await;
        // In the second month the first five people's points run out, and the others' awards are taken back.
        let txn = app.state.db.begin().await.unwrap();
        let soon = app.state.clock.now() - Duration::seconds(1);
        let mut reversed = Vec::new();
        for (number, person) in &given {
            let wallet = linli::ledger::account_id(community, linli::ledger::Party::Person(*person));
            if *number <= 5 {
                lot::Entity::update_many()
                    .col_expr(lot::Column::ExpiresAt, soon.into())
                    .filter(lot::Column::WalletId.eq(wallet))
                    .exec(&txn)
                    .await
                    .unwrap();
                assert_eq!(linli::ledger::expire_due(&app.state, &txn, wallet).await.unwrap(), 10);
            } else {
                let of = transaction::Entity::find().filter(transaction::Column::SourceId.eq(Uuid::from_u128(*number)));
                let of = of.one(&txn).await.unwrap().unwrap().id;
                reversed.push(of);
            }
        }
        txn.commit().await.unwrap();
        let staff = app.sign_in("staff").await;
        for entry in reversed {
            let path = format!("/points/entries/{entry}/reverse");
            staff.post(&path, json!({ "reason": "登记有误" })).await.expect(200);
        }
        let second = into_next_month(app);
        app.work().await;
        let items = summaries(app, GUANGHUA).await;
        let figures = |at: usize, month: linli::platform::calendar::Month| {
            assert_eq!(items[at]["month"], month.to_string());
            ["points_issued", "points_expired", "points_reversed", "people_active"]
                .map(|name| items[at]["figures"][name].clone())
        };
        assert_eq!(figures(1, first), [json!(100), json!(0), json!(0), json!(10)]);
        assert_eq!(figures(0, second), [json!(0), json!(50), json!(50), json!(0)]);
    })
    .await;
}
