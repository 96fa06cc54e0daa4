use chrono::{DateTime, Utc};
use entities::ids::{NoticeId, PlaceId};
use entities::notices::{head, notice, window};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait, QuerySelect};
use uuid::Uuid;

use crate::notices::domain::{GENESIS, Link};
use crate::places::{self, Place};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Something to make public. What has no window and no commitment ends its literal with `..Notice::default()`.
#[derive(Clone, Debug)]
pub struct Notice<'a> {
    /// Whose board: a community's, or a street's or district's for what is theirs.
    pub community_id: PlaceId,
    /// What happened, as `capability.event`.
    pub kind: &'a str,
    /// One line, Chinese.
    pub title: String,
    /// The rest, Chinese, without personal data.
    pub body: String,
    /// What it is about; there is at most one notice of a kind about one thing.
    pub subject: Option<(&'a str, Uuid)>,
    /// People may object until then; ask [`standing`](super::standing) before what it says takes effect.
    pub window: Option<DateTime<Utc>>,
    /// Stands for a document that stays private; see [`commitment`](crate::notices::domain::commitment).
    pub commitment: Option<String>,
}

impl Default for Notice<'_> {
    /// Nobody's: a notice without a board is refused by the database.
    fn default() -> Self {
        let community_id = PlaceId(Uuid::nil());
        Self {
            community_id,
            kind: "",
            title: String::new(),
            body: String::new(),
            subject: None,
            window: None,
            commitment: None,
        }
    }
}

/// Adds a notice to its board's chain, in the caller's transaction.
pub async fn publish(state: &AppState, txn: &DatabaseTransaction, notice: Notice<'_>) -> Result<NoticeId, Problem> {
    append(state, txn, notice, None).await
}

/// [`publish`], for a correction too.
async fn append(
    state: &AppState,
    txn: &DatabaseTransaction,
    notice: Notice<'_>,
    corrects_id: Option<NoticeId>,
) -> Result<NoticeId, Problem> {
    let community_id = notice.community_id;
    let first = head::ActiveModel { community_id: Set(community_id), seq: Set(0), hash: Set(GENESIS.to_owned()) };
    let nothing = OnConflict::column(head::Column::CommunityId).do_nothing().to_owned();
    head::Entity::insert(first).on_conflict(nothing).exec_without_returning(txn).await?;
    // The lock makes a board's notices come one after the other.
    let head = head::Entity::find_by_id(community_id).lock_exclusive().one(txn).await?.ok_or(Code::Internal)?;

    let published_at = state.clock.now();
    let (subject_kind, subject_id) = notice.subject.unzip();
    let link = Link {
        community_id,
        seq: head.seq + 1,
        kind: notice.kind,
        title: &notice.title,
        body: &notice.body,
        subject_kind,
        subject_id,
        published_at,
        objections_until: notice.window,
        corrects_id,
        commitment: notice.commitment.as_deref(),
        prev_hash: &head.hash,
    };
    let (id, seq, hash, version): (NoticeId, _, _, _) =
        (ids::ordered(&state.clock), link.seq, link.hash(), link.version());
    let row = notice::ActiveModel {
        id: Set(id),
        community_id: Set(community_id),
        seq: Set(seq),
        kind: Set(notice.kind.to_owned()),
        title: Set(notice.title),
        body: Set(notice.body),
        subject_kind: Set(subject_kind.map(str::to_owned)),
        subject_id: Set(subject_id),
        published_at: Set(published_at),
        prev_hash: Set(head.hash),
        hash: Set(hash.clone()),
        objections_until: Set(notice.window),
        corrects_id: Set(corrects_id),
        commitment: Set(notice.commitment),
        version: Set(version),
    };
    notice::Entity::insert(row).exec_without_returning(txn).await?;
    head::ActiveModel { community_id: Set(community_id), seq: Set(seq), hash: Set(hash) }.update(txn).await?;
    if let Some(until) = notice.window {
        let row = window::ActiveModel {
            notice_id: Set(id),
            place_id: Set(community_id),
            place_path: Set(places::find(txn, community_id).await?.path),
            opened_at: Set(published_at),
            objections_until: Set(until),
            closed_at: Set(None),
        };
        window::Entity::insert(row).exec_without_returning(txn).await?;
    }
    Ok(id)
}

/// The notice and the place whose board it stands on, or 404.
pub(in crate::notices) async fn board_of(
    connection: &impl ConnectionTrait,
    id: NoticeId,
) -> Result<(notice::Model, Place), Problem> {
    let row = notice::Entity::find_by_id(id).one(connection).await?.ok_or(Code::NotFound)?;
    let place = places::find(connection, row.community_id).await?;
    Ok((row, place))
}
