//! `linli verify`: bids against what was committed to, awards against one another, contracts against their milestones and books.

use std::collections::HashMap;

use entities::tenders::{BidState, bid};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::domain::commitment;
use super::service::opening::versions_of;
use crate::platform::state::AppState;

const PAGE: u64 = 200;

/// What to say of a row that breaks a rule, and the query for such rows' ids.
const RULES: &[(&str, &str)] = &[
    ("tender {} has weights that are not 100", "
        SELECT t.id FROM tenders t LEFT JOIN tender_criteria c ON c.tender_id = t.id
        GROUP BY t.id, t.price_weight HAVING t.price_weight + COALESCE(SUM(c.weight), 0) <> 100"),
    ("tender {} goes on and its project is elsewhere", "
        SELECT t.id FROM tenders t JOIN projects p ON p.id = t.project_id
        WHERE t.state = 'live' AND p.state NOT IN ('tendering', 'awarding', 'cancelled')"),
    ("tender {} was opened by somebody of a bidder", "
        SELECT t.id FROM tenders t JOIN bids b ON b.tender_id = t.id AND b.organisation_id IS NOT NULL
        JOIN organisation_people p ON p.organisation_id = b.organisation_id AND p.user_id IN (t.opening_asked_by, t.opened_by)
            AND p.since <= t.opened_at AND (p.ended_at IS NULL OR p.ended_at > t.opened_at)"),
    ("tender {} is opened and its record is not on the board", "
        SELECT t.id FROM tenders t LEFT JOIN notices n ON n.kind = 'tender.opened' AND n.subject_kind = 'tender' AND n.subject_id = t.id
        WHERE t.opened_at IS NOT NULL AND n.id IS NULL"),
    ("bid {} can be read and its tender is not opened, or is sealed and it is", "
        SELECT b.id FROM bids b JOIN tenders t ON t.id = b.tender_id
        WHERE b.state <> 'withdrawn' AND (b.state = 'sealed') <> (t.opened_at IS NULL)"),
    ("bid {} came in after the closing", "
        SELECT b.id FROM bids b JOIN tenders t ON t.id = b.tender_id JOIN bid_versions v ON v.bid_id = b.id
        WHERE v.received_at >= t.closes_at"),
    ("bid {} is dearer than its tender allows", "
        SELECT b.id FROM bids b JOIN tenders t ON t.id = b.tender_id WHERE b.state = 'valid' AND b.price_fen > t.ceiling_fen"),
    ("bid {} has not the versions that it counts", "
        SELECT b.id FROM bids b LEFT JOIN bid_versions v ON v.bid_id = b.id
        GROUP BY b.id, b.versions HAVING COUNT(v.version) <> b.versions OR MAX(v.version) <> b.versions"),
    ("bid {} was scored by somebody of a bidder", "
        SELECT s.bid_id AS id FROM tender_scores s JOIN bids b ON b.tender_id = s.tender_id AND b.organisation_id IS NOT NULL
        JOIN organisation_people p ON p.organisation_id = b.organisation_id AND p.user_id = s.scorer_id
            AND p.since <= s.scored_at AND (p.ended_at IS NULL OR p.ended_at > s.scored_at)"),
    ("award {} stands and its project does not say so", "
        SELECT a.id FROM tender_awards a JOIN tenders t ON t.id = a.tender_id JOIN projects p ON p.id = t.project_id
        WHERE a.state = 'standing' AND t.state = 'live' AND p.state NOT IN ('awarding', 'cancelled')"),
    ("award {} was set aside without an objection that was upheld", "
        SELECT a.id FROM tender_awards a WHERE a.state = 'set_aside'
        AND NOT EXISTS (SELECT 1 FROM objections o WHERE o.notice_id = a.notice_id AND o.state = 'upheld')"),
    ("contract {} is not for the organisation that was awarded", "
        SELECT c.id FROM contracts c JOIN tender_awards a ON a.id = c.award_id JOIN bids b ON b.id = a.bid_id
        JOIN tenders t ON t.id = a.tender_id
        WHERE b.organisation_id <> c.organisation_id OR a.state <> 'standing' OR t.project_id <> c.project_id
            OR c.committed_fen <> b.price_fen"),
    ("contract {} has milestones that do not make its price", "
        SELECT c.id FROM contracts c LEFT JOIN milestones m ON m.contract_id = c.id AND m.state <> 'dropped'
        GROUP BY c.id, c.price_fen HAVING COALESCE(SUM(m.amount_fen), 0) <> c.price_fen"),
    ("contract {} has not the versions that it counts", "
        SELECT c.id FROM contracts c LEFT JOIN contract_versions v ON v.contract_id = c.id AND v.state = 'accepted'
        GROUP BY c.id, c.versions HAVING COUNT(v.id) <> c.versions"),
    ("contract {} is signed and somebody else carries its project out", "
        SELECT c.id FROM contracts c LEFT JOIN project_parties y ON y.project_id = c.project_id AND y.part = 'implementer'
        WHERE c.state <> 'drawn' AND (y.organisation_id IS NULL OR y.organisation_id <> c.organisation_id)"),
    ("contract {} holds other money than was committed to it less what was paid", "
        SELECT c.id FROM contracts c LEFT JOIN ledger_accounts f ON f.owner_id = c.id AND f.kind = 'fund'
        WHERE (c.state = 'signed' AND COALESCE(f.posted, 0) <> c.committed_fen
                - COALESCE((SELECT SUM(m.amount_fen) FROM milestones m WHERE m.contract_id = c.id AND m.paid_at IS NOT NULL), 0))
            OR (c.state <> 'signed' AND COALESCE(f.posted, 0) <> 0)"),
    ("milestone {} is paid and the books do not say so, or they do and it is not", "
        SELECT m.id FROM milestones m
        LEFT JOIN ledger_transactions x ON x.source_kind = 'milestone' AND x.source_id = m.id AND x.kind = 'payment'
        LEFT JOIN ledger_transfers t ON t.transaction_id = x.id
        WHERE (m.paid_at IS NULL) <> (x.id IS NULL) OR (x.id IS NOT NULL AND t.amount <> m.amount_fen)"),
];

pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let mut findings = state.db.audit(RULES).await?;
    findings.extend(broken_commitments(state).await?);
    Ok(findings)
}

/// What was opened is what was committed to when it was handed in.
async fn broken_commitments(state: &AppState) -> Result<Vec<String>, DbErr> {
    let db = state.db.read();
    let mut findings = Vec::new();
    let mut after = None;
    loop {
        let mut valid = bid::Entity::find()
            .filter(bid::Column::State.eq(BidState::Valid))
            .order_by_asc(bid::Column::Id)
            .limit(PAGE);
        if let Some(after) = after {
            valid = valid.filter(bid::Column::Id.gt(after));
        }
        let rows = valid.all(db).await?;
        let Some(last) = rows.last() else { return Ok(findings) };
        after = Some(last.id);
        let versions = versions_of(db, rows.iter().map(|row| row.id)).await?;
        let commitments: HashMap<_, _> =
            versions.iter().map(|version| ((version.bid_id, version.version), &version.commitment)).collect();
        for row in &rows {
            let document = row.document.as_deref().zip(row.salt.as_deref());
            let found = document.map(|(document, salt)| commitment(row.tender_id, salt, document));
            if commitments.get(&(row.id, row.versions)).copied() != found.as_ref() {
                findings.push(format!("bid {} is not what was committed to", row.id));
            }
        }
    }
}
