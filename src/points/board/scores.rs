//! What people earned, by community and period: `points_scores`, from which every board is made.

use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, UserId};
use entities::points::score;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter};

use super::domain::second;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::points::domain::Period;

/// The periods that a moment lies in, in the order in which their rows are locked.
fn periods(at: DateTime<Utc>) -> [String; 4] {
    let mut keys = Period::ALL.map(|period| period.key(calendar::day(at)));
    keys.sort_unstable();
    keys
}

/// Adds points earned at `at` to the scores of its four periods: one statement, in the award's own transaction.
pub(in crate::points) async fn raise(
    txn: &DatabaseTransaction,
    community: PlaceId,
    person: UserId,
    points: i64,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    let rows = periods(at).map(|period| score::ActiveModel {
        community_id: Set(community),
        period: Set(period),
        user_id: Set(person),
        points: Set(points),
        reached_at: Set(second(at)),
        version: Set(1),
        boarded: Set(0),
    });
    // Awards may commit in another order than they were dated in: the score was reached by the latest.
    let later = "CASE WHEN excluded.reached_at > points_scores.reached_at \
                 THEN excluded.reached_at ELSE points_scores.reached_at END";
    let add = OnConflict::columns([score::Column::CommunityId, score::Column::Period, score::Column::UserId])
        .value(score::Column::Points, Expr::cust("points_scores.points + excluded.points"))
        .value(score::Column::ReachedAt, Expr::cust(later))
        .value(score::Column::Version, Expr::cust("points_scores.version + 1"))
        .to_owned();
    score::Entity::insert_many(rows).on_conflict(add).exec_without_returning(txn).await?;
    Ok(())
}

/// Takes points that were earned at `at` from the scores again, when their award is reversed, in the reversal's transaction.
///
/// The moment in which the score was reached stays that of the latest award, reversed or not: so scores are a sum and a
/// maximum, and come out the same in whatever order awards and reversals commit. Who is left with nothing leaves the board.
pub async fn lower_scores(
    txn: &DatabaseTransaction,
    community: PlaceId,
    person: UserId,
    points: i64,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    let rows = score::Entity::update_many()
        .col_expr(score::Column::Points, Expr::col(score::Column::Points).sub(points))
        .col_expr(score::Column::Version, Expr::col(score::Column::Version).add(1))
        .filter(score::Column::CommunityId.eq(community))
        .filter(score::Column::Period.is_in(periods(at)))
        .filter(score::Column::UserId.eq(person))
        .exec(txn)
        .await?
        .rows_affected;
    if rows == 4 { Ok(()) } else { Err(Code::Internal.into()) }
}
