//! Pictures: what is taken, what is kept, who sees it, and WeChat's verdicts.

use std::io::Cursor;
use std::net::TcpListener;
use std::time::Duration;

use futures_util::future::join_all;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use linli::platform::state::AppState;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use wechat_simulator::{Event, Fault, Push, PushMode, Suggest};

use crate::support::{Answer, GUANGHUA, Person, TestApp, place_id};

/// A picture whose left half is red and whose right half is blue.
pub fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let mut image = image::RgbImage::new(width, height);
    for (x, _, pixel) in image.enumerate_pixels_mut() {
        *pixel = if x < width / 2 { image::Rgb([255, 0, 0]) } else { image::Rgb([0, 0, 255]) };
    }
    let mut out = Cursor::new(Vec::new());
    DynamicImage::from(image).write_to(&mut out, format).unwrap();
    out.into_inner()
}

pub async fn send(person: &Person, bytes: Vec<u8>, kind: &str, key: Option<&str>) -> Answer {
    let part = Part::bytes(bytes).file_name("photo").mime_str(kind).unwrap();
    let mut request = person.request(Method::POST, "/files").multipart(Form::new().part("file", part));
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    person.send(request).await
}

/// Uploads a small picture; gives its id.
pub async fn upload(person: &Person) -> String {
    let answer = send(person, picture(ImageFormat::Png, 40, 20), "image/png", None).await.expect(201);
    answer["id"].as_str().unwrap().to_owned()
}

/// A JPEG that says "turn me by 90°" and where it was taken: `Exif` with orientation 6 and a GPS directory.
fn with_gps(jpeg: &[u8]) -> Vec<u8> {
    let mut tiff: Vec<u8> = b"II*\0\x08\0\0\0".to_vec();
    let entry = |tiff: &mut Vec<u8>, tag: u16, kind: u16, count: u32, value: u32| {
        tiff.extend(tag.to_le_bytes());
        tiff.extend(kind.to_le_bytes());
        tiff.extend(count.to_le_bytes());
        tiff.extend(value.to_le_bytes());
    };
    tiff.extend(2_u16.to_le_bytes());
    entry(&mut tiff, 0x0112, 3, 1, 6);
    entry(&mut tiff, 0x8825, 4, 1, 38);
    tiff.extend(0_u32.to_le_bytes());
    tiff.extend(2_u16.to_le_bytes());
    entry(&mut tiff, 1, 2, 2, u32::from(b'N'));
    entry(&mut tiff, 2, 5, 3, 68);
    tiff.extend(0_u32.to_le_bytes());
    for number in [30_u32, 1, 36, 1, 171_717, 10_000] {
        tiff.extend(number.to_le_bytes());
    }
    let length = u16::try_from(tiff.len() + 8).unwrap();
    let mut out = jpeg[..2].to_vec();
    out.extend([0xFF, 0xE1]);
    out.extend(length.to_be_bytes());
    out.extend(b"Exif\0\0");
    out.extend(&tiff);
    out.extend(&jpeg[2..]);
    // Data after the picture's end, where some phones keep a film.
    out.extend(b"left behind: 30.6 N 114.3 E");
    out
}

fn exif(bytes: &[u8]) -> Option<Vec<u8>> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().unwrap();
    reader.into_decoder().unwrap().exif_metadata().unwrap()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[actix_web::test]
async fn a_picture_is_upright_small_and_says_nothing_about_where_it_was_taken() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        let original = with_gps(&picture(ImageFormat::Jpeg, 3000, 1500));
        assert!(exif(&original).is_some() && contains(&original, &171_717_u32.to_le_bytes()));
        let file = send(&person, original, "image/jpeg", None).await.expect(201);
        assert_eq!((&file["state"], &file["content_type"]), (&json!("pending"), &json!("image/jpeg")));
        assert_eq!((&file["width"], &file["height"]), (&json!(1024), &json!(2048)));
        let path = format!("/files/{}", file["id"].as_str().unwrap());
        for (query, width, height) in [("", 1024, 2048), ("?size=thumb", 160, 320)] {
            let answer = person.get(&format!("{path}{query}")).await;
            assert_eq!(answer.status, 200);
            for (name, value) in [
                ("content-type", "image/jpeg"),
                ("x-content-type-options", "nosniff"),
                ("cache-control", "private, max-age=86400, immutable"),
            ] {
                assert_eq!(answer.headers[name], value);
            }
            assert!(exif(&answer.bytes).is_none());
            for trace in [b"Exif".as_slice(), &171_717_u32.to_le_bytes(), b"left behind"] {
                assert!(!contains(&answer.bytes, trace));
            }
            let kept = image::load_from_memory(&answer.bytes).unwrap().to_rgb8();
            assert_eq!(kept.dimensions(), (width, height));
            // Turned clockwise, what was left is at the top.
            let (top, bottom) = (kept.get_pixel(width / 2, 10), kept.get_pixel(width / 2, height - 10));
            assert!(top[0] > 200 && bottom[2] > 200, "{top:?} {bottom:?}");
        }
    })
    .await;
}

#[actix_web::test]
async fn what_is_no_picture_lies_or_is_too_large_is_refused_and_not_stored() {
    TestApp::run_with("file_bytes = 200000", async |app| {
        let person = app.sign_in("resident-1").await;
        let png = picture(ImageFormat::Png, 40, 20);
        for (bytes, kind) in [
            (b"<html><script>alert(1)</script>".to_vec(), "image/png"),
            (b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), "image/gif"),
            (png.clone(), "image/jpeg"),
            (png.clone(), "text/plain"),
            (png[..png.len() - 30].to_vec(), "image/png"),
            (Vec::new(), "image/png"),
        ] {
            send(&person, bytes, kind, None).await.refused(422, "file_type_mismatch");
        }
        send(&person, vec![0; 300_000], "image/png", None).await.refused(413, "body_too_large");
        send(&person, picture(ImageFormat::Png, 20_001, 1), "image/png", None).await.names("/file");

        let form = async |form: Form| person.send(person.request(Method::POST, "/files").multipart(form)).await;
        form(Form::new().text("note", "x")).await.names("/note");
        form(Form::new().part("file", Part::bytes(png.clone())).part("file", Part::bytes(png.clone())))
            .await
            .names("/file");
        person.post("/files", json!({ "file": "x" })).await.refused(415, "unsupported_media_type");
        let request = reqwest::Client::new().post(app.api("/files"));
        app.call(request.multipart(Form::new().part("file", Part::bytes(png.clone()))), "nobody")
            .await
            .refused(401, "unauthenticated");

        assert!(
            std::fs::read_dir(app.state.config.data_dir.join("files")).unwrap().next().is_none(),
            "bytes were kept"
        );
        // No claim about the type is no lie.
        send(&person, png, "application/octet-stream", None).await.expect(201);
    })
    .await;
}

// Guard: the key's row in platform/http/command.rs.
#[actix_web::test]
async fn one_key_is_one_picture() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        let png = picture(ImageFormat::Png, 40, 20);
        let answers = join_all((0..8).map(|_| send(&person, png.clone(), "image/png", Some("k")))).await;
        let bodies: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201)).collect();
        assert!(bodies.iter().all(|body| *body == bodies[0]));
        let kept = std::fs::read_dir(app.state.config.data_dir.join("files")).unwrap().count();
        assert_eq!(kept, 2, "the picture and its thumbnail");
        send(&person, picture(ImageFormat::Png, 41, 20), "image/png", Some("k"))
            .await
            .refused(409, "idempotency_key_reused");
    })
    .await;
}

#[actix_web::test]
async fn others_see_a_picture_once_its_need_is_published_and_no_more_when_it_is_hidden() {
    TestApp::run(async |app| {
        let [author, neighbour, staff, other] =
            app.sign_in_all(["resident-1", "resident-2", "staff", "staff-other"]).await.try_into().ok().unwrap();
        let file = upload(&author).await;
        let path = format!("/files/{file}");
        author.get(&path).await.expect(200);
        for stranger in [&neighbour, &staff, &other] {
            stranger.get(&path).await.refused(404, "not_found");
        }
        app.anonymous(Method::GET, &path, &json!({})).await.refused(401, "unauthenticated");
        app.simulator.control().script_next_media(Suggest::Review);
        let need = json!({ "place_id": place_id(GUANGHUA), "category": "rights", "title": "灯坏了", "body": "三楼", "file_ids": [file] });
        let need = author.post("/needs", need).await.expect(201)["id"].as_str().unwrap().to_owned();
        app.work().await;

        // It waits for a person: moderators of the place see it, by token and by link.
        staff.get(&path).await.expect(200);
        neighbour.get(&path).await.refused(404, "not_found");
        other.get(&path).await.refused(404, "not_found");
        let link = |view: &Value, which: &str| view["files"][0][which].as_str().unwrap().to_owned();
        let fetch = async |url: String| app.call(app.http.get(url), "a link").await;
        let insider = staff.get(&format!("/needs/{need}")).await.expect(200);
        assert_eq!(fetch(link(&insider, "thumb_url")).await.status, 200);

        let item = super::moderation::item_of(&staff, &need).await;
        staff.post(&format!("/moderation/items/{item}/decision"), json!({ "action": "approve" })).await.expect(200);
        let public = neighbour.get(&format!("/needs/{need}")).await.expect(200);
        let url = link(&public, "url");
        assert_eq!(fetch(url.clone()).await.headers["content-type"], "image/png");
        neighbour.get(&path).await.expect(200);

        // A link is for one picture, one size and one time.
        fetch(url.replace("size=full", "size=thumb")).await.refused(404, "not_found");
        fetch(url.replace("exp=1", "exp=2")).await.refused(404, "not_found");
        fetch(url.replace("sig=", "sig=A")).await.refused(404, "not_found");
        fetch(url.replace(&file, &need)).await.refused(404, "not_found");

        neighbour.post("/reports", json!({ "target_kind": "need", "target_id": need, "reason": "不实" })).await.expect(201);
        let item = super::moderation::item_of(&staff, &need).await;
        let hide = json!({ "action": "hide", "reason": "含他人照片" });
        staff.post(&format!("/moderation/items/{item}/decision"), hide).await.expect(200);
        fetch(url.clone()).await.refused(404, "not_found");
        neighbour.get(&path).await.refused(404, "not_found");
        author.get(&path).await.expect(200);
        staff.post(&format!("/moderation/items/{item}/decision"), json!({ "action": "restore" })).await.expect(200);
        assert_eq!(fetch(url.clone()).await.status, 200);
        app.advance(chrono::Duration::minutes(31)).await;
        fetch(url).await.refused(404, "not_found");
    })
    .await;
}

// Guard: the lock on the person's row in files/service.rs.
#[actix_web::test]
async fn a_person_uploads_so_many_pictures_a_day() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        let png = picture(ImageFormat::Png, 4, 4);
        let upload_at_once = async |count: usize| {
            let answers = join_all((0..count).map(|_| send(&person, png.clone(), "image/png", None))).await;
            answers.iter().filter(|answer| answer.status == 201).count()
        };
        let mut taken = 0;
        for count in [30, 30, 37, 40] {
            taken += upload_at_once(count).await;
        }
        assert_eq!(taken, 100);
        send(&person, png.clone(), "image/png", None).await.refused(429, "rate_limited");
        app.advance(chrono::Duration::hours(25)).await;
        let person = app.sign_in("resident-1").await;
        send(&person, png, "image/png", None).await.expect(201);
    })
    .await;
}

async fn state_of(app: &TestApp, file: &str) -> String {
    use sea_orm::EntityTrait;
    let id: entities::ids::FileId = file.parse().unwrap();
    let row = entities::files::file::Entity::find_by_id(id).one(app.state.db.read()).await.unwrap().unwrap();
    row.state.to_string()
}

#[actix_web::test]
async fn every_verdict_reaches_its_picture_in_plain_and_secure_mode() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        let all_verdicts = async || {
            for (suggest, state) in
                [(Suggest::Pass, "passed"), (Suggest::Review, "review"), (Suggest::Risky, "blocked")]
            {
                app.simulator.control().script_next_media(suggest);
                let file = upload(&person).await;
                assert_eq!(state_of(app, &file).await, "pending");
                app.work().await;
                assert_eq!(state_of(app, &file).await, state);
            }
        };
        all_verdicts().await;

        // A second server without a key takes plain pushes, and those only.
        let mut config = app.state.config.clone();
        config.wechat.encoding_aes_key = None;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api/v1/wechat/push", listener.local_addr().unwrap());
        let state = AppState::new(config, app.state.clock.clone(), linli::app::capabilities()).await.unwrap();
        let server = linli::app::serve(&state, listener).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let push = |mode| Push {
            url: url.clone(),
            token: "test-push-token".to_owned(),
            encoding_aes_key: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".to_owned(),
            mode,
        };
        app.simulator.set_push(Some(push(PushMode::Plain)));
        app.simulator.control().verify_push().await.unwrap();
        all_verdicts().await;
        handle.stop(false).await;
        state.db.clone().close().await.unwrap();
    })
    .await;
}

#[actix_web::test]
async fn the_address_is_proved_and_forged_or_unknown_pushes_are_refused() {
    TestApp::run(async |app| {
        app.simulator.control().verify_push().await.unwrap();
        let path = "/wechat/push?signature=00&timestamp=1&nonce=1&echostr=x";
        app.anonymous(Method::GET, path, &json!({})).await.refused(403, "forbidden");
        app.anonymous(Method::POST, path, &json!({ "Encrypt": "x" })).await.refused(403, "forbidden");
        app.anonymous(Method::POST, path, &json!({})).await.refused(400, "malformed_request");
        let unknown = Event::new("resident-1", "something_new");
        assert!(app.simulator.control().send_event(unknown).await.unwrap().delivered);
    })
    .await;
}

#[actix_web::test]
async fn wechat_away_is_asked_again_and_a_refusal_goes_to_a_person() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        app.simulator.control().fault(Fault::errcode("/wxa/media_check_async", -1));
        let late = upload(&person).await;
        app.work().await;
        assert_eq!(state_of(app, &late).await, "pending");
        app.simulator.control().clear_faults();
        app.advance(chrono::Duration::seconds(10)).await;
        assert_eq!(state_of(app, &late).await, "passed");

        app.simulator.control().fault(Fault::errcode("/wxa/media_check_async", 61010));
        let refused = upload(&person).await;
        app.work().await;
        assert_eq!(state_of(app, &refused).await, "review");

        app.simulator.control().clear_faults();
        app.simulator.control().fault(Fault::errcode("/wxa/media_check_async", -1));
        let never = upload(&person).await;
        for _ in 0..20 {
            app.advance(chrono::Duration::minutes(2)).await;
        }
        assert_eq!(state_of(app, &never).await, "review", "given up before the job is parked");
    })
    .await;
}

/// A verdict for a trace id that nobody knows is refused until it is known: WeChat sends it again.
#[actix_web::test]
async fn an_early_verdict_is_not_lost() {
    use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        let file = upload(&person).await;
        let verdict = Event::new("resident-1", "wxa_media_check")
            .field("trace_id", json!("early"))
            .field("errcode", json!(0))
            .field("result", json!({ "suggest": "pass", "label": 100 }));
        let store = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            let id: entities::ids::FileId = file.parse().unwrap();
            let row = entities::files::file::Entity::find_by_id(id).one(app.state.db.read()).await.unwrap().unwrap();
            let mut row = row.into_active_model();
            row.trace_id = Set(Some("early".to_owned()));
            linli::platform::http::transact(&app.state, async |txn| Ok(row.update(txn).await?)).await.unwrap();
        };
        let (delivery, ()) = tokio::join!(app.simulator.control().send_event(verdict.clone()), store);
        let delivery = delivery.unwrap();
        assert!(delivery.delivered, "{delivery:?}");
        assert_eq!(state_of(app, &file).await, "passed");
        // WeChat repeats itself; the first verdict stands.
        let again = verdict.field("result", json!({ "suggest": "risky", "label": 20002 }));
        assert!(app.simulator.control().send_event(again).await.unwrap().delivered);
        assert_eq!(state_of(app, &file).await, "passed");
    })
    .await;
}

#[actix_web::test]
async fn what_people_do_with_messages_in_wechat_is_known_here() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        let left = async || {
            let me = person.get("/me").await.expect(200);
            let quotas = me["message_consents"].as_array().unwrap().clone();
            quotas.iter().find(|quota| quota["template"] == "need").unwrap()["available"].as_i64().unwrap()
        };
        for event in [Event::change("resident-1", "need"), Event::popup("resident-1", "need", "reject")] {
            person.post("/me/message-consents", json!({ "template": "need", "accepted": true })).await.expect(200);
            assert_eq!(left().await, 1);
            assert!(app.simulator.control().send_event(event).await.unwrap().delivered);
            assert_eq!(left().await, 0);
        }
        assert!(
            app.simulator.control().send_event(Event::popup("resident-1", "need", "accept")).await.unwrap().delivered
        );
        assert_eq!(left().await, 0, "the mini-program tells of acceptances itself");
    })
    .await;
}
