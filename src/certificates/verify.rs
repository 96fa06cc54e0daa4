//! The rules, asked of a live database.

use entities::certificates::{CertificateState, certificate};
use entities::ids::CertificateId;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::service::issuing;
use crate::platform::state::AppState;

const RULES: &[(&str, &str)] = &[
    (
        "community {} has given other numbers to certificates than there are, or left some out",
        "SELECT n.community_id AS id FROM certificate_numbers n LEFT JOIN certificates c ON c.community_id = n.community_id \
         AND c.year = n.year WHERE n.kind = 'certificate' GROUP BY n.community_id, n.year, n.last \
         HAVING COUNT(c.id) <> n.last OR MAX(c.seq) <> n.last OR MIN(c.seq) <> 1",
    ),
    (
        "community {} has given other numbers to volunteers than there are",
        "SELECT n.community_id AS id FROM certificate_numbers n LEFT JOIN volunteer_numbers v \
         ON v.community_id = n.community_id WHERE n.kind = 'volunteer' GROUP BY n.community_id, n.last \
         HAVING COUNT(v.user_id) <> n.last",
    ),
    (
        "certificate {} was not made public",
        "SELECT c.id FROM certificates c WHERE c.state IN ('issued', 'revoked') AND NOT EXISTS \
         (SELECT 1 FROM notices n WHERE n.kind = 'certificate.issued' AND n.subject_id = c.id)",
    ),
    (
        "the revocation of certificate {} was not made public",
        "SELECT c.id FROM certificates c WHERE c.state = 'revoked' AND NOT EXISTS \
         (SELECT 1 FROM notices n WHERE n.kind = 'certificate.revoked' AND n.subject_id = c.id)",
    ),
    (
        "volunteer {} has a profile and no number",
        "SELECT p.user_id AS id FROM volunteer_profiles p LEFT JOIN volunteer_numbers v ON v.user_id = p.user_id \
         WHERE v.user_id IS NULL",
    ),
];

/// Each finding is a sentence.
pub(super) async fn findings(state: &AppState) -> Result<Vec<String>, DbErr> {
    const STEP: u64 = 500;
    let mut findings = state.db.audit(RULES).await?;
    let mut after = CertificateId(Uuid::nil());
    loop {
        let rows = certificate::Entity::find()
            .filter(certificate::Column::State.is_in([CertificateState::Issued, CertificateState::Revoked]))
            .filter(certificate::Column::Id.gt(after))
            .order_by_asc(certificate::Column::Id)
            .limit(STEP)
            .all(state.db.read())
            .await?;
        let Some(last) = rows.last() else { return Ok(findings) };
        after = last.id;
        findings.extend(
            rows.iter().filter(|row| !agrees(state, row)).map(|row| {
                format!("certificate {} cannot be read, or says otherwise than what is shown of it", row.id)
            }),
        );
    }
}

/// What is shown of a certificate is what it says.
fn agrees(state: &AppState, row: &certificate::Model) -> bool {
    issuing::said(state, row).is_ok_and(|content| {
        row.serial.as_ref() == Some(&content.serial)
            && row.code.as_ref() == Some(&content.code)
            && row.issuer.as_ref() == Some(&content.issuer)
            && row.minutes == Some(content.minutes)
            && content.minutes == content.entries.iter().map(|entry| entry.minutes).sum::<i64>()
    })
}
