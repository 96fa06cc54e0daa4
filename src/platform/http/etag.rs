//! `ETag` and 304 for reads, so that a phone that asks again on bad mobile data moves a few bytes.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use sha2::{Digest, Sha256};

use crate::platform::crypto::hex;

/// Tags every successful JSON read and answers 304 where the client has it already.
pub async fn tag(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let read = request.method() == Method::GET;
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    let response = next.call(request).await?.map_into_boxed_body();
    let unkept = response.headers().get(CACHE_CONTROL).is_some_and(|kept| kept == "no-store");
    if !read || unkept || response.status() != StatusCode::OK || response.headers().contains_key(ETAG) {
        return Ok(response);
    }
    let (request, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let bytes = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(stream) => return Ok(ServiceResponse::new(request, response.set_body(stream))),
    };
    let digest = hex(&Sha256::digest(&bytes));
    let tag = format!("W/\"{}\"", digest.get(..24).unwrap_or_default());
    let unchanged = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
        // What an answer holds depends on who asks.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(()))));
    }
    Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(bytes))))
}
