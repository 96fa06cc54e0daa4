//! Access tokens: the two calls that hand them out, and the check in front of every other call.
//!
//! The stable and the plain call keep tokens apart from each other. When a token is followed by another, the earlier
//! one may live on for five minutes; a forced refresh ends it at once.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::errcode::Errcode;
use crate::ids;
use crate::rates::window;
use crate::wire::{Body, Query};
use crate::world::World;

const LIFE: TimeDelta = TimeDelta::seconds(7_200);
/// How long before its end the stable call gives the next token, and how long an earlier one lives beside it.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);
const BETWEEN_FORCED: TimeDelta = TimeDelta::seconds(30);
const FORCED_PER_DAY: u32 = 20;

#[derive(Debug)]
struct Token {
    value: String,
    until: DateTime<Utc>,
    /// The answer once `until` has passed.
    then: Errcode,
    /// Set by [`Tokens::expire`].
    dead: bool,
}

impl Token {
    fn new(now: DateTime<Utc>) -> Self {
        Self { value: ids::access_token(), until: now + LIFE, then: Errcode::TOKEN_EXPIRED, dead: false }
    }

    fn check(&self, now: DateTime<Utc>) -> Result<(), Errcode> {
        match (self.dead, now < self.until) {
            (true, _) => Err(Errcode::INVALID_CREDENTIAL),
            (false, false) => Err(self.then),
            (false, true) => Ok(()),
        }
    }
}

/// A token and the one before it.
#[derive(Debug, Default)]
struct Line {
    current: Option<Token>,
    earlier: Option<Token>,
}

impl Line {
    /// A new token; the present one lives until its end, at most five minutes more.
    fn follow(&mut self, now: DateTime<Utc>) -> &Token {
        let earlier = self.current.take().map(|token| Token {
            until: token.until.min(now + OVERLAP),
            then: if token.until <= now { token.then } else { Errcode::INVALID_CREDENTIAL },
            ..token
        });
        self.earlier = earlier;
        self.current.insert(Token::new(now))
    }

    fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.current.iter().chain(&self.earlier)
    }
}

/// What the two token calls answer.
#[derive(Debug, Serialize)]
pub(crate) struct Issued {
    access_token: String,
    expires_in: i64,
}

impl Issued {
    fn from(token: &Token, now: DateTime<Utc>) -> Self {
        Self { access_token: token.value.clone(), expires_in: (token.until - now).num_seconds() }
    }
}

/// Every token that may still be known.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    stable: Line,
    plain: Line,
    last_forced: Option<DateTime<Utc>>,
    /// The day, and how many forced refreshes there were on it.
    forced: (i64, u32),
    /// Whether the normal mode goes on handing out a token that [`Tokens::expire`] ended.
    stuck: bool,
}

impl Tokens {
    fn plain(&mut self, now: DateTime<Utc>) -> Issued {
        Issued::from(self.plain.follow(now), now)
    }

    fn stable(&mut self, force: bool, now: DateTime<Utc>) -> Result<Issued, Errcode> {
        if force && self.may_force(now)? {
            self.stable = Line { current: Some(Token::new(now)), earlier: None };
            self.stuck = false;
        }
        let stuck = self.stuck;
        let fresh = |token: &&Token| (stuck || !token.dead) && token.until - now >= OVERLAP;
        let token = match &self.stable.current {
            Some(token) if fresh(&token) => token,
            _ => self.stable.follow(now),
        };
        Ok(Issued::from(token, now))
    }

    /// A forced refresh within 30 s of the last does nothing; the 21st of a day is refused.
    fn may_force(&mut self, now: DateTime<Utc>) -> Result<bool, Errcode> {
        if self.last_forced.is_some_and(|last| now - last < BETWEEN_FORCED) {
            return Ok(false);
        }
        let today = window(now, 86_400);
        let used = if self.forced.0 == today { self.forced.1 } else { 0 };
        if used >= FORCED_PER_DAY {
            return Err(Errcode::DAILY_QUOTA);
        }
        self.forced = (today, used + 1);
        self.last_forced = Some(now);
        Ok(true)
    }

    fn check(&self, value: &str, now: DateTime<Utc>) -> Result<(), Errcode> {
        if !value.starts_with(ids::TOKEN_PREFIX) {
            return Err(Errcode::INVALID_TOKEN);
        }
        let known = self.stable.tokens().chain(self.plain.tokens()).find(|token| token.value == value);
        known.ok_or(Errcode::INVALID_CREDENTIAL)?.check(now)
    }

    /// Ends every token, as when somebody else refreshed. When `stuck`, the stable call's normal mode hands the dead
    /// token out again until a refresh is forced.
    pub(crate) fn expire(&mut self, stuck: bool) {
        for line in [&mut self.stable, &mut self.plain] {
            for token in line.current.iter_mut().chain(&mut line.earlier) {
                token.dead = true;
            }
        }
        self.stuck = stuck;
    }
}

/// Proof that the request carried a valid access token: an argument of every handler that wants one.
pub(crate) struct Authorised;

impl FromRequest for Authorised {
    type Error = Errcode;
    type Future = Ready<Result<Self, Errcode>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        #[derive(Deserialize)]
        struct Token {
            access_token: Option<String>,
        }
        let authorise = || {
            let world = request.app_data::<web::Data<World>>().ok_or(Errcode::BUSY)?;
            let token = web::Query::<Token>::from_query(request.query_string()).ok();
            let token = token.and_then(|query| query.into_inner().access_token).filter(|token| !token.is_empty());
            world.state().tokens.check(&token.ok_or(Errcode::MISSING_TOKEN)?, world.now())
        };
        ready(authorise().map(|()| Self))
    }
}

#[derive(Deserialize)]
pub(crate) struct PlainRequest {
    #[serde(default)]
    grant_type: String,
    appid: Option<String>,
    secret: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct StableRequest {
    #[serde(flatten)]
    credential: PlainRequest,
    #[serde(default)]
    force_refresh: bool,
}

impl PlainRequest {
    fn check(&self, world: &World, bad_secret: Errcode) -> Result<(), Errcode> {
        if self.grant_type != "client_credential" {
            return Err(Errcode::INVALID_GRANT_TYPE);
        }
        world.check_credential(self.appid.as_deref(), self.secret.as_deref(), bad_secret)
    }
}

/// `GET /cgi-bin/token`
pub(crate) async fn plain(world: web::Data<World>, query: Query<PlainRequest>) -> Result<web::Json<Issued>, Errcode> {
    query.0.check(&world, Errcode::INVALID_CREDENTIAL)?;
    let now = world.now();
    Ok(web::Json(world.state().tokens.plain(now)))
}

/// `POST /cgi-bin/stable_token`
pub(crate) async fn stable(world: web::Data<World>, body: Body<StableRequest>) -> Result<web::Json<Issued>, Errcode> {
    body.0.credential.check(&world, Errcode::INVALID_SECRET)?;
    let now = world.now();
    Ok(web::Json(world.state().tokens.stable(body.0.force_refresh, now)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_780_000_000, 0).unwrap()
    }

    #[test]
    fn the_last_five_minutes_bring_the_next_token_and_both_work() {
        let mut tokens = Tokens::default();
        let first = tokens.stable(false, start()).unwrap();
        let late = start() + TimeDelta::seconds(6_900);
        let same = tokens.stable(false, late).unwrap();
        assert_eq!((same.access_token.as_str(), same.expires_in), (first.access_token.as_str(), 300));
        let late = late + TimeDelta::seconds(1);
        let next = tokens.stable(false, late).unwrap();
        assert_ne!(next.access_token, first.access_token);
        assert_eq!(tokens.check(&first.access_token, late), Ok(()));
        assert_eq!(tokens.check(&next.access_token, late), Ok(()));
        let gone = start() + LIFE;
        assert_eq!(tokens.check(&first.access_token, gone), Err(Errcode::INVALID_CREDENTIAL));
    }

    #[test]
    fn forcing_is_rationed() {
        let mut tokens = Tokens::default();
        let mut now = start();
        let mut last = tokens.stable(true, now).unwrap().access_token;
        assert_eq!(tokens.stable(true, now + TimeDelta::seconds(29)).unwrap().access_token, last);
        for _ in 1..20 {
            now += BETWEEN_FORCED;
            let next = tokens.stable(true, now).unwrap().access_token;
            assert_eq!(tokens.check(&last, now), Err(Errcode::INVALID_CREDENTIAL));
            last = next;
        }
        now += BETWEEN_FORCED;
        assert_eq!(tokens.stable(true, now).unwrap_err(), Errcode::DAILY_QUOTA);
        assert!(tokens.stable(true, now + TimeDelta::days(1)).is_ok());
    }

    #[test]
    fn a_stuck_token_comes_back_until_a_refresh_is_forced() {
        let mut tokens = Tokens::default();
        let first = tokens.stable(false, start()).unwrap().access_token;
        tokens.expire(true);
        assert_eq!(tokens.check(&first, start()), Err(Errcode::INVALID_CREDENTIAL));
        assert_eq!(tokens.stable(false, start()).unwrap().access_token, first);
        let forced = tokens.stable(true, start()).unwrap().access_token;
        assert_eq!(tokens.check(&forced, start()), Ok(()));
    }
}
