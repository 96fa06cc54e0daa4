use serde_json::{Value, json};
use wechat_simulator::{Settings, read_code};

use crate::support::{Rig, errcode};

const CODE: &str = "/wxa/getwxacodeunlimit";

#[tokio::test]
async fn a_code_is_a_picture_that_holds_its_scene() {
    let rig = Rig::start();
    let path = format!("{CODE}?access_token={}", rig.token().await);
    let body = json!({ "scene": "o=12&u=302", "page": "pages/poll/index", "width": 430 });
    let response = rig.try_post(&path, &body).await.unwrap();
    assert_eq!(response.headers()["content-type"], "image/jpeg");
    let image = response.bytes().await.unwrap();
    assert!(image.starts_with(&[0xff, 0xd8]));
    assert_eq!(read_code(&image).as_deref(), Some("o=12&u=302"));
}

#[tokio::test]
async fn a_code_must_be_well_formed() {
    let rig = Rig::with(|settings| Settings { pages: vec!["pages/index".into()], ..settings });
    for (body, expected) in [
        (json!({ "scene": "" }), 40169),
        (json!({ "scene": "a".repeat(33) }), 40169),
        (json!({ "scene": "中" }), 40169),
        (json!({ "scene": "a b" }), 40169),
        (json!({ "scene": "scancode_time=1" }), 85096),
        (json!({ "scene": "a", "page": "/pages/index" }), 41030),
        (json!({ "scene": "a", "page": "pages/index?x=1" }), 41030),
        (json!({ "scene": "a", "page": "pages/unpublished" }), 41030),
        (json!({ "scene": "a", "width": 279 }), 40097),
        (json!({ "scene": "a", "width": 1281 }), 40097),
        (json!({ "scene": "a", "env_version": "formal" }), 40097),
    ] {
        assert_eq!(errcode(&rig.call(CODE, body.clone()).await), expected, "{body}");
    }
    let unchecked = json!({ "scene": "a", "page": "pages/unpublished", "check_path": false });
    let path = format!("{CODE}?access_token={}", rig.token().await);
    let response = rig.try_post(&path, &unchecked).await.unwrap();
    assert_eq!(response.headers()["content-type"], "image/jpeg");
}

#[tokio::test]
async fn links_and_schemes() {
    let rig = Rig::with(|settings| Settings { pages: vec!["pages/index".into()], ..settings });
    let now = rig.control().clock().now().timestamp();
    let link = async |body: Value| rig.call("/wxa/generate_urllink", body).await;
    let answer = link(json!({ "path": "/pages/index", "query": "a=1", "expire_type": 1, "expire_interval": 30 })).await;
    assert!(answer["url_link"].as_str().is_some_and(|url| url.starts_with("https://wxaurl.cn/")));
    for (body, expected) in [
        (json!({ "path": "pages/nothing" }), 40165),
        (json!({ "query": "中" }), 40212),
        (json!({ "query": "a".repeat(1_025) }), 40212),
        (json!({ "expire_type": 1, "expire_interval": 31 }), 85401),
        (json!({ "expire_type": 0, "expire_time": now + 10 }), 85401),
        (json!({ "expire_type": 0, "expire_time": now + 3_600 }), 0),
        (json!({ "env_version": "beta" }), 85402),
    ] {
        assert_eq!(errcode(&link(body.clone()).await), expected, "{body}");
    }
    let scheme = rig.call("/wxa/generatescheme", json!({ "jump_wxa": { "path": "pages/index" } })).await;
    assert!(scheme["openlink"].as_str().is_some_and(|link| link.starts_with("weixin://dl/business/?t=")));
}
