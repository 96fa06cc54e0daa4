//! The talent register and its selection rounds 社工人才.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{PlaceId, TalentApplicationId, TalentRoundId};
use entities::organisations::{
    ApplicationState, TalentQualification, talent, talent_application, talent_round, talent_score,
};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::conflicts::{conflicts, recent};
use crate::identity::{Actor, Permission, masked_name};
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::organisations::domain::ranked;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::{audit, places};

/// Fewer than so many scores select nobody.
const SCORES: usize = 2;
/// At most so many people apply in one round.
const APPLICATIONS: u64 = 500;

/// What applicants are judged by.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, garde::Validate)]
#[serde(deny_unknown_fields)]
pub(in crate::organisations) struct Criterion {
    #[garde(custom(crate::platform::http::text::line(40)))]
    pub name: String,
    /// The most that can be given for it.
    #[garde(range(min = 1, max = 100))]
    pub max: i64,
}

/// Writes oneself down in the register, or anew.
pub(in crate::organisations) async fn keep(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    place_id: PlaceId,
    (qualification, works_since, about): (TalentQualification, i64, &str),
) -> Result<talent::Model, Problem> {
    let place = places::named(txn, place_id, "/place_id").await?;
    actor.require(Permission::SocialWork, &place.path)?;
    let row = talent::ActiveModel {
        user_id: Set(actor.user_id),
        place_id: Set(place.id),
        place_path: Set(place.path),
        qualification: Set(qualification),
        works_since: Set(works_since),
        about: Set(about.trim().to_owned()),
        updated_at: Set(state.clock.now()),
    };
    let anew = OnConflict::column(talent::Column::UserId)
        .update_columns([
            talent::Column::PlaceId,
            talent::Column::PlacePath,
            talent::Column::Qualification,
            talent::Column::WorksSince,
            talent::Column::About,
            talent::Column::UpdatedAt,
        ])
        .to_owned();
    talent::Entity::insert(row).on_conflict(anew).exec_without_returning(txn).await?;
    talent::Entity::find_by_id(actor.user_id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// What is said of a new round.
pub(in crate::organisations) struct NewRound<'a> {
    pub place_id: PlaceId,
    pub title: &'a str,
    pub criteria: &'a [Criterion],
    pub seats: i64,
    pub applications: (DateTime<Utc>, DateTime<Utc>),
}

/// Announces a round.
pub(in crate::organisations) async fn announce(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    new: &NewRound<'_>,
) -> Result<talent_round::Model, Problem> {
    let place = places::named(txn, new.place_id, "/place_id").await?;
    actor.require(Permission::ManageProjects, &place.path)?;
    if new.applications.1 <= new.applications.0 {
        return Err(Problem::field("/closes_at", "须晚于开始时间 / must be after the beginning"));
    }
    let criteria = serde_json::to_value(new.criteria);
    let row = talent_round::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        place_id: Set(place.id),
        place_path: Set(place.path),
        title: Set(new.title.trim().to_owned()),
        criteria: Set(criteria.map_err(|error| Problem::from(Code::Internal).caused_by(error))?),
        seats: Set(new.seats),
        opens_at: Set(new.applications.0),
        closes_at: Set(new.applications.1),
        created_by: Set(Some(actor.user_id)),
        created_at: Set(state.clock.now()),
        published_at: Set(None),
        notice_id: Set(None),
    };
    let row = row.insert(txn).await?;
    record(state, txn, actor, "talent_round.announce", &row).await?;
    Ok(row)
}

/// A round by its id, or 404.
pub(in crate::organisations) async fn find(
    connection: &impl ConnectionTrait,
    id: TalentRoundId,
) -> Result<talent_round::Model, Problem> {
    talent_round::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// The round stands still until the transaction ends: nobody applies or scores while its list is made.
async fn lock_round(txn: &DatabaseTransaction, id: TalentRoundId) -> Result<talent_round::Model, Problem> {
    let locked = talent_round::Entity::find_by_id(id).lock(LockType::NoKeyUpdate);
    locked.one(txn).await?.ok_or_else(|| Code::NotFound.into())
}

/// Applies, as somebody of the talent register.
pub(in crate::organisations) async fn apply(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TalentRoundId,
    statement: &str,
) -> Result<talent_application::Model, Problem> {
    let round = lock_round(txn, id).await?;
    actor.require(Permission::SocialWork, &round.place_path)?;
    if talent::Entity::find_by_id(actor.user_id).one(txn).await?.is_none() {
        return Err(Code::ProfileMissing.into());
    }
    let now = state.clock.now();
    if now < round.opens_at || round.closes_at <= now {
        return Err(Code::RoundNotOpen.into());
    }
    let there = talent_application::Entity::find().filter(talent_application::Column::RoundId.eq(id));
    if there.count(txn).await? >= APPLICATIONS {
        return Err(Problem::new(Code::RateLimited, format!("at most {APPLICATIONS} applications a round")));
    }
    let new: TalentApplicationId = ids::ordered(&state.clock);
    let row = talent_application::ActiveModel {
        id: Set(new),
        round_id: Set(id),
        user_id: Set(actor.user_id),
        statement: Set(statement.trim().to_owned()),
        state: Set(ApplicationState::Applied),
        applied_at: Set(now),
    };
    let once = OnConflict::columns([talent_application::Column::RoundId, talent_application::Column::UserId])
        .do_nothing()
        .to_owned();
    if talent_application::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await? == 0 {
        return Err(Code::AlreadyApplied.into());
    }
    talent_application::Entity::find_by_id(new).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Scores an application, or anew until the list is made: staff or social workers of the place, who neither apply in the round
/// themselves nor share an organisation with the applicant, nor declared an interest in theirs.
pub(in crate::organisations) async fn score(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TalentApplicationId,
    points: &[i64],
) -> Result<i64, Problem> {
    let application = talent_application::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let round = lock_round(txn, application.round_id).await?;
    let judges = [Permission::ManageProjects, Permission::SocialWork];
    if !judges.into_iter().any(|permission| actor.may(permission, &round.place_path)) {
        return Err(Code::Forbidden.into());
    }
    if application.user_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let own = talent_application::Entity::find()
        .filter(talent_application::Column::RoundId.eq(round.id))
        .filter(talent_application::Column::UserId.eq(actor.user_id));
    let theirs = recent(state, txn, application.user_id).await?;
    if own.one(txn).await?.is_some() || conflicts(state, txn, actor.user_id, theirs).await? {
        return Err(Code::ConflictOfInterest.into());
    }
    if state.clock.now() < round.closes_at {
        return Err(Code::RoundNotOver.into());
    }
    if round.published_at.is_some() {
        return Err(Code::AlreadyDecided.into());
    }
    let criteria: Vec<Criterion> =
        serde_json::from_value(round.criteria).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    if points.len() != criteria.len() {
        return Err(Problem::field("/points", "每项标准一个分数 / one number a criterion"));
    }
    for (at, (given, criterion)) in points.iter().zip(&criteria).enumerate() {
        if !(0..=criterion.max).contains(given) {
            return Err(Problem::field(&format!("/points/{at}"), format!("0 至 {} / 0 to {0}", criterion.max)));
        }
    }
    let total = points.iter().sum();
    let row = talent_score::ActiveModel {
        application_id: Set(id),
        applicant_id: Set(application.user_id),
        scorer_id: Set(actor.user_id),
        points: Set(json!(points)),
        total: Set(total),
        scored_at: Set(state.clock.now()),
    };
    let anew = OnConflict::columns([talent_score::Column::ApplicationId, talent_score::Column::ScorerId])
        .update_columns([talent_score::Column::Points, talent_score::Column::Total, talent_score::Column::ScoredAt])
        .to_owned();
    talent_score::Entity::insert(row).on_conflict(anew).exec_without_returning(txn).await?;
    Ok(total)
}

/// Makes the list: everybody was scored by two at least; the best get the seats. It is a notice with masked names.
pub(in crate::organisations) async fn publish(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TalentRoundId,
) -> Result<talent_round::Model, Problem> {
    let round = lock_round(txn, id).await?;
    actor.require(Permission::ManageProjects, &round.place_path)?;
    if state.clock.now() < round.closes_at {
        return Err(Code::RoundNotOver.into());
    }
    if round.published_at.is_some() {
        return Err(Code::AlreadyDecided.into());
    }
    let applications = talent_application::Entity::find()
        .filter(talent_application::Column::RoundId.eq(id))
        .filter(talent_application::Column::State.eq(ApplicationState::Applied))
        .order_by_asc(talent_application::Column::Id)
        .all(txn)
        .await?;
    let scores = talent_score::Entity::find()
        .filter(talent_score::Column::ApplicationId.is_in(applications.iter().map(|row| row.id)))
        .all(txn)
        .await?;
    let mut given: BTreeMap<TalentApplicationId, Vec<i64>> =
        applications.iter().map(|row| (row.id, Vec::new())).collect();
    for score in scores {
        given.entry(score.application_id).or_default().push(score.total);
    }
    if given.values().any(|scores| scores.len() < SCORES) {
        return Err(Code::ScoresMissing.into());
    }
    let ranked = ranked(given);
    let seats = usize::try_from(round.seats).unwrap_or(usize::MAX);
    let selected: Vec<_> = ranked.iter().take(seats).map(|(id, _)| *id).collect();
    for (to, chosen) in [(ApplicationState::Selected, true), (ApplicationState::NotSelected, false)] {
        let these = applications.iter().map(|row| row.id).filter(|id| selected.contains(id) == chosen);
        talent_application::Entity::update_many()
            .col_expr(talent_application::Column::State, Expr::value(to))
            .filter(talent_application::Column::Id.is_in(these))
            .exec(txn)
            .await?;
    }
    let people = user::Entity::find()
        .filter(user::Column::Id.is_in(applications.iter().map(|row| row.user_id)))
        .all(txn)
        .await?;
    let names: HashMap<_, _> = people.into_iter().map(|row| (row.id, masked_name(&row.nickname))).collect();
    let mut lines = Vec::new();
    for (at, (id, average)) in ranked.iter().take(seats).enumerate() {
        let name = applications.iter().find(|row| row.id == *id).and_then(|row| names.get(&row.user_id));
        let name = name.map(String::as_str).unwrap_or_default();
        lines.push(format!("{}. {name}，平均{}.{:02}分", at + 1, average / 100, average % 100));
    }
    let notice = Notice {
        community_id: round.place_id,
        kind: "talent_round.published",
        title: format!("社工人才选拔名单：{}", round.title),
        body: format!("共{}人报名，入选{}人。\n{}", applications.len(), lines.len(), lines.join("\n")),
        subject: Some(("talent_round", round.id.0)),
        ..Notice::default()
    };
    record(state, txn, actor, "talent_round.publish", &round).await?;
    for (to, outcome) in [(true, "入选"), (false, "未入选")] {
        let people: Vec<_> =
            applications.iter().filter(|row| selected.contains(&row.id) == to).map(|row| row.user_id).collect();
        let message = Message {
            kind: "talent_round.published",
            title: "社工人才选拔结果".to_owned(),
            body: format!("“{}”结果已公布，您{outcome}。", round.title),
            target: Some(("talent_round", round.id.0)),
            dedupe_key: format!("talent_round.published:{}", round.id),
            template: Template::Need,
        };
        notifications::tell_all(state, txn, &people, &message).await?;
    }
    let notice_id = notices::publish(state, txn, notice).await?;
    let values = talent_round::ActiveModel {
        id: sea_orm::ActiveValue::Unchanged(id),
        published_at: Set(Some(state.clock.now())),
        notice_id: Set(Some(notice_id)),
        ..Default::default()
    };
    Ok(values.update(txn).await?)
}

async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    action: &str,
    row: &talent_round::Model,
) -> Result<(), Problem> {
    let what = ("talent_round", row.id.0);
    audit::record(state, txn, Some(actor.user_id), action, what, Some(row.place_id), json!({})).await
}
