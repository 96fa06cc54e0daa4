//! The client against a scripted server, over real HTTP.

mod calls;
mod tokens;

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

use super::{Settings, WeChat};
use crate::platform::cache::{MemoryCache, SharedCache};
use crate::platform::clock::Clock;

const TOKEN_PATH: &str = "/cgi-bin/stable_token";
const SECRET: &str = "s3cret-of-the-app";

/// A request that came in.
#[derive(Clone, Debug)]
struct Hit {
    path: String,
    query: HashMap<String, String>,
    body: Value,
    /// How many came to this path before.
    before: usize,
}

impl Hit {
    fn token(&self) -> &str {
        self.query.get("access_token").map(String::as_str).unwrap_or_default()
    }
}

/// What the script has answered.
enum Reply {
    Json(Value),
    After(Duration, Value),
    Raw(StatusCode, &'static str, Vec<u8>),
}

fn errcode(errcode: i64) -> Reply {
    Reply::Json(json!({ "errcode": errcode, "errmsg": "sorry rid: 1-2-3" }))
}

fn token(value: &str) -> Reply {
    Reply::Json(json!({ "access_token": value, "expires_in": 7200 }))
}

type Script = Arc<dyn Fn(&Hit) -> Reply + Send + Sync>;

struct Server {
    url: String,
    hits: Arc<Mutex<Vec<Hit>>>,
    handle: ServerHandle,
}

impl Server {
    fn start(script: impl Fn(&Hit) -> Reply + Send + Sync + 'static) -> Self {
        let script: Script = Arc::new(script);
        let hits = Arc::<Mutex<Vec<Hit>>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::clone(&hits);
        let server = HttpServer::new(move || {
            let data = (Arc::clone(&script), Arc::clone(&seen));
            App::new().app_data(web::Data::new(data)).default_service(web::to(answer))
        });
        let server = server.workers(1).disable_signals().shutdown_timeout(0).listen(listener).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { url, hits, handle }
    }

    /// A server that gives one token and answers the rest by the script.
    fn with_token(script: impl Fn(&Hit) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(move |hit| if hit.path == TOKEN_PATH { token("T") } else { script(hit) })
    }

    fn hits(&self, path: &str) -> Vec<Hit> {
        self.hits.lock().unwrap().iter().filter(|hit| hit.path == path).cloned().collect()
    }

    fn settings(&self) -> Settings {
        Settings {
            base_url: self.url.clone(),
            appid: "wx1".into(),
            secret: SECRET.into(),
            mini_program_state: "formal".into(),
            timeout: Duration::from_secs(5),
        }
    }

    fn client(&self) -> WeChat {
        self.client_with(Arc::new(MemoryCache::default()), Clock::default())
    }

    fn client_with(&self, cache: SharedCache, clock: Clock) -> WeChat {
        WeChat::new(self.settings(), cache, clock).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn answer(
    request: HttpRequest,
    query: web::Query<HashMap<String, String>>,
    body: web::Bytes,
    data: web::Data<(Script, Arc<Mutex<Vec<Hit>>>)>,
) -> HttpResponse {
    let (script, hits) = data.get_ref();
    let path = request.path().to_owned();
    let before = hits.lock().unwrap().iter().filter(|hit| hit.path == path).count();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let hit = Hit { path, query: query.into_inner(), body, before };
    hits.lock().unwrap().push(hit.clone());
    match script(&hit) {
        Reply::Json(body) => HttpResponse::Ok().json(body),
        Reply::After(wait, body) => {
            tokio::time::sleep(wait).await;
            HttpResponse::Ok().json(body)
        }
        Reply::Raw(status, kind, body) => HttpResponse::build(status).content_type(kind).body(body),
    }
}
