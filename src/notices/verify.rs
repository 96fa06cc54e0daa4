//! `linli verify`: every board's chain, recomputed page by page; windows, objections and what replies commit to.

use entities::ids::PlaceId;
use entities::notices::{ObjectionState, head, notice, objection};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::domain::{GENESIS, Link, commitment, objection_document};
use crate::platform::state::AppState;

const PAGE: u64 = 500;

const RULES: &[(&str, &str)] = &[
    (
        "notice {} and its window say different things",
        "SELECT n.id FROM notices n JOIN places p ON p.id = n.community_id LEFT JOIN notice_windows w ON w.notice_id = n.id \
         WHERE (n.objections_until IS NULL) <> (w.notice_id IS NULL) OR w.objections_until <> n.objections_until \
         OR w.place_id <> n.community_id OR w.place_path <> p.path OR w.opened_at <> n.published_at",
    ),
    (
        "objection {} was taken when the window was closed",
        "SELECT o.id FROM objections o JOIN notice_windows w ON w.notice_id = o.notice_id \
         WHERE o.created_at >= w.objections_until OR o.created_at >= w.closed_at OR o.place_path <> w.place_path",
    ),
    (
        "objection {} waits for review and nobody is asked to",
        "SELECT o.id FROM objections o WHERE o.published_at IS NULL AND NOT o.hidden AND NOT EXISTS \
         (SELECT 1 FROM moderation_items i WHERE i.target_kind = 'objection' AND i.target_id = o.id AND i.state = 'open')",
    ),
    (
        "objection {} was answered without its notice",
        "SELECT o.id FROM objections o LEFT JOIN notices n ON n.id = o.reply_notice_id WHERE o.state <> 'open' \
         AND (n.id IS NULL OR n.kind <> 'notice.objection_answered' OR n.subject_id <> o.id OR n.commitment IS NULL)",
    ),
];

pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let db = state.db.read();
    let mut findings = state.db.audit(RULES).await?;
    commitments(db, &mut findings).await?;
    let mut after = None;
    loop {
        let mut heads = head::Entity::find().order_by_asc(head::Column::CommunityId).limit(PAGE);
        if let Some(community) = after {
            heads = heads.filter(head::Column::CommunityId.gt(community));
        }
        let heads = heads.all(db).await?;
        let Some(last) = heads.last() else { break };
        after = Some(last.community_id);
        for head in &heads {
            chain(db, head, &mut findings).await?;
        }
    }
    // One statement sees one state, whatever is published meanwhile.
    let beyond = "SELECT n.id, n.community_id FROM notices n LEFT JOIN notice_heads h ON h.community_id = n.community_id \
                  WHERE h.seq IS NULL OR n.seq > h.seq LIMIT 20";
    for row in db.query_all_raw(sea_orm::Statement::from_string(db.get_database_backend(), beyond)).await? {
        let (id, community): (uuid::Uuid, uuid::Uuid) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        findings.push(format!("notice {id} stands beyond the head of community {community}'s chain"));
    }
    Ok(findings)
}

/// What the notice of each reply commits to must be the objection and the reply as they stand.
async fn commitments(db: &DatabaseConnection, findings: &mut Vec<String>) -> Result<(), DbErr> {
    let mut after = None;
    loop {
        let mut rows = objection::Entity::find()
            .filter(objection::Column::State.ne(ObjectionState::Open))
            .order_by_asc(objection::Column::Id)
            .limit(PAGE);
        if let Some(id) = after {
            rows = rows.filter(objection::Column::Id.gt(id));
        }
        let rows = rows.all(db).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.id);
        let of_page = notice::Column::Id.is_in(rows.iter().filter_map(|row| row.reply_notice_id));
        let notices = notice::Entity::find().filter(of_page).all(db).await?;
        for row in &rows {
            let document = objection_document(row.id, &row.text, row.state, row.reply.as_deref().unwrap_or_default());
            let made = commitment(row.salt.as_deref().unwrap_or_default(), &document);
            let said = notices.iter().find(|notice| Some(notice.id) == row.reply_notice_id);
            if said.and_then(|notice| notice.commitment.as_ref()) != Some(&made) {
                findings.push(format!("objection {} or its reply is not what the reply's notice commits to", row.id));
            }
        }
    }
}

/// Walks a chain up to the head that was read before: what is published meanwhile is left to the next audit. One finding a
/// chain is enough, since every link after a broken one is broken as well.
async fn chain(db: &DatabaseConnection, head: &head::Model, findings: &mut Vec<String>) -> Result<(), DbErr> {
    let head::Model { community_id, seq: end, .. } = *head;
    let (mut seq, mut hash) = (0, GENESIS.to_owned());
    while seq < end {
        let rows = page(db, community_id, seq, end).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let found = if row.seq != seq + 1 {
                Some("does not follow the one before it: notices are missing")
            } else if row.prev_hash != hash {
                Some("does not carry the hash of the one before it")
            } else if row.hash != link(&row).hash() || row.version != link(&row).version() {
                Some("was changed: its hash is another")
            } else {
                None
            };
            if let Some(found) = found {
                findings.push(format!("notice {} (seq {} of community {community_id}) {found}", row.id, row.seq));
                return Ok(());
            }
            (seq, hash) = (row.seq, row.hash);
        }
    }
    if (seq, &hash) != (end, &head.hash) {
        findings.push(format!("the chain of community {community_id} ends at seq {seq}, its head says {end}"));
    }
    Ok(())
}

async fn page(
    db: &DatabaseConnection,
    community_id: PlaceId,
    after: i64,
    end: i64,
) -> Result<Vec<notice::Model>, DbErr> {
    notice::Entity::find()
        .filter(notice::Column::CommunityId.eq(community_id))
        .filter(notice::Column::Seq.gt(after))
        .filter(notice::Column::Seq.lte(end))
        .order_by_asc(notice::Column::Seq)
        .limit(PAGE)
        .all(db)
        .await
}

fn link(row: &notice::Model) -> Link<'_> {
    Link {
        community_id: row.community_id,
        seq: row.seq,
        kind: &row.kind,
        title: &row.title,
        body: &row.body,
        subject_kind: row.subject_kind.as_deref(),
        subject_id: row.subject_id,
        published_at: row.published_at,
        objections_until: row.objections_until,
        corrects_id: row.corrects_id,
        commitment: row.commitment.as_deref(),
        prev_hash: &row.prev_hash,
    }
}
