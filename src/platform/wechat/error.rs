//! What can go wrong between Linli and WeChat.

use serde_json::error::Category;

/// Why a call to WeChat has no result. None of these holds a token, a secret or a URL.
#[derive(Debug, thiserror::Error)]
pub enum WeChatError {
    /// The login or phone code is unknown, used or too old: the client asks for a new one.
    #[error("the code is not valid, was used before or is too old")]
    InvalidCode,
    /// WeChat's risk control does not let this user sign in.
    #[error("WeChat rates this user a high risk")]
    HighRiskUser,
    /// A quota is used up, of this minute or of this day.
    #[error("WeChat's quota of this {} is used up", if *daily { "day" } else { "minute" })]
    RateLimited {
        /// Whether it is the day's quota.
        daily: bool,
    },
    /// Content is only checked for a user who was in the mini-program during the last two hours.
    #[error("the user was not active in the last two hours")]
    UserInactive,
    /// The user's consent to a subscribe message was refused, withdrawn or used up.
    #[error("the user's consent to this subscribe message is used up")]
    ConsentUsedUp,
    /// This mini-program may not send subscribe messages.
    #[error("the mini-program is banned from sending subscribe messages")]
    Banned,
    /// The template id is wrong.
    #[error("the subscribe message's template is unknown")]
    BadTemplate,
    /// WeChat will not take this request, however often it is sent.
    #[error("WeChat refused with errcode {errcode}")]
    Rejected {
        /// WeChat's number for the reason.
        errcode: i64,
    },
    /// WeChat was busy, three times in a row.
    #[error("WeChat is busy")]
    Busy,
    /// WeChat gives no access token: mostly a wrong secret, or this server's address is not on the list.
    #[error("WeChat gives no access token, errcode {errcode}")]
    TokenRefused {
        /// WeChat's number for the reason.
        errcode: i64,
    },
    /// WeChat took neither the access token nor the one after it.
    #[error("WeChat does not take its own access token, errcode {errcode}")]
    TokenInvalid {
        /// WeChat's number for the reason.
        errcode: i64,
    },
    /// No working access token was to be had in time.
    #[error("no access token is to be had at the moment")]
    TokenUnavailable,
    /// There was no answer, or none that can be understood.
    #[error("WeChat cannot be reached: {0}")]
    Unreachable(#[from] Unreachable),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// The answer did not come within the timeout.
    #[error("timed out")]
    TimedOut,
    /// No connection, or it broke.
    #[error("{0}")]
    Connection(#[source] reqwest::Error),
    /// An HTTP status that WeChat does not use: most likely somebody else's.
    #[error("HTTP status {0}")]
    Status(u16),
    /// The answer is not what WeChat documents. The parser's own message is left out, it may quote the answer.
    #[error("unexpected answer ({0:?})")]
    Unreadable(Category),
}

impl From<reqwest::Error> for Unreachable {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::TimedOut } else { Self::Connection(error.without_url()) }
    }
}

impl WeChatError {
    /// What an errcode other than 0 means.
    pub(super) fn from_errcode(errcode: i64) -> Self {
        match errcode {
            // 43108: another message to the same user is on its way.
            -1 | 43108 => Self::Busy,
            40001 | 40014 | 42001 => Self::TokenInvalid { errcode },
            40029 | 40163 => Self::InvalidCode,
            40037 => Self::BadTemplate,
            40226 => Self::HighRiskUser,
            43101 => Self::ConsentUsedUp,
            43107 => Self::Banned,
            44991 | 45011 => Self::RateLimited { daily: false },
            45009 => Self::RateLimited { daily: true },
            61010 => Self::UserInactive,
            _ => Self::Rejected { errcode },
        }
    }

    pub(super) fn unreadable(category: Category) -> Self {
        Self::Unreachable(Unreachable::Unreadable(category))
    }

    /// Whether the same call can succeed later: a job tries again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Busy
            | Self::TokenRefused { .. }
            | Self::TokenInvalid { .. }
            | Self::TokenUnavailable
            | Self::Unreachable(_) => true,
            Self::InvalidCode
            | Self::HighRiskUser
            | Self::UserInactive
            | Self::ConsentUsedUp
            | Self::Banned
            | Self::BadTemplate
            | Self::Rejected { .. } => false,
        }
    }
}

/// Settings with which no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Not an http or https URL.
    #[error("wechat.base_url must be an http or https URL")]
    BaseUrl,
    /// Not a state of a mini-program.
    #[error("wechat.mini_program_state must be developer, trial or formal")]
    MiniProgramState,
    /// The HTTP client cannot be built.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}
