//! A leaderboard as one person sees it, from the rows: one statement, so that all of its parts show the same moment. It counts
//! everybody before oneself, which is why there are sorted sets.

use entities::ids::UserId;
use sea_orm::{FromQueryResult, Statement};

use super::{Board, Line, Name, Standing};
use crate::identity;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::points::domain::Period;

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
        WHERE s.community_id = $1 AND s.period = $2 AND s.points > 0 AND NOT u.board_opt_out
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
            ORDER BY points, reached_at DESC, user_id DESC LIMIT 3
        ) AS before
        UNION ALL
        SELECT * FROM (
            SELECT * FROM listed
            WHERE points <= (SELECT points FROM me)
              AND (points < (SELECT points FROM me) OR reached_at > (SELECT reached_at FROM me)
                   OR (reached_at = (SELECT reached_at FROM me) AND user_id > $3))
            ORDER BY points DESC, reached_at, user_id LIMIT 3
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

/// Reads a board from its rows.
pub async fn read(
    state: &AppState,
    name: &Name,
    period: Period,
    viewer: UserId,
    limit: usize,
) -> Result<Board, Problem> {
    let connection = state.db.read();
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [name.community.into(), name.period.clone().into(), viewer.into(), limit.into()];
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
