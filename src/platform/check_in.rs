//! The rotating code by which people show that they are where a screen is: a shift, a session, a deliberation.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::qr::QRBuilder;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::code::Code;
use super::crypto::Purpose;
use super::http::Problem;
use super::state::AppState;

/// A check-in code changes this often (seconds).
const CODE_SECONDS: i64 = 30;

/// The number of the code's time at `now`.
pub fn code_window(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(CODE_SECONDS)
}

/// The times whose codes are good at `now`: this one, and the one before for whoever scanned at its end.
pub fn good_windows(now: DateTime<Utc>) -> [i64; 2] {
    [code_window(now), code_window(now) - 1]
}

/// When a time's code stops being good.
pub fn code_expires(window: i64) -> DateTime<Utc> {
    DateTime::from_timestamp((window + 2) * CODE_SECONDS, 0).unwrap_or_default()
}

/// A phone's clock may be so far off when it scans without a network.
pub const CLOCK_DRIFT: TimeDelta = TimeDelta::seconds(60);

/// The times of whose codes one may have been scanned when a phone's clock said `device`.
pub fn scanned_windows(device: DateTime<Utc>) -> impl Iterator<Item = i64> {
    code_window(device - CLOCK_DRIFT) - 1..=code_window(device + CLOCK_DRIFT)
}

/// The moment that counts: the phone's, held within the time in which the code that it scanned was good.
pub fn proven_moment(device: DateTime<Utc>, window: i64) -> DateTime<Utc> {
    let from = DateTime::from_timestamp(window * CODE_SECONDS, 0).unwrap_or_default();
    device.clamp(from, code_expires(window) - TimeDelta::milliseconds(1))
}

/// The code that a screen shows in a time of 30 seconds: of whatever has this id.
pub fn code(state: &AppState, of: Uuid, window: i64) -> String {
    let signature = state.keys.sign(Purpose::CheckIn, &signed(of, window));
    URL_SAFE_NO_PAD.encode(signature.get(..12).unwrap_or_default())
}

fn signed(of: Uuid, window: i64) -> Vec<u8> {
    [of.as_bytes().as_slice(), &window.to_be_bytes()].concat()
}

/// The first of some times whose code it is.
pub fn window_of(state: &AppState, of: Uuid, code: &str, windows: impl IntoIterator<Item = i64>) -> Option<i64> {
    let signature = URL_SAFE_NO_PAD.decode(code).ok()?;
    windows.into_iter().find(|window| state.keys.verify(Purpose::CheckIn, &signed(of, *window), &signature))
}

/// Whether a code is good now.
pub fn is_good(state: &AppState, of: Uuid, code: &str) -> bool {
    window_of(state, of, code, good_windows(state.clock.now())).is_some()
}

/// What the leader's screen shows; it asks for a new one every 30 seconds.
#[derive(Serialize, ToSchema)]
pub struct CheckInCode {
    code: String,
    /// Until when it is accepted; half of its life it is shown.
    expires_at: DateTime<Utc>,
    /// A QR code of `linli://{check-in, attend or deliberate}/{id}/{code}`.
    qr_svg: String,
}

impl CheckInCode {
    /// The code of something now; `act` is the word in its link.
    pub fn now(state: &AppState, act: &str, of: Uuid) -> Result<Self, Problem> {
        let window = code_window(state.clock.now());
        let code = code(state, of, window);
        let picture = QRBuilder::new(format!("linli://{act}/{of}/{code}"))
            .build()
            .map_err(|error| Problem::from(Code::Internal).caused_by(error.to_string()))?;
        let qr_svg = SvgBuilder::default().to_str(&picture);
        Ok(Self { code, expires_at: code_expires(window), qr_svg })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
    }

    proptest! {
        #[test]
        fn a_code_is_good_from_its_window_until_it_expires(made in 0_i64..1_000_000, later in 0_i64..200) {
            let window = code_window(at(made));
            let good = good_windows(at(made + later)).contains(&window);
            prop_assert_eq!(good, at(made + later) < code_expires(window));
        }

        #[test]
        fn what_a_scan_proves_is_a_moment_at_which_its_code_was_good(made in 0_i64..1_000_000, later in 0_i64..60, drift in -60_i64..60) {
            let window = code_window(at(made));
            prop_assume!(good_windows(at(made + later)).contains(&window));
            let device = at(made + later + drift);
            prop_assert!(scanned_windows(device).any(|known| known == window), "a clock that is a little off");
            let moment = proven_moment(device, window);
            prop_assert!(good_windows(moment).contains(&window));
            // Never further from the truth than the code's own life.
            prop_assert!((moment - at(made + later)).num_seconds().abs() <= 60);
        }
    }
}
