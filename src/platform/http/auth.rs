//! Access tokens: who is calling. What they may do is `identity`'s.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use chrono::Duration;
use entities::ids::UserId;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Problem;
use crate::platform::code::Code;
use crate::platform::crypto::Purpose;
use crate::platform::state::AppState;

/// How long an access token lasts.
pub const ACCESS_TOKEN_SECONDS: i64 = 600;

#[derive(Serialize, Deserialize)]
struct Claims {
    /// The person.
    sub: Uuid,
    /// The session's family, for signing out.
    fam: Uuid,
    iat: i64,
    exp: i64,
}

/// Somebody with a valid access token.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The person.
    pub user_id: UserId,
    /// The sign-in that the token descends from.
    pub family: Uuid,
}

impl Caller {
    /// A signed access token for this caller.
    pub fn token(&self, state: &AppState) -> Result<String, Problem> {
        let now = state.clock.now();
        let exp = (now + Duration::seconds(ACCESS_TOKEN_SECONDS)).timestamp();
        let claims = Claims { sub: self.user_id.0, fam: self.family, iat: now.timestamp(), exp };
        let key = EncodingKey::from_secret(&state.keys.sign(Purpose::AccessToken, b""));
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
            .map_err(|error| Problem::from(Code::Internal).caused_by(error))
    }

    /// Reads a token; needs neither database nor cache.
    pub fn of_token(state: &AppState, token: &str) -> Result<Self, Problem> {
        let key = DecodingKey::from_secret(&state.keys.sign(Purpose::AccessToken, b""));
        let mut validation = Validation::new(Algorithm::HS256);
        // Expiry is checked below, by the injected clock.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => Problem::from(Code::TokenExpired),
                _ => Problem::from(Code::TokenInvalid),
            })?
            .claims;
        if claims.exp <= state.clock.now().timestamp() {
            return Err(Code::TokenExpired.into());
        }
        Ok(Self { user_id: claims.sub.into(), family: claims.fam })
    }

    /// The caller of a request, within their rate limit.
    pub fn of_request(state: &AppState, request: &HttpRequest) -> Result<Self, Problem> {
        let header = request.headers().get("authorization").ok_or(Code::Unauthenticated)?;
        let token = header.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")).ok_or(Code::TokenInvalid)?;
        let caller = Self::of_token(state, token.trim())?;
        state.rate_limits.check_person(request, caller.user_id)?;
        Ok(caller)
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(
            request
                .app_data::<actix_web::web::Data<AppState>>()
                .ok_or(Code::Internal.into())
                .and_then(|state| Self::of_request(state, request)),
        )
    }
}
