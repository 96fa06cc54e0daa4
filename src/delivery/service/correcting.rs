//! Corrections: another figure beside a sealed one. Both can be read, with who put it there and why.

use entities::delivery::{
    Corrected, CountOf, ServiceState, service, service_correction, service_count, service_person,
};
use entities::ids::{BeneficiaryId, ServiceId};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder,
};
use serde_json::json;

use super::handing_in::{groups_of, indicators_of};
use super::recording::of_insider;
use crate::audit;
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::projects;

/// A correction to be made.
pub(in crate::delivery) struct NewCorrection<'a> {
    pub what: Corrected,
    /// The group or the indicator, where it is of one.
    pub name: Option<&'a str>,
    pub beneficiary_id: Option<BeneficiaryId>,
    /// What should stand; nothing for somebody who was not there.
    pub stands: Option<i64>,
    pub reason: &'a str,
}

/// Supervisor or staff put another figure beside a sealed one; whoever recorded it does not.
pub(in crate::delivery) async fn correct(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ServiceId,
    new: &NewCorrection<'_>,
) -> Result<service_correction::Model, Problem> {
    let row = of_insider(txn, actor, id).await?;
    // The lock makes corrections of one project come one after the other: each says what stood before it.
    let project = projects::lock(txn, row.project_id).await?;
    super::require(txn, actor, &project, |is| is.supervisor || is.staff).await?;
    let row = service::Entity::find_by_id(row.id).one(txn).await?.ok_or(Code::NotFound)?;
    if row.state != ServiceState::Confirmed {
        return Err(Code::ServiceNotSealed.into());
    }
    if row.recorded_by == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let name = target(txn, &row, new).await?;
    let sheet = Sheet::load(txn, row).await?;
    let row = &sheet.row;
    let was = sheet.figure(new.what, &name, new.beneficiary_id);
    let stands = match (new.what, new.stands) {
        (Corrected::Absent, None) => 0,
        (Corrected::Absent, Some(_)) | (_, None) => {
            return Err(Problem::field("/stands", "除“未到场”外必填 / a figure, but for `absent`"));
        }
        (_, Some(stands)) => stands,
    };
    if stands == was {
        return Err(match new.what {
            Corrected::Absent => Code::AlreadyDecided.into(),
            _ => Problem::field("/stands", "与现有数字相同 / that is what stands"),
        });
    }
    if !sheet.holds(new.what, stands) {
        return Err(Problem::field("/stands", "群体人次不能多于总人次 / a group has not more than all"));
    }
    let correction = service_correction::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        service_id: Set(id),
        project_id: Set(row.project_id),
        what: Set(new.what),
        name: Set(name),
        beneficiary_id: Set(new.beneficiary_id),
        seq: Set(sheet.corrections.last().map_or(0, |last| last.seq) + 1),
        was: Set(was),
        stands: Set(stands),
        delta: Set(stands - was),
        reason: Set(new.reason.to_owned()),
        recorded_by: Set(row.recorded_by),
        corrected_by: Set(actor.user_id),
        corrected_at: Set(state.clock.now()),
    };
    let correction = correction.insert(txn).await?;
    let detail = json!({ "service_id": id, "what": new.what, "was": was, "stands": stands });
    let (target, place) = (("project", project.id.0), Some(project.place_id));
    audit::record(state, txn, Some(actor.user_id), "project.service_corrected", target, place, detail).await?;
    let body = format!("{}：{} → {}。{}", row.held_on, was, stands, new.reason);
    let kind = ("project.service_corrected", correction.id.0);
    super::tell(state, txn, &[row.recorded_by], kind, "服务记录被更正", body, project.id).await?;
    Ok(correction)
}

/// The name that a correction is about; empty for what has none.
async fn target(txn: &DatabaseTransaction, row: &service::Model, new: &NewCorrection<'_>) -> Result<String, Problem> {
    if (new.what == Corrected::Absent) != new.beneficiary_id.is_some() {
        return Err(Problem::field("/beneficiary_id", "仅更正“未到场”时填写 / for `absent`, and only then"));
    }
    let wrong = || Problem::field("/name", "须为该项目的服务群体或指标 / a group or indicator of the project");
    match (new.what, new.name) {
        (Corrected::GroupHeads, Some(name)) => {
            let known = groups_of(txn, row.project_id).await?;
            known.into_iter().find(|group| group == name).ok_or_else(wrong)
        }
        (Corrected::Indicator, Some(name)) => {
            let known = indicators_of(txn, row.project_id).await?;
            known.into_iter().map(|row| row.name).find(|known| known == name).ok_or_else(wrong)
        }
        (Corrected::Heads | Corrected::Reached, None) => Ok(String::new()),
        (Corrected::Absent, None) => {
            let there = (row.id, new.beneficiary_id.ok_or(Code::NotFound)?);
            let known = service_person::Entity::find_by_id(there).one(txn).await?;
            known
                .map(|_| String::new())
                .ok_or_else(|| Problem::field("/beneficiary_id", "不在该次服务的名单中 / not on this service's list"))
        }
        _ => Err(wrong()),
    }
}

/// What was sealed of a service, and every correction of it.
struct Sheet {
    row: service::Model,
    counts: Vec<service_count::Model>,
    corrections: Vec<service_correction::Model>,
}

impl Sheet {
    async fn load(connection: &impl ConnectionTrait, row: service::Model) -> Result<Self, Problem> {
        let counts = service_count::Entity::find().filter(service_count::Column::ServiceId.eq(row.id));
        let corrections = service_correction::Entity::find()
            .filter(service_correction::Column::ServiceId.eq(row.id))
            .order_by_asc(service_correction::Column::Seq);
        let (counts, corrections) = (counts.all(connection).await?, corrections.all(connection).await?);
        Ok(Self { row, counts, corrections })
    }

    /// A figure as it stands.
    fn figure(&self, what: Corrected, name: &str, person: Option<BeneficiaryId>) -> i64 {
        let counted =
            |of| self.counts.iter().find(|row| row.what == of && row.name == name).map_or(0, |row| row.amount);
        let sealed = match what {
            Corrected::Heads => self.row.heads,
            Corrected::Reached => self.row.reached,
            Corrected::Absent => 1,
            Corrected::GroupHeads => counted(CountOf::Heads),
            Corrected::Indicator => counted(CountOf::Indicator),
        };
        let of_it = self
            .corrections
            .iter()
            .filter(|row| (row.what, row.name.as_str(), row.beneficiary_id) == (what, name, person));
        of_it.fold(sealed, |sum, row| sum + row.delta)
    }

    /// The heads of a group are among all heads, after a correction too.
    fn holds(&self, what: Corrected, stands: i64) -> bool {
        match what {
            Corrected::Heads => {
                let named = self.counts.iter().filter(|row| row.what == CountOf::Heads).map(|row| row.name.as_str());
                let corrected = self.corrections.iter().filter(|row| row.what == Corrected::GroupHeads);
                let mut groups = named.chain(corrected.map(|row| row.name.as_str()));
                groups.all(|name| self.figure(Corrected::GroupHeads, name, None) <= stands)
            }
            Corrected::GroupHeads => stands <= self.figure(Corrected::Heads, "", None),
            _ => true,
        }
    }
}
