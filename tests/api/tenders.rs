//! Tenders: opening one, amending it, questions, scoring, the award and what follows from an objection.

use chrono::{DateTime, TimeDelta, Utc};
use entities::identity::{Role, grant};
use entities::ids::{OrganisationId, ProgrammeId, ProjectId};
use entities::notices::notice;
use entities::notifications::inbox_entry;
use entities::organisations::{OrganisationState, PersonRole, organisation, person};
use entities::projects::{ProjectAction, ProjectState, project};
use entities::tenders::{AwardState, award, panel, score, tender};
use futures_util::future::{join, join_all};
use linli::identity::Actor;
use linli::ledger::{self, Party};
use linli::platform::http::{Caller, transact};
use linli::platform::ids;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};
use serde_json::{Value, json};

use crate::programmes;
use crate::support::projects::{put, walked};
use crate::support::{GUANGHUA, Person, TestApp, place_id, user_id};

pub const CEILING: i64 = 2_000_000;

/// An organisation with one person who may act for it everywhere.
pub async fn organisation(app: &TestApp, name: &str, state: OrganisationState, people: &[&str]) -> OrganisationId {
    let now = app.state.clock.now();
    let id: OrganisationId = ids::named(&format!("organisation:{name}"));
    let row = organisation::Entity::find_by_id(id).one(app.state.db.read()).await.unwrap();
    if row.is_none() {
        let place_id = Set(Some(place_id(GUANGHUA)));
        let row = organisation::ActiveModel {
            id: Set(id),
            name: Set(name.to_owned()),
            state: Set(state),
            place_id,
            created_at: Set(now),
            ..Default::default()
        };
        put(app, row).await;
    }
    for one in people {
        join_organisation(app, id, one).await;
        let row = grant::ActiveModel {
            id: Set(ids::unordered()),
            user_id: Set(user_id(one)),
            role: Set(Role::Organisation),
            place_id: Set(place_id("/jiangan/")),
            place_path: Set("/jiangan/".to_owned()),
            given_by: Set(None),
            given_at: Set(now),
            until: Set(None),
            revoked_by: Set(None),
            revoked_at: Set(None),
        };
        put(app, row).await;
    }
    id
}

pub async fn join_organisation(app: &TestApp, id: OrganisationId, name: &str) {
    let row = person::ActiveModel {
        id: Set(ids::unordered()),
        organisation_id: Set(id),
        user_id: Set(user_id(name)),
        role: Set(PersonRole::Member),
        duty: Set("项目".to_owned()),
        since: Set(app.state.clock.now()),
        added_by: Set(None),
        ended_at: Set(None),
        ended_by: Set(None),
    };
    put(app, row).await;
}

/// The organisations of `org-a` and `org-b`.
pub async fn bidders(app: &TestApp) -> [OrganisationId; 2] {
    let [a, b] = [("晚晴枫测试中心", "org-a"), ("春晖测试中心", "org-b")];
    [
        organisation(app, a.0, OrganisationState::Registered, &[a.1]).await,
        organisation(app, b.0, OrganisationState::Registered, &[b.1]).await,
    ]
}

/// A programme of 光华社区 with money, and a project that it selected, as the steps before leave them.
pub async fn selected(app: &TestApp) -> (ProgrammeId, ProjectId) {
    let now = app.state.clock.now();
    let staff = app.sign_in("staff").await;
    let opened = programmes::opened(&staff, programmes::programme(app, GUANGHUA, 10_000_000)).await;
    let programme_id: ProgrammeId = opened.rsplit('/').next().unwrap().parse().unwrap();
    let id: ProjectId = ids::ordered(&app.state.clock);
    let (place, path) = (place_id(GUANGHUA), GUANGHUA.to_owned());
    let row = project::ActiveModel {
        id: Set(id),
        community_id: Set(place),
        place_id: Set(place),
        place_path: Set(path),
        organisation_id: Set(None),
        title: Set("老人居家防跌倒二期".to_owned()),
        summary: Set("装扶手".to_owned()),
        budget_fen: Set(CEILING),
        state: Set(ProjectState::Selected),
        figures: Set(json!({})),
        created_by: Set(Some(user_id("staff"))),
        created_at: Set(now),
        programme_id: Set(Some(programme_id)),
        designer_id: Set(None),
        version: Set(0),
        moves: Set(3),
        state_since: Set(now),
    };
    put(app, row).await;
    let way = [
        (ProjectAction::Submit, ProjectState::Proposed, ProjectState::Submitted),
        (ProjectAction::Shortlist, ProjectState::Submitted, ProjectState::Shortlisted),
        (ProjectAction::Select, ProjectState::Shortlisted, ProjectState::Selected),
    ];
    walked(app, id, "staff", &way).await;
    let actor = actor(app, &staff).await;
    transact(&app.state, async |txn| {
        let programme = linli::programmes::find(txn, &actor, programme_id).await?;
        linli::programmes::commit(&app.state, txn, &actor, &programme, (id, "防跌倒"), CEILING).await
    })
    .await
    .unwrap();
    (programme_id, id)
}

/// Somebody as the services see them.
pub async fn actor(app: &TestApp, person: &Person) -> Actor {
    let caller = Caller::of_token(&app.state, &person.token).unwrap();
    Actor::load(&app.state, caller).await.unwrap()
}

pub async fn money(app: &TestApp, owner: uuid::Uuid) -> i64 {
    use entities::ledger::account;
    let id = ledger::account_id(place_id(GUANGHUA), Party::Fund(owner));
    account::Entity::find_by_id(id).one(app.state.db.read()).await.unwrap().map_or(0, |row| row.posted)
}

pub fn terms(app: &TestApp) -> Value {
    json!({
        "requirements": "为80户老人装扶手。", "closes_at": app.state.clock.now() + TimeDelta::days(10), "price_weight": 30,
        "min_scorers": 2, "criteria": [
            { "title": "方案", "weight": 50, "max_points": 10 }, { "title": "团队", "weight": 20, "max_points": 100 }
        ]
    })
}

pub fn bid(app: &TestApp, organisation: OrganisationId, price: i64) -> Value {
    let due = |days| app.state.clock.now() + TimeDelta::days(days);
    json!({
        "organisation_id": organisation, "price_fen": price, "plan": "先评估，再安装，最后回访。", "team": "社工两名，技工一名。",
        "milestones": [
            { "title": "完成评估", "due_at": due(60), "amount_fen": price / 4 },
            { "title": "完成安装", "due_at": due(120), "amount_fen": price - price / 4 },
        ],
        "indicators": [{ "title": "改造家庭", "target": 80, "unit": "户" }]
    })
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string")).to_owned()
}

/// Everybody of a tender.
pub struct Round {
    pub project: ProjectId,
    pub programme: ProgrammeId,
    /// `/tenders/{id}`
    pub path: String,
    pub staff: Person,
    pub second: Person,
    pub orgs: [Person; 2],
    pub ids: [OrganisationId; 2],
    pub panel: Vec<Person>,
}

impl Round {
    /// An open tender.
    pub async fn open(app: &TestApp) -> Self {
        let ids = bidders(app).await;
        let (programme, project) = selected(app).await;
        let [staff, second, a, b] =
            app.sign_in_all(["staff", "staff-2", "org-a", "org-b"]).await.try_into().ok().unwrap();
        let panel = app.sign_in_all(["social-worker-1", "social-worker-2", "social-worker-3"]).await;
        let created = staff.post(&format!("/projects/{project}/tenders"), terms(app)).await.expect(201);
        let path = format!("/tenders/{}", text(&created["id"]));
        Self { project, programme, path, staff, second, orgs: [a, b], ids, panel }
    }

    pub fn to(&self, rest: &str) -> String {
        format!("{}{rest}", self.path)
    }

    pub fn id(&self) -> uuid::Uuid {
        self.path.rsplit('/').next().unwrap().parse().unwrap()
    }

    /// Both organisations hand in.
    pub async fn hand_in(&self, app: &TestApp, prices: [i64; 2]) {
        for ((person, id), price) in self.orgs.iter().zip(self.ids).zip(prices) {
            person.put(&self.to("/bid"), bid(app, id, price)).await.expect(200);
        }
    }

    /// Everybody signs in again: access tokens last ten minutes.
    pub async fn refresh(&mut self, app: &TestApp) {
        let names = ["staff", "staff-2", "org-a", "org-b"];
        let [staff, second, a, b] = app.sign_in_all(names).await.try_into().ok().unwrap();
        (self.staff, self.second, self.orgs) = (staff, second, [a, b]);
        self.panel = app.sign_in_all(["social-worker-1", "social-worker-2", "social-worker-3"]).await;
    }

    /// Closes and opens it; gives the bids, the dearest last.
    pub async fn opened(&mut self, app: &TestApp) -> Vec<Value> {
        app.advance(TimeDelta::days(11)).await;
        self.refresh(app).await;
        self.staff.post(&self.to("/opening"), json!({})).await.expect(200);
        self.second.post(&self.to("/opening/confirmation"), json!({})).await.expect(200);
        let mut bids = self.staff.get(&self.to("/bids")).await.expect(200).as_array().unwrap().clone();
        bids.sort_by_key(|bid| bid["price_fen"].as_i64());
        bids
    }

    pub async fn seat(&self) {
        let people: Vec<_> = self.panel.iter().map(|person| &person.id).collect();
        self.staff.post(&self.to("/panel"), json!({ "user_ids": people })).await.expect(200);
    }

    /// Two of the panel score a bid.
    pub async fn score(&self, bid: &Value, points: [i64; 2]) {
        for person in &self.panel[..2] {
            person.post(&format!("/bids/{}/scores", text(&bid["id"])), scores(points)).await.expect(201);
        }
    }

    /// An opened tender with two scored bids, the cheap one first.
    pub async fn scored(app: &TestApp) -> (Self, Vec<Value>) {
        let mut round = Self::open(app).await;
        round.hand_in(app, [1_600_000, 1_200_000]).await;
        let bids = round.opened(app).await;
        round.seat().await;
        for bid in &bids {
            round.score(bid, [8, 80]).await;
        }
        (round, bids)
    }

    /// The award of the first-ranked bid.
    pub async fn awarded(app: &TestApp) -> (Self, Vec<Value>, Value) {
        let (round, bids) = Self::scored(app).await;
        let award = round.staff.post(&round.to("/awards"), json!({ "bid_id": bids[0]["id"] })).await.expect(201);
        (round, bids, award)
    }

    pub async fn project_state(&self) -> String {
        text(&self.staff.get(&format!("/projects/{}", self.project)).await.expect(200)["state"])
    }

    pub async fn notices(&self, app: &TestApp, kind: &str) -> Vec<notice::Model> {
        let rows = notice::Entity::find().filter(notice::Column::Kind.eq(kind)).all(app.state.db.read()).await.unwrap();
        rows.into_iter().filter(|row| row.title.contains("防跌倒二期")).collect()
    }
}

pub fn scores([a, b]: [i64; 2]) -> Value {
    json!({ "scores": [{ "criterion": 1, "points": a }, { "criterion": 2, "points": b }] })
}

#[actix_web::test]
async fn staff_of_the_programme_put_a_selected_project_out_to_tender() {
    TestApp::run(async |app| {
        bidders(app).await;
        let (_, project) = selected(app).await;
        let [staff, other, org, resident] =
            app.sign_in_all(["staff", "staff-other", "org-a", "resident-1"]).await.try_into().ok().unwrap();
        let path = format!("/projects/{project}/tenders");
        for person in [&other, &org, &resident] {
            person.post(&path, terms(app)).await.refused(403, "forbidden");
        }
        let with = |field: &str, value: Value| {
            let mut body = terms(app);
            body[field] = value;
            body
        };
        let soon = app.state.clock.now() + TimeDelta::hours(3);
        let late = app.state.clock.now() + TimeDelta::days(181);
        for (field, value, pointer) in [
            ("closes_at", json!(soon), "/closes_at"),
            ("closes_at", json!(late), "/closes_at"),
            ("price_weight", json!(31), "/criteria"),
            ("price_weight", json!(100), "/price_weight"),
            ("min_scorers", json!(0), "/min_scorers"),
            ("requirements", json!(""), "/requirements"),
            ("criteria", json!([]), "/criteria"),
            ("criteria", json!([{ "title": "方案", "weight": 70, "max_points": 0 }]), "/criteria/0/max_points"),
            ("nope", json!(1), "/nope"),
        ] {
            staff.post(&path, with(field, value)).await.names(pointer);
        }
        let body = terms(app);
        let created = staff.post_with_key(&path, body.clone(), "t").await.expect(201);
        assert_eq!(staff.post_with_key(&path, body, "t").await.expect(201), created);
        staff.post(&path, terms(app)).await.refused(409, "project_state");
        let seen = resident.get(&format!("/tenders/{}", text(&created["id"]))).await.expect(200);
        assert_eq!(
            (&seen["phase"], &seen["ceiling_fen"], &seen["registered_only"]),
            (&json!("open"), &json!(CEILING), &json!(true))
        );
        assert_eq!(seen["criteria"][1], json!({ "seq": 2, "title": "团队", "weight": 20, "max_points": 100 }));
        let list = resident.get(&path).await.expect(200);
        assert_eq!(list["items"], json!([seen]));
        let board = resident.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        assert!(text(&board["items"][0]["body"]).contains("最高限价：20000元"), "{board}");
        resident.get(&format!("/tenders/{project}")).await.refused(404, "not_found");
    })
    .await;
}

// Guards: the project's lock with `project_state`, and behind them the partial index `tenders_one_live`, which is tried directly.
#[actix_web::test]
async fn a_project_has_one_live_tender_whatever_happens_at_once() {
    TestApp::run(async |app| {
        bidders(app).await;
        let (programme, project) = selected(app).await;
        let [one, two] = app.sign_in_all(["staff", "staff-2"]).await.try_into().ok().unwrap();
        let path = format!("/projects/{project}/tenders");
        let tries = (0..8).map(|at| if at % 2 == 0 { &one } else { &two }.post(&path, terms(app)));
        let tries = join_all(tries).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!(tries.iter().filter(|answer| answer.body["code"] == "project_state").count(), 7);
        let row = tender::Entity::find().filter(tender::Column::ProjectId.eq(project)).one(app.state.db.read()).await;
        let mut copy = row.unwrap().unwrap().into_active_model();
        assert_eq!(copy.programme_id, sea_orm::ActiveValue::Unchanged(programme));
        copy.id = Set(ids::ordered(&app.state.clock));
        let copied = transact(&app.state, async |txn| {
            Ok(tender::Entity::insert(copy.reset_all()).exec_without_returning(txn).await?)
        });
        assert!(copied.await.is_err(), "the index refuses a second one");
    })
    .await;
}

#[actix_web::test]
async fn an_amendment_puts_the_closing_off_and_reaches_everybody_who_may_bid() {
    TestApp::run(async |app| {
        let mut round = Round::open(app).await;
        round.orgs[0].put(&round.to("/bid"), bid(app, round.ids[0], 1_000_000)).await.expect(200);
        let now = app.state.clock.now();
        let amend = |closes_at: DateTime<Utc>| json!({ "body": "增加回访要求。", "closes_at": closes_at });
        let path = round.to("/amendments");
        round.orgs[0].post(&path, amend(now + TimeDelta::days(20))).await.refused(403, "forbidden");
        round.staff.post(&path, amend(now + TimeDelta::days(5))).await.names("/closes_at");
        round.staff.post(&path, amend(now + TimeDelta::days(20))).await.expect(201);
        let seen = round.orgs[1].get(&round.path).await.expect(200);
        assert_eq!(
            (&seen["amendments"][0]["seq"], &seen["amendments"][0]["body"]),
            (&json!(1), &json!("增加回访要求。"))
        );
        // The bidder is told, and so is who has not bid: what is told does not say who bids.
        for person in &round.orgs {
            let titles = person.get("/inbox").await.expect(200)["items"].to_string();
            assert!(titles.contains("招标补充公告（第1次）"), "{titles}");
        }
        assert_eq!(round.notices(app, "tender.amended").await.len(), 1);
        app.advance(TimeDelta::days(15)).await;
        round.refresh(app).await;
        round.orgs[1].put(&round.to("/bid"), bid(app, round.ids[1], 900_000)).await.expect(200);
        app.advance(TimeDelta::days(6)).await;
        round.refresh(app).await;
        round.staff.post(&path, amend(now + TimeDelta::days(40))).await.refused(409, "tender_closed");
    })
    .await;
}

#[actix_web::test]
async fn questions_are_public_with_their_answer_and_without_the_asker() {
    TestApp::run(async |app| {
        let mut round = Round::open(app).await;
        let path = round.to("/questions");
        let resident = app.sign_in("resident-1").await;
        resident.post(&path, json!({ "body": "?" })).await.refused(403, "forbidden");
        let asked = round.orgs[0].post(&path, json!({ "body": "可以分两批安装吗？" })).await.expect(201);
        assert_eq!(resident.get(&path).await.expect(200)["items"], json!([]), "nobody has looked at it");
        assert_eq!(round.staff.get(&path).await.expect(200)["items"][0]["id"], asked["id"]);
        let answer = format!("/tender-questions/{}/answer", text(&asked["id"]));
        round.orgs[1].post(&answer, json!({ "body": "不可以" })).await.refused(403, "forbidden");
        round.staff.post(&answer, json!({ "body": "可以。" })).await.expect(200);
        round.second.post(&answer, json!({ "body": "不可以。" })).await.refused(409, "already_decided");
        let seen = resident.get(&path).await.expect(200);
        assert_eq!(seen["items"][0]["answer"], "可以。");
        let whole = seen.to_string();
        assert!(!whole.contains(&round.orgs[0].id) && !whole.contains(&round.ids[0].to_string()));
        let told = inbox_entry::Entity::find().filter(inbox_entry::Column::Kind.eq("tender.answer"));
        let told = told.all(app.state.db.read()).await.unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].user_id.to_string(), round.orgs[0].id);
        app.advance(TimeDelta::days(11)).await;
        round.refresh(app).await;
        round.orgs[0].post(&path, json!({ "body": "还能问吗" })).await.refused(409, "tender_closed");
    })
    .await;
}

// Guards: `organisations::conflicts` in `scoring::score`, the trigger `tender_scores_not_conflicted` (tried directly), the
// primary key of `tender_scores`.
#[actix_web::test]
async fn the_panel_scores_every_bid_once_and_nobody_with_a_conflict() {
    TestApp::run(async |app| {
        let mut round = Round::open(app).await;
        round.hand_in(app, [1_600_000, 1_200_000]).await;
        let bids = round.opened(app).await;
        let path = |bid: &Value| format!("/bids/{}/scores", text(&bid["id"]));
        round.panel[0].post(&path(&bids[0]), scores([8, 80])).await.refused(403, "forbidden");
        round.orgs[0]
            .post(&round.to("/panel"), json!({ "user_ids": [user_id("org-a")] }))
            .await
            .refused(403, "forbidden");
        round.staff.post(&round.to("/panel"), json!({ "user_ids": [user_id("nobody")] })).await.names("/user_ids/0");
        round.seat().await;
        round.staff.post(&round.to("/panel"), json!({ "user_ids": [user_id("org-a")] })).await.expect(200);
        round.orgs[0].post(&path(&bids[0]), scores([10, 100])).await.refused(403, "conflict_of_interest");
        let row = score::ActiveModel {
            bid_id: Set(text(&bids[0]["id"]).parse().unwrap()),
            criterion: Set(1),
            scorer_id: Set(user_id("org-a")),
            tender_id: Set(round.id().into()),
            points: Set(10),
            max_points: Set(10),
            scored_at: Set(app.state.clock.now()),
        };
        let direct =
            transact(&app.state, async |txn| Ok(score::Entity::insert(row).exec_without_returning(txn).await?)).await;
        assert_eq!(direct.unwrap_err().code().word(), "conflict_of_interest", "the database refuses too");

        for (given, pointer) in [
            (json!({ "scores": [{ "criterion": 1, "points": 5 }] }), "/scores"),
            (json!({ "scores": [{ "criterion": 1, "points": 5 }, { "criterion": 1, "points": 5 }] }), "/scores"),
            (
                json!({ "scores": [{ "criterion": 1, "points": 11 }, { "criterion": 2, "points": 5 }] }),
                "/scores/0/points",
            ),
            (
                json!({ "scores": [{ "criterion": 1, "points": -1 }, { "criterion": 2, "points": 5 }] }),
                "/scores/0/points",
            ),
        ] {
            round.panel[0].post(&path(&bids[0]), given).await.names(pointer);
        }
        let first = path(&bids[0]);
        let tries = join_all((0..6).map(|_| round.panel[0].post(&first, scores([9, 70])))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!(tries.iter().filter(|answer| answer.body["code"] == "already_scored").count(), 5);
        round.staff.get(&round.to("/ranking")).await.refused(409, "scores_missing");
        for person in &round.panel {
            for bid in &bids {
                let answer = person.post(&path(bid), scores([9, 70])).await;
                assert!(matches!(answer.status, 201 | 409), "{}", answer.body);
            }
        }
        let ranking = round.staff.get(&round.to("/ranking")).await.expect(200);
        assert_eq!((&ranking["scorers"], &ranking["bids"][0]["bid_id"]), (&json!(3), &bids[0]["id"]));
        round.orgs[0].get(&round.to("/ranking")).await.refused(403, "forbidden");
        let declared = json!({ "reason": "亲属在该机构任职" });
        round.panel[2].post(&round.to("/conflict"), declared.clone()).await.expect(200);
        round.orgs[1].post(&round.to("/conflict"), declared).await.refused(404, "not_found");
        assert_eq!(
            round.staff.get(&round.to("/ranking")).await.expect(200)["scorers"],
            2,
            "their scores count no more"
        );
        round.panel[2].post(&path(&bids[0]), scores([9, 70])).await.refused(403, "conflict_of_interest");
        let seats = round.staff.get(&round.to("/panel")).await.expect(200);
        assert_eq!(seats.as_array().unwrap().iter().filter(|seat| seat["conflict_at"].is_string()).count(), 1);
        let seats =
            panel::Entity::find().filter(panel::Column::Conflict.is_not_null()).count(app.state.db.read()).await;
        assert_eq!(seats.unwrap(), 1);
    })
    .await;
}

// Guards: the tender's lock with `no_award`, and behind them the partial index `tender_awards_one_live`, which is tried directly.
#[actix_web::test]
async fn two_officers_who_award_two_bids_at_once_make_one_award() {
    TestApp::run(async |app| {
        let (round, bids) = Round::scored(app).await;
        let path = round.to("/awards");
        let first = json!({ "bid_id": bids[0]["id"] });
        let other = json!({ "bid_id": bids[1]["id"], "reason": "团队更熟悉本社区" });
        let tries =
            (0..4).map(|_| join(round.staff.post(&path, first.clone()), round.second.post(&path, other.clone())));
        let tries: Vec<_> = join_all(tries).await.into_iter().flat_map(|(a, b)| [a, b]).collect();
        assert_eq!(tries.iter().filter(|answer| answer.status == 201).count(), 1);
        let lost = |answer: &&crate::support::Answer| answer.body["code"] == "award_exists";
        assert_eq!(tries.iter().filter(lost).count(), 7);
        let live =
            award::Entity::find().filter(award::Column::State.is_in([AwardState::Standing, AwardState::Proposed]));
        let live = live.all(app.state.db.read()).await.unwrap();
        assert_eq!(live.len(), 1);
        let mut copy = live[0].clone().into_active_model();
        copy.id = Set(ids::ordered(&app.state.clock));
        copy.bid_id = Set(text(&bids[1]["id"]).parse().unwrap());
        let copied = transact(&app.state, async |txn| {
            Ok(award::Entity::insert(copy.reset_all()).exec_without_returning(txn).await?)
        });
        assert!(copied.await.is_err(), "the index refuses a second one");
    })
    .await;
}

// Guards: the reason and the proposal in `awards::award`, `own_act` in `awards::decide`; the checks `tender_awards_reasoned` and
// `tender_awards_by_two` behind them.
#[actix_web::test]
async fn another_bid_than_the_first_needs_a_reason_and_a_second_person() {
    TestApp::run(async |app| {
        let (round, bids) = Round::scored(app).await;
        let path = round.to("/awards");
        let resident = app.sign_in("resident-1").await;
        round.orgs[0].post(&path, json!({ "bid_id": bids[0]["id"] })).await.refused(403, "forbidden");
        round.staff.post(&path, json!({ "bid_id": bids[1]["id"] })).await.names("/reason");
        round.staff.post(&path, json!({ "bid_id": round.id() })).await.names("/bid_id");
        let wish = json!({ "bid_id": bids[1]["id"], "reason": "团队更熟悉本社区" });
        let proposed = round.staff.post(&path, wish.clone()).await.expect(201);
        assert_eq!((&proposed["state"], &proposed["rank"]), (&json!("proposed"), &json!(2)));
        assert_eq!(round.project_state().await, "tendering");
        assert!(round.notices(app, "tender.award").await.is_empty());
        assert_eq!(resident.get(&path).await.expect(200)["items"], json!([]));
        let decision = |award: &Value| format!("/tender-awards/{}/decision", text(&award["id"]));
        round.staff.post(&decision(&proposed), json!({ "confirm": true })).await.refused(403, "own_act");
        round.second.post(&decision(&proposed), json!({ "confirm": false })).await.expect(200);
        round.second.post(&decision(&proposed), json!({ "confirm": true })).await.refused(409, "already_decided");
        let proposed = round.staff.post(&path, wish).await.expect(201);
        let decide = decision(&proposed);
        let tries = join_all((0..4).map(|_| round.second.post(&decide, json!({ "confirm": true })))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_eq!(round.project_state().await, "awarding");
        let notices = round.notices(app, "tender.award").await;
        assert_eq!(notices.len(), 1);
        assert!(notices[0].body.contains("未选第一名的理由：团队更熟悉本社区"), "{}", notices[0].body);
        let seen = resident.get(&path).await.expect(200);
        assert_eq!(
            (&seen["items"][0]["state"], &seen["items"][0]["ranking"]["bids"][0]["rank"]),
            (&json!("standing"), &json!(1))
        );
    })
    .await;
}

#[actix_web::test]
async fn the_first_ranked_bid_is_awarded_in_public_with_a_window_for_objections() {
    TestApp::run(async |app| {
        let (round, bids) = Round::scored(app).await;
        let award = round.staff.post(&round.to("/awards"), json!({ "bid_id": bids[0]["id"] })).await.expect(201);
        assert_eq!((&award["state"], &award["rank"]), (&json!("standing"), &json!(1)));
        assert_eq!(round.project_state().await, "awarding");
        let notices = round.notices(app, "tender.award").await;
        assert_eq!(notices[0].id.to_string(), text(&award["notice_id"]));
        assert!(notices[0].body.contains("春晖测试中心") && notices[0].body.contains("12000元"), "{}", notices[0].body);
        let window = notices[0].objections_until.unwrap() - app.state.clock.now();
        assert_eq!(window.num_hours(), 7 * 24 - 1, "the programme's seven days, of which moments have passed");
        let told = round.orgs[1].get("/inbox").await.expect(200)["items"].to_string();
        assert!(told.contains("拟中选"), "{told}");
        // Nothing changes under an award that stands.
        round.panel[2]
            .post(&format!("/bids/{}/scores", text(&bids[0]["id"])), scores([1, 1]))
            .await
            .refused(409, "tender_closed");
        round.panel[2].post(&round.to("/conflict"), json!({ "reason": "x" })).await.refused(409, "award_exists");
        round
            .staff
            .post(&format!("/tender-awards/{}/setting-aside", text(&award["id"])), json!({ "reason": "x" }))
            .await
            .refused(409, "award_not_upheld");
    })
    .await;
}

#[actix_web::test]
async fn an_upheld_objection_sets_the_award_aside_and_the_next_bid_can_be_awarded() {
    TestApp::run(async |app| {
        let (round, bids, award) = Round::awarded(app).await;
        uphold(app, &round, &award).await;
        round
            .staff
            .post(&format!("/projects/{}/contract", round.project), json!({}))
            .await
            .refused(409, "award_not_clear");
        let path = format!("/tender-awards/{}/setting-aside", text(&award["id"]));
        round.staff.post(&path, json!({ "reason": "" })).await.names("/reason");
        let tries = join_all((0..4).map(|_| round.staff.post(&path, json!({ "reason": "业绩材料不实" })))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_eq!(round.project_state().await, "tendering");
        assert_eq!(round.notices(app, "tender.award_set_aside").await.len(), 1);
        let ranking = round.staff.get(&round.to("/ranking")).await.expect(200);
        assert_eq!(ranking["bids"].as_array().unwrap().len(), 1, "what was set aside is out");
        round.staff.post(&round.to("/awards"), json!({ "bid_id": bids[0]["id"] })).await.names("/bid_id");
        round.staff.post(&round.to("/failure"), json!({ "reason": "无合格投标" })).await.refused(409, "valid_bids");
        round.staff.post(&round.to("/awards"), json!({ "bid_id": bids[1]["id"] })).await.expect(201);
        let awards = round.orgs[0].get(&round.to("/awards")).await.expect(200);
        let states: Vec<_> = awards["items"].as_array().unwrap().iter().map(|award| text(&award["state"])).collect();
        assert_eq!(states, ["standing", "set_aside"]);
    })
    .await;
}

/// A resident objects to an award; staff find that they are right.
async fn uphold(app: &TestApp, round: &Round, award: &Value) {
    let resident = app.sign_in("resident-1").await;
    let notice = text(&award["notice_id"]);
    let objection =
        resident.post(&format!("/notices/{notice}/objections"), json!({ "text": "业绩材料不实" })).await.expect(201);
    app.work().await;
    let reply = json!({ "outcome": "upheld", "reply": "经核实，业绩材料不实。" });
    round.second.post(&format!("/objections/{}/reply", text(&objection["id"])), reply).await.expect(200);
}

#[actix_web::test]
async fn a_tender_without_a_valid_bid_fails_and_the_project_can_be_put_out_again() {
    TestApp::run(async |app| {
        let mut round = Round::open(app).await;
        let fail = json!({ "reason": "无机构投标" });
        round.staff.post(&round.to("/failure"), fail.clone()).await.refused(409, "tender_not_opened");
        assert!(round.opened(app).await.is_empty());
        round.orgs[0].post(&round.to("/failure"), fail.clone()).await.refused(403, "forbidden");
        round.staff.post(&round.to("/awards"), json!({ "bid_id": round.id() })).await.refused(409, "scores_missing");
        round.staff.post(&round.to("/failure"), fail.clone()).await.expect(200);
        round.staff.post(&round.to("/failure"), fail).await.refused(409, "already_decided");
        assert_eq!(
            (round.project_state().await.as_str(), round.notices(app, "tender.failed").await.len()),
            ("selected", 1)
        );
        assert_eq!(round.staff.get(&round.path).await.expect(200)["phase"], "failed");
        assert_eq!(money(app, round.project.0).await, CEILING, "its money stays with it");
        round.staff.post(&format!("/projects/{}/tenders", round.project), terms(app)).await.expect(201);
    })
    .await;
}
