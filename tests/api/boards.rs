//! Corrections that append, days that are signed, what anybody checks without signing in, and the sheet for the gate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::{Signature, VerifyingKey};
use entities::ids::NoticeId;
use entities::notices::{day, head, notice};
use linli::notices::domain::{GENESIS, Link};
use linli::notices::{self, Notice};
use linli::platform::calendar;
use linli::platform::http::transact;
use linli::platform::ids;
use linli::platform::state::AppState;
use linli::verify;
use reqwest::Method;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::{ANJING, GUANGHUA, TestApp, place_id};

async fn publish(state: &AppState, path: &str, title: &str, window: Option<DateTime<Utc>>) -> NoticeId {
    transact(state, async |txn| {
        let notice = Notice {
            community_id: place_id(path),
            kind: "test.act",
            title: title.to_owned(),
            body: "第一行\n第二行".to_owned(),
            window,
            ..Notice::default()
        };
        notices::publish(state, txn, notice).await
    })
    .await
    .unwrap()
}

async fn sql(state: &AppState, statement: &str) -> Result<(), String> {
    let txn = state.db.begin().await.unwrap();
    txn.execute_unprepared(statement).await.map_err(|error| error.to_string())?;
    txn.commit().await.map_err(|error| error.to_string())
}

async fn anonymous(app: &TestApp, path: &str) -> Value {
    app.anonymous(Method::GET, path, &json!({})).await.expect(200)
}

#[actix_web::test]
async fn a_correction_stands_beside_what_it_corrects() {
    TestApp::run(async |app| {
        let (resident, staff) = (app.sign_in("resident-1").await, app.sign_in("staff").await);
        let first = publish(&app.state, GUANGHUA, "中选公示", None).await;
        let before = resident.get(&format!("/notices/{first}")).await.expect(200);
        let path = format!("/notices/{first}/corrections");
        let body = json!({ "body": "合同金额应为48,600.00元。" });
        resident.post(&path, body.clone()).await.refused(403, "forbidden");
        app.sign_in("staff-other").await.post(&path, body.clone()).await.refused(403, "forbidden");
        let one = staff.post(&path, body.clone()).await.expect(201)["id"].as_str().unwrap().to_owned();
        // Correcting the correction is correcting the first.
        let two = staff.post(&format!("/notices/{one}/corrections"), body).await.expect(201)["id"].clone();

        let mut after = resident.get(&format!("/notices/{first}")).await.expect(200);
        let corrections = after["corrections"].take();
        assert_eq!((&corrections[0]["id"], &corrections[1]["id"]), (&json!(one), &two));
        assert_eq!((&corrections[1]["corrects_id"], &corrections[1]["version"]), (&json!(first), &json!(2)));
        assert_eq!(corrections[0]["title"], "更正：中选公示");
        for field in ["title", "body", "hash", "seq"] {
            assert_eq!(after[field], before[field], "what was said stays");
        }
    })
    .await;
}

// Guard: the trigger `notices_corrects`.
#[actix_web::test]
async fn a_correction_follows_in_the_same_chain() {
    TestApp::run(async |app| {
        let first = publish(&app.state, GUANGHUA, "一", None).await;
        let link = Link {
            community_id: place_id(ANJING),
            seq: 1,
            kind: "notice.correction",
            title: "更正",
            body: "",
            subject_kind: None,
            subject_id: None,
            published_at: app.state.clock.now(),
            objections_until: None,
            corrects_id: Some(first),
            commitment: None,
            prev_hash: GENESIS,
        };
        let row = notice::ActiveModel {
            id: Set(ids::ordered(&app.state.clock)),
            community_id: Set(link.community_id),
            seq: Set(1),
            kind: Set(link.kind.to_owned()),
            title: Set(link.title.to_owned()),
            body: Set(String::new()),
            subject_kind: Set(None),
            subject_id: Set(None),
            published_at: Set(link.published_at),
            prev_hash: Set(GENESIS.to_owned()),
            hash: Set(link.hash()),
            objections_until: Set(None),
            corrects_id: Set(Some(first)),
            commitment: Set(None),
            version: Set(2),
        };
        let txn = app.state.db.begin().await.unwrap();
        let error = notice::Entity::insert(row).exec_without_returning(&txn).await.unwrap_err().to_string();
        assert!(error.contains("notices_corrects") || error.contains("in one chain"), "{error}");
        txn.rollback().await.unwrap();
    })
    .await;
}

/// To a quarter past midnight in China, so many days after today.
async fn days_later(app: &TestApp, days: i64) {
    let now = app.state.clock.now();
    let then = calendar::midnight(calendar::day(now) + TimeDelta::days(days)) + TimeDelta::minutes(15);
    app.advance(then - now).await;
}

async fn sign(state: &AppState) {
    let schedules = state.capabilities.iter().flat_map(|capability| &capability.schedules);
    let schedule = schedules.into_iter().find(|schedule| schedule.name == "notices.days").unwrap();
    (schedule.run)(state.clone()).await.unwrap();
}

#[actix_web::test]
async fn anybody_checks_a_signed_day_without_signing_in() {
    TestApp::run(async |app| {
        for title in ["一", "二"] {
            publish(&app.state, GUANGHUA, title, None).await;
        }
        publish(&app.state, "/jiangan/", "区", None).await;
        let board = place_id(GUANGHUA);
        let days = format!("/public/boards/{board}/days");
        assert_eq!(anonymous(app, &days).await["items"], json!([]), "a day is signed when it is over");
        days_later(app, 1).await;
        publish(&app.state, GUANGHUA, "次日", None).await;
        // Guard: the primary key of place and day.
        futures_util::future::join3(sign(&app.state), sign(&app.state), sign(&app.state)).await;
        assert_eq!(day::Entity::find().count(app.state.db.read()).await.unwrap(), 2, "a row a board");

        let found = anonymous(app, &days).await["items"][0].clone();
        assert_eq!(found["seq"], 2, "not what was published the day after");
        let key = anonymous(app, "/public/notice-key").await;
        let line = |field: &str| match &found[field] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let message =
            format!("linli.head.v1\n{}\n{}\n{}\n{}\n", line("place_id"), line("day"), line("seq"), line("hash"));
        let bytes = |text: &Value| STANDARD.decode(text.as_str().unwrap()).unwrap();
        let public = VerifyingKey::from_bytes(&bytes(&key["public_key"]).try_into().unwrap()).unwrap();
        let signature = Signature::from_slice(&bytes(&found["signature"])).unwrap();
        public.verify_strict(message.as_bytes(), &signature).unwrap();
        assert!(public.verify_strict(message.replace('2', "3").as_bytes(), &signature).is_err());
        assert!(key["pem"].as_str().unwrap().starts_with("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA"));

        let chain = anonymous(app, &format!("/public/boards/{board}/notices?limit=2")).await;
        assert_eq!((&chain["items"][0]["seq"], &chain["items"][1]["hash"]), (&json!(1), &found["hash"]));
        let rest = anonymous(app, &format!("/public/boards/{board}/notices?limit=2&cursor=2")).await;
        assert_eq!((&rest["items"][0]["title"], &rest["next_cursor"]), (&json!("次日"), &json!(null)));
        app.anonymous(Method::GET, &format!("{days}?limit=0"), &json!({})).await.names("?limit");
        let nowhere = "/public/boards/00000000-0000-4000-8000-000000000000/days";
        app.anonymous(Method::GET, nowhere, &json!({})).await.refused(404, "not_found");
    })
    .await;
}

// Whoever holds the database makes a whole chain anew, head and all; whoever kept a signed day, and the audit, see it.
#[actix_web::test]
async fn a_chain_made_anew_is_not_what_was_signed() {
    TestApp::run(async |app| {
        publish(&app.state, GUANGHUA, "一", None).await;
        days_later(app, 2).await;
        assert_eq!(day::Entity::find().count(app.state.db.read()).await.unwrap(), 2);
        let before = notice::Entity::find().one(app.state.db.read()).await.unwrap().unwrap();
        let off = if app.state.db.is_postgres() {
            "ALTER TABLE notices DISABLE TRIGGER USER; ALTER TABLE notice_days DISABLE TRIGGER USER"
        } else {
            "DROP TRIGGER notices_no_update; DROP TRIGGER notices_no_delete; DROP TRIGGER notice_days_no_update"
        };
        let refused = sql(&app.state, "UPDATE notice_days SET seq = 1").await.unwrap_err();
        assert!(refused.contains("only ever added") || refused.contains("append_only"), "{refused}");
        sql(&app.state, off).await.unwrap();
        let link = Link {
            community_id: before.community_id,
            seq: 1,
            kind: &before.kind,
            title: "改过的标题",
            body: &before.body,
            subject_kind: None,
            subject_id: None,
            published_at: before.published_at,
            objections_until: None,
            corrects_id: None,
            commitment: None,
            prev_hash: GENESIS,
        };
        let rewrite = async |title: &str, hash: &str| {
            sql(&app.state, &format!("UPDATE notices SET title = '{title}', hash = '{hash}'")).await.unwrap();
            sql(&app.state, &format!("UPDATE notice_heads SET hash = '{hash}'")).await.unwrap();
        };
        rewrite(link.title, &link.hash()).await;
        let findings = verify::run(&app.state).await.unwrap();
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings.iter().all(|finding| finding.contains("is not what was signed")), "{findings:?}");
        // And who signs the new chain needs the server's key.
        sql(&app.state, &format!("UPDATE notice_days SET hash = '{}'", link.hash())).await.unwrap();
        let findings = verify::run(&app.state).await.unwrap();
        assert!(findings.iter().all(|finding| finding.contains("is not the server's")), "{findings:?}");
        assert_eq!(findings.len(), 2);
        rewrite(&before.title, &before.hash).await;
        sql(&app.state, &format!("UPDATE notice_days SET hash = '{}'", before.hash)).await.unwrap();
        assert_eq!(head::Entity::find().count(app.state.db.read()).await.unwrap(), 1);
    })
    .await;
}

#[actix_web::test]
async fn a_notice_is_a_page_for_everybody_and_a_sheet_for_the_gate() {
    TestApp::run(async |app| {
        let until = app.state.clock.now() + TimeDelta::days(7);
        let id = publish(&app.state, GUANGHUA, "<b>中选</b>公示", Some(until)).await;
        let page = app.anonymous(Method::GET, &format!("/public/notices/{id}/page"), &json!({})).await;
        assert_eq!(page.status, 200);
        let html = String::from_utf8_lossy(&page.bytes).into_owned();
        assert!(html.contains("&lt;b&gt;中选&lt;/b&gt;公示") && !html.contains("<b>中选"), "{html}");
        assert!(html.contains("光华社区 公示栏") && html.contains("异议期至"), "{html}");
        let data = anonymous(app, &format!("/public/notices/{id}")).await;
        assert_eq!((&data["seq"], &data["window"]["standing"]), (&json!(1), &json!("open")));
        app.anonymous(Method::GET, "/public/notices/00000000-0000-4000-8000-000000000000", &json!({}))
            .await
            .refused(404, "not_found");

        let sheet = app.sign_in("resident-1").await.get(&format!("/notices/{id}/sheet.pdf")).await;
        assert_eq!((sheet.status, sheet.headers["content-type"].to_str().unwrap()), (200, "application/pdf"));
        assert!(sheet.bytes.starts_with(b"%PDF-") && sheet.bytes.len() < 200_000);
    })
    .await;
}
