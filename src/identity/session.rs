//! Families of refresh tokens. The cache holds one number a family: which generation may be presented next.
//!
//! A token is `family.generation.signature`, so that a forged one can never end somebody's family. Of any presentations of one
//! token exactly one finds its generation in place (compare-and-set) and gets the next; every other ends the family.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entities::ids::UserId;
use uuid::Uuid;

use crate::platform::cache::CacheError;
use crate::platform::code::Code;
use crate::platform::crypto::Purpose;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// A session that is not used for this long ends.
const TTL: Duration = Duration::from_hours(30 * 24);
/// What stands in the place of the generation once a token came twice.
const REVOKED: &str = "revoked";

/// The parts of a refresh token.
#[derive(Clone, Copy)]
struct Token {
    user_id: UserId,
    family: Uuid,
    generation: u64,
}

fn key(family: Uuid) -> String {
    format!("session:{family}")
}

fn unavailable(error: CacheError) -> Problem {
    Problem::from(Code::SessionStoreUnavailable).caused_by(error)
}

impl Token {
    fn signed(self, state: &AppState) -> String {
        let parts = [self.user_id.0.as_bytes(), self.family.as_bytes(), &self.generation.to_be_bytes()[..]].concat();
        let signature = state.keys.sign(Purpose::RefreshToken, &parts);
        URL_SAFE_NO_PAD.encode([&parts[..], &signature].concat())
    }

    fn read(state: &AppState, text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (parts, signature) = bytes.split_at_checked(40)?;
        if signature.len() != 32 || !state.keys.verify(Purpose::RefreshToken, parts, signature) {
            return None;
        }
        let (user_id, rest) = parts.split_at_checked(16)?;
        let (family, generation) = rest.split_at_checked(16)?;
        Some(Self {
            user_id: Uuid::from_slice(user_id).ok()?.into(),
            family: Uuid::from_slice(family).ok()?,
            generation: u64::from_be_bytes(generation.try_into().ok()?),
        })
    }
}

/// Starts a family; gives it and its first refresh token.
pub(super) async fn start(state: &AppState, user_id: UserId) -> Result<(Uuid, String), Problem> {
    let family = ids::unordered();
    state.cache.set(&key(family), "1", TTL).await.map_err(unavailable)?;
    Ok((family, Token { user_id, family, generation: 1 }.signed(state)))
}

/// Spends a refresh token; gives the person, the family and the next token.
pub(super) async fn refresh(state: &AppState, presented: &str) -> Result<(UserId, Uuid, String), Problem> {
    let token = Token::read(state, presented).ok_or(Code::TokenInvalid)?;
    let key = key(token.family);
    let next = Token { generation: token.generation + 1, ..token };
    let (held, wanted) = (token.generation.to_string(), next.generation.to_string());
    if state.cache.compare_and_set(&key, &held, &wanted, TTL).await.map_err(unavailable)? {
        return Ok((token.user_id, token.family, next.signed(state)));
    }
    if state.cache.get(&key).await.map_err(unavailable)?.is_none() {
        return Err(Code::SessionExpired.into());
    }
    state.cache.set(&key, REVOKED, TTL).await.map_err(unavailable)?;
    Err(Code::RefreshReused.into())
}

/// Ends a family.
pub(super) async fn end(state: &AppState, family: Uuid) -> Result<(), Problem> {
    state.cache.delete(&key(family)).await.map_err(unavailable)
}
