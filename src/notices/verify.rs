//! `linli verify`: every board's chain, recomputed page by page; windows, objections and what replies commit to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use entities::ids::PlaceId;
use entities::notices::{ObjectionState, head, notice, objection};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};

use super::domain::{GENESIS, Link, commitment, head_message, objection_document};
use crate::platform::crypto::{Purpose, is_signed};
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
    days(state, db, &mut findings).await?;
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
    for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), beyond)).await? {
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

/// A signed day beside what stands in the chain.
#[derive(FromQueryResult)]
struct Signed {
    place_id: PlaceId,
    day: String,
    seq: i64,
    hash: String,
    public_key: String,
    signature: String,
    chained: Option<String>,
}

impl Signed {
    fn is_good(&self, key: &[u8; 32]) -> bool {
        let message = head_message(self.place_id, &self.day, self.seq, &self.hash);
        let signature = STANDARD.decode(&self.signature).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        self.public_key == STANDARD.encode(key)
            && signature.is_some_and(|signature| is_signed(key, message.as_bytes(), &signature))
    }
}

/// Every signed day: by the server's key, and what it says of the chain is still so.
async fn days(state: &AppState, db: &DatabaseConnection, findings: &mut Vec<String>) -> Result<(), DbErr> {
    const PAGE_OF_DAYS: &str = "SELECT d.place_id, d.day, d.seq, d.hash, d.public_key, d.signature, n.hash AS chained \
        FROM notice_days d LEFT JOIN notices n ON n.community_id = d.place_id AND n.seq = d.seq \
        WHERE (d.place_id, d.day) > ($1, $2) ORDER BY d.place_id, d.day LIMIT 500";
    let key = state.keys.public_key(Purpose::NoticeHead);
    let mut after = (PlaceId(uuid::Uuid::nil()), String::new());
    loop {
        let values = [after.0.into(), after.1.clone().into()];
        let statement = Statement::from_sql_and_values(db.get_database_backend(), PAGE_OF_DAYS, values);
        let rows = Signed::find_by_statement(statement).all(db).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = (last.place_id, last.day.clone());
        for row in &rows {
            let (place, day) = (row.place_id, &row.day);
            if !row.is_good(&key) {
                findings.push(format!("the signature of {day} of board {place} is not the server's"));
            }
            if row.chained.as_ref() != Some(&row.hash) {
                findings
                    .push(format!("board {place} is not what was signed on {day}: its notice {} is another", row.seq));
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
