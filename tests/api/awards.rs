//! Awards by hand that need two persons.

use futures_util::future::join_all;
use serde_json::{Value, json};

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
