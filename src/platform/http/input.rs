//! What comes in: JSON bodies, query strings, `Idempotency-Key`; each mistake is named by its field.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest};
use garde::Validate;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::problem::{FieldError, Problem};
use crate::platform::code::Code;
use crate::platform::crypto::hex;

/// A checked JSON body.
pub struct Body<T>(pub T);

impl<T> Deref for Body<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// A POST: its key, if the client sent one, a hash of what was asked, and the checked body.
pub struct Command<T> {
    /// The body.
    pub input: T,
    /// What makes a repetition recognisable.
    pub key: Key,
}

/// An `Idempotency-Key` with the fingerprint of the request it came with.
#[derive(Clone, Debug)]
pub struct Key {
    /// The header's value.
    pub key: Option<String>,
    /// SHA-256 of method, path and body.
    pub fingerprint: String,
}

/// The checked query string.
pub struct Params<T>(pub T);

impl<T> Deref for Params<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// No body is expected; one that comes must be empty or `{}`.
#[derive(serde::Deserialize, serde::Serialize, Validate, Default, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

type Extraction<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

impl<T: DeserializeOwned + Validate<Context = ()> + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = read(request, payload);
        Box::pin(async move { parse(&bytes.await?).map(Self) })
    }
}

impl<T: DeserializeOwned + Validate<Context = ()> + 'static> FromRequest for Command<T> {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let key = key_of(request);
        let request_line = format!("{} {}\n", request.method(), request.uri());
        let bytes = read(request, payload);
        Box::pin(async move {
            let (key, bytes) = (key?, bytes.await?);
            let fingerprint = hex(&Sha256::new().chain_update(request_line).chain_update(&bytes).finalize());
            Ok(Self { input: parse(&bytes)?, key: Key { key, fingerprint } })
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Params<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(
            web::Query::<T>::from_query(request.query_string()).map(|query| Self(query.into_inner())).map_err(
                |error| {
                    let message = error.to_string();
                    let message = message.trim_start_matches("Query deserialize error: ");
                    Problem::invalid(vec![field_error("?", message)])
                },
            ),
        )
    }
}

/// The `Idempotency-Key` header: 1 to 128 visible ASCII characters.
pub fn key_of(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    let invalid = || Problem::field("Idempotency-Key", "1 to 128 visible ASCII characters");
    let key = value.to_str().ok().filter(|key| (1..=128).contains(&key.len())).ok_or_else(invalid)?;
    Ok(Some(key.to_owned()))
}

fn read(request: &HttpRequest, payload: &mut Payload) -> impl Future<Output = Result<Bytes, Problem>> + use<> {
    let json = request.headers().get("content-type").is_none_or(|value| {
        value.to_str().is_ok_and(|value| {
            value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        })
    });
    let bytes = Bytes::from_request(request, payload);
    async move {
        if !json {
            return Err(Problem::new(Code::UnsupportedMediaType, "send application/json"));
        }
        bytes.await.map_err(|error| {
            let status = error.as_response_error().status_code().as_u16();
            Problem::from(if status == 413 { Code::BodyTooLarge } else { Code::MalformedRequest })
                .caused_by(error.to_string())
        })
    }
}

fn parse<T: DeserializeOwned + Validate<Context = ()>>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(&error.path().to_string());
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => Problem::invalid(vec![field_error(&pointer, &inner.to_string())]),
            _ => Problem::new(Code::MalformedRequest, format!("the body is not JSON: {inner}")),
        }
    })?;
    json.end().map_err(|error| Problem::new(Code::MalformedRequest, format!("the body is not JSON: {error}")))?;
    value.validate().map_err(|report| {
        let errors = report.iter().map(|(path, error)| FieldError {
            pointer: pointer(&path.to_string()),
            code: "invalid".into(),
            detail: error.message().to_owned(),
        });
        Problem::invalid(errors.collect())
    })?;
    Ok(value)
}

/// `questions[0].title` as the JSON pointer `/questions/0/title`.
fn pointer(path: &str) -> String {
    if path == "." || path.is_empty() {
        return String::new();
    }
    format!("/{}", path.replace('[', ".").replace(']', "").replace('.', "/").trim_start_matches('/'))
}

/// serde names an unknown or missing field in its message only.
fn field_error(base: &str, message: &str) -> FieldError {
    let named = message.split('`').nth(1).unwrap_or_default();
    let separator = if base.starts_with('?') { "" } else { "/" };
    // The path of an unknown field ends with the field itself.
    let base = base.strip_suffix(&format!("/{named}")).unwrap_or(base);
    let message = message.split(" at line ").next().unwrap_or(message);
    let (pointer, code) = if message.starts_with("unknown field") {
        (format!("{base}{separator}{named}"), "unknown")
    } else if message.starts_with("missing field") {
        (format!("{base}{separator}{named}"), "missing")
    } else {
        (base.to_owned(), "type")
    };
    FieldError { pointer, code: code.into(), detail: message.to_owned() }
}

/// Rules for text, to be named in `#[garde(custom(…))]`.
pub mod text {
    use garde::Error;

    /// One line of 1 to `max` characters without control characters, and not only space.
    pub fn line(max: usize) -> impl Fn(&str, &()) -> garde::Result {
        move |text, ()| check(text, max, char::is_control)
    }

    /// The same with line breaks and tabs.
    pub fn paragraph(max: usize) -> impl Fn(&str, &()) -> garde::Result {
        move |text, ()| check(text, max, |c| c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
    }

    /// [`line`] for an optional field.
    pub fn optional_line(max: usize) -> impl Fn(&Option<String>, &()) -> garde::Result {
        move |text, context| text.as_deref().map_or(Ok(()), |text| line(max)(text, context))
    }

    /// [`paragraph`] for an optional field.
    pub fn optional_paragraph(max: usize) -> impl Fn(&Option<String>, &()) -> garde::Result {
        move |text, context| text.as_deref().map_or(Ok(()), |text| paragraph(max)(text, context))
    }

    fn check(text: &str, max: usize, refused: impl Fn(char) -> bool) -> garde::Result {
        if text.trim().is_empty() {
            return Err(Error::new("不能为空 / must not be empty"));
        }
        if text.chars().count() > max {
            return Err(Error::new(format!("不能超过 {max} 个字 / at most {max} characters")));
        }
        // Besides controls: marks that turn the direction of writing and can disguise what is written.
        if text
            .chars()
            .any(|c| refused(c) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'))
        {
            return Err(Error::new("不能包含控制字符 / must not contain control characters"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[garde(custom(text::line(5)))]
        title: String,
        #[garde(skip)]
        #[serde(default)]
        numbers: Vec<i64>,
    }

    fn pointers(json: &str) -> Vec<(String, String)> {
        let document = serde_json::to_value(parse::<Sample>(json.as_bytes()).unwrap_err().document()).unwrap();
        let errors: Vec<FieldError> = serde_json::from_value(document["errors"].clone()).unwrap_or_default();
        errors.into_iter().map(|error| (error.pointer, error.code.into_owned())).collect()
    }

    #[test]
    fn mistakes_are_named_by_their_field() {
        let one = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
        assert_eq!(pointers(r#"{"title":"a","nope":1}"#), one("/nope", "unknown"));
        assert_eq!(pointers("{}"), one("/title", "missing"));
        assert_eq!(pointers(r#"{"title":7}"#), one("/title", "type"));
        assert_eq!(pointers(r#"{"title":"a","numbers":[1,"x"]}"#), one("/numbers/1", "type"));
        assert_eq!(pointers(r#"{"title":"too long"}"#), one("/title", "invalid"));
        assert_eq!(pointers(r#"{"title":"a\u0007"}"#), one("/title", "invalid"));
        assert_eq!(parse::<Sample>(b"{").unwrap_err().code(), Code::MalformedRequest);
        assert_eq!(parse::<Sample>(br#"{"title":"a"} x"#).unwrap_err().code(), Code::MalformedRequest);
        assert_eq!(parse::<Sample>(br#"{"title":"a","numbers":[2]}"#).unwrap().numbers, [2]);
    }
}
