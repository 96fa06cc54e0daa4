use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, get, web};
use entities::ids::PlaceId;
use futures_util::stream;
use sea_orm::DatabaseConnection;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit;
use crate::figures::exports::files::{self, Broken, WAITING};
use crate::figures::exports::rows;
use crate::figures::exports::tables::{TABLES, Table};
use crate::identity::{Actor, Permission};
use crate::places::{self, Place};
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::{Params, Problem, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(export);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportParams {
    /// This place and those below it.
    place_id: PlaceId,
}

/// Which file.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    Csv,
    Xlsx,
}

/// A whole table as a file, without personal data; for staff of the place
///
/// `what` is `needs`, `projects`, `services`, `funds` or `notices`. The last row of a whole file begins with `#完` and holds the
/// number of rows: a file without it is broken, and so is a download that ended in an error.
#[utoipa::path(tag = "figures", params(ExportParams), responses((status = 200, content_type = "text/csv", body = String)))]
#[get("/exports/{what}.{format}")]
async fn export(
    state: web::Data<AppState>,
    actor: Actor,
    path: web::Path<(String, Format)>,
    params: Params<ExportParams>,
) -> Result<HttpResponse, Problem> {
    let (what, format) = path.into_inner();
    let table = TABLES.iter().find(|table| table.word == what).ok_or(Code::NotFound)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    actor.require(Permission::ManageProjects, &place.path)?;
    let minimum_cell = places::rules_at(&state, state.db.read(), &place).await?.minimum_cell;
    transact(&state, async |txn| {
        let detail = json!({ "what": what });
        let target = ("place", place.id.0);
        audit::record(&state, txn, Some(actor.user_id), "figures.exported", target, Some(place.id), detail).await
    })
    .await?;
    let connection = state.db.read().clone();
    let (kind, word, body) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv", csv(connection, table, place, minimum_cell)),
        Format::Xlsx => {
            let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            (kind, "xlsx", xlsx(&state, connection, table, place, minimum_cell).await?)
        }
    };
    let name = format!("{what}-{}.{word}", calendar::day(state.clock.now()));
    Ok(answer(body, kind, &name))
}

/// An error among the chunks ends the connection without the end of the body: no client takes that for a whole file.
fn answer(body: Body, kind: &str, name: &str) -> HttpResponse {
    let chunks = stream::unfold(body, |mut body| async {
        let chunk = body.recv().await?;
        Some((chunk.map(web::Bytes::from), body))
    });
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(chunks)
}

type Body = mpsc::Receiver<Result<Vec<u8>, Broken>>;

fn csv(connection: DatabaseConnection, table: &'static Table, place: Place, minimum_cell: i64) -> Body {
    let (out, body) = mpsc::channel(WAITING);
    actix_web::rt::spawn(async move {
        match rows(&connection, table, &place, minimum_cell).await {
            Ok(rows) => files::csv(table.titles(), rows, out).await,
            Err(error) => drop(out.send(Err(error.into())).await),
        }
    });
    body
}

/// Made whole before the answer begins, so that what breaks is refused.
async fn xlsx(
    state: &AppState,
    connection: DatabaseConnection,
    table: &'static Table,
    place: Place,
    minimum_cell: i64,
) -> Result<Body, Problem> {
    let (hand, handed) = mpsc::channel(WAITING);
    let now = state.clock.now();
    let writing = web::block(move || files::xlsx(&table.titles(), handed, now));
    let rows = rows(&connection, table, &place, minimum_cell).await?;
    let ((), written) = futures_util::future::join(files::hand_over(rows, hand), writing).await;
    let file =
        written.map_err(|error| Problem::from(Code::Unavailable).caused_by(error))?.map_err(|broken| match broken {
            Broken::TooLong => Problem::from(Code::ExportTooLong),
            broken => Problem::from(Code::Internal).caused_by(broken),
        })?;
    let (out, body) = mpsc::channel(WAITING);
    actix_web::rt::task::spawn_blocking(move || files::send(file, &out));
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::exports::files::{END, Value};
    use actix_web::middleware::{Compress, from_fn};
    use actix_web::{App, HttpServer};
    use sea_orm::DbErr;
    use std::io::{Read, Write};

    async fn rows(path: web::Path<bool>) -> HttpResponse {
        let breaks = path.into_inner();
        let (out, body) = mpsc::channel(WAITING);
        let rows = (0..5000).map(move |at| match at {
            4000 if breaks => Err(DbErr::Custom("the database went away".to_owned())),
            at => Ok(vec![Value::Number(at), Value::Text("一行内容".repeat(10))]),
        });
        actix_web::rt::spawn(files::csv(vec!["甲", "乙"], stream::iter(rows), out));
        answer(body, "text/csv", "rows.csv")
    }

    /// The bytes of an answer, up to where the server closes.
    fn read(port: u16, path: &str) -> String {
        let mut connection = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(connection, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        let _ = connection.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    // Guard: the error is sent on into the body. Swallowed, the broken file would end like a whole one.
    #[actix_web::test]
    async fn a_broken_export_does_not_end_like_a_whole_one() {
        let server = HttpServer::new(|| {
            let tagged = from_fn(crate::platform::http::etag::tag);
            App::new().wrap(tagged).wrap(Compress::default()).route("/{breaks}", web::get().to(rows))
        });
        let server = server.workers(1).bind(("127.0.0.1", 0)).unwrap();
        let port = server.addrs()[0].port();
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let (whole, broken) = web::block(move || (read(port, "/false"), read(port, "/true"))).await.unwrap();
        // The last chunk of HTTP/1.1, whose length is nothing, says that the body is complete.
        assert!(whole.ends_with("\r\n0\r\n\r\n") && whole.contains(&format!("{END},5000")));
        assert!(broken.contains("200 OK") && broken.contains("甲,乙"), "it had begun");
        assert!(!broken.ends_with("\r\n0\r\n\r\n") && !broken.contains(END));
        handle.stop(false).await;
    }
}
