//! A simulator on a free port, and a backend that is pushed to.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};
use wechat_simulator::crypto::{PushCipher, signature};
use wechat_simulator::{Control, Push, PushMode, Settings, Simulator};

pub const APPID: &str = "wx00112233445566aa";
pub const SECRET: &str = "a-secret";
pub const WANG: &str = "oSimwang00000000000000000001";

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A simulator and a client of it.
pub struct Rig {
    pub simulator: Simulator,
    http: reqwest::Client,
}

impl Rig {
    pub fn start() -> Self {
        Self::with(|settings| settings)
    }

    pub fn with(change: impl FnOnce(Settings) -> Settings) -> Self {
        let settings = Settings { appid: APPID.into(), secret: SECRET.into(), ..Settings::default() };
        let settings = Settings { media_delay: Duration::ZERO, push_timeout: Duration::from_millis(150), ..settings };
        let simulator = Simulator::start(listen(), change(settings)).unwrap();
        Self { simulator, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub fn control(&self) -> &Control {
        self.simulator.control()
    }

    pub fn advance(&self, seconds: u64) {
        self.control().advance(Duration::from_secs(seconds));
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.base_url())
    }

    /// GET a path with its query.
    pub async fn get(&self, path: &str) -> Value {
        self.http.get(self.url(path)).send().await.unwrap().json().await.unwrap()
    }

    /// POST JSON; an error of the connection is left to the caller.
    pub async fn try_post(&self, path: &str, body: &Value) -> reqwest::Result<reqwest::Response> {
        self.http.post(self.url(path)).json(body).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.try_post(path, &body).await.unwrap().json().await.unwrap()
    }

    /// POST with a valid access token.
    pub async fn call(&self, path: &str, body: Value) -> Value {
        let token = self.token().await;
        self.post(&format!("{path}?access_token={token}"), body).await
    }

    pub async fn stable(&self, force: bool) -> Value {
        let body = json!({
            "grant_type": "client_credential", "appid": APPID, "secret": SECRET, "force_refresh": force,
        });
        self.post("/cgi-bin/stable_token", body).await
    }

    pub async fn token(&self) -> String {
        self.stable(false).await["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn exchange(&self, code: &str) -> Value {
        self.get(&format!(
            "/sns/jscode2session?appid={APPID}&secret={SECRET}&js_code={code}&grant_type=authorization_code"
        ))
        .await
    }

    /// Signs a person in and gives the answer.
    pub async fn log_in(&self, persona: &str) -> Value {
        self.exchange(&self.control().login_code(persona).unwrap()).await
    }
}

/// An answer's errcode, having checked that an error ends in a request id.
pub fn errcode(answer: &Value) -> i64 {
    let code = answer.get("errcode").map_or(0, |code| code.as_i64().unwrap());
    let rid = answer["errmsg"].as_str().is_some_and(|text| text.contains(" rid: "));
    assert_eq!(rid, code != 0, "{answer}");
    code
}

/// What arrived at the backend.
#[derive(Clone, Debug)]
pub struct Received {
    pub query: std::collections::HashMap<String, String>,
    pub body: Value,
}

/// A backend with a push endpoint and a picture to be checked.
pub struct Backend {
    base_url: String,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<Vec<HttpAnswer>>>,
    server: ServerHandle,
}

/// What the backend does with the next push; `success` when nothing is set.
#[derive(Clone, Copy)]
pub enum HttpAnswer {
    Refuse,
    Sleep,
    Mumble,
}

const TOKEN: &str = "AAAAA";

impl Backend {
    pub fn start() -> Self {
        let listener = listen();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let answers: Arc<Mutex<Vec<HttpAnswer>>> = Arc::default();
        let data = (web::Data::from(Arc::clone(&received)), web::Data::from(Arc::clone(&answers)));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.0.clone())
                .app_data(data.1.clone())
                .route("/push", web::get().to(echo))
                .route("/push", web::post().to(receive))
                .route("/photo.jpg", web::get().to(async || "pretend this is a picture"))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { base_url, received, answers, server: handle }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    pub fn push(&self, mode: PushMode) -> Push {
        Push { url: self.url("/push"), token: TOKEN.into(), encoding_aes_key: "A".repeat(43), mode }
    }

    pub fn answer_next(&self, answers: &[HttpAnswer]) {
        *self.answers.lock().unwrap() = answers.iter().rev().copied().collect();
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Everything that arrived, checked and opened.
    pub fn events(&self) -> Vec<Value> {
        self.received().iter().map(Received::open).collect()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

impl Received {
    fn of(&self, key: &str) -> &str {
        &self.query[key]
    }

    fn open(&self) -> Value {
        let signed = [TOKEN, self.of("timestamp"), self.of("nonce")];
        assert_eq!(signature(&signed), self.of("signature"));
        let Some(sealed) = self.body.get("Encrypt") else { return self.body.clone() };
        let sealed = sealed.as_str().unwrap();
        assert_eq!(self.of("encrypt_type"), "aes");
        assert_eq!(signature(&[&signed[..], &[sealed]].concat()), self.of("msg_signature"));
        let message = PushCipher::new(&"A".repeat(43), APPID).unwrap().open(sealed).unwrap();
        serde_json::from_str(&message).unwrap()
    }
}

async fn echo(request: HttpRequest) -> String {
    let query = web::Query::<std::collections::HashMap<String, String>>::from_query(request.query_string()).unwrap();
    assert_eq!(signature(&[TOKEN, &query["timestamp"], &query["nonce"]]), query["signature"]);
    query["echostr"].clone()
}

async fn receive(
    received: web::Data<Mutex<Vec<Received>>>,
    answers: web::Data<Mutex<Vec<HttpAnswer>>>,
    query: web::Query<std::collections::HashMap<String, String>>,
    body: web::Json<Value>,
) -> HttpResponse {
    received.lock().unwrap().push(Received { query: query.into_inner(), body: body.into_inner() });
    let answer = answers.lock().unwrap().pop();
    match answer {
        None => HttpResponse::Ok().body("success"),
        Some(HttpAnswer::Refuse) => HttpResponse::InternalServerError().finish(),
        Some(HttpAnswer::Mumble) => HttpResponse::Ok().body("ok"),
        Some(HttpAnswer::Sleep) => {
            tokio::time::sleep(Duration::from_millis(400)).await;
            HttpResponse::Ok().body("success")
        }
    }
}
