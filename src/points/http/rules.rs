use actix_web::{get, put, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::PlaceId;
use entities::points::{RuleKey, rule};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, masked_name};
use crate::places;
use crate::platform::http::{Body, Params, Problem, transact};
use crate::platform::state::AppState;
use crate::points::domain;
use crate::points::service::rules::{self, NewRule, Standing};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(set);
}

/// What earns points in a community.
#[derive(Serialize, ToSchema)]
struct RulesView {
    community_id: PlaceId,
    rules: Vec<RuleView>,
    /// How points are rounded, in Chinese.
    rounding: &'static str,
}

/// A rule as it holds now.
#[derive(Serialize, ToSchema)]
struct RuleView {
    key: RuleKey,
    /// Chinese.
    title: &'static str,
    /// The whole rule in one Chinese sentence.
    text: String,
    /// 0 while the server's settings hold.
    version: i32,
    /// For an hour, or for once; 0: off.
    amount: i64,
    /// Per cent that a minute from 22:00 to 06:00 counts.
    night_percent: i64,
    /// Per cent that a minute of a holiday counts.
    holiday_percent: i64,
    /// At most so many a person and day.
    daily_cap: Option<i64>,
    from: Option<DateTime<Utc>>,
    /// Masked.
    set_by: Option<String>,
    /// A version that is announced.
    next: Option<NextRule>,
}

/// A version that will hold.
#[derive(Serialize, ToSchema)]
struct NextRule {
    version: i32,
    text: String,
    from: DateTime<Utc>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RuleParams {
    /// A community, or a place in one: rules are a community's.
    place_id: PlaceId,
}

/// What earns points in a community
#[utoipa::path(tag = "points", params(RuleParams), responses((status = 200, body = RulesView)))]
#[get("/points/rules")]
async fn list(
    state: web::Data<AppState>,
    _: Actor,
    params: Params<RuleParams>,
) -> Result<web::Json<RulesView>, Problem> {
    let (_, community) = places::named_in_community(state.db.read(), params.place_id, "?place_id").await?;
    Ok(web::Json(view(&state, community).await?))
}

async fn view(state: &AppState, community: PlaceId) -> Result<RulesView, Problem> {
    let connection = state.db.read();
    let standing = rules::standing(state, connection, community).await?;
    let setters = standing.iter().filter_map(|rule| rule.row.as_ref()).map(|row| row.set_by);
    let setters = user::Entity::find().filter(user::Column::Id.is_in(setters)).all(connection).await?;
    let name = |row: &rule::Model| {
        setters.iter().find(|person| person.id == row.set_by).map(|person| masked_name(&person.nickname))
    };
    let views = standing.into_iter().map(|Standing { key, terms, row, next }| RuleView {
        key,
        title: domain::title(key),
        text: domain::text(key, &terms),
        version: terms.version,
        amount: terms.amount,
        night_percent: terms.night_percent,
        holiday_percent: terms.holiday_percent,
        daily_cap: terms.daily_cap,
        from: row.as_ref().map(|row| row.from_at),
        set_by: row.as_ref().and_then(name),
        next: next.map(|row| NextRule {
            version: row.version,
            text: domain::text(key, &rules::terms(&row)),
            from: row.from_at,
        }),
    });
    Ok(RulesView {
        community_id: community,
        rules: views.collect(),
        rounding: "先把每一分钟按规则累加，最后一次舍去不足 1 分的零头",
    })
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewVersion {
    /// The community.
    #[garde(skip)]
    place_id: PlaceId,
    /// For an hour, or for once; 0 switches the rule off.
    #[garde(range(min = 0, max = 1000))]
    amount: i64,
    /// Per cent that a minute from 22:00 to 06:00 counts; of service by the hour only. 100 without it.
    #[garde(inner(range(min = 100, max = 500)))]
    night_percent: Option<i64>,
    /// Per cent that a minute of a holiday counts (`holidays` of the place's settings). 100 without it.
    #[garde(inner(range(min = 100, max = 500)))]
    holiday_percent: Option<i64>,
    /// At most so many a person and day; without it no cap.
    #[garde(inner(range(min = 0, max = 100_000)))]
    daily_cap: Option<i64>,
    /// When it begins; now without it.
    #[garde(skip)]
    from: Option<DateTime<Utc>>,
}

/// Set what a rule of a community gives from some moment on: a new version, and a notice
///
/// What was done before that moment earns by the version of then.
#[utoipa::path(tag = "points", request_body = NewVersion, responses((status = 200, body = RulesView)))]
#[put("/points/rules/{key}")]
async fn set(
    state: web::Data<AppState>,
    actor: Actor,
    key: web::Path<RuleKey>,
    body: Body<NewVersion>,
) -> Result<web::Json<RulesView>, Problem> {
    let NewVersion { place_id, amount, night_percent, holiday_percent, daily_cap, from } = body.0;
    let factors = [("/night_percent", night_percent), ("/holiday_percent", holiday_percent)];
    if let Some((pointer, _)) = factors.iter().find(|(_, factor)| *key != RuleKey::ServiceHour && factor.is_some()) {
        return Err(Problem::field(pointer, "只有按小时的规则才有系数 / only service by the hour has factors"));
    }
    let new = NewRule {
        amount,
        night_percent: night_percent.unwrap_or(100),
        holiday_percent: holiday_percent.unwrap_or(100),
        daily_cap,
        from,
    };
    let community = transact(&state, async |txn| {
        let (place, community) = places::named_in_community(txn, place_id, "/place_id").await?;
        rules::set(&state, txn, &actor, (&place, community), *key, new).await?;
        Ok(community)
    })
    .await?;
    Ok(web::Json(view(&state, community).await?))
}
