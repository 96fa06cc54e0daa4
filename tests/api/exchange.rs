//! Stand-ins and swaps: seats that pass from one person to another.

use std::collections::HashSet;

use chrono::Duration;
use entities::volunteering::{SignupState, StandInState, SwapState, signup, stand_in, swap};
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::shifts::{special, team};
use crate::support::{Person, TestApp, user_id};
use crate::volunteering::{activity, add_shift, crowd, id, in_state, queue, sign_up, state_of, step_back, taken};

async fn ask(person: &Person, signup: &Value, named: Option<&Person>) -> String {
    let body = named.map_or(json!({}), |named| json!({ "user_id": named.id }));
    id(&person.post(&format!("/signups/{}/stand-in", id(signup)), body).await.expect(201))
}

async fn stand_in_state(app: &TestApp, id: &str) -> StandInState {
    let id: Uuid = id.parse().unwrap();
    stand_in::Entity::find_by_id(id).one(app.state.db.read()).await.unwrap().unwrap().state
}

#[actix_web::test]
async fn who_comes_too_late_to_step_back_finds_a_stand_in() {
    TestApp::run(async |app| {
        let [staff, volunteer, neighbour, third] =
            app.sign_in_all(["staff", "volunteer-1", "resident-1", "resident-2"]).await.try_into().ok().unwrap();
        let activity = activity(&staff).await;
        let shift = add_shift(app, &staff, &activity, (60, 120), 1).await;
        let signup = sign_up(&volunteer, &shift).await;
        volunteer.delete(&format!("/shifts/{shift}/signup")).await.refused(409, "cancel_too_late");
        // Somebody waits: they are told, and may take it too.
        let waiting = sign_up(&third, &shift).await;
        let path = format!("/signups/{}/stand-in", id(&signup));
        neighbour.post(&path, json!({})).await.refused(404, "not_found");
        volunteer.post(&path, json!({ "user_id": volunteer.id })).await.names("/user_id");
        volunteer.post(&path, json!({ "user_id": user_id("newcomer-1") })).await.names("/user_id");
        third.post(&format!("/signups/{}/stand-in", id(&waiting)), json!({})).await.refused(409, "signup_state");
        let asked = ask(&volunteer, &signup, None).await;
        volunteer.post(&path, json!({})).await.refused(409, "stand_in_exists");
        assert_eq!(third.get("/inbox").await.expect(200)["items"][0]["kind"], "stand_in.asked");
        let list = neighbour.get("/stand-ins").await.expect(200);
        assert_eq!((&list["items"][0]["id"], &list["items"][0]["mine"]), (&json!(asked), &json!(false)));
        assert!(list["items"][0]["name"].as_str().unwrap().ends_with('*'));

        let accept = format!("/stand-ins/{asked}/accept");
        volunteer.post(&accept, json!({})).await.refused(403, "own_act");
        app.sign_in("newcomer-1").await.post(&accept, json!({})).await.refused(403, "not_verified");
        let taken_over = third.post(&accept, json!({})).await.expect(200);
        assert_eq!(taken_over["state"], "confirmed");
        neighbour.post(&accept, json!({})).await.refused(409, "request_ended");
        assert_eq!(volunteer.get("/inbox").await.expect(200)["items"][0]["kind"], "stand_in.taken");
        assert_eq!(state_of(&volunteer, &signup).await, "cancelled");
        assert_eq!(state_of(&third, &waiting).await, "cancelled", "they wait no more");
        assert_eq!((taken(app, &shift).await, stand_in_state(app, &asked).await), (1, StandInState::Taken));
        assert_eq!(neighbour.get("/stand-ins").await.expect(200)["items"], json!([]));
    })
    .await;
}

#[actix_web::test]
async fn a_stand_in_meets_the_rules_or_the_seat_stays() {
    TestApp::run_configured(
        |config| config.rules.minimum_rest_minutes = 480,
        async |app| {
            let (_, membership) = team(app).await;
            let [staff, leader, member, other] =
                app.sign_in_all(["staff", "volunteer-1", "volunteer-2", "resident-1"]).await.try_into().ok().unwrap();
            leader.put(&format!("/team-members/{membership}/skills"), json!({ "skills": ["急救"] })).await.expect(200);
            let activity = activity(&staff).await;
            let shift = special(app, &staff, &activity, (600, 660), json!({ "skill": "急救" })).await;
            let near = add_shift(app, &staff, &activity, (700, 760), 5).await;
            let signup = sign_up(&member, &shift).await;
            let asked = ask(&member, &signup, None).await;
            let accept = format!("/stand-ins/{asked}/accept");
            other.post(&accept, json!({})).await.refused(409, "not_qualified");
            let own = leader.get("/me/teams").await.expect(200)["items"][0]["id"].clone();
            let skills = format!("/team-members/{}/skills", own.as_str().unwrap());
            staff.put(&skills, json!({ "skills": ["急救"] })).await.expect(200);
            sign_up(&leader, &near).await;
            leader.post(&accept, json!({})).await.refused(409, "rest_too_short");
            assert_eq!(
                (state_of(&member, &signup).await, stand_in_state(app, &asked).await),
                (json!("confirmed"), StandInState::Open)
            );
        },
    )
    .await;
}

#[actix_web::test]
async fn a_request_is_for_the_named_person_is_withdrawn_or_ends_with_the_shift_s_beginning() {
    TestApp::run(async |app| {
        let [staff, volunteer, named, other] =
            app.sign_in_all(["staff", "volunteer-1", "resident-1", "resident-2"]).await.try_into().ok().unwrap();
        let activity = activity(&staff).await;
        let shift = add_shift(app, &staff, &activity, (60, 120), 1).await;
        let signup = sign_up(&volunteer, &shift).await;
        let first = ask(&volunteer, &signup, Some(&named)).await;
        assert_eq!(named.get("/inbox").await.expect(200)["items"][0]["kind"], "stand_in.asked");
        other.post(&format!("/stand-ins/{first}/accept"), json!({})).await.refused(404, "not_found");
        assert_eq!(other.get("/stand-ins").await.expect(200)["items"], json!([]));
        named.delete(&format!("/stand-ins/{first}")).await.refused(404, "not_found");
        for _ in 0..2 {
            let withdrawn = volunteer.delete(&format!("/stand-ins/{first}")).await.expect(200);
            assert_eq!(withdrawn["state"], "withdrawn");
        }
        named.post(&format!("/stand-ins/{first}/accept"), json!({})).await.refused(409, "request_ended");
        let second = ask(&volunteer, &signup, Some(&named)).await;
        app.simulator.control().advance(std::time::Duration::from_mins(61));
        // Before the schedule: the shift has begun all the same.
        let named = app.sign_in("resident-1").await;
        named.post(&format!("/stand-ins/{second}/accept"), json!({})).await.refused(409, "shift_started");
        app.work().await;
        assert_eq!(stand_in_state(app, &second).await, StandInState::Lapsed);
    })
    .await;
}

// Guard: the state in the condition of the update of the request.
#[actix_web::test]
async fn of_twenty_who_stand_in_at_once_one_gets_the_seat() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let activity = activity(&staff).await;
        let shift = add_shift(app, &staff, &activity, (60, 120), 1).await;
        let people = crowd(app, 21).await;
        let signup = sign_up(&people[0], &shift).await;
        let accept = format!("/stand-ins/{}/accept", ask(&people[0], &signup, None).await);
        let answers = join_all(people[1..].iter().map(|person| person.post(&accept, json!({})))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 19));
        for answer in lost {
            answer.refused(409, "request_ended");
        }
        let rows = queue(app, &shift).await;
        assert_eq!((in_state(&rows, SignupState::Confirmed).len(), rows.len(), taken(app, &shift).await), (1, 2, 1));
    })
    .await;
}

/// Two people with a seat each: activity, shifts, people, sign-ups.
struct Pair {
    shifts: [String; 2],
    people: [Person; 2],
    signups: [Value; 2],
}

async fn pair(app: &TestApp, activity: &str, times: [(i64, i64); 2]) -> Pair {
    let [staff, one, two] = app.sign_in_all(["staff", "volunteer-1", "volunteer-2"]).await.try_into().ok().unwrap();
    let shifts =
        [add_shift(app, &staff, activity, times[0], 1).await, add_shift(app, &staff, activity, times[1], 1).await];
    let signups = [sign_up(&one, &shifts[0]).await, sign_up(&two, &shifts[1]).await];
    Pair { shifts, people: [one, two], signups }
}

impl Pair {
    async fn propose(&self) -> String {
        let body = json!({ "with_signup_id": self.signups[1]["id"] });
        id(&self.people[0].post(&format!("/signups/{}/swaps", id(&self.signups[0])), body).await.expect(201))
    }

    /// Who has the seats.
    async fn seated(&self, app: &TestApp) -> [Vec<entities::ids::UserId>; 2] {
        let mut seated = [Vec::new(), Vec::new()];
        for (shift, seated) in self.shifts.iter().zip(&mut seated) {
            *seated = in_state(&queue(app, shift).await, SignupState::Confirmed);
        }
        seated
    }
}

#[actix_web::test]
async fn two_people_exchange_their_shifts() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let activity = activity(&staff).await;
        let pair = pair(app, &activity, [(60, 120), (90, 150)]).await;
        let [one, two] = &pair.people;
        let stranger = app.sign_in("resident-1").await;
        // How one finds whom to ask.
        let path = format!("/shifts/{}/colleagues", pair.shifts[1]);
        stranger.get(&path).await.refused(403, "forbidden");
        assert_eq!(one.get(&path).await.expect(200)["items"][0]["signup_id"], pair.signups[1]["id"]);

        let propose = format!("/signups/{}/swaps", id(&pair.signups[0]));
        let with = |signup: &Value| json!({ "with_signup_id": signup["id"] });
        two.post(&propose, with(&pair.signups[1])).await.refused(404, "not_found");
        one.post(&propose, with(&pair.signups[0])).await.names("/with_signup_id");
        one.post(&propose, json!({ "with_signup_id": user_id("staff") })).await.names("/with_signup_id");
        let swap = pair.propose().await;
        one.post(&propose, with(&pair.signups[1])).await.refused(409, "swap_exists");
        assert_eq!(two.get("/inbox").await.expect(200)["items"][0]["kind"], "swap.proposed");
        assert_eq!(two.get("/me/swaps").await.expect(200)["items"][0]["id"], swap);
        let accept = format!("/swaps/{swap}/accept");
        one.post(&accept, json!({})).await.refused(404, "not_found");
        stranger.post(&accept, json!({})).await.refused(404, "not_found");
        // The shifts overlap: neither could take the other's without giving up their own in the same moment.
        assert_eq!(two.post(&accept, json!({})).await.expect(200)["state"], "accepted");
        two.post(&accept, json!({})).await.refused(409, "request_ended");
        assert_eq!(pair.seated(app).await, [vec![user_id("volunteer-2")], vec![user_id("volunteer-1")]]);
        assert_eq!(one.get("/inbox").await.expect(200)["items"][0]["kind"], "swap.accepted");
        assert_eq!((taken(app, &pair.shifts[0]).await, taken(app, &pair.shifts[1]).await), (1, 1));
    })
    .await;
}

#[actix_web::test]
async fn a_swap_is_declined_withdrawn_or_ends_with_the_earlier_beginning() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let activity = activity(&staff).await;
        let pair = pair(app, &activity, [(60, 120), (130, 190)]).await;
        let [one, two] = &pair.people;
        let first = pair.propose().await;
        app.sign_in("resident-1").await.delete(&format!("/swaps/{first}")).await.refused(404, "not_found");
        assert_eq!(two.delete(&format!("/swaps/{first}")).await.expect(200)["state"], "declined");
        assert_eq!(one.get("/inbox").await.expect(200)["items"][0]["kind"], "swap.declined");
        one.delete(&format!("/swaps/{first}")).await.refused(409, "request_ended");
        let second = pair.propose().await;
        assert_eq!(one.delete(&format!("/swaps/{second}")).await.expect(200)["state"], "withdrawn");
        let third = pair.propose().await;
        app.simulator.control().advance(std::time::Duration::from_mins(61));
        let two = app.sign_in("volunteer-2").await;
        two.post(&format!("/swaps/{third}/accept"), json!({})).await.refused(409, "shift_started");
        app.work().await;
        assert_eq!(two.get("/me/swaps").await.expect(200)["items"][0]["state"], "lapsed");
    })
    .await;
}

#[actix_web::test]
async fn a_swap_that_breaks_a_rule_for_either_changes_nothing() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let activity = activity(&staff).await;
        let pair = pair(app, &activity, [(1500, 1560), (3000, 3060)]).await;
        let [one, _] = &pair.people;
        // What volunteer-1 would get overlaps another shift of theirs.
        let third = add_shift(app, &staff, &activity, (3030, 3090), 1).await;
        let busy = sign_up(one, &third).await;
        let swap = pair.propose().await;
        let accept = format!("/swaps/{swap}/accept");
        pair.people[1].post(&accept, json!({})).await.refused(409, "overlapping_shift");
        assert_eq!(pair.seated(app).await, [vec![user_id("volunteer-1")], vec![user_id("volunteer-2")]]);
        assert_eq!(busy["state"], "confirmed");
        let row =
            swap::Entity::find_by_id(swap.parse::<Uuid>().unwrap()).one(app.state.db.read()).await.unwrap().unwrap();
        assert_eq!(row.state, SwapState::Open, "they may try again once there is room");
        step_back(one, &third).await;
        pair.people[1].post(&accept, json!({})).await.expect(200);
    })
    .await;
}

// Guards: the shift's lock, and the state in the condition of each update of a sign-up.
#[actix_web::test]
async fn a_swap_against_a_cancellation_of_either_is_one_of_both() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let activity = activity(&staff).await;
        let (mut swapped, mut cancelled) = (0, 0);
        for round in 0..12_i64 {
            let at = 1500 + round * 200;
            let pair = pair(app, &activity, [(at, at + 60), (at + 90, at + 150)]).await;
            let accept = format!("/swaps/{}/accept", pair.propose().await);
            let who = usize::from(round % 2 == 0);
            let path = format!("/shifts/{}/signup", pair.shifts[who]);
            let (swap, cancel) =
                futures_util::join!(pair.people[1].post(&accept, json!({})), pair.people[who].delete(&path));
            let seated = pair.seated(app).await;
            if swap.status == 200 {
                swapped += 1;
                assert_eq!(seated, [vec![user_id("volunteer-2")], vec![user_id("volunteer-1")]]);
            } else {
                cancelled += 1;
                assert!(matches!(swap.body["code"].as_str(), Some("request_ended" | "signup_state")), "{swap:?}");
                cancel.expect(200);
                assert_eq!(seated[who], []);
                assert_eq!(seated[1 - who].len(), 1);
            }
            let live: HashSet<_> = seated.iter().flatten().collect();
            assert_eq!(live.len(), seated.iter().flatten().count(), "nobody has both");
        }
        assert_eq!(swapped + cancelled, 12);
    })
    .await;
}

// Guard: `state = 'open'` in the condition of `close` in service/swaps.rs.
#[actix_web::test]
async fn a_swap_that_is_accepted_and_withdrawn_at_once_ends_one_way() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let activity = activity(&staff).await;
        for round in 0..6_i64 {
            let at = 1500 + round * 200;
            let pair = pair(app, &activity, [(at, at + 60), (at + 90, at + 150)]).await;
            let path = format!("/swaps/{}", pair.propose().await);
            let accept = format!("{path}/accept");
            // Whoever is asked may decline in the moment in which they accept, from another phone.
            let who = usize::from(round % 2 == 0);
            let (accepted, ended) =
                futures_util::join!(pair.people[1].post(&accept, json!({})), pair.people[who].delete(&path));
            let exchanged = accepted.status == 200;
            let lost = if exchanged { ended } else { accepted };
            lost.refused(409, "request_ended");
            let mut people = [vec![user_id("volunteer-1")], vec![user_id("volunteer-2")]];
            if exchanged {
                people.reverse();
            }
            assert_eq!(pair.seated(app).await, people);
        }
    })
    .await;
}

// Both swap with both at once. People and shifts are locked in the order of their ids; this does not prove that order: it also
// passes without, for PostgreSQL ends a deadlock and the caller tries again.
#[actix_web::test]
async fn swaps_in_both_directions_at_once_end_in_one_exchange() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let activity = activity(&staff).await;
        for round in 0..6_i64 {
            let at = 1500 + round * 200;
            let pair = pair(app, &activity, [(at, at + 60), (at + 90, at + 150)]).await;
            let there = format!("/swaps/{}/accept", pair.propose().await);
            let back = json!({ "with_signup_id": pair.signups[0]["id"] });
            let back = pair.people[1].post(&format!("/signups/{}/swaps", id(&pair.signups[1])), back).await;
            let back = format!("/swaps/{}/accept", id(&back.expect(201)));
            let (one, two) =
                futures_util::join!(pair.people[1].post(&there, json!({})), pair.people[0].post(&back, json!({})));
            assert_eq!([one.status, two.status].iter().filter(|status| **status == 200).count(), 1, "{one:?} {two:?}");
            assert_eq!(pair.seated(app).await, [vec![user_id("volunteer-2")], vec![user_id("volunteer-1")]]);
        }
        let rows = signup::Entity::find().filter(signup::Column::State.eq(SignupState::Confirmed));
        assert_eq!(rows.all(app.state.db.read()).await.unwrap().len(), 12);
        app.advance(Duration::minutes(1)).await;
    })
    .await;
}
