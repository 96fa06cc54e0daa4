//! Presence becomes minutes, points and a public notice, once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{ShiftId, SignupId, UserId};
use entities::volunteering::{activity, service_record, shift, signup};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use super::presence::of_others;
use super::{advance_one, find_shift, in_charge, span};
use crate::audit;
use crate::identity::Actor;
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::points::{self, Earn, Quantity, RuleKey};
use crate::volunteering::SignupState;
use crate::volunteering::domain::{Event, Span};

/// At most so many sign-ups of a shift in one call.
pub(in crate::volunteering) const AT_ONCE: u64 = 200;

/// What the ministry's record asks for beside presence.
#[derive(Clone, Copy, Default)]
pub(in crate::volunteering) struct Particulars<'a> {
    pub people_served: Option<i32>,
    /// What was done; the activity's title if nobody says.
    pub content: Option<&'a str>,
    /// 1 to 5.
    pub rating: Option<i32>,
    /// Who was responsible; the shift's leader if nobody says.
    pub responsible: Option<&'a str>,
}

/// What a confirmed presence is worth.
#[derive(Clone, Copy)]
pub(in crate::volunteering) struct Credit {
    pub minutes: i64,
    pub points: i64,
}

/// One confirmation: one or more sign-ups of a shift, one notice.
struct Batch<'a> {
    state: &'a AppState,
    txn: &'a DatabaseTransaction,
    actor: &'a Actor,
    id: Uuid,
    shift: &'a shift::Model,
    title: String,
    content: String,
    responsible: String,
    people_served: Option<i32>,
}

impl<'a> Batch<'a> {
    async fn begin(
        state: &'a AppState,
        txn: &'a DatabaseTransaction,
        actor: &'a Actor,
        shift: &'a shift::Model,
        particulars: Particulars<'_>,
    ) -> Result<Self, Problem> {
        let activity = activity::Entity::find_by_id(shift.activity_id).one(txn).await?.ok_or(Code::Internal)?;
        let responsible = match particulars.responsible {
            Some(name) => name.trim().to_owned(),
            None => user::Entity::find_by_id(shift.leader_id).one(txn).await?.ok_or(Code::Internal)?.nickname,
        };
        Ok(Self {
            state,
            txn,
            actor,
            id: ids::ordered(&state.clock),
            shift,
            content: particulars.content.map_or_else(|| activity.title.clone(), |text| text.trim().to_owned()),
            title: activity.title,
            responsible,
            people_served: particulars.people_served,
        })
    }

    /// Credits one locked sign-up.
    async fn credit(&self, row: signup::Model, rating: Option<i32>) -> Result<Credit, Problem> {
        let Self { state, txn, actor, shift, .. } = self;
        let (Some(from), Some(to)) = (row.checked_in_at, row.checked_out_at) else {
            return Err(Code::SignupState.into());
        };
        let now = state.clock.now();
        let minutes = Span { from, to }.common_minutes(span(shift));
        let points = self.reward(&row, (from, to), minutes).await?;
        let values = signup::ActiveModel {
            minutes: Set(Some(minutes)),
            points: Set(Some(points)),
            confirmed_by: Set(Some(actor.user_id)),
            confirmed_at: Set(Some(now)),
            ..Default::default()
        };
        let row = advance_one(txn, &row, Event::Credit, values).await?;
        let record = service_record::ActiveModel {
            signup_id: Set(row.id),
            batch_id: Set(self.id),
            shift_id: Set(shift.id),
            user_id: Set(row.user_id),
            community_id: Set(shift.community_id),
            minutes: Set(minutes),
            people_served: Set(self.people_served),
            content: Set(self.content.clone()),
            rating: Set(rating),
            responsible: Set(self.responsible.clone()),
            recorded_by: Set(actor.user_id),
            recorded_at: Set(now),
        };
        record.insert(*txn).await?;
        let detail = json!({ "minutes": minutes, "points": points, "batch_id": self.id });
        let target = ("signup", row.id.0);
        audit::record(state, *txn, Some(actor.user_id), "signup.confirm", target, Some(shift.community_id), detail)
            .await?;
        // Points that arrive tell the person; without any they are told all the same.
        if points == 0 {
            let message = Message {
                kind: "shift.credited",
                title: format!("服务时长已确认：{minutes}分钟"),
                body: format!("{}，{}", self.title, span(shift).text()),
                target: Some(target),
                dedupe_key: format!("shift.credited:{}", row.id),
                template: Template::Shift,
            };
            notifications::tell(state, *txn, row.user_id, &message).await?;
        }
        Ok(Credit { minutes, points })
    }

    /// What the community's rules grant for a presence: for its minutes, and for the shift if there was a minute of it.
    async fn reward(
        &self,
        row: &signup::Model,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        minutes: i64,
    ) -> Result<i64, Problem> {
        let Self { state, txn, actor, shift, .. } = self;
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

    /// Makes the confirmation public: how many people, how many minutes.
    async fn publish(self, people: usize, minutes: i64) -> Result<(), Problem> {
        let notice = Notice {
            community_id: self.shift.community_id,
            kind: "volunteering.hours",
            title: format!("志愿服务时长：{}", self.title),
            body: format!("{}：{people}名志愿者，共{minutes}分钟。", span(self.shift).text()),
            subject: Some(("service_batch", self.id)),
            ..Notice::default()
        };
        notices::publish(self.state, self.txn, notice).await?;
        Ok(())
    }
}

/// Confirms somebody's presence: minutes and points, once; later calls give the same. Nobody confirms their own.
pub(in crate::volunteering) async fn confirm(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SignupId,
    particulars: Particulars<'_>,
) -> Result<Credit, Problem> {
    let (row, shift) = of_others(txn, actor, id).await?;
    if let (SignupState::Credited, Some(minutes), Some(points)) = (row.state, row.minutes, row.points) {
        return Ok(Credit { minutes, points });
    }
    let batch = Batch::begin(state, txn, actor, &shift, particulars).await?;
    let credit = batch.credit(row, particulars.rating).await?;
    batch.publish(1, credit.minutes).await?;
    Ok(credit)
}

/// What became of one sign-up when its shift was confirmed.
pub(in crate::volunteering) struct Settled {
    pub signup_id: SignupId,
    pub user_id: UserId,
    /// Or why not.
    pub outcome: Result<Credit, Code>,
}

/// Which of a shift's sign-ups, and what is different for some of them.
#[derive(Default)]
pub(in crate::volunteering) struct Choice<'a> {
    pub leave_out: &'a [SignupId],
    pub ratings: HashMap<SignupId, i32>,
}

/// Confirms all of a shift that have checked out, up to [`AT_ONCE`], and says of each of the others that came why not. Gives how
/// many remain for the next call as well.
pub(in crate::volunteering) async fn confirm_shift(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    shift_id: ShiftId,
    particulars: Particulars<'_>,
    choice: &Choice<'_>,
) -> Result<(Vec<Settled>, u64), Problem> {
    let shift = find_shift(txn, shift_id).await?;
    if !in_charge(actor, &shift) {
        return Err(Code::NotFound.into());
    }
    let out = signup::Entity::find()
        .filter(signup::Column::ShiftId.eq(shift_id))
        .filter(signup::Column::State.eq(SignupState::CheckedOut))
        .filter(signup::Column::UserId.ne(actor.user_id))
        .filter(signup::Column::Id.is_not_in(choice.leave_out.iter().copied()));
    // In the order of people, which is the order in which the ledger locks their wallets.
    let ready = out.clone().order_by_asc(signup::Column::UserId).limit(AT_ONCE).lock(LockType::NoKeyUpdate);
    let ready = ready.all(txn).await?;
    let mut settled = Vec::with_capacity(ready.len());
    let batch = Batch::begin(state, txn, actor, &shift, particulars).await?;
    let mut minutes = 0;
    for row in ready {
        // PostgreSQL locks a row as it has become meanwhile: somebody else may have confirmed it.
        if row.state != SignupState::CheckedOut {
            continue;
        }
        let (signup_id, user_id) = (row.id, row.user_id);
        let rating = choice.ratings.get(&signup_id).copied().or(particulars.rating);
        let credit = batch.credit(row, rating).await?;
        minutes += credit.minutes;
        settled.push(Settled { signup_id, user_id, outcome: Ok(credit) });
    }
    let remaining = out.count(txn).await?;
    settled.extend(others(txn, actor, shift_id).await?);
    let credited = settled.iter().filter(|one| one.outcome.is_ok()).count();
    if credited > 0 {
        batch.publish(credited, minutes).await?;
    }
    Ok((settled, remaining))
}

/// Who came and cannot be confirmed in this call, and why.
async fn others(txn: &DatabaseTransaction, actor: &Actor, shift_id: ShiftId) -> Result<Vec<Settled>, Problem> {
    let rows = signup::Entity::find()
        .filter(signup::Column::ShiftId.eq(shift_id))
        .filter(signup::Column::State.is_in([SignupState::CheckedIn, SignupState::InReview, SignupState::CheckedOut]))
        .order_by_asc(signup::Column::Id)
        .limit(AT_ONCE)
        .all(txn)
        .await?;
    let why = |row: &signup::Model| match row.state {
        SignupState::CheckedOut if row.user_id == actor.user_id => Some(Code::OwnAct),
        SignupState::CheckedOut => None,
        _ => Some(Code::SignupState),
    };
    let others = rows.into_iter().filter_map(|row| {
        let outcome = Err(why(&row)?);
        Some(Settled { signup_id: row.id, user_id: row.user_id, outcome })
    });
    Ok(others.collect())
}
