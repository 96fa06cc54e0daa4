use entities::ids::NoticeId;
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::objecting::may_answer;
use super::publishing::{Notice, append, board_of};
use crate::audit;
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// Corrects a notice by another one, which names it and follows it in its chain: what was said stays as it was said. A
/// correction of a correction is one of the first notice.
pub async fn correct(
    state: &AppState,
    txn: &DatabaseTransaction,
    notice_id: NoticeId,
    body: String,
) -> Result<NoticeId, Problem> {
    let (row, place) = board_of(txn, notice_id).await?;
    let first = match row.corrects_id {
        Some(first) => board_of(txn, first).await?.0,
        None => row,
    };
    let notice = Notice {
        community_id: place.id,
        kind: "notice.correction",
        title: format!("更正：{}", first.title),
        body,
        ..Notice::default()
    };
    append(state, txn, notice, Some(first.id)).await
}

/// [`correct`], for staff of the board's place.
pub(in crate::notices) async fn correct_by_hand(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    notice_id: NoticeId,
    body: &str,
) -> Result<NoticeId, Problem> {
    let (_, place) = board_of(txn, notice_id).await?;
    if !may_answer(actor, &place.path) {
        return Err(Code::Forbidden.into());
    }
    let id = correct(state, txn, notice_id, body.to_owned()).await?;
    let detail = json!({ "corrects": notice_id });
    audit::record(state, txn, Some(actor.user_id), "notices.corrected", ("notice", id.0), Some(place.id), detail)
        .await?;
    Ok(id)
}
