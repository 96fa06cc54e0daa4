//! Reading WeChat's requests: whatever is wrong is an errcode, never an HTTP status.

use std::future::{Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::errcode::Errcode;

/// A JSON body. WeChat does not look at the content type.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest for Body<T> {
    type Error = Errcode;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Errcode>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            let bytes = bytes.await.or(Err(Errcode::INVALID_JSON))?;
            if bytes.is_empty() {
                return Err(Errcode::EMPTY_BODY);
            }
            serde_json::from_slice(&bytes).map(Self).or(Err(Errcode::INVALID_JSON))
        })
    }
}

/// A query string.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Errcode;
    type Future = Ready<Result<Self, Errcode>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = web::Query::<T>::from_query(request.query_string());
        ready(query.map(|query| Self(query.into_inner())).or(Err(Errcode::INVALID_ARGS)))
    }
}

/// A success that says so. Add what the call answers besides.
pub(crate) fn ok(mut answer: Value) -> web::Json<Value> {
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("errcode".to_owned(), json!(0));
        answer.insert("errmsg".to_owned(), json!("ok"));
    }
    web::Json(answer)
}
