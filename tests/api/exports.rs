//! Tables as files: whole or visibly broken, without personal data, in memory that does not grow.

use std::process::{Child, Command};

use entities::needs::need;
use linli::notices::{self, Notice};
use linli::platform::http::transact;
use reqwest::Method;
use sea_orm::{ConnectionTrait, Iden, Iterable};
use serde_json::json;

use crate::support::{GUANGHUA, TestApp, place_id};

const TABLES: [&str; 5] = ["needs", "projects", "services", "funds", "notices"];

fn path(what: &str, place: &str) -> String {
    format!("/exports/{what}?place_id={}", place_id(place))
}

#[actix_web::test]
async fn a_file_is_whole_names_nobody_and_holds_no_formula() {
    TestApp::run(async |app| {
        let (resident, staff, district) =
            (app.sign_in("resident-1").await, app.sign_in("staff").await, app.sign_in("district").await);
        let need = json!({ "place_id": place_id(GUANGHUA), "category": "convenience", "title": "=HYPERLINK(\"x\")", "body": "夜里楼道没有灯" });
        resident.post("/needs", need).await.expect(201);
        app.work().await;
        transact(&app.state, async |txn| {
            let notice = Notice { community_id: place_id(GUANGHUA), kind: "test.act", title: "甲,乙".to_owned(), ..Notice::default() };
            notices::publish(&app.state, txn, notice).await
        })
        .await
        .unwrap();
        for what in TABLES {
            let file = staff.get(&path(&format!("{what}.csv"), GUANGHUA)).await;
            assert_eq!(file.status, 200, "{what}");
            let text = String::from_utf8(file.bytes).unwrap();
            let rows = text.lines().count() - 2;
            assert!(text.starts_with('\u{feff}') && text.ends_with(&format!("#完,{rows}\r\n")), "{what}: {text}");
            // Nobody's name or number: the demo's people are called so.
            for personal in ["138", "王建国", &resident.id] {
                assert!(!text.contains(personal), "{what}: {text}");
            }
            let sheet = district.get(&path(&format!("{what}.xlsx"), "/jiangan/")).await;
            assert!(sheet.status == 200 && sheet.bytes.starts_with(b"PK"), "{what}");
            resident.get(&path(&format!("{what}.csv"), GUANGHUA)).await.refused(403, "forbidden");
            staff.get(&path(&format!("{what}.csv"), "/jiangan/")).await.refused(403, "forbidden");
        }
        let text = |answer: crate::support::Answer| String::from_utf8(answer.bytes).unwrap();
        let needs = text(staff.get(&path("needs.csv", GUANGHUA)).await);
        assert!(needs.contains("\"'=HYPERLINK(\"\"x\"\")\""), "{needs}");
        assert!(text(staff.get(&path("notices.csv", GUANGHUA)).await).contains("\"甲,乙\""));
        staff.get(&path("people.csv", GUANGHUA)).await.refused(404, "not_found");
    })
    .await;
}

/// A server in a process of its own, on the test's database: its memory is the server's alone.
struct Apart {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Apart {
    async fn start(app: &TestApp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let settings = format!(
            r#"
            listen = "{port}"
            public_url = "http://{port}"
            data_dir = "{}"
            database_url = "{}"
            workers = 1
            database_connections = 4
            [log]
            filter = "off"
            [secrets]
            master_key = "{}"
            data_keys = "test:{}"
            [wechat]
            base_url = "{}"
            appid = "wx5b1a0000linli000"
            secret = "0123456789abcdef0123456789abcdef"
            push_token = "test-push-token"
            encoding_aes_key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
            [limits]
            exempt_loopback = true
            request_seconds = 300
            "#,
            folder.path().display(),
            app.state.config.database_url,
            "1f".repeat(32),
            "2e".repeat(32),
            app.state.config.wechat.base_url,
        );
        let file = folder.path().join("linli.toml");
        std::fs::write(&file, settings).unwrap();
        let process =
            Command::new(env!("CARGO_BIN_EXE_linli")).arg("--config").arg(&file).arg("serve").spawn().unwrap();
        let apart = Self { process, url: format!("http://{port}"), _folder: folder };
        let mut tries = 0;
        while reqwest::get(format!("{}/health/live", apart.url)).await.is_err() {
            tries += 1;
            assert!(tries < 1_000_000, "the server does not start");
        }
        apart
    }

    /// The most memory it has had, in KiB.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Reads a file without keeping it: its length, its lines and its last line.
    async fn download(&self, token: &str, path: &str) -> (usize, usize, String) {
        let request = reqwest::Client::new().request(Method::GET, format!("{}/api/v1{path}", self.url));
        let mut answer = request.bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let (mut bytes, mut lines, mut last) = (0, 0, Vec::new());
        while let Some(chunk) = answer.chunk().await.unwrap() {
            bytes += chunk.len();
            lines += String::from_utf8_lossy(&chunk).matches('\n').count();
            last.extend_from_slice(&chunk);
            let keep = last.len().saturating_sub(64);
            last.drain(..keep);
        }
        (bytes, lines, String::from_utf8_lossy(&last).into_owned())
    }
}

// Guard: rows go from the database's cursor into the answer; collected first, the process would grow by all of them.
#[cfg(target_os = "linux")]
#[actix_web::test]
async fn a_quarter_of_a_million_rows_take_no_more_memory_than_a_few() {
    const ROWS: usize = 250_000;
    TestApp::run(async |app| {
        let (resident, staff) = (app.sign_in("resident-1").await, app.sign_in("staff").await);
        let title = "楼道照明损坏，".repeat(8);
        let need =
            json!({ "place_id": place_id(GUANGHUA), "category": "convenience", "title": title, "body": "夜里没有灯" });
        resident.post("/needs", need).await.expect(201);
        app.work().await;
        let apart = Apart::start(app).await;
        let path = path("needs.csv", GUANGHUA);
        let (_, before, _) = apart.download(&staff.token, &path).await;
        // Copies of that need, whatever columns needs have.
        let columns: Vec<String> = need::Column::iter().map(|column| column.unquoted().to_owned()).collect();
        let (series, random) = if app.state.db.is_postgres() {
            (format!("generate_series(1, {ROWS}) AS series (i)"), "gen_random_uuid()")
        } else {
            let numbers = format!(
                "WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {ROWS}) SELECT i FROM s"
            );
            (format!("({numbers}) AS series"), "randomblob(16)")
        };
        let copied: Vec<_> =
            columns.iter().map(|name| if name == "id" { random.to_owned() } else { format!("n.{name}") }).collect();
        let (columns, copied) = (columns.join(", "), copied.join(", "));
        let insert =
            format!("INSERT INTO needs ({columns}) SELECT {copied} FROM needs n, {series} WHERE n.title = '{title}'");
        let txn = app.state.db.begin().await.unwrap();
        txn.execute_unprepared(&insert).await.unwrap();
        txn.commit().await.unwrap();

        let small = apart.peak();
        let (bytes, lines, last) = apart.download(&staff.token, &path).await;
        let grown = apart.peak() - small;
        assert_eq!(lines, before + ROWS);
        assert!(last.ends_with(&format!("#完,{}\r\n", lines - 2)), "{last}");
        println!("{ROWS} rows, {bytes} bytes: the peak grew by {grown} KiB from {small} KiB");
        assert!(bytes > 60_000_000 && grown < 24 * 1024, "{bytes} bytes, the peak grew by {grown} KiB");
        // A fifth of them as a sheet, which is finished on disk: without optimisation that is slow.
        let most = if app.state.db.is_postgres() {
            "id > '33333333-3333-3333-3333-333333333333'"
        } else {
            "id > x'33333333333333333333333333333333'"
        };
        let unneeded = format!("DELETE FROM needs WHERE {most} AND id NOT IN (SELECT target_id FROM moderation_items)");
        let txn = app.state.db.begin().await.unwrap();
        txn.execute_unprepared(&unneeded).await.unwrap();
        txn.commit().await.unwrap();
        let small = apart.peak();
        let (bytes, _, _) = apart.download(&staff.token, &path.replace(".csv", ".xlsx")).await;
        let grown = apart.peak() - small;
        println!("as XLSX {bytes} bytes: the peak grew by {grown} KiB from {small} KiB");
        assert!(bytes > 1_000_000 && grown < 12 * 1024, "{bytes} bytes, the peak grew by {grown} KiB");
        // The audit would look at each of them.
        let txn = app.state.db.begin().await.unwrap();
        let delete =
            format!("DELETE FROM needs WHERE title = '{title}' AND id NOT IN (SELECT target_id FROM moderation_items)");
        txn.execute_unprepared(&delete).await.unwrap();
        txn.commit().await.unwrap();
    })
    .await;
}
