//! What a sign-up says to who got points for it: how their presence is known, and who confirmed it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entities::ids::SignupId;
use entities::volunteering::{activity, shift, signup};
use sea_orm::{DatabaseConnection, EntityTrait};
use serde_json::Value;
use uuid::Uuid;

use super::domain::{Span, Step};
use crate::platform::capability::{Confirmed, Evidence, Explained, Explanation};
use crate::platform::http::Problem;

/// The word for a sign-up as a source of points.
pub(super) const KIND: &str = "signup";

pub(super) struct Signups;

#[async_trait(?Send)]
impl Explained for Signups {
    async fn explain(&self, connection: &DatabaseConnection, id: Uuid) -> Result<Option<Explanation>, Problem> {
        let Some(row) = signup::Entity::find_by_id(SignupId(id)).one(connection).await? else { return Ok(None) };
        let Some(shift) = shift::Entity::find_by_id(row.shift_id).one(connection).await? else { return Ok(None) };
        let activity = activity::Entity::find_by_id(shift.activity_id).one(connection).await?;
        let title = activity.map(|activity| activity.title).unwrap_or_default();
        let method = |step: Step| {
            let method = row.proof.get(step.word()).and_then(|proof| proof.get("method"));
            method.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let recorded = |what, step, at: Option<DateTime<Utc>>| at.map(|at| Evidence { what, method: method(step), at });
        let evidence = [recorded("签到", Step::In, row.checked_in_at), recorded("签退", Step::Out, row.checked_out_at)];
        let role = |by| if by == shift.leader_id { "班次负责人" } else { "社区工作人员" };
        let confirmed = row.confirmed_by.zip(row.confirmed_at).map(|(by, at)| Confirmed { by, role: role(by), at });
        Ok(Some(Explanation {
            what: format!("{title}，{}", Span { from: row.starts_at, to: row.ends_at }.text()),
            evidence: evidence.into_iter().flatten().collect(),
            minutes: row.minutes,
            confirmed: confirmed.into_iter().collect(),
        }))
    }
}
