//! Refusals as `application/problem+json` (RFC 9457).

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, RETRY_AFTER};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use sea_orm::{DbErr, RuntimeErr, SqlErr};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::cache::CacheError;
use crate::platform::code::{self, Code};
use crate::platform::mistake::Mistake;

/// Why a request was refused, with what the client may know; the cause goes to the log only.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    retry_after: Option<u32>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer to the field, `/title`; `?name` for a query parameter.
    pub pointer: String,
    /// What kind of mistake it is: `missing`, `unknown`, `type`, `invalid`.
    pub code: Cow<'static, str>,
    /// What is expected, for people.
    pub detail: String,
}

/// A refusal as the client sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// Where the code is explained.
    r#type: String,
    /// Chinese, for the person at the phone.
    title: &'static str,
    /// The same in English.
    title_en: &'static str,
    status: u16,
    /// One word for the client to act on; `docs/ERRORS.md` lists all.
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'static, str>>,
    /// For `invalid_input`: each mistake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

impl Problem {
    /// A refusal with a sentence on this very case.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: Some(detail.into()), ..code.into() }
    }

    /// Input that is wrong in the named places.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Code::InvalidInput.into() }
    }

    /// Input that is wrong in one place; `pointer` as in [`FieldError`].
    pub fn field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { pointer: pointer.to_owned(), code: "invalid".into(), detail: detail.into() }])
    }

    /// Nothing, or all of the mistakes, below `base` of the request's body.
    pub fn of_mistakes(base: &str, mistakes: Vec<Mistake>) -> Result<(), Self> {
        let error = |Mistake { pointer, detail }| FieldError {
            pointer: format!("{base}{pointer}"),
            code: "invalid".into(),
            detail: detail.into(),
        };
        let errors: Vec<_> = mistakes.into_iter().map(error).collect();
        if errors.is_empty() { Ok(()) } else { Err(Self::invalid(errors)) }
    }

    /// Adds what went wrong, for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Tells the client after how many seconds to come again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// A definite no to this very request: asking again changes nothing unless the world changes.
    pub fn is_refusal(&self) -> bool {
        matches!(self.code.status(), 400 | 403 | 404 | 409 | 413 | 415 | 422)
    }

    /// The document that the client gets.
    pub fn document(&self) -> ProblemDocument {
        let code = self.code.word();
        ProblemDocument {
            r#type: format!("/api/errors#{code}"),
            title: self.code.zh(),
            title_en: self.code.en(),
            status: self.code.status(),
            code,
            detail: self.detail.clone(),
            errors: self.errors.clone(),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code.word())?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        if let Some(cause) = &self.cause {
            write!(f, " (because {cause})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

impl From<Mistake> for Problem {
    fn from(mistake: Mistake) -> Self {
        Self::field(&mistake.pointer, mistake.detail)
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        let retry_after = (code.status() == 503).then_some(5);
        Self { code, detail: None, errors: Vec::new(), retry_after, cause: None }
    }
}

impl From<DbErr> for Problem {
    fn from(error: DbErr) -> Self {
        let code = violated_constraint(&error).unwrap_or(match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Code::Unavailable,
            error if is_conflict_of_transactions(error) => Code::Unavailable,
            _ => Code::Internal,
        });
        Self::from(code).caused_by(error)
    }
}

impl From<CacheError> for Problem {
    fn from(error: CacheError) -> Self {
        Self::from(Code::Unavailable).caused_by(error)
    }
}

fn violated_constraint(error: &DbErr) -> Option<Code> {
    // A trigger of PostgreSQL names the constraint beside its message.
    if let DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) = error
        && let Some(code) = error.as_database_error().and_then(|error| error.constraint()).and_then(code::of_message)
    {
        return Some(code);
    }
    let message = match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(message) | SqlErr::ForeignKeyConstraintViolation(message)) => message,
        _ => error.to_string(),
    };
    code::of_message(&message)
}

/// Deadlock or serialisation failure (SQLSTATE class 40), or SQLite's busy: nothing was done, try again.
fn is_conflict_of_transactions(error: &DbErr) -> bool {
    let text = error.to_string();
    text.contains("deadlock detected") || text.contains("could not serialize") || text.contains("database is locked")
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        if self.code.status() >= 500 {
            tracing::error!(code = %self.code.word(), cause = self.cause.as_ref().map(tracing::field::display), "request failed");
        }
        let mut response: HttpResponseBuilder = HttpResponse::build(self.status());
        response.insert_header(("content-type", "application/problem+json; charset=utf-8"));
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        response.json(self.document())
    }
}

/// The page to which `type` points: every code with its meaning, from the table itself.
pub async fn page() -> HttpResponse {
    let mut html = String::from(
        "<!doctype html><html lang=zh><meta charset=utf-8><meta name=viewport content='width=device-width'>\
         <title>Linli 错误码</title><style>body{font:16px/1.5 sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}\
         td,th{padding:.3rem .6rem;text-align:left;border-bottom:1px solid #ddd}:target{background:#fff3c4}</style>\
         <h1>错误码 Error codes</h1><table><tr><th>code<th>HTTP<th>说明<th>Meaning",
    );
    for code in Code::ALL {
        let word = code.word();
        html.push_str(&format!(
            "<tr id={word}><td><code>{word}</code><td>{}<td>{}<td>{}",
            code.status(),
            code.zh(),
            code.en()
        ));
    }
    HttpResponse::Ok().content_type(ContentType::html()).body(html)
}
