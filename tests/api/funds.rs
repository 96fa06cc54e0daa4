//! Self-governed funds: fees, subsidies, books.

use chrono::Duration;
use entities::audit::log;
use entities::funds::vehicle;
use entities::notices::notice;
use futures_util::future::join_all;
use linli::platform::calendar::Month;
use linli::{funds, ledger};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{GUANGHUA, Person, TestApp, place_id, user_id};

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

fn charter(treasurer: &str, auditor: &str) -> Value {
    json!({
        "place_id": place_id(GUANGHUA), "name": "停车自治经费", "charter": "自己收、自己管、自己用。",
        "treasurer_id": user_id(treasurer), "auditor_id": user_id(auditor),
    })
}

/// A fund with a tariff of 50 yuan a month, and its officers.
struct Fund {
    path: String,
    tariff: String,
    treasurer: Person,
    auditor: Person,
}

impl Fund {
    async fn found(app: &TestApp) -> Self {
        let [staff, treasurer, auditor] =
            app.sign_in_all(["staff", "representative", "staff-2"]).await.try_into().ok().unwrap();
        let path =
            format!("/funds/{}", id(&staff.post("/funds", charter("representative", "staff-2")).await.expect(201)));
        let tariff = json!({ "kind": "fee", "name": "停车管理费（月）", "fen": 5_000 });
        let tariff = id(&treasurer.post(&format!("{path}/tariffs"), tariff).await.expect(201));
        Self { path, tariff, treasurer, auditor }
    }

    async fn vehicle(&self, plate: &str, owner: &str) -> String {
        let new = json!({ "plate": plate, "owner_id": user_id(owner) });
        id(&self.treasurer.post(&format!("{}/vehicles", self.path), new).await.expect(201))
    }

    fn fee(&self, vehicle: &str, month: &str) -> Value {
        json!({ "kind": "fee", "tariff_id": self.tariff, "vehicle_id": vehicle, "period": month })
    }

    async fn donate(&self, fen: i64) -> String {
        let body = json!({ "kind": "donation", "fen": fen });
        id(&self.treasurer.post(&format!("{}/receipts", self.path), body).await.expect(201))
    }

    async fn propose(&self, payee: &str, fen: i64) -> String {
        let body = json!({ "kind": "subsidy", "payee_id": user_id(payee), "purpose": "值班补贴", "fen": fen });
        let expense = id(&self.treasurer.post(&format!("{}/expenses", self.path), body).await.expect(201));
        format!("{}/expenses/{expense}", self.path)
    }

    async fn confirm(&self, expense: &str) -> crate::support::Answer {
        self.auditor.post(&format!("{expense}/confirmation"), json!({})).await
    }

    async fn books(&self, reader: &Person) -> Value {
        reader.get(&format!("{}/books", self.path)).await.expect(200)
    }

    async fn balance(&self) -> i64 {
        self.books(&self.auditor).await["closing_fen"].as_i64().unwrap()
    }
}

#[actix_web::test]
async fn money_comes_in_by_one_and_goes_out_by_two_and_residents_read_the_books() {
    TestApp::run(async |app| {
        let fund = Fund::found(app).await;
        let [resident, volunteer, newcomer, staff, elsewhere] = app
            .sign_in_all(["resident-1", "volunteer-1", "newcomer-1", "staff", "staff-other"])
            .await
            .try_into()
            .ok()
            .unwrap();
        let car = fund.vehicle("鄂A·12345", "resident-1").await;
        let receipts = format!("{}/receipts", fund.path);
        for stranger in [&resident, &fund.auditor, &staff] {
            stranger.post(&receipts, fund.fee(&car, "2026-11")).await.refused(403, "forbidden");
        }
        let paid = fund.treasurer.post(&receipts, fund.fee(&car, "2026-11")).await.expect(201);
        assert_eq!((&paid["fen"], &paid["payer_id"]), (&json!(5_000), &json!(resident.id)));
        assert_eq!(resident.get("/inbox").await.expect(200)["items"][0]["kind"], "fund.received");
        fund.treasurer.post(&receipts, fund.fee(&car, "2026-11")).await.refused(409, "period_paid");
        fund.treasurer.post(&receipts, fund.fee(&car, "2026-12")).await.expect(201);
        let wash = json!({ "kind": "service", "name": "自助洗车", "fen": 3_000 });
        let wash = id(&fund.treasurer.post(&format!("{}/tariffs", fund.path), wash).await.expect(201));
        fund.treasurer.post(&receipts, json!({ "kind": "service", "tariff_id": wash })).await.expect(201);
        fund.donate(1_000).await;

        let expense = fund.propose("volunteer-1", 4_000).await;
        for stranger in [&fund.treasurer, &resident, &staff] {
            stranger.post(&format!("{expense}/confirmation"), json!({})).await.refused(403, "forbidden");
        }
        assert_eq!(fund.confirm(&expense).await.expect(200)["state"], "confirmed");
        fund.confirm(&expense).await.refused(409, "already_decided");
        assert_eq!(volunteer.get("/inbox").await.expect(200)["items"][0]["kind"], "fund.paid");
        let to = |person: &str| json!({ "kind": "subsidy", "payee_id": user_id(person), "purpose": "补贴", "fen": 1 });
        let expenses = format!("{}/expenses", fund.path);
        for officer in ["representative", "staff-2"] {
            fund.treasurer.post(&expenses, to(officer)).await.refused(403, "own_act");
        }
        fund.treasurer.post(&expenses, to("newcomer-1")).await.names("/payee_id");
        fund.treasurer
            .post(&expenses, json!({ "kind": "subsidy", "purpose": "补贴", "fen": 1 }))
            .await
            .names("/payee_id");
        let refused = fund.propose("volunteer-2", 100).await;
        fund.auditor.post(&format!("{refused}/refusal"), json!({ "reason": "没有值班记录" })).await.expect(200);
        fund.confirm(&refused).await.refused(409, "already_decided");
        let withdrawn = fund.propose("volunteer-2", 100).await;
        fund.auditor
            .post(&format!("{withdrawn}/withdrawal"), json!({ "reason": "写错" }))
            .await
            .refused(403, "forbidden");
        fund.treasurer.post(&format!("{withdrawn}/withdrawal"), json!({ "reason": "写错" })).await.expect(200);

        let books = fund.books(&resident).await;
        assert_eq!((&books["fees"], &books["services"]["fen"]), (&json!({ "count": 2, "fen": 10_000 }), &json!(3_000)));
        assert_eq!((&books["subsidies"]["fen"], &books["closing_fen"]), (&json!(4_000), &json!(10_000)));
        for stranger in [&newcomer, &elsewhere] {
            stranger.get(&format!("{}/books", fund.path)).await.refused(404, "not_found");
        }
        let lines = resident.get(&format!("{}/entries", fund.path)).await.expect(200);
        assert_eq!(lines["items"].as_array().unwrap().len(), 5);
        let own = resident.get(&receipts).await.expect(200);
        assert_eq!(own["items"].as_array().unwrap().len(), 2, "a resident reads their own receipts");
        assert_eq!(volunteer.get(&receipts).await.expect(200)["items"], json!([]));
        for (body, pointer) in [
            (json!({ "kind": "fee", "tariff_id": fund.tariff, "period": "2026-10" }), "/vehicle_id"),
            (json!({ "kind": "fee", "tariff_id": fund.tariff, "vehicle_id": car }), "/period"),
            (json!({ "kind": "fee", "tariff_id": fund.tariff, "vehicle_id": car, "period": "2026-13" }), "/period"),
            (json!({ "kind": "fee", "tariff_id": wash, "vehicle_id": car, "period": "2026-10" }), "/tariff_id"),
            (json!({ "kind": "service", "tariff_id": wash, "fen": 1 }), "/fen"),
            (json!({ "kind": "donation" }), "/fen"),
            (json!({ "kind": "donation", "fen": 0 }), "/fen"),
        ] {
            fund.treasurer.post(&receipts, body).await.names(pointer);
        }
    })
    .await;
}

// Guards: `fund_receipts_reversed_by_another`, the ledger's unique `reverses_id`, and the condition on `reversed_at`.
#[actix_web::test]
async fn what_was_wrong_is_taken_back_once_by_another() {
    TestApp::run(async |app| {
        let fund = Fund::found(app).await;
        let car = fund.vehicle("鄂A12345", "resident-1").await;
        let receipts = format!("{}/receipts", fund.path);
        let paid = id(&fund.treasurer.post(&receipts, fund.fee(&car, "2026-11")).await.expect(201));
        let reversal = format!("{receipts}/{paid}/reversal");
        let why = json!({ "reason": "收错了车" });
        fund.treasurer.post(&reversal, why.clone()).await.refused(403, "forbidden");
        let answers = join_all((0..20).map(|_| fund.auditor.post(&reversal, why.clone()))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "already_reversed");
        }
        assert_eq!(fund.balance().await, 0);
        fund.treasurer.post(&receipts, fund.fee(&car, "2026-11")).await.expect(201);

        let expense = fund.propose("volunteer-1", 5_000).await;
        fund.auditor.post(&format!("{expense}/reversal"), why.clone()).await.refused(409, "expense_not_paid");
        fund.confirm(&expense).await.expect(200);
        let again = fund.treasurer.post(&receipts, fund.fee(&car, "2026-12")).await.expect(201);
        fund.auditor.post(&format!("{expense}/reversal"), why.clone()).await.expect(200);
        fund.auditor.post(&format!("{expense}/reversal"), why.clone()).await.refused(409, "already_reversed");
        assert_eq!(fund.balance().await, 10_000);
        let spent = fund.propose("volunteer-1", 9_000).await;
        fund.confirm(&spent).await.expect(200);
        // What was spent cannot be given back: the fund never goes below zero.
        let late = format!("{receipts}/{}/reversal", id(&again));
        fund.auditor.post(&late, why).await.refused(409, "insufficient_funds");
        let books = fund.books(&fund.auditor).await;
        assert_eq!((&books["refunds"]["fen"], &books["paid_back"]["fen"]), (&json!(5_000), &json!(5_000)));
    })
    .await;
}

// Guard: the ledger's condition on a fund's floor (and `ledger_accounts_available`).
#[actix_web::test]
async fn of_fifty_subsidies_as_many_are_paid_as_the_fund_holds() {
    TestApp::run(async |app| {
        let fund = Fund::found(app).await;
        fund.donate(10_000).await;
        let mut proposals = Vec::new();
        for at in 0..50 {
            proposals.push(fund.propose(&format!("volunteer-{}", at % 5 + 1), 1_000).await);
        }
        let answers = join_all(proposals.iter().map(|expense| fund.confirm(expense))).await;
        let paid = answers.iter().filter(|answer| answer.status == 200).count();
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "insufficient_funds");
        }
        assert_eq!((paid, fund.balance().await), (10, 0));
        let open = fund.auditor.get(&format!("{}/expenses?state=proposed&limit=100", fund.path)).await.expect(200);
        assert_eq!(open["items"].as_array().unwrap().len(), 40, "what did not fit still waits");
    })
    .await;
}

// Guards: the state in the condition of the statement that confirms, and the transaction's id, which is the expense's.
#[actix_web::test]
async fn one_proposal_confirmed_twenty_times_at_once_is_paid_once() {
    TestApp::run(async |app| {
        let fund = Fund::found(app).await;
        fund.donate(10_000).await;
        let expense = fund.propose("volunteer-1", 1_000).await;
        let answers = join_all((0..20).map(|_| fund.confirm(&expense))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "already_decided");
        }
        assert_eq!(fund.balance().await, 9_000);
    })
    .await;
}

// Guard: the unique index `fund_receipts_once`.
#[actix_web::test]
async fn a_vehicles_month_paid_by_many_at_once_is_paid_once() {
    TestApp::run(async |app| {
        let fund = Fund::found(app).await;
        let car = fund.vehicle("鄂A12345", "resident-1").await;
        let path = format!("{}/receipts", fund.path);
        let answers = join_all((0..20).map(|_| fund.treasurer.post(&path, fund.fee(&car, "2026-11")))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 201) {
            answer.refused(409, "period_paid");
        }
        assert_eq!(fund.balance().await, 5_000);
    })
    .await;
}

// Guard: `funds_two_people` stands behind what the service says of officers.
#[actix_web::test]
async fn a_fund_is_kept_and_checked_by_two_neighbours() {
    TestApp::run(async |app| {
        let [staff, elsewhere, old] =
            app.sign_in_all(["staff", "staff-other", "representative"]).await.try_into().ok().unwrap();
        elsewhere.post("/funds", charter("representative", "staff-2")).await.refused(403, "forbidden");
        staff.post("/funds", charter("representative", "representative")).await.names("/auditor_id");
        staff.post("/funds", charter("newcomer-1", "staff-2")).await.names("/treasurer_id");
        staff.post("/funds", charter("representative", "staff-other")).await.names("/auditor_id");
        let fund = id(&staff.post("/funds", charter("representative", "staff-2")).await.expect(201));
        staff.post("/funds", charter("representative", "staff-2")).await.refused(409, "fund_known");
        let tariff = json!({ "kind": "fee", "name": "停车管理费", "fen": 1 });
        let tariffs = format!("/funds/{fund}/tariffs");
        let first = id(&old.post(&tariffs, tariff.clone()).await.expect(201));
        let officers = json!({ "treasurer_id": user_id("resident-1"), "auditor_id": user_id("representative") });
        old.put(&format!("/funds/{fund}/officers"), officers.clone()).await.refused(403, "forbidden");
        staff.put(&format!("/funds/{fund}/officers"), officers).await.expect(200);
        old.post(&tariffs, tariff).await.refused(403, "forbidden");
        let new = app.sign_in("resident-1").await;
        new.delete(&format!("{tariffs}/{first}")).await.expect(204);
        assert_eq!(new.get(&format!("/funds/{fund}")).await.expect(200)["tariffs"], json!([]));
        let list = new.get(&format!("/funds?place_id={}", place_id("/jiangan/"))).await.expect(200);
        assert_eq!(id(&list["items"][0]), fund);
        let notices = notice::Entity::find().filter(notice::Column::Kind.eq("fund.founded"));
        assert_eq!(notices.count(app.state.db.read()).await.unwrap(), 1);
    })
    .await;
}

// Guards: `fund_vehicles_one_live`, the keyed hash, and the audit row of each look.
#[actix_web::test]
async fn a_plate_is_masked_and_found_and_each_look_is_audited() {
    TestApp::run(async |app| {
        let fund = Fund::found(app).await;
        let [owner, neighbour] = app.sign_in_all(["resident-1", "resident-2"]).await.try_into().ok().unwrap();
        let path = format!("{}/vehicles", fund.path);
        let new = |plate: &str| json!({ "plate": plate, "owner_id": owner.id });
        owner.post(&path, new("鄂A12345")).await.refused(403, "forbidden");
        let answers = join_all((0..10).map(|_| fund.treasurer.post(&path, new("鄂a·12345")))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 201) {
            answer.refused(409, "vehicle_known");
        }
        fund.treasurer.post(&path, new("A12345")).await.names("/plate");
        fund.treasurer.post(&path, json!({ "plate": "鄂A00001" })).await.names("/owner_id");
        fund.treasurer
            .post(&path, json!({ "plate": "鄂A00001", "owner_id": user_id("newcomer-1") }))
            .await
            .names("/owner_id");
        let found = fund.treasurer.get(&format!("{path}?plate=鄂A12345")).await.expect(200);
        let car = id(&found["items"][0]);
        assert_eq!(found["items"][0]["plate"], "鄂A***45");
        assert_eq!(fund.treasurer.get(&format!("{path}?plate=鄂A54321")).await.expect(200)["items"], json!([]));
        assert_eq!(owner.get(&path).await.expect(200)["items"].as_array().unwrap().len(), 1);
        assert_eq!(neighbour.get(&format!("{path}?plate=鄂A12345")).await.expect(200)["items"], json!([]));
        let row = vehicle::Entity::find().one(app.state.db.read()).await.unwrap().unwrap();
        assert!(!format!("{row:?}").contains("12345"));

        for stranger in [&owner, &neighbour] {
            stranger.get(&format!("{path}/{car}/plate")).await.refused(403, "forbidden");
        }
        for officer in [&fund.treasurer, &fund.auditor] {
            assert_eq!(officer.get(&format!("{path}/{car}/plate")).await.expect(200)["plate"], "鄂A12345");
        }
        let looks = log::Entity::find().filter(log::Column::Action.eq("fund.reveal_plate"));
        assert_eq!(looks.count(app.state.db.read()).await.unwrap(), 2);
        fund.treasurer.delete(&format!("{path}/{car}")).await.expect(204);
        let again = fund.vehicle("鄂A12345", "resident-2").await;
        fund.treasurer.post(&format!("{}/receipts", fund.path), fund.fee(&car, "2026-11")).await.names("/vehicle_id");
        fund.treasurer.post(&format!("{}/receipts", fund.path), fund.fee(&again, "2026-11")).await.expect(201);
    })
    .await;
}

// Guard: `fund_months_once`.
#[actix_web::test]
async fn a_months_books_are_made_public_once_when_it_is_over() {
    TestApp::run(async |app| {
        let fund = Fund::found(app).await;
        fund.donate(10_000).await;
        let expense = fund.propose("volunteer-1", 2_500).await;
        fund.confirm(&expense).await.expect(200);
        let month = Month::of(app.state.clock.now());
        app.advance(month.ends() - app.state.clock.now() + Duration::minutes(9)).await;
        let published = async || {
            let rows = notice::Entity::find().filter(notice::Column::Kind.eq("fund.month"));
            let rows = rows.all(app.state.db.read()).await.unwrap();
            rows.into_iter().filter(|row| row.title.contains(&month.to_string())).collect::<Vec<_>>()
        };
        assert_eq!(published().await.len(), 0);
        app.advance(Duration::minutes(2)).await;
        app.advance(Duration::minutes(11)).await;
        join_all((0..5).map(|_| funds::publish_month(&app.state, month))).await.into_iter().for_each(Result::unwrap);
        let notices = published().await;
        assert_eq!(notices.len(), 1);
        let body = &notices[0].body;
        assert!(body.contains("捐赠 1 笔，100.00 元") && body.contains("期末结余 75.00 元"), "{body}");

        // The next month opens with what the last closed with.
        let reader = app.sign_in("resident-1").await;
        let now = fund.books(&reader).await;
        assert_eq!((&now["opening_fen"], &now["closing_fen"]), (&json!(7_500), &json!(7_500)));
        let then = reader.get(&format!("{}/books?month={month}", fund.path)).await.expect(200);
        assert_eq!((&then["closing_fen"], &then["notice_id"]), (&json!(7_500), &json!(notices[0].id)));
        reader.get(&format!("{}/books?month=2026-1", fund.path)).await.names("?month");
        let account = ledger::account_id(place_id(GUANGHUA), ledger::Party::Fund(fund.path[7..].parse().unwrap()));
        let row =
            entities::ledger::account::Entity::find_by_id(account).one(app.state.db.read()).await.unwrap().unwrap();
        assert_eq!(row.posted, 7_500, "the ledger says the same");
    })
    .await;
}
