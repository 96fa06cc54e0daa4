//! HTTP: what comes in, what goes out, and how it is refused.

pub mod auth;
pub mod command;
pub mod etag;
pub mod input;
pub mod limits;
pub mod page;
pub mod problem;

pub use auth::Caller;
pub use command::{Outcome, command, lock_person, transact};
pub use input::{Body, Command, Key, Nothing, Params, text};
pub use page::{Moments, Page, PageParams, Paging};
pub use problem::{FieldError, Problem};
