//! What a request asks of PostgreSQL and Redis: recorded from PostgreSQL's log and Redis' MONITOR while one request runs, so
//! that pgbench can ask exactly the same, for other people.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::Failure;
use crate::people::SQL_ID;
use crate::stage::{SERVER, Stage};

/// One statement that PostgreSQL was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// With `$1`, `$2`, …
    pub sql: String,
    /// Their values.
    pub parameters: Vec<Option<String>>,
}

/// What one request asked for.
#[derive(Debug)]
pub struct Traffic {
    /// Of PostgreSQL.
    pub statements: Vec<Statement>,
    /// Of Redis.
    pub commands: Vec<Vec<String>>,
}

/// Runs `act` and gives what the server asked for meanwhile. Nothing else may be asked of the server at that time.
pub async fn record(stage: &Stage, act: impl AsyncFnOnce() -> Result<(), Failure>) -> Result<Traffic, Failure> {
    log_statements(stage, true).await?;
    let mut log = File::open(&stage.postgres_log)?;
    log.seek(SeekFrom::End(0))?;
    let mut monitor = TcpStream::connect(stage.redis).await?;
    monitor.write_all(b"MONITOR\r\n").await?;
    let mut heard = Vec::new();
    monitor.read_buf(&mut heard).await?;
    let done = act().await;
    // Redis tells of a command when it carries it out; the answer that was waited for came later.
    while let Ok(Ok(1..)) = tokio::time::timeout(Duration::from_millis(100), monitor.read_buf(&mut heard)).await {}
    let mut text = String::new();
    log.read_to_string(&mut text)?;
    log_statements(stage, false).await?;
    done?;
    Ok(Traffic { statements: statements(&text), commands: commands(&String::from_utf8_lossy(&heard)) })
}

async fn log_statements(stage: &Stage, on: bool) -> Result<(), DbErr> {
    let connection = stage.state.db.read();
    let word = if on { "all" } else { "none" };
    connection.execute_unprepared(&format!("ALTER SYSTEM SET log_statement = '{word}'")).await?;
    connection.execute_unprepared("ALTER SYSTEM SET log_line_prefix = '%a|'").await?;
    connection.execute_unprepared("SELECT pg_reload_conf()").await?;
    // Each connection learns of it by a signal.
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ok(())
}

/// The statements of the server's connections in a log with the prefix `%a|`.
fn statements(log: &str) -> Vec<Statement> {
    let mut found: Vec<Statement> = Vec::new();
    // PostgreSQL begins the further lines of one message with a tab.
    for line in log.replace("\n\t", " ").lines() {
        let Some(message) = line.strip_prefix(SERVER).and_then(|line| line.strip_prefix('|')) else { continue };
        let (level, text) = message.split_once(":  ").unwrap_or_default();
        // `parameters:` before version 16, `Parameters:` since.
        let parameters = text.strip_prefix("parameters: ").or_else(|| text.strip_prefix("Parameters: "));
        if let ("DETAIL", Some(parameters), Some(last)) = (level, parameters, found.last_mut()) {
            last.parameters = values(parameters);
            continue;
        }
        let sql =
            text.strip_prefix("statement: ").or_else(|| text.strip_prefix("execute ")?.split_once(": ").map(|of| of.1));
        if let ("LOG", Some(sql)) = (level, sql) {
            found.push(Statement { sql: sql.trim_end_matches(';').to_owned(), parameters: Vec::new() });
        }
    }
    found
}

/// `$1 = 'it''s', $2 = NULL`
fn values(text: &str) -> Vec<Option<String>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, value)) = rest.split_once(" = ") {
        let Some(quoted) = value.strip_prefix('\'') else {
            found.push(None);
            rest = value;
            continue;
        };
        let mut word = String::new();
        let mut letters = quoted.char_indices().peekable();
        let mut end = quoted.len();
        while let Some((at, letter)) = letters.next() {
            if letter != '\'' {
                word.push(letter);
            } else if letters.next_if(|(_, next)| *next == '\'').is_some() {
                word.push('\'');
            } else {
                end = at + 1;
                break;
            }
        }
        found.push(Some(word));
        rest = quoted.get(end..).unwrap_or_default();
    }
    found
}

/// The commands in what MONITOR says: `+1700000000.1 [0 127.0.0.1:5000] "SET" "key" "value"`. What a script does is its own.
fn commands(text: &str) -> Vec<Vec<String>> {
    let said = text.lines().filter_map(|line| line.split_once("] "));
    said.filter(|(source, _)| !source.ends_with(" lua"))
        .map(|(_, words)| {
            let words = words.trim().trim_start_matches('"').trim_end_matches('"').split("\" \"");
            words.map(|word| word.replace("\\\"", "\"").replace("\\\\", "\\")).collect()
        })
        .collect()
}

/// A pgbench script that asks what `first` asked, each time for another person, whose number is in the variable `n`.
///
/// `second` is the same request of somebody else. What differs between the two is the person, an id that was made for the
/// request, or a time; ids are made anew from `n`, `salt` keeps those of one scenario apart from another's. Ids of `rows` that
/// are the first person's (a wallet) are looked up for the other: by the SQL that stands beside them.
pub fn script(
    first: &[Statement],
    second: &[Statement],
    person: Uuid,
    salt: u32,
    rows: &[(Uuid, String)],
) -> Result<String, Failure> {
    if !first.iter().map(|statement| &statement.sql).eq(second.iter().map(|statement| &statement.sql)) {
        return Err(format!("the requests of two people led to other statements: {first:#?} {second:#?}").into());
    }
    let mut fresh = HashMap::new();
    let mut text = String::new();
    for (one, other) in first.iter().zip(second) {
        let pairs = one.parameters.iter().zip(&other.parameters);
        let values: Vec<String> = pairs
            .map(|(one, other)| match one {
                None => "NULL".to_owned(),
                Some(value) if one == other => quoted(value),
                Some(value) => expression(value, person, &mut fresh, salt, rows),
            })
            .collect();
        writeln!(text, "{};", filled(&one.sql, &values))?;
    }
    Ok(text)
}

/// A statement with its parameters in their places.
fn filled(sql: &str, values: &[String]) -> String {
    let mut text = String::new();
    let mut quote = None;
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (_, Some(open)) if letter == open => quote = None,
            _ => {}
        }
        if letter != '$' || quote.is_some() {
            text.push(letter);
            continue;
        }
        let mut number = 0_usize;
        while let Some(digit) = letters.peek().and_then(|next| next.to_digit(10)) {
            number = number * 10 + usize::try_from(digit).unwrap_or_default();
            letters.next();
        }
        text.push_str(number.checked_sub(1).and_then(|at| values.get(at)).map_or("$", String::as_str));
    }
    text
}

/// A value with the ids in it exchanged.
fn expression(
    value: &str,
    person: Uuid,
    fresh: &mut HashMap<Uuid, usize>,
    salt: u32,
    rows: &[(Uuid, String)],
) -> String {
    let mut parts = Vec::new();
    let mut rest = value;
    while let Some((at, id)) = first_id(rest) {
        parts.extend(rest.get(..at).filter(|text| !text.is_empty()).map(quoted));
        parts.push(if id == person {
            SQL_ID.to_owned()
        } else if let Some((_, sql)) = rows.iter().find(|(row, _)| *row == id) {
            sql.clone()
        } else {
            let next = fresh.len();
            let number = *fresh.entry(id).or_insert(next);
            if id.get_version_num() == 4 {
                format!("md5('{salt}-{number}-' || :n)")
            } else {
                // In order, as the ids that Linli makes are.
                format!("('0be9c{salt:x}{number:02x}-0000-7000-9000-' || lpad(to_hex(:n::bigint), 12, '0'))")
            }
        });
        rest = rest.get(at + 36..).unwrap_or_default();
    }
    parts.extend(Some(rest).filter(|text| !text.is_empty()).map(quoted));
    format!("({}){}", parts.join(" || "), cast(value))
}

fn first_id(text: &str) -> Option<(usize, Uuid)> {
    let mut starts = text.char_indices().map(|(at, _)| at);
    starts.find_map(|at| Some((at, Uuid::parse_str(text.get(at..at + 36)?).ok()?)))
}

/// The type of a value that is put together: PostgreSQL finds out that of a plain literal by itself.
fn cast(value: &str) -> &'static str {
    if Uuid::parse_str(value).is_ok() {
        "::uuid"
    } else if value.starts_with("{\"") || value.starts_with('[') {
        "::jsonb"
    } else if value.starts_with('{') {
        "::uuid[]"
    } else {
        ""
    }
}

/// pgbench takes a colon for the beginning of a variable, in quotes too.
fn quoted(text: &str) -> String {
    let inner = text.replace('\\', "\\\\").replace('\'', "''").replace(':', "\\x3a");
    if inner == text { format!("'{text}'") } else { format!("E'{inner}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_back() {
        let log = "linli-serve|LOG:  statement: BEGIN\n\
                   psql|LOG:  statement: SELECT 1\n\
                   linli-serve|LOG:  execute sqlx_s_1: SELECT a\n\tFROM b WHERE c = $1 AND d = $2\n\
                   linli-serve|DETAIL:  parameters: $1 = 'it''s = so', $2 = NULL\n";
        let select = Statement {
            sql: "SELECT a FROM b WHERE c = $1 AND d = $2".to_owned(),
            parameters: vec![Some("it's = so".to_owned()), None],
        };
        assert_eq!(statements(log), [Statement { sql: "BEGIN".to_owned(), parameters: Vec::new() }, select]);
    }

    #[test]
    fn redis_says_what_it_did() {
        let said = "+OK\r\n+1.5 [0 127.0.0.1:5] \"SET\" \"a b\" \"1\"\r\n+1.6 [0 lua] \"GET\" \"a\"\r\n";
        assert_eq!(commands(said), [["SET", "a b", "1"]]);
    }

    #[test]
    fn a_script_asks_for_other_people_and_makes_other_ids() {
        let statement = |person: &str, made: &str| Statement {
            sql: "INSERT INTO t VALUES ($1, $2, $3, '$1')".to_owned(),
            parameters: vec![Some(person.to_owned()), Some(format!("k:{made}")), Some("same".to_owned())],
        };
        let (a, b) = ("0be9c000-0000-7000-8000-000000000001", "0be9c000-0000-7000-8000-000000000002");
        let (one, two) = ("019a0000-0000-7000-8000-000000000001", "019a0000-0000-7000-8000-000000000002");
        let text = script(&[statement(a, one)], &[statement(b, two)], Uuid::parse_str(a).unwrap(), 3, &[]).unwrap();
        let made = "('0be9c300-0000-7000-9000-' || lpad(to_hex(:n::bigint), 12, '0'))";
        assert_eq!(text, format!("INSERT INTO t VALUES (({SQL_ID})::uuid, (E'k\\x3a' || {made}), 'same', '$1');\n"));
        let known = [(Uuid::parse_str(one).unwrap(), "(SELECT id)".to_owned())];
        let text = script(&[statement(a, one)], &[statement(b, two)], Uuid::parse_str(a).unwrap(), 3, &known).unwrap();
        assert!(text.contains("|| (SELECT id))"), "{text}");
        assert!(script(&[statement(a, one)], &[], Uuid::nil(), 0, &[]).is_err());
    }
}
