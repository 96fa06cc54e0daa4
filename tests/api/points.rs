//! Awards, wallets, leaderboards.

use entities::points::score;
use futures_util::future::join_all;
use linli::ledger;
use linli::points::{Award, award};
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::support::{GUANGHUA, TestApp, place_id, user_id};

/// An award by a rule, as another capability makes it.
async fn credit(app: &TestApp, person: &str, amount: i64, source: Uuid) -> bool {
    let points = &Award {
        community_id: place_id(GUANGHUA),
        person: user_id(person),
        amount,
        rule: "test.rule",
        source: ("signup", source),
        reason: "志愿服务".to_owned(),
        actor: None,
    };
    let credit = linli::platform::http::transact(&app.state, async |txn| award(&app.state, txn, points).await);
    credit.await.expect("an award")
}

// Guard: `ledger_transfers_once` on the dedupe key.
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

        let wallet = ledger::balance(app.state.db.read(), place_id(GUANGHUA), user_id("resident-1")).await.unwrap();
        assert_eq!(wallet, ledger::Balance { available: 120, reserved: 0 });
        let scores = score::Entity::find().all(app.state.db.read()).await.unwrap();
        assert_eq!(scores.len(), 8, "four periods each");
        assert!(scores.iter().all(|row| row.points == if row.user_id == user_id("resident-1") { 120 } else { 20 }));
        let inbox = app.sign_in("resident-1").await.get("/inbox").await.expect(200);
        assert_eq!(inbox["items"].as_array().unwrap().len(), 11);
        assert_eq!(inbox["items"][10]["title"], "积分到账：+20");
    })
    .await;
}
