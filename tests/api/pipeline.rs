//! What a place asks of its figures: what stands where and for how long, what is overdue, whom projects served, where the money is.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, TimeDelta, Utc};
use entities::ids::{ProgrammeId, ProjectId};
use entities::needs::need;
use entities::programmes::programme;
use entities::projects::{ProjectAction, ProjectState, project, project_move};
use linli::ledger::{self, Party, Transaction, TransactionKind, Transfer};
use linli::notices::{self, Notice};
use linli::platform::calendar;
use linli::platform::http::transact;
use linli::platform::ids;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::evaluations::{document, evaluation, published};
use crate::support::projects::{self as rows, Running, put, running};
use crate::support::{ANJING, BUILDING_1, BUILDING_2, GUANGHUA, Person, TestApp, place_id, user_id};
use crate::tenders::{Round, text};

const DISTRICT: &str = "/jiangan/";
const STREET: &str = "/jiangan/chezhan/";

fn at(what: &str, path: &str) -> String {
    format!("/figures/{what}?place_id={}", place_id(path))
}

/// One of a list by a field.
fn by<'a>(list: &'a Value, field: &str, value: &str) -> Option<&'a Value> {
    list.as_array().unwrap().iter().find(|row| row[field] == value)
}

/// The count of needs in a state.
fn needs(stands: &Value, state: &str) -> i64 {
    by(&stands["needs"], "state", state).map_or(0, |row| row["count"].as_i64().unwrap())
}

fn child<'a>(answer: &'a Value, path: &str) -> &'a Value {
    by(&answer["children"], "place_id", &place_id(path).to_string()).unwrap()
}

// Guards: `require` in each handler, and the kinds' permissions in the list of what is overdue.
#[actix_web::test]
async fn a_places_figures_are_for_staff_who_manage_projects_there() {
    TestApp::run(async |app| {
        let strangers = app.sign_in_all(["resident-1", "leader", "staff-other", "org-a", "social-worker-1"]).await;
        let (staff, district) = (app.sign_in("staff").await, app.sign_in("district").await);
        for what in ["pipeline", "time-in-states", "overdue", "funds"] {
            for stranger in &strangers {
                stranger.get(&at(what, GUANGHUA)).await.refused(403, "forbidden");
            }
            staff.get(&at(what, GUANGHUA)).await.expect(200);
            staff.get(&at(what, STREET)).await.refused(403, "forbidden");
            district.get(&at(what, DISTRICT)).await.expect(200);
            district.get(&format!("/figures/{what}?place_id={}", uuid::Uuid::nil())).await.names("?place_id");
        }
        for stranger in &strangers {
            stranger.get(&format!("{}&exact=true", at("services", GUANGHUA))).await.refused(403, "forbidden");
            stranger.get(&at("services", GUANGHUA)).await.expect(200);
            stranger.get(&at("programmes", GUANGHUA)).await.expect(200);
        }
        let nobodys = format!("{}&programme_id={}", at("pipeline", GUANGHUA), uuid::Uuid::nil());
        staff.get(&nobodys).await.names("?programme_id");
        // A draft is its staff's.
        let draft = crate::programmes::programme(app, DISTRICT, 1_000);
        let draft = text(&district.post("/programmes", draft).await.expect(201)["id"]);
        staff.get(&format!("{}&programme_id={draft}", at("pipeline", GUANGHUA))).await.names("?programme_id");
        district.get(&format!("{}&programme_id={draft}", at("pipeline", GUANGHUA))).await.expect(200);
    })
    .await;
}

#[actix_web::test]
async fn needs_are_counted_where_they_lie_and_above() {
    TestApp::run(async |app| {
        let [district, resident, other] =
            app.sign_in_all(["district", "resident-1", "anjing-1"]).await.try_into().ok().unwrap();
        let (street, whole) = (at("pipeline", STREET), at("pipeline", DISTRICT));
        let before = [district.get(&street).await.expect(200), district.get(&whole).await.expect(200)];
        let say = async |person: &Person, path: &str, title: &str| {
            let mut body = crate::needs::need(title);
            body["place_id"] = json!(place_id(path));
            text(&person.post("/needs", body).await.expect(201)["id"])
        };
        let hidden = say(&resident, GUANGHUA, "楼道灯坏了一").await;
        say(&resident, BUILDING_2, "楼道灯坏了二").await;
        say(&other, ANJING, "楼道灯坏了三").await;
        let secret = json!({
            "place_id": place_id(GUANGHUA), "category": "rights", "title": "家里的事", "body": "请社工联系我。", "confidential": true
        });
        resident.post("/needs", secret).await.expect(201);
        let middle = district.get(&street).await.expect(200);
        assert_eq!(needs(&middle["total"], "in_review"), needs(&before[0]["total"], "in_review") + 2);
        app.work().await;
        let after = [district.get(&street).await.expect(200), district.get(&whole).await.expect(200)];
        let grown = |answers: [&Value; 2]| {
            let [before, after] = answers.map(|answer| needs(answer, "published"));
            after - before
        };
        assert_eq!(grown([&before[0]["total"], &after[0]["total"]]), 2);
        assert_eq!(grown([child(&before[0], GUANGHUA), child(&after[0], GUANGHUA)]), 2);
        assert_eq!(grown([&before[1]["total"], &after[1]["total"]]), 3);
        assert_eq!(grown([child(&before[1], STREET), child(&after[1], STREET)]), 2);
        assert_eq!(grown([child(&before[1], "/jiangan/qiuchang/"), child(&after[1], "/jiangan/qiuchang/")]), 1);
        // What moderators hide is counted nowhere.
        let hide = need::Entity::update_many()
            .col_expr(need::Column::Hidden, true.into())
            .col_expr(need::Column::IndexedAt, Expr::value(None::<DateTime<Utc>>));
        let txn = app.state.db.begin().await.unwrap();
        hide.filter(need::Column::Id.eq(hidden.parse::<uuid::Uuid>().unwrap())).exec(&txn).await.unwrap();
        entities::needs::term::Entity::delete_many()
            .filter(entities::needs::term::Column::NeedId.eq(hidden.parse::<uuid::Uuid>().unwrap()))
            .exec(&txn)
            .await
            .unwrap();
        txn.commit().await.unwrap();
        let last = district.get(&street).await.expect(200);
        assert_eq!(grown([&before[0]["total"], &last["total"]]), 1);
        // The parts make the whole.
        let sum: i64 = last["children"].as_array().unwrap().iter().map(|one| needs(one, "published")).sum();
        assert_eq!(sum, needs(&last["total"], "published"));
    })
    .await;
}

/// Each state's number of projects and fen: committed, contracted, paid.
fn projects(answer: &Value) -> BTreeMap<String, [i64; 4]> {
    let row = |row: &Value| {
        let figures =
            ["count", "committed_fen", "contracted_fen", "paid_fen"].map(|field| row[field].as_i64().unwrap());
        (text(&row["state"]), figures)
    };
    answer["total"]["projects"].as_array().unwrap().iter().map(row).collect()
}

/// budget, in parts, committed, contracted, paid, returned, given back, left
fn money(list: &Value, programme: &str) -> [i64; 8] {
    let row = by(&list["items"], "programme_id", programme).unwrap();
    ["budget", "in_parts", "committed", "contracted", "paid", "returned", "given_back", "left"]
        .map(|what| row[format!("{what}_fen")].as_i64().unwrap())
}

// 光华社区's programme of 100,000 yuan; a project of 20,000, whose tender a bid of 12,000 wins, a quarter of it paid.
#[actix_web::test]
async fn money_is_committed_then_contracted_then_paid_and_always_adds_up() {
    TestApp::run(async |app| {
        let mut round = Round::open(app).await;
        let pipeline = format!("{}&programme_id={}", at("pipeline", GUANGHUA), round.programme);
        let (of_place, id) = (at("programmes", GUANGHUA), round.programme.to_string());
        let seen = async |person: &Person| {
            let pipeline = person.get(&pipeline).await.expect(200);
            let money = money(&person.get(&of_place).await.expect(200), &id);
            assert_eq!(money[0], money[1] + money[2] + money[3] + money[4] + money[6] + money[7]);
            (projects(&pipeline), money)
        };
        let one = |state: &str, figures: [i64; 4]| BTreeMap::from([(state.to_owned(), figures)]);
        let (stands, fen) = seen(&round.staff).await;
        assert_eq!(stands, one("tendering", [1, 2_000_000, 0, 0]));
        assert_eq!(fen, [10_000_000, 0, 2_000_000, 0, 0, 0, 0, 8_000_000]);

        round.hand_in(app, [1_600_000, 1_200_000]).await;
        let bids = round.opened(app).await;
        round.seat().await;
        for bid in &bids {
            round.score(bid, [8, 80]).await;
        }
        round.staff.post(&round.to("/awards"), json!({ "bid_id": bids[0]["id"] })).await.expect(201);
        app.advance(TimeDelta::days(9)).await;
        round.refresh(app).await;
        let path = format!("/projects/{}", round.project);
        let contract = text(&round.staff.post(&format!("{path}/contract"), json!({})).await.expect(201)["id"]);
        assert_eq!(seen(&round.staff).await.0, one("awarding", [1, 2_000_000, 0, 0]), "one signature is none");
        round.orgs[1].post(&format!("/contracts/{contract}/signature"), json!({})).await.expect(200);
        let (stands, fen) = seen(&round.staff).await;
        assert_eq!(stands, one("contracted", [1, 0, 1_200_000, 0]));
        assert_eq!(fen, [10_000_000, 0, 0, 1_200_000, 0, 800_000, 0, 8_800_000]);

        let supervisor = rows::organisation(app, "督导测试中心", &["supervisor"]).await;
        rows::assign(app, round.project, entities::projects::Part::Supervisor, supervisor).await;
        round.orgs[1].post(&format!("{path}/start"), json!({})).await.expect(200);
        let supervisor = app.sign_in("supervisor").await;
        let milestones = round.staff.get(&format!("{path}/milestones")).await.expect(200);
        let milestone = format!("/milestones/{}", text(&milestones["items"][0]["id"]));
        round.orgs[1].post(&format!("{milestone}/evidence"), json!({ "body": "评估表 80 份" })).await.expect(200);
        let statement = json!({ "statement": "属实", "supports": true });
        supervisor.post(&format!("{milestone}/statement"), statement).await.expect(200);
        round.staff.post(&format!("{milestone}/decision"), json!({ "decision": "accepted" })).await.expect(200);
        round.second.post(&format!("{milestone}/payment"), json!({})).await.expect(200);
        let (stands, fen) = seen(&round.staff).await;
        assert_eq!(stands, one("running", [1, 0, 900_000, 300_000]));
        assert_eq!(fen, [10_000_000, 0, 0, 900_000, 300_000, 800_000, 0, 8_800_000]);

        round.staff.post(&format!("{path}/terminate"), json!({ "reason": "组织退出" })).await.expect(200);
        let (stands, fen) = seen(&round.staff).await;
        assert_eq!(stands, one("terminated", [1, 0, 0, 300_000]));
        assert_eq!(fen, [10_000_000, 0, 0, 0, 300_000, 1_700_000, 0, 9_700_000]);
    })
    .await;
}

// Guard: `money::verify`.
#[actix_web::test]
async fn a_programmes_money_is_in_its_parts_or_left_and_none_of_it_is_nowhere() {
    TestApp::run(async |app| {
        let district = app.sign_in("district").await;
        let umbrella =
            crate::programmes::opened(&district, crate::programmes::programme(app, DISTRICT, 1_000_000)).await;
        let id = umbrella.rsplit('/').next().unwrap().to_owned();
        let mut body = crate::programmes::programme(app, DISTRICT, 400_000);
        body["parent_id"] = json!(id);
        let part = crate::programmes::opened(&district, body).await;
        let list = at("programmes", DISTRICT);
        let seen = district.get(&list).await.expect(200);
        assert_eq!(money(&seen, &id), [1_000_000, 400_000, 0, 0, 0, 0, 0, 600_000]);
        let part_id = part.rsplit('/').next().unwrap().to_owned();
        assert_eq!(money(&seen, &part_id), [400_000, 0, 0, 0, 0, 0, 0, 400_000]);
        assert_eq!(by(&seen["items"], "programme_id", &part_id).unwrap()["parent_id"], id);
        district.post(&format!("{part}/close"), json!({})).await.expect(200);
        district.post(&format!("{umbrella}/close"), json!({})).await.expect(200);
        let seen = district.get(&list).await.expect(200);
        assert_eq!(money(&seen, &part_id), [400_000, 0, 0, 0, 0, 0, 400_000, 0]);
        assert_eq!(money(&seen, &id), [1_000_000, 0, 0, 0, 0, 0, 1_000_000, 0]);

        // Money that goes where no programme knows of it is found.
        let other = crate::programmes::opened(&district, crate::programmes::programme(app, DISTRICT, 1_000_000)).await;
        let fund: uuid::Uuid = other.rsplit('/').next().unwrap().parse().unwrap();
        let unknown = uuid::Uuid::from_u128(7);
        let moved = async |from, to| {
            let what = Transaction {
                id: ids::ordered(&app.state.clock),
                community_id: place_id(DISTRICT),
                kind: TransactionKind::Budget,
                transfers: vec![Transfer { from: Party::Fund(from), to: Party::Fund(to), amount: 5, expires_at: None }],
                dedupe_key: None,
                reason: "测试",
                actor: None,
                source: ("test", unknown),
                at: app.state.clock.now(),
            };
            transact(&app.state, async |txn| ledger::record(&app.state, txn, &what).await).await.unwrap();
        };
        moved(fund, unknown).await;
        let findings = linli::verify::run(&app.state).await.unwrap();
        assert!(
            findings.iter().any(|finding| finding.contains(&format!("programme {fund} has money"))),
            "{findings:?}"
        );
        moved(unknown, fund).await;
    })
    .await;
}

/// A project whose steps were taken on the given moments, in this programme.
async fn stepped(
    app: &TestApp,
    programme: ProgrammeId,
    created: DateTime<Utc>,
    steps: &[(ProjectAction, [ProjectState; 2], DateTime<Utc>)],
) {
    let id: ProjectId = ids::ordered(&app.state.clock);
    let state = steps.last().map_or(ProjectState::Proposed, |(_, [_, to], _)| *to);
    let row = project::ActiveModel {
        id: Set(id),
        community_id: Set(place_id(GUANGHUA)),
        place_id: Set(place_id(GUANGHUA)),
        place_path: Set(GUANGHUA.to_owned()),
        organisation_id: Set(None),
        title: Set("阳台菜园".to_owned()),
        summary: Set("种菜。".to_owned()),
        budget_fen: Set(1),
        state: Set(state),
        figures: Set(json!({})),
        created_by: Set(Some(user_id("staff"))),
        created_at: Set(created),
        programme_id: Set(Some(programme)),
        designer_id: Set(None),
        version: Set(0),
        moves: Set(i64::try_from(steps.len()).unwrap()),
        state_since: Set(steps.last().map_or(created, |(_, _, at)| *at)),
    };
    put(app, row).await;
    for ((action, [from, to], at), seq) in steps.iter().zip(1..) {
        let row = project_move::ActiveModel {
            project_id: Set(id),
            seq: Set(seq),
            action: Set(*action),
            from_state: Set(*from),
            to_state: Set(*to),
            actor_id: Set(None),
            reason: Set(None),
            at: Set(*at),
        };
        put(app, row).await;
    }
}

#[actix_web::test]
async fn stays_are_days_of_the_calendar_with_their_median_and_the_longest() {
    use ProjectAction::{Decline, Return, Submit};
    use ProjectState::{Declined, Proposed, Returned, Submitted};
    TestApp::run(async |app| {
        let programme = rows::programme(app).await;
        let midnight = calendar::midnight(calendar::day(app.state.clock.now()));
        let day = |days: i64| midnight - TimeDelta::days(days) + TimeDelta::hours(9);
        // Submitted for 1, 3, 3 and 10 days; one minute over midnight is a day.
        for days in [3, 10] {
            let steps = [(Submit, [Proposed, Submitted], day(20)), (Decline, [Submitted, Declined], day(20 - days))];
            stepped(app, programme, day(20), &steps).await;
        }
        let (evening, morning) = (midnight - TimeDelta::seconds(30), midnight + TimeDelta::seconds(30));
        let steps = [(Submit, [Proposed, Submitted], evening), (Return, [Submitted, Returned], morning)];
        stepped(app, programme, day(2), &steps).await;
        let steps = [
            (Submit, [Proposed, Submitted], day(8)),
            (Return, [Submitted, Returned], day(5)),
            (Submit, [Returned, Submitted], day(5)),
        ];
        stepped(app, programme, day(12), &steps).await;
        stepped(app, programme, day(4), &[]).await;
        let staff = app.sign_in("staff").await;
        let times = format!("{}&programme_id={programme}", at("time-in-states", GUANGHUA));
        let seen = staff.get(&times).await.expect(200);
        let stay = |count: i64, median: i64, longest: i64| {
            json!({ "count": count, "median_days": median, "longest_days": longest })
        };
        assert_eq!(
            seen["projects"],
            json!([
                // 0, 0, 1 (two days ago until last evening) and 4 days; the fifth has been there for 4.
                { "state": "proposed", "ended": stay(4, 0, 4), "running": stay(1, 4, 4) },
                // 1, 3, 3, 10; the fourth project was handed in again five days ago.
                { "state": "submitted", "ended": stay(4, 3, 10), "running": stay(1, 5, 5) },
                { "state": "returned", "ended": stay(1, 0, 0), "running": stay(1, 0, 0) },
            ])
        );
        assert_eq!(seen["needs"], json!([]));
    })
    .await;
}

#[actix_web::test]
async fn a_needs_stays_follow_its_events() {
    TestApp::run(async |app| {
        let resident = app.sign_in("resident-1").await;
        let times = at("time-in-states", BUILDING_1);
        assert_eq!(
            app.sign_in("staff").await.get(&times).await.expect(200)["needs"],
            json!([]),
            "nothing lies there yet"
        );
        let mut needs = Vec::new();
        for title in ["楼道灯坏了一", "楼道灯坏了二", "楼道灯坏了三"] {
            let mut body = crate::needs::need(title);
            body["place_id"] = json!(place_id(BUILDING_1));
            needs.push(text(&resident.post("/needs", body).await.expect(201)["id"]));
        }
        app.work().await;
        app.advance(TimeDelta::days(2)).await;
        let staff = app.sign_in("staff").await;
        staff.post(&format!("/needs/{}/resolve", needs[0]), json!({ "text": "灯已换好" })).await.expect(200);
        // Merged on the second day, back on the fifth, resolved on the ninth: two stays of 2 and of 4 days.
        let merge = json!({ "into": needs[2], "reason": "同一盏灯" });
        staff.post(&format!("/needs/{}/merge", needs[1]), merge).await.expect(200);
        app.advance(TimeDelta::days(3)).await;
        let staff = app.sign_in("staff").await;
        staff.post(&format!("/needs/{}/unmerge", needs[1]), json!({ "text": "是两盏灯" })).await.expect(200);
        app.advance(TimeDelta::days(4)).await;
        let staff = app.sign_in("staff").await;
        staff.post(&format!("/needs/{}/resolve", needs[1]), json!({ "text": "灯已换好" })).await.expect(200);
        let seen = staff.get(&times).await.expect(200);
        assert_eq!(
            seen["needs"],
            json!([
                { "state": "in_review", "ended": { "count": 3, "median_days": 0, "longest_days": 0 }, "running": null },
                {
                    "state": "published", "ended": { "count": 3, "median_days": 2, "longest_days": 4 },
                    "running": { "count": 1, "median_days": 9, "longest_days": 9 }
                },
            ])
        );
    })
    .await;
}

/// What is overdue, all pages of it, a few at a time.
async fn walked(person: &Person, path: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = person.get(&format!("{path}&limit={limit}{cursor}")).await.expect(200);
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
        assert!(items.len() < 1000, "the pages go round in a circle");
    }
}

#[actix_web::test]
async fn everything_whose_day_is_over_is_in_one_list_the_oldest_first() {
    TestApp::run(async |app| {
        let list = at("overdue", GUANGHUA);
        let staff = app.sign_in("staff").await;
        let before = staff.get(&list).await.expect(200)["counts"].clone();
        // A milestone: a contract that runs, its first part due after sixty days.
        let (mut round, _, _) = Round::awarded(app).await;
        app.advance(TimeDelta::days(9)).await;
        round.refresh(app).await;
        let contracted = format!("/projects/{}", round.project);
        let contract = text(&round.staff.post(&format!("{contracted}/contract"), json!({})).await.expect(201)["id"]);
        round.orgs[1].post(&format!("/contracts/{contract}/signature"), json!({})).await.expect(200);
        let supervisor = rows::organisation(app, "督导测试中心", &["supervisor"]).await;
        rows::assign(app, round.project, entities::projects::Part::Supervisor, supervisor).await;
        round.orgs[1].post(&format!("{contracted}/start"), json!({})).await.expect(200);
        // An evaluation that asks to put something right, and a finding.
        let rectifying = running(app).await;
        let evaluator = published(app, &rectifying).await;
        let report = document(&evaluator).await;
        let in_days = |app: &TestApp, days| calendar::day(app.state.clock.now() + TimeDelta::days(days));
        let asked = evaluation(&report, "rectify", json!({ "rectify_by": in_days(app, 3), "advice": "补两次课" }));
        evaluator.post(&rectifying.at("evaluations"), asked).await.expect(201);
        let found = running(app).await;
        let visit = json!({
            "visited_on": in_days(app, 0), "seen": "签到表不全。",
            "findings": [{ "severity": "minor", "body": "签到表缺一次", "due_on": in_days(app, 1) }]
        });
        found.supervisor.post(&found.at("visits"), visit).await.expect(201);
        // An award whose window will be over, and a tender that nobody will open.
        let (awarded, _, _) = Round::awarded(app).await;
        let unopened = Round::open(app).await;
        // A public answer, a reply to an objection; and something in confidence.
        let resident = app.sign_in("resident-1").await;
        let need = crate::needs::published(app, &resident, "楼道灯坏了").await;
        let secret = json!({
            "place_id": place_id(GUANGHUA), "category": "rights", "title": "家里的秘密", "body": "请社工联系我。", "confidential": true
        });
        resident.post("/needs", secret).await.expect(201);
        let notice = transact(&app.state, async |txn| {
            let window = Some(app.state.clock.now() + TimeDelta::days(7));
            let notice = Notice { community_id: place_id(GUANGHUA), kind: "test.award", title: "中选公示".to_owned(), window, ..Notice::default() };
            notices::publish(&app.state, txn, notice).await
        })
        .await
        .unwrap();
        let objection = resident.post(&format!("/notices/{notice}/objections"), json!({ "text": "评分有误" })).await;
        let objection = objection.expect(201);
        app.work().await;
        app.advance(TimeDelta::days(90)).await;

        let staff = app.sign_in("staff").await;
        let whole = staff.get(&format!("{list}&limit=100")).await.expect(200);
        assert_eq!(whole["next_cursor"], Value::Null);
        let items = whole["items"].as_array().unwrap().clone();
        let of = |kind: &str, path: &str| {
            let is = |item: &&Value| item["kind"] == kind && item["path"] == path;
            items.iter().find(is).unwrap_or_else(|| panic!("{kind} {path} is not in {items:#?}")).clone()
        };
        let expected = [
            ("need", format!("/needs/{need}")),
            ("objection", format!("/notices/{notice}/objections")),
            ("tender", unopened.path.clone()),
            ("award", awarded.to("/awards")),
            ("milestone", format!("{contracted}/milestones")),
            ("finding", found.at("findings")),
            ("evaluation", rectifying.at("evaluations")),
        ];
        for (kind, path) in &expected {
            let item = of(kind, path);
            assert_eq!(item["place"], "光华社区");
            let due: DateTime<Utc> = text(&item["due_at"]).parse().unwrap();
            let days = calendar::day(app.state.clock.now()) - calendar::day(due);
            assert_eq!(item["days_over"], days.num_days());
            staff.get(path).await.expect(200);
        }
        let due: DateTime<Utc> = text(&of("evaluation", &expected[6].1)["due_at"]).parse().unwrap();
        assert_eq!(calendar::day(due + TimeDelta::microseconds(1)), calendar::day(due) + Duration::days(1), "its whole day");
        assert_eq!(of("objection", &expected[1].1)["id"], objection["id"]);
        let times: Vec<_> = items.iter().map(|item| text(&item["due_at"]).parse::<DateTime<Utc>>().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
        // The counts are those of the list.
        for (kind, count) in whole["counts"].as_object().unwrap() {
            let listed = items.iter().filter(|item| item["kind"] == *kind).count();
            assert_eq!(count, listed, "{kind}");
            assert!(count.as_i64() > before[kind].as_i64(), "{kind}");
        }
        assert!(!serde_json::to_string(&whole).unwrap().contains("秘密"), "what was said in confidence is nowhere");
        for limit in [1, 2, 3] {
            assert_eq!(walked(&staff, &list, limit).await, items, "pages of {limit}");
        }
        let only = staff.get(&format!("{list}&kind=finding")).await.expect(200);
        assert!(only["items"].as_array().unwrap().iter().all(|item| item["kind"] == "finding"));
        assert_eq!(only["counts"].as_object().unwrap().len(), 1);
        staff.get(&format!("{list}&kind=case")).await.names("?kind");
        staff.get(&format!("{list}&cursor=abc")).await.names("?cursor");

        // What is done is gone.
        staff.post(&format!("/needs/{need}/answers"), json!({ "text": "下周换灯" })).await.expect(200);
        let after = staff.get(&list).await.expect(200);
        assert_eq!(after["counts"]["need"].as_i64().unwrap(), whole["counts"]["need"].as_i64().unwrap() - 1);
        // Elsewhere nothing of it is seen.
        let other = app.sign_in("staff-other").await.get(&at("overdue", ANJING)).await.expect(200);
        assert!(other["items"].as_array().unwrap().iter().all(|item| item["place"] != "光华社区"));
    })
    .await;
}

// Guard: the cursor's id, by which rows of one moment are told apart.
#[actix_web::test]
async fn pages_lose_nothing_that_is_due_at_one_moment() {
    TestApp::run(async |app| {
        let resident = app.sign_in("resident-1").await;
        let mut needs = Vec::new();
        for number in 0..7 {
            needs.push(crate::needs::submit(&resident, &format!("楼道灯坏了{number}")).await);
        }
        app.work().await;
        let due = app.state.clock.now() - TimeDelta::days(1);
        let txn = app.state.db.begin().await.unwrap();
        let ids: Vec<uuid::Uuid> = needs.iter().map(|id| id.parse().unwrap()).collect();
        let rows = need::Entity::update_many().col_expr(need::Column::DueAt, due.into());
        rows.filter(need::Column::Id.is_in(ids)).exec(&txn).await.unwrap();
        txn.commit().await.unwrap();
        let staff = app.sign_in("staff").await;
        for limit in [1, 2, 3, 7] {
            let items = walked(&staff, &format!("{}&kind=need", at("overdue", GUANGHUA)), limit).await;
            let mut seen: Vec<_> = items.iter().map(|item| text(&item["id"])).filter(|id| needs.contains(id)).collect();
            assert_eq!(seen.len(), needs.len(), "pages of {limit}");
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), needs.len(), "pages of {limit}");
        }
    })
    .await;
}

fn somebody(number: usize, group: &str) -> Value {
    json!({ "name": format!("王桂兰{number}"), "phone": format!("139{number:08}"), "groups": [group] })
}

fn crowd(numbers: std::ops::RangeInclusive<usize>, group: &str) -> Vec<Value> {
    numbers.map(|number| somebody(number, group)).collect()
}

/// person-times of a group, and whether some of it is held back
fn group(answer: &Value, name: &str) -> (Value, Value) {
    let row = by(&answer["groups"], "name", name).unwrap_or_else(|| panic!("{name} is not in {answer}"));
    (row["person_times"].clone(), row["held_back"].clone())
}

// Guards: `COUNT(DISTINCT who)`; `Figures::shown` of each project; the refusal of a span; `own`.
#[actix_web::test]
async fn people_are_counted_once_over_projects_and_few_are_not_shown() {
    TestApp::run(async |app| {
        let path = at("services", GUANGHUA);
        let exact = format!("{path}&exact=true");
        let resident = app.sign_in("resident-1").await;
        assert_eq!(
            resident.get(&path).await.expect(200)["total"]["person_times"],
            Value::Null,
            "nobody was served yet"
        );
        let (one, two) = (running(app).await, running(app).await);
        let today = calendar::day(app.state.clock.now());
        let yesterday = today - Duration::days(1);
        // 1 to 6 in one project, 4 to 10 in another; 1 to 5 again on another day. Forty heads whom nobody knows.
        one.service(app, json!({ "people": crowd(1..=6, "青年女性") })).await;
        let again = json!({ "people": crowd(1..=5, "青年女性"), "held_on": yesterday });
        let again = one.service(app, again).await;
        two.service(app, json!({ "people": crowd(4..=10, "全职妈妈") })).await;
        let counts = json!([{ "group": "青年女性", "amount": 25 }]);
        two.service(app, json!({ "heads": 40, "group_heads": counts })).await;
        two.recorded(app, json!({ "heads": 1000 })).await;

        let seen = two.staff.get(&exact).await.expect(200);
        let count = |people: i64, times: i64| json!({ "people": people, "person_times": times, "held_back": false });
        assert_eq!(seen["total"], count(10, 6 + 5 + 7 + 40));
        assert_eq!((&seen["exact"], &seen["projects_of_others"]), (&json!(true), &json!(0)));
        assert_eq!(group(&seen, "青年女性").0, 6 + 5 + 25);
        assert_eq!(by(&seen["groups"], "name", "青年女性").unwrap()["people"], 6);
        assert_eq!(by(&seen["groups"], "name", "全职妈妈").unwrap()["people"], 7);
        // A span, both days of it included.
        let past = two.staff.get(&format!("{exact}&until={yesterday}")).await.expect(200);
        assert_eq!(past["total"], count(5, 5));
        let now = two.staff.get(&format!("{exact}&from={today}&until={today}")).await.expect(200);
        assert_eq!(now["total"], count(10, 6 + 7 + 40));
        // A programme.
        let of_one = two.staff.get(&format!("{exact}&programme_id={}", one.programme)).await.expect(200);
        assert_eq!(of_one["total"], count(6, 11));
        // Somebody who was not there after all.
        let people = one.supervisor.get(&format!("/services/{again}")).await.expect(200);
        let absent =
            json!({ "what": "absent", "beneficiary_id": people["people"][0]["beneficiary_id"], "reason": "未到场" });
        let corrected = one.supervisor.post(&format!("/services/{again}/corrections"), absent).await;
        corrected.expect(201);
        assert_eq!(two.staff.get(&exact).await.expect(200)["total"], count(10, 57));

        // For everybody: what the two projects' pages show, and no people.
        let public = resident.get(&path).await.expect(200);
        assert_eq!(public["total"], json!({ "people": null, "person_times": 57, "held_back": false }));
        assert_eq!(group(&public, "青年女性"), (json!(10 + 25), json!(false)));
        assert_eq!(public["exact"], false);
        for (span, pointer) in [(format!("from={today}"), "?from"), (format!("until={today}"), "?until")] {
            resident.get(&format!("{path}&{span}")).await.names(pointer);
            two.staff.get(&format!("{path}&{span}")).await.names(pointer);
        }
        // Three heads of mothers beside seven mothers of the register: three are few, whoever adds or subtracts.
        let few = json!([{ "group": "全职妈妈", "amount": 3 }]);
        two.service(app, json!({ "heads": 3, "group_heads": few })).await;
        let public = resident.get(&path).await.expect(200);
        assert_eq!(group(&public, "全职妈妈"), (Value::Null, json!(true)));
        assert_eq!(public["total"]["person_times"], 60, "43 heads and seven people are not few");
        let page = resident.get(&two.at("figures")).await.expect(200);
        assert_eq!(by(&page["groups"], "name", "全职妈妈").unwrap()["count"], Value::Null, "as on the project's page");
        assert_eq!(group(&two.staff.get(&exact).await.expect(200), "全职妈妈").0, 10);
    })
    .await;
}

// Guard: a project whose total is held back is in no total above it.
#[actix_web::test]
async fn no_total_above_tells_what_a_project_holds_back() {
    TestApp::run(async |app| {
        let (one, two) = (running(app).await, running(app).await);
        let resident = app.sign_in("resident-1").await;
        let street =
            resident.get(&at("services", STREET)).await.expect(200)["total"]["person_times"].as_i64().unwrap_or(0);
        one.service(app, json!({ "people": crowd(1..=8, "青年女性") })).await;
        two.service(app, json!({ "people": crowd(20..=22, "青年女性") })).await;
        for (path, others) in [(GUANGHUA, 0), (STREET, street)] {
            let seen = resident.get(&at("services", path)).await.expect(200);
            assert_eq!(
                (&seen["total"]["person_times"], &seen["total"]["held_back"]),
                (&json!(others + 8), &json!(true))
            );
        }
        let seen = resident.get(&at("services", STREET)).await.expect(200);
        let child = child(&seen, GUANGHUA);
        assert_eq!((&child["total"]["person_times"], &child["total"]["held_back"]), (&json!(8), &json!(true)));
        let of_two = format!("{}&programme_id={}", at("services", GUANGHUA), two.programme);
        assert_eq!(resident.get(&of_two).await.expect(200)["total"]["person_times"], Value::Null);
        assert_eq!(two.staff.get(&format!("{of_two}&exact=true")).await.expect(200)["total"]["people"], 3);
    })
    .await;
}

/// A running project in a programme of the district's.
async fn of_the_district(app: &TestApp, like: &Running) -> ProjectId {
    let row = programme::Entity::find_by_id(like.programme).one(app.state.db.read()).await.unwrap().unwrap();
    let id: ProgrammeId = ids::ordered(&app.state.clock);
    let mut row: programme::ActiveModel = row.into();
    row.id = Set(id);
    row.place_id = Set(place_id(DISTRICT));
    row.place_path = Set(DISTRICT.to_owned());
    put(app, row.reset_all()).await;
    let [implementer, supervisor, _] = rows::three(app).await;
    let project = rows::contracted(app, id, implementer).await;
    rows::assign(app, project, entities::projects::Part::Supervisor, supervisor).await;
    like.implementer.post(&format!("/projects/{project}/start"), json!({})).await.expect(200);
    project
}

#[actix_web::test]
async fn staff_see_exactly_what_their_own_programmes_did() {
    TestApp::run(async |app| {
        let own = running(app).await;
        let other = of_the_district(app, &own).await;
        own.service(app, json!({ "heads": 2 })).await;
        let body = own.record(app, json!({ "heads": 3 }));
        let id = text(&own.implementer.post(&format!("/projects/{other}/services"), body).await.expect(201)["id"]);
        own.supervisor.post(&format!("/services/{id}/confirm"), json!({})).await.expect(200);
        let exact = format!("{}&exact=true", at("services", GUANGHUA));
        let seen = own.staff.get(&exact).await.expect(200);
        assert_eq!((&seen["total"]["person_times"], &seen["projects_of_others"]), (&json!(2), &json!(1)));
        let district = app.sign_in("district").await;
        let seen = district.get(&exact).await.expect(200);
        assert_eq!((&seen["total"]["person_times"], &seen["projects_of_others"]), (&json!(5), &json!(0)));
    })
    .await;
}

#[actix_web::test]
async fn services_leave_the_house_with_no_name_and_no_small_number() {
    TestApp::run(async |app| {
        let project = running(app).await;
        let counts = json!([{ "group": "全职妈妈", "amount": 12 }]);
        let people = crowd(1..=6, "青年女性");
        let id =
            project.service(app, json!({ "people": people, "heads": 30, "group_heads": counts, "reached": 300 })).await;
        project.service(app, json!({ "people": crowd(1..=3, "青年女性"), "kind": "visit" })).await;
        project.recorded(app, json!({ "heads": 777 })).await;
        let correction = json!({ "what": "heads", "stands": 32, "reason": "漏数两人" });
        project.supervisor.post(&format!("/services/{id}/corrections"), correction).await.expect(201);
        let path = format!("/exports/services.csv?place_id={}", place_id(GUANGHUA));
        let file = String::from_utf8(project.staff.get(&path).await.bytes).unwrap();
        let today = calendar::day(app.state.clock.now());
        let start = format!("{today},光华社区,光华社区,微公益创投,随艺手工课二期,随艺测试中心");
        assert!(file.contains(&format!("{start},课程,6,38,全职妈妈 12；青年女性 6,300,")), "{file}");
        assert!(file.contains(&format!("{start},入户走访,不足5,不足5,青年女性 不公开,0,")), "{file}");
        assert!(!file.contains("777"), "only what was confirmed: {file}");
        for personal in ["王桂兰", "139", "花艺课", "党群服务中心"] {
            assert!(!file.contains(personal), "{personal}: {file}");
        }
    })
    .await;
}
