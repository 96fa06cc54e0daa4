//! WeChat's server API: the calls Linli makes ([`WeChat`]) and the pushes it receives ([`push::PushSettings`]).
//!
//! - `client` has one method a call; `transport` sends it, tries again while WeChat is busy, and knows errcodes.
//! - `token` keeps the one access token that all processes share. Read its rules before you change anything there.
//! - `fields` makes texts fit into subscribe messages.
//! - `push` checks, decrypts and parses what WeChat sends; `crypto` has the primitives, `event` the forms.
//!
//! Secrets, tokens and session keys stay in [`secrecy::SecretString`]; no error and no log line here holds a URL, because
//! WeChat wants its secrets in the query.

#![allow(clippy::doc_markdown, reason = "WeChat is a name")]

mod client;
mod crypto;
mod error;
mod event;
mod fields;
mod model;
pub mod push;
mod token;
mod transport;

#[cfg(test)]
mod tests;

pub use client::WeChat;
pub use error::{SetupError, Unreachable, WeChatError};
pub use model::{PhoneNumber, Scene, Session, Settings, SubscribeMessage, Suggest, Verdict};
