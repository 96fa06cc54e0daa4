//! What happens to needs all at once, across polls, topics and the board: nothing waits in a circle and nothing is lost.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::needs::{published, support};
use crate::support::{GUANGHUA, Person, TestApp, place_id};

async fn topic(staff: &Person, needs: &[&String]) -> String {
    let body = json!({
        "place_id": place_id(GUANGHUA), "title": "楼道照明怎么办", "summary": "几个单元的灯都坏了。", "need_ids": needs,
    });
    staff.post("/topics", body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

async fn need(person: &Person, need: &str) -> Value {
    person.get(&format!("/needs/{need}")).await.expect(200)
}

// Guards: the lock order poll, topic, needs by id, the board's chain. `linli verify` recounts supports and walks the chain.
#[actix_web::test]
async fn a_vote_ends_among_everything_else_that_happens_to_its_needs() {
    TestApp::run(async |app| {
        let [author, staff, clerk, voter] =
            app.sign_in_all(["resident-1", "staff", "staff-2", "resident-2"]).await.try_into().ok().unwrap();
        let people = app.sign_in_all((3..=14).map(|number| format!("resident-{number}"))).await;
        let mut voted = Vec::new();
        let mut beside = Vec::new();
        for _ in 0..4 {
            voted.push(published(app, &author, "楼道灯坏了").await);
            beside.push(published(app, &author, "楼道的灯不亮").await);
        }
        let about = topic(&staff, &voted.iter().collect::<Vec<_>>()).await;
        let other = topic(&staff, &[&beside[3]]).await;
        let decision = json!({ "resolution": "vote", "reason": "意见不一" });
        let decided = staff.post(&format!("/topics/{about}/resolution"), decision).await.expect(200);
        let poll = decided["poll_id"].as_str().unwrap().to_owned();
        staff.post(&format!("/polls/{poll}/open"), json!({})).await.expect(200);
        let view = voter.get(&format!("/polls/{poll}")).await.expect(200);
        let ballot = json!({ "choices": [view["options"][0]["id"]] });
        voter.put(&format!("/polls/{poll}/ballot"), ballot).await.expect(200);

        let presses = people.iter().enumerate().flat_map(|(at, person)| {
            let voted = &voted;
            (0..8).map(move |turn| async move {
                let path = support(&voted[(at + turn) % 4]);
                // The last press of each pair of turns is a support: what is left at the end is known.
                if turn < 4 && turn % 2 == 0 { person.delete(&path).await } else { person.put(&path, json!({})).await }
            })
        });
        let merges = (0..3).map(|at| {
            let (path, into) = (format!("/needs/{}/merge", beside[at]), &voted[2 - at]);
            let clerk = &clerk;
            async move { clerk.post(&path, json!({ "into": into, "reason": "同一处" })).await }
        });
        let answers = (0..8).map(|turn| {
            let path = format!("/needs/{}/answers", voted[3 - turn % 4]);
            let clerk = [&clerk, &staff][turn % 2];
            async move { clerk.post(&path, json!({ "text": "已去现场看过" })).await }
        });
        let close = format!("/polls/{poll}/close");
        let closings = (0..4).map(|turn| [&staff, &clerk][turn % 2].post(&close, json!({})));
        let decision = json!({ "resolution": "handle_directly", "reason": "物业来修" });
        let path = format!("/topics/{other}/resolution");
        let notices = (0..2).map(|_| clerk.post(&path, decision.clone()));
        let (pressed, merged, answered, closed, resolved) =
            tokio::join!(join_all(presses), join_all(merges), join_all(answers), join_all(closings), join_all(notices));

        for answer in pressed.iter().chain(&merged).chain(&answered) {
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        for (answers, refusal) in [(closed, "poll_closed"), (resolved, "topic_resolved")] {
            let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
            assert_eq!(won.len(), 1);
            for answer in lost {
                answer.refused(409, refusal);
            }
        }
        let view = author.get(&format!("/topics/{about}")).await.expect(200);
        assert_eq!((&view["state"], &view["adopted"]), (&json!("resolved"), &json!(true)));
        for (at, id) in voted.iter().enumerate() {
            let view = need(&author, id).await;
            assert_eq!(view["state"], "in_topic");
            let said = view["answers"].to_string();
            assert_eq!(view["answers"].as_array().unwrap().len(), 3, "two answers and the vote's: {said}");
            assert!(said.contains("经居民表决通过"), "{said}");
            let mut supporters = 0;
            for person in &people {
                supporters += i64::from(need(person, id).await["supported_by_me"] == true);
            }
            assert_eq!(view["support_count"], supporters, "need {at}");
        }
        for id in beside.iter().take(3) {
            assert_eq!(need(&author, id).await["state"], "merged");
        }
    })
    .await;
}
