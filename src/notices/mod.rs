//! The notice board 公示栏: public acts of a community, chained by hash.
//!
//! Whoever acts in public calls [`publish`] in the act's own transaction, so that there is no act without its notice and no
//! notice without the act. Each notice carries the hash of the one before it in its community ([`domain::Link`]): a silent
//! edit shows. Rows are only ever added (triggers refuse everything else), and `linli verify` recomputes every chain.
//!
//! What is chained can never be taken back, so that it must hold no personal data.
//!
//! Lock order: `publish` locks the community's `notice_heads` row until the transaction ends. Lock what the act itself needs
//! first, and publish last.

pub mod domain;
mod http;
mod verify;

use entities::ids::{NoticeId, PlaceId};
use entities::notices::{head, notice};
use futures_util::FutureExt;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait, QuerySelect};
use uuid::Uuid;

use crate::platform::capability::Capability;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "notices",
        routes: Some(http::routes),
        verify: Some(|state| verify::run(state).boxed_local()),
        ..Capability::default()
    }
}

/// Something to make public.
#[derive(Clone, Debug)]
pub struct Notice<'a> {
    /// Whose board.
    pub community_id: PlaceId,
    /// What happened, as `capability.event`.
    pub kind: &'a str,
    /// One line, Chinese.
    pub title: String,
    /// The rest, Chinese, without personal data.
    pub body: String,
    /// What it is about; there is at most one notice of a kind about one thing.
    pub subject: Option<(&'a str, Uuid)>,
}

/// Adds a notice to its community's chain, in the caller's transaction.
pub async fn publish(state: &AppState, txn: &DatabaseTransaction, notice: Notice<'_>) -> Result<NoticeId, Problem> {
    let community_id = notice.community_id;
    let first =
        head::ActiveModel { community_id: Set(community_id), seq: Set(0), hash: Set(domain::GENESIS.to_owned()) };
    let nothing = OnConflict::column(head::Column::CommunityId).do_nothing().to_owned();
    head::Entity::insert(first).on_conflict(nothing).exec_without_returning(txn).await?;
    // The lock makes a community's notices come one after the other.
    let head = head::Entity::find_by_id(community_id).lock_exclusive().one(txn).await?.ok_or(Code::Internal)?;

    let seq = head.seq + 1;
    let published_at = state.clock.now();
    let (subject_kind, subject_id) = notice.subject.unzip();
    let hash = domain::Link {
        community_id,
        seq,
        kind: notice.kind,
        title: &notice.title,
        body: &notice.body,
        subject_kind,
        subject_id,
        published_at,
        prev_hash: &head.hash,
    }
    .hash();
    let id: NoticeId = ids::ordered(&state.clock);
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
    };
    notice::Entity::insert(row).exec_without_returning(txn).await?;
    head::ActiveModel { community_id: Set(community_id), seq: Set(seq), hash: Set(hash) }.update(txn).await?;
    Ok(id)
}
