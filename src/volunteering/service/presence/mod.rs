//! Who came and when: by the rotating code, by the leader's mark, by a scan that is uploaded later.

mod meeting;
mod offline;
mod review;

use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::{ShiftId, SignupId};
use entities::volunteering::{shift, signup};
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait, QuerySelect};
use serde_json::{Value, json};

use super::{advance_one, find_shift, in_charge, own, span};
use crate::audit;
use crate::identity::Actor;
use crate::places;
use crate::platform::check_in::is_good;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::volunteering::SignupState;
use crate::volunteering::domain::{self, Step};

pub(in crate::volunteering) use meeting::{Expected, Sighting, clear, expected_at, place};
pub(in crate::volunteering) use offline::{Upload, upload};
pub(in crate::volunteering) use review::{forgotten, review};

/// How somebody's coming or leaving became known.
struct Proof {
    /// `qr`, `leader`, `offline` or `review`.
    method: &'static str,
    /// The moment that counts.
    at: DateTime<Utc>,
    /// Until when the step is open does not depend on the code.
    by_mark: bool,
    /// What is stored beside method and moment.
    detail: Value,
}

/// The caller comes or leaves, holding the code on the leader's screen.
pub(in crate::volunteering) async fn check_by_code(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    shift_id: ShiftId,
    step: Step,
    code: &str,
    sighting: Option<Sighting>,
) -> Result<signup::Model, Problem> {
    let shift = find_shift(txn, shift_id).await?;
    if !is_good(state, shift_id.0, code) {
        return Err(Code::CheckInCodeInvalid.into());
    }
    let position = meeting::hint(txn, &shift, sighting).await?;
    let own = lock_own(txn, shift_id, actor).await?;
    let detail = json!({ "by": actor.user_id, "position": position });
    let proof = Proof { method: "qr", at: state.clock.now(), by_mark: false, detail };
    record(state, txn, &shift, own, step, proof).await
}

/// The caller's newest sign-up for a shift, locked.
async fn lock_own(txn: &DatabaseTransaction, shift: ShiftId, actor: &Actor) -> Result<signup::Model, Problem> {
    let own = own(shift, actor.user_id).lock(LockType::NoKeyUpdate).one(txn).await?;
    own.ok_or_else(|| Problem::new(Code::SignupState, "您没有报名这个班次 / not signed up for this shift"))
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
    if row.state == SignupState::InReview {
        return Err(Problem::new(
            Code::SignupState,
            "请在复核中填写离开时间和原因 / in review: say when they left, and why",
        ));
    }
    let detail = json!({ "by": actor.user_id });
    let proof = Proof { method: "leader", at: state.clock.now(), by_mark: true, detail };
    let marked = record(state, txn, &shift, row, step, proof).await?;
    let action = format!("signup.{}", step.word());
    audit::record(state, txn, Some(actor.user_id), &action, ("signup", id.0), Some(shift.community_id), json!({}))
        .await?;
    Ok(marked)
}

/// Somebody else's sign-up in a shift that the actor is in charge of, locked. Who is not does not learn that it exists.
pub(super) async fn of_others(
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
    proof: Proof,
) -> Result<signup::Model, Problem> {
    if row.state == step.reached() {
        return Ok(row);
    }
    domain::next(row.state, step.event()).ok_or(Code::SignupState)?;
    let early = places::rules(state, txn, shift.community_id).await?.check_in_early_minutes;
    if !step.open(span(shift), TimeDelta::minutes(early), proof.by_mark).contains(proof.at) {
        return Err(Code::CheckInWindow.into());
    }
    write(txn, row, step, proof).await
}

/// Stores a step with its proof.
async fn write(
    txn: &DatabaseTransaction,
    row: signup::Model,
    step: Step,
    proof: Proof,
) -> Result<signup::Model, Problem> {
    let Proof { method, at, mut detail, .. } = proof;
    if let Some(detail) = detail.as_object_mut() {
        detail.insert("method".to_owned(), json!(method));
        detail.insert("at".to_owned(), json!(at));
    }
    let mut all = row.proof.as_object().cloned().unwrap_or_default();
    all.insert(step.word().to_owned(), detail);
    let mut values = signup::ActiveModel { proof: Set(Value::Object(all)), ..Default::default() };
    match step {
        Step::In => values.checked_in_at = Set(Some(at)),
        Step::Out => values.checked_out_at = Set(Some(at)),
    }
    advance_one(txn, &row, step.event(), values).await
}
