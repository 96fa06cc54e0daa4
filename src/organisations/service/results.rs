use std::collections::HashMap;
use std::collections::hash_map::Entry;

use entities::ids::{OrganisationId, PlaceId, ProjectId};
use entities::judgement::{evaluation, rating, rating_window};
use entities::projects::project;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::places;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// So many projects are looked at, the newest; each is evaluated a few times at most.
const PROJECTS: u64 = 50;
const EVALUATIONS: u64 = 500;

/// What was published of a project's result.
pub(in crate::organisations) struct ProjectResult {
    pub project: project::Model,
    pub ratings: Option<i64>,
    pub mean_hundredths: Option<i64>,
    pub evaluation: Option<evaluation::Model>,
}

/// The published results of an organisation's projects, newest first; those of which nothing is published are left out.
pub(in crate::organisations) async fn of(
    state: &AppState,
    connection: &impl ConnectionTrait,
    id: OrganisationId,
) -> Result<Vec<ProjectResult>, Problem> {
    let projects = project::Entity::find()
        .filter(project::Column::OrganisationId.eq(id))
        .order_by_desc(project::Column::Id)
        .limit(PROJECTS)
        .all(connection)
        .await?;
    let ids: Vec<ProjectId> = projects.iter().map(|project| project.id).collect();
    let published: Vec<ProjectId> = rating_window::Entity::find()
        .select_only()
        .column(rating_window::Column::ProjectId)
        .filter(rating_window::Column::ProjectId.is_in(ids.iter().copied()))
        .filter(rating_window::Column::PublishedAt.is_not_null())
        .into_tuple()
        .all(connection)
        .await?;
    let tallies: Vec<(ProjectId, i64, i64)> = rating::Entity::find()
        .select_only()
        .column(rating::Column::ProjectId)
        .column(rating::Column::Score)
        .column_as(rating::Column::UserId.count(), "people")
        .filter(rating::Column::ProjectId.is_in(published.iter().copied()))
        .group_by(rating::Column::ProjectId)
        .group_by(rating::Column::Score)
        .into_tuple()
        .all(connection)
        .await?;
    // The last evaluation of each: later ones overwrite.
    let evaluations: HashMap<ProjectId, evaluation::Model> = evaluation::Entity::find()
        .filter(evaluation::Column::ProjectId.is_in(ids))
        .order_by_asc(evaluation::Column::Seq)
        .limit(EVALUATIONS)
        .all(connection)
        .await?
        .into_iter()
        .map(|row| (row.project_id, row))
        .collect();
    let mut minima: HashMap<PlaceId, i64> = HashMap::new();
    for project in projects.iter().filter(|project| published.contains(&project.id)) {
        if let Entry::Vacant(place) = minima.entry(project.community_id) {
            place.insert(places::rules(state, connection, project.community_id).await?.minimum_ratings);
        }
    }
    let results = projects.into_iter().map(|project| {
        let scores = tallies.iter().filter(|(of, ..)| *of == project.id);
        let (sum, count) =
            scores.fold((0, 0), |(sum, count), (_, score, people)| (sum + score * people, count + people));
        let ratings = published.contains(&project.id).then_some(count);
        let enough = minima.get(&project.community_id).is_some_and(|minimum| count >= *minimum && count > 0);
        // A half is rounded up, as on the project's own page.
        let mean_hundredths = ratings.filter(|_| enough).map(|count| (sum * 200 + count) / (2 * count));
        ProjectResult { ratings, mean_hundredths, evaluation: evaluations.get(&project.id).cloned(), project }
    });
    Ok(results.filter(|result| result.ratings.is_some() || result.evaluation.is_some()).collect())
}
