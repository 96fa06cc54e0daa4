//! People who are signed in when they are needed, and everybody else whom a step is refused.

use std::cell::RefCell;
use std::collections::HashMap;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::Value;

use super::{Answer, Person, TestApp};

/// Each stands for a role.
pub const ROLES: [&str; 13] = [
    "newcomer-1",
    "resident-2",
    "leader",
    "volunteer-1",
    "representative",
    "staff-other",
    "social-worker-1",
    "social-worker-3",
    "org-a",
    "org-b",
    "supervisor",
    "evaluator",
    "merchant",
];

/// Everybody, signed in when they are needed; again once the clock has moved, for access tokens last ten minutes.
pub struct Cast<'a> {
    pub app: &'a TestApp,
    here: RefCell<HashMap<String, Person>>,
}

impl<'a> Cast<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        Self { app, here: RefCell::default() }
    }

    pub async fn get(&self, name: &str) -> Person {
        if let Some(person) = self.here.borrow().get(name) {
            return person.clone();
        }
        let person = self.app.sign_in(name).await;
        self.here.borrow_mut().insert(name.to_owned(), person.clone());
        person
    }

    pub async fn later(&self, by: TimeDelta) {
        self.app.advance(by).await;
        self.here.borrow_mut().clear();
    }

    pub async fn send(&self, who: &str, method: &Method, path: &str, body: Value) -> Answer {
        let person = self.get(who).await;
        match *method {
            Method::PUT => person.put(path, body).await,
            _ => person.post(path, body).await,
        }
    }

    /// Nobody of [`ROLES`] may do this but `who`.
    pub async fn refused_to_others(&self, who: &str, method: &Method, path: &str, body: &Value) {
        for other in ROLES.into_iter().filter(|other| *other != who) {
            let refused = self.send(other, method, path, body.clone()).await;
            assert!([403, 404].contains(&refused.status), "{other} at {path}: {} {}", refused.status, refused.body);
        }
    }

    /// A step by whom it is for, after everybody else of the district was refused it.
    pub async fn step(&self, who: &str, path: &str, body: Value, status: u16) -> Value {
        self.refused_to_others(who, &Method::POST, path, &body).await;
        self.get(who).await.post(path, body).await.expect(status)
    }
}
