//! Topics: needs are gathered, talked over, decided on; deliberations are signed in to and written down by two.

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::needs::published;
use crate::support::{BUILDING_1, GUANGHUA, Person, TestApp, place_id};

async fn topic(staff: &Person, needs: &[&String]) -> String {
    let body = json!({
        "place_id": place_id(GUANGHUA), "title": "楼道照明怎么办", "summary": "几个单元的灯都坏了。", "need_ids": needs,
    });
    staff.post("/topics", body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

/// A meeting an hour from now, for an hour.
async fn meeting(app: &TestApp, staff: &Person, topic: &str) -> String {
    let now = app.state.clock.now();
    let body = json!({
        "venue": "社区活动室", "agenda": "一、情况；二、办法。",
        "starts_at": now + Duration::hours(1), "ends_at": now + Duration::hours(2),
    });
    staff.post(&format!("/topics/{topic}/deliberations"), body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

async fn state(person: &Person, need: &str) -> Value {
    person.get(&format!("/needs/{need}")).await.expect(200)["state"].clone()
}

/// Notices of a kind about something.
async fn on_board(person: &Person, kind: &str, about: &str) -> usize {
    let page = person.get(&format!("/notices?place_id={}&limit=100", place_id(GUANGHUA))).await.expect(200);
    let items = page["items"].as_array().unwrap();
    items.iter().filter(|notice| notice["kind"] == kind && notice["subject_id"] == json!(about)).count()
}

// Guards: the needs' states looked at under their locks (`needs::gather`), and index `topic_needs_one_live`.
#[actix_web::test]
async fn a_need_is_in_one_topic_at_a_time_and_comes_out_as_it_was() {
    TestApp::run(async |app| {
        let [author, staff, other] =
            app.sign_in_all(["resident-1", "staff", "staff-other"]).await.try_into().ok().unwrap();
        let need = published(app, &author, "楼道灯坏了").await;
        let refused = json!({ "place_id": place_id(GUANGHUA), "title": "x", "summary": "x", "need_ids": [] });
        other.post("/topics", refused.clone()).await.refused(403, "forbidden");
        author.post("/topics", refused).await.refused(403, "forbidden");
        let topics = [topic(&staff, &[]).await, topic(&staff, &[]).await];
        let adds = (0..8).map(|turn| {
            let path = format!("/topics/{}/needs", topics[turn % 2]);
            let body = json!({ "need_ids": [need] });
            let staff = &staff;
            async move { staff.post(&path, body).await }
        });
        let (added, refused): (Vec<_>, Vec<_>) =
            join_all(adds).await.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(added.len(), 1);
        for answer in refused {
            answer.names("/need_ids");
        }
        assert_eq!(state(&author, &need).await, "in_topic");
        let topic = added[0].body["id"].as_str().unwrap().to_owned();
        assert_eq!(author.get(&format!("/topics/{topic}")).await.expect(200)["need_ids"], json!([need]));
        author.delete(&format!("/topics/{topic}/needs/{need}")).await.refused(403, "forbidden");
        staff.delete(&format!("/topics/{topic}/needs/{need}")).await.expect(200);
        staff.delete(&format!("/topics/{topic}/needs/{need}")).await.refused(404, "not_found");
        assert_eq!(state(&author, &need).await, "published");
        staff.post(&format!("/topics/{topic}/needs"), json!({ "need_ids": [need] })).await.expect(200);
        assert_eq!(
            author.get(&format!("/topics/{topic}")).await.expect(200)["need_ids"],
            json!([need]),
            "it comes back"
        );
    })
    .await;
}

// Guards: the times in `call_off` and `confirm_attendance`, the code's signature and time, the residence looked at in `sign_in`, the primary key of the attendances, and
// `deliberation_attendances_not_by_oneself` behind the checks before it.
#[actix_web::test]
async fn who_is_there_signs_in_or_is_marked_and_earns_once_confirmed() {
    TestApp::run(async |app| {
        let [resident, scanner, frail, newcomer, leader, staff, second] = app
            .sign_in_all(["resident-1", "resident-2", "resident-3", "newcomer-1", "representative", "staff", "staff-2"])
            .await
            .try_into()
            .ok()
            .unwrap();
        let rule = json!({ "place_id": place_id(GUANGHUA), "amount": 5 });
        staff.put("/points/rules/deliberation", rule).await.expect(200);
        let topic = topic(&staff, &[]).await;
        let now = app.state.clock.now();
        let path = format!("/topics/{topic}/deliberations");
        let plan = json!({
            "venue": "活动室", "agenda": "商量", "starts_at": now + Duration::hours(1), "ends_at": now + Duration::hours(2), "leader_id": leader.id,
        });
        resident.post(&path, plan.clone()).await.refused(403, "forbidden");
        let mut wrong = plan.clone();
        wrong["starts_at"] = json!(now - Duration::hours(1));
        staff.post(&path, wrong).await.names("/starts_at");
        let id = staff.post(&path, plan).await.expect(201)["id"].as_str().unwrap().to_owned();
        let path = format!("/deliberations/{id}");
        resident.get(&format!("{path}/code")).await.refused(403, "forbidden");
        let code = leader.get(&format!("{path}/code")).await.expect(200)["code"].clone();
        let sign_in = format!("{path}/sign-in");
        scanner.post(&sign_in, json!({ "code": code })).await.refused(409, "check_in_window");
        leader.post(&format!("{path}/attendances"), json!({ "user_id": frail.id })).await.refused(409, "check_in_window");
        let confirm = format!("{path}/attendances/confirmation");
        leader.post(&confirm, json!({})).await.refused(409, "check_in_window");
        app.advance(Duration::minutes(65)).await;
        let [resident, scanner, frail, newcomer, leader, staff, second] = {
            let _ = (resident, scanner, frail, newcomer, leader, staff, second);
            app.sign_in_all(["resident-1", "resident-2", "resident-3", "newcomer-1", "representative", "staff", "staff-2"])
                .await
                .try_into()
                .ok()
                .unwrap()
        };
        scanner.post(&sign_in, json!({ "code": code })).await.refused(422, "check_in_code_invalid");
        let code = leader.get(&format!("{path}/code")).await.expect(200)["code"].clone();
        newcomer.post(&sign_in, json!({ "code": code })).await.refused(403, "not_verified");
        let answers = join_all((0..8).map(|_| scanner.post(&sign_in, json!({ "code": code })))).await;
        for answer in answers {
            assert_eq!(answer.expect(200)["method"], "code");
        }
        leader.post(&sign_in, json!({ "code": code })).await.expect(200);
        let mark = format!("{path}/attendances");
        resident.post(&mark, json!({ "user_id": frail.id })).await.refused(403, "forbidden");
        leader.post(&mark, json!({ "user_id": leader.id })).await.refused(403, "own_act");
        leader.post(&mark, json!({ "user_id": newcomer.id })).await.names("/user_id");
        leader.post(&mark, json!({ "user_id": frail.id })).await.expect(200);
        assert_eq!(leader.get(&mark).await.expect(200)["items"].as_array().unwrap().len(), 3);
        resident.get(&mark).await.refused(403, "forbidden");
        assert_eq!(resident.get(&path).await.expect(200)["present"], 3);

        leader.post(&format!("{path}/call-off"), json!({ "reason": "下雨" })).await.refused(409, "session_started");
        resident.post(&confirm, json!({})).await.refused(403, "forbidden");
        // The leader was there and does not confirm that.
        assert_eq!(leader.post(&confirm, json!({})).await.expect(200)["confirmed"], 2);
        let answers = join_all([&staff, &second, &staff].map(|clerk| clerk.post(&confirm, json!({})))).await;
        let confirmed: i64 = answers.into_iter().map(|answer| answer.expect(200)["confirmed"].as_i64().unwrap()).sum();
        assert_eq!(confirmed, 1, "the leader's own, once");
        app.work().await;
        for person in [&scanner, &frail, &leader] {
            let entries = person.get("/me/points/entries").await.expect(200);
            let earned: Vec<_> = entries["items"].as_array().unwrap().iter().filter(|entry| entry.to_string().contains("参加议事")).collect();
            assert_eq!(earned.len(), 1, "{entries}");
        }
    })
    .await;
}

// Guards: `deliberations_by_two` behind the check before it, the comparison of `minutes_at`, the condition on `confirmed_at`.
#[actix_web::test]
async fn minutes_are_recorded_by_one_and_confirmed_by_another() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let topic = topic(&staff, &[]).await;
        let id = meeting(app, &staff, &topic).await;
        let path = format!("/deliberations/{id}/minutes");
        staff.post(&path, json!({ "text": "还没开" })).await.refused(409, "check_in_window");
        app.advance(Duration::minutes(65)).await;
        let [staff, second, representative, resident] =
            app.sign_in_all(["staff", "staff-2", "representative", "resident-1"]).await.try_into().ok().unwrap();
        resident.post(&path, json!({ "text": "x" })).await.refused(403, "forbidden");
        let first = staff.post(&path, json!({ "text": "初稿" })).await.expect(200)["minutes_at"].clone();
        let confirm = format!("{path}/confirmation");
        staff.post(&confirm, json!({ "minutes_at": first })).await.refused(403, "own_act");
        resident.post(&confirm, json!({ "minutes_at": first })).await.refused(403, "forbidden");
        assert_eq!(resident.get(&format!("/deliberations/{id}")).await.expect(200)["minutes"], Value::Null);
        app.advance(Duration::seconds(1)).await;
        let read = staff.post(&path, json!({ "text": "定稿：换灯" })).await.expect(200)["minutes_at"].clone();
        representative.post(&confirm, json!({ "minutes_at": first })).await.names("/minutes_at");
        let answers = join_all([&representative, &second].map(|one| one.post(&confirm, json!({ "minutes_at": read })))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 1));
        staff.post(&path, json!({ "text": "改口" })).await.refused(409, "already_decided");
        assert_eq!(resident.get(&format!("/deliberations/{id}")).await.expect(200)["minutes"], "定稿：换灯");
        assert_eq!(on_board(&resident, "deliberation.minutes", &id).await, 1);
        // A decision names a deliberation of the topic whose minutes are confirmed.
        let resolve = format!("/topics/{topic}/resolution");
        let foreign = meeting(app, &staff, &topic).await;
        let decision = |meeting: &str| json!({ "resolution": "design_project", "reason": "请机构设计", "deliberation_id": meeting });
        staff.post(&resolve, decision(&foreign)).await.names("/deliberation_id");
        assert_eq!(staff.post(&resolve, decision(&id)).await.expect(200)["state"], "resolved");
    })
    .await;
}

// Guards: the condition on the topic's state in `resolve`, and what each decision does to needs (`domain::consequence`).
#[actix_web::test]
async fn a_topic_is_decided_once_and_its_needs_follow() {
    TestApp::run(async |app| {
        let [author, staff, second] =
            app.sign_in_all(["resident-1", "staff", "staff-2"]).await.try_into().ok().unwrap();
        for (resolution, expected) in
            [("design_project", "in_topic"), ("handle_directly", "in_topic"), ("do_not_proceed", "declined")]
        {
            let need = published(app, &author, "楼道灯坏了").await;
            let topic = topic(&staff, &[&need]).await;
            let path = format!("/topics/{topic}/resolution");
            author.post(&path, json!({ "resolution": resolution, "reason": "x" })).await.refused(403, "forbidden");
            staff.post(&path, json!({ "resolution": resolution })).await.names("/reason");
            let body = json!({ "resolution": resolution, "reason": "议定如此" });
            let answers = join_all((0..6).map(|turn| [&staff, &second][turn % 2].post(&path, body.clone()))).await;
            let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
            assert_eq!((won.len(), lost.len()), (1, 5));
            for answer in lost {
                answer.refused(409, "topic_resolved");
            }
            let view = author.get(&format!("/needs/{need}")).await.expect(200);
            assert_eq!(view["state"], expected);
            assert_eq!(view["answers"].as_array().unwrap().len(), usize::from(resolution != "design_project"));
            assert_eq!(on_board(&author, "topic.resolved", &topic).await, 1);
            staff
                .post(&format!("/topics/{topic}/needs"), json!({ "need_ids": [need] }))
                .await
                .refused(409, "topic_resolved");
        }
    })
    .await;
}

// Guard: `hand_over` in the transaction that closes the poll; `linli verify` compares topics and polls.
#[actix_web::test]
async fn a_topic_that_is_put_to_the_vote_takes_the_result() {
    TestApp::run(async |app| {
        let [author, staff, voter] =
            app.sign_in_all(["resident-1", "staff", "resident-2"]).await.try_into().ok().unwrap();
        for (choice, adopted, expected) in [(0, true, "in_topic"), (1, false, "declined")] {
            let need = published(app, &author, "楼道灯坏了").await;
            let topic = topic(&staff, &[&need]).await;
            let decision = json!({ "resolution": "vote", "reason": "意见不一" });
            let decided = staff.post(&format!("/topics/{topic}/resolution"), decision).await.expect(200);
            assert_eq!(decided["state"], "voting");
            let poll = decided["poll_id"].as_str().unwrap().to_owned();
            staff.post(&format!("/polls/{poll}/open"), json!({})).await.expect(200);
            let view = voter.get(&format!("/polls/{poll}")).await.expect(200);
            assert_eq!((&view["subject_kind"], &view["subject_id"]), (&json!("topic"), &json!(topic)));
            let option = view["options"][choice]["id"].clone();
            voter.put(&format!("/polls/{poll}/ballot"), json!({ "choices": [option] })).await.expect(200);
            staff.post(&format!("/polls/{poll}/close"), json!({})).await.expect(200);
            let view = author.get(&format!("/topics/{topic}")).await.expect(200);
            assert_eq!((&view["state"], &view["adopted"]), (&json!("resolved"), &json!(adopted)));
            assert_eq!(state(&author, &need).await, expected);
            for kind in ["topic.voting", "topic.resolved"] {
                assert_eq!(on_board(&author, kind, &topic).await, 1);
            }
        }
    })
    .await;
}

// Guard: the residence looked at in `comments::write`; what is hidden is gone from the list at once.
#[actix_web::test]
async fn residents_of_the_place_comment_and_what_is_hidden_is_gone() {
    TestApp::run(async |app| {
        let [resident, neighbour, newcomer, staff] =
            app.sign_in_all(["resident-1", "resident-2", "newcomer-1", "staff"]).await.try_into().ok().unwrap();
        let topic = topic(&staff, &[]).await;
        let path = format!("/topics/{topic}/comments");
        newcomer.post(&path, json!({ "body": "x" })).await.refused(403, "not_verified");
        staff.post(&path, json!({ "body": "x" })).await.refused(403, "not_verified");
        let id = resident.post(&path, json!({ "body": "换成声控灯吧" })).await.expect(201)["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let seen = async |person: &Person| person.get(&path).await.expect(200)["items"].as_array().unwrap().len();
        assert_eq!((seen(&neighbour).await, seen(&resident).await), (0, 1), "one's own only until it has passed");
        app.work().await;
        assert_eq!(seen(&neighbour).await, 1);
        let item = crate::moderation::item_of(&staff, &id).await;
        let hide = json!({ "action": "hide", "reason": "核实" });
        staff.post(&format!("/moderation/items/{item}/decision"), hide).await.expect(200);
        assert_eq!((seen(&neighbour).await, seen(&resident).await, seen(&staff).await), (0, 1, 1));
        staff
            .post(&format!("/topics/{topic}/resolution"), json!({ "resolution": "design_project", "reason": "设计" }))
            .await
            .expect(200);
        resident.post(&path, json!({ "body": "迟了" })).await.refused(409, "topic_resolved");
    })
    .await;
}

#[actix_web::test]
async fn a_deliberation_that_is_called_off_takes_nobody_in() {
    TestApp::run(async |app| {
        let [staff, resident] = app.sign_in_all(["staff", "resident-1"]).await.try_into().ok().unwrap();
        let topic = topic(&staff, &[]).await;
        let id = meeting(app, &staff, &topic).await;
        let path = format!("/deliberations/{id}");
        resident.post(&format!("{path}/call-off"), json!({ "reason": "x" })).await.refused(403, "forbidden");
        staff.post(&format!("{path}/call-off"), json!({ "reason": "停电" })).await.expect(200);
        staff
            .post(&format!("{path}/call-off"), json!({ "reason": "停电" }))
            .await
            .refused(409, "deliberation_called_off");
        let code = staff.get(&format!("{path}/code")).await.expect(200)["code"].clone();
        resident
            .post(&format!("{path}/sign-in"), json!({ "code": code }))
            .await
            .refused(409, "deliberation_called_off");
        assert_eq!(resident.get(&path).await.expect(200)["call_off_reason"], "停电");
        // Residents of a building may talk over what is theirs; a list takes what lies below.
        let body = json!({ "place_id": place_id(BUILDING_1), "title": "一栋门禁", "summary": "换锁。" });
        staff.post("/topics", body).await.expect(201);
        let list =
            resident.get(&format!("/topics?place_id={}&state=open&limit=100", place_id(GUANGHUA))).await.expect(200);
        assert!(list["items"].as_array().unwrap().len() >= 2);
    })
    .await;
}

// Guard: `back_to_topics` in needs/adoption.rs; `linli verify` finds a need that is published and in a topic that is not decided.
#[actix_web::test]
async fn a_need_that_a_project_lets_go_is_where_it_was_unless_its_topic_is_decided() {
    TestApp::run(async |app| {
        let [author, staff] = app.sign_in_all(["resident-1", "staff"]).await.try_into().ok().unwrap();
        let mut needs = Vec::new();
        for title in ["楼道灯坏了", "单元门关不上", "没有停车棚"] {
            needs.push(published(app, &author, title).await);
        }
        let open = topic(&staff, &[&needs[0]]).await;
        let decided = topic(&staff, &[&needs[1]]).await;
        let body = json!({
            "place_id": place_id(GUANGHUA), "title": "楼道改造", "summary": "灯和门。", "budget_fen": 1, "need_ids": needs,
        });
        let project = staff.post("/projects", body).await.expect(201)["id"].as_str().unwrap().to_owned();
        let resolution = json!({ "resolution": "handle_directly", "reason": "由物业维修" });
        staff.post(&format!("/topics/{decided}/resolution"), resolution).await.expect(200);
        for need in &needs {
            assert_eq!(state(&author, need).await, "in_project");
        }
        staff.post(&format!("/projects/{project}/withdraw"), json!({})).await.expect(200);
        assert_eq!(state(&author, &needs[0]).await, "in_topic");
        assert_eq!(state(&author, &needs[1]).await, "published");
        assert_eq!(state(&author, &needs[2]).await, "published");
        assert_eq!(author.get(&format!("/topics/{open}")).await.expect(200)["need_ids"], json!([needs[0]]));
        topic(&staff, &[&needs[1]]).await;
        assert_eq!(state(&author, &needs[1]).await, "in_topic", "a new topic can take it in");
    })
    .await;
}
