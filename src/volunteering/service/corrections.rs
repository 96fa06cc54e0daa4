//! Sealed figures are corrected by adding: what stood before and what stands now are both visible.
//!
//! A second person corrects: in charge of the shift, and neither the volunteer nor whoever confirmed. The volunteer may ask.

use entities::ids::{CorrectionId, CorrectionRequestId, SignupId};
use entities::volunteering::{
    CorrectionRequestState, activity, correction_request as request, service_correction as correction, service_record,
    shift, signup,
};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder,
};
use serde_json::json;

use super::presence::of_others;
use super::{find_shift, span};
use crate::audit;
use crate::identity::{Actor, Permission};
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::points::{self, Earn, Quantity, RuleKey};
use crate::volunteering::SignupState;

/// Puts another figure beside a sealed one. It counts from now on for hours, stars, records and certificates. More minutes bring
/// the points that they lacked; fewer take none back.
pub(in crate::volunteering) async fn correct(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SignupId,
    minutes: i64,
    reason: &str,
) -> Result<correction::Model, Problem> {
    let (row, shift) = of_others(txn, actor, id).await?;
    let (SignupState::Credited, Some(sealed)) = (row.state, row.minutes) else {
        return Err(Code::SignupState.into());
    };
    let record = service_record::Entity::find_by_id(id).one(txn).await?.ok_or(Code::Internal)?;
    if record.recorded_by == actor.user_id {
        return Err(Problem::new(Code::OwnAct, "须由确认人以外的人更正 / somebody other than who confirmed corrects"));
    }
    let span = span(&shift);
    if minutes > span.common_minutes(span) {
        return Err(Problem::field("/minutes", "不能超过班次时长 / at most the shift's length"));
    }
    let earlier = of_signup(txn, id).await?;
    let before = earlier.last().map_or(sealed, |last| last.minutes);
    if before == minutes {
        return Err(Problem::field("/minutes", "与现有时长相同 / the figure stands already"));
    }
    // Up, down and up again brings nothing twice: only what goes beyond every figure before.
    let rewarded = earlier.iter().map(|one| one.minutes).max().unwrap_or_default().max(sealed);
    let correction_id: CorrectionId = ids::ordered(&state.clock);
    let points = match minutes - rewarded {
        more if more > 0 => reward(state, txn, actor, (&row, correction_id), more).await?,
        _ => 0,
    };
    let made = correction::ActiveModel {
        id: Set(correction_id),
        signup_id: Set(id),
        user_id: Set(row.user_id),
        community_id: Set(row.community_id),
        seq: Set(i32::try_from(earlier.len()).unwrap_or(i32::MAX)),
        minutes_before: Set(before),
        minutes: Set(minutes),
        delta: Set(minutes - before),
        points: Set(points),
        reason: Set(reason.trim().to_owned()),
        recorded_by: Set(record.recorded_by),
        corrected_by: Set(actor.user_id),
        corrected_at: Set(state.clock.now()),
    };
    let made = made.insert(txn).await?;
    answer(state, txn, actor, request::Column::SignupId.eq(id), CorrectionRequestState::Granted, reason).await?;
    let detail = json!({ "minutes_before": before, "minutes": minutes, "points": points });
    let target = ("signup", id.0);
    audit::record(state, txn, Some(actor.user_id), "signup.correct", target, Some(row.community_id), detail).await?;
    let message = Message {
        kind: "shift.corrected",
        title: format!("服务时长已更正：{before}→{minutes}分钟"),
        body: format!("原因：{}", reason.trim()),
        target: Some(target),
        dedupe_key: format!("shift.corrected:{correction_id}"),
        template: Template::Shift,
    };
    notifications::tell(state, txn, row.user_id, &message).await?;
    publish(state, txn, &shift, &made).await?;
    Ok(made)
}

/// What the community's rules grant for minutes that were missing.
async fn reward(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (row, id): (&signup::Model, CorrectionId),
    more: i64,
) -> Result<i64, Problem> {
    let earn = Earn {
        rule: RuleKey::ServiceHour,
        community_id: row.community_id,
        person: row.user_id,
        source: ("service_correction", id.0),
        quantity: Quantity::Minutes(more),
        at: row.starts_at,
        reason: format!("服务时长更正，补{more}分钟"),
        actor: Some(actor.user_id),
    };
    Ok(points::earn(state, txn, &earn).await?.granted)
}

async fn publish(
    state: &AppState,
    txn: &DatabaseTransaction,
    shift: &shift::Model,
    made: &correction::Model,
) -> Result<(), Problem> {
    let activity = activity::Entity::find_by_id(shift.activity_id).one(txn).await?.ok_or(Code::Internal)?;
    let (before, after) = (made.minutes_before, made.minutes);
    let notice = Notice {
        community_id: made.community_id,
        kind: "volunteering.correction",
        title: format!("志愿服务时长更正：{}", activity.title),
        body: format!("{}：1名志愿者的时长由{before}分钟更正为{after}分钟。", span(shift).text()),
        subject: Some(("service_correction", made.id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(())
}

/// A sign-up's corrections, oldest first.
async fn of_signup(connection: &impl ConnectionTrait, id: SignupId) -> Result<Vec<correction::Model>, Problem> {
    let all = correction::Entity::find().filter(correction::Column::SignupId.eq(id));
    Ok(all.order_by_asc(correction::Column::Seq).all(connection).await?)
}

/// The volunteer asks for another figure; one wish a record at a time.
pub(in crate::volunteering) async fn ask(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SignupId,
    minutes: Option<i64>,
    reason: &str,
) -> Result<request::Model, Problem> {
    let row = signup::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    if row.user_id != actor.user_id {
        return Err(Code::NotFound.into());
    }
    if row.state != SignupState::Credited {
        return Err(Code::SignupState.into());
    }
    let shift = find_shift(txn, row.shift_id).await?;
    let request_id: CorrectionRequestId = ids::ordered(&state.clock);
    let wish = request::ActiveModel {
        id: Set(request_id),
        signup_id: Set(id),
        user_id: Set(actor.user_id),
        community_id: Set(row.community_id),
        place_path: Set(shift.place_path),
        minutes: Set(minutes),
        reason: Set(reason.trim().to_owned()),
        state: Set(CorrectionRequestState::Open),
        answer: Set(None),
        answered_by: Set(None),
        answered_at: Set(None),
        created_at: Set(state.clock.now()),
    };
    // A literal: PostgreSQL finds the partial index by its condition only where that holds no parameter.
    let one_open = OnConflict::column(request::Column::SignupId)
        .target_and_where(Expr::cust("state = 'open'"))
        .do_nothing()
        .to_owned();
    if request::Entity::insert(wish).on_conflict(one_open).exec_without_returning(txn).await? == 0 {
        return Err(Code::CorrectionOpen.into());
    }
    let message = Message {
        kind: "shift.correction_asked",
        title: "有志愿者申请更正服务时长".to_owned(),
        body: reason.trim().to_owned(),
        target: Some(("correction_request", request_id.0)),
        dedupe_key: format!("shift.correction_asked:{request_id}"),
        template: Template::Shift,
    };
    notifications::tell(state, txn, shift.leader_id, &message).await?;
    request::Entity::find_by_id(request_id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Staff leave the figure as it is, and say why.
pub(in crate::volunteering) async fn decline(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CorrectionRequestId,
    reason: &str,
) -> Result<request::Model, Problem> {
    let wish = request::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    if wish.user_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    if !actor.may(Permission::ManageActivities, &wish.place_path) {
        return Err(Code::NotFound.into());
    }
    let declined =
        answer(state, txn, actor, request::Column::Id.eq(id), CorrectionRequestState::Declined, reason).await?;
    let declined = declined.ok_or(Code::AlreadyDecided)?;
    let target = ("correction_request", id.0);
    let place = Some(wish.community_id);
    audit::record(state, txn, Some(actor.user_id), "correction_request.decline", target, place, json!({})).await?;
    let message = Message {
        kind: "shift.correction_declined",
        title: "服务时长未更正".to_owned(),
        body: format!("原因：{}", reason.trim()),
        target: Some(("signup", wish.signup_id.0)),
        dedupe_key: format!("shift.correction_declined:{id}"),
        template: Template::Shift,
    };
    notifications::tell(state, txn, wish.user_id, &message).await?;
    Ok(declined)
}

/// Answers the open wish that a condition names, if there is one: whoever answers first has answered.
async fn answer(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    which: Expr,
    answer: CorrectionRequestState,
    text: &str,
) -> Result<Option<request::Model>, Problem> {
    let values = request::ActiveModel {
        state: Set(answer),
        answer: Set(Some(text.trim().to_owned())),
        answered_by: Set(Some(actor.user_id)),
        answered_at: Set(Some(state.clock.now())),
        ..Default::default()
    };
    let open = request::Entity::update_many()
        .set(values)
        .filter(which)
        .filter(request::Column::State.eq(CorrectionRequestState::Open));
    Ok(open.exec_with_returning(txn).await?.pop())
}
