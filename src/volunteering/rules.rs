//! Rules of seats that pass on, of rest and of no-shows, for `linli verify`.

/// See [`crate::platform::db::Db::audit`].
pub(super) const RULES: &[(&str, &str)] = &[
    (
        "sign-up {} begins before the rest after another of the person is over",
        "SELECT two.id FROM signups one JOIN signups two ON two.user_id = one.user_id AND two.id <> one.id \
         AND one.starts_at < two.starts_at AND two.starts_at < one.rests_until \
         WHERE one.state NOT IN ('cancelled', 'no_show', 'excused') AND two.state NOT IN ('cancelled', 'no_show', 'excused')",
    ),
    (
        "swap {} was accepted and a seat did not change hands",
        "SELECT w.id FROM swaps w JOIN signups u ON u.id IN (w.signup_id, w.with_signup_id) \
         WHERE w.state = 'accepted' AND (u.state <> 'cancelled' OR NOT EXISTS (SELECT 1 FROM signups t \
         WHERE t.shift_id = u.shift_id AND t.user_id IN (w.user_id, w.with_user_id) AND t.user_id <> u.user_id AND t.id > u.id))",
    ),
    (
        "stand-in {} was taken and the seat did not change hands",
        "SELECT r.id FROM stand_ins r JOIN signups u ON u.id = r.signup_id WHERE r.state = 'taken' AND (u.state <> 'cancelled' \
         OR NOT EXISTS (SELECT 1 FROM signups t WHERE t.shift_id = r.shift_id AND t.user_id = r.taken_by AND t.id > u.id))",
    ),
    (
        "sign-up {} is a no-show without anybody's word, or the other way round",
        "SELECT u.id FROM signups u LEFT JOIN no_shows n ON n.signup_id = u.id \
         WHERE (u.state = 'no_show') <> (n.signup_id IS NOT NULL AND n.state <> 'excused') \
         OR (u.state = 'excused') <> (n.signup_id IS NOT NULL AND n.state = 'excused')",
    ),
    (
        "suspension {} rests on too few no-shows",
        "SELECT s.id FROM suspensions s WHERE s.lifted_at IS NULL AND (SELECT COUNT(*) FROM no_shows n \
         WHERE n.suspension_id = s.id AND n.user_id = s.user_id AND n.state <> 'excused') < s.no_shows",
    ),
    (
        "shift {} was called off and somebody is signed up",
        "SELECT s.id FROM shifts s JOIN signups u ON u.shift_id = s.id WHERE s.called_off_at IS NOT NULL AND u.state <> 'cancelled'",
    ),
    (
        "shift {} belongs to a team of another community",
        "SELECT s.id FROM shifts s JOIN teams t ON t.id = s.team_id WHERE t.community_id <> s.community_id",
    ),
];
