//! `linli verify`: what must hold of surveys in a live database.

use sea_orm::{ConnectionTrait, DbErr, Statement};
use uuid::Uuid;

use crate::platform::state::AppState;

/// What is wrong, and a query for the ids of the surveys of which it holds.
const RULES: [(&str, &str); 6] = [
    (
        "has not as many responses as people marked as having answered",
        "SELECT s.id FROM surveys s WHERE \
         (SELECT count(*) FROM survey_responses r WHERE r.survey_id = s.id) <> \
         (SELECT count(*) FROM survey_audience a WHERE a.survey_id = s.id AND a.answered)",
    ),
    (
        "has a response by somebody who was not asked or is not marked as having answered",
        "SELECT DISTINCT r.survey_id FROM survey_responses r WHERE r.user_id IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM survey_audience a WHERE a.survey_id = r.survey_id AND a.user_id = r.user_id AND a.answered)",
    ),
    (
        "is anonymous and has a named response, or is not and has an anonymous one",
        "SELECT DISTINCT s.id FROM surveys s JOIN survey_responses r ON r.survey_id = s.id \
         WHERE s.anonymous <> (r.user_id IS NULL)",
    ),
    (
        "is a draft and was pushed",
        "SELECT s.id FROM surveys s WHERE s.state = 'draft' \
         AND EXISTS (SELECT 1 FROM survey_pushes p WHERE p.survey_id = s.id)",
    ),
    (
        "was pushed to a building outside its place",
        "SELECT DISTINCT s.id FROM surveys s JOIN survey_audience a ON a.survey_id = s.id \
         JOIN places b ON b.id = a.building_id WHERE substr(b.path, 1, length(s.place_path)) <> s.place_path",
    ),
    (
        "has a push that reached fewer people than it added",
        "SELECT p.survey_id FROM survey_pushes p WHERE p.audience < \
         (SELECT count(*) FROM survey_audience a WHERE a.survey_id = p.survey_id AND a.push_id = p.id)",
    ),
];

pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let db = state.db.read();
    let mut findings = Vec::new();
    for (wrong, sql) in RULES {
        for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await? {
            findings.push(format!("survey {} {wrong}", row.try_get_by_index::<Uuid>(0)?));
        }
    }
    Ok(findings)
}
