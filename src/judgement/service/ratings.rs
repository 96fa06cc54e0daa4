//! The residents' rating: opened with the completion, one a person, published when its time is over.

use chrono::TimeDelta;
use entities::ids::ProjectId;
use entities::judgement::{RaterStanding, rating, rating_window};
use entities::projects::{Part, project};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;

use crate::identity::{self, Actor};
use crate::judgement::domain::Tally;
use crate::judgement::moderated;
use crate::moderation::{self, Submission};
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::{Problem, transact};
use crate::platform::ids;
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::platform::wechat::Scene;
use crate::{audit, delivery, places};

/// The project is completed, and from now until the end of a day it can be rated.
pub(in crate::judgement) async fn complete(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
) -> Result<(project::Model, rating_window::Model), Problem> {
    let project = delivery::complete(state, txn, actor, id).await?;
    let now = state.clock.now();
    let days = places::rules(state, txn, project.community_id).await?.rating_days;
    let row = rating_window::ActiveModel {
        project_id: Set(id),
        opened_at: Set(now),
        closes_at: Set(calendar::day_end(calendar::day(now + TimeDelta::days(days)))),
        published_at: Set(None),
        notice_id: Set(None),
    };
    Ok((project, row.insert(txn).await?))
}

/// A project's window, if it has one.
pub(in crate::judgement) async fn window(
    connection: &impl ConnectionTrait,
    id: ProjectId,
) -> Result<Option<rating_window::Model>, Problem> {
    Ok(rating_window::Entity::find_by_id(id).one(connection).await?)
}

/// What somebody may rate a project as: whoever was served comes first.
pub(in crate::judgement) async fn standing(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    project: &project::Model,
) -> Result<Option<RaterStanding>, Problem> {
    let parties = delivery::standing(connection, actor, project).await?;
    if parties.implementer || parties.supervisor || parties.evaluator {
        // Nobody rates their own work.
        return Ok(None);
    }
    if delivery::was_served(connection, project.id, actor.user_id).await? {
        return Ok(Some(RaterStanding::Served));
    }
    let home = identity::residence(connection, actor.user_id).await?;
    let lives = home.is_some_and(|home| places::is_within(&home.place_path, &project.place_path));
    Ok(lives.then_some(RaterStanding::Resident))
}

/// Rates a project, once: the primary key decides. A comment is shown after it has passed moderation.
pub(in crate::judgement) async fn rate(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    (score, comment): (i64, Option<&str>),
) -> Result<rating::Model, Problem> {
    let project = delivery::find(txn, id).await?;
    // Shared: those who rate do not wait for one another, and the publication waits for them.
    let window = rating_window::Entity::find_by_id(id).lock(LockType::Share).one(txn).await?;
    let window = window.ok_or(Code::RatingClosed)?;
    let now = state.clock.now();
    if window.published_at.is_some() || now >= window.closes_at {
        return Err(Code::RatingClosed.into());
    }
    let standing = standing(txn, actor, &project).await?.ok_or(Code::NotEligibleToRate)?;
    let row = rating::ActiveModel {
        project_id: Set(id),
        user_id: Set(actor.user_id),
        id: Set(ids::ordered(&state.clock)),
        score: Set(score),
        comment: Set(comment.map(str::to_owned)),
        shown: Set(false),
        standing: Set(standing),
        created_at: Set(now),
    };
    let once = OnConflict::columns([rating::Column::ProjectId, rating::Column::UserId]).do_nothing().to_owned();
    if rating::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await? == 0 {
        return Err(Code::AlreadyRated.into());
    }
    let row = rating::Entity::find_by_id((id, actor.user_id)).one(txn).await?.ok_or(Code::Internal)?;
    if let Some(comment) = comment {
        let submission = Submission {
            community_id: project.community_id,
            place_path: &project.place_path,
            target_kind: moderated::KIND,
            target_id: row.id.0,
            author: actor.user_id,
            title: "",
            text: comment,
            file_ids: &[],
            scene: Scene::Comment,
        };
        moderation::submit(state, txn, submission).await?;
    }
    // Who rated how is not in the log.
    let (target, place) = (("project", id.0), Some(project.place_id));
    audit::record(state, txn, Some(actor.user_id), "project.rate", target, place, json!({ "standing": standing }))
        .await?;
    Ok(row)
}

/// The ratings of a project, counted.
pub(in crate::judgement) async fn tally(connection: &impl ConnectionTrait, id: ProjectId) -> Result<Tally, Problem> {
    let counted: Vec<(i64, i64)> = rating::Entity::find()
        .select_only()
        .column(rating::Column::Score)
        .expr(Expr::cust("COUNT(*)"))
        .filter(rating::Column::ProjectId.eq(id))
        .group_by(rating::Column::Score)
        .into_tuple()
        .all(connection)
        .await?;
    let mut tally = Tally::default();
    for (score, count) in counted {
        let cell = usize::try_from(score - 1).ok().and_then(|at| tally.by_score.get_mut(at)).ok_or(Code::Internal)?;
        *cell = count;
    }
    Ok(tally)
}

/// Publishes what is over. Running it twice publishes nothing twice: the mark is in the condition of the update.
pub(in crate::judgement) async fn publish_due(state: &AppState) -> Result<(), JobError> {
    loop {
        let due = rating_window::Entity::find()
            .filter(rating_window::Column::PublishedAt.is_null())
            .filter(rating_window::Column::ClosesAt.lte(state.clock.now()))
            .order_by_asc(rating_window::Column::ClosesAt)
            .one(state.db.read())
            .await?;
        let Some(due) = due else { return Ok(()) };
        transact(state, async |txn| publish(state, txn, due.project_id).await).await?;
    }
}

async fn publish(state: &AppState, txn: &DatabaseTransaction, id: ProjectId) -> Result<(), Problem> {
    let window = rating_window::Entity::find_by_id(id).lock(LockType::Update).one(txn).await?.ok_or(Code::NotFound)?;
    if window.published_at.is_some() {
        return Ok(());
    }
    let project = delivery::find(txn, id).await?;
    let rules = places::rules(state, txn, project.community_id).await?;
    let tally = tally(txn, id).await?;
    let notice = Notice {
        community_id: project.community_id,
        kind: "project.rated",
        title: format!("居民评议结果：{}", project.title),
        body: tally.words(rules.minimum_ratings, rules.minimum_cell),
        subject: Some(("project", id.0)),
        ..Notice::default()
    };
    let notice = notices::publish(state, txn, notice).await?;
    rating_window::Entity::update_many()
        .col_expr(rating_window::Column::PublishedAt, Expr::value(state.clock.now()))
        .col_expr(rating_window::Column::NoticeId, notice.into())
        .filter(rating_window::Column::ProjectId.eq(id))
        .filter(rating_window::Column::PublishedAt.is_null())
        .exec(txn)
        .await?;
    let mut people = delivery::people_of(txn, id, Part::Evaluator).await?;
    people.extend(delivery::people_of(txn, id, Part::Implementer).await?);
    let message = Message {
        kind: "project.rated",
        title: "居民评议结果已公布".to_owned(),
        body: project.title,
        target: Some(("project", id.0)),
        dedupe_key: format!("project.rated:{id}"),
        template: Template::Project,
    };
    notifications::tell_all(state, txn, &people, &message).await
}
