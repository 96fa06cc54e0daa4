/// Places, waiting lists and attendance agree.
pub(super) const RULES: &[(&str, &str)] = &[
    (
        "session {} counts other places than are enrolled, or more than it has",
        "SELECT s.id FROM sessions s LEFT JOIN enrolments e ON e.session_id = s.id AND e.state = 'enrolled' \
         GROUP BY s.id, s.enrolled, s.capacity HAVING s.enrolled <> COUNT(e.id) OR s.enrolled > s.capacity",
    ),
    (
        "session {} has a free place while somebody waits",
        "SELECT s.id FROM sessions s WHERE s.enrolled < s.capacity AND EXISTS \
         (SELECT 1 FROM enrolments e WHERE e.session_id = s.id AND e.state = 'waiting')",
    ),
    (
        "attendance {} names another activity than its session, or counts in another's group",
        "SELECT a.id FROM attendances a JOIN sessions s ON s.id = a.session_id \
         LEFT JOIN attendance_groups g ON g.attendance_id = a.id \
         WHERE a.activity_id <> s.activity_id OR g.activity_id <> a.activity_id",
    ),
];
