//! The pool of operators for street centres 运营机构库: rounds, applications, admissions.

use chrono::{DateTime, Utc};
use entities::ids::{OperatorAdmissionId, OperatorRoundId, OrganisationId, PlaceId};
use entities::organisations::{AdmissionState, operator_admission, operator_round};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
};
use serde_json::json;

use super::conflicts::conflicts;
use super::people::{lock, people_of, role_of};
use crate::identity::{Actor, Permission};
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::{audit, places};

/// A round by its id, or 404.
pub(in crate::organisations) async fn find(
    connection: &impl ConnectionTrait,
    id: OperatorRoundId,
) -> Result<operator_round::Model, Problem> {
    operator_round::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// What is said of a new round.
pub(in crate::organisations) struct NewRound<'a> {
    pub place_id: PlaceId,
    pub title: &'a str,
    pub criteria: &'a str,
    pub applications: (DateTime<Utc>, DateTime<Utc>),
    pub validity: (DateTime<Utc>, DateTime<Utc>),
}

/// Announces a round.
pub(in crate::organisations) async fn announce(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    new: &NewRound<'_>,
) -> Result<operator_round::Model, Problem> {
    let place = places::named(txn, new.place_id, "/place_id").await?;
    actor.require(Permission::ManageProjects, &place.path)?;
    for ((from, until), pointer) in [(new.applications, "/closes_at"), (new.validity, "/valid_until")] {
        if until <= from {
            return Err(Problem::field(pointer, "须晚于开始时间 / must be after the beginning"));
        }
    }
    let row = operator_round::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        place_id: Set(place.id),
        place_path: Set(place.path),
        title: Set(new.title.trim().to_owned()),
        criteria: Set(new.criteria.trim().to_owned()),
        opens_at: Set(new.applications.0),
        closes_at: Set(new.applications.1),
        valid_from: Set(new.validity.0),
        valid_until: Set(new.validity.1),
        created_by: Set(Some(actor.user_id)),
        created_at: Set(state.clock.now()),
    };
    let row = row.insert(txn).await?;
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "operator_round.announce",
        ("operator_round", row.id.0),
        Some(row.place_id),
        json!({}),
    )
    .await?;
    Ok(row)
}

/// Applies for an organisation, as one of its people who holds the grant for it.
pub(in crate::organisations) async fn apply(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    round: OperatorRoundId,
    organisation: OrganisationId,
) -> Result<operator_admission::Model, Problem> {
    let round = find(txn, round).await?;
    actor.require(Permission::ActForOrganisation, &round.place_path)?;
    if role_of(txn, organisation, actor.user_id).await?.is_none() {
        return Err(Code::Forbidden.into());
    }
    let now = state.clock.now();
    if now < round.opens_at || round.closes_at <= now {
        return Err(Code::RoundNotOpen.into());
    }
    let id: OperatorAdmissionId = ids::ordered(&state.clock);
    let row = operator_admission::ActiveModel {
        id: Set(id),
        round_id: Set(round.id),
        organisation_id: Set(organisation),
        state: Set(AdmissionState::Applied),
        applied_by: Set(Some(actor.user_id)),
        applied_at: Set(now),
        decided_by: Set(None),
        decided_at: Set(None),
        reason: Set(None),
    };
    let once = OnConflict::columns([operator_admission::Column::RoundId, operator_admission::Column::OrganisationId])
        .do_nothing()
        .to_owned();
    if operator_admission::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await? == 0 {
        return Err(Code::AlreadyApplied.into());
    }
    operator_admission::Entity::find_by_id(id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Admits, refuses or removes: staff of the round's place who is not tied to the organisation. The organisation's lock makes
/// a removal and the handing over of a centre come one after the other.
pub(in crate::organisations) async fn decide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: OperatorAdmissionId,
    (to, reason): (AdmissionState, &str),
) -> Result<operator_admission::Model, Problem> {
    let row = operator_admission::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let round = find(txn, row.round_id).await?;
    actor.require(Permission::ManageProjects, &round.place_path)?;
    let organisation = lock(txn, [row.organisation_id]).await?.pop().ok_or(Code::NotFound)?;
    if row.applied_by == Some(actor.user_id) {
        return Err(Code::OwnAct.into());
    }
    if conflicts(state, txn, actor.user_id, [row.organisation_id]).await? {
        return Err(Code::ConflictOfInterest.into());
    }
    let from = match to {
        AdmissionState::Admitted | AdmissionState::Refused => AdmissionState::Applied,
        AdmissionState::Removed => AdmissionState::Admitted,
        AdmissionState::Applied => {
            return Err(Problem::field("/state", "须为 admitted、refused 或 removed / not a decision"));
        }
    };
    let decided = operator_admission::Entity::update_many()
        .col_expr(operator_admission::Column::State, Expr::value(to))
        .col_expr(operator_admission::Column::DecidedBy, Expr::value(actor.user_id))
        .col_expr(operator_admission::Column::DecidedAt, Expr::value(state.clock.now()))
        .col_expr(operator_admission::Column::Reason, Expr::value(reason.trim()))
        .filter(operator_admission::Column::Id.eq(id))
        .filter(operator_admission::Column::State.eq(from))
        .exec_with_returning(txn)
        .await?;
    let row = decided.into_iter().next().ok_or(Code::AlreadyDecided)?;
    let detail = json!({ "state": to, "organisation_id": row.organisation_id });
    let what = ("operator_admission", id.0);
    audit::record(state, txn, Some(actor.user_id), "operator_admission.decide", what, Some(round.place_id), detail)
        .await?;
    let outcome = match to {
        AdmissionState::Admitted => "已入库",
        AdmissionState::Refused => "未入库",
        _ => "已移出库",
    };
    let message = Message {
        kind: "operator_admission.decided",
        title: "运营机构库申请结果".to_owned(),
        body: format!("“{}”在“{}”中{outcome}：{}", organisation.name, round.title, reason.trim()),
        target: Some(("operator_admission", id.0)),
        dedupe_key: format!("operator_admission.decided:{id}:{to}"),
        template: Template::Need,
    };
    let people = people_of(txn, row.organisation_id).await?;
    notifications::tell_all(state, txn, &people, &message).await?;
    if to != AdmissionState::Refused {
        let notice = Notice {
            community_id: round.place_id,
            kind: if to == AdmissionState::Admitted { "operator.admitted" } else { "operator.removed" },
            title: format!("运营机构库：{}{outcome}", organisation.name),
            body: format!("“{}”：{}{outcome}。{}", round.title, organisation.name, reason.trim()),
            subject: Some(("operator_admission", id.0)),
            ..Notice::default()
        };
        notices::publish(state, txn, notice).await?;
    }
    Ok(row)
}
