//! A leaderboard as one person sees it: one statement, so that all of its parts show the same moment.

use entities::ids::{PlaceId, UserId};
use sea_orm::{FromQueryResult, Statement};
use serde::Serialize;
use utoipa::ToSchema;

use super::domain::{self, Period};
use crate::identity;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// A leaderboard.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Board {
    period: Period,
    /// The first ones.
    items: Vec<Line>,
    /// Oneself; absent for who earned nothing in the period or opted out.
    me: Option<Standing>,
    /// The two before and the two after oneself.
    neighbours: Vec<Line>,
}

/// Somebody on the board.
#[derive(Debug, Serialize, ToSchema)]
struct Line {
    rank: i64,
    /// Masked: `王**`.
    name: String,
    points: i64,
}

/// Where one stands oneself.
#[derive(Debug, Serialize, ToSchema)]
struct Standing {
    rank: i64,
    points: i64,
}

#[derive(FromQueryResult)]
struct Row {
    part: String,
    nickname: String,
    points: i64,
    rank: i64,
}

/// Parts: `first`, `me` and `near`, in the order of the index `points_scores_board`. Only one's own rank is counted from the
/// top, in that index alone: people who opted out are few and have one of their own. The neighbours' ranks are as many
/// steps from it as there are people in between.
const BOARD: &str = "
    WITH listed AS NOT MATERIALIZED (
        SELECT s.user_id, u.nickname, s.points, s.reached_at
        FROM points_scores s JOIN users u ON u.id = s.user_id
        WHERE s.community_id = $1 AND s.period = $2 AND NOT u.board_opt_out
    ),
    me AS MATERIALIZED (
        SELECT l.*,
               1 + (SELECT COUNT(*) FROM points_scores s
                    WHERE s.community_id = $1 AND s.period = $2 AND s.points > l.points)
                 - (SELECT COUNT(*) FROM users u JOIN points_scores s ON s.user_id = u.id
                    WHERE u.board_opt_out AND s.community_id = $1 AND s.period = $2 AND s.points > l.points) AS rank
        FROM listed l WHERE l.user_id = $3
    ),
    near AS (
        SELECT * FROM (
            SELECT * FROM listed
            WHERE points >= (SELECT points FROM me)
              AND (points > (SELECT points FROM me) OR reached_at < (SELECT reached_at FROM me)
                   OR (reached_at = (SELECT reached_at FROM me) AND user_id < $3))
            ORDER BY points, reached_at DESC, user_id DESC LIMIT 2
        ) AS before
        UNION ALL
        SELECT * FROM (
            SELECT * FROM listed
            WHERE points <= (SELECT points FROM me)
              AND (points < (SELECT points FROM me) OR reached_at > (SELECT reached_at FROM me)
                   OR (reached_at = (SELECT reached_at FROM me) AND user_id > $3))
            ORDER BY points DESC, reached_at, user_id LIMIT 2
        ) AS after
    ),
    shown AS (
        SELECT 'first' AS part, f.*, RANK() OVER (ORDER BY f.points DESC) AS rank
        FROM (SELECT * FROM listed ORDER BY points DESC, reached_at, user_id LIMIT $4) AS f
        UNION ALL
        SELECT 'me', me.* FROM me
        UNION ALL
        SELECT 'near', n.*, (SELECT rank FROM me)
            + (SELECT COUNT(*) FROM listed WHERE points > n.points AND points <= (SELECT points FROM me))
            - (SELECT COUNT(*) FROM listed WHERE points <= n.points AND points > (SELECT points FROM me))
        FROM near n
    )
    SELECT part, nickname, points, rank FROM shown ORDER BY points DESC, reached_at, user_id";

/// The board of a community for the period that is now.
pub(super) async fn read(
    state: &AppState,
    community: PlaceId,
    period: Period,
    viewer: UserId,
    limit: u64,
) -> Result<Board, Problem> {
    let connection = state.db.read();
    let key = period.key(domain::china_day(state.clock.now()));
    let values = [community.into(), key.into(), viewer.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), BOARD, values);
    let mut board = Board { period, items: Vec::new(), me: None, neighbours: Vec::new() };
    for Row { part, nickname, points, rank } in Row::find_by_statement(statement).all(connection).await? {
        let line = Line { rank, name: identity::masked_name(&nickname), points };
        match part.as_str() {
            "first" => board.items.push(line),
            "me" => board.me = Some(Standing { rank, points }),
            _ => board.neighbours.push(line),
        }
    }
    Ok(board)
}
