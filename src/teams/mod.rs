//! Teams of volunteers and their rosters 花名册.
//!
//! Staff found a *team* in a community or a place of one and name its leader, who is its first member. Joining takes two: a
//! verified resident asks and the leader or staff answer, or these invite and the person answers. A member's *skills* count
//! once somebody else has confirmed them. Phone numbers on the roster are masked; who looks at one is in the audit log.
//!
//! What a team's shifts are belongs to `volunteering`; a new leader reaches it by the job [`LEADER_CHANGED`].
//!
//! **Locks**: team, members.

mod http;
mod service;

use entities::ids::{PlaceId, TeamId, UserId};
use entities::teams::{MemberState, member, skill, team};
use futures_util::FutureExt;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};

use crate::platform::capability::Capability;
use crate::platform::http::Problem;

pub use entities::teams::team::Model as Team;

/// The job that follows a change of leader; its payload is [`LeaderChanged`].
pub const LEADER_CHANGED: &str = "teams.leader_changed";

/// Who led a team, and who does now.
#[derive(Debug, Serialize, Deserialize)]
pub struct LeaderChanged {
    /// Which.
    pub team_id: TeamId,
    /// Led it before.
    pub from: UserId,
    /// Leads it now.
    pub to: UserId,
}

const RULES: &[(&str, &str)] = &[
    (
        "team {} has not the path or community of its place",
        "SELECT t.id FROM teams t JOIN places p ON p.id = t.place_id \
         WHERE t.place_path <> p.path OR t.community_id <> p.community_id",
    ),
    (
        "team {} is led by somebody who is no member",
        "SELECT t.id FROM teams t WHERE NOT EXISTS (SELECT 1 FROM team_members m \
         WHERE m.team_id = t.id AND m.user_id = t.leader_id AND m.state = 'active')",
    ),
    (
        "member {} has a skill under another name",
        "SELECT m.id FROM team_members m JOIN team_skills s ON s.member_id = m.id WHERE s.user_id <> m.user_id",
    ),
];

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "teams",
        routes: Some(http::routes),
        verify: Some(|state| state.db.audit(RULES).boxed_local()),
        ..Capability::default()
    }
}

/// A team of a community that a request names in its body; the answer to a wrong one names `pointer`.
pub async fn named(
    connection: &impl ConnectionTrait,
    id: TeamId,
    community: PlaceId,
    pointer: &str,
) -> Result<Team, Problem> {
    let found = team::Entity::find_by_id(id).filter(team::Column::CommunityId.eq(community)).one(connection).await?;
    found.ok_or_else(|| Problem::field(pointer, "本社区没有这个队伍 / no such team in this community"))
}

/// Teams by their ids.
pub async fn all(
    connection: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = TeamId>,
) -> Result<Vec<Team>, Problem> {
    Ok(team::Entity::find().filter(team::Column::Id.is_in(ids)).all(connection).await?)
}

/// The people of a team.
pub async fn members(connection: &impl ConnectionTrait, team: TeamId) -> Result<Vec<UserId>, Problem> {
    let active = member::Entity::find().select_only().column(member::Column::UserId).filter(active_in(team));
    Ok(active.into_tuple().all(connection).await?)
}

/// Whether somebody is in a team.
pub async fn is_member(connection: &impl ConnectionTrait, team: TeamId, person: UserId) -> Result<bool, Problem> {
    let own = member::Entity::find().filter(active_in(team)).filter(member::Column::UserId.eq(person));
    Ok(own.count(connection).await? > 0)
}

fn active_in(team: TeamId) -> sea_orm::Condition {
    use sea_orm::Condition;
    Condition::all().add(member::Column::TeamId.eq(team)).add(member::Column::State.eq(MemberState::Active))
}

/// Whether a team of the community has confirmed that one of its members can do something.
pub async fn is_qualified(
    connection: &impl ConnectionTrait,
    community: PlaceId,
    person: UserId,
    skill: &str,
) -> Result<bool, Problem> {
    let confirmed = skill::Entity::find()
        .select_only()
        .column(skill::Column::MemberId)
        .filter(skill::Column::UserId.eq(person))
        .filter(skill::Column::Skill.eq(skill))
        .filter(skill::Column::ConfirmedBy.is_not_null());
    let teams =
        team::Entity::find().select_only().column(team::Column::Id).filter(team::Column::CommunityId.eq(community));
    let memberships = member::Entity::find()
        .filter(member::Column::UserId.eq(person))
        .filter(member::Column::State.eq(MemberState::Active))
        .filter(member::Column::Id.in_subquery(sea_orm::QueryTrait::into_query(confirmed)))
        .filter(member::Column::TeamId.in_subquery(sea_orm::QueryTrait::into_query(teams)));
    Ok(memberships.count(connection).await? > 0)
}
