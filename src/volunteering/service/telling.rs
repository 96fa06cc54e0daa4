//! Telling people what became of a shift.

use entities::ids::UserId;
use entities::volunteering::{activity, shift};
use sea_orm::{DatabaseTransaction, EntityTrait};

use super::span;
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// What happened; `key` tells repeated events of one kind apart.
pub(super) struct News<'a> {
    pub kind: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    pub key: String,
}

/// Tells people of something about a shift: a few statements, however many they are.
pub(super) async fn tell(
    state: &AppState,
    txn: &DatabaseTransaction,
    shift: &shift::Model,
    people: &[UserId],
    news: News<'_>,
) -> Result<(), Problem> {
    if people.is_empty() {
        return Ok(());
    }
    let activity = activity::Entity::find_by_id(shift.activity_id).one(txn).await?.ok_or(Code::Internal)?;
    let News { kind, title, body, key } = news;
    let message = Message {
        kind,
        title: title.to_owned(),
        body: format!("{body}：{}，{}", activity.title, span(shift).text()),
        target: Some(("shift", shift.id.0)),
        dedupe_key: format!("{kind}:{}:{key}", shift.id),
        template: Template::Shift,
    };
    notifications::tell_all(state, txn, people, &message).await
}
