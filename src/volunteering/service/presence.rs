use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use entities::ids::{ShiftId, SignupId};
use entities::volunteering::{shift, signup};
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait, QuerySelect};
use serde_json::{Value, json};

use super::{advance_one, find_shift, in_charge, own, span};
use crate::audit;
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::crypto::Purpose;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::points::{self, Earn, Quantity, RuleKey};
use crate::volunteering::SignupState;
use crate::volunteering::domain::{self, Event, Span, Step};

/// The code that a shift's screen shows in a time of 30 seconds.
pub(in crate::volunteering) fn code(state: &AppState, shift: ShiftId, window: i64) -> String {
    let signature = state.keys.sign(Purpose::CheckIn, &signed(shift, window));
    URL_SAFE_NO_PAD.encode(signature.get(..12).unwrap_or_default())
}

fn signed(shift: ShiftId, window: i64) -> Vec<u8> {
    [shift.0.as_bytes().as_slice(), &window.to_be_bytes()].concat()
}

fn is_good(state: &AppState, shift: ShiftId, code: &str) -> bool {
    URL_SAFE_NO_PAD.decode(code).is_ok_and(|signature| {
        domain::good_windows(state.clock.now())
            .into_iter()
            .any(|window| state.keys.verify(Purpose::CheckIn, &signed(shift, window), &signature))
    })
}

/// How somebody's coming or leaving became known.
struct Proof<'a> {
    by: &'a Actor,
    /// Whether the leader or staff say so, rather than the code.
    mark: bool,
    /// Where the phone said it was: a hint for the leader, good for nothing else.
    position: Option<Value>,
}

/// The caller comes or leaves, holding the code on the leader's screen.
pub(in crate::volunteering) async fn check_by_code(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    shift_id: ShiftId,
    step: Step,
    code: &str,
    position: Option<Value>,
) -> Result<signup::Model, Problem> {
    let shift = find_shift(txn, shift_id).await?;
    if !is_good(state, shift_id, code) {
        return Err(Code::CheckInCodeInvalid.into());
    }
    let own = own(shift_id, actor.user_id).lock(LockType::NoKeyUpdate).one(txn).await?;
    let own =
        own.ok_or_else(|| Problem::new(Code::SignupState, "您没有报名这个班次 / not signed up for this shift"))?;
    record(state, txn, &shift, own, step, Proof { by: actor, mark: false, position }).await
}

/// The leader or staff say that somebody came or left.
pub(in crate::volunteering) async fn check_by_mark(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SignupId,
    step: Step,
) -> Result<signup::Model, Problem> {
    let (row, shift) = of_others(txn, actor, id).await?;
    let marked = record(state, txn, &shift, row, step, Proof { by: actor, mark: true, position: None }).await?;
    let action = format!("signup.{}", step.word());
    audit::record(state, txn, Some(actor.user_id), &action, ("signup", id.0), Some(shift.community_id), json!({}))
        .await?;
    Ok(marked)
}

/// Somebody else's sign-up in a shift that the actor is in charge of, locked. Who is not does not learn that it exists.
async fn of_others(
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SignupId,
) -> Result<(signup::Model, shift::Model), Problem> {
    let row = signup::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or(Code::NotFound)?;
    if row.user_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let shift = find_shift(txn, row.shift_id).await?;
    if in_charge(actor, &shift) { Ok((row, shift)) } else { Err(Code::NotFound.into()) }
}

async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    shift: &shift::Model,
    row: signup::Model,
    step: Step,
    proof: Proof<'_>,
) -> Result<signup::Model, Problem> {
    if row.state == step.reached() {
        return Ok(row);
    }
    domain::next(row.state, step.event()).ok_or(Code::SignupState)?;
    let now = state.clock.now();
    let early = TimeDelta::minutes(state.config.rules.check_in_early_minutes);
    if !step.open(span(shift), early, proof.mark).contains(now) {
        return Err(Code::CheckInWindow.into());
    }
    let method = if proof.mark { "leader" } else { "qr" };
    let mut all = row.proof.as_object().cloned().unwrap_or_default();
    all.insert(
        step.word().to_owned(),
        json!({ "method": method, "by": proof.by.user_id, "at": now, "position": proof.position }),
    );
    let mut values = signup::ActiveModel { proof: Set(Value::Object(all)), ..Default::default() };
    match step {
        Step::In => values.checked_in_at = Set(Some(now)),
        Step::Out => values.checked_out_at = Set(Some(now)),
    }
    advance_one(txn, &row, step.event(), values).await
}

/// What a confirmed presence is worth.
pub(in crate::volunteering) struct Credit {
    pub minutes: i64,
    pub points: i64,
}

/// Confirms somebody's presence: minutes and points, once; later calls give the same. Nobody confirms their own.
pub(in crate::volunteering) async fn confirm(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SignupId,
) -> Result<Credit, Problem> {
    let (row, shift) = of_others(txn, actor, id).await?;
    if let (SignupState::Credited, Some(minutes), Some(points)) = (row.state, row.minutes, row.points) {
        return Ok(Credit { minutes, points });
    }
    let (Some(from), Some(to)) = (row.checked_in_at, row.checked_out_at) else { return Err(Code::SignupState.into()) };
    let minutes = Span { from, to }.common_minutes(span(&shift));
    let points = reward(state, txn, actor, &row, &shift, minutes).await?;
    let values = signup::ActiveModel {
        minutes: Set(Some(minutes)),
        points: Set(Some(points)),
        confirmed_by: Set(Some(actor.user_id)),
        confirmed_at: Set(Some(state.clock.now())),
        ..Default::default()
    };
    advance_one(txn, &row, Event::Credit, values).await?;
    let detail = json!({ "minutes": minutes, "points": points });
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "signup.confirm",
        ("signup", id.0),
        Some(shift.community_id),
        detail,
    )
    .await?;
    Ok(Credit { minutes, points })
}

/// What the community's rules grant for a presence: for its minutes, and for the shift if there was a minute of it.
async fn reward(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    row: &signup::Model,
    shift: &shift::Model,
    minutes: i64,
) -> Result<i64, Problem> {
    let (Some(from), Some(to)) = (row.checked_in_at, row.checked_out_at) else { return Err(Code::SignupState.into()) };
    let served = (from.max(shift.starts_at), to.min(shift.ends_at));
    let earn = Earn {
        rule: RuleKey::ServiceHour,
        community_id: shift.community_id,
        person: row.user_id,
        source: ("signup", row.id.0),
        quantity: Quantity::Service(vec![served]),
        at: served.0,
        reason: format!("志愿服务{minutes}分钟"),
        actor: Some(actor.user_id),
    };
    let for_hours = points::earn(state, txn, &earn).await?;
    if minutes == 0 {
        return Ok(for_hours.granted);
    }
    let reason = "完成志愿班次".to_owned();
    let whole = Earn { rule: RuleKey::ServiceShift, quantity: Quantity::Once, reason, ..earn };
    Ok(for_hours.granted + points::earn(state, txn, &whole).await?.granted)
}
