//! People with phones: sign in, call, look at the answer.

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::TestApp;

/// Somebody signed in.
#[derive(Clone)]
pub struct Person {
    http: reqwest::Client,
    base: String,
    pub id: String,
    pub token: String,
    pub refresh_token: String,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub bytes: Vec<u8>,
    what: String,
}

impl TestApp {
    /// Signs a persona in with a fresh WeChat code.
    pub async fn sign_in(&self, persona: &str) -> Person {
        let code = self.simulator.control().login_code(persona).expect("a persona");
        let answer =
            self.call(self.http.post(self.api("/auth/wechat")).json(&json!({ "code": code })), "sign in").await;
        let body = answer.expect(200);
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        Person {
            http: self.http.clone(),
            base: self.api(""),
            id: text(&body["user"]["id"]),
            token: text(&body["access_token"]),
            refresh_token: text(&body["refresh_token"]),
        }
    }

    /// Signs several personas in.
    pub async fn sign_in_all(&self, personas: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<Person> {
        let mut people = Vec::new();
        for persona in personas {
            people.push(self.sign_in(persona.as_ref()).await);
        }
        people
    }

    /// The URL of a path below `/api/v1`.
    pub fn api(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.url)
    }

    /// A call by nobody.
    pub async fn anonymous(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self.http.request(method, self.api(path)).json(body);
        self.call(request, path).await
    }

    pub async fn call(&self, request: RequestBuilder, what: &str) -> Answer {
        read(request, what).await
    }
}

async fn read(request: RequestBuilder, what: &str) -> Answer {
    let response = request.send().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.unwrap_or_else(|error| panic!("{what}: {error}")).to_vec();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status, headers, body, bytes, what: what.to_owned() }
}

impl Person {
    /// Any call as this person; for what the shorthands do not do.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        read(request, "a request").await
    }

    pub async fn get(&self, path: &str) -> Answer {
        read(self.request(Method::GET, path), path).await
    }

    /// A POST with a key of its own.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let key = format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.post_with_key(path, body, &key).await
    }

    pub async fn post_with_key(&self, path: &str, body: Value, key: &str) -> Answer {
        read(self.request(Method::POST, path).header("Idempotency-Key", key).json(&body), path).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        read(self.request(Method::PUT, path).json(&body), path).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        read(self.request(Method::DELETE, path), path).await
    }
}

impl Answer {
    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.what, String::from_utf8_lossy(&self.bytes));
        self.body
    }

    /// A refusal must have this status and code, and be a problem document.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}: {}", self.what, self.body);
        let kind = self.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert!(kind.starts_with("application/problem+json"), "{kind}");
        assert_eq!(self.body["status"], status);
        self.body
    }

    /// A refusal of input must name this field.
    #[track_caller]
    pub fn names(self, pointer: &str) {
        let body = self.refused(422, "invalid_input");
        let pointers: Vec<_> = body["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|error| error["pointer"].as_str().unwrap_or_default())
            .collect();
        assert!(pointers.contains(&pointer), "{pointer} is not among {pointers:?}: {body}");
    }
}
