//! Teams and rosters.

use entities::audit::log;
use entities::teams::{MemberState, member};
use futures_util::future::join_all;
use linli::platform::code::Code;
use linli::platform::http::Problem;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{ANJING, BUILDING_1, GUANGHUA, Person, TestApp, place_id, user_id};

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

fn new(leader: &str) -> Value {
    json!({ "place_id": place_id(GUANGHUA), "name": "红色引擎一队", "description": "车主和家人", "leader_id": user_id(leader) })
}

async fn found(staff: &Person, leader: &str) -> String {
    id(&staff.post("/teams", new(leader)).await.expect(201))
}

/// Somebody asks and the leader accepts.
async fn join(leader: &Person, person: &Person, team: &str) -> String {
    let asked = id(&person.post(&format!("/teams/{team}/requests"), json!({})).await.expect(201));
    leader.post(&format!("/team-members/{asked}/accept"), json!({})).await.expect(200);
    asked
}

#[actix_web::test]
async fn a_team_is_founded_and_people_join_by_request_or_by_invitation() {
    TestApp::run(async |app| {
        let [staff, leader, asks, invited, declines] = app
            .sign_in_all(["staff", "volunteer-1", "volunteer-2", "resident-1", "resident-2"])
            .await
            .try_into()
            .ok()
            .unwrap();
        let team = found(&staff, "volunteer-1").await;
        let seen = leader.get(&format!("/teams/{team}")).await.expect(200);
        assert_eq!((&seen["members"], &seen["my_membership"]["state"]), (&json!(1), &json!("active")));

        let asked = asks.post(&format!("/teams/{team}/requests"), json!({})).await.expect(201);
        assert_eq!(asked["state"], "requested");
        assert_eq!(leader.get("/inbox").await.expect(200)["items"][0]["kind"], "team.requested");
        asks.post(&format!("/teams/{team}/requests"), json!({})).await.refused(409, "already_member");
        let accept = format!("/team-members/{}/accept", id(&asked));
        asks.post(&accept, json!({})).await.refused(403, "own_act");
        invited.post(&accept, json!({})).await.refused(404, "not_found");
        assert_eq!(leader.post(&accept, json!({})).await.expect(200)["state"], "active");
        leader.post(&accept, json!({})).await.refused(409, "membership_state");
        assert_eq!(asks.get("/inbox").await.expect(200)["items"][0]["title"], "入队申请已通过");

        let invite = |person: &Person| json!({ "user_id": person.id });
        let path = format!("/teams/{team}/invitations");
        asks.post(&path, invite(&invited)).await.refused(403, "forbidden");
        let one = leader.post(&path, invite(&invited)).await.expect(201);
        let two = staff.post(&path, invite(&declines)).await.expect(201);
        leader.post(&format!("/team-members/{}/accept", id(&one)), json!({})).await.refused(403, "forbidden");
        let answer = invited.post(&format!("/team-members/{}/accept", id(&one)), json!({})).await;
        assert_eq!(answer.expect(200)["state"], "active");
        let answer = declines.post(&format!("/team-members/{}/refuse", id(&two)), json!({})).await;
        assert_eq!(answer.expect(200)["state"], "refused");
        assert_eq!(declines.get("/me/teams").await.expect(200)["items"][0]["state"], "refused");
        // Who declined may ask later.
        declines.post(&format!("/teams/{team}/requests"), json!({})).await.expect(201);
        let list = leader.get(&format!("/teams?place_id={}", place_id(GUANGHUA))).await.expect(200);
        assert_eq!((&list["items"][0]["id"], &list["items"][0]["members"]), (&json!(team), &json!(3)));
    })
    .await;
}

#[actix_web::test]
async fn only_staff_of_the_place_found_teams_and_only_residents_join() {
    TestApp::run(async |app| {
        let [staff, other, volunteer, newcomer] =
            app.sign_in_all(["staff", "staff-other", "volunteer-1", "newcomer-1"]).await.try_into().ok().unwrap();
        volunteer.post("/teams", new("volunteer-1")).await.refused(403, "forbidden");
        other.post("/teams", new("volunteer-1")).await.refused(403, "forbidden");
        staff.post("/teams", new("newcomer-1")).await.names("/leader_id");
        let with = |field: &str, value: Value| {
            let mut body = new("volunteer-1");
            body[field] = value;
            body
        };
        staff.post("/teams", with("place_id", json!(place_id("/jiangan/")))).await.names("/place_id");
        staff.post("/teams", with("name", json!("两\n行"))).await.names("/name");
        staff.post("/teams", with("nope", json!(1))).await.names("/nope");
        staff.post("/teams", with("place_id", json!(place_id(BUILDING_1)))).await.expect(201);
        let team = found(&staff, "volunteer-1").await;
        newcomer.post(&format!("/teams/{team}/requests"), json!({})).await.refused(403, "not_verified");
        let invited = json!({ "user_id": newcomer.id });
        volunteer.post(&format!("/teams/{team}/invitations"), invited).await.names("/user_id");
        let itself = json!({ "user_id": volunteer.id });
        volunteer.post(&format!("/teams/{team}/invitations"), itself).await.refused(403, "own_act");
        newcomer.get(&format!("/teams/{team}/members")).await.refused(403, "forbidden");
        other.get(&format!("/teams/{team}/members")).await.refused(403, "forbidden");
        let elsewhere = staff.get(&format!("/teams?place_id={}", place_id(ANJING))).await.expect(200);
        assert_eq!(elsewhere["items"], json!([]));
        let missing = format!("/teams/{}", user_id("staff"));
        staff.get(&missing).await.refused(404, "not_found");
    })
    .await;
}

#[actix_web::test]
async fn a_roster_masks_phones_and_writes_down_who_looks() {
    TestApp::run(async |app| {
        let [staff, leader, member, stranger] =
            app.sign_in_all(["staff", "volunteer-1", "volunteer-2", "resident-1"]).await.try_into().ok().unwrap();
        let team = found(&staff, "volunteer-1").await;
        let membership = join(&leader, &member, &team).await;
        let line = |roster: &Value| {
            let items = roster["items"].as_array().unwrap();
            items.iter().find(|line| line["id"] == json!(membership)).unwrap().clone()
        };
        let path = format!("/teams/{team}/members");
        let masked = line(&leader.get(&path).await.expect(200));
        assert!(masked["phone"].as_str().unwrap().contains("****"), "{masked}");
        assert!(masked["name"].as_str().unwrap().ends_with('*'));
        assert_eq!(line(&member.get(&path).await.expect(200))["phone"], Value::Null, "members see no phones");

        let path = format!("/team-members/{membership}");
        stranger.get(&path).await.refused(404, "not_found");
        let looks = async || {
            let rows = log::Entity::find().filter(log::Column::Action.eq("team.reveal"));
            rows.count(app.state.db.read()).await.unwrap()
        };
        assert_eq!(looks().await, 0);
        assert_eq!(leader.get(&path).await.expect(200)["phone"].as_str().unwrap().len(), 11);
        assert_eq!(looks().await, 1);
    })
    .await;
}

// Guard of the last lines: `team_skills_not_by_oneself`.
#[actix_web::test]
async fn a_skill_counts_once_somebody_else_confirms_it() {
    TestApp::run(async |app| {
        let [staff, leader, member] =
            app.sign_in_all(["staff", "volunteer-1", "volunteer-2"]).await.try_into().ok().unwrap();
        let team = found(&staff, "volunteer-1").await;
        let path = format!("/team-members/{}/skills", join(&leader, &member, &team).await);
        let skills = |all: &[&str]| json!({ "skills": all });
        let own = member.put(&path, skills(&["急救", " 消防 "])).await.expect(200);
        assert!(own.as_array().unwrap().iter().all(|skill| skill["confirmed"] == false));
        let confirmed = leader.put(&path, skills(&["急救"])).await.expect(200);
        assert_eq!(confirmed, json!([{ "skill": "急救", "confirmed": true }]));
        let both = member.put(&path, skills(&["急救", "驾驶"])).await.expect(200);
        let confirmed: Vec<_> = both
            .as_array()
            .unwrap()
            .iter()
            .map(|skill| (skill["skill"].as_str().unwrap(), &skill["confirmed"]))
            .collect();
        assert!(confirmed.contains(&("急救", &json!(true))) && confirmed.contains(&("驾驶", &json!(false))));
        member.put(&path, skills(&[""])).await.names("/skills/0");
        member.put(&path, skills(&["a"; 11])).await.names("/skills");

        let own = leader.get(&format!("/teams/{team}")).await.expect(200);
        let own = own["my_membership"]["id"].as_str().unwrap().to_owned();
        let written = leader.put(&format!("/team-members/{own}/skills"), skills(&["驾驶"])).await.expect(200);
        assert_eq!(written[0]["confirmed"], false, "a leader does not confirm themself");
        let txn = app.state.db.begin().await.unwrap();
        let forged = entities::teams::skill::ActiveModel {
            member_id: Set(own.parse().unwrap()),
            skill: Set("驾驶".to_owned()),
            user_id: Set(leader.id.parse().unwrap()),
            confirmed_by: Set(Some(leader.id.parse().unwrap())),
            confirmed_at: Set(Some(app.state.clock.now())),
        };
        let refused: Problem = forged.update(&txn).await.unwrap_err().into();
        assert_eq!(refused.code(), Code::OwnAct);
    })
    .await;
}

#[actix_web::test]
async fn members_leave_or_are_removed_and_a_leader_hands_on_first() {
    TestApp::run(async |app| {
        let [staff, leader, next, third] =
            app.sign_in_all(["staff", "volunteer-1", "volunteer-2", "volunteer-3"]).await.try_into().ok().unwrap();
        let team = found(&staff, "volunteer-1").await;
        let own = leader.get(&format!("/teams/{team}")).await.expect(200);
        let own = own["my_membership"]["id"].as_str().unwrap().to_owned();
        let [second, last] = [join(&leader, &next, &team).await, join(&leader, &third, &team).await];
        leader.delete(&format!("/team-members/{own}")).await.refused(409, "team_leader");
        staff.delete(&format!("/team-members/{own}")).await.refused(409, "team_leader");
        next.delete(&format!("/team-members/{last}")).await.refused(404, "not_found");
        assert_eq!(leader.delete(&format!("/team-members/{last}")).await.expect(200)["state"], "removed");
        assert_eq!(leader.delete(&format!("/team-members/{last}")).await.expect(200)["state"], "removed");
        assert_eq!(third.get("/inbox").await.expect(200)["items"][0]["kind"], "team.removed");

        let path = format!("/teams/{team}/leader");
        leader.put(&path, json!({ "user_id": third.id })).await.names("/user_id");
        next.put(&path, json!({ "user_id": next.id })).await.refused(403, "forbidden");
        let handed = leader.put(&path, json!({ "user_id": next.id })).await.expect(200);
        assert_eq!(handed["leader_id"], next.id);
        leader.put(&path, json!({ "user_id": leader.id })).await.refused(403, "forbidden");
        assert_eq!(leader.delete(&format!("/team-members/{own}")).await.expect(200)["state"], "left");
        next.delete(&format!("/team-members/{second}")).await.refused(409, "team_leader");
    })
    .await;
}

// Guard: the team's lock; without it a member could be made leader and leave in the same moment.
#[actix_web::test]
async fn a_member_who_leaves_while_becoming_leader_does_one_of_both() {
    TestApp::run(async |app| {
        let [staff, leader, next] =
            app.sign_in_all(["staff", "volunteer-1", "volunteer-2"]).await.try_into().ok().unwrap();
        for _ in 0..5 {
            let team = found(&staff, "volunteer-1").await;
            let membership = format!("/team-members/{}", join(&leader, &next, &team).await);
            let hand_on = format!("/teams/{team}/leader");
            let body = json!({ "user_id": next.id });
            let (handed, left) = futures_util::join!(leader.put(&hand_on, body), next.delete(&membership));
            assert!(matches!((handed.status, left.status), (200, 409) | (422, 200)), "{handed:?} {left:?}");
        }
    })
    .await;
}

// Guard: `team_members_one_live`.
#[actix_web::test]
async fn parallel_requests_and_invitations_of_one_person_make_one_membership() {
    TestApp::run(async |app| {
        let [staff, leader, person] =
            app.sign_in_all(["staff", "volunteer-1", "resident-1"]).await.try_into().ok().unwrap();
        let team = found(&staff, "volunteer-1").await;
        let (requests, invitations) = (format!("/teams/{team}/requests"), format!("/teams/{team}/invitations"));
        let asking = join_all((0..5).map(|_| person.post(&requests, json!({}))));
        let inviting = join_all((0..5).map(|_| leader.post(&invitations, json!({ "user_id": person.id }))));
        let (asked, invited) = futures_util::join!(asking, inviting);
        let made = asked.iter().chain(&invited).filter(|answer| answer.status == 201).count();
        assert_eq!(made, 1);
        let rows = member::Entity::find()
            .filter(member::Column::UserId.eq(user_id("resident-1")))
            .filter(member::Column::State.is_in([MemberState::Requested, MemberState::Invited]));
        assert_eq!(rows.count(app.state.db.read()).await.unwrap(), 1);
    })
    .await;
}
