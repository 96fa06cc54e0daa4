use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use entities::ids::ShiftId;
use entities::volunteering::offline_check_in as stored;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde_json::json;

use super::{Proof, Sighting, lock_own, meeting, record};
use crate::identity::Actor;
use crate::places;
use crate::platform::check_in::window_of;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::volunteering::SignupState::{CheckedIn, CheckedOut, Credited, InReview};
use crate::volunteering::domain::{self, Step};
use crate::volunteering::service::find_shift;

/// What a phone kept while it had no network.
pub(in crate::volunteering) struct Upload<'a> {
    pub step: Step,
    pub code: &'a str,
    /// When it scanned, by its own clock.
    pub device_time: DateTime<Utc>,
    /// Made by the phone, once a scan.
    pub nonce: &'a str,
    pub sighting: Option<Sighting>,
}

/// Takes up a scan from a time without a network, once a nonce; a repetition gets the first answer.
///
/// The code proves a minute, and the phone's clock may only choose within it. What the sign-up shows already, say because the
/// leader marked it, is left alone; the upload is kept as evidence.
pub(in crate::volunteering) async fn upload(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    shift_id: ShiftId,
    upload: Upload<'_>,
) -> Result<stored::Model, Problem> {
    let shift = find_shift(txn, shift_id).await?;
    // As fine as the database keeps it, so that a repetition compares equal.
    let device_time = upload.device_time.trunc_subsecs(6);
    let earlier = || stored::Entity::find_by_id((actor.user_id, upload.nonce.to_owned()));
    let same = |row: stored::Model| {
        let same = row.shift_id == shift_id && row.step == word(upload.step) && row.device_time == device_time;
        if same { Ok(row) } else { Err(Problem::from(Code::IdempotencyKeyReused)) }
    };
    if let Some(row) = earlier().one(txn).await? {
        return same(row);
    }
    let now = state.clock.now();
    if device_time > now + domain::CLOCK_DRIFT {
        return Err(Problem::field("/device_time", "手机时间晚于现在 / lies in the future"));
    }
    let hours = places::rules(state, txn, shift.community_id).await?.offline_upload_hours;
    if now > device_time + TimeDelta::hours(hours) {
        return Err(Code::OfflineTooLate.into());
    }
    let window = window_of(state, shift_id.0, upload.code, domain::scanned_windows(device_time))
        .ok_or(Code::CheckInCodeInvalid)?;
    let at = domain::proven_moment(device_time, window).min(now);
    let late = now - at > domain::CHECK_OUT_GRACE;
    let position = meeting::hint(txn, &shift, upload.sighting).await?;
    let own = lock_own(txn, shift_id, actor).await?;
    let known = match upload.step {
        Step::In => [CheckedIn, InReview, CheckedOut, Credited].contains(&own.state),
        Step::Out => [CheckedOut, Credited].contains(&own.state),
    };
    let row = stored::ActiveModel {
        user_id: Set(actor.user_id),
        nonce: Set(upload.nonce.to_owned()),
        shift_id: Set(shift_id),
        signup_id: Set(own.id),
        step: Set(word(upload.step).to_owned()),
        code_window: Set(window),
        device_time: Set(device_time),
        at: Set(at),
        received_at: Set(now),
        late: Set(late),
        applied: Set(!known),
    };
    let nothing = OnConflict::columns([stored::Column::UserId, stored::Column::Nonce]).do_nothing().to_owned();
    if stored::Entity::insert(row).on_conflict(nothing).exec_without_returning(txn).await? == 0 {
        return same(earlier().one(txn).await?.ok_or(Code::Unavailable)?);
    }
    if !known {
        if upload.step == Step::Out && own.checked_in_at.is_some_and(|came| at < came) {
            return Err(Problem::field("/device_time", "早于签到时间 / before the check-in"));
        }
        let detail = json!({ "by": actor.user_id, "position": position, "device_time": device_time,
            "received_at": now, "late": late });
        let proof = Proof { method: "offline", at, by_mark: false, detail };
        record(state, txn, &shift, own, upload.step, proof).await?;
    }
    earlier().one(txn).await?.ok_or_else(|| Code::Internal.into())
}

fn word(step: Step) -> &'static str {
    match step {
        Step::In => "in",
        Step::Out => "out",
    }
}
