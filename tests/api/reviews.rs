//! Expert review: who may judge, once, hidden from the others; the shortlist.

use chrono::TimeDelta;
use entities::ids::{ProjectId, UserId};
use entities::organisations::{PersonRole, person};
use futures_util::future::join_all;
use linli::platform::ids;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait};
use serde_json::{Value, json};

use crate::designs::{designer, handed_in};
use crate::programmes::{opened, programme};
use crate::support::{GUANGHUA, Person, TestApp, place_id, user_id};

/// Scores of 0 to 10 and 0 to 3.
pub fn review(version: i64, need: i64, plan: i64) -> Value {
    json!({ "version": version, "scores": { "need": need, "plan": plan }, "comment": "方案清楚，人工偏高。", "recommendation": "support" })
}

/// Puts people on a programme's panel.
pub async fn seat(staff: &Person, programme: &str, people: &[&str]) {
    for person in people {
        staff.put(&format!("{programme}/experts/{}", user_id(person)), json!({})).await.expect(200);
    }
}

/// Gives somebody to the organisation that designs.
async fn join(app: &TestApp, user: UserId) {
    let row = person::ActiveModel {
        id: Set(ids::ordered(&app.state.clock)),
        organisation_id: Set(designer().into()),
        user_id: Set(user),
        role: Set(PersonRole::Member),
        duty: Set("社工".to_owned()),
        since: Set(app.state.clock.now()),
        added_by: Set(None),
        ended_at: Set(None),
        ended_by: Set(None),
    };
    let txn = app.state.db.begin().await.unwrap();
    row.insert(&txn).await.unwrap();
    txn.commit().await.unwrap();
}

#[actix_web::test]
async fn experts_review_once_unseen_by_the_others_and_the_shortlist_makes_it_public() {
    TestApp::run(async |app| {
        let [district, org, first, second, third, resident] = app
            .sign_in_all(["district", "org-a", "social-worker-1", "social-worker-2", "social-worker-3", "resident-1"])
            .await
            .try_into()
            .ok()
            .unwrap();
        let programme = opened(&district, programme(app, "/jiangan/", 1_000_000)).await;
        seat(&district, &programme, &["social-worker-1", "social-worker-2"]).await;
        let path = handed_in(&org, &programme, "老楼加装扶手", 500_000).await;
        let reviews = format!("{path}/reviews");
        let shortlist = format!("{path}/shortlist");
        assert_eq!(first.get("/inbox").await.expect(200)["items"][0]["kind"], "project.submitted");

        for stranger in [&third, &resident, &district] {
            stranger.post(&reviews, review(1, 8, 1)).await.refused(403, "not_on_panel");
        }
        for (wrong, pointer) in [
            (json!({ "need": 11, "plan": 1 }), "/scores/need"),
            (json!({ "need": -1, "plan": 1 }), "/scores/need"),
            (json!({ "need": 1 }), "/scores/plan"),
            (json!({ "need": 1, "plan": 1, "style": 1 }), "/scores/style"),
        ] {
            let mut body = review(1, 8, 1);
            body["scores"] = wrong;
            first.post(&reviews, body).await.names(pointer);
        }
        first.post(&reviews, review(2, 8, 1)).await.refused(409, "project_state");
        district.post(&shortlist, json!({})).await.refused(409, "reviews_missing");

        // (40·8/10 + 60·1/3) / 100. Guard: the unique key `project_reviews_once`, whose conflict the insert counts.
        let tries = join_all((0..6).map(|_| first.post(&reviews, review(1, 8, 1)))).await;
        let written: Vec<_> = tries.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!((written.len(), &written[0].body["points"]), (1, &json!(520_000)));
        first.post(&reviews, review(1, 0, 0)).await.refused(409, "already_reviewed");
        first.post(&format!("{path}/conflict"), json!({ "reason": "认识" })).await.refused(409, "already_reviewed");

        let seen = async |person: &Person| {
            let list = person.get(&reviews).await.expect(200);
            (list["items"].as_array().unwrap().len(), list["hidden"].as_bool().unwrap())
        };
        assert_eq!(seen(&first).await, (1, false), "whoever has reviewed sees all");
        assert_eq!(seen(&second).await, (0, true));
        assert_eq!(seen(&org).await, (0, true));
        assert_eq!(seen(&resident).await, (0, true));
        assert_eq!(seen(&district).await, (1, false));
        district.post(&shortlist, json!({})).await.refused(409, "reviews_missing");
        second.post(&reviews, review(1, 10, 3)).await.expect(201);
        assert_eq!(seen(&second).await, (2, false));

        org.post(&shortlist, json!({})).await.refused(403, "forbidden");
        assert_eq!(district.post(&shortlist, json!({})).await.expect(200)["state"], "shortlisted");
        let public = resident.get(&reviews).await.expect(200);
        assert_eq!((public["items"].as_array().unwrap().len(), &public["experts"]), (2, &json!(760_000)));
        let text = public.to_string();
        for name in ["social-worker-1", "social-worker-2"] {
            assert!(!text.contains(&user_id(name).to_string()), "no name is shown");
        }
        let board = resident.get(&format!("/notices?place_id={}", place_id(GUANGHUA))).await.expect(200);
        assert_eq!(board["items"][0]["kind"], "project.shortlisted");
        first.post(&reviews, review(1, 1, 1)).await.refused(409, "project_state");
    })
    .await;
}

// Guard: `is_conflicted` in the service; the trigger `project_reviews_no_conflict` behind it, which the last part of the test asks by
// itself.
#[actix_web::test]
async fn who_has_a_stake_does_not_judge() {
    TestApp::run(async |app| {
        let [district, org, author, member, shy, tied] = app
            .sign_in_all(["district", "org-a", "social-worker-1", "social-worker-2", "social-worker-3", "staff-2"])
            .await
            .try_into()
            .ok()
            .unwrap();
        let programme = opened(&district, programme(app, "/jiangan/", 1_000_000)).await;
        let programme_id = programme.rsplit('/').next().unwrap();
        seat(&district, &programme, &["social-worker-1", "social-worker-2", "social-worker-3"]).await;
        // A social worker designs a project from needs, and does not judge it.
        let mut body = crate::designs::proposal(GUANGHUA, "社工设计的");
        body["organisation_id"] = Value::Null;
        let own = crate::programmes::made(&author, "/projects", body).await;
        author.put(&format!("{own}/design"), crate::designs::design(500_000)).await.expect(200);
        author.post(&format!("{own}/submit"), json!({ "programme_id": programme_id })).await.expect(200);
        author.post(&format!("{own}/reviews"), review(1, 10, 3)).await.refused(403, "conflict_of_interest");
        shy.post(&format!("{own}/reviews"), review(1, 10, 3)).await.expect(201);

        let path = handed_in(&org, &programme, "机构设计的", 500_000).await;
        let reviews = format!("{path}/reviews");
        join(app, user_id("social-worker-2")).await;
        member.post(&reviews, review(1, 10, 3)).await.refused(403, "conflict_of_interest");
        tied.post(&format!("{path}/conflict"), json!({ "reason": "亲属在该机构" })).await.refused(403, "not_on_panel");
        for _ in 0..2 {
            shy.post(&format!("{path}/conflict"), json!({ "reason": "亲属在该机构" })).await.expect(200);
        }
        shy.post(&reviews, review(1, 10, 3)).await.refused(403, "conflict_of_interest");
        // Declared in the register, not for this project: the same.
        author.post("/me/conflicts", json!({ "organisation_id": designer(), "kind": "family" })).await.expect(201);
        author.post(&reviews, review(1, 10, 3)).await.refused(403, "conflict_of_interest");

        let project: ProjectId = path.rsplit('/').next().unwrap().parse().unwrap();
        for person in ["org-a", "social-worker-1", "social-worker-2", "social-worker-3"] {
            let txn = app.state.db.begin().await.unwrap();
            let id = |id: uuid::Uuid| if app.state.db.is_postgres() { format!("'{id}'") } else { format!("x'{}'", id.simple()) };
            let sql = format!(
                "INSERT INTO project_reviews SELECT {}, {}, 1, programme_id, {}, scores, points, comment, recommendation, created_at FROM project_reviews",
                id(ids::unordered()),
                id(project.0),
                id(user_id(person).0),
            );
            let refused = txn.execute_unprepared(&sql).await.unwrap_err().to_string();
            assert!(refused.contains("project_reviews_no_conflict") || refused.contains("a conflict of interest"), "{refused}");
            txn.rollback().await.unwrap();
        }
    })
    .await;
}

#[actix_web::test]
async fn reviews_end_with_their_phase_and_a_new_version_is_judged_anew() {
    TestApp::run(async |app| {
        let [district, org, first, second] =
            app.sign_in_all(["district", "org-a", "social-worker-1", "social-worker-2"]).await.try_into().ok().unwrap();
        let programme = opened(&district, programme(app, "/jiangan/", 1_000_000)).await;
        seat(&district, &programme, &["social-worker-1", "social-worker-2"]).await;
        let path = handed_in(&org, &programme, "老楼加装扶手", 500_000).await;
        let reviews = format!("{path}/reviews");
        for expert in [&first, &second] {
            expert.post(&reviews, review(1, 8, 1)).await.expect(201);
        }
        district.post(&format!("{path}/return"), json!({ "reason": "请补充" })).await.expect(200);
        first.post(&reviews, review(1, 8, 1)).await.refused(409, "project_state");
        org.post(&format!("{path}/submit"), json!({})).await.expect(200);
        district.post(&format!("{path}/shortlist"), json!({})).await.refused(409, "reviews_missing");
        first.post(&reviews, review(1, 8, 1)).await.refused(409, "project_state");
        first.post(&reviews, review(2, 9, 2)).await.expect(201);
        district.delete(&format!("{programme}/experts/{}", user_id("social-worker-2"))).await.expect(200);
        second.post(&reviews, review(2, 9, 2)).await.refused(403, "not_on_panel");
        seat(&district, &programme, &["social-worker-2"]).await;

        app.advance(TimeDelta::days(28)).await;
        let [district, second] = app.sign_in_all(["district", "social-worker-2"]).await.try_into().ok().unwrap();
        second.post(&reviews, review(2, 9, 2)).await.refused(409, "phase_over");
        let shown = second.get(&reviews).await.expect(200);
        assert_eq!((shown["items"].as_array().unwrap().len(), &shown["hidden"]), (1, &json!(false)));
        district.post(&format!("{path}/return"), json!({ "reason": "请补充" })).await.refused(409, "phase_over");
        district.post(&format!("{path}/shortlist"), json!({})).await.refused(409, "reviews_missing");
    })
    .await;
}
