//! `linli verify`: what must hold of surveys in a live database.

/// See [`crate::platform::db::Db::audit`].
pub(super) const RULES: [(&str, &str); 6] = [
    (
        "survey {} has not as many responses as people marked as having answered",
        "SELECT s.id FROM surveys s WHERE \
         (SELECT count(*) FROM survey_responses r WHERE r.survey_id = s.id) <> \
         (SELECT count(*) FROM survey_audience a WHERE a.survey_id = s.id AND a.answered)",
    ),
    (
        "survey {} has a response by somebody who was not asked or is not marked as having answered",
        "SELECT DISTINCT r.survey_id AS id FROM survey_responses r WHERE r.user_id IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM survey_audience a WHERE a.survey_id = r.survey_id AND a.user_id = r.user_id AND a.answered)",
    ),
    (
        "survey {} is anonymous and has a named response, or is not and has an anonymous one",
        "SELECT DISTINCT s.id FROM surveys s JOIN survey_responses r ON r.survey_id = s.id \
         WHERE s.anonymous <> (r.user_id IS NULL)",
    ),
    (
        "survey {} is a draft and was pushed",
        "SELECT s.id FROM surveys s WHERE s.state = 'draft' \
         AND EXISTS (SELECT 1 FROM survey_pushes p WHERE p.survey_id = s.id)",
    ),
    (
        "survey {} was pushed to a building outside its place",
        "SELECT DISTINCT s.id FROM surveys s JOIN survey_audience a ON a.survey_id = s.id \
         JOIN places b ON b.id = a.building_id WHERE substr(b.path, 1, length(s.place_path)) <> s.place_path",
    ),
    (
        "survey {} has a push that reached fewer people than it added",
        "SELECT p.survey_id AS id FROM survey_pushes p WHERE p.audience < \
         (SELECT count(*) FROM survey_audience a WHERE a.survey_id = p.survey_id AND a.push_id = p.id)",
    ),
];
