//! The rules, asked of a live database.

mod participants;
mod presence;

use entities::ids::SignupId;
use entities::volunteering::signup;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    Statement,
};
use uuid::Uuid;

use crate::platform::state::AppState;
use crate::volunteering::SignupState;
use crate::volunteering::domain::Span;

const SEATS: &str = "SELECT s.id AS a, s.id AS b FROM shifts s LEFT JOIN signups u ON u.shift_id = s.id \
    AND u.state NOT IN ('waitlisted', 'cancelled') GROUP BY s.id, s.taken, s.capacity \
    HAVING s.taken <> COUNT(u.id) OR s.taken > s.capacity";

const FREE_SEAT: &str = "SELECT u.shift_id AS a, u.id AS b FROM signups u JOIN shifts s ON s.id = u.shift_id \
    WHERE u.state = 'waitlisted' AND s.taken < s.capacity";

const OVERLAPS: &str = "SELECT one.id AS a, two.id AS b FROM signups one JOIN signups two ON two.user_id = one.user_id \
    AND two.id > one.id AND two.starts_at < one.ends_at AND one.starts_at < two.ends_at \
    WHERE one.state NOT IN ('cancelled', 'no_show', 'excused') \
    AND two.state NOT IN ('cancelled', 'no_show', 'excused')";

const TIMES: &str = "SELECT u.id AS a, u.shift_id AS b FROM signups u JOIN shifts s ON s.id = u.shift_id \
    WHERE u.starts_at <> s.starts_at OR u.ends_at <> s.ends_at OR u.offer_expires_at > s.starts_at";

const AWARDS: &str = "SELECT u.id AS a, u.user_id AS b FROM signups u LEFT JOIN ledger_transactions x \
    ON x.source_id = u.id AND x.source_kind = 'signup' AND x.kind = 'award' \
    LEFT JOIN ledger_transfers t ON t.transaction_id = x.id GROUP BY u.id, u.user_id, u.points \
    HAVING COALESCE(SUM(t.amount), 0) <> COALESCE(u.points, 0) \
    OR (COUNT(x.id) = 0) <> (COALESCE(u.points, 0) = 0)";

/// Each finding is a sentence.
pub(in crate::volunteering) async fn findings(state: &AppState) -> Result<Vec<String>, DbErr> {
    let connection = state.db.read();
    let mut findings = Vec::new();
    for (query, sentence) in [
        (SEATS, "shift {a} counts other seats than its sign-ups take, or more than it has"),
        (FREE_SEAT, "shift {a} has a free seat while sign-up {b} waits"),
        (OVERLAPS, "sign-ups {a} and {b} of one person overlap"),
        (TIMES, "sign-up {a} has other times than its shift {b}, or an offer beyond its beginning"),
        (AWARDS, "sign-up {a} of {b} was not awarded exactly its points"),
    ] {
        for (a, b) in pairs(connection, query).await? {
            findings.push(sentence.replace("{a}", &a.to_string()).replace("{b}", &b.to_string()));
        }
    }
    findings.extend(minutes(connection).await?);
    findings.extend(state.db.audit(presence::RULES).await?);
    findings.extend(state.db.audit(participants::RULES).await?);
    findings.extend(state.db.audit(super::rules::RULES).await?);
    Ok(findings)
}

#[derive(FromQueryResult)]
struct Pair {
    a: Uuid,
    b: Uuid,
}

async fn pairs(connection: &DatabaseConnection, query: &str) -> Result<Vec<(Uuid, Uuid)>, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), query);
    let rows = Pair::find_by_statement(statement).all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.a, row.b)).collect())
}

/// Credited minutes are those that the recorded presence gives.
async fn minutes(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    const STEP: u64 = 1000;
    let mut findings = Vec::new();
    let mut after = SignupId(Uuid::nil());
    loop {
        let rows = signup::Entity::find()
            .filter(signup::Column::State.eq(SignupState::Credited))
            .filter(signup::Column::Id.gt(after))
            .order_by_asc(signup::Column::Id)
            .limit(STEP)
            .all(connection)
            .await?;
        let Some(last) = rows.last() else { return Ok(findings) };
        after = last.id;
        for row in &rows {
            let shift = Span { from: row.starts_at, to: row.ends_at };
            let presence = row.checked_in_at.zip(row.checked_out_at).map(|(from, to)| Span { from, to });
            if presence.map(|presence| presence.common_minutes(shift)) != row.minutes {
                findings.push(format!("sign-up {} is credited with other minutes than its presence gives", row.id));
            }
        }
    }
}
