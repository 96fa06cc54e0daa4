//! What the demo shows of certificates: `volunteer-5` served two shifts before Linli gave points, and has a certificate of them.
//!
//! Unlike the rest it is made by the services themselves, for it has a number and a notice.

use chrono::{NaiveDate, TimeDelta};
use entities::certificates::certificate;
use entities::ids::{ShiftId, SignupId};
use entities::volunteering::{SignupState, service_record, shift, signup};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::seed::{place_id, put, user_id};
use crate::certificates::{self, DocumentType, Issuer, Profile, Scope, Sex};
use crate::identity::Actor;
use crate::platform::calendar;
use crate::platform::http::{Caller, Problem, transact};
use crate::platform::ids;
use crate::platform::state::{AppState, SetupError};

const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";
const VOLUNTEER: &str = "volunteer-5";

/// Does what is not done yet; the seed's people and activities must be there.
pub(super) async fn act(state: &AppState) -> Result<(), SetupError> {
    let has = certificate::Entity::find().filter(certificate::Column::UserId.eq(user_id(VOLUNTEER)));
    if has.count(state.db.read()).await? > 0 {
        return Ok(());
    }
    let [volunteer, staff] = [actor(state, VOLUNTEER).await?, actor(state, "staff").await?];
    transact(state, async |txn| {
        serve(state, txn).await?;
        let profile = Profile {
            sex: Sex::Female,
            birth: NaiveDate::from_ymd_opt(1958, 3, 8).unwrap_or_default(),
            document_type: DocumentType::Passport,
            // A number that belongs to nobody.
            document_number: "E00000005".to_owned(),
            skills: vec!["急救".to_owned(), "楚剧".to_owned()],
        };
        certificates::keep_profile(state, txn, &volunteer, &profile).await?;
        let scope = Scope { person: volunteer.user_id, community_id: place_id(GUANGHUA), from: None, to: None };
        let issuer = Issuer { name: None, responsible: "周永福", handler: None, contact: "027-00000000" };
        certificates::issue_for(state, txn, &staff, scope, &issuer).await.map(drop)
    })
    .await?;
    Ok(())
}

async fn actor(state: &AppState, name: &str) -> Result<Actor, Problem> {
    Actor::load(state, Caller { user_id: user_id(name), family: Uuid::nil() }).await
}

/// Two shifts of eight hours that were confirmed.
async fn serve(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let now = state.clock.now();
    for day in [-10, -7] {
        let starts_at = calendar::midnight(calendar::day(now)) + TimeDelta::days(day) + TimeDelta::hours(8);
        let ends_at = starts_at + TimeDelta::hours(8);
        let id: ShiftId = ids::named(&format!("shift:parking:{day}"));
        let row = shift::ActiveModel {
            id: Set(id),
            activity_id: Set(ids::named("activity:parking")),
            community_id: Set(place_id(GUANGHUA)),
            place_path: Set(GUANGHUA.to_owned()),
            starts_at: Set(starts_at),
            ends_at: Set(ends_at),
            capacity: Set(3),
            taken: Set(1),
            leader_id: Set(user_id("staff")),
            created_at: Set(now),
            ..Default::default()
        };
        put(txn, row).await?;
        let signup_id: SignupId = ids::named(&format!("signup:parking:{day}"));
        let row = signup::ActiveModel {
            id: Set(signup_id),
            shift_id: Set(id),
            user_id: Set(user_id(VOLUNTEER)),
            community_id: Set(place_id(GUANGHUA)),
            state: Set(SignupState::Credited),
            starts_at: Set(starts_at),
            ends_at: Set(ends_at),
            rests_until: Set(ends_at),
            queued_at: Set(starts_at),
            checked_in_at: Set(Some(starts_at)),
            checked_out_at: Set(Some(ends_at)),
            proof: Set(json!({})),
            minutes: Set(Some(480)),
            points: Set(Some(0)),
            confirmed_by: Set(Some(user_id("staff"))),
            confirmed_at: Set(Some(ends_at)),
            ..Default::default()
        };
        put(txn, row).await?;
        let row = service_record::ActiveModel {
            signup_id: Set(signup_id),
            // As of what was confirmed before there were records: no batch, no notice.
            batch_id: Set(signup_id.0),
            shift_id: Set(id),
            user_id: Set(user_id(VOLUNTEER)),
            community_id: Set(place_id(GUANGHUA)),
            minutes: Set(480),
            people_served: Set(Some(60)),
            content: Set("引导停放、登记来车、劝离占道".to_owned()),
            rating: Set(Some(5)),
            responsible: Set("周永福".to_owned()),
            recorded_by: Set(user_id("staff")),
            recorded_at: Set(ends_at),
        };
        put(txn, row).await?;
    }
    Ok(())
}
