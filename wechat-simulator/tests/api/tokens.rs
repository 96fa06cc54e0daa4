use serde_json::{Value, json};

use crate::support::{APPID, Rig, SECRET, errcode};

/// The errcode of a call with this token; 40029, as its code is nonsense, when the token is good.
async fn errcode_with(rig: &Rig, token: &str) -> i64 {
    let path = format!("/wxa/business/getuserphonenumber?access_token={token}");
    errcode(&rig.post(&path, json!({ "code": "nonsense" })).await)
}

fn token_of(answer: &Value) -> String {
    answer["access_token"].as_str().unwrap().to_owned()
}

const GOOD: i64 = 40029;

#[tokio::test]
async fn the_stable_token_stays_while_it_lives() {
    let rig = Rig::start();
    let first = rig.stable(false).await;
    assert!(token_of(&first).len() >= 512);
    assert_eq!(first["expires_in"], 7200);
    rig.advance(1_000);
    let again = rig.stable(false).await;
    assert_eq!(token_of(&again), token_of(&first));
    assert!(again["expires_in"].as_i64().is_some_and(|left| (6_190..=6_200).contains(&left)), "{again}");
    assert_eq!(errcode_with(&rig, &token_of(&first)).await, GOOD);
    rig.advance(6_200);
    assert_eq!(errcode_with(&rig, &token_of(&first)).await, 42001);
    assert_ne!(token_of(&rig.stable(false).await), token_of(&first));
}

#[tokio::test]
async fn forcing_ends_the_old_token_but_not_twice_in_thirty_seconds() {
    let rig = Rig::start();
    // From a midnight in China: the day's count starts anew there.
    let into_the_day = (rig.control().clock().now().timestamp() + 8 * 3_600).rem_euclid(86_400);
    rig.advance(86_400 - u64::try_from(into_the_day).unwrap());
    let first = token_of(&rig.stable(false).await);
    let forced = token_of(&rig.stable(true).await);
    assert_ne!(forced, first);
    assert_eq!(errcode_with(&rig, &first).await, 40001);
    assert_eq!(token_of(&rig.stable(true).await), forced, "too soon: nothing happens");
    rig.advance(30);
    assert_ne!(token_of(&rig.stable(true).await), forced);
    for _ in 0..18 {
        rig.advance(30);
        assert_eq!(errcode(&rig.stable(true).await), 0);
    }
    rig.advance(30);
    assert_eq!(errcode(&rig.stable(true).await), 45009);
}

#[tokio::test]
async fn fetching_the_plain_token_again_leaves_the_old_one_five_minutes() {
    let rig = Rig::start();
    let stable = rig.token().await;
    let path = format!("/cgi-bin/token?grant_type=client_credential&appid={APPID}&secret={SECRET}");
    let first = token_of(&rig.get(&path).await);
    let second = token_of(&rig.get(&path).await);
    assert_ne!(first, second);
    assert_eq!(errcode_with(&rig, &first).await, GOOD);
    rig.advance(300);
    assert_eq!(errcode_with(&rig, &first).await, 40001);
    assert_eq!(errcode_with(&rig, &second).await, GOOD);
    assert_eq!(errcode_with(&rig, &stable).await, GOOD, "the two calls keep tokens apart");
}

#[tokio::test]
async fn credentials_are_checked() {
    let rig = Rig::start();
    for (body, expected) in [
        (json!({ "grant_type": "client_credential", "appid": APPID, "secret": "wrong" }), 40125),
        (json!({ "grant_type": "client_credential", "appid": "wx0", "secret": SECRET }), 40013),
        (json!({ "grant_type": "client_credential", "appid": APPID }), 41004),
        (json!({ "grant_type": "client_credential" }), 41002),
        (json!({ "appid": APPID, "secret": SECRET }), 40002),
        (json!([1]), 47001),
    ] {
        assert_eq!(errcode(&rig.post("/cgi-bin/stable_token", body.clone()).await), expected, "{body}");
    }
    assert_eq!(errcode(&rig.get("/cgi-bin/stable_token").await), 43002);
    let plain = format!("/cgi-bin/token?grant_type=client_credential&appid={APPID}&secret=wrong");
    assert_eq!(errcode(&rig.get(&plain).await), 40001);
}

#[tokio::test]
async fn a_token_can_be_ended_and_can_stick() {
    let rig = Rig::start();
    let first = rig.token().await;
    rig.control().expire_token();
    assert_eq!(errcode_with(&rig, &first).await, 40001);
    let second = rig.token().await;
    assert_eq!(errcode_with(&rig, &second).await, GOOD);
    rig.post("/sim/token/expire", json!({ "stuck": true })).await;
    assert_eq!(rig.token().await, second, "normal mode gives the dead token back");
    assert_eq!(errcode_with(&rig, &second).await, 40001);
    let forced = token_of(&rig.stable(true).await);
    assert_eq!(errcode_with(&rig, &forced).await, GOOD);
}

#[tokio::test]
async fn no_token_and_no_such_token() {
    let rig = Rig::start();
    assert_eq!(errcode_with(&rig, "").await, 41001);
    assert_eq!(errcode_with(&rig, "nonsense").await, 40014);
    assert_eq!(errcode_with(&rig, "97_neverissued").await, 40001);
}
