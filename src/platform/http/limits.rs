//! How often one person and one address may call, and how long one call may take.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, web};
use entities::ids::UserId;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::Problem;
use crate::platform::code::Code;
use crate::platform::config::Limits;
use crate::platform::state::AppState;

/// Counters by person and by address.
pub struct RateLimits {
    people: DefaultKeyedRateLimiter<UserId>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    exempt_loopback: bool,
    trust_forwarded_for: bool,
}

impl RateLimits {
    /// Counters that start at zero.
    pub fn new(limits: &Limits) -> Self {
        let quota = |per_minute: u32| Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self {
            people: RateLimiter::keyed(quota(limits.per_person_per_minute)),
            addresses: RateLimiter::keyed(quota(limits.per_address_per_minute)),
            exempt_loopback: limits.exempt_loopback,
            trust_forwarded_for: limits.trust_forwarded_for,
        }
    }

    /// Counts a call of a person.
    pub fn check_person(&self, request: &HttpRequest, person: UserId) -> Result<(), Problem> {
        if self.address(request).is_none() {
            return Ok(());
        }
        self.people.check_key(&person).map_err(|until| refusal(&until))
    }

    fn check_address(&self, request: &HttpRequest) -> Result<(), Problem> {
        let Some(address) = self.address(request) else { return Ok(()) };
        self.addresses.check_key(&address).map_err(|until| refusal(&until))
    }

    /// The address to count, or nothing when it is exempt.
    fn address(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr().map(|peer| peer.ip());
        let forwarded = || request.connection_info().realip_remote_addr().and_then(|text| text.parse().ok());
        let address = if self.trust_forwarded_for { forwarded().or(peer) } else { peer }?;
        (!(self.exempt_loopback && address.is_loopback())).then_some(address)
    }

    /// Forgets who has not called for a while; called by a schedule.
    pub fn forget_idle(&self) {
        self.people.retain_recent();
        self.addresses.retain_recent();
    }
}

fn refusal(until: &governor::NotUntil<governor::clock::QuantaInstant>) -> Problem {
    let wait = until.wait_time_from(DefaultClock::default().now()).as_secs().saturating_add(1);
    Problem::from(Code::RateLimited).retry_after(u32::try_from(wait).unwrap_or(60))
}

/// Refuses addresses that call too often and ends calls that take too long; a dropped transaction rolls back.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let Some(state) = request.app_data::<web::Data<AppState>>().cloned() else {
        return Err(Problem::from(Code::Internal).into());
    };
    state.rate_limits.check_address(request.request())?;
    let limit = Duration::from_secs(state.config.limits.request_seconds);
    match tokio::time::timeout(limit, next.call(request)).await {
        Ok(response) => response,
        Err(elapsed) => Err(Problem::from(Code::RequestTimeout).caused_by(elapsed).into()),
    }
}
