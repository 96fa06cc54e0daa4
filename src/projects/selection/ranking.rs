//! From reviews and votes to a ranking that its reader can redo.

use std::collections::BTreeSet;

use entities::ids::{PlaceId, PollId};
use entities::polls::PollState;
use entities::programmes::{Allocation, community_poll, programme};
use entities::projects::{project, review};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::money::yuan;
use crate::polls::{self, Standing};
use crate::programmes::{self, Candidate, Choice, WHOLE};
use crate::projects::design;

/// What a programme's rule made of its shortlist.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ranking {
    /// The rule.
    pub rule: Allocation,
    /// What experts count, in per cent.
    pub expert_weight: i64,
    /// What there was to give.
    pub available_fen: i64,
    /// From the first rank down.
    pub lines: Vec<Line>,
}

/// A project's place in a ranking, with all that its score is made of.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// Its rank, what it asks for, and what became of it.
    pub choice: Choice,
    /// What it is called.
    pub title: String,
    /// Which version was judged.
    pub version: i64,
    /// What each review is worth, in millionths, from the lowest up.
    pub reviews: Vec<i64>,
    /// Their mean.
    pub experts: i64,
    /// The poll of its community.
    pub poll_id: Option<PollId>,
    /// Ballots for it there,
    pub votes: i64,
    /// of so many.
    pub ballots: i64,
    /// Their share, in millionths.
    pub residents: i64,
    /// Both together, in hundred-millionths: `expert_weight` × experts + (100 − `expert_weight`) × residents.
    pub score: i64,
    /// The same in words.
    pub explanation: String,
}

/// Ranks a programme's shortlist. 409 `selection_not_ready` while residents count and have not voted.
pub(super) async fn rank(
    connection: &impl ConnectionTrait,
    programme: &programme::Model,
    projects: &[project::Model],
    available_fen: i64,
) -> Result<Ranking, Problem> {
    let ids = projects.iter().map(|project| project.id);
    let reviews = review::Entity::find().filter(review::Column::ProjectId.is_in(ids)).all(connection).await?;
    let submitted = design::submitted_at(connection, projects).await?;
    let linked = community_poll::Entity::find().filter(community_poll::Column::ProgrammeId.eq(programme.id));
    let linked: Vec<_> = linked.all(connection).await?.into_iter().map(|row| (row.community_id, row.poll_id)).collect();
    let standings = polls::standings(connection, linked.iter().map(|(_, poll)| *poll)).await?;
    if programme.expert_weight < 100 {
        all_have_voted(projects, &linked, &standings)?;
    }

    let mut lines = Vec::new();
    let mut candidates = Vec::new();
    for project in projects {
        let mut own: Vec<i64> = reviews
            .iter()
            .filter(|review| review.project_id == project.id && review.version == project.version)
            .map(|review| review.points)
            .collect();
        own.sort_unstable();
        let experts = programmes::mean(&own);
        let standing = standings.iter().find(|standing| standing.project_id == project.id);
        let (votes, ballots) = standing.map_or((0, 0), |standing| (standing.votes, standing.ballots));
        let residents = programmes::ballot_share(votes, ballots);
        let score = programmes::weighted(programme.expert_weight, experts, residents);
        let submitted_at = submitted.iter().find(|(id, _)| *id == project.id).map(|(_, at)| *at);
        candidates.push(Candidate {
            project_id: project.id,
            amount_fen: project.budget_fen,
            score,
            experts,
            submitted_at: submitted_at.ok_or(Code::Internal)?,
        });
        lines.push((
            project,
            own,
            experts,
            standing.map(|standing| standing.poll_id),
            votes,
            ballots,
            residents,
            score,
        ));
    }
    let choices = programmes::allocate(programme.allocation, candidates, available_fen);
    let line_of = |choice: Choice| {
        let (project, reviews, experts, poll_id, votes, ballots, residents, score) =
            lines.iter().find(|(project, ..)| project.id == choice.project_id)?.clone();
        let explanation = explain(programme, &choice, (experts, reviews.len()), (residents, votes, ballots), score);
        let (title, version) = (project.title.clone(), project.version);
        Some(Line { choice, title, version, reviews, experts, poll_id, votes, ballots, residents, score, explanation })
    };
    let lines: Option<Vec<_>> = choices.into_iter().map(line_of).collect();
    let lines = lines.ok_or(Code::Internal)?;
    Ok(Ranking { rule: programme.allocation, expert_weight: programme.expert_weight, available_fen, lines })
}

fn all_have_voted(
    projects: &[project::Model],
    linked: &[(PlaceId, PollId)],
    standings: &[Standing],
) -> Result<(), Problem> {
    let communities: BTreeSet<PlaceId> = projects.iter().map(|project| project.community_id).collect();
    let voted = |community: &PlaceId| {
        let poll = linked.iter().find(|(other, _)| other == community).map(|(_, poll)| *poll);
        standings.iter().any(|standing| Some(standing.poll_id) == poll && standing.state == PollState::Closed)
    };
    let missing = communities.iter().filter(|community| !voted(community)).count();
    if missing == 0 {
        return Ok(());
    }
    Err(Problem::new(Code::SelectionNotReady, format!("{missing} communities have no closed poll about the shortlist")))
}

/// `52.3333` of millionths.
fn per_cent(millionths: i64) -> String {
    let unit = WHOLE / 100;
    format!("{}.{:04}", millionths / unit, millionths % unit)
}

fn explain(
    programme: &programme::Model,
    choice: &Choice,
    (experts, reviews): (i64, usize),
    (residents, votes, ballots): (i64, i64, i64),
    score: i64,
) -> String {
    let weight = programme.expert_weight;
    let outcome = if choice.selected { "入选" } else { "余额不足，未入选" };
    // Residents who did not vote because they are not asked have given no points.
    let asked = if weight == 100 {
        String::new()
    } else {
        let share = 100 - weight;
        format!(" + 居民 {} 分（{ballots} 票中 {votes} 票支持）×{share}%", per_cent(residents))
    };
    format!(
        "第{}名。专家 {} 分（{reviews} 份评审的平均）×{weight}%{asked} = {} 分。预算 {} 元，轮到时余额 {} 元：{outcome}。",
        choice.rank,
        per_cent(experts),
        per_cent(score / 100),
        yuan(choice.amount_fen),
        yuan(choice.left_fen),
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn scores_are_written_in_hundredths() {
        assert_eq!([0, 520_000, 333_333, 1_000_000].map(super::per_cent), ["0.0000", "52.0000", "33.3333", "100.0000"]);
    }
}
