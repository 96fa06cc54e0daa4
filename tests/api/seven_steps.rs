//! The seed's five projects, from a resident's first need to a published evaluation, through HTTP only, with the right person at each
//! step; and at each step of the lifecycle everybody else is refused.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use chrono::TimeDelta;
use linli::platform::ids;
use linli::projects::lifecycle::STEPS;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::designs;
use crate::evaluations::{document, evaluation};
use crate::programmes::{made, opened, programme};
use crate::reviews::{review, seat};
use crate::support::{Person, TestApp, place_id, user_id};
use crate::tenders::{scores, text};

const DISTRICT: &str = "/jiangan/";
/// A second officer of the district, and people of two organisations that have nobody yet: made what they are in the test.
const OFFICER: &str = "newcomer-3";
const PRICE: i64 = 1_200_000;

/// What the seed tells of one project.
struct Story {
    community: &'static str,
    /// Names of residents begin with it.
    neighbours: &'static str,
    category: &'static str,
    need: &'static str,
    title: &'static str,
    /// Who carries it out, and their person.
    organisation: &'static str,
    person: &'static str,
    groups: &'static [&'static str],
    indicator: (&'static str, &'static str, i64),
    services: fn() -> Vec<Value>,
    cases: usize,
    /// person-times, people, reached, of the indicator
    sums: [i64; 4],
    of_groups: &'static [(&'static str, i64)],
}

fn everybody(count: usize, group: &str) -> Vec<Value> {
    (0..count)
        .map(|at| json!({ "name": format!("王桂兰{at}"), "phone": format!("139{at:08}"), "groups": [group] }))
        .collect()
}

/// 江岸区's five, with the figures of PRODUCT.md 5.
#[rustfmt::skip]
const STORIES: &[Story] = &[
    Story {
        community: "/jiangan/qiuchang/anjing/", neighbours: "anjing", category: "convenience", need: "老人在家容易摔倒",
        title: "老人居家防跌倒", organisation: "武汉晚晴枫养老助残服务中心", person: "org-a",
        groups: &["空巢老人"], indicator: ("改造家庭", "户", 500),
        services: || vec![
            json!({ "kind": "visit", "people": everybody(80, "空巢老人") }),
            json!({ "kind": "refit", "heads": 500, "group_heads": [{ "group": "空巢老人", "amount": 500 }],
                    "indicators": [{ "indicator": "改造家庭", "amount": 500 }] }),
        ],
        cases: 0, sums: [580, 80, 0, 500], of_groups: &[("空巢老人", 580)],
    },
    Story {
        community: "/jiangan/baibuting/wenhuiyuan/", neighbours: "wenhui", category: "convenience", need: "年轻人找不到工作",
        title: "启航行动：青年就业助力", organisation: "武汉春晖社会工作服务中心", person: "org-b",
        groups: &["待业青年"], indicator: ("集中技能培训", "场", 1),
        services: || vec![json!({ "kind": "training", "people": everybody(9, "待业青年"), "indicators": [{ "indicator": "集中技能培训", "amount": 1 }] })],
        cases: 6, sums: [9, 9, 0, 1], of_groups: &[("待业青年", 9)],
    },
    Story {
        community: "/jiangan/chezhan/tongan/", neighbours: "tongan", category: "culture_education", need: "想学一门手艺在家门口挣钱",
        title: "随艺手工生活馆", organisation: "随艺手工生活馆", person: "tongan-6",
        groups: &["青年女性", "全职妈妈"], indicator: ("女性就业", "人", 19),
        services: || vec![
            json!({ "kind": "course", "heads": 600, "group_heads": [{ "group": "青年女性", "amount": 200 }, { "group": "全职妈妈", "amount": 350 }] }),
            json!({ "kind": "course", "heads": 410, "group_heads": [{ "group": "青年女性", "amount": 102 }, { "group": "全职妈妈", "amount": 244 }],
                    "indicators": [{ "indicator": "女性就业", "amount": 19 }] }),
        ],
        cases: 0, sums: [1010, 0, 0, 19], of_groups: &[("青年女性", 302), ("全职妈妈", 594)],
    },
    Story {
        community: "/jiangan/laodong/yiyuan/", neighbours: "yiyuan", category: "culture_education", need: "想听楚剧、学楚剧",
        title: "惟楚有才 惟楚有戏：楚剧传承", organisation: "老戏骨党员服务队", person: "yiyuan-6",
        groups: &["学生"], indicator: ("志愿演出", "场", 13),
        services: || vec![
            json!({ "kind": "performance", "heads": 680, "group_heads": [{ "group": "学生", "amount": 680 }], "reached": 4000 }),
            json!({ "kind": "performance", "heads": 1020, "reached": 1100, "indicators": [{ "indicator": "志愿演出", "amount": 13 }] }),
        ],
        cases: 0, sums: [1700, 0, 5100, 13], of_groups: &[("学生", 680)],
    },
    Story {
        community: "/jiangan/chezhan/guanghua/", neighbours: "resident", category: "rights", need: "小区停车乱、停车难",
        title: "“红色引擎”车辆自治之家", organisation: "“红色引擎”车辆自治之家", person: "volunteer-5",
        groups: &["车主及家人"], indicator: ("志愿者", "人", 20),
        services: || vec![json!({ "kind": "event", "people": everybody(23, "车主及家人"), "indicators": [{ "indicator": "志愿者", "amount": 23 }] })],
        cases: 0, sums: [23, 23, 0, 23], of_groups: &[("车主及家人", 23)],
    },
];

/// Everybody, signed in when they are needed; again once the clock has moved, for access tokens last ten minutes.
struct Cast<'a> {
    app: &'a TestApp,
    here: RefCell<HashMap<String, Person>>,
}

impl Cast<'_> {
    async fn get(&self, name: &str) -> Person {
        if let Some(person) = self.here.borrow().get(name) {
            return person.clone();
        }
        let person = self.app.sign_in(name).await;
        self.here.borrow_mut().insert(name.to_owned(), person.clone());
        person
    }

    async fn later(&self, by: TimeDelta) {
        self.app.advance(by).await;
        self.here.borrow_mut().clear();
    }

    /// A step by whom it is for, after everybody else of the district was refused it.
    async fn step(&self, who: &str, path: &str, body: Value, status: u16) -> Value {
        // Each stands for a role; none of them is anything to the project but by what it is named for here.
        const ROLES: [&str; 13] = [
            "newcomer-1",
            "resident-2",
            "leader",
            "volunteer-1",
            "representative",
            "staff-other",
            "social-worker-1",
            "social-worker-3",
            "org-a",
            "org-b",
            "supervisor",
            "evaluator",
            "merchant",
        ];
        for other in ROLES.into_iter().filter(|other| *other != who) {
            let refused = self.get(other).await.post(path, body.clone()).await;
            assert!([403, 404].contains(&refused.status), "{other} at {path}: {} {}", refused.status, refused.body);
        }
        self.get(who).await.post(path, body).await.expect(status)
    }
}

/// One project on its way.
struct Way {
    story: &'static Story,
    need: String,
    /// `/projects/{id}`
    path: String,
    tender: String,
}

impl Way {
    fn at(&self, rest: &str) -> String {
        format!("{}/{rest}", self.path)
    }

    async fn state(&self, cast: &Cast<'_>) -> Value {
        cast.get("newcomer-1").await.get(&self.path).await.expect(200)["state"].clone()
    }
}

fn organisation(name: &str) -> Uuid {
    ids::named(&format!("organisation:{name}"))
}

/// The district's officers give a second one the role, and two organisations get the people who act for them.
async fn people(cast: &Cast<'_>) {
    let district = cast.get("district").await;
    let grant =
        |name: &str, role: &str| json!({ "user_id": user_id(name), "role": role, "place_id": place_id(DISTRICT) });
    district.post("/grants", grant(OFFICER, "district_staff")).await.expect(201);
    for story in STORIES.iter().filter(|story| !story.person.starts_with("org-")) {
        district.post("/grants", grant(story.person, "organisation")).await.expect(201);
        let path = format!("/organisations/{}/people", organisation(story.organisation));
        let body = json!({ "user_id": user_id(story.person), "role": "head", "duty": "负责人" });
        district.post(&path, body).await.expect(201);
    }
}

/// 1: a resident says what is needed, and a neighbour supports it.
async fn need(cast: &Cast<'_>, story: &Story) -> String {
    let author = cast.get(&format!("{}-1", story.neighbours)).await;
    let body = json!({
        "place_id": place_id(story.community), "category": story.category, "title": story.need, "body": format!("{}，请社区想想办法。", story.need),
    });
    let id = text(&author.post("/needs", body).await.expect(201)["id"]);
    cast.app.work().await;
    let neighbour = cast.get(&format!("{}-2", story.neighbours)).await;
    assert_eq!(neighbour.put(&format!("/needs/{id}/support"), json!({})).await.expect(200)["support_count"], 1);
    id
}

/// 2: a social worker designs a project from it.
async fn design(cast: &Cast<'_>, story: &Story, need: &str, programme: &str) -> String {
    let designer = cast.get("social-worker-3").await;
    let path = made(
        &designer,
        "/projects",
        json!({
            "place_id": place_id(story.community), "title": story.title, "summary": story.need, "budget_fen": 0, "need_ids": [need],
        }),
    )
    .await;
    let mut document = designs::design(2_000_000);
    let groups: Vec<_> =
        story.groups.iter().map(|group| json!({ "key": group, "title": group, "people": 80 })).collect();
    document["groups"] = json!(groups);
    let (name, unit, target) = story.indicator;
    document["indicators"] = json!([{ "key": name, "title": name, "unit": unit, "target": target }]);
    designer.put(&format!("{path}/design"), document).await.expect(200);
    let id = programme.rsplit('/').next().unwrap();
    cast.step("social-worker-3", &format!("{path}/submit"), json!({ "programme_id": id }), 200).await;
    path
}

#[actix_web::test]
async fn five_projects_go_from_a_need_to_a_published_evaluation() {
    TestApp::run(async |app| {
        let cast = Cast { app, here: RefCell::default() };
        people(&cast).await;
        let district = cast.get("district").await;

        // The seed's 3,460,000 yuan for 23 + 17 + 60 + 100 projects; it does not say how they are shared out.
        let mut body = programme(app, DISTRICT, 346_000_000);
        body["title"] = json!("社会组织参与社区治理");
        body["count_target"] = json!(200);
        let umbrella = opened(&district, body).await;
        let mut parts = Vec::new();
        for (title, count, fen) in [
            ("社区社会组织助力计划", 23, 46_000_000),
            ("社会组织参与社区治理服务", 17, 100_000_000),
            ("社区微公益创投", 60, 100_000_000),
            ("社区养老", 100, 100_000_000),
        ] {
            let mut body = programme(app, DISTRICT, fen);
            body["title"] = json!(title);
            body["count_target"] = json!(count);
            body["parent_id"] = json!(umbrella.rsplit('/').next().unwrap());
            let part = opened(&district, body).await;
            seat(&district, &part, &["social-worker-1", "social-worker-2"]).await;
            parts.push(part);
        }
        assert_eq!(district.get(&umbrella).await.expect(200)["available_fen"], 0, "all of it is shared out");
        let payer = [&parts[3], &parts[1], &parts[2], &parts[2], &parts[0]];

        let mut ways = Vec::new();
        for (story, payer) in STORIES.iter().zip(payer) {
            let need = need(&cast, story).await;
            let path = design(&cast, story, &need, payer).await;
            ways.push(Way { story, need, path, tender: String::new() });
        }

        // 3: experts review; what they find good is shortlisted.
        for way in &ways {
            for expert in ["social-worker-1", "social-worker-2"] {
                cast.get(expert).await.post(&way.at("reviews"), review(1, 9, 3)).await.expect(201);
            }
            cast.step("district", &way.at("shortlist"), json!({}), 200).await;
        }
        // Residents vote on what is shortlisted.
        let mut polls = Vec::new();
        for (way, payer) in ways.iter().zip(payer) {
            let drafted =
                district.post(&format!("{payer}/poll"), json!({ "community_id": place_id(way.story.community) })).await;
            let poll = format!("/polls/{}", text(&drafted.expect(201)["poll_id"]));
            let options = district.post(&format!("{poll}/open"), json!({})).await.expect(200)["options"].clone();
            for number in [1, 2, 3] {
                let voter = cast.get(&format!("{}-{number}", way.story.neighbours)).await;
                voter.put(&format!("{poll}/ballot"), json!({ "choices": [options[0]["id"]] })).await.expect(200);
            }
            polls.push(poll);
        }
        cast.later(TimeDelta::days(28)).await;
        let district = cast.get("district").await;
        for poll in &polls {
            district.post(&format!("{poll}/close"), json!({})).await.expect(200);
        }
        for part in parts.iter().collect::<BTreeSet<_>>() {
            let proposal = cast.step("district", &format!("{part}/selection"), json!({}), 201).await;
            let confirm = format!("{part}/selection/{}/confirm", text(&proposal["id"]));
            cast.step(OFFICER, &confirm, json!({}), 200).await;
        }

        // Nobody objects while the selection stands on the board.
        cast.get("district")
            .await
            .post(&ways[0].at("tenders"), crate::tenders::terms(app))
            .await
            .refused(409, "selection_not_clear");
        cast.later(TimeDelta::days(6)).await;

        // 4: organisations compete with sealed bids.
        for way in &mut ways {
            assert_eq!(way.state(&cast).await, "selected");
            let mut terms = crate::tenders::terms(app);
            terms["registered_only"] = json!(false);
            let tender = cast.step("district", &way.at("tenders"), terms, 201).await;
            way.tender = format!("/tenders/{}", text(&tender["id"]));
            let rival = if way.story.person == "org-a" { ("org-b", 1) } else { ("org-a", 0) };
            let rivals = organisation(STORIES[rival.1].organisation);
            for (name, id, price) in
                [(way.story.person, organisation(way.story.organisation), PRICE), (rival.0, rivals, PRICE + 400_000)]
            {
                let bid = crate::tenders::bid(app, id.into(), price);
                cast.get(name).await.put(&format!("{}/bid", way.tender), bid).await.expect(200);
            }
        }
        cast.later(TimeDelta::days(11)).await;
        let district = cast.get("district").await;
        for way in &ways {
            let tender = &way.tender;
            cast.step("district", &format!("{tender}/opening"), json!({}), 200).await;
            cast.step(OFFICER, &format!("{tender}/opening/confirmation"), json!({}), 200).await;
            let panel: Vec<_> = ["social-worker-1", "social-worker-2"].map(user_id).to_vec();
            cast.step("district", &format!("{tender}/panel"), json!({ "user_ids": panel }), 200).await;
            let mut bids = district.get(&format!("{tender}/bids")).await.expect(200).as_array().unwrap().clone();
            bids.sort_by_key(|bid| bid["price_fen"].as_i64());
            for bid in &bids {
                for expert in ["social-worker-1", "social-worker-2"] {
                    let path = format!("/bids/{}/scores", text(&bid["id"]));
                    cast.get(expert).await.post(&path, scores([8, 80])).await.expect(201);
                }
            }
            cast.step("district", &format!("{tender}/awards"), json!({ "bid_id": bids[0]["id"] }), 201).await;
            assert_eq!(way.state(&cast).await, "awarding");
            district.post(&way.at("contract"), json!({})).await.refused(409, "award_not_clear");
        }
        // Nobody objects while the award stands on the board.
        cast.later(TimeDelta::days(9)).await;
        let district = cast.get("district").await;
        for way in &ways {
            let drawn = cast.step("district", &way.at("contract"), json!({}), 201).await;
            cast.step(way.story.person, &format!("/contracts/{}/signature", text(&drawn["id"])), json!({}), 200).await;
            // 5: a supervisor follows the work; a third party will judge it.
            for (part, name) in [("supervisor", "supervisor"), ("evaluator", "evaluator")] {
                let own = cast.get(name).await.get("/me/organisations").await.expect(200);
                let own = own["items"].as_array().or(own.as_array()).unwrap()[0].clone();
                let id = own.get("organisation_id").or(own.get("id")).unwrap();
                district.put(&way.at(&format!("parties/{part}")), json!({ "organisation_id": id })).await.expect(200);
            }
            cast.step(way.story.person, &way.at("start"), json!({}), 200).await;
        }

        for way in &ways {
            deliver(&cast, way).await;
        }
        for way in &ways {
            judge_before(&cast, way).await;
        }
        cast.later(TimeDelta::days(16)).await;
        cast.later(TimeDelta::minutes(10)).await;
        for way in &ways {
            judge(&cast, way).await;
        }

        // Each of the twelve steps of this way was taken, in the order of the table.
        let taken = cast.get("newcomer-1").await.get(&ways[0].at("moves")).await.expect(200);
        let taken: Vec<_> = taken.as_array().unwrap().iter().map(|step| text(&step["action"])).collect();
        assert_eq!(
            taken,
            ["submit", "shortlist", "select", "tender", "award", "contract", "start", "complete", "evaluate", "finish"]
        );
        assert!(taken.iter().all(|action| STEPS.iter().any(|step| step.action.to_string() == *action)));
        // Money: what was paid is what the contracts say, and the rest is where it came from.
        let mut left = 0;
        for part in &parts {
            left += cast.get("newcomer-1").await.get(part).await.expect(200)["available_fen"].as_i64().unwrap();
        }
        assert_eq!(left, 346_000_000 - 5 * PRICE);
    })
    .await;
}

/// 5 and 6: services are recorded and confirmed, milestones accepted and paid, a finding put right.
async fn deliver(cast: &Cast<'_>, way: &Way) {
    let (story, app) = (way.story, cast.app);
    let today = linli::platform::calendar::day(app.state.clock.now());
    let implementer = cast.get(story.person).await;
    for service in (story.services)() {
        let mut body = json!({ "held_on": today, "place": "党群服务中心", "content": story.title, "people": [] });
        for (field, value) in service.as_object().unwrap() {
            body[field] = value.clone();
        }
        let id = text(&implementer.post(&way.at("services"), body).await.expect(201)["id"]);
        cast.step("supervisor", &format!("/services/{id}/confirm"), json!({}), 200).await;
    }
    for _ in 0..story.cases {
        let file = json!({ "category": "rights", "subject": "陈某，电话在社工处", "summary": "多次求职未成。" });
        implementer.post(&way.at("cases"), file).await.expect(201);
    }
    let visit = json!({
        "visited_on": today, "seen": "现场有序，签到表缺一次。", "findings": [{ "severity": "minor", "body": "签到表缺一次", "due_on": today }],
    });
    cast.step("supervisor", &way.at("visits"), visit, 201).await;
    let finding = text(&implementer.get(&way.at("findings")).await.expect(200)["items"][0]["id"]);
    cast.step(story.person, &format!("/findings/{finding}/rectifications"), json!({ "done": "已补齐" }), 200).await;
    let closed = json!({ "verdict": "closed", "remark": "已核对" });
    cast.step("supervisor", &format!("/findings/{finding}/check"), closed, 200).await;

    let milestones = implementer.get(&way.at("milestones")).await.expect(200)["items"].clone();
    for milestone in milestones.as_array().unwrap() {
        let path = format!("/milestones/{}", text(&milestone["id"]));
        cast.step(story.person, &format!("{path}/evidence"), json!({ "body": "评估表 80 份" }), 200).await;
        let opinion = json!({ "statement": "属实", "supports": true });
        cast.step("supervisor", &format!("{path}/statement"), opinion, 200).await;
        cast.step("district", &format!("{path}/decision"), json!({ "decision": "accepted" }), 200).await;
        cast.step(OFFICER, &format!("{path}/payment"), json!({}), 200).await;
    }
    let report = json!({ "kind": "final", "period_from": today, "period_until": today, "body": "按计划完成。" });
    cast.step(story.person, &way.at("reports"), report, 201).await;

    // PRODUCT.md 5, as the public reads it.
    let figures = cast.get("newcomer-1").await.get(&way.at("figures")).await.expect(200);
    let [person_times, people, reached, of_indicator] = story.sums;
    assert_eq!(figures["total"], json!({ "people": people, "person_times": person_times }), "{}", story.title);
    assert_eq!((&figures["reached"], &figures["cases"]), (&json!(reached), &json!(story.cases)), "{}", story.title);
    assert_eq!(figures["indicators"][0]["reached"], of_indicator);
    for (name, expected) in story.of_groups {
        let groups = figures["groups"].as_array().unwrap();
        let group = groups.iter().find(|group| group["name"] == *name).unwrap();
        assert_eq!(group["count"]["person_times"], *expected, "{name}");
    }
}

/// 6: residents judge what they saw.
async fn judge_before(cast: &Cast<'_>, way: &Way) {
    cast.step(way.story.person, &way.at("complete"), json!({}), 200).await;
    for number in 1..=5 {
        let rater = cast.get(&format!("{}-{number}", way.story.neighbours)).await;
        rater.post(&way.at("ratings"), json!({ "score": 5 })).await.expect(201);
    }
}

/// 7: a third party evaluates, and everybody who asked for it hears of the end.
async fn judge(cast: &Cast<'_>, way: &Way) {
    let evaluator = cast.get("evaluator").await;
    let report = document(&evaluator).await;
    cast.step("evaluator", &way.at("evaluations"), evaluation(&report, "excellent", json!({})), 201).await;
    cast.step("district", &way.at("finish"), json!({}), 200).await;
    assert_eq!(way.state(cast).await, "finished");
    let author = cast.get(&format!("{}-1", way.story.neighbours)).await;
    assert_eq!(author.get(&format!("/needs/{}", way.need)).await.expect(200)["state"], "resolved");
    let board = author.get(&format!("/notices?place_id={}&limit=100", place_id(way.story.community))).await.expect(200);
    let kinds: BTreeSet<_> =
        board["items"].as_array().unwrap().iter().map(|notice| notice["kind"].as_str().unwrap()).collect();
    for kind in ["project.rated", "project.evaluated", "project.finished"] {
        assert!(kinds.contains(kind), "{kind} of {kinds:?}");
    }
    let contract = author.get(&way.at("contract")).await.expect(200);
    assert_eq!((&contract["price_fen"], &contract["balance_fen"]), (&json!(PRICE), &json!(0)));
}
