//! `linli verify`: recounts every closed poll and compares rolls, participations and ballots.

use entities::polls::{PollState, poll};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Statement,
};
use uuid::Uuid;

use super::count::Count;
use super::service::{options_of, recount};
use crate::platform::state::AppState;

const PAGE: u64 = 100;

/// Each statement lists polls that break a rule; one statement sees one state, whatever is voted meanwhile.
const RULES: [(&str, &str); 6] = [
    (
        "its electorate is not the number of its electors",
        "SELECT p.id FROM polls p WHERE COALESCE(p.electorate, 0) \
         <> (SELECT count(*) FROM poll_electors e WHERE e.poll_id = p.id)",
    ),
    (
        "it has not as many ballots as participations",
        "SELECT p.id FROM polls p WHERE (SELECT count(*) FROM poll_participations t WHERE t.poll_id = p.id) \
         <> (SELECT count(*) FROM poll_ballots b WHERE b.poll_id = p.id)",
    ),
    (
        "somebody took part who is not on its roll",
        "SELECT DISTINCT t.poll_id FROM poll_participations t LEFT JOIN poll_electors e \
         ON e.poll_id = t.poll_id AND e.user_id = t.user_id WHERE e.user_id IS NULL",
    ),
    (
        "a ballot names a person although it is secret, or names none although it is not",
        "SELECT DISTINCT p.id FROM poll_ballots b JOIN polls p ON p.id = b.poll_id WHERE (b.user_id IS NULL) <> p.secret",
    ),
    (
        "a ballot names somebody who did not take part",
        "SELECT DISTINCT b.poll_id FROM poll_ballots b LEFT JOIN poll_participations t \
         ON t.poll_id = b.poll_id AND t.user_id = b.user_id WHERE b.user_id IS NOT NULL AND t.user_id IS NULL",
    ),
    (
        "it is closed and its result is not on the board",
        "SELECT p.id FROM polls p LEFT JOIN notices n ON n.kind = 'poll.result' AND n.subject_kind = 'poll' \
         AND n.subject_id = p.id WHERE p.state = 'closed' AND n.id IS NULL",
    ),
];

pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let db = state.db.read();
    let mut findings = Vec::new();
    for (finding, statement) in RULES {
        let statement = Statement::from_string(db.get_database_backend(), format!("{statement} LIMIT 20"));
        for row in db.query_all_raw(statement).await? {
            findings.push(format!("poll {}: {finding}", row.try_get_by_index::<Uuid>(0)?));
        }
    }
    let mut after = None;
    loop {
        let mut closed = poll::Entity::find()
            .filter(poll::Column::State.eq(PollState::Closed))
            .order_by_asc(poll::Column::Id)
            .limit(PAGE);
        if let Some(after) = after {
            closed = closed.filter(poll::Column::Id.gt(after));
        }
        let closed = closed.all(db).await?;
        let Some(last) = closed.last() else { break };
        after = Some(last.id);
        for poll in &closed {
            findings.extend(recheck(db, poll).await?);
        }
    }
    Ok(findings)
}

async fn recheck(db: &DatabaseConnection, poll: &poll::Model) -> Result<Option<String>, DbErr> {
    let options = options_of(db, [poll.id]).await?;
    let stored: Option<Count> = poll.result.clone().and_then(|result| serde_json::from_value(result).ok());
    Ok(match recount(db, poll, &options).await? {
        Err(mistake) => Some(format!("poll {}: a ballot is invalid at {}", poll.id, mistake.pointer)),
        Ok(count) if Some(&count) != stored.as_ref() || Some(count.ballots) != poll.ballots => {
            Some(format!("poll {}: its result is not what its ballots say", poll.id))
        }
        Ok(_) => None,
    })
}
