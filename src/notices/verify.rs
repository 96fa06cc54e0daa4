//! `linli verify`: every community's chain, recomputed page by page.

use entities::ids::PlaceId;
use entities::notices::{head, notice};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::domain::{GENESIS, Link};
use crate::platform::state::AppState;

const PAGE: u64 = 500;

pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let db = state.db.read();
    let mut findings = Vec::new();
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
            } else if row.hash != link(&row).hash() {
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
        prev_hash: &row.prev_hash,
    }
}
