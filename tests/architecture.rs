//! Holds the source to what docs/ARCHITECTURE.md says of it, and the generated documents to the source.
//!
//! `LINLI_BLESS=1 cargo test --test architecture` writes docs/ERRORS.md, docs/LIFECYCLE.md and docs/openapi.json anew.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use linli::platform::code::Code;

/// What may speak actix besides a capability's `http.rs`, and why.
const ACTIX: &[(&str, &str)] = &[
    ("main.rs", "starts its runtime"),
    ("app.rs", "builds the server"),
    ("cli.rs", "runs the server"),
    ("demo/", "runs the server"),
    ("platform/", "is where the web framework is kept"),
    ("identity/actor.rs", "is an extractor: the policy in a handler's argument"),
    ("moderation/push.rs", "answers WeChat's server, which speaks neither JSON nor problems"),
];

/// Modules that stand above the capabilities.
const ABOVE: [&str; 4] = ["app", "cli", "demo", "verify"];

struct Source {
    /// Below `src/`, with slashes.
    path: String,
    /// Without comments.
    code: String,
}

impl Source {
    /// The capability, or the file's own name at the top.
    fn module(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap()
    }

    /// The code up to the tests at its end.
    fn untested(&self) -> &str {
        self.code.split("#[cfg(test)]").next().unwrap()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn sources() -> Vec<Source> {
    let folder = root().join("src");
    let mut sources: Vec<_> = files(&folder)
        .into_iter()
        .map(|file| Source {
            path: file.strip_prefix(&folder).expect("below src").to_str().expect("UTF-8").replace('\\', "/"),
            code: without_comments(&std::fs::read_to_string(&file).expect("a file")),
        })
        .collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(sources.len() > 50, "the source was found");
    sources
}

/// Good enough for this source, which has no block comments: a `//` in a string cuts that line short.
fn without_comments(text: &str) -> String {
    text.lines().flat_map(|line| [line.split("//").next().unwrap(), "\n"]).collect()
}

/// The capabilities in the order in which they may use one another, as app.rs lists them; `audit` has nothing to register.
fn order(sources: &[Source]) -> Vec<String> {
    let app = sources.iter().find(|source| source.path == "app.rs").expect("app.rs");
    let list =
        app.code.split("vec![").nth(1).and_then(|rest| rest.split(']').next()).expect("the list of capabilities");
    let named = list.split(',').filter_map(|item| item.trim().strip_suffix("::capability()")).map(str::to_owned);
    let order: Vec<_> = std::iter::once("audit".to_owned()).chain(named).collect();
    assert!(order.len() > 10, "{order:?}");
    order
}

/// Every path that begins with `crate::`, groups taken apart: `crate::{a, b::{C, d::E}}` is `a`, `b::C`, `b::d::E`.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, prefix) in code.match_indices("crate::") {
        // `$crate::` and `pub(in crate::…)` name the same root.
        read_path(&code[at + prefix.len()..], &[], &mut found);
    }
    found
}

/// Reads a path or a group at the beginning of `text`; gives what follows it.
fn read_path<'a>(text: &'a str, before: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut inside) = text.strip_prefix('{') {
        loop {
            inside = inside.trim_start().trim_start_matches(',').trim_start();
            if let Some(after) = inside.strip_prefix('}') {
                return after;
            }
            let rest = read_path(inside, before, found);
            assert!(rest.len() < inside.len(), "cannot read {:?}", inside.lines().next());
            inside = rest;
        }
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '*')).unwrap_or(text.len());
    let (segment, rest) = text.split_at(end);
    let path = [before, &[segment.to_owned()]].concat();
    if let Some(more) = rest.trim_start().strip_prefix("::") {
        return read_path(more, &path, found);
    }
    found.push(path);
    // `name as other` within a group.
    let rest = rest.trim_start();
    rest.strip_prefix("as ").map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'))
}

#[track_caller]
fn none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn every_folder_is_a_known_module() {
    let sources = sources();
    let order = order(&sources);
    let known = |name: &str| order.iter().any(|known| known == name) || ABOVE.contains(&name);
    let unknown =
        sources.iter().map(Source::module).filter(|name| !known(name) && !["lib", "main", "platform"].contains(name));
    none(&unknown.map(|name| format!("src/{name} is not in app.rs's list of capabilities")).collect::<Vec<_>>());
}

#[test]
fn a_capability_uses_only_what_stands_before_it() {
    let sources = sources();
    let order = order(&sources);
    let place = |name: &str| order.iter().position(|known| known == name);
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !ABOVE.contains(&source.module()) && source.module() != "lib") {
        let own = place(source.module());
        for path in paths(&source.code) {
            let used = path[0].as_str();
            let above = ABOVE.contains(&used);
            let later = match (place(used), own) {
                (Some(used), Some(own)) => used > own,
                // The platform stands below all of them.
                (Some(_), None) => source.module() == "platform",
                (None, _) => false,
            };
            if above || later {
                findings.push(format!("src/{} uses {}, which stands after it", source.path, path.join("::")));
            }
        }
    }
    none(&findings);
}

#[test]
fn a_capability_is_used_through_its_mod_rs_only() {
    let sources = sources();
    let order = order(&sources);
    let is_module = |capability: &str, name: &str| {
        let starts = [format!("{capability}/{name}.rs"), format!("{capability}/{name}/")];
        sources.iter().any(|source| starts.iter().any(|start| source.path.starts_with(start)))
    };
    let mut findings = Vec::new();
    for source in &sources {
        for path in paths(&source.code) {
            let [used, inner, ..] = path.as_slice() else { continue };
            if order.contains(used) && used != source.module() && is_module(used, inner) {
                findings.push(format!("src/{} reaches past src/{used}/mod.rs: {}", source.path, path.join("::")));
            }
        }
    }
    none(&findings);
}

#[test]
fn actix_stays_in_http_rs() {
    let is_http = |path: &str| path.ends_with("/http.rs") || path.contains("/http/");
    let allowed = |path: &str| is_http(path) || ACTIX.iter().any(|(start, _)| path.starts_with(start));
    let speaks = |source: &&Source| source.untested().contains("actix_");
    let found = sources()
        .iter()
        .filter(speaks)
        .filter(|source| !allowed(&source.path))
        .map(|source| source.path.clone())
        .collect::<Vec<_>>();
    none(&found.iter().map(|path| format!("src/{path} speaks actix")).collect::<Vec<_>>());
}

#[test]
fn domains_are_pure() {
    let mut findings = Vec::new();
    for source in
        sources().iter().filter(|source| source.path.ends_with("/domain.rs") || source.path.contains("/domain/"))
    {
        for word in ["sea_orm", "actix", "async ", ".await", "AppState"] {
            if source.untested().contains(word) {
                findings.push(format!("src/{} has {word:?}", source.path));
            }
        }
    }
    none(&findings);
}

#[test]
fn time_and_chance_come_from_one_place() {
    let rules: [(&[&str], &str); 3] = [
        (&["Utc::now", "Local::now", "SystemTime::now"], "platform/clock.rs"),
        (&["Instant::now"], "platform/"),
        (&["new_v4", "now_v7", "rand::rng", "rand::random", "OsRng"], "platform/"),
    ];
    let mut findings = Vec::new();
    for source in sources() {
        for (words, place) in rules {
            for word in
                words.iter().filter(|word| source.untested().contains(**word) && !source.path.starts_with(place))
            {
                findings.push(format!("src/{} has {word}, which belongs to src/{place}", source.path));
            }
        }
    }
    none(&findings);
}

#[test]
fn paths_are_read_as_the_compiler_reads_them() {
    let read = |code: &str| paths(code).iter().map(|path| path.join("::")).collect::<Vec<_>>();
    assert_eq!(read("use crate::{a, b::{C, d::E as F},\n};"), ["a", "b::C", "b::d::E"]);
    assert_eq!(read("use crate::a::*; crate::b::c(1)"), ["a::*", "b::c"]);
}

/// Compares a generated document with the one in the repository, or writes it.
fn generated(path: &str, text: &str) {
    let file = root().join(path);
    if std::env::var_os("LINLI_BLESS").is_some() {
        std::fs::write(&file, text).expect("written");
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(there == text, "{path} is stale: LINLI_BLESS=1 cargo test --test architecture");
}

#[test]
fn the_list_of_errors_is_up_to_date() {
    let mut text = "# Error codes\n\n\
        Generated from `src/platform/code.rs` by `LINLI_BLESS=1 cargo test --test architecture`.\n\n\
        A refusal is `application/problem+json` (RFC 9457). Act on `code`; show `title` (Chinese) to the person. With `invalid_input` the list\n\
        `errors` names each mistake: `pointer` (a JSON pointer, or `?name` for a query parameter), `code` (`missing`, `unknown`, `type`,\n\
        `invalid`) and `detail`. Answers with 429 and 503 carry `Retry-After`.\n\n\
        | code | HTTP | title | meaning |\n|---|---|---|---|\n"
        .to_owned();
    for code in Code::ALL {
        writeln!(text, "| `{}` | {} | {} | {} |", code.word(), code.status(), code.zh(), code.en()).unwrap();
    }
    generated("docs/ERRORS.md", &text);
}

#[test]
fn the_page_about_a_projects_way_is_up_to_date() {
    generated("docs/LIFECYCLE.md", &linli::projects::lifecycle::page());
}

#[test]
fn the_openapi_document_is_up_to_date() {
    generated("docs/openapi.json", &format!("{}\n", linli::app::openapi().to_pretty_json().expect("JSON")));
}
