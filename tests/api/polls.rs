//! Polls: drafting, opening, voting, closing, and what holds when everybody comes at once.

use std::time::Duration;

use chrono::TimeDelta;
use entities::identity::{residency, user};
use entities::jobs::idempotency_key;
use entities::notices::notice;
use entities::notifications::inbox_entry;
use entities::places::household;
use entities::polls::{ballot, elector, participation, poll};
use futures_util::future::{join, join_all};
use linli::platform::ids;
use linli::verify;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
    Statement,
};
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use crate::support::{ANJING, BUILDING_1, BUILDING_2, GUANGHUA, Person, TestApp, place_id, user_id};

fn draft(path: &str, kind: &str) -> Value {
    json!({ "place_id": place_id(path), "title": "先办哪一件", "kind": kind,
            "options": [{ "title": "修路灯" }, { "title": "划车位" }, { "title": "装扶手" }] })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string")).to_owned()
}

/// The ids of a poll's options.
fn options(poll: &Value) -> Vec<String> {
    poll["options"].as_array().unwrap().iter().map(|option| text(&option["id"])).collect()
}

struct Poll {
    path: String,
    options: Vec<String>,
}

impl Poll {
    async fn draft(staff: &Person, body: Value) -> Self {
        let created = staff.post("/polls", body).await.expect(201);
        assert_eq!(created["state"], "draft");
        Self { path: format!("/polls/{}", text(&created["id"])), options: options(&created) }
    }

    async fn open(staff: &Person, body: Value) -> Self {
        let poll = Self::draft(staff, body).await;
        assert_eq!(staff.post(&format!("{}/open", poll.path), json!({})).await.expect(200)["state"], "open");
        poll
    }

    fn id(&self) -> Uuid {
        self.path.rsplit('/').next().unwrap().parse().unwrap()
    }

    async fn vote(&self, person: &Person, choices: &[usize]) -> crate::support::Answer {
        let choices: Vec<_> = choices.iter().map(|at| &self.options[*at]).collect();
        person.put(&format!("{}/ballot", self.path), json!({ "choices": choices })).await
    }

    async fn close(&self, staff: &Person) -> crate::support::Answer {
        staff.post(&format!("{}/close", self.path), json!({})).await
    }

    async fn result(&self, person: &Person) -> Value {
        person.get(&format!("{}/result", self.path)).await.expect(200)
    }
}

/// Everybody verified in 光华社区: 27 people, 13 of them in building 1.
async fn residents(app: &TestApp) -> Vec<Person> {
    let named = (1..=20).map(|at| format!("resident-{at}")).chain((1..=5).map(|at| format!("volunteer-{at}")));
    app.sign_in_all(named.chain(["leader".to_owned(), "representative".to_owned()])).await
}

#[actix_web::test]
async fn a_poll_from_draft_to_notice() {
    TestApp::run(async |app| {
        let [staff, one, two, three, newcomer] =
            app.sign_in_all(["staff", "resident-1", "resident-2", "resident-13", "newcomer-1"]).await.try_into().ok().unwrap();
        let projects = staff.get(&format!("/projects?place_id={}", place_id(GUANGHUA))).await.expect(200);
        let mut body = draft(GUANGHUA, "approval");
        body["max_choices"] = json!(2);
        body["options"][1]["project_id"] = projects["items"][0]["id"].clone();
        let poll = Poll::draft(&staff, body).await;
        let drafted = staff.get(&poll.path).await.expect(200);
        assert_eq!((&drafted["electorate"], &drafted["elector_by_me"]), (&json!(null), &json!(false)));
        assert_eq!(drafted["options"][1]["project_id"], projects["items"][0]["id"]);

        let opened = staff.post(&format!("{}/open", poll.path), json!({})).await.expect(200);
        assert_eq!((&opened["state"], &opened["electorate"]), (&json!("open"), &json!(27)));
        let mine = one.get(&poll.path).await.expect(200);
        assert_eq!((&mine["elector_by_me"], &mine["voted_by_me"]), (&json!(true), &json!(false)));
        let voted = poll.vote(&one, &[1, 0]).await.expect(200);
        assert_eq!(voted, json!({ "poll_id": poll.id(), "voted_by_me": true }));
        poll.vote(&two, &[1]).await.expect(200);
        poll.vote(&three, &[2, 1]).await.expect(200);
        assert_eq!(one.get(&poll.path).await.expect(200)["voted_by_me"], true);
        assert_eq!(newcomer.get(&poll.path).await.expect(200)["elector_by_me"], false);

        assert_eq!(poll.close(&staff).await.expect(200)["state"], "closed");
        let result = poll.result(&newcomer).await;
        assert_eq!((&result["electorate"], &result["ballots"]), (&json!(27), &json!(3)));
        assert_eq!(result["turnout_percent"], 11.11);
        let votes: Vec<_> = result["options"].as_array().unwrap().iter().map(|option| option["votes"].clone()).collect();
        assert_eq!(votes, [1, 3, 1]);
        assert_eq!(result["options"][0]["title"], "修路灯");
        assert_eq!(result["winners"], json!([poll.options[1]]));
        assert_eq!(result["explanation"], json!({ "method": "approval", "max_choices": 2, "winning_votes": 3, "tied": false }));

        let board = newcomer.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        let notice = &board["items"][0];
        assert_eq!((&notice["kind"], &notice["subject_id"]), (&json!("poll.result"), &json!(poll.id())));
        assert_eq!(notice["title"], "表决结果：先办哪一件");
        assert_eq!(
            notice["body"],
            "名册 27 人，投票 3 人，参与率 11.11%。\n修路灯：1 票\n划车位：3 票\n装扶手：1 票\n结果：得票最多的是“划车位”。"
        );
    })
    .await;
}

#[actix_web::test]
async fn counts_are_hidden_until_closing_from_everybody() {
    TestApp::run(async |app| {
        let [staff, resident, district] =
            app.sign_in_all(["staff", "resident-1", "district"]).await.try_into().ok().unwrap();
        let poll = Poll::draft(&staff, draft(GUANGHUA, "single")).await;
        let result = format!("{}/result", poll.path);
        staff.get(&result).await.refused(404, "result_hidden");
        resident.get(&result).await.refused(404, "not_found");
        staff.post(&format!("{}/open", poll.path), json!({})).await.expect(200);
        poll.vote(&resident, &[0]).await.expect(200);
        let list = format!("/polls?place_id={}", place_id(GUANGHUA));
        for person in [&staff, &resident, &district] {
            person.get(&result).await.refused(404, "result_hidden");
            for answer in [person.get(&poll.path).await, person.get(&list).await] {
                let shown = String::from_utf8(answer.bytes.clone()).unwrap();
                answer.expect(200);
                for word in ["votes", "ballots", "turnout", "winners", "result", "participations"] {
                    assert!(!shown.contains(word), "{word}: {shown}");
                }
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn a_ballot_is_refused_for_what_is_wrong_with_it() {
    TestApp::run(async |app| {
        let [staff, resident, newcomer] =
            app.sign_in_all(["staff", "resident-1", "newcomer-1"]).await.try_into().ok().unwrap();
        let poll = Poll::draft(&staff, draft(GUANGHUA, "single")).await;
        poll.vote(&resident, &[0]).await.refused(409, "poll_not_open");
        staff.post(&format!("{}/open", poll.path), json!({})).await.expect(200);
        for outsider in [&newcomer, &staff] {
            poll.vote(outsider, &[0]).await.refused(403, "not_an_elector");
        }
        let other = Poll::open(&staff, draft(GUANGHUA, "approval")).await;
        let path = format!("{}/ballot", poll.path);
        for (choices, pointer) in [
            (json!([]), "/choices"),
            (json!([poll.options[0], poll.options[1]]), "/choices"),
            (json!([other.options[0]]), "/choices/0"),
            (json!([user_id("staff")]), "/choices/0"),
            (json!(["x"]), "/choices/0"),
            (json!([1]), "/choices/0"),
            (json!("x"), "/choices"),
        ] {
            resident.put(&path, json!({ "choices": choices })).await.names(pointer);
        }
        resident.put(&path, json!({ "choices": [poll.options[0]], "nope": 1 })).await.names("/nope");
        resident.put(&path, json!({})).await.names("/choices");
        resident.put("/polls/x/ballot", json!({ "choices": [] })).await.refused(404, "not_found");
        let nowhere = format!("/polls/{}/ballot", user_id("staff"));
        resident.put(&nowhere, json!({ "choices": [] })).await.refused(404, "not_found");

        // None of these used up the vote.
        assert_eq!(resident.get(&poll.path).await.expect(200)["voted_by_me"], false);
        poll.vote(&resident, &[2]).await.expect(200);
        poll.vote(&resident, &[2]).await.refused(409, "already_voted");
        let twice = json!({ "choices": [other.options[0], other.options[1], other.options[0]] });
        resident.put(&format!("{}/ballot", other.path), twice).await.names("/choices/2");
        poll.vote(&resident, &[0, 1]).await.refused(409, "already_voted");
        poll.close(&staff).await.expect(200);
        for person in [&resident, &newcomer] {
            poll.vote(person, &[0]).await.refused(409, "poll_closed");
        }
        assert_eq!(poll.result(&resident).await["winners"], json!([poll.options[2]]));
    })
    .await;
}

#[actix_web::test]
async fn only_staff_of_the_place_hold_polls() {
    TestApp::run(async |app| {
        let people = ["staff", "staff-2", "street", "staff-other", "resident-1", "leader"];
        let [staff, colleague, street, other, resident, leader] =
            app.sign_in_all(people).await.try_into().ok().unwrap();
        for person in [&other, &resident, &leader] {
            person.post("/polls", draft(GUANGHUA, "single")).await.refused(403, "forbidden");
        }
        let poll = Poll::draft(&staff, draft(GUANGHUA, "single")).await;
        let list = format!("/polls?place_id={}&state=draft", place_id(GUANGHUA));
        let drafts = async |person: &Person| person.get(&list).await.expect(200)["items"].as_array().unwrap().len();
        assert_eq!((drafts(&colleague).await, drafts(&street).await), (2, 2), "this one and the demo's");
        // Others do not learn of a draft.
        for person in [&other, &resident, &leader] {
            assert_eq!(drafts(person).await, 0);
            person.get(&poll.path).await.refused(404, "not_found");
            person.post(&format!("{}/open", poll.path), json!({})).await.refused(404, "not_found");
        }
        poll.close(&staff).await.refused(409, "poll_not_open");
        street.post(&format!("{}/open", poll.path), json!({})).await.expect(200);
        for person in [&other, &resident, &leader] {
            person.get(&poll.path).await.expect(200);
            person.post(&format!("{}/open", poll.path), json!({})).await.refused(403, "forbidden");
            poll.close(person).await.refused(403, "forbidden");
        }
        staff.post(&format!("{}/open", poll.path), json!({})).await.refused(409, "poll_already_open");
        poll.close(&colleague).await.expect(200);
        poll.close(&staff).await.refused(409, "poll_closed");
        staff.post(&format!("{}/open", poll.path), json!({})).await.refused(409, "poll_closed");
        staff.post(&format!("/polls/{}/open", user_id("staff")), json!({})).await.refused(404, "not_found");
    })
    .await;
}

#[actix_web::test]
async fn the_same_key_opens_and_closes_once() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let first = staff.post_with_key("/polls", draft(GUANGHUA, "single"), "new").await.expect(201);
        assert_eq!(staff.post_with_key("/polls", draft(GUANGHUA, "single"), "new").await.expect(201), first);
        for word in ["open", "close"] {
            let path = format!("/polls/{}/{word}", text(&first["id"]));
            let once = staff.post_with_key(&path, json!({}), word).await.expect(200);
            assert_eq!(staff.post_with_key(&path, json!({}), word).await.expect(200), once);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_poll_that_makes_no_sense_is_refused() {
    TestApp::run(async |app| {
        let staff = app.sign_in("district").await;
        let before = poll::Entity::find().count(app.state.db.read()).await.unwrap();
        let now = app.state.clock.now();
        let elsewhere = staff.get(&format!("/projects?place_id={}", place_id(ANJING))).await.expect(200);
        let many: Vec<_> = (0..51).map(|at| json!({ "title": at.to_string() })).collect();
        let with = |kind: &str, field: &str, value: Value| {
            let mut body = draft(GUANGHUA, kind);
            body[field] = value;
            body
        };
        let twice = json!([{ "title": "甲" }, { "title": " 甲 " }]);
        let foreign = json!([{ "title": "甲" }, { "title": "乙", "project_id": elsewhere["items"][0]["id"] }]);
        let missing = json!([{ "title": "甲", "project_id": user_id("staff") }, { "title": "乙" }]);
        for (body, pointer) in [
            (with("single", "options", json!([{ "title": "甲" }])), "/options"),
            (with("single", "options", json!([])), "/options"),
            (with("approval", "options", json!(many)), "/options"),
            (with("yes_no", "options", json!(many[..4])), "/options"),
            (with("single", "options", twice), "/options/1/title"),
            (with("single", "options", foreign), "/options/1/project_id"),
            (with("single", "options", missing), "/options/0/project_id"),
            (with("single", "options", json!([{ "title": "" }, { "title": "乙" }])), "/options/0/title"),
            (with("single", "options", json!([{ "title": "甲" }, { "title": "乙", "x": 1 }])), "/options/1/x"),
            (with("single", "max_choices", json!(2)), "/max_choices"),
            (with("approval", "max_choices", json!(0)), "/max_choices"),
            (with("approval", "max_choices", json!(4)), "/max_choices"),
            (with("approval", "max_choices", json!(-1)), "/max_choices"),
            (with("approval", "max_choices", json!("2")), "/max_choices"),
            (with("ranked", "title", json!("x")), "/kind"),
            (with("single", "title", json!("x".repeat(101))), "/title"),
            (with("single", "title", json!("a\u{0}")), "/title"),
            (with("single", "secret", json!("yes")), "/secret"),
            (with("single", "nope", json!(1)), "/nope"),
            (with("single", "place_id", json!(user_id("staff"))), "/place_id"),
            (with("single", "place_id", json!(place_id("/jiangan/chezhan/"))), "/place_id"),
            (with("single", "closes_at", json!(now)), "/closes_at"),
            (with("single", "closes_at", json!("9999-01-01T00:00:00Z")), "/closes_at"),
            (with("single", "opens_at", json!("tomorrow")), "/opens_at"),
            (with("single", "opens_at", json!("9999-01-01T00:00:00Z")), "/opens_at"),
        ] {
            staff.post("/polls", body).await.names(pointer);
        }
        let mut body = with("single", "opens_at", json!(now + TimeDelta::hours(2)));
        body["closes_at"] = json!(now + TimeDelta::hours(1));
        staff.post("/polls", body).await.names("/closes_at");
        staff.get("/polls").await.names("?place_id");
        staff.get(&format!("/polls?place_id={}&state=x", place_id(GUANGHUA))).await.refused(422, "invalid_input");
        assert_eq!(poll::Entity::find().count(app.state.db.read()).await.unwrap(), before, "nothing was stored");
    })
    .await;
}

#[actix_web::test]
async fn yes_or_no_needs_more_for_than_against() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let people = app.sign_in_all(["resident-1", "resident-2", "resident-3", "resident-4"]).await;
        let body = json!({ "place_id": place_id(GUANGHUA), "title": "是否同意", "kind": "yes_no" });
        for (ballots, winner, adopted) in
            [([0, 0, 1, 2], Some(0), true), ([0, 1, 1, 2], Some(1), false), ([0, 1, 2, 2], None, false)]
        {
            let poll = Poll::open(&staff, body.clone()).await;
            let shown = staff.get(&poll.path).await.expect(200);
            let titles: Vec<_> =
                shown["options"].as_array().unwrap().iter().map(|option| text(&option["title"])).collect();
            assert_eq!(titles, ["赞成", "反对", "弃权"]);
            for (person, choice) in people.iter().zip(ballots) {
                poll.vote(person, &[choice]).await.expect(200);
            }
            poll.close(&staff).await.expect(200);
            let result = poll.result(&people[0]).await;
            let winners: Vec<_> = winner.into_iter().map(|at: usize| &poll.options[at]).collect();
            assert_eq!(result["winners"], json!(winners));
            assert_eq!(result["explanation"]["adopted"], adopted);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_tie_has_all_its_leaders_and_an_empty_poll_no_winner() {
    TestApp::run(async |app| {
        let [staff, one, two] = app.sign_in_all(["staff", "resident-1", "resident-2"]).await.try_into().ok().unwrap();
        let tie = Poll::open(&staff, draft(GUANGHUA, "single")).await;
        tie.vote(&one, &[2]).await.expect(200);
        tie.vote(&two, &[0]).await.expect(200);
        tie.close(&staff).await.expect(200);
        let result = tie.result(&one).await;
        assert_eq!(result["winners"], json!([tie.options[0], tie.options[2]]));
        assert_eq!(result["explanation"]["tied"], true);
        // Nobody lives in the third building: its electorate is empty, and that is no fault.
        let empty = Poll::open(&staff, draft("/jiangan/chezhan/guanghua/wg1/b3/", "single")).await;
        empty.close(&staff).await.expect(200);
        let result = empty.result(&one).await;
        assert_eq!(
            (&result["electorate"], &result["winners"], &result["turnout_percent"]),
            (&json!(0), &json!([]), &json!(0.0))
        );
    })
    .await;
}

async fn verify_newcomer(app: &TestApp) -> Person {
    let [newcomer, leader] = app.sign_in_all(["newcomer-1", "leader"]).await.try_into().ok().unwrap();
    let phone_code = app.simulator.control().phone_code("newcomer-1").unwrap();
    let claim = json!({ "building_id": place_id(BUILDING_1), "unit": "1", "room": "301", "real_name": "孙小梅", "phone_code": phone_code });
    let id = text(&newcomer.post("/residencies", claim).await.expect(201)["id"]);
    leader.post(&format!("/residencies/{id}/approve"), json!({})).await.expect(200);
    newcomer
}

#[actix_web::test]
async fn the_electorate_is_who_lives_in_the_place_at_opening() {
    TestApp::run(async |app| {
        let [staff, first, second] =
            app.sign_in_all(["staff", "resident-1", "resident-13"]).await.try_into().ok().unwrap();
        let building = Poll::open(&staff, draft(BUILDING_1, "single")).await;
        assert_eq!(first.get(&building.path).await.expect(200)["electorate"], 13);
        building.vote(&first, &[0]).await.expect(200);
        building.vote(&second, &[0]).await.refused(403, "not_an_elector");
        let late = verify_newcomer(app).await;
        building.vote(&late, &[0]).await.refused(403, "not_an_elector");
        assert_eq!(late.get(&building.path).await.expect(200)["electorate"], 13);
        let next = Poll::open(&staff, draft(BUILDING_1, "single")).await;
        next.vote(&late, &[0]).await.expect(200);

        let listed = async |path: &str| {
            let list = first.get(&format!("/polls?place_id={}&state=open", place_id(path))).await.expect(200);
            list["items"].as_array().unwrap().iter().map(|poll| text(&poll["id"])).collect::<Vec<_>>()
        };
        assert_eq!(listed(BUILDING_1).await, [next.id().to_string(), building.id().to_string()]);
        assert!(listed(BUILDING_2).await.is_empty());
        assert_eq!(listed(GUANGHUA).await.len(), 3, "the demo's too");
        assert_eq!(listed("/jiangan/").await.len(), 3);
        assert!(listed(ANJING).await.is_empty());
    })
    .await;
}

#[actix_web::test]
async fn the_electors_are_told_once_and_only_they() {
    TestApp::run(async |app| {
        let [staff, first, second] =
            app.sign_in_all(["staff", "resident-1", "resident-13"]).await.try_into().ok().unwrap();
        first.post("/me/message-consents", json!({ "template": "survey", "accepted": true })).await.expect(200);
        assert_eq!(first.get("/me").await.expect(200)["unread"], 0, "the demo's open poll told nobody");
        let poll = Poll::open(&staff, draft(BUILDING_1, "single")).await;
        app.work().await;
        let inbox = first.get("/inbox").await.expect(200);
        assert_eq!(inbox["items"].as_array().unwrap().len(), 1);
        let entry = &inbox["items"][0];
        assert_eq!((&entry["kind"], &entry["target_id"]), (&json!("poll.opened"), &json!(poll.id())));
        assert_eq!(app.simulator.control().sent_messages("resident-1").len(), 1);
        assert_eq!(second.get("/me").await.expect(200)["unread"], 0);
        // A job runs at least once; a second delivery changes nothing.
        let payload = json!({ "poll_id": poll.id(), "after": null });
        linli::platform::jobs::enqueue(app.state.db.read(), &app.state.clock, "polls.invite", payload).await.unwrap();
        app.work().await;
        assert_eq!(first.get("/me").await.expect(200)["unread"], 1);
    })
    .await;
}

#[actix_web::test]
async fn a_large_roll_is_frozen_at_once_and_told_in_batches() {
    TestApp::run(async |app| {
        const PEOPLE: usize = 1200;
        let staff = app.sign_in("staff").await;
        let txn = app.state.db.begin().await.unwrap();
        let now = app.state.clock.now();
        let sample = residency::Entity::find().filter(residency::Column::UserId.eq(user_id("resident-1")));
        let sample = sample.one(&txn).await.unwrap().unwrap();
        let people: Vec<_> = (0..PEOPLE).map(|_| ids::unordered::<entities::ids::UserId>()).collect();
        let users = people.iter().map(|id| user::Model {
            id: *id,
            openid: id.to_string(),
            unionid: None,
            nickname: "x".to_owned(),
            board_opt_out: false,
            last_login_at: now,
            created_at: now,
        });
        user::Entity::insert_many(users.map(IntoActiveModel::into_active_model))
            .exec_without_returning(&txn)
            .await
            .unwrap();
        let homes = people.iter().map(|id| residency::Model { id: ids::unordered(), user_id: *id, ..sample.clone() });
        for chunk in homes.map(IntoActiveModel::into_active_model).collect::<Vec<_>>().chunks(500) {
            residency::Entity::insert_many(chunk.to_vec()).exec_without_returning(&txn).await.unwrap();
        }
        assert_eq!(household::Entity::find_by_id(sample.household_id).count(&txn).await.unwrap(), 1);
        txn.commit().await.unwrap();

        let poll = Poll::draft(&staff, draft(GUANGHUA, "single")).await;
        let opened = staff.post(&format!("{}/open", poll.path), json!({})).await.expect(200);
        assert_eq!(opened["electorate"], 27 + PEOPLE);
        let entries = inbox_entry::Entity::find().filter(inbox_entry::Column::Kind.eq("poll.opened"));
        assert_eq!(entries.count(app.state.db.read()).await.unwrap(), 0, "nobody waits for everybody to be told");
        app.work().await;
        let told = inbox_entry::Entity::find().filter(inbox_entry::Column::Kind.eq("poll.opened"));
        assert_eq!(told.count(app.state.db.read()).await.unwrap(), u64::try_from(27 + PEOPLE).unwrap());
    })
    .await;
}

#[actix_web::test]
async fn the_calendar_opens_and_closes_once() {
    TestApp::run(async |app| {
        let [staff, resident] = app.sign_in_all(["staff", "resident-1"]).await.try_into().ok().unwrap();
        let mut body = draft(GUANGHUA, "single");
        body["opens_at"] = json!(app.state.clock.now() + TimeDelta::minutes(10));
        body["closes_at"] = json!(app.state.clock.now() + TimeDelta::minutes(20));
        let poll = Poll::draft(&staff, body.clone()).await;
        app.advance(TimeDelta::minutes(9)).await;
        poll.vote(&resident, &[0]).await.refused(409, "poll_not_open");
        app.advance(TimeDelta::minutes(2)).await;
        assert_eq!(app.sign_in("resident-1").await.get(&poll.path).await.expect(200)["state"], "open");
        let resident = app.sign_in("resident-1").await;
        poll.vote(&resident, &[0]).await.expect(200);

        // Voting ends on time even before anybody has counted.
        app.state.clock.advance(TimeDelta::minutes(10));
        let other = app.sign_in("resident-2").await;
        poll.vote(&other, &[0]).await.refused(409, "poll_closed");
        other.get(&format!("{}/result", poll.path)).await.refused(404, "result_hidden");
        // Several workers at once; each schedule and each poll is taken by one.
        let work = (0..6).map(|_| linli::platform::jobs::worker::drain(&app.state));
        for done in join_all(work).await {
            done.unwrap();
        }
        assert_eq!(poll.result(&other).await["ballots"], 1);
        assert_eq!(notice::Entity::find().count(app.state.db.read()).await.unwrap(), 1);

        // A draft whose time went by is never opened.
        body["opens_at"] = Value::Null;
        body["closes_at"] = json!(app.state.clock.now() + TimeDelta::minutes(1));
        let staff = app.sign_in("staff").await;
        let missed = Poll::draft(&staff, body).await;
        app.advance(TimeDelta::minutes(2)).await;
        staff.post(&format!("{}/open", missed.path), json!({})).await.refused(409, "poll_closed");
    })
    .await;
}

#[actix_web::test]
async fn a_secret_ballot_is_kept_without_person_time_and_order() {
    TestApp::run(async |app| {
        let [staff, resident] = app.sign_in_all(["staff", "resident-1"]).await.try_into().ok().unwrap();
        let mut body = draft(GUANGHUA, "approval");
        body["secret"] = json!(true);
        let poll = Poll::open(&staff, body).await;
        let keys = async || idempotency_key::Entity::find().count(app.state.db.read()).await.unwrap();
        let before = keys().await;
        let choices = json!({ "choices": [poll.options[2], poll.options[0]] });
        let path = format!("{}/ballot", poll.path);
        let request = resident.request(reqwest::Method::PUT, &path).header("Idempotency-Key", "mine").json(&choices);
        resident.send(request).await.expect(200);
        assert_eq!(keys().await, before);
        let row = ballot::Entity::find().one(app.state.db.read()).await.unwrap().unwrap();
        assert_eq!((row.user_id, row.cast_at), (None, None));
        assert_eq!(row.id.0.get_version_num(), 4);
        assert_eq!(row.choices, json!([poll.options[0], poll.options[2]]), "the order of ticking is not kept");
        poll.vote(&resident, &[0]).await.refused(409, "already_voted");
        poll.close(&staff).await.expect(200);
        assert_eq!(poll.result(&resident).await["ballots"], 1);
    })
    .await;
}

// Guard: the primary key of `poll_participations`, by ON CONFLICT DO NOTHING.
#[actix_web::test]
async fn of_one_electors_parallel_ballots_exactly_one_counts() {
    TestApp::run(async |app| {
        let [staff, resident] = app.sign_in_all(["staff", "resident-1"]).await.try_into().ok().unwrap();
        for secret in [false, true] {
            let mut body = draft(GUANGHUA, "single");
            body["secret"] = json!(secret);
            let poll = Poll::open(&staff, body).await;
            let ballots: Vec<_> = (0..50).map(|at| [at % 3]).collect();
            let answers = join_all(ballots.iter().map(|choices| poll.vote(&resident, choices))).await;
            let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
            assert_eq!(won.len(), 1);
            for answer in lost {
                answer.refused(409, "already_voted");
            }
            poll.close(&staff).await.expect(200);
            assert_eq!(poll.result(&resident).await["ballots"], 1);
        }
    })
    .await;
}

#[actix_web::test]
async fn all_electors_vote_at_once() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let people = residents(app).await;
        let poll = Poll::open(&staff, draft(GUANGHUA, "single")).await;
        let ballots: Vec<_> = (0..people.len()).map(|at| [at % 3]).collect();
        let answers = join_all(people.iter().zip(&ballots).map(|(person, choices)| poll.vote(person, choices))).await;
        for answer in answers {
            answer.expect(200);
        }
        poll.close(&staff).await.expect(200);
        let result = poll.result(&people[0]).await;
        let votes: Vec<_> =
            result["options"].as_array().unwrap().iter().map(|option| option["votes"].clone()).collect();
        assert_eq!(votes, [9, 9, 9]);
        assert_eq!((&result["electorate"], &result["turnout_percent"]), (&json!(27), &json!(100.0)));
        assert_eq!(result["winners"].as_array().unwrap().len(), 3);
    })
    .await;
}

/// Waits until so many of PostgreSQL's sessions in this database wait for a lock; a moment on SQLite, where nobody can tell.
async fn until_waiting(app: &TestApp, sessions: i64) {
    if !app.state.db.is_postgres() {
        return tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let query =
        "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..3000 {
        let statement = Statement::from_string(DbBackend::Postgres, query);
        let row = app.state.db.read().query_one_raw(statement).await.unwrap().unwrap();
        if row.try_get::<i64>("", "n").unwrap() >= sessions {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{sessions} sessions never waited");
}

// Guards: the shared lock on the poll's row in ballot.rs against the exclusive one of closing; and that closing first ends the
// voting, without which a stream of ballots keeps it waiting for seconds on PostgreSQL.
#[actix_web::test]
async fn closing_waits_for_ballots_under_way_and_for_no_more() {
    TestApp::run(async |app| {
        let [staff, resident, late] =
            app.sign_in_all(["staff", "resident-1", "resident-2"]).await.try_into().ok().unwrap();
        let poll = Poll::open(&staff, draft(GUANGHUA, "single")).await;
        // Stops the ballot half way: ticking the elector off refers to this row. (On SQLite both wait for the one writer.)
        let obstacle = app.state.db.begin().await.unwrap();
        let key = (entities::ids::PollId(poll.id()), user_id("resident-1"));
        assert!(elector::Entity::find_by_id(key).lock_exclusive().one(&obstacle).await.unwrap().is_some());
        let closing = async {
            until_waiting(app, 1).await;
            poll.close(&staff).await
        };
        let removal = async {
            until_waiting(app, 2).await;
            if app.state.db.is_postgres() {
                assert_eq!(staff.get(&poll.path).await.expect(200)["state"], "open", "closing waits");
                poll.vote(&late, &[0]).await.refused(409, "poll_closed");
            }
            obstacle.commit().await.unwrap();
        };
        let (ballot, (closed, ())) = join(poll.vote(&resident, &[0]), join(closing, removal)).await;
        closed.expect(200);
        if app.state.db.is_postgres() {
            assert_eq!(ballot.status, 200);
        }
        assert_eq!(poll.result(&resident).await["ballots"], i32::from(ballot.status == 200));
    })
    .await;
}

#[actix_web::test]
async fn ballots_acknowledged_are_ballots_counted_whenever_it_closes() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let people = residents(app).await;
        for round in 0..12 {
            let poll = Poll::open(&staff, draft(GUANGHUA, "single")).await;
            let acknowledged = watch::Sender::new(0_usize);
            let voting = join_all(people.iter().enumerate().map(async |(at, person)| {
                // They keep trying until they hear that it is over: closing must get through all the same.
                loop {
                    let answer = poll.vote(person, &[at % 3]).await;
                    match (answer.status, answer.body["code"].as_str()) {
                        (200, _) => acknowledged.send_modify(|count| *count += 1),
                        (409, Some("already_voted")) => {}
                        (409, Some("poll_closed")) => return,
                        _ => panic!("{answer:?}"),
                    }
                }
            }));
            // Each round closes somewhat later in the stream of ballots.
            let closing = async {
                acknowledged.subscribe().wait_for(|count| *count >= round * 2).await.unwrap();
                poll.close(&staff).await.expect(200);
            };
            join(voting, closing).await;
            let acknowledged = *acknowledged.borrow();
            assert!(acknowledged >= round * 2);
            assert_eq!(poll.result(&staff).await["ballots"], acknowledged);
            let kept = ballot::Entity::find().filter(ballot::Column::PollId.eq(poll.id()));
            assert_eq!(kept.count(app.state.db.read()).await.unwrap(), u64::try_from(acknowledged).unwrap());
        }
    })
    .await;
}

// Guard: the exclusive lock on the poll's row, and the state in the update's condition.
#[actix_web::test]
async fn parallel_openings_freeze_once_and_parallel_closings_count_once() {
    TestApp::run(async |app| {
        let [staff, colleague, resident] =
            app.sign_in_all(["staff", "staff-2", "resident-1"]).await.try_into().ok().unwrap();
        let poll = Poll::draft(&staff, draft(GUANGHUA, "single")).await;
        let at_once = async |word: &str, refusal: &str| {
            let path = format!("{}/{word}", poll.path);
            let calls = (0..20).map(|at| if at % 2 == 0 { &staff } else { &colleague }.post(&path, json!({})));
            let (won, lost): (Vec<_>, Vec<_>) =
                join_all(calls).await.into_iter().partition(|answer| answer.status == 200);
            assert_eq!(won.len(), 1, "{word}");
            for answer in lost {
                answer.refused(409, refusal);
            }
        };
        at_once("open", "poll_already_open").await;
        let roll = elector::Entity::find().filter(elector::Column::PollId.eq(poll.id()));
        assert_eq!(roll.count(app.state.db.read()).await.unwrap(), 27);
        poll.vote(&resident, &[1]).await.expect(200);
        at_once("close", "poll_closed").await;
        assert_eq!(notice::Entity::find().count(app.state.db.read()).await.unwrap(), 1);
        assert_eq!(poll.result(&resident).await["ballots"], 1);
    })
    .await;
}

#[actix_web::test]
async fn the_audit_finds_what_does_not_add_up() {
    TestApp::run(async |app| {
        let [staff, one, two] = app.sign_in_all(["staff", "resident-1", "resident-2"]).await.try_into().ok().unwrap();
        let poll = Poll::open(&staff, draft(GUANGHUA, "single")).await;
        poll.vote(&one, &[0]).await.expect(200);
        poll.vote(&two, &[1]).await.expect(200);
        poll.close(&staff).await.expect(200);
        assert_eq!(verify::run(&app.state).await.unwrap(), Vec::<String>::new());
        let findings = async |statement: &str| {
            // Deferred to nothing: the change is committed, audited and undone.
            let txn = app.state.db.begin().await.unwrap();
            txn.execute_unprepared(statement).await.unwrap();
            txn.commit().await.unwrap();
            verify::run(&app.state).await.unwrap().join("\n")
        };
        let ballots = ballot::Entity::find().all(app.state.db.read()).await.unwrap();
        let ticks = participation::Entity::find().all(app.state.db.read()).await.unwrap();

        let swapped = format!("UPDATE poll_ballots SET choices = '[\"{}\"]'", poll.options[2]);
        assert!(findings(&swapped).await.contains("not what its ballots say"));
        let invalid = format!("UPDATE poll_ballots SET choices = '[\"{}\"]'", user_id("staff"));
        assert!(findings(&invalid).await.contains("invalid at /choices/0"));
        let lost = findings("DELETE FROM poll_ballots").await;
        assert!(lost.contains("not as many ballots as participations") && lost.contains("not what its ballots say"));
        let unticked = findings("DELETE FROM poll_participations").await;
        assert!(unticked.contains("not what its ballots say"));
        let txn = app.state.db.begin().await.unwrap();
        let rows = ballots.into_iter().map(IntoActiveModel::into_active_model);
        ballot::Entity::insert_many(rows).exec_without_returning(&txn).await.unwrap();
        txn.commit().await.unwrap();
        let stuffed = verify::run(&app.state).await.unwrap().join("\n");
        assert!(stuffed.contains("names somebody who did not take part"), "{stuffed}");
        let shrunk =
            findings("DELETE FROM poll_electors WHERE poll_id IN (SELECT id FROM polls WHERE state = 'closed')").await;
        assert!(shrunk.contains("electorate is not the number of its electors"));

        // Undo: the roll is the same people, who have not moved.
        let txn = app.state.db.begin().await.unwrap();
        txn.execute_unprepared(
            "INSERT INTO poll_electors (poll_id, user_id) SELECT p.id, r.user_id FROM polls p, residencies r \
             WHERE p.state = 'closed' AND r.state = 'approved' AND r.community_id = p.community_id",
        )
        .await
        .unwrap();
        let rows = ticks.into_iter().map(IntoActiveModel::into_active_model);
        participation::Entity::insert_many(rows).exec_without_returning(&txn).await.unwrap();
        txn.commit().await.unwrap();
    })
    .await;
}
