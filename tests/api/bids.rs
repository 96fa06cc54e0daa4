//! Sealed bids: handing in, replacing, withdrawing; what nobody reads before the opening; the opening.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use entities::audit::log;
use entities::organisations::{OrganisationState, organisation, person};
use entities::tenders::{BidState, bid as bids, bid_version, tender};
use futures_util::future::join_all;
use linli::platform::http::transact;
use linli::platform::ids;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, Statement,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{GUANGHUA, Person, TestApp, place_id, user_id};
use crate::tenders::{Round, bid, join_organisation, organisation, text};

fn commitment(receipt: &Value) -> String {
    let text = json!(["linli.bid.v1", receipt["tender_id"], receipt["salt"], receipt["document"]]).to_string();
    linli::platform::crypto::hex(&Sha256::digest(text))
}

#[actix_web::test]
async fn a_bid_is_replaced_and_withdrawn_until_the_closing_and_the_last_counts() {
    TestApp::run(async |app| {
        let mut round = Round::open(app).await;
        let [a, b] = &round.orgs.clone();
        let path = round.to("/bid");
        let ids = round.ids;
        let own = |at: usize| format!("{path}?organisation_id={}", ids[at]);
        let first = a.put(&path, bid(app, round.ids[0], 1_600_000)).await.expect(200);
        assert_eq!((&first["version"], first["commitment"].as_str()), (&json!(1), Some(commitment(&first).as_str())));
        assert_eq!(a.get(&own(0)).await.expect(200), first, "the bidder sees that it is in");
        for person in [b, &round.staff, &round.panel[0]] {
            person.get(&own(0)).await.refused(404, "not_found");
        }
        b.put(&path, bid(app, round.ids[0], 1000)).await.refused(403, "forbidden");
        round.panel[0].put(&path, bid(app, round.ids[0], 1000)).await.refused(403, "forbidden");
        let second = a.put(&path, bid(app, round.ids[0], 1_400_000)).await.expect(200);
        assert_eq!(second["version"], 2);
        assert_ne!(second["commitment"], first["commitment"]);
        a.delete(&own(0)).await.expect(204);
        a.delete(&own(0)).await.refused(404, "not_found");
        a.get(&own(0)).await.refused(404, "not_found");
        b.put(&path, bid(app, round.ids[1], 1_800_000)).await.expect(200);
        b.delete(&own(1)).await.expect(204);
        let last = a.put(&path, bid(app, round.ids[0], 1_300_000)).await.expect(200);
        assert_eq!(last["version"], 4);
        let opened = round.opened(app).await;
        assert_eq!(opened.len(), 1, "what was withdrawn is not among them");
        assert_eq!((&opened[0]["price_fen"], &opened[0]["commitment"]), (&json!(1_300_000), &last["commitment"]));
        let read = round.staff.get(&format!("/bids/{}", text(&opened[0]["id"]))).await.expect(200);
        assert_eq!((&read["document"], &read["salt"]), (&last["document"], &last["salt"]), "the receipt is proved");
        assert_eq!(commitment(&last), text(&opened[0]["commitment"]));
        let [a, b] = &round.orgs;
        a.put(&path, bid(app, round.ids[0], 1000)).await.refused(409, "tender_closed");
        a.delete(&own(0)).await.refused(409, "tender_closed");
        let acts =
            log::Entity::find().filter(log::Column::Action.starts_with("bid.")).all(app.state.db.read()).await.unwrap();
        let acts: BTreeSet<_> =
            acts.iter().map(|row| (row.action.as_str(), row.actor_id.unwrap().to_string())).collect();
        assert_eq!(acts, BTreeSet::from([("bid.hand_in", a.id.clone()), ("bid.withdraw", b.id.clone())]));
    })
    .await;
}

#[actix_web::test]
async fn a_bid_that_breaks_a_rule_is_refused_by_field() {
    TestApp::run(async |app| {
        let round = Round::open(app).await;
        let with = |pointer: &str, value: Value| {
            let mut body = bid(app, round.ids[0], 1_600_000);
            *body.pointer_mut(pointer).unwrap() = value;
            body
        };
        let early = app.state.clock.now() + TimeDelta::days(3);
        let late = app.state.clock.now() + TimeDelta::days(401);
        for (at, value, pointer) in [
            ("/price_fen", json!(2_000_001), "/price_fen"),
            ("/price_fen", json!(0), "/price_fen"),
            ("/price_fen", json!(1_600_001), "/milestones"),
            ("/plan", json!(""), "/plan"),
            ("/milestones", json!([]), "/milestones"),
            ("/milestones/0/amount_fen", json!(0), "/milestones/0/amount_fen"),
            ("/milestones/0/due_at", json!(early), "/milestones/0/due_at"),
            ("/milestones/1/due_at", json!(late), "/milestones/1/due_at"),
            ("/indicators/0/target", json!(0), "/indicators/0/target"),
        ] {
            round.orgs[0].put(&round.to("/bid"), with(at, value)).await.names(pointer);
        }
        let young = organisation(app, "在孵测试社", OrganisationState::Incubating, &["resident-1"]).await;
        let resident = app.sign_in("resident-1").await;
        resident.put(&round.to("/bid"), bid(app, young, 1_000_000)).await.refused(403, "not_eligible");
    })
    .await;
}

/// Every row of every table as text.
async fn everything(app: &TestApp) -> BTreeMap<String, BTreeSet<String>> {
    let db = app.state.db.read();
    let postgres = db.get_database_backend() == DbBackend::Postgres;
    let ask = async |sql: String| {
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect::<Vec<_>>()
    };
    let tables = if postgres {
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    };
    let mut all = BTreeMap::new();
    for table in ask(tables.to_owned()).await {
        let rows = if postgres {
            ask(format!("SELECT row_to_json(t)::text FROM {table} t")).await
        } else {
            let columns = ask(format!("SELECT name FROM pragma_table_info('{table}')")).await;
            let columns: Vec<_> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
            ask(format!("SELECT {} FROM {table}", columns.join(" || '|' || "))).await
        };
        all.insert(table, rows.into_iter().collect());
    }
    all
}

/// What the API answers to somebody: every route that reads, about every id.
async fn answers(app: &TestApp, person: &Person, ids: &[String]) -> BTreeMap<String, Value> {
    let document = app.call(app.http.get(format!("{}/api/openapi.json", app.url)), "the document").await.expect(200);
    let mut all = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.trim_start_matches("/api/v1");
        if item["get"].is_null() || path.contains("/me/export") {
            continue;
        }
        let names: Vec<_> = path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        for id in if names.is_empty() { &ids[..1] } else { ids } {
            let path = names.iter().fold(path.to_owned(), |path, name| path.replace(&format!("{{{name}}}"), id));
            for query in ["", "?organisation_id=", "?place_id="] {
                let query = match query {
                    "?organisation_id=" => format!("{query}{}", ids[1]),
                    "?place_id=" => format!("{query}{}", place_id(GUANGHUA)),
                    _ => String::new(),
                };
                let path = format!("{path}{query}");
                let answer = person.get(&path).await;
                all.insert(path, json!({ "status": answer.status, "body": String::from_utf8_lossy(&answer.bytes) }));
            }
        }
    }
    all
}

// Guard: the encryption and the keyed hash in `sealing`, the PUT without a stored answer, the audit rows that come at the opening.
#[actix_web::test]
async fn before_the_opening_no_table_and_no_route_tells_of_a_bid() {
    TestApp::run(async |app| {
        let round = Round::open(app).await;
        round.seat().await;
        app.work().await;
        let onlookers = [&round.staff, &round.orgs[1], &round.panel[0]];
        let ids = [round.id().to_string(), round.ids[0].to_string(), round.project.to_string()];
        let mut heard = Vec::new();
        for person in onlookers {
            heard.push(answers(app, person, &ids).await);
        }
        // After they have read: some readings leave a row in the audit log.
        let before = everything(app).await;
        let receipt = round.orgs[0].put(&round.to("/bid"), bid(app, round.ids[0], 1_357_924)).await.expect(200);
        round.orgs[0].put(&round.to("/bid"), bid(app, round.ids[0], 1_357_900)).await.expect(200);
        app.work().await;
        let after = everything(app).await;
        let (own, bidder) = (round.ids[0].0, &round.orgs[0].id);
        let needles = [
            "1357924".to_owned(),
            "1357900".to_owned(),
            "先评估".to_owned(),
            text(&receipt["salt"]),
            own.to_string(),
            own.simple().to_string().to_uppercase(),
            bidder.clone(),
            bidder.replace('-', "").to_uppercase(),
        ];
        let mut touched = BTreeSet::new();
        for (table, rows) in &after {
            for row in rows.difference(&before[table]) {
                // What recurs on its own, whatever is bid.
                if table == "schedules" {
                    continue;
                }
                touched.insert(table.as_str());
                for needle in &needles {
                    assert!(!row.contains(needle.as_str()), "{table} tells {needle}: {row}");
                }
            }
        }
        assert_eq!(touched, BTreeSet::from(["bid_versions", "bids"]), "nothing else was written");
        for (person, heard) in onlookers.into_iter().zip(&heard) {
            for (path, now) in answers(app, person, &ids).await {
                let body = now["body"].as_str().unwrap();
                for needle in needles.iter().take(4).chain([&text(&receipt["commitment"])]) {
                    assert!(!body.contains(needle.as_str()), "{path} tells {needle}");
                }
                assert_eq!(now["status"], heard[&path]["status"], "{path}");
                if path.contains("tender")
                    || path.contains("project")
                    || path.contains("notices")
                    || path.contains("inbox")
                {
                    assert_eq!(now, heard[&path], "{path} changed");
                }
            }
        }
        round.staff.get(&round.to("/bids")).await.refused(404, "bids_sealed");
        let row = bids::Entity::find().one(app.state.db.read()).await.unwrap().unwrap();
        round.staff.get(&format!("/bids/{}", row.id)).await.refused(404, "not_found");
        round.orgs[0].get(&format!("/bids/{}", row.id)).await.refused(404, "not_found");
    })
    .await;
}

// Guards: one reading of the clock after the tender's row is locked, in `bids::hand_in`; behind it the trigger
// `bid_versions_in_time`, which is tried directly.
#[actix_web::test]
async fn every_bid_that_was_accepted_is_in_the_opening_and_every_refused_one_is_not() {
    TestApp::run(async |app| {
        let round = Round::open(app).await;
        let mut bidders = Vec::new();
        for at in 1..=20 {
            let name = format!("resident-{at}");
            let id = organisation(app, &format!("第{at}测试社"), OrganisationState::Registered, &[&name]).await;
            bidders.push((app.sign_in(&name).await, id, 1_000_000 + at * 4));
        }
        let closes_at = round.staff.get(&round.path).await.expect(200)["closes_at"].clone();
        let closes_at: chrono::DateTime<chrono::Utc> = closes_at.as_str().unwrap().parse().unwrap();
        let bodies: Vec<_> = bidders.iter().map(|(_, id, price)| bid(app, *id, *price)).collect();
        // Tokens last ten minutes: everybody signs in again shortly before the closing.
        app.advance(closes_at - app.state.clock.now() - TimeDelta::minutes(5)).await;
        let names: Vec<_> = (1..=20).map(|at| format!("resident-{at}")).collect();
        let people = app.sign_in_all(&names).await;
        let [staff, second] = app.sign_in_all(["staff", "staff-2"]).await.try_into().ok().unwrap();
        let path = round.to("/bid");
        // Four are in time, four are late, and while twelve hand in at once the clock passes the closing.
        let answered = AtomicUsize::new(0);
        let close = || app.state.clock.advance(closes_at - app.state.clock.now());
        let one = async |at: usize| {
            let answer = people[at].put(&path, bodies[at].clone()).await;
            if answered.fetch_add(1, Ordering::Relaxed) == 6 {
                close();
            }
            answer
        };
        let mut answers = Vec::new();
        for at in 0..4 {
            answers.push(one(at).await);
        }
        let tries = join_all((4..16).map(one));
        let opening = async {
            let mut asked = staff.post(&round.to("/opening"), json!({})).await;
            while asked.body["code"] == "tender_not_closed" {
                asked = staff.post(&round.to("/opening"), json!({})).await;
            }
            asked.expect(200);
            second.post(&round.to("/opening/confirmation"), json!({})).await.expect(200);
        };
        let (tries, ()) = futures_util::future::join(tries, opening).await;
        answers.extend(tries);
        for at in 16..20 {
            answers.push(one(at).await);
        }
        let accepted: BTreeSet<_> = answers
            .iter()
            .zip(&bidders)
            .filter(|(answer, _)| answer.status == 200)
            .map(|(_, (_, id, _))| id.to_string())
            .collect();
        for (answer, _) in answers.iter().zip(&bidders).filter(|(answer, _)| answer.status != 200) {
            assert_eq!(answer.body["code"], "tender_closed", "{}", answer.body);
        }
        let opened = staff.get(&round.to("/bids")).await.expect(200);
        let opened: BTreeSet<_> = opened.as_array().unwrap().iter().map(|bid| text(&bid["organisation_id"])).collect();
        assert_eq!(opened, accepted);
        assert!((4..17).contains(&opened.len()), "{}", opened.len());
        let late = bid_version::ActiveModel {
            bid_id: Set(bids::Entity::find()
                .one(app.state.db.read())
                .await
                .unwrap()
                .map_or_else(ids::unordered, |row| row.id)),
            version: Set(99),
            sealed: Set(String::new()),
            commitment: Set(String::new()),
            received_at: Set(closes_at),
        };
        let direct =
            transact(&app.state, async |txn| Ok(bid_version::Entity::insert(late).exec_without_returning(txn).await?));
        assert_eq!(direct.await.unwrap_err().code().word(), "tender_closed", "the database refuses too");
    })
    .await;
}

// Guards: `own_act` and the conflict in `opening`, the check `tenders_opened_by_two` and the trigger `bids_opened_by_others`
// behind them, the trigger `bids_opened_with_tender` (tried directly).
#[actix_web::test]
async fn bids_are_opened_after_the_closing_by_two_people_tied_to_no_bidder() {
    TestApp::run(async |app| {
        let mut round = Round::open(app).await;
        round.hand_in(app, [1_600_000, 1_200_000]).await;
        let (ask, confirm) = (round.to("/opening"), round.to("/opening/confirmation"));
        round.staff.post(&ask, json!({})).await.refused(409, "tender_not_closed");
        round.staff.post(&confirm, json!({})).await.refused(409, "tender_not_closed");
        let early = bids::Entity::update_many()
            .col_expr(bids::Column::State, BidState::Invalid.into())
            .col_expr(bids::Column::InvalidReason, "x".into());
        let early = transact(&app.state, async |txn| Ok(early.exec(txn).await?)).await;
        assert!(early.is_err(), "the database opens no bid before its tender");
        app.advance(TimeDelta::days(11)).await;
        round.refresh(app).await;
        round.orgs[0].post(&ask, json!({})).await.refused(403, "forbidden");
        round.second.post(&confirm, json!({})).await.refused(409, "opening_not_asked");
        join_organisation(app, round.ids[1], "staff").await;
        round.staff.post(&ask, json!({})).await.refused(403, "conflict_of_interest");
        round.second.post(&ask, json!({})).await.expect(200);
        round.staff.post(&confirm, json!({})).await.refused(403, "conflict_of_interest");
        round.second.post(&confirm, json!({})).await.refused(403, "own_act");
        let street = app.sign_in("street").await;
        let tries = join_all((0..6).map(|_| street.post(&confirm, json!({})))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_eq!(tries.iter().filter(|answer| answer.body["code"] == "tender_opened").count(), 5);
        round.second.post(&ask, json!({})).await.refused(409, "tender_opened");
        let record = round.notices(app, "tender.opened").await;
        assert_eq!(record.len(), 1);
        for words in ["共收到2份投标", "晚晴枫测试中心：报价16000元", "春晖测试中心：报价12000元"]
        {
            assert!(record[0].body.contains(words), "{}", record[0].body);
        }
        let list = app.sign_in("resident-1").await.get(&round.to("/bids")).await.expect(200);
        let bid = list[0]["id"].as_str().unwrap();
        round.orgs[1].get(&format!("/bids/{bid}")).await.refused(404, "not_found");
        assert_eq!(
            round.orgs[0].get(&format!("/bids/{bid}")).await.expect(200)["bid"]["plan"],
            "先评估，再安装，最后回访。"
        );
        let row =
            tender::Entity::find_by_id(entities::ids::TenderId(round.id())).one(app.state.db.read()).await.unwrap();
        assert_eq!(row.unwrap().opened_by, Some(user_id("street")));
        // They may leave the organisation afterwards: what verify looks at is the time of the opening.
        let rows = person::Entity::delete_many().filter(person::Column::UserId.eq(user_id("staff")));
        transact(&app.state, async |txn| Ok(rows.exec(txn).await?)).await.unwrap();
    })
    .await;
}

#[actix_web::test]
async fn a_bid_that_cannot_be_read_or_counted_is_recorded_as_invalid() {
    TestApp::run(async |app| {
        let mut round = Round::open(app).await;
        round.hand_in(app, [1_600_000, 1_200_000]).await;
        let third = organisation(app, "第三测试社", OrganisationState::Registered, &["resident-1"]).await;
        let resident = app.sign_in("resident-1").await;
        resident.put(&round.to("/bid"), bid(app, third, 1_100_000)).await.expect(200);
        // A cipher text moved from one bid to another cannot be read there; and an organisation leaves the register's first class.
        let versions = bid_version::Entity::find()
            .order_by_asc(bid_version::Column::ReceivedAt)
            .all(app.state.db.read())
            .await
            .unwrap();
        let trigger = if app.state.db.is_postgres() {
            ["ALTER TABLE bid_versions DISABLE TRIGGER ALL", "ALTER TABLE bid_versions ENABLE TRIGGER ALL"]
        } else {
            ["DROP TRIGGER bid_versions_no_update", "SELECT 1"]
        };
        transact(&app.state, async |txn| {
            txn.execute_unprepared(trigger[0]).await?;
            bid_version::Entity::update_many()
                .col_expr(bid_version::Column::Sealed, Expr::value(versions[1].sealed.clone()))
                .filter(bid_version::Column::BidId.eq(versions[0].bid_id))
                .exec(txn)
                .await?;
            txn.execute_unprepared(trigger[1]).await?;
            organisation::Entity::update_many()
                .col_expr(organisation::Column::State, OrganisationState::Guided.into())
                .filter(organisation::Column::Id.eq(third))
                .exec(txn)
                .await?;
            Ok(())
        })
        .await
        .unwrap();
        let opened = round.opened(app).await;
        let reason = |words: &str| opened.iter().any(|bid| bid["invalid_reason"] == words);
        assert_eq!(opened.len(), 3, "none is lost");
        assert!(reason("密文无法解读") && reason("机构不符合投标条件"), "{opened:?}");
        assert_eq!(opened.iter().filter(|bid| bid["state"] == "valid").count(), 1);
        let record = round.notices(app, "tender.opened").await;
        assert!(record[0].body.contains("（无法识别）：无效，密文无法解读"), "{}", record[0].body);
        round.seat().await;
        let invalid = opened.iter().find(|bid| bid["state"] == "invalid").unwrap();
        let path = format!("/bids/{}/scores", text(&invalid["id"]));
        round.panel[0].post(&path, crate::tenders::scores([1, 1])).await.refused(409, "bid_not_valid");
    })
    .await;
}
