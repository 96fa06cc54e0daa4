//! Every random value of the simulator, in the shapes WeChat's have.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt as _;
use rand::distr::{Alphanumeric, SampleString as _};

/// The least `msgid`: above 2^53, where a JavaScript number loses its last digits.
const FIRST_MSGID: u64 = (1 << 53) + 1;

fn letters(count: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), count)
}

/// What every access token begins with; anything else is answered with 40014.
pub(crate) const TOKEN_PREFIX: &str = "97_";

/// An access token, longer than the 512 characters WeChat tells people to allow for.
pub(crate) fn access_token() -> String {
    format!("{TOKEN_PREFIX}{}", letters(561))
}

pub(crate) fn login_code() -> String {
    format!("0{}", letters(31))
}

/// Phone codes are 64 hexadecimal digits, unlike login codes.
pub(crate) fn phone_code() -> String {
    let (high, low): (u128, u128) = (rand::rng().random(), rand::rng().random());
    format!("{high:032x}{low:032x}")
}

pub(crate) fn session_key() -> String {
    STANDARD.encode(random16())
}

pub(crate) fn openid() -> String {
    format!("o{}", letters(27))
}

pub(crate) fn phone() -> String {
    format!("138{:08}", rand::rng().random_range(0..100_000_000_u32))
}

pub(crate) fn request_id() -> String {
    let (a, b, c): (u32, u32, u32) = rand::rng().random();
    format!("{a:08x}-{b:08x}-{c:08x}")
}

/// Trace ids look like request ids.
pub(crate) fn trace_id() -> String {
    request_id()
}

pub(crate) fn msgid() -> u64 {
    rand::rng().random_range(FIRST_MSGID..1 << 62)
}

pub(crate) fn nonce() -> String {
    rand::rng().random_range(100_000_000..2_000_000_000_u32).to_string()
}

pub(crate) fn link_key() -> String {
    letters(11)
}

pub(crate) fn random16() -> [u8; 16] {
    rand::rng().random()
}
