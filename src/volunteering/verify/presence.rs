/// Records, corrections and uploads agree with the sign-ups, the notices and the ledger.
pub(super) const RULES: &[(&str, &str)] = &[
    (
        "credited sign-up {} has no record, or one that says otherwise",
        "SELECT u.id FROM signups u LEFT JOIN service_records r ON r.signup_id = u.id WHERE u.state = 'credited' \
         AND (r.signup_id IS NULL OR r.minutes <> u.minutes OR r.user_id <> u.user_id OR r.shift_id <> u.shift_id \
         OR r.community_id <> u.community_id OR r.recorded_by <> u.confirmed_by)",
    ),
    (
        "sign-up {} has a record and is not credited",
        "SELECT u.id FROM service_records r JOIN signups u ON u.id = r.signup_id WHERE u.state <> 'credited'",
    ),
    (
        // Of what was confirmed before there were records, the batch is the sign-up itself.
        "confirmation {} was not made public",
        "SELECT DISTINCT r.batch_id AS id FROM service_records r WHERE r.batch_id <> r.signup_id AND NOT EXISTS \
         (SELECT 1 FROM notices n WHERE n.kind = 'volunteering.hours' AND n.subject_id = r.batch_id)",
    ),
    (
        "correction {} does not begin with the figure before it",
        "SELECT c.id FROM service_corrections c JOIN service_records r ON r.signup_id = c.signup_id \
         LEFT JOIN service_corrections p ON p.signup_id = c.signup_id AND p.seq = c.seq - 1 \
         WHERE c.minutes_before <> COALESCE(p.minutes, r.minutes) OR (c.seq > 0 AND p.id IS NULL) \
         OR c.recorded_by <> r.recorded_by OR c.user_id <> r.user_id OR c.community_id <> r.community_id",
    ),
    (
        "correction {} was not made public",
        "SELECT c.id FROM service_corrections c WHERE NOT EXISTS \
         (SELECT 1 FROM notices n WHERE n.kind = 'volunteering.correction' AND n.subject_id = c.id)",
    ),
    (
        "correction {} was not awarded exactly its points once",
        "SELECT c.id FROM service_corrections c LEFT JOIN ledger_transactions x ON x.source_id = c.id \
         AND x.source_kind = 'service_correction' AND x.kind = 'award' \
         LEFT JOIN ledger_transfers t ON t.transaction_id = x.id GROUP BY c.id, c.points \
         HAVING COALESCE(SUM(t.amount), 0) <> c.points",
    ),
    (
        "sign-up {} has another time than the upload that changed it",
        "SELECT u.id FROM offline_check_ins o JOIN signups u ON u.id = o.signup_id WHERE o.user_id <> u.user_id \
         OR (o.applied AND o.step = 'in' AND u.checked_in_at <> o.at) \
         OR (o.applied AND o.step = 'out' AND u.checked_out_at <> o.at)",
    ),
];
