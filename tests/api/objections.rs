//! Windows: who may object, until when, who answers, and what a notice may do afterwards.

use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::{NoticeId, OrganisationId};
use entities::notices::{objection, window};
use entities::organisations::{PersonRole, person};
use linli::notices::domain::commitment;
use linli::notices::{self, Notice, Standing};
use linli::platform::http::transact;
use linli::platform::ids;
use linli::platform::state::AppState;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::{ANJING, GUANGHUA, Person, TestApp, place_id, user_id};

async fn publish(state: &AppState, path: &str, until: DateTime<Utc>) -> NoticeId {
    transact(state, async |txn| {
        let notice = Notice {
            community_id: place_id(path),
            kind: "test.award",
            title: "中选公示".to_owned(),
            body: "由春晖承接。".to_owned(),
            window: Some(until),
            ..Notice::default()
        };
        notices::publish(state, txn, notice).await
    })
    .await
    .unwrap()
}

async fn for_days(app: &TestApp, path: &str, days: i64) -> NoticeId {
    publish(&app.state, path, app.state.clock.now() + TimeDelta::days(days)).await
}

async fn standing(state: &AppState, id: NoticeId) -> Standing {
    transact(state, async |txn| notices::standing(txn, id, state.clock.now()).await).await.unwrap()
}

async fn object(person: &Person, id: NoticeId) -> crate::support::Answer {
    person.post(&format!("/notices/{id}/objections"), json!({ "text": "评分有误，请复核" })).await
}

async fn join(app: &TestApp, name: &str) {
    let row = person::ActiveModel {
        id: Set(ids::ordered(&app.state.clock)),
        organisation_id: Set(ids::named::<OrganisationId>("organisation:随艺手工生活馆")),
        user_id: Set(user_id(name)),
        role: Set(PersonRole::Member),
        duty: Set("社工".to_owned()),
        since: Set(app.state.clock.now()),
        added_by: Set(None),
        ended_at: Set(None),
        ended_by: Set(None),
    };
    let txn = app.state.db.begin().await.unwrap();
    person::Entity::insert(row).exec_without_returning(&txn).await.unwrap();
    txn.commit().await.unwrap();
}

fn answer(outcome: &str) -> Value {
    json!({ "outcome": outcome, "reply": "经复核，评分无误。" })
}

#[actix_web::test]
async fn an_objection_is_read_checked_and_answered_in_public() {
    TestApp::run(async |app| {
        let [resident, neighbour, staff] = ["resident-1", "resident-2", "staff"];
        let (resident, neighbour, staff) =
            (app.sign_in(resident).await, app.sign_in(neighbour).await, app.sign_in(staff).await);
        let notice = for_days(app, GUANGHUA, 7).await;
        let made = object(&resident, notice).await.expect(201);
        assert_eq!(
            (&made["state"], &made["mine"], &made["text"]),
            (&json!("open"), &json!(true), &json!("评分有误，请复核"))
        );
        let id = made["id"].as_str().unwrap();

        // Nobody else reads the text before content security has.
        let list = format!("/notices/{notice}/objections");
        let before = neighbour.get(&list).await.expect(200);
        assert_eq!((&before["items"][0]["text"], &before["items"][0]["state"]), (&json!(null), &json!("open")));
        app.work().await;
        let after = neighbour.get(&list).await.expect(200);
        assert_eq!(after["items"][0]["text"], "评分有误，请复核");
        assert!(after["items"][0]["author"].as_str().unwrap().contains('*'));

        neighbour.post(&format!("/objections/{id}/reply"), answer("dismissed")).await.refused(403, "forbidden");
        app.sign_in("staff-other")
            .await
            .post(&format!("/objections/{id}/reply"), answer("dismissed"))
            .await
            .refused(403, "forbidden");
        let replied = staff.post(&format!("/objections/{id}/reply"), answer("dismissed")).await.expect(200);
        assert_eq!((&replied["state"], &replied["reply"]), (&json!("dismissed"), &json!("经复核，评分无误。")));
        staff.post(&format!("/objections/{id}/reply"), answer("upheld")).await.refused(409, "already_decided");

        // The reply's notice holds neither text, and whoever reads them can check that it stands for them.
        let read = neighbour.get(&list).await.expect(200)["items"][0].clone();
        let told = neighbour.get(&format!("/notices/{}", read["reply_notice_id"].as_str().unwrap())).await.expect(200);
        assert!(!told["body"].as_str().unwrap().contains("复核"));
        let document = json!(["linli.objection.v1", id, read["text"], read["state"], read["reply"]]).to_string();
        assert_eq!(told["commitment"], commitment(read["salt"].as_str().unwrap(), &document));

        let window = neighbour.get(&format!("/notices/{notice}")).await.expect(200)["window"].clone();
        assert_eq!((&window["standing"], &window["objections_dismissed"]), (&json!("open"), &json!(1)));
        let inbox = resident.get("/inbox").await.expect(200);
        assert!(inbox["items"].to_string().contains("异议不成立"), "{inbox}");
    })
    .await;
}

#[actix_web::test]
async fn residents_of_the_place_and_people_of_organisations_may_object() {
    TestApp::run(async |app| {
        let (here, elsewhere) = (for_days(app, GUANGHUA, 7).await, for_days(app, ANJING, 7).await);
        let district = for_days(app, "/jiangan/", 7).await;
        let resident = app.sign_in("resident-1").await;
        object(&resident, district).await.expect(201);
        object(&resident, elsewhere).await.refused(403, "not_resident_here");
        object(&app.sign_in("newcomer-1").await, here).await.refused(403, "not_verified");
        let member = app.sign_in("org-a").await;
        object(&member, elsewhere).await.refused(403, "not_verified");
        join(app, "org-a").await;
        object(&member, elsewhere).await.expect(201);

        object(&resident, here).await.expect(201);
        // Guard: `objections_one_open`.
        object(&resident, here).await.refused(409, "objection_open");
        resident.post(&format!("/notices/{here}/objections"), json!({ "text": " " })).await.names("/text");
        resident
            .post("/notices/00000000-0000-4000-8000-000000000000/objections", json!({ "text": "无" }))
            .await
            .refused(404, "not_found");
        let plain = transact(&app.state, async |txn| {
            let notice = Notice { community_id: place_id(GUANGHUA), kind: "test.act", ..Notice::default() };
            notices::publish(&app.state, txn, notice).await
        });
        object(&resident, plain.await.unwrap()).await.refused(409, "objections_closed");
    })
    .await;
}

// Guard: `objections_not_by_oneself` is the second one.
#[actix_web::test]
async fn nobody_answers_their_own_objection() {
    TestApp::run(async |app| {
        join(app, "staff").await;
        let staff = app.sign_in("staff").await;
        let notice = for_days(app, GUANGHUA, 7).await;
        let id = object(&staff, notice).await.expect(201)["id"].as_str().unwrap().to_owned();
        staff.post(&format!("/objections/{id}/reply"), answer("dismissed")).await.refused(403, "own_act");
        let other = app.sign_in("staff-2").await;
        other.post(&format!("/objections/{id}/reply"), answer("upheld")).await.expect(200);
        assert_eq!(standing(&app.state, notice).await, Standing::Upheld);
    })
    .await;
}

#[actix_web::test]
async fn a_notice_takes_effect_only_when_no_objection_stands() {
    TestApp::run(async |app| {
        let (resident, staff) = (app.sign_in("resident-1").await, app.sign_in("staff").await);
        let (quiet, contested) = (for_days(app, GUANGHUA, 7).await, for_days(app, GUANGHUA, 7).await);
        assert!(matches!(standing(&app.state, quiet).await, Standing::Open(_)));
        let made = object(&resident, contested).await.expect(201);
        app.advance(TimeDelta::days(7)).await;
        let resident = app.sign_in("resident-1").await;
        // Nobody has looked yet, and the time is over all the same.
        object(&resident, quiet).await.refused(409, "objections_closed");
        assert_eq!(standing(&app.state, quiet).await, Standing::Clear);
        assert_eq!(standing(&app.state, contested).await, Standing::Contested);
        let _ = staff;
        let staff = app.sign_in("staff").await;
        let path = format!("/objections/{}/reply", made["id"].as_str().unwrap());
        staff.post(&path, answer("dismissed")).await.expect(200);
        assert_eq!(standing(&app.state, contested).await, Standing::Clear);
    })
    .await;
}

#[actix_web::test]
async fn staff_see_what_waits_and_what_is_overdue() {
    TestApp::run(async |app| {
        let (resident, staff) = (app.sign_in("resident-1").await, app.sign_in("staff").await);
        let notice = for_days(app, GUANGHUA, 30).await;
        let made = object(&resident, notice).await.expect(201);
        app.work().await;
        let waiting = format!("/objections?place_id={}", place_id(GUANGHUA));
        let overdue = format!("{waiting}&overdue=true");
        assert_eq!(staff.get(&waiting).await.expect(200)["items"][0]["id"], made["id"]);
        assert_eq!(staff.get(&overdue).await.expect(200)["items"], json!([]));
        resident.get(&waiting).await.refused(403, "forbidden");
        app.sign_in("staff-other").await.get(&waiting).await.refused(403, "forbidden");
        // Five days of the default rules, and the rest of the last one.
        app.advance(TimeDelta::days(6)).await;
        let (staff, district) = (app.sign_in("staff").await, app.sign_in("district").await);
        assert_eq!(staff.get(&overdue).await.expect(200)["items"][0]["overdue"], true);
        let above = format!("/objections?place_id={}&overdue=true", place_id("/jiangan/"));
        assert_eq!(district.get(&above).await.expect(200)["items"][0]["id"], made["id"]);
        let path = format!("/objections/{}/reply", made["id"].as_str().unwrap());
        staff.post(&path, answer("dismissed")).await.expect(200);
        assert_eq!(staff.get(&overdue).await.expect(200)["items"], json!([]));
    })
    .await;
}

// Hiding an objection's text must not make what it is against take effect.
#[actix_web::test]
async fn moderators_hide_a_text_and_not_the_objection() {
    TestApp::run(async |app| {
        let (resident, neighbour, staff) =
            (app.sign_in("resident-1").await, app.sign_in("resident-2").await, app.sign_in("staff").await);
        let notice = for_days(app, GUANGHUA, 1).await;
        object(&resident, notice).await.expect(201);
        app.work().await;
        let queue = staff.get("/moderation/items?state=open").await.expect(200);
        let item = queue["items"].as_array().unwrap().iter().find(|item| item["target_kind"] == "objection").unwrap();
        let decide = format!("/moderation/items/{}/decision", item["id"].as_str().unwrap());
        staff.post(&decide, json!({ "action": "hide", "reason": "含他人姓名" })).await.expect(200);
        let list = format!("/notices/{notice}/objections");
        assert_eq!(neighbour.get(&list).await.expect(200)["items"][0]["text"], json!(null));
        assert_eq!(resident.get(&list).await.expect(200)["items"][0]["text"], "评分有误，请复核");
        app.advance(TimeDelta::days(1)).await;
        assert_eq!(standing(&app.state, notice).await, Standing::Contested);
    })
    .await;
}

// Guards: both sides lock the window's row, the clock is read once under the lock, and whoever finds the time over closes it
// (`closed_at`, which the trigger `objections_in_time` looks at).
#[actix_web::test]
async fn every_objection_taken_at_the_edge_is_seen_by_whoever_reads_clear() {
    TestApp::run(async |app| {
        let people = app.sign_in_all((1..=12).map(|number| format!("resident-{number}"))).await;
        let now = app.state.clock.now();
        let mut edges = Vec::new();
        for step in 0..12 {
            let until = now + TimeDelta::milliseconds(600 + step * 40);
            edges.push((publish(&app.state, GUANGHUA, until).await, until));
        }
        let clients = people.into_iter().map(|person| {
            let edges = edges.clone();
            actix_web::rt::spawn(async move {
                let mut taken = Vec::new();
                for (id, _) in edges {
                    let answer = object(&person, id).await;
                    match answer.status {
                        201 => taken.push(id),
                        _ => drop(answer.refused(409, "objections_closed")),
                    }
                }
                taken
            })
        });
        let clients: Vec<_> = clients.collect();
        let state = app.state.clone();
        let ends = edges.clone();
        let reader = actix_web::rt::spawn(async move {
            let mut found = Vec::new();
            for (id, until) in ends {
                while state.clock.now() < until {
                    tokio::task::yield_now().await;
                }
                found.push((id, standing(&state, id).await));
            }
            found
        });
        let mut taken = Vec::new();
        for client in clients {
            taken.extend(client.await.unwrap());
        }
        for (id, standing) in reader.await.unwrap() {
            let any = taken.contains(&id);
            assert_eq!(standing, if any { Standing::Contested } else { Standing::Clear }, "{id}");
        }
        // Whatever a client was told stands in the database, and nothing else.
        let rows = objection::Entity::find().count(app.state.db.read()).await.unwrap();
        assert_eq!(usize::try_from(rows).unwrap(), taken.len());
    })
    .await;
}

// Guards: the triggers `objections_in_time`, `objections_kept` and `notice_windows_kept`.
#[actix_web::test]
async fn the_database_keeps_windows_and_objections_as_they_are() {
    TestApp::run(async |app| {
        let notice = for_days(app, GUANGHUA, 7).await;
        object(&app.sign_in("resident-1").await, notice).await.expect(201);
        let attempt = async |statement: &str| {
            let txn = app.state.db.begin().await.unwrap();
            let outcome = txn.execute_unprepared(statement).await.map_err(|error| error.to_string());
            txn.rollback().await.unwrap();
            outcome.expect_err(statement)
        };
        for (statement, guard) in [
            ("UPDATE objections SET text = 'x'", "objections_kept"),
            ("DELETE FROM objections", "objections_kept"),
            ("UPDATE notice_windows SET objections_until = opened_at", "notice_windows_"),
            ("DELETE FROM notice_windows", "notice_windows_"),
        ] {
            let error = attempt(statement).await;
            assert!(error.contains(guard) || error.contains("stay as") || error.contains("changes no more"), "{error}");
        }
        // An objection that comes after the window was closed, from a process that looked at nothing.
        let late = objection::Entity::find().one(app.state.db.read()).await.unwrap().unwrap();
        app.advance(TimeDelta::days(7)).await;
        assert_eq!(standing(&app.state, notice).await, Standing::Contested);
        let closed = window::Entity::find_by_id(notice).one(app.state.db.read()).await.unwrap().unwrap();
        assert!(closed.closed_at.is_some());
        let txn = app.state.db.begin().await.unwrap();
        let mut late = late.into_active_model().reset_all();
        late.id = Set(ids::ordered(&app.state.clock));
        late.author_id = Set(user_id("resident-2"));
        let error = late.insert(&txn).await.unwrap_err().to_string();
        assert!(error.contains("objections_in_time") || error.contains("window is closed"), "{error}");
        txn.rollback().await.unwrap();
    })
    .await;
}
