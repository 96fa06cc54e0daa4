//! Service records: people are counted once however often they come, and what is confirmed stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use entities::delivery::{service, service_person};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::projects::running;
use crate::support::{TestApp, place_id};

fn somebody(number: usize, groups: &[&str]) -> Value {
    json!({ "name": format!("王桂兰{number}"), "phone": format!("139{number:08}"), "groups": groups })
}

#[actix_web::test]
async fn the_seeds_figures_come_out() {
    TestApp::run(async |app| {
        let project = running(app).await;
        // 同安: over 1,000 person-times, of them 302 young women and 594 full-time mothers, counted by heads at open courses.
        for (heads, young, mothers) in [(600, 200, 350), (410, 102, 244)] {
            let counts = json!([{ "group": "青年女性", "amount": young }, { "group": "全职妈妈", "amount": mothers }]);
            project.service(app, json!({ "heads": heads, "group_heads": counts })).await;
        }
        // 艺苑: 680 pupils, over 5,000 reached. 安静: 500 households refitted.
        project.staff.post(&project.at("count-by"), json!({ "groups": ["学生"] })).await.expect(200);
        let pupils = json!([{ "group": "学生", "amount": 680 }]);
        project
            .service(app, json!({ "kind": "performance", "heads": 680, "group_heads": pupils, "reached": 5000 }))
            .await;
        let refitted = json!([{ "indicator": "改造家庭", "amount": 500 }]);
        project.service(app, json!({ "kind": "refit", "indicators": refitted })).await;
        // 文卉苑: 9 served, 1 group training.
        let nine: Vec<_> = (0..9).map(|number| somebody(number, &[])).collect();
        project.service(app, json!({ "kind": "training", "people": nine })).await;

        let case = json!({ "category": "rights", "subject": "陈某，电话在社工处", "summary": "多次求职未成。" });
        for _ in 0..6 {
            project.implementer.post(&project.at("cases"), case.clone()).await.expect(201);
        }
        let resident = app.sign_in("resident-1").await;
        let figures = resident.get(&project.at("figures")).await.expect(200);
        assert_eq!(figures["cases"], 6);
        let group = |name: &str| {
            let groups = figures["groups"].as_array().unwrap();
            groups.iter().find(|group| group["name"] == name).unwrap()["count"]["person_times"].clone()
        };
        assert_eq!((group("青年女性"), group("全职妈妈"), group("学生")), (json!(302), json!(594), json!(680)));
        assert_eq!(figures["total"], json!({ "people": 9, "person_times": 1010 + 680 + 9 }));
        assert_eq!(figures["reached"], 5000);
        assert_eq!(
            figures["indicators"][0],
            json!({ "name": "改造家庭", "unit": "户", "target": 500, "reached": 500 })
        );
        assert_eq!(figures["services"], json!({ "course": 2, "performance": 1, "refit": 1, "training": 1 }));
    })
    .await;
}

// Guards: `project_beneficiaries_once` and the key of `project_service_people`.
#[actix_web::test]
async fn one_person_counts_once_whatever_their_records_say() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let by_phone = json!({ "name": "李秀英", "phone": "13900000001", "groups": ["全职妈妈"] });
        let again = json!({ "name": "李 秀英", "phone": "13900000001", "groups": ["青年女性"] });
        let at_door = json!({ "name": "陈 国庆", "door": "3栋1单元201", "groups": [] });
        let same_door = json!({ "name": "陈国庆", "door": "3栋 1单元201", "groups": [] });
        project.service(app, json!({ "people": [by_phone, again, at_door] })).await;
        project.service(app, json!({ "people": [by_phone, same_door] })).await;
        let figures = project.supervisor.get(&project.at("figures")).await.expect(200);
        assert_eq!(figures["total"], json!({ "people": 2, "person_times": 4 }));
        assert_eq!(figures["groups"][0], json!({ "name": "全职妈妈", "count": { "people": 1, "person_times": 2 } }));

        // At once, by many clients.
        let crowd: Vec<Value> = (10..30).map(|number| somebody(number, &["青年女性"])).collect();
        let record = project.record(app, json!({ "people": crowd }));
        let path = project.at("services");
        let tries = join_all((0..8).map(|_| project.implementer.post(&path, record.clone()))).await;
        for made in tries {
            let id = made.expect(201)["id"].as_str().unwrap().to_owned();
            project.supervisor.post(&format!("/services/{id}/confirm"), json!({})).await.expect(200);
        }
        let figures = project.supervisor.get(&project.at("figures")).await.expect(200);
        assert_eq!(figures["total"], json!({ "people": 22, "person_times": 4 + 160 }));
        let register = project.evaluator.get(&project.at("beneficiaries?limit=100")).await.expect(200);
        assert_eq!(register["items"].as_array().unwrap().len(), 22);
        let names = register["items"].to_string();
        assert!(names.contains("李秀英") && !names.contains("13900000001"), "names, and no numbers: {names}");
        project.staff.get(&project.at("beneficiaries")).await.refused(403, "forbidden");
    })
    .await;
}

// Guards: `project_services_not_by_oneself`, the state in the condition of the update, `project_services_sealed`.
#[actix_web::test]
async fn somebody_else_confirms_and_then_a_record_is_sealed() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let id = project.recorded(app, json!({ "heads": 30 })).await;
        let nothing = project.staff.get(&project.at("figures")).await.expect(200);
        assert_eq!(nothing["total"]["person_times"], 0, "not confirmed, not counted");
        let confirm = format!("/services/{id}/confirm");
        project.implementer.post(&confirm, json!({})).await.refused(403, "forbidden");
        let resident = app.sign_in("resident-1").await;
        resident.post(&confirm, json!({})).await.refused(404, "not_found");
        resident.get(&format!("/services/{id}")).await.refused(404, "not_found");
        resident.get(&project.at("services")).await.refused(403, "forbidden");
        let tries = join_all((0..6).map(|_| project.supervisor.post(&confirm, json!({})))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        for late in tries.into_iter().filter(|answer| answer.status != 200) {
            late.refused(409, "already_decided");
        }
        // Staff may record too, and cannot confirm what they recorded.
        let own = project.staff.post(&project.at("services"), project.record(app, json!({ "heads": 1 }))).await;
        let own = own.expect(201)["id"].as_str().unwrap().to_owned();
        project.staff.post(&format!("/services/{own}/confirm"), json!({})).await.refused(403, "own_act");
        let refused = project.staff_2.post(&format!("/services/{own}/refuse"), json!({ "reason": "重复登记" })).await;
        assert_eq!(refused.expect(200)["state"], "refused");
        assert_eq!(project.staff.get("/inbox").await.expect(200)["items"][0]["body"], "重复登记");

        let db = app.state.db.begin().await.unwrap();
        let change =
            db.execute_unprepared("UPDATE project_services SET heads = heads + 1 WHERE state = 'confirmed'").await;
        assert!(change.unwrap_err().to_string().contains("sealed"));
        db.rollback().await.unwrap();
        let db = app.state.db.begin().await.unwrap();
        let change = db.execute_unprepared("DELETE FROM project_services").await;
        assert!(change.is_err());
        db.rollback().await.unwrap();
    })
    .await;
}

#[actix_web::test]
async fn a_correction_stands_beside_the_sealed_figure() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let people: Vec<_> = (0..6).map(|number| somebody(number, &["青年女性"])).collect();
        let counts = json!([{ "group": "全职妈妈", "amount": 20 }]);
        let change = json!({ "heads": 30, "group_heads": counts, "people": people, "reached": 90 });
        let early = project.recorded(app, json!({ "heads": 5 })).await;
        let correct = |id: &str| format!("/services/{id}/corrections");
        let fix = json!({ "what": "heads", "stands": 25, "reason": "签到表为 25 人" });
        project.supervisor.post(&correct(&early), fix.clone()).await.refused(409, "service_not_sealed");
        let id = project.service(app, change).await;
        project.implementer.post(&correct(&id), fix.clone()).await.refused(403, "forbidden");
        project.supervisor.post(&correct(&id), fix).await.expect(201);
        let fix = |what: &str, name: Value, stands: i64| json!({ "what": what, "name": name, "stands": stands, "reason": "核对" });
        project.supervisor.post(&correct(&id), fix("group_heads", json!("全职妈妈"), 26)).await.names("/stands");
        project.supervisor.post(&correct(&id), fix("group_heads", json!("无"), 1)).await.names("/name");
        project.supervisor.post(&correct(&id), fix("group_heads", json!("全职妈妈"), 18)).await.expect(201);
        project.supervisor.post(&correct(&id), fix("heads", Value::Null, 17)).await.names("/stands");
        project.supervisor.post(&correct(&id), fix("heads", Value::Null, 25)).await.names("/stands");
        project.supervisor.post(&correct(&id), fix("reached", Value::Null, 100)).await.expect(201);
        project.supervisor.post(&correct(&id), fix("indicator", json!("改造家庭"), 3)).await.expect(201);
        let whole = project.supervisor.get(&format!("/services/{id}")).await.expect(200);
        let who = whole["people"][0]["beneficiary_id"].clone();
        let absent = json!({ "what": "absent", "beneficiary_id": who, "reason": "未到场" });
        project.supervisor.post(&correct(&id), absent.clone()).await.expect(201);
        project.supervisor.post(&correct(&id), absent).await.refused(409, "already_decided");

        let figures = project.supervisor.get(&project.at("figures")).await.expect(200);
        assert_eq!(figures["total"], json!({ "people": 5, "person_times": 25 + 5 }));
        assert_eq!(figures["groups"][0]["count"]["person_times"], 18);
        assert_eq!((&figures["reached"], &figures["indicators"][0]["reached"]), (&json!(100), &json!(3)));
        let whole = project.staff.get(&format!("/services/{id}")).await.expect(200);
        assert_eq!(whole["record"]["heads"], 30, "what was sealed is read as it was");
        assert_eq!(whole["corrections"].as_array().unwrap().len(), 5);
        assert_eq!((&whole["corrections"][0]["was"], &whole["corrections"][0]["stands"]), (&json!(30), &json!(25)));
        assert!(whole["people"][0]["name"].as_str().unwrap().contains('*'), "staff confirm, and need no names");
    })
    .await;
}

#[actix_web::test]
async fn few_people_are_not_shown_to_the_public_and_exact_to_those_inside() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let mut people: Vec<_> = (0..9).map(|number| somebody(number, &["全职妈妈"])).collect();
        people.push(somebody(9, &["青年女性"]));
        project.service(app, json!({ "people": people })).await;
        let resident = app.sign_in("resident-1").await;
        let seen = resident.get(&project.at("figures")).await.expect(200);
        assert_eq!(seen["total"]["people"], 10);
        assert_eq!(
            seen["groups"],
            json!([{ "name": "全职妈妈", "count": null }, { "name": "青年女性", "count": null }])
        );
        for person in [&project.implementer, &project.supervisor, &project.evaluator, &project.staff] {
            let exact = person.get(&project.at("figures")).await.expect(200);
            assert_eq!(exact["groups"][1]["count"]["people"], 1);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_wrong_record_is_named_and_leaves_nothing() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let path = project.at("services");
        for (change, pointer) in [
            (json!({ "kind": "party" }), "/kind"),
            (json!({ "held_on": "2099-01-01" }), "/held_on"),
            (json!({ "heads": -1 }), "/heads"),
            (json!({ "heads": 3, "group_heads": [{ "group": "全职妈妈", "amount": 4 }] }), "/group_heads/0/amount"),
            (json!({ "heads": 3, "group_heads": [{ "group": "老人", "amount": 1 }] }), "/group_heads/0/group"),
            (json!({ "indicators": [{ "indicator": "种树", "amount": 1 }] }), "/indicators/0/indicator"),
            (json!({ "people": [{ "name": "王芳", "phone": "123" }] }), "/people/0/phone"),
            (json!({ "people": [{ "name": "王芳" }] }), "/people/0/phone"),
            (json!({ "people": [somebody(1, &["老人"])] }), "/people/0/groups"),
        ] {
            project.implementer.post(&path, project.record(app, change)).await.names(pointer);
        }
        for stranger in [&project.supervisor, &project.evaluator] {
            stranger.post(&path, project.record(app, json!({}))).await.refused(403, "forbidden");
        }
        let other = app.sign_in("org-b").await;
        other.post(&path, project.record(app, json!({}))).await.refused(403, "forbidden");
        let stored = service::Entity::find().filter(service::Column::ProjectId.eq(project.id));
        assert_eq!(stored.count(app.state.db.read()).await.unwrap(), 0);
        let elsewhere = format!("/projects/{}/services", place_id("/jiangan/"));
        project.implementer.post(&elsewhere, project.record(app, json!({}))).await.refused(404, "not_found");
    })
    .await;
}

// Guards: `project_services_source_once`, the session's lock.
#[actix_web::test]
async fn a_course_that_people_signed_in_to_counts_in_the_project_once() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let at = |minutes| json!(app.state.clock.now() + chrono::Duration::minutes(minutes));
        let course =
            json!({ "place_id": place_id(crate::support::GUANGHUA), "title": "手工课", "description": "每月两次。" });
        let course = project.staff.post("/activities", course).await.expect(201)["id"].as_str().unwrap().to_owned();
        let groups = json!({ "names": ["全职妈妈", "老人"] });
        project.staff.put(&format!("/activities/{course}/groups"), groups).await.expect(200);
        let session = json!({ "title": "花艺", "starts_at": at(10), "ends_at": at(70), "capacity": 10 });
        let session = project.staff.post(&format!("/activities/{course}/sessions"), session).await.expect(201);
        let session = format!("/sessions/{}", session["id"].as_str().unwrap());
        let code = project.staff.get(&format!("{session}/attendance-code")).await.expect(200)["code"].clone();
        for (name, groups) in [("resident-1", json!(["全职妈妈", "老人"])), ("newcomer-1", json!([]))] {
            let person = app.sign_in(name).await;
            person.put(&format!("{session}/enrolment"), json!({ "groups": groups })).await.expect(200);
            person.post(&format!("{session}/attend"), json!({ "code": code })).await.expect(200);
        }
        let hand_over = format!("{session}/service-record");
        let body = json!({ "project_id": project.id, "kind": "course" });
        project.staff.post(&hand_over, body.clone()).await.refused(409, "session_not_over");
        // The same resident stands in another record by number: still one person.
        let phone = linli::demo::phone_of("resident-1").unwrap();
        project.service(app, json!({ "people": [{ "name": "王建国", "phone": phone, "groups": [] }] })).await;
        app.advance(chrono::Duration::minutes(75)).await;
        let [staff, org, supervisor] = app.sign_in_all(["staff", "org-a", "supervisor"]).await.try_into().ok().unwrap();
        org.post(&hand_over, body.clone()).await.refused(404, "not_found");
        let tries = join_all((0..6).map(|_| staff.post(&hand_over, body.clone()))).await;
        let done: Vec<_> = tries.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(done.len(), 1);
        let record = done[0].body["service_id"].as_str().unwrap().to_owned();
        for late in tries.into_iter().filter(|answer| answer.status != 201) {
            late.refused(409, "already_decided");
        }
        let list = json!({ "people": [{ "name": "陈国庆" }] });
        staff.post(&format!("{session}/attendance"), list).await.refused(409, "session_handed_over");
        supervisor.post(&format!("/services/{record}/confirm"), json!({})).await.expect(200);
        let figures = supervisor.get(&project.at("figures")).await.expect(200);
        assert_eq!(figures["total"], json!({ "people": 2, "person_times": 3 }));
        assert_eq!(figures["groups"][0], json!({ "name": "全职妈妈", "count": { "people": 1, "person_times": 1 } }));
    })
    .await;
}

#[derive(Clone, Debug)]
struct Plan {
    people: Vec<(usize, u8)>,
    heads: i64,
    confirmed: bool,
    absent: bool,
}

fn plan() -> impl Strategy<Value = Plan> {
    let people = proptest::collection::vec((0_usize..12, 0_u8..4), 0..8);
    (people, 0_i64..20, prop::bool::weighted(0.8), any::<bool>()).prop_map(|(people, heads, confirmed, absent)| Plan {
        people,
        heads,
        confirmed,
        absent,
    })
}

/// People and person-times counted in memory: a set of people, and one for each time that somebody came.
#[derive(Default)]
struct Model {
    people: BTreeSet<usize>,
    attended: i64,
    heads: i64,
}

#[actix_web::test]
async fn random_records_are_counted_like_a_reference_model_counts_them() {
    const GROUPS: [&str; 2] = ["青年女性", "全职妈妈"];
    TestApp::run(async |app| {
        let project = running(app).await;
        let mut runner = TestRunner::deterministic();
        let plans = proptest::collection::vec(plan(), 24).new_tree(&mut runner).unwrap().current();
        let mut total = Model::default();
        let mut groups: BTreeMap<&str, Model> = BTreeMap::new();
        for plan in plans {
            let named =
                |mask: u8| GROUPS.iter().enumerate().filter(move |(at, _)| mask >> at & 1 == 1).map(|(_, name)| *name);
            let people: Vec<_> =
                plan.people.iter().map(|(who, mask)| somebody(*who, &named(*mask).collect::<Vec<_>>())).collect();
            let id = project.recorded(app, json!({ "people": people, "heads": plan.heads })).await;
            if !plan.confirmed {
                let refuse = json!({ "reason": "不实" });
                project.supervisor.post(&format!("/services/{id}/refuse"), refuse).await.expect(200);
                continue;
            }
            project.supervisor.post(&format!("/services/{id}/confirm"), json!({})).await.expect(200);
            // One person twice on one list is one who came, in all the groups that were named.
            let mut came: BTreeMap<usize, u8> = BTreeMap::new();
            for (who, mask) in &plan.people {
                *came.entry(*who).or_default() |= mask;
            }
            if plan.absent && !came.is_empty() {
                let whole = project.supervisor.get(&format!("/services/{id}")).await.expect(200);
                let first = &whole["people"][0];
                let absent = json!({ "what": "absent", "beneficiary_id": first["beneficiary_id"], "reason": "未到场" });
                project.supervisor.post(&format!("/services/{id}/corrections"), absent).await.expect(201);
                let who: usize = first["name"].as_str().unwrap().trim_start_matches("王桂兰").parse().unwrap();
                came.remove(&who);
            }
            total.heads += plan.heads;
            for (who, mask) in came {
                total.people.insert(who);
                total.attended += 1;
                for name in named(mask) {
                    let group = groups.entry(name).or_default();
                    group.people.insert(who);
                    group.attended += 1;
                }
            }
            let figures = project.supervisor.get(&project.at("figures")).await.expect(200);
            let expected =
                |model: &Model| json!({ "people": model.people.len(), "person_times": model.attended + model.heads });
            assert_eq!(figures["total"], expected(&total));
            for group in figures["groups"].as_array().unwrap() {
                let name = group["name"].as_str().unwrap();
                assert_eq!(group["count"], groups.get(name).map_or(expected(&Model::default()), expected), "{name}");
            }
        }
        assert!(service_person::Entity::find().count(app.state.db.read()).await.unwrap() > 20);
    })
    .await;
}
