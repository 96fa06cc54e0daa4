//! Needs said aloud: what of a recording is kept, who hears it, and what is said in confidence.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use wechat_simulator::Suggest;

use crate::files::{send, upload};
use crate::needs::need;
use crate::support::{Answer, Person, TestApp};

/// A quiet MP3: 36 ms and 108 bytes a frame.
pub fn mp3(frames: usize) -> Vec<u8> {
    let mut frame = vec![0xFF, 0xF3, 0x38, 0xC4];
    frame.resize(108, 0x55);
    frame.repeat(frames)
}

/// Says where it was recorded, before the sound and behind it.
fn with_tags(sound: &[u8]) -> Vec<u8> {
    let tail = format!("{:<128}", "TAG+30.6+114.3/");
    [b"ID3\x04\0\0\0\0\0\x0C+30.6+114.3/", sound, tail.as_bytes()].concat()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

async fn confided(person: &Person, bytes: Vec<u8>) -> Answer {
    let part = Part::bytes(bytes).file_name("voice").mime_str("audio/mp3").unwrap();
    let form = Form::new().part("file", part);
    person.send(person.request(Method::POST, "/files?confidential=true").multipart(form)).await
}

/// Uploads a voice of 3.6 seconds; gives its id.
async fn voice(person: &Person) -> String {
    let file = send(person, with_tags(&mp3(100)), "audio/mp3", None).await.expect(201);
    file["id"].as_str().unwrap().to_owned()
}

/// A need that is said instead of written.
fn said(voice: &str) -> Value {
    let mut body = need("楼道的灯");
    body.as_object_mut().unwrap().remove("body");
    body["voice_id"] = json!(voice);
    body
}

// Guards: the frames that `files::voice` walks, and `is_voice` before pictures.
#[actix_web::test]
async fn a_voice_is_its_sound_and_its_length_and_says_nothing_of_where_it_was_recorded() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        let file = send(&person, with_tags(&mp3(100)), "audio/mp3", None).await.expect(201);
        assert_eq!((&file["content_type"], &file["duration_ms"]), (&json!("audio/mpeg"), &json!(3_600)));
        assert_eq!((&file["state"], &file["bytes"]), (&json!("pending"), &json!(10_800)));
        let path = format!("/files/{}", file["id"].as_str().unwrap());
        let whole = person.get(&path).await;
        assert!(!contains(&whole.bytes, b"30.6") && whole.bytes == mp3(100));
        for (name, value) in [
            ("content-type", "audio/mpeg"),
            ("accept-ranges", "bytes"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; sandbox"),
        ] {
            assert_eq!(whole.headers[name], value);
        }
        for (bytes, kind) in [
            (mp3(100), "audio/aac"),
            (mp3(100), "text/html"),
            ([mp3(50), b"<script>alert(1)</script>".to_vec()].concat(), "audio/mpeg"),
            ([mp3(50), vec![1, 2, 3, 4, 5, 6], mp3(50)].concat(), "audio/mpeg"),
            (b"RIFF\0\0\0\0WAVEfmt ".to_vec(), "audio/wav"),
        ] {
            send(&person, bytes, kind, None).await.refused(422, "file_type_mismatch");
        }
        send(&person, mp3(1_700), "audio/mpeg", None).await.names("/file");
        send(&person, mp3(20), "audio/mpeg", None).await.names("/file");
    })
    .await;
}

#[actix_web::test]
async fn a_phone_may_ask_for_a_range_of_a_voice() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        let path = format!("/files/{}", voice(&person).await);
        let range = async |asked: &str| person.send(person.request(Method::GET, &path).header("range", asked)).await;
        for (asked, first, last) in [("bytes=0-1", 0, 1), ("bytes=108-", 108, 10_799), ("bytes=-4", 10_796, 10_799)] {
            let answer = range(asked).await;
            assert_eq!((answer.status, &answer.bytes[..]), (206, &mp3(100)[first..=last]));
            assert_eq!(answer.headers["content-range"], format!("bytes {first}-{last}/10800"));
        }
        let beyond = range("bytes=10800-").await;
        assert_eq!((beyond.status, &beyond.headers["content-range"]), (416, &"bytes */10800".parse().unwrap()));
        assert_eq!(range("bytes=0-1,5-6").await.status, 200, "several at once are the whole");
        let other = person.request(Method::GET, &path).header("range", "bytes=0-1").header("if-range", "\"other\"");
        assert_eq!(person.send(other).await.status, 200);
    })
    .await;
}

// Guards: `files::show` with the need, and the verdict that `moderation` waits for.
#[actix_web::test]
async fn a_need_that_is_said_waits_for_content_security_like_one_that_is_written() {
    TestApp::run(async |app| {
        let [author, neighbour, staff] =
            app.sign_in_all(["resident-1", "resident-2", "staff"]).await.try_into().ok().unwrap();
        let file = voice(&author).await;
        let path = format!("/files/{file}");
        let mut silent = said(&file);
        silent.as_object_mut().unwrap().remove("voice_id");
        author.post("/needs", silent).await.names("/body");
        let mut untitled = said(&file);
        untitled.as_object_mut().unwrap().remove("title");
        author.post("/needs", untitled).await.names("/title");

        app.simulator.control().script_next_media(Suggest::Risky);
        let id = author.post("/needs", said(&file)).await.expect(201)["id"].as_str().unwrap().to_owned();
        author.post("/needs", said(&file)).await.refused(409, "file_in_use");
        app.work().await;
        assert_eq!(app.simulator.control().call_count("/wxa/media_check_async"), 1);
        neighbour.get(&path).await.refused(404, "not_found");
        neighbour.get(&format!("/needs/{id}")).await.refused(404, "not_found");
        let waiting = staff.get(&format!("/needs/{id}")).await.expect(200);
        assert_eq!((&waiting["state"], &waiting["body"]), (&json!("in_review"), &json!("")));
        let item = crate::moderation::item_of(&staff, &id).await;
        staff.post(&format!("/moderation/items/{item}/decision"), json!({ "action": "approve" })).await.expect(200);

        let seen = neighbour.get(&format!("/needs/{id}")).await.expect(200);
        assert_eq!(seen["voice"]["duration_ms"], 3_600);
        assert_eq!((&seen["voice"]["id"], &seen["files"]), (&json!(file), &json!([])));
        let heard = app.call(app.http.get(seen["voice"]["url"].as_str().unwrap()), "a link").await;
        assert_eq!((heard.status, &heard.headers["content-type"]), (200, &"audio/mpeg".parse().unwrap()));
        author.post(&format!("/needs/{id}/withdraw"), json!({})).await.expect(200);
        neighbour.get(&path).await.refused(404, "not_found");
    })
    .await;
}

// Guards: the owner and type in `files::attach_voice`; the types in `files::attach`.
#[actix_web::test]
async fn a_voice_is_ones_own_and_no_picture_and_a_need_has_one() {
    TestApp::run(async |app| {
        let [author, other] = app.sign_in_all(["resident-1", "resident-2"]).await.try_into().ok().unwrap();
        author.post("/needs", said(&voice(&other).await)).await.names("/voice_id");
        author.post("/needs", said(&upload(&author).await)).await.names("/voice_id");
        let mut pictured = need("灯坏了");
        pictured["file_ids"] = json!([voice(&author).await]);
        author.post("/needs", pictured).await.names("/file_ids/0");
        let mut both = said(&voice(&author).await);
        both["file_ids"] = json!([upload(&author).await]);
        let id = author.post("/needs", both).await.expect(201)["id"].as_str().unwrap().to_owned();
        app.work().await;
        let seen = other.get(&format!("/needs/{id}")).await.expect(200);
        assert_eq!((seen["files"].as_array().unwrap().len(), &seen["voice"]["duration_ms"]), (1, &json!(3_600)));
        let second = "INSERT INTO need_files SELECT need_id, 8, file_id, voice FROM need_files WHERE voice";
        assert!(app.state.db.read().execute_unprepared(second).await.is_err(), "need_files_one_voice");
    })
    .await;
}

// Guards: no job for a confidential upload, `sealed`, `confidential` in both reads of files/service.rs, `handled` in cases.
#[actix_web::test]
async fn what_is_said_aloud_in_confidence_is_heard_by_the_handlers_of_its_case_only() {
    TestApp::run(async |app| {
        let [reporter, staff, worker] =
            app.sign_in_all(["resident-1", "staff", "social-worker-1"]).await.try_into().ok().unwrap();
        confided(&reporter, crate::files::picture(image::ImageFormat::Png, 4, 4)).await.names("/file");
        let file = confided(&reporter, with_tags(&mp3(100))).await.expect(201);
        assert_eq!((&file["state"], &file["confidential"]), (&json!("review"), &json!(true)));
        let file = file["id"].as_str().unwrap().to_owned();
        let mut open = said(&file);
        open["category"] = json!("rights");
        reporter.post("/needs", open.clone()).await.names("/voice_id");
        let mut heard_by_wechat = open.clone();
        heard_by_wechat["confidential"] = json!(true);
        heard_by_wechat["voice_id"] = json!(voice(&reporter).await);
        reporter.post("/needs", heard_by_wechat).await.names("/voice_id");
        let before = app.simulator.control().call_count("/wxa/media_check_async");
        app.work().await;
        open["confidential"] = json!(true);
        let case = reporter.post("/needs", open.clone()).await.expect(201)["id"].as_str().unwrap().to_owned();
        reporter.post("/needs", open).await.refused(409, "file_in_use");
        app.work().await;
        assert_eq!(
            app.simulator.control().call_count("/wxa/media_check_async"),
            before + 1,
            "WeChat heard the other one only"
        );

        let stored = std::fs::read(app.state.config.data_dir.join("files").join(&file)).unwrap();
        assert!(!contains(&stored, &mp3(1)), "it lies encrypted");
        let path = format!("/cases/{case}/voice");
        for stranger in [&reporter, &staff] {
            stranger.get(&format!("/files/{file}")).await.refused(404, "not_found");
            stranger.get(&path).await.refused(404, "not_found");
        }
        worker.get(&format!("/files/{file}")).await.refused(404, "not_found");
        assert_eq!(worker.get(&format!("/cases/{case}")).await.expect(200)["has_voice"], true);
        let heard = worker.get(&path).await;
        assert_eq!((heard.status, heard.bytes == mp3(100)), (200, true));
        assert_eq!(heard.headers["cache-control"], "no-store");
        let row = "SELECT COUNT(*) AS n FROM audit_log WHERE action = 'case.listen'";
        assert_eq!(crate::cases::count(app, row).await, 1);
        let shown = "UPDATE files SET public = true WHERE confidential";
        assert!(app.state.db.read().execute_unprepared(shown).await.is_err(), "files_confidential");
    })
    .await;
}
