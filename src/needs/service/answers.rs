//! What staff owe a need: a public answer in time; and how a need ends without a project.

use chrono::{DateTime, Utc};
use entities::ids::{NeedId, UserId};
use entities::needs::{NeedEventKind, NeedState, need, need_file};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use super::telling::{self, Word};
use super::{locked, note, people_of, similar, staffed};
use crate::identity::{self, Actor, Role};
use crate::needs::{domain, moderated};
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::{Problem, transact};
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::{audit, files};

/// Overdue needs that one run of the schedule tells of.
const A_RUN: u64 = 100;

/// How staff answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::needs) enum Answer {
    /// A word on how it stands.
    Word,
    /// It will not be done, and why.
    Decline,
    /// It is done, and how.
    Resolve,
}

impl Answer {
    fn kind(self) -> NeedEventKind {
        match self {
            Self::Word => NeedEventKind::Answered,
            Self::Decline => NeedEventKind::Declined,
            Self::Resolve => NeedEventKind::Resolved,
        }
    }

    /// The word in notices and messages, and what residents read.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Word => ("need.answered", "需求有了答复"),
            Self::Decline => ("need.declined", "需求不予办理"),
            Self::Resolve => ("need.resolved", "需求已办结"),
        }
    }

    fn from(self) -> &'static [NeedState] {
        match self {
            Self::Word => &domain::OPEN,
            Self::Decline => &domain::UNTAKEN,
            Self::Resolve => &domain::SETTLEABLE,
        }
    }

    fn to(self, state: NeedState) -> NeedState {
        match self {
            Self::Word => state,
            Self::Decline => NeedState::Declined,
            Self::Resolve => NeedState::Resolved,
        }
    }
}

/// Answers a need in public, as staff of its place.
pub(in crate::needs) async fn answer(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: NeedId,
    (how, text): (Answer, &str),
) -> Result<need::Model, Problem> {
    let row = staffed(txn, actor, id).await?;
    if row.hidden || !how.from().contains(&row.state) {
        return Err(if how == Answer::Word { Code::NeedNotOpen } else { Code::NeedTaken }.into());
    }
    settle(state, txn, Some(actor.user_id), row, (how, text), None).await
}

/// Writes an answer to a locked need that may get it: state, event, notice, messages.
pub(super) async fn settle(
    state: &AppState,
    txn: &DatabaseTransaction,
    by: Option<UserId>,
    row: need::Model,
    (how, text): (Answer, &str),
    related: Option<Uuid>,
) -> Result<need::Model, Problem> {
    let first = row.answered_at.is_none();
    let changed = need::Entity::update_many()
        .col_expr(need::Column::State, how.to(row.state).into())
        .col_expr(need::Column::AnsweredAt, Expr::col(need::Column::AnsweredAt).if_null(state.clock.now()))
        .filter(need::Column::Id.eq(row.id))
        .filter(need::Column::State.eq(row.state))
        .exec_with_returning(txn)
        .await?;
    let row = changed.into_iter().next().ok_or(Code::NeedTaken)?;
    similar::refresh(state, txn, &row).await?;
    note(state, txn, [row.id], how.kind(), (Some(text), related), by).await?;
    let (kind, title) = how.words();
    let target = (moderated::KIND, row.id.0);
    audit::record(state, txn, by, kind, target, Some(row.place_id), json!({})).await?;
    let word = Word {
        of: row.id,
        kind: kind.to_owned(),
        title: title.to_owned(),
        body: format!("“{}”：{text}", row.title),
        about: row.id,
        dedupe_key: format!("{kind}:{}:{}", row.id, state.clock.now().timestamp_micros()),
        after: None,
    };
    telling::tell(state, txn, &people_of(&row), word).await?;
    if first || how != Answer::Word {
        publish(state, txn, &row, how, text).await?;
    }
    Ok(row)
}

/// One notice of a kind about a need. What its author wrote can be hidden one day and a notice cannot: it holds the answer only.
async fn publish(
    state: &AppState,
    txn: &DatabaseTransaction,
    row: &need::Model,
    how: Answer,
    text: &str,
) -> Result<(), Problem> {
    let (kind, title) = how.words();
    let category = domain::services::title(row.category);
    let notice = Notice {
        community_id: row.community_id,
        kind,
        title: format!("{title}（{category}）"),
        body: format!("附议 {} 人。答复：{text}", row.support_count),
        subject: Some(target_of(row.id)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await.map(drop)
}

fn target_of(id: NeedId) -> (&'static str, Uuid) {
    (moderated::KIND, id.0)
}

/// Takes a need back, as whoever it is of: before anybody has taken it up.
pub(in crate::needs) async fn withdraw(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: NeedId,
) -> Result<need::Model, Problem> {
    let row = locked(txn, actor, id).await?;
    // Whoever recorded it may do so only where nobody else can.
    if row.author_id.or(row.recorder_id) != Some(actor.user_id) {
        return Err(Code::Forbidden.into());
    }
    if !domain::WITHDRAWABLE.contains(&row.state) {
        return Err(Code::NeedTaken.into());
    }
    take_back(state, txn, actor, row, NeedEventKind::Withdrawn).await
}

async fn take_back(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    row: need::Model,
    kind: NeedEventKind,
) -> Result<need::Model, Problem> {
    let changed = need::Entity::update_many()
        .col_expr(need::Column::State, NeedState::Withdrawn.into())
        .filter(need::Column::Id.eq(row.id))
        .filter(need::Column::State.eq(row.state))
        .exec_with_returning(txn)
        .await?;
    let row = changed.into_iter().next().ok_or(Code::NeedTaken)?;
    similar::refresh(state, txn, &row).await?;
    let pictures = need_file::Entity::find().filter(need_file::Column::NeedId.eq(row.id)).all(txn).await?;
    let pictures: Vec<_> = pictures.into_iter().map(|picture| picture.file_id).collect();
    files::show(txn, &pictures, false).await?;
    note(state, txn, [row.id], kind, (None, None), Some(actor.user_id)).await?;
    if row.published_at.is_some() {
        let word = Word {
            of: row.id,
            kind: "need.withdrawn".to_owned(),
            title: "您附议的需求已撤回".to_owned(),
            body: format!("“{}”由提出人撤回", row.title),
            about: row.id,
            dedupe_key: format!("need.withdrawn:{}", row.id),
            after: None,
        };
        telling::tell(state, txn, &[], word).await?;
    }
    Ok(row)
}

/// Says that a need that somebody recorded in one's name is not one's own: it is taken back, or, where a topic or a project has
/// taken it up, it stands without the name.
pub(in crate::needs) async fn dispute(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: NeedId,
    reason: &str,
) -> Result<need::Model, Problem> {
    let row = locked(txn, actor, id).await?;
    let recorder = row.recorder_id.filter(|_| row.author_id == Some(actor.user_id)).ok_or(Code::Forbidden)?;
    let disputed = need::Entity::update_many()
        .col_expr(need::Column::Dispute, reason.into())
        .col_expr(need::Column::DisputedAt, state.clock.now().into())
        .col_expr(need::Column::Anonymous, true.into())
        .filter(need::Column::Id.eq(id))
        .filter(need::Column::DisputedAt.is_null())
        .exec_with_returning(txn)
        .await?;
    let row = disputed.into_iter().next().ok_or(Code::AlreadyDecided)?;
    let detail = json!({ "recorder_id": recorder });
    let target = target_of(id);
    audit::record(state, txn, Some(actor.user_id), "need.dispute", target, Some(row.place_id), detail).await?;
    let message = Message {
        kind: "need.disputed",
        title: "代记的需求被提出异议".to_owned(),
        body: format!("“{}”：{reason}", row.title),
        target: Some(target),
        dedupe_key: format!("need.disputed:{id}"),
        template: Template::Need,
    };
    notifications::tell(state, txn, recorder, &message).await?;
    if domain::WITHDRAWABLE.contains(&row.state) {
        return take_back(state, txn, actor, row, NeedEventKind::Disputed).await;
    }
    note(state, txn, [id], NeedEventKind::Disputed, (None, None), Some(actor.user_id)).await?;
    Ok(row)
}

/// Tells the street, once a need, that an answer is overdue.
pub(in crate::needs) async fn escalate(state: AppState) -> Result<(), JobError> {
    let now = state.clock.now();
    let overdue =
        overdue(now).filter(need::Column::EscalatedAt.is_null()).order_by_asc(need::Column::DueAt).limit(A_RUN);
    for row in overdue.all(state.db.read()).await? {
        transact(&state, async |txn| {
            // The condition makes it once, however many processes run.
            let told = need::Entity::update_many()
                .col_expr(need::Column::EscalatedAt, now.into())
                .filter(need::Column::Id.eq(row.id))
                .filter(need::Column::EscalatedAt.is_null())
                .filter(need::Column::AnsweredAt.is_null())
                .exec(txn)
                .await?;
            if told.rows_affected == 0 {
                return Ok(());
            }
            note(&state, txn, [row.id], NeedEventKind::Escalated, (None, None), None).await?;
            let street = identity::holders(txn, Role::StreetStaff, &row.place_path, now).await?;
            let street: Vec<_> = street.into_iter().map(|holder| holder.user_id).collect();
            if street.is_empty() {
                return Ok(());
            }
            let message = Message {
                kind: "need.overdue",
                title: "需求逾期未答复".to_owned(),
                body: format!("“{}”附议 {} 人，已过答复期限", row.title, row.support_count),
                target: Some(target_of(row.id)),
                dedupe_key: format!("need.overdue:{}", row.id),
                template: Template::Need,
            };
            notifications::tell_all(&state, txn, &street, &message).await
        })
        .await?;
    }
    Ok(())
}

/// Published needs whose answer is overdue.
pub(in crate::needs) fn overdue(now: DateTime<Utc>) -> sea_orm::Select<need::Entity> {
    need::Entity::find()
        .filter(need::Column::DueAt.lt(now))
        .filter(need::Column::AnsweredAt.is_null())
        .filter(need::Column::Hidden.eq(false))
        .filter(need::Column::State.is_in(domain::SETTLEABLE))
}
