use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{NaiveDate, TimeDelta};
use entities::ids::PlaceId;
use entities::notices::day;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, FromQueryResult, Statement};

use crate::notices::domain::head_message;
use crate::platform::calendar;
use crate::platform::crypto::Purpose;
use crate::platform::http::transact;
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;

/// A server that stood still makes up for so many days.
const DAYS: i64 = 31;
/// So many boards in one transaction.
const BATCH: u64 = 500;
/// A day is signed when it has been over so long that whatever a request did in it has been committed.
const SETTLED: TimeDelta = TimeDelta::minutes(10);

/// Where a board stood.
#[derive(FromQueryResult)]
struct Stood {
    place_id: PlaceId,
    seq: i64,
    hash: String,
}

/// The schedule: signs, for each day that is over and each board, the last notice of the day or before. A second time, and
/// beside another process, it finds nothing left to sign.
pub(in crate::notices) async fn sign_days(state: &AppState) -> Result<(), JobError> {
    let newest = calendar::day(state.clock.now() - SETTLED) - TimeDelta::days(1);
    for back in (0..DAYS).rev() {
        let day = newest - TimeDelta::days(back);
        loop {
            let boards = unsigned(state, day).await?;
            if boards.is_empty() {
                break;
            }
            sign(state, day, boards).await?;
        }
    }
    Ok(())
}

/// Boards whose day is not signed, with where they stood at its end.
async fn unsigned(state: &AppState, day: NaiveDate) -> Result<Vec<Stood>, DbErr> {
    const UNSIGNED: &str = "SELECT h.community_id AS place_id, n.seq, n.hash FROM notice_heads h \
        JOIN notices n ON n.community_id = h.community_id AND n.seq = (SELECT x.seq FROM notices x \
            WHERE x.community_id = h.community_id AND x.published_at < $1 ORDER BY x.seq DESC LIMIT 1) \
        WHERE NOT EXISTS (SELECT 1 FROM notice_days d WHERE d.place_id = h.community_id AND d.day = $2) \
        ORDER BY h.community_id LIMIT $3";
    let connection = state.db.read();
    let values = [
        calendar::midnight(day + TimeDelta::days(1)).into(),
        day.to_string().into(),
        i64::try_from(BATCH).unwrap_or(i64::MAX).into(),
    ];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), UNSIGNED, values);
    Stood::find_by_statement(statement).all(connection).await
}

async fn sign(state: &AppState, day: NaiveDate, boards: Vec<Stood>) -> Result<(), JobError> {
    let public_key = STANDARD.encode(state.keys.public_key(Purpose::NoticeHead));
    let day = day.to_string();
    let rows = boards.into_iter().map(|Stood { place_id, seq, hash }| {
        let message = head_message(place_id, &day, seq, &hash);
        day::ActiveModel {
            place_id: Set(place_id),
            day: Set(day.clone()),
            seq: Set(seq),
            hash: Set(hash),
            public_key: Set(public_key.clone()),
            signature: Set(STANDARD.encode(state.keys.sign_publicly(Purpose::NoticeHead, message.as_bytes()))),
            signed_at: Set(state.clock.now()),
        }
    });
    let rows: Vec<_> = rows.collect();
    transact(state, async |txn| {
        let once = OnConflict::columns([day::Column::PlaceId, day::Column::Day]).do_nothing().to_owned();
        day::Entity::insert_many(rows).on_conflict(once).exec_without_returning(txn).await?;
        Ok(())
    })
    .await?;
    Ok(())
}
