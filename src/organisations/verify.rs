//! `linli verify`: the register, the pool, rooms, courses and rounds.

/// What to say of a row that breaks a rule, and the query for such rows' ids.
pub(super) const RULES: &[(&str, &str)] = &[
    ("project {} has two parties that share a person", "
        SELECT DISTINCT a.project_id AS id FROM project_parties a
        JOIN project_parties b ON b.project_id = a.project_id AND b.part <> a.part
        JOIN organisation_people p ON p.organisation_id = a.organisation_id AND p.ended_at IS NULL
        JOIN organisation_people q ON q.organisation_id = b.organisation_id AND q.ended_at IS NULL AND q.user_id = p.user_id"),
    ("organisation {} stands otherwise than its history says", "
        SELECT o.id FROM organisations o
        JOIN organisation_standings s ON s.organisation_id = o.id
        WHERE NOT EXISTS (SELECT 1 FROM organisation_standings n WHERE n.organisation_id = o.id AND n.at > s.at)
          AND NOT EXISTS (SELECT 1 FROM organisation_standings n WHERE n.organisation_id = o.id AND n.at = s.at
              AND n.state = o.state)
        GROUP BY o.id"),
    ("platform {} is operated by who was never admitted for its place", "
        SELECT p.id FROM platforms p
        LEFT JOIN operator_admissions a ON a.id = p.operator_admission_id AND a.state IN ('admitted', 'removed')
        LEFT JOIN operator_rounds r ON r.id = a.round_id
            AND substr(p.place_path, 1, length(r.place_path)) = r.place_path
        WHERE p.operator_id IS NOT NULL AND r.id IS NULL"),
    ("incubation request {} books a room that another has booked", "
        SELECT a.id FROM incubation_requests a
        JOIN incubation_requests b ON b.room_id = a.room_id AND b.id <> a.id AND b.state IN ('accepted', 'done')
            AND b.starts_at < a.ends_at AND a.starts_at < b.ends_at
        WHERE a.state IN ('accepted', 'done')"),
    ("incubation request {} books a room of another platform", "
        SELECT i.id FROM incubation_requests i JOIN platform_rooms r ON r.id = i.room_id
        WHERE r.platform_id <> i.platform_id"),
    ("course {} counts other seats than are taken", "
        SELECT c.id FROM academy_courses c
        LEFT JOIN academy_enrolments e ON e.course_id = c.id AND e.state <> 'cancelled'
        GROUP BY c.id, c.taken HAVING c.taken <> COUNT(e.id)"),
    ("application {} was decided with fewer than two scores", "
        SELECT a.id FROM talent_applications a LEFT JOIN talent_scores s ON s.application_id = a.id
        WHERE a.state IN ('selected', 'not_selected') GROUP BY a.id HAVING COUNT(s.scorer_id) < 2"),
    ("round {} selected more than it has seats", "
        SELECT r.id FROM talent_rounds r JOIN talent_applications a ON a.round_id = r.id AND a.state = 'selected'
        GROUP BY r.id, r.seats HAVING COUNT(a.id) > r.seats"),
    ("round {} has decided applications and no list", "
        SELECT DISTINCT r.id FROM talent_rounds r JOIN talent_applications a ON a.round_id = r.id
        WHERE r.published_at IS NULL AND a.state IN ('selected', 'not_selected')"),
];
