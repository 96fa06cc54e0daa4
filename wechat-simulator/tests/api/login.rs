use serde_json::json;

use crate::support::{APPID, Rig, SECRET, WANG, errcode};

#[tokio::test]
async fn a_login_code_works_once() {
    let rig = Rig::start();
    let code = rig.control().login_code("wang").unwrap();
    let answer = rig.exchange(&code).await;
    assert_eq!(answer["openid"], WANG);
    assert!(answer["session_key"].as_str().is_some_and(|key| key.len() == 24));
    assert!(answer["unionid"].is_string());
    assert!(answer.get("errcode").is_none(), "a success says nothing of errors");
    assert_eq!(errcode(&rig.exchange(&code).await), 40163);
}

#[tokio::test]
async fn a_login_code_lives_five_minutes() {
    let rig = Rig::start();
    let (early, late) = (rig.control().login_code("wang").unwrap(), rig.control().login_code("wang").unwrap());
    rig.advance(290);
    assert_eq!(errcode(&rig.exchange(&early).await), 0);
    rig.advance(10);
    assert_eq!(errcode(&rig.exchange(&late).await), 40029);
}

#[tokio::test]
async fn what_is_wrong_with_a_login_is_said() {
    let rig = Rig::start();
    let path = "/sns/jscode2session";
    for (query, expected) in [
        (format!("?appid={APPID}&secret={SECRET}&js_code=nonsense&grant_type=authorization_code"), 40029),
        (format!("?appid={APPID}&secret={SECRET}&grant_type=authorization_code"), 41008),
        (format!("?appid={APPID}&secret={SECRET}&js_code=x&grant_type=client_credential"), 40002),
        (format!("?appid={APPID}&secret=wrong&js_code=x&grant_type=authorization_code"), 40125),
        (format!("?appid={APPID}&js_code=x&grant_type=authorization_code"), 41004),
        (format!("?appid=wx0&secret={SECRET}&js_code=x&grant_type=authorization_code"), 40013),
        ("?grant_type=authorization_code".to_owned(), 41002),
    ] {
        assert_eq!(errcode(&rig.get(&format!("{path}{query}")).await), expected, "{query}");
    }
    assert_eq!(errcode(&rig.post(path, json!({})).await), 43001);
}

#[tokio::test]
async fn one_person_logs_in_a_hundred_times_a_minute() {
    let rig = Rig::start();
    rig.advance(60 - u64::from(chrono::Timelike::second(&rig.control().clock().now())));
    for _ in 0..100 {
        assert_eq!(errcode(&rig.log_in("wang").await), 0);
    }
    assert_eq!(errcode(&rig.log_in("wang").await), 45011);
    assert_eq!(errcode(&rig.log_in("li").await), 0);
    rig.advance(60);
    assert_eq!(errcode(&rig.log_in("wang").await), 0);
}

#[tokio::test]
async fn a_phone_code_is_another_code() {
    let rig = Rig::start();
    let path = "/wxa/business/getuserphonenumber";
    let code = rig.control().phone_code("wang").unwrap();
    assert_eq!(errcode(&rig.exchange(&code).await), 40029, "it signs nobody in");
    let answer = rig.call(path, json!({ "code": code })).await;
    assert_eq!(answer["phone_info"]["purePhoneNumber"], "13800000001");
    assert_eq!(answer["phone_info"]["countryCode"], "86");
    assert_eq!(answer["phone_info"]["watermark"]["appid"], APPID);
    assert_eq!(errcode(&rig.call(path, json!({ "code": code })).await), 40029);
    let login_code = rig.control().login_code("wang").unwrap();
    assert_eq!(errcode(&rig.call(path, json!({ "code": login_code })).await), 40029);
    let code = rig.control().phone_code("wang").unwrap();
    rig.advance(300);
    assert_eq!(errcode(&rig.call(path, json!({ "code": code })).await), 40029);
    assert_eq!(errcode(&rig.post(path, json!({ "code": "x" })).await), 41001);
}

#[tokio::test]
async fn only_the_latest_session_key_is_valid() {
    let rig = Rig::start();
    let first = rig.log_in("wang").await;
    let check = async |answer: &serde_json::Value| {
        let signature = session_signature(answer["session_key"].as_str().unwrap());
        let token = rig.token().await;
        let query = format!("access_token={token}&openid={WANG}&signature={signature}&sig_method=hmac_sha256");
        errcode(&rig.get(&format!("/wxa/checksession?{query}")).await)
    };
    assert_eq!(check(&first).await, 0);
    let second = rig.log_in("wang").await;
    assert_eq!(check(&first).await, 87009);
    assert_eq!(check(&second).await, 0);
}

fn session_signature(session_key: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mac = Hmac::<sha2::Sha256>::new_from_slice(session_key.as_bytes()).unwrap();
    mac.finalize().into_bytes().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
