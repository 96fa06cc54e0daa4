use std::collections::BTreeMap;

use actix_web::{get, web};
use chrono::NaiveDate;
use entities::ids::{PlaceId, ProgrammeId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::figures::scope::Scope;
use crate::figures::services::{self, Count, Exact, Served, Span};
use crate::identity::{Actor, Permission};
use crate::places;
use crate::platform::http::{Params, Problem};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(read);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ServicesParams {
    /// This place and those below it.
    place_id: PlaceId,
    /// Only what this programme, or a part of it, pays for.
    programme_id: Option<ProgrammeId>,
    /// For staff: nothing held back, and of the projects whose programme they run only.
    #[serde(default)]
    exact: bool,
    /// With `exact`: from this day on.
    from: Option<NaiveDate>,
    /// With `exact`: until this day, and on it.
    until: Option<NaiveDate>,
}

/// Who was served.
#[derive(Serialize, ToSchema)]
struct CountView {
    /// Different people, each once over all projects; with `exact` only, for they do not add up.
    people: Option<i64>,
    /// Each time that somebody came; absent if too few people make it up.
    person_times: Option<i64>,
    /// Some of it is not counted here, because few people make it up.
    held_back: bool,
}

impl From<Count> for CountView {
    fn from(row: Count) -> Self {
        let Count { people, person_times, held_back } = row;
        Self { people, person_times, held_back }
    }
}

/// One group's.
#[derive(Serialize, ToSchema)]
struct GroupView {
    name: String,
    #[serde(flatten)]
    count: CountView,
}

/// All, and by group: one person may be in several, or in none.
#[derive(Serialize, ToSchema)]
struct ServedView {
    total: CountView,
    groups: Vec<GroupView>,
}

impl From<Served> for ServedView {
    fn from(row: Served) -> Self {
        let groups = row.groups.into_iter().map(|(name, count)| GroupView { name, count: count.into() });
        Self { groups: groups.collect(), total: row.total.into() }
    }
}

/// A place below.
#[derive(Serialize, ToSchema)]
struct ServedChild {
    place_id: PlaceId,
    name: String,
    #[serde(flatten)]
    served: ServedView,
}

/// Whom the projects of a place served.
#[derive(Serialize, ToSchema)]
struct ServicesView {
    #[serde(flatten)]
    served: ServedView,
    /// Places below it in which somebody was served, in the order of their codes.
    children: Vec<ServedChild>,
    /// Whether this is all there is of the projects counted.
    exact: bool,
    /// With `exact`: projects that served somebody and are not counted, because a programme of others runs them.
    projects_of_others: Option<i64>,
}

/// People and person-times that the projects of a place served, by group
///
/// For everybody: the sums of what the projects' own pages show; whatever place or programme one subtracts from another, one does not
/// learn what these hold back. With `exact`, for staff who manage projects there: the projects whose programme they run, without
/// holding anything back, for any days.
#[utoipa::path(tag = "figures", params(ServicesParams), responses((status = 200, body = ServicesView)))]
#[get("/figures/services")]
async fn read(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<ServicesParams>,
) -> Result<web::Json<ServicesView>, Problem> {
    let db = state.db.read();
    let scope = Scope::named(db, &actor, params.place_id, params.programme_id).await?;
    let span = Span { from: params.from, until: params.until };
    let (served, children, others) = if params.exact {
        actor.require(Permission::ManageProjects, &scope.place.path)?;
        let Exact { total, children, projects_of_others } = services::exact(db, &actor, &scope, span).await?;
        (total, children, Some(projects_of_others))
    } else {
        // Two spans that differ by a day would tell of the few who came on it.
        for (day, pointer) in [(span.from, "?from"), (span.until, "?until")] {
            if day.is_some() {
                return Err(Problem::field(pointer, "须与 exact=true 同用 / only with exact=true"));
            }
        }
        let rules = places::rules_of_all(&state, db, &scope.place).await?;
        let minimum = rules.into_iter().map(|(community, rules)| (community, rules.minimum_cell)).collect();
        let (total, children) = services::shown(db, &scope, &minimum).await?;
        (total, children, None)
    };
    let children = named(&scope.children(db).await?, children);
    Ok(web::Json(ServicesView { served: served.into(), children, exact: params.exact, projects_of_others: others }))
}

fn named(
    places: &BTreeMap<String, crate::figures::scope::Child>,
    counted: BTreeMap<String, Served>,
) -> Vec<ServedChild> {
    let child = |(code, served): (String, Served)| {
        let place = places.get(&code)?;
        Some(ServedChild { place_id: place.place_id, name: place.name.clone(), served: served.into() })
    };
    counted.into_iter().filter_map(child).collect()
}
