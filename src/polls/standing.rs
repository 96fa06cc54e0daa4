//! How projects stand in polls that name them, for who decides about projects.

use entities::ids::{PollId, ProjectId};
use entities::polls::{PollState, poll};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::count::Count;
use super::service::options_of;
use crate::platform::code::Code;
use crate::platform::http::Problem;

/// What a poll says of a project that one of its options stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which poll.
    pub poll_id: PollId,
    /// Whether it is closed; nothing is counted before.
    pub state: PollState,
    /// Which project.
    pub project_id: ProjectId,
    /// Ballots for it,
    pub votes: i64,
    /// of so many.
    pub ballots: i64,
}

/// How projects stand in these polls: two queries, however many.
pub async fn standings(
    connection: &impl ConnectionTrait,
    polls: impl IntoIterator<Item = PollId>,
) -> Result<Vec<Standing>, Problem> {
    let ids: Vec<_> = polls.into_iter().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let polls = poll::Entity::find().filter(poll::Column::Id.is_in(ids.iter().copied())).all(connection).await?;
    let options = options_of(connection, ids).await?;
    let mut standings = Vec::new();
    for poll in polls {
        let count: Option<Count> = poll
            .result
            .map(serde_json::from_value)
            .transpose()
            .map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
        let own = options.iter().filter(|option| option.poll_id == poll.id);
        for (at, option) in own.enumerate() {
            let Some(project_id) = option.project_id else { continue };
            let votes = count.as_ref().and_then(|count| count.votes.get(at)).copied().unwrap_or_default();
            let ballots = count.as_ref().map_or(0, |count| count.ballots);
            standings.push(Standing { poll_id: poll.id, state: poll.state, project_id, votes, ballots });
        }
    }
    Ok(standings)
}
