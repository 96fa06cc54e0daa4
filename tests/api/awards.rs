//! Awards by hand that need two persons.

use entities::ledger::transaction;
use futures_util::future::join_all;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};

use crate::points::credit;
use crate::support::{ANJING, BUILDING_1, BUILDING_2, GUANGHUA, Person, TestApp, place_id, user_id};

async fn ask(staff: &Person, person: &str, amount: i64) -> Value {
    let body = json!({ "user_id": user_id(person), "amount": amount, "reason": "连续三天帮邻居搬家" });
    staff.post("/points/awards", body).await.expect(201)
}

async fn available(person: &Person) -> i64 {
    person.get("/me/points").await.expect(200)["available"].as_i64().unwrap()
}

fn path(award: &Value, word: &str) -> String {
    format!("/points/awards/{}/{word}", award["id"].as_str().unwrap())
}

fn waiting(place: &str) -> String {
    format!("/points/awards?place_id={}", place_id(place))
}

#[actix_web::test]
async fn an_award_above_the_limit_waits_for_a_second_person() {
    TestApp::run(async |app| {
        let [staff, second, person] =
            app.sign_in_all(["staff", "staff-2", "resident-1"]).await.try_into().ok().unwrap();
        assert_eq!(ask(&staff, "resident-1", 50).await["state"], "awarded");
        assert_eq!(available(&person).await, 50);
        let award = ask(&staff, "resident-1", 51).await;
        assert_eq!((&award["state"], &award["amount"]), (&json!("pending"), &json!(51)));
        assert_eq!(available(&person).await, 50);
        let list = second.get(&waiting(GUANGHUA)).await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert_eq!((&list["items"][0]["id"], &list["items"][0]["may_decide"]), (&award["id"], &json!(true)));
        assert_eq!(
            (&list["items"][0]["name"], &list["items"][0]["reason"]),
            (&json!("王**"), &json!("连续三天帮邻居搬家"))
        );
        assert_eq!(staff.get(&waiting(BUILDING_1)).await.expect(200)["items"][0]["may_decide"], false);
        assert_eq!(staff.get(&waiting(BUILDING_2)).await.expect(200)["items"], json!([]));

        let approved = second.post_with_key(&path(&award, "approve"), json!({}), "a").await.expect(200);
        assert_eq!(approved["state"], "awarded");
        assert_eq!(second.post_with_key(&path(&award, "approve"), json!({}), "a").await.expect(200), approved);
        assert_eq!(available(&person).await, 101);
        second.post(&path(&award, "approve"), json!({})).await.refused(409, "already_decided");
        second.post(&path(&award, "reject"), json!({ "reason": "太多" })).await.refused(409, "already_decided");
        assert_eq!(staff.get("/inbox").await.expect(200)["items"][0]["title"], "您申请的积分已发放");
        let done = second.get(&format!("{}&state=awarded", waiting(GUANGHUA))).await.expect(200);
        assert_eq!(done["items"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[actix_web::test]
async fn a_refused_award_gives_nothing_and_says_why() {
    TestApp::run(async |app| {
        let [staff, street, person] = app.sign_in_all(["staff", "street", "resident-1"]).await.try_into().ok().unwrap();
        let award = ask(&staff, "resident-1", 80).await;
        street.post(&path(&award, "reject"), json!({})).await.names("/reason");
        let rejected = street.post(&path(&award, "reject"), json!({ "reason": "没有记录" })).await.expect(200);
        assert_eq!(rejected["state"], "rejected");
        street.post(&path(&award, "approve"), json!({})).await.refused(409, "already_decided");
        assert_eq!(available(&person).await, 0);
        assert_eq!(person.get("/inbox").await.expect(200)["items"], json!([]));
        let told = staff.get("/inbox").await.expect(200);
        assert_eq!(told["items"][0]["body"], "原因：没有记录");
    })
    .await;
}

// Guard: `own_act` in service/manual.rs, and `points_awards_by_two` behind it.
#[actix_web::test]
async fn nobody_approves_their_own() {
    TestApp::run(async |app| {
        let [staff, second, other] =
            app.sign_in_all(["staff", "staff-2", "staff-other"]).await.try_into().ok().unwrap();
        let award = ask(&staff, "resident-1", 60).await;
        staff.post(&path(&award, "approve"), json!({})).await.refused(403, "own_act");
        staff.post(&path(&award, "reject"), json!({ "reason": "算了" })).await.refused(403, "own_act");
        for stranger in [&other, &app.sign_in("leader").await, &app.sign_in("resident-1").await] {
            stranger.post(&path(&award, "approve"), json!({})).await.refused(404, "not_found");
            stranger.get(&waiting(GUANGHUA)).await.refused(403, "forbidden");
        }
        other.get(&waiting(ANJING)).await.expect(200);
        other.get("/points/awards").await.refused(422, "invalid_input");
        second.post(&path(&award, "approve"), json!({})).await.expect(200);
    })
    .await;
}

// Guard: the state in the condition of the update, and the ledger's one award a source behind it.
#[actix_web::test]
async fn twenty_approvals_at_once_make_one_award() {
    TestApp::run(async |app| {
        let [staff, second, street, person] =
            app.sign_in_all(["staff", "staff-2", "street", "resident-1"]).await.try_into().ok().unwrap();
        let award = ask(&staff, "resident-1", 100).await;
        let path = path(&award, "approve");
        let answers =
            join_all((0..20).map(|at| if at % 2 == 0 { &second } else { &street }.post(&path, json!({})))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1);
        for answer in lost {
            answer.refused(409, "already_decided");
        }
        assert_eq!(available(&person).await, 100);
    })
    .await;
}

#[actix_web::test]
async fn a_community_sets_its_own_limit() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let settings = format!("/places/{}/settings", place_id(GUANGHUA));
        staff.put(&settings, json!({ "award_second_person_above": 0 })).await.expect(200);
        assert_eq!(ask(&staff, "resident-1", 1).await["state"], "pending");
        staff.put(&settings, json!({ "award_second_person_above": 100 })).await.expect(200);
        assert_eq!(ask(&staff, "resident-1", 100).await["state"], "awarded");
    })
    .await;
}

/// The newest entry of somebody's wallet.
async fn newest_entry(person: &Person) -> Value {
    person.get("/me/points/entries").await.expect(200)["items"][0].clone()
}

#[actix_web::test]
async fn a_reversal_takes_an_award_back_once_and_says_why() {
    TestApp::run(async |app| {
        let [staff, second, person] =
            app.sign_in_all(["staff", "staff-2", "resident-1"]).await.try_into().ok().unwrap();
        ask(&staff, "resident-1", 20).await;
        let award = ask(&staff, "resident-1", 30).await;
        let because = json!({ "reason": "记错了人" });
        for persona in ["resident-1", "leader", "staff-other"] {
            let stranger = app.sign_in(persona).await;
            stranger.post(&path(&award, "reverse"), because.clone()).await.refused(404, "not_found");
        }
        second.post(&path(&award, "reverse"), json!({})).await.names("/reason");
        let reversed = second.post_with_key(&path(&award, "reverse"), because.clone(), "r").await.expect(200);
        assert_eq!((&reversed["state"], &reversed["taken"]), (&json!("reversed"), &json!(30)));
        assert_eq!(second.post_with_key(&path(&award, "reverse"), because.clone(), "r").await.expect(200), reversed);
        second.post(&path(&award, "reverse"), because.clone()).await.refused(409, "already_reversed");
        let points = person.get("/me/points").await.expect(200);
        assert_eq!((&points["available"], &points["earned"], &points["debt"]), (&json!(20), &json!(20), &json!(0)));
        let told = person.get("/inbox").await.expect(200);
        assert_eq!(told["items"][0]["title"], "积分撤回：-30");
        assert_eq!(told["items"][0]["body"], "连续三天帮邻居搬家。原因：记错了人。");
        assert_eq!(newest_entry(&person).await["reason"], "撤回：连续三天帮邻居搬家（记错了人）");
        // What waits cannot be taken back.
        let pending = ask(&staff, "resident-1", 60).await;
        second.post(&path(&pending, "reverse"), because).await.refused(409, "already_decided");
    })
    .await;
}

// Guards: the state in the condition of the update in service/reversal.rs, and `ledger_transactions_reversed_once`.
#[actix_web::test]
async fn a_spent_award_taken_back_by_twenty_at_once_leaves_one_debt_that_the_next_award_pays() {
    TestApp::run(async |app| {
        let [staff, second, person] =
            app.sign_in_all(["staff", "staff-2", "resident-1"]).await.try_into().ok().unwrap();
        let award = ask(&staff, "resident-1", 50).await;
        let gift = json!({ "place_id": place_id(GUANGHUA), "title": "雨伞", "cost": 40, "stock": 1 });
        let gift = staff.post("/rewards", gift).await.expect(201);
        person.post("/redemptions", json!({ "reward_id": gift["id"] })).await.expect(201);
        let because = json!({ "reason": "重复发放" });
        let path = path(&award, "reverse");
        let answers = join_all((0..20).map(|_| second.post(&path, because.clone()))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1);
        assert_eq!((&won[0].body["taken"], &won[0].body["owed"]), (&json!(10), &json!(40)));
        for answer in lost {
            answer.refused(409, "already_reversed");
        }
        let points = person.get("/me/points").await.expect(200);
        assert_eq!((&points["available"], &points["debt"], &points["earned"]), (&json!(0), &json!(40), &json!(0)));
        let told = person.get("/inbox").await.expect(200);
        let told = told["items"].as_array().unwrap().iter().find(|one| one["kind"] == "points.reversed").unwrap();
        assert!(told["body"].as_str().unwrap().ends_with("其中40分已使用，将从以后的积分中抵扣。"));
        ask(&staff, "resident-1", 45).await;
        let points = person.get("/me/points").await.expect(200);
        assert_eq!((&points["available"], &points["debt"], &points["earned"]), (&json!(5), &json!(0), &json!(45)));
    })
    .await;
}

#[actix_web::test]
async fn staff_take_back_what_a_rule_gave_by_its_entry() {
    TestApp::run(async |app| {
        let [staff, second, other, person] =
            app.sign_in_all(["staff", "staff-2", "staff-other", "resident-1"]).await.try_into().ok().unwrap();
        credit(app, "resident-1", 20, uuid::Uuid::from_u128(1)).await;
        let entry = newest_entry(&person).await;
        let path = format!("/points/entries/{}/reverse", entry["id"].as_str().unwrap());
        let because = json!({ "reason": "签到有误" });
        other.post(&path, because.clone()).await.refused(404, "not_found");
        person.post(&path, because.clone()).await.refused(404, "not_found");
        let taken = staff.post(&path, because.clone()).await.expect(200);
        assert_eq!(taken, json!({ "taken": 20, "expired": 0, "owed": 0 }));
        second.post(&path, because.clone()).await.refused(409, "already_reversed");
        assert_eq!(available(&person).await, 0);
        // A reversal is no award.
        let reversal = newest_entry(&person).await;
        assert_eq!(reversal["kind"], "reversal");
        let path = format!("/points/entries/{}/reverse", reversal["id"].as_str().unwrap());
        staff.post(&path, because.clone()).await.refused(404, "not_found");
        // Nobody takes their own back.
        credit(app, "staff", 20, uuid::Uuid::from_u128(2)).await;
        let own = transaction::Entity::find().order_by_desc(transaction::Column::Id);
        let own = own.one(app.state.db.read()).await.unwrap().unwrap().id;
        let path = format!("/points/entries/{own}/reverse");
        staff.post(&path, because.clone()).await.refused(403, "own_act");
        second.post(&path, because).await.expect(200);
    })
    .await;
}

#[actix_web::test]
async fn an_award_by_hand_says_who_gave_it_and_who_checked_it() {
    TestApp::run(async |app| {
        let [staff, second, person] =
            app.sign_in_all(["staff", "staff-2", "resident-1"]).await.try_into().ok().unwrap();
        let award = ask(&staff, "resident-1", 60).await;
        second.post(&path(&award, "approve"), json!({})).await.expect(200);
        let entry = newest_entry(&person).await;
        let path = format!("/me/points/entries/{}", entry["id"].as_str().unwrap());
        let why = person.get(&path).await.expect(200);
        assert_eq!((&why["amount"], &why["rule"]), (&json!(60), &Value::Null));
        assert_eq!((&why["source"]["kind"], &why["source"]["what"]), (&json!("award"), &json!("连续三天帮邻居搬家")));
        let roles: Vec<_> = why["source"]["confirmed"].as_array().unwrap().iter().map(|one| &one["role"]).collect();
        assert_eq!(roles, ["发放人", "复核人"]);
        assert!(why["source"]["confirmed"][0]["name"].as_str().unwrap().ends_with('*'));
        assert!(why["expires_at"].as_str().unwrap().ends_with("T15:59:59.999999Z"));
        app.sign_in("resident-2").await.get(&path).await.refused(404, "not_found");
        staff.get(&path).await.refused(404, "not_found");
    })
    .await;
}
