//! The commands: create, publish, push, respond; and who may know of a survey.

use std::collections::BTreeSet;

use chrono::Duration;
use entities::identity::residency;
use entities::ids::{PlaceId, SurveyId, SurveyPushId, UserId};
use entities::places::place;
use entities::surveys::{audience, push, response, survey};
use sea_orm::sea_query::{Expr, LockType, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::domain::{self, Question};
use super::{SurveyState, rewards};
use crate::audit;
use crate::identity::{Actor, Permission, ResidencyState};
use crate::notifications::{self, Message, Template};
use crate::places::{self, PlaceKind, is_within};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// What staff want to ask.
pub(super) struct Draft {
    pub place_id: PlaceId,
    pub title: String,
    pub questions: Vec<Question>,
    pub anonymous: bool,
}

/// Writes a draft.
pub(super) async fn create(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    draft: &Draft,
) -> Result<survey::Model, Problem> {
    let (place, community_id) = places::named_in_community(txn, draft.place_id, "/place_id").await?;
    actor.require(Permission::ManageSurveys, &place.path)?;
    domain::check_questions(&draft.questions).map_err(Problem::invalid)?;
    let row = survey::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        community_id: Set(community_id),
        place_id: Set(place.id),
        place_path: Set(place.path),
        title: Set(draft.title.trim().to_owned()),
        questions: Set(to_json(&draft.questions)?),
        anonymous: Set(draft.anonymous),
        state: Set(SurveyState::Draft),
        created_by: Set(actor.user_id),
        created_at: Set(state.clock.now()),
        published_at: Set(None),
    };
    let row = row.insert(txn).await?;
    record(state, txn, actor, "survey.create", &row, json!({ "anonymous": row.anonymous })).await?;
    Ok(row)
}

/// Publishes a draft, once.
pub(super) async fn publish(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SurveyId,
) -> Result<survey::Model, Problem> {
    actor.require_somewhere(Permission::ManageSurveys)?;
    let (survey, sight) = visible(txn, actor, id).await?;
    if !sight.staff {
        return Err(Code::Forbidden.into());
    }
    // The state in the condition lets one of several publish.
    let published = survey::Entity::update_many()
        .col_expr(survey::Column::State, Expr::value(SurveyState::Published))
        .col_expr(survey::Column::PublishedAt, state.clock.now().into())
        .filter(survey::Column::Id.eq(id))
        .filter(survey::Column::State.eq(SurveyState::Draft))
        .exec(txn)
        .await?;
    if published.rows_affected == 0 {
        return Err(Code::SurveyNotDraft.into());
    }
    record(state, txn, actor, "survey.publish", &survey, json!({})).await?;
    survey::Entity::find_by_id(id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Asks the residents of some buildings. Gives the push and the number of people there who are in the survey's audience.
pub(super) async fn push(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SurveyId,
    building_ids: &[PlaceId],
) -> Result<push::Model, Problem> {
    actor.require_somewhere(Permission::PushSurveys)?;
    let (survey, _) = visible(txn, actor, id).await?;
    let buildings = buildings(txn, actor, &survey, building_ids).await?;
    // Whoever holds the row counts and pushes; the next one counts that push too.
    let survey = survey::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or(Code::NotFound)?;
    if survey.state != SurveyState::Published {
        return Err(Code::SurveyNotPublished.into());
    }
    let cap = state.config.rules.survey_pushes_per_week;
    if let Some(tired) = domain::over_limit(&recent_pushes(state, txn, id).await?, &buildings, cap) {
        return Err(Problem::new(Code::PushLimit, format!("at most {cap} a week to building {tired}")));
    }
    let push_id: SurveyPushId = ids::ordered(&state.clock);
    let row = push::ActiveModel {
        id: Set(push_id),
        survey_id: Set(id),
        pushed_by: Set(actor.user_id),
        building_ids: Set(to_json(&buildings)?),
        audience: Set(0),
        created_at: Set(state.clock.now()),
    };
    row.insert(txn).await?;
    ask(txn, id, push_id, &buildings).await?;
    let reached = i64::try_from(asked(id, &buildings).count(txn).await?).unwrap_or(i64::MAX);
    push::Entity::update_many()
        .col_expr(push::Column::Audience, reached.into())
        .filter(push::Column::Id.eq(push_id))
        .exec(txn)
        .await?;
    tell(state, txn, &survey, push_id, &buildings).await?;
    record(state, txn, actor, "survey.push", &survey, json!({ "buildings": buildings, "audience": reached })).await?;
    push::Entity::find_by_id(push_id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// The buildings that a push names: each must exist, be the caller's to push to and lie where the survey is.
async fn buildings(
    txn: &DatabaseTransaction,
    actor: &Actor,
    survey: &survey::Model,
    building_ids: &[PlaceId],
) -> Result<BTreeSet<PlaceId>, Problem> {
    let found = place::Entity::find().filter(place::Column::Id.is_in(building_ids.iter().copied())).all(txn).await?;
    for (at, id) in building_ids.iter().enumerate() {
        let refuse = |detail: &str| Err(Problem::field(&format!("/building_ids/{at}"), detail));
        let Some(building) = found.iter().find(|place| place.id == *id && place.kind == PlaceKind::Building) else {
            return refuse("没有这个门栋 / no such building");
        };
        actor.require(Permission::PushSurveys, &building.path)?;
        if !is_within(&building.path, &survey.place_path) {
            return refuse("门栋不在问卷的范围内 / the building does not lie in the survey's place");
        }
    }
    Ok(building_ids.iter().copied().collect())
}

/// The buildings of each push of the last week: at most the limit times the buildings of the place.
async fn recent_pushes(
    state: &AppState,
    txn: &DatabaseTransaction,
    id: SurveyId,
) -> Result<Vec<BTreeSet<PlaceId>>, Problem> {
    let pushes = push::Entity::find()
        .filter(push::Column::SurveyId.eq(id))
        .filter(push::Column::CreatedAt.gt(state.clock.now() - Duration::weeks(1)))
        .all(txn)
        .await?;
    pushes.into_iter().map(|push| from_json(push.building_ids)).collect()
}

/// Adds the residents verified in the buildings to the audience; who is in it already stays as they are.
async fn ask(
    txn: &DatabaseTransaction,
    id: SurveyId,
    push_id: SurveyPushId,
    buildings: &BTreeSet<PlaceId>,
) -> Result<(), Problem> {
    use audience::Column::{Answered, BuildingId, PushId, SurveyId, UserId};
    let residents = Query::select()
        .expr(Expr::value(id))
        .column(residency::Column::UserId)
        .column(residency::Column::BuildingId)
        .expr(Expr::value(push_id))
        .expr(Expr::value(false))
        .from(residency::Entity)
        .and_where(residency::Column::BuildingId.is_in(buildings.iter().copied()))
        .and_where(residency::Column::State.eq(ResidencyState::Approved))
        .to_owned();
    let mut insert = Query::insert();
    insert.into_table(audience::Entity).columns([SurveyId, UserId, BuildingId, PushId, Answered]);
    insert.select_from(residents).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    insert.on_conflict(OnConflict::columns([SurveyId, UserId]).do_nothing().to_owned());
    txn.execute(&insert).await?;
    Ok(())
}

/// The audience in some buildings.
fn asked(id: SurveyId, buildings: &BTreeSet<PlaceId>) -> sea_orm::Select<audience::Entity> {
    audience::Entity::find()
        .filter(audience::Column::SurveyId.eq(id))
        .filter(audience::Column::BuildingId.is_in(buildings.iter().copied()))
}

/// Tells those who have not answered.
async fn tell(
    state: &AppState,
    txn: &DatabaseTransaction,
    survey: &survey::Model,
    push_id: SurveyPushId,
    buildings: &BTreeSet<PlaceId>,
) -> Result<(), Problem> {
    const AT_ONCE: u64 = 1000;
    let message = Message {
        kind: "survey.pushed",
        title: survey.title.clone(),
        body: if survey.anonymous {
            "社区邀请您填写一份匿名问卷。"
        } else {
            "社区邀请您填写一份问卷。"
        }
        .to_owned(),
        target: Some(("survey", survey.id.0)),
        dedupe_key: format!("survey.push:{push_id}"),
        template: Template::Survey,
    };
    let mut last: Option<UserId> = None;
    loop {
        let mut silent = asked(survey.id, buildings).filter(audience::Column::Answered.eq(false));
        if let Some(last) = last {
            silent = silent.filter(audience::Column::UserId.gt(last));
        }
        let people: Vec<UserId> = silent
            .order_by_asc(audience::Column::UserId)
            .limit(AT_ONCE)
            .select_only()
            .column(audience::Column::UserId)
            .into_tuple()
            .all(txn)
            .await?;
        let Some(next) = people.last() else { return Ok(()) };
        last = Some(*next);
        notifications::tell_all(state, txn, &people, &message).await?;
    }
}

/// Takes somebody's answers, once.
pub(super) async fn respond(
    state: &AppState,
    txn: &DatabaseTransaction,
    person: UserId,
    id: SurveyId,
    given: &Map<String, Value>,
) -> Result<(), Problem> {
    let survey = survey::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    if survey.state != SurveyState::Published {
        return Err(Code::SurveyNotPublished.into());
    }
    let asked = audience::Entity::find_by_id((id, person)).one(txn).await?.ok_or(Code::NotInAudience)?;
    if asked.answered {
        return Err(Code::AlreadyAnswered.into());
    }
    let answers = domain::check_answers(&questions(&survey)?, given).map_err(Problem::invalid)?;
    // The flag in the condition lets one of several answers through.
    let first = audience::Entity::update_many()
        .col_expr(audience::Column::Answered, true.into())
        .col_expr(audience::Column::Rewarded, (!survey.anonymous).into())
        .filter(audience::Column::SurveyId.eq(id))
        .filter(audience::Column::UserId.eq(person))
        .filter(audience::Column::Answered.eq(false))
        .exec(txn)
        .await?;
    if first.rows_affected == 0 {
        return Err(Code::AlreadyAnswered.into());
    }
    let named = !survey.anonymous;
    let row = response::ActiveModel {
        id: Set(if named { ids::ordered(&state.clock) } else { ids::unordered() }),
        survey_id: Set(id),
        user_id: Set(named.then_some(person)),
        answers: Set(to_json(&answers)?),
        answered_at: Set(named.then(|| state.clock.now())),
    };
    row.insert(txn).await?;
    if named { rewards::reward(state, txn, &survey, person).await } else { Ok(()) }
}

/// What somebody has to do with a survey that they may see.
pub(super) struct Sight {
    /// They manage it.
    pub staff: bool,
    /// The places of their grants where they may push it, below its place or around it.
    pub doors: Vec<String>,
    /// They were asked, and whether they answered.
    pub asked: Option<bool>,
}

/// A survey that the caller may know of: staff all, leaders and those who were asked from its publication on; or 404.
pub(super) async fn visible(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    id: SurveyId,
) -> Result<(survey::Model, Sight), Problem> {
    let survey = survey::Entity::find_by_id(id).one(connection).await?.ok_or(Code::NotFound)?;
    let asked = audience::Entity::find_by_id((id, actor.user_id)).one(connection).await?.map(|row| row.answered);
    let doors = pushing_grants(actor)
        .into_iter()
        .filter(|path| is_within(path, &survey.place_path) || is_within(&survey.place_path, path))
        .map(str::to_owned)
        .collect();
    let sight = Sight { staff: actor.may(Permission::ManageSurveys, &survey.place_path), doors, asked };
    let known = sight.asked.is_some() || !sight.doors.is_empty();
    if sight.staff || (survey.state != SurveyState::Draft && known) {
        Ok((survey, sight))
    } else {
        Err(Code::NotFound.into())
    }
}

/// The places of one's grants to push; none for most people.
pub(super) fn pushing_grants(actor: &Actor) -> Vec<&str> {
    actor.require_somewhere(Permission::PushSurveys).unwrap_or_default()
}

/// The questions of a survey.
pub(super) fn questions(survey: &survey::Model) -> Result<Vec<Question>, Problem> {
    from_json(survey.questions.clone())
}

fn to_json(value: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// Reads what [`to_json`] wrote.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    action: &str,
    survey: &survey::Model,
    detail: Value,
) -> Result<(), Problem> {
    audit::record(state, txn, Some(actor.user_id), action, ("survey", survey.id.0), Some(survey.place_id), detail).await
}
