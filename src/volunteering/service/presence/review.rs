use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, Utc};
use entities::ids::{ShiftId, SignupId, UserId};
use entities::volunteering::{activity, shift, signup};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{Proof, of_others, write};
use crate::audit;
use crate::identity::Actor;
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::{Problem, transact};
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::volunteering::SignupState;
use crate::volunteering::domain::{self, Event, Step};
use crate::volunteering::service::{advance, only_state, span};

/// At most so many sign-ups in one step of the schedule.
const FORGOTTEN: u64 = 500;

/// The schedule: who came and never checked out. A person must say until when they were there.
pub(in crate::volunteering) async fn forgotten(state: &AppState) -> Result<(), JobError> {
    loop {
        let ids: Vec<SignupId> = signup::Entity::find()
            .select_only()
            .column(signup::Column::Id)
            .filter(signup::Column::State.eq(SignupState::CheckedIn))
            .filter(signup::Column::EndsAt.lte(state.clock.now() - domain::REVIEW_AFTER))
            .order_by_asc(signup::Column::EndsAt)
            .limit(FORGOTTEN)
            .into_tuple()
            .all(state.db.read())
            .await?;
        if ids.is_empty() {
            return Ok(());
        }
        transact(state, async |txn| {
            let rows = advance(txn, &ids, SignupState::CheckedIn, Event::Forget, only_state()).await?;
            tell(state, txn, rows).await
        })
        .await?;
    }
}

/// Tells each shift's leader, and the volunteers.
async fn tell(state: &AppState, txn: &DatabaseTransaction, rows: Vec<signup::Model>) -> Result<(), Problem> {
    let mut by_shift: HashMap<ShiftId, Vec<UserId>> = HashMap::new();
    for row in rows {
        by_shift.entry(row.shift_id).or_default().push(row.user_id);
    }
    let shifts = shift::Entity::find().filter(shift::Column::Id.is_in(by_shift.keys().copied())).all(txn).await?;
    let titles = titles(txn, &shifts).await?;
    let now = state.clock.now();
    for shift in shifts {
        let people = by_shift.remove(&shift.id).unwrap_or_default();
        let when = format!("{}，{}", titles.get(&shift.id).cloned().unwrap_or_default(), span(&shift).text());
        let message = Message {
            kind: "shift.in_review",
            title: "您忘了签退".to_owned(),
            body: format!("班次负责人会核定您的离开时间：{when}"),
            target: Some(("shift", shift.id.0)),
            dedupe_key: format!("shift.in_review:{}", shift.id),
            template: Template::Shift,
        };
        notifications::tell_all(state, txn, &people, &message).await?;
        let message = Message {
            kind: "shift.to_review",
            title: format!("{}人未签退，请核定离开时间", people.len()),
            body: when,
            target: Some(("shift", shift.id.0)),
            dedupe_key: format!("shift.to_review:{}:{}", shift.id, now.timestamp_micros()),
            template: Template::Shift,
        };
        notifications::tell(state, txn, shift.leader_id, &message).await?;
    }
    Ok(())
}

/// The titles of shifts' activities.
async fn titles(txn: &DatabaseTransaction, shifts: &[shift::Model]) -> Result<HashMap<ShiftId, String>, Problem> {
    let activities = activity::Entity::find()
        .filter(activity::Column::Id.is_in(shifts.iter().map(|shift| shift.activity_id)))
        .all(txn)
        .await?;
    let titles: HashMap<_, _> = activities.into_iter().map(|row| (row.id, row.title)).collect();
    Ok(shifts.iter().filter_map(|shift| Some((shift.id, titles.get(&shift.activity_id)?.clone()))).collect())
}

/// Somebody in charge says until when a person was there who forgot to check out, and why they think so.
pub(in crate::volunteering) async fn review(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SignupId,
    left_at: DateTime<Utc>,
    reason: &str,
) -> Result<signup::Model, Problem> {
    let left_at = left_at.trunc_subsecs(6);
    let (row, shift) = of_others(txn, actor, id).await?;
    let reviewed = row.proof.pointer("/check_out/method").is_some_and(|method| method == "review");
    if row.state == SignupState::CheckedOut && reviewed && row.checked_out_at == Some(left_at) {
        return Ok(row);
    }
    if row.state != SignupState::InReview {
        return Err(Code::SignupState.into());
    }
    let now = state.clock.now();
    if row.checked_in_at.is_none_or(|came| left_at < came) {
        return Err(Problem::field("/left_at", "早于签到时间 / before the check-in"));
    }
    if left_at > now {
        return Err(Problem::field("/left_at", "须早于现在 / lies in the future"));
    }
    let detail = json!({ "by": actor.user_id, "decided_at": now, "reason": reason.trim() });
    let person = row.user_id;
    let row = write(txn, row, Step::Out, Proof { method: "review", at: left_at, by_mark: true, detail }).await?;
    let detail = json!({ "left_at": left_at });
    let target = ("signup", id.0);
    audit::record(state, txn, Some(actor.user_id), "signup.review", target, Some(shift.community_id), detail).await?;
    let message = Message {
        kind: "shift.reviewed",
        title: "您的离开时间已核定".to_owned(),
        body: format!("{}。原因：{}", domain::moment_text(left_at), reason.trim()),
        target: Some(target),
        dedupe_key: format!("shift.reviewed:{id}"),
        template: Template::Shift,
    };
    notifications::tell(state, txn, person, &message).await?;
    Ok(row)
}
