//! Runs the commands of `docs/WALKTHROUGH.md` against a fresh `linli demo`, then starts the demo again on what it left behind.
//!
//! On SQLite; with `LINLI_TEST_DATABASE_URL` and `LINLI_TEST_REDIS_URL` on those.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running demo; it is told to stop when it is dropped.
struct Demo {
    child: Child,
    api: String,
    simulator: String,
}

impl Demo {
    fn start(data_dir: &Path, database: Option<&str>) -> Self {
        let mut command = linli(database);
        command.args(["demo", "--listen", "127.0.0.1:0", "--simulator", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("linli demo");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let mut address = |what: &str| {
            let line = lines
                .by_ref()
                .find(|line| line.contains(what))
                .unwrap_or_else(|| panic!("the demo ended before it printed {what}"));
            let url = line.split_whitespace().find(|word| word.starts_with("http")).expect("an address");
            url.trim_end_matches("/api/v1").trim_end_matches('/').to_owned()
        };
        let (api, simulator) = (address("API  "), address("WeChat simulator"));
        // Whoever stops reading makes the writer fail.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, api, simulator }
    }

    fn run(&self, script: &str) -> String {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", script])
            .env("API", &self.api)
            .env("SIM", &self.simulator)
            .output()
            .expect("bash");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}\nstdout:\n{out}\nstderr:\n{err}", output.status);
        out.into_owned()
    }

    fn stop(mut self) {
        let status = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill");
        assert!(status.success());
        assert!(self.child.wait().expect("its end").success(), "the demo ends well when it is told to");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Only where a test failed before `stop`.
        let _ = self.child.kill();
    }
}

/// The command with the settings of this test only.
fn linli(database: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linli"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LINLI_")) {
        command.env_remove(name);
    }
    if let Some(url) = database {
        command.env("LINLI_DATABASE_URL", url);
        if let Ok(redis) = std::env::var("LINLI_TEST_REDIS_URL") {
            command
                .env("LINLI_REDIS_URL", redis)
                .env("LINLI_REDIS_PREFIX", format!("walkthrough:{}:", std::process::id()));
        }
    }
    command
}

fn on_postgres(server: &str, statement: &str) {
    let status =
        Command::new("psql").args(["-qX", "-v", "ON_ERROR_STOP=1", server, "-c", statement]).status().expect("psql");
    assert!(status.success(), "{statement}");
}

#[test]
fn the_walkthrough_works_as_written_and_a_restart_loses_and_doubles_nothing() {
    let text = std::fs::read_to_string("docs/WALKTHROUGH.md").unwrap();
    let blocks: Vec<&str> = text.split("```bash\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 8);

    let folder = tempfile::tempdir().unwrap();
    let server = std::env::var("LINLI_TEST_DATABASE_URL").ok();
    let name = format!("linli_walkthrough_{}", std::process::id());
    let database = server.as_deref().map(|server| {
        on_postgres(server, &format!("CREATE DATABASE {name}"));
        format!("{}/{name}", server.rsplit_once('/').unwrap().0)
    });

    let demo = Demo::start(folder.path(), database.as_deref());
    assert!(demo.run(&blocks.concat()).contains("Once around."));
    demo.stop();

    let look = format!(
        "{}
        R1=$(login resident-1); V1=$(login volunteer-1); COMMUNITY=$(call \"$R1\" GET /me | jq -r .residency.community_id)
        for path in /projects /notices /needs /polls /activities /rewards; do
            call \"$R1\" GET \"$path?place_id=$COMMUNITY&limit=100\" | jq -c '[.items[].id]'
        done
        call \"$V1\" GET /me/points; call \"$V1\" GET /me/hours; call \"$R1\" GET /inbox | jq '.items | length'",
        blocks[0].split("LEADER=").next().unwrap()
    );
    let demo = Demo::start(folder.path(), database.as_deref());
    let first = demo.run(&look);
    demo.stop();
    let demo = Demo::start(folder.path(), database.as_deref());
    assert_eq!(demo.run(&look), first);
    demo.stop();

    let sqlite = format!("sqlite://{}", folder.path().join("linli.db").display());
    let keys = std::fs::read_to_string(folder.path().join("keys")).unwrap();
    let mut keys = keys.lines();
    let verify = linli(Some(database.as_deref().unwrap_or(&sqlite)))
        .arg("verify")
        .env("LINLI_DATA_DIR", folder.path())
        .env("LINLI_SECRETS__MASTER_KEY", keys.next().unwrap())
        .env("LINLI_SECRETS__DATA_KEYS", keys.next().unwrap())
        .env("LINLI_WECHAT__SECRET", "unused")
        .env("LINLI_LOG__FILTER", "warn")
        .output()
        .expect("linli verify");
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));

    if let Some(server) = server {
        on_postgres(&server, &format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}
