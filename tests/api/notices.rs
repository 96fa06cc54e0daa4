//! The board: reading it, its chain, and what a silent edit leads to.

use chrono::TimeDelta;
use entities::ids::NoticeId;
use entities::notices::{head, notice};
use entities::places::place;
use linli::notices::domain::commitment;
use linli::notices::{self, Notice};
use linli::platform::http::transact;
use linli::platform::state::AppState;
use linli::verify;
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, QueryOrder};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::{ANJING, BUILDING_1, GUANGHUA, TestApp, place_id, user_id};

async fn publish(state: &AppState, path: &str, title: &str) {
    let board = (place_id(path), title.to_owned());
    publish_with(state, GUANGHUA, |notice| Notice { community_id: board.0, title: board.1, ..notice }).await;
}

async fn publish_with(
    state: &AppState,
    path: &str,
    change: impl FnOnce(Notice<'static>) -> Notice<'static>,
) -> NoticeId {
    transact(state, async |txn| {
        let notice = Notice {
            community_id: place_id(path),
            kind: "test.act",
            title: "公示".to_owned(),
            body: "第一行\n\"第二行\"\t\\".to_owned(),
            ..Notice::default()
        };
        notices::publish(state, txn, change(notice)).await
    })
    .await
    .unwrap()
}

fn titles(page: &serde_json::Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn everybody_reads_the_board_of_a_place() {
    TestApp::run(async |app| {
        let person = app.sign_in("newcomer-1").await;
        for (path, title) in [(GUANGHUA, "甲"), (ANJING, "乙"), (GUANGHUA, "丙")] {
            publish(&app.state, path, title).await;
        }
        let board = async |path: &str| person.get(&format!("/notices?place_id={}", place_id(path))).await.expect(200);
        assert_eq!(titles(&board(GUANGHUA).await), ["丙", "甲"]);
        assert_eq!(titles(&board(BUILDING_1).await), ["丙", "甲"], "a building has its community's board");
        assert_eq!(titles(&board("/jiangan/chezhan/").await), ["丙", "甲"]);
        assert_eq!(titles(&board("/jiangan/").await), ["丙", "乙", "甲"]);
        assert!(titles(&board("/jiangan/laodong/").await).is_empty());

        let first = person.get(&format!("/notices?place_id={}&limit=2", place_id("/jiangan/"))).await.expect(200);
        assert_eq!(titles(&first), ["丙", "乙"]);
        let cursor = first["next_cursor"].as_str().unwrap();
        let path = format!("/notices?place_id={}&limit=2&cursor={cursor}", place_id("/jiangan/"));
        assert_eq!(titles(&person.get(&path).await.expect(200)), ["甲"]);

        let id = first["items"][0]["id"].as_str().unwrap();
        let mut one = person.get(&format!("/notices/{id}")).await.expect(200);
        let more = one.as_object_mut().unwrap();
        assert_eq!((more.remove("window"), more.remove("corrections")), (Some(json!(null)), Some(json!([]))));
        assert_eq!(one, first["items"][0]);
        person.get("/notices/00000000-0000-4000-8000-000000000000").await.refused(404, "not_found");
        person.get(&format!("/notices?place_id={}", user_id("staff"))).await.names("?place_id");
        person.get("/notices").await.names("?place_id");
        person.get(&format!("/notices?place_id={}&cursor=AAAA", place_id(GUANGHUA))).await.names("?cursor");
    })
    .await;
}

#[actix_web::test]
async fn a_place_reads_the_boards_above_it_too_and_its_own_alone_if_it_asks() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        for (path, title) in [("/jiangan/", "区"), ("/jiangan/chezhan/", "街"), (GUANGHUA, "社"), (ANJING, "别处")]
        {
            publish(&app.state, path, title).await;
        }
        let board = async |path: &str, more: &str| {
            let page = person.get(&format!("/notices?place_id={}{more}", place_id(path))).await.expect(200);
            titles(&page).join("")
        };
        assert_eq!(board(GUANGHUA, "").await, "社街区");
        assert_eq!(board(BUILDING_1, "").await, "社街区");
        assert_eq!(board("/jiangan/chezhan/", "").await, "社街区");
        assert_eq!(board("/jiangan/", "").await, "别处社街区");
        for (path, own) in [(GUANGHUA, "社"), (BUILDING_1, "社"), ("/jiangan/chezhan/", "街"), ("/jiangan/", "区")]
        {
            assert_eq!(board(path, "&own=true").await, own);
        }
        // Guard: the trigger `notice_heads_board`.
        let txn = app.state.db.begin().await.unwrap();
        let astray = Notice { community_id: place_id(BUILDING_1), kind: "test.act", ..Notice::default() };
        notices::publish(&app.state, &txn, astray).await.unwrap_err();
        txn.rollback().await.unwrap();
    })
    .await;
}

#[actix_web::test]
async fn a_reader_recomputes_the_chain_from_the_api() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        for title in ["一", "二", "三"] {
            publish(&app.state, GUANGHUA, title).await;
        }
        publish_with(&app.state, GUANGHUA, |notice| Notice {
            window: Some(app.state.clock.now() + TimeDelta::days(7)),
            commitment: Some(commitment(&"5a".repeat(32), "附件")),
            ..notice
        })
        .await;
        let board = person.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        let mut before = "0".repeat(64);
        for (item, seq) in board["items"].as_array().unwrap().iter().rev().zip(1..) {
            assert_eq!(item["seq"], seq);
            assert_eq!(item["prev_hash"], before);
            let mut fields =
                vec!["community_id", "seq", "kind", "title", "body", "subject_kind", "subject_id", "published_at"];
            if item["version"] == 2 {
                fields.extend(["objections_until", "corrects_id", "commitment"]);
            }
            fields.push("prev_hash");
            assert_eq!(item["version"], if seq == 4 { 2 } else { 1 }, "what needs no more stays version 1");
            let mut chained = vec![json!(format!("linli.notice.v{}", item["version"]))];
            chained.extend(fields.iter().map(|field| item[field].clone()));
            let hash = Sha256::digest(serde_json::to_string(&chained).unwrap());
            before = linli::platform::crypto::hex(&hash);
            assert_eq!(item["hash"], before);
        }
    })
    .await;
}

// Guard: the lock on the community's head (the unique key of community and seq is the second one).
#[actix_web::test]
async fn acts_at_once_make_one_chain() {
    TestApp::run(async |app| {
        let acts = (0..60).map(|at| {
            let state = app.state.clone();
            let path = if at % 3 == 0 { ANJING } else { GUANGHUA };
            actix_web::rt::spawn(async move { publish(&state, path, &format!("第{at}条")).await })
        });
        for act in acts.collect::<Vec<_>>() {
            act.await.unwrap();
        }
        let heads = head::Entity::find().all(app.state.db.read()).await.unwrap();
        assert_eq!(heads.iter().map(|head| head.seq).sum::<i64>(), 60);
    })
    .await;
}

#[actix_web::test]
async fn what_is_undone_leaves_no_link() {
    TestApp::run(async |app| {
        publish(&app.state, GUANGHUA, "留下").await;
        let txn = app.state.db.begin().await.unwrap();
        let notice = Notice {
            community_id: place_id(GUANGHUA),
            kind: "test.act",
            title: "撤销".to_owned(),
            body: "无".to_owned(),
            ..Notice::default()
        };
        notices::publish(&app.state, &txn, notice).await.unwrap();
        txn.rollback().await.unwrap();
        publish(&app.state, GUANGHUA, "接上").await;
        assert_eq!(notice::Entity::find().count(app.state.db.read()).await.unwrap(), 2);
    })
    .await;
}

async fn sql(state: &AppState, statement: &str) -> Result<(), String> {
    let txn = state.db.begin().await.unwrap();
    txn.execute_unprepared(statement).await.map_err(|error| error.to_string())?;
    txn.commit().await.map_err(|error| error.to_string())
}

// Guard: the triggers of the migration.
#[actix_web::test]
async fn the_database_refuses_to_change_a_notice() {
    TestApp::run(async |app| {
        publish(&app.state, GUANGHUA, "一").await;
        let mut attempts =
            vec!["UPDATE notices SET title = 'x'", "UPDATE notices SET seq = seq", "DELETE FROM notices"];
        if app.state.db.is_postgres() {
            attempts.push("TRUNCATE notices");
        }
        for attempt in attempts {
            let error = sql(&app.state, attempt).await.unwrap_err();
            assert!(error.contains("only ever added") || error.contains("notices_append_only"), "{attempt}: {error}");
        }
        assert_eq!(notice::Entity::find().count(app.state.db.read()).await.unwrap(), 1);
    })
    .await;
}

#[actix_web::test]
async fn the_audit_finds_what_was_changed_behind_the_triggers() {
    TestApp::run(async |app| {
        for title in ["一", "二", "三"] {
            publish(&app.state, GUANGHUA, title).await;
        }
        publish(&app.state, ANJING, "别处").await;
        let postgres = app.state.db.is_postgres();
        let off = if postgres {
            "ALTER TABLE notices DISABLE TRIGGER USER"
        } else {
            "DROP TRIGGER notices_no_update; DROP TRIGGER notices_no_delete"
        };
        sql(&app.state, off).await.unwrap();
        let here = match place::Entity::find_by_id(place_id(GUANGHUA)).one(app.state.db.read()).await.unwrap() {
            Some(place) => {
                let hex = place.id.0.simple().to_string();
                if postgres { format!("'{hex}'::uuid") } else { format!("x'{hex}'") }
            }
            None => unreachable!(),
        };
        let before: Vec<notice::Model> =
            notice::Entity::find().order_by_asc(notice::Column::Id).all(app.state.db.read()).await.unwrap();

        let tampering = [
            ("UPDATE notices SET body = body || '。' WHERE title = '二'", "was changed"),
            ("UPDATE notices SET hash = prev_hash WHERE title = '二'", "was changed"),
            ("UPDATE notices SET prev_hash = hash WHERE title = '三'", "does not carry"),
            ("DELETE FROM notices WHERE title = '二'", "notices are missing"),
            ("DELETE FROM notices WHERE title = '三'", "its head says 3"),
            ("UPDATE notice_heads SET seq = 2 WHERE seq = 3", "beyond the head"),
            ("UPDATE notice_heads SET hash = 'x' WHERE seq = 3", "ends at seq 3"),
            ("DELETE FROM notice_heads WHERE seq = 3", "beyond the head"),
        ];
        for (statement, finding) in tampering {
            sql(&app.state, statement).await.unwrap();
            let findings = verify::run(&app.state).await.unwrap();
            assert!(findings.iter().any(|found| found.contains(finding)), "{statement}: {findings:?}");
            // Undo.
            sql(&app.state, "DELETE FROM notices").await.unwrap();
            let txn = app.state.db.begin().await.unwrap();
            for row in &before {
                notice::Entity::insert(notice::ActiveModel::from(row.clone()))
                    .exec_without_returning(&txn)
                    .await
                    .unwrap();
            }
            let last = before.iter().rfind(|row| row.community_id == place_id(GUANGHUA)).unwrap();
            txn.execute_unprepared(&format!("DELETE FROM notice_heads WHERE community_id = {here}")).await.unwrap();
            let head = head::Model { community_id: last.community_id, seq: last.seq, hash: last.hash.clone() };
            head::Entity::insert(head::ActiveModel::from(head)).exec_without_returning(&txn).await.unwrap();
            txn.commit().await.unwrap();
            assert_eq!(verify::run(&app.state).await.unwrap(), Vec::<String>::new());
        }
    })
    .await;
}
