//! Projects and the organisations behind them: what a community's money is spent on.
//!
//! A project belongs to a place of a community. Everybody signed in reads it; staff of the place create it. The budget is a
//! whole number of fen. `figures` is what was counted of its work, free in form until service records are kept.

mod http;
mod service;

use std::collections::HashSet;

use entities::ids::{PlaceId, ProjectId};
use entities::projects::project;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::platform::capability::Capability;
use crate::platform::http::Problem;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "projects", routes: Some(http::routes), ..Capability::default() }
}

/// Which of the projects belong to a community.
pub async fn of_community(
    connection: &impl ConnectionTrait,
    community_id: PlaceId,
    projects: impl IntoIterator<Item = ProjectId>,
) -> Result<HashSet<ProjectId>, Problem> {
    let mut wanted = projects.into_iter().peekable();
    if wanted.peek().is_none() {
        return Ok(HashSet::new());
    }
    let found = project::Entity::find()
        .select_only()
        .column(project::Column::Id)
        .filter(project::Column::Id.is_in(wanted))
        .filter(project::Column::CommunityId.eq(community_id));
    Ok(found.into_tuple().all(connection).await?.into_iter().collect())
}
