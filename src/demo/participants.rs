//! What the demo shows of participants: the craft course of 同安社区, twice a month, with those who came counted by group.

use chrono::TimeDelta;
use entities::ids::{ActivityId, AttendanceId, SessionId};
use entities::volunteering::{
    EnrolmentState, activity, attendance, attendance_group, beneficiary_group, enrolment, session,
};
use sea_orm::{ActiveValue::Set, DatabaseTransaction};
use serde_json::json;

use super::seed::{place_id, put, user_id};
use crate::platform::calendar;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

const TONGAN: &str = "/jiangan/chezhan/tongan/";
const GROUPS: [&str; 2] = ["青年女性", "全职妈妈"];
/// Days before and after the first seeding, and what is taught.
const EVENINGS: [(i64, &str); 4] = [(-28, "插花入门"), (-14, "皮具钥匙扣"), (2, "亲子烘焙"), (16, "干花相框")];
/// Residents 1 to 12 came to those that are over.
const CAME: i64 = 12;

/// Puts in what is not there yet; see [`super::seed`]. The first seeding fixes the dates.
pub(super) async fn seed(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let now = state.clock.now();
    let course: ActivityId = ids::named("activity:craft");
    let row = activity::ActiveModel {
        id: Set(course),
        community_id: Set(place_id(TONGAN)),
        place_id: Set(place_id(TONGAN)),
        place_path: Set(TONGAN.to_owned()),
        title: Set("随艺手工课".to_owned()),
        description: Set(
            "每月两次，免费教插花、皮具和烘焙，帮助就业困难的女性掌握一技之长，也欢迎亲子参加。".to_owned()
        ),
        created_by: Set(user_id("street")),
        created_at: Set(now),
    };
    put(txn, row).await?;
    for name in GROUPS {
        let row = beneficiary_group::ActiveModel {
            activity_id: Set(course),
            name: Set(name.to_owned()),
            created_at: Set(now),
        };
        put(txn, row).await?;
    }
    for (day, title) in EVENINGS {
        let starts_at = calendar::midnight(calendar::day(now)) + TimeDelta::days(day) + TimeDelta::hours(14);
        let id: SessionId = ids::named(&format!("session:craft:{day}"));
        let over = day < 0;
        let row = session::ActiveModel {
            id: Set(id),
            activity_id: Set(course),
            community_id: Set(place_id(TONGAN)),
            place_path: Set(TONGAN.to_owned()),
            title: Set(title.to_owned()),
            starts_at: Set(starts_at),
            ends_at: Set(starts_at + TimeDelta::hours(2)),
            capacity: Set(20),
            enrolled: Set(if over { 12 } else { 0 }),
            leader_id: Set(user_id("street")),
            created_at: Set(now),
        };
        put(txn, row).await?;
        for number in (1..=CAME).filter(|_| over) {
            came(txn, course, id, number, starts_at).await?;
        }
    }
    Ok(())
}

/// A resident who enrolled and came, counted in one group or in both.
async fn came(
    txn: &DatabaseTransaction,
    course: ActivityId,
    evening: SessionId,
    number: i64,
    at: chrono::DateTime<chrono::Utc>,
) -> Result<(), Problem> {
    let person = user_id(&format!("resident-{number}"));
    let groups: Vec<&str> = match number {
        1..=5 => vec!["青年女性"],
        6 => GROUPS.to_vec(),
        _ => vec!["全职妈妈"],
    };
    let row = enrolment::ActiveModel {
        id: Set(ids::named(&format!("enrolment:{evening}:{number}"))),
        session_id: Set(evening),
        user_id: Set(person),
        state: Set(EnrolmentState::Enrolled),
        queued_at: Set(at),
        belongs_to: Set(json!(groups)),
    };
    put(txn, row).await?;
    let id: AttendanceId = ids::named(&format!("attendance:{evening}:{number}"));
    let row = attendance::ActiveModel {
        id: Set(id),
        session_id: Set(evening),
        activity_id: Set(course),
        user_id: Set(Some(person)),
        name_cipher: Set(None),
        who: Set(person.to_string()),
        method: Set("list".to_owned()),
        recorded_by: Set(user_id("street")),
        recorded_at: Set(at),
    };
    put(txn, row).await?;
    for name in groups {
        let row = attendance_group::ActiveModel {
            attendance_id: Set(id),
            activity_id: Set(course),
            name: Set(name.to_owned()),
        };
        put(txn, row).await?;
    }
    Ok(())
}
