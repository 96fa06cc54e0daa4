//! What the demo shows of volunteering: two activities of the seed document with shifts of the coming days. No sign-ups.

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use entities::volunteering::{activity, shift};
use sea_orm::{ActiveValue::Set, DatabaseTransaction};

use super::seed::{place_id, put, user_id};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";
const YIYUAN: &str = "/jiangan/laodong/yiyuan/";

struct Activity {
    key: &'static str,
    place: &'static str,
    /// Also the leader of its shifts.
    by: &'static str,
    title: &'static str,
    description: &'static str,
    capacity: i32,
    /// Days after the first seeding, and hours of such a day.
    days: &'static [i64],
    hours: &'static [(i64, i64)],
}

const ACTIVITIES: &[Activity] = &[
    Activity {
        key: "parking",
        place: GUANGHUA,
        by: "staff",
        title: "“红色引擎”停车值守",
        description: "车辆自治之家三班轮值：引导停放、登记来车、劝离占道。值守积分可兑换纸巾和洗车券。",
        capacity: 3,
        days: &[1, 2, 3, 4],
        hours: &[(0, 8), (8, 16), (16, 24)],
    },
    Activity {
        key: "opera",
        place: YIYUAN,
        by: "district",
        title: "楚剧小课堂",
        description: "老戏骨服务队每周教居民唱楚剧，志愿者帮忙布置场地、接待学员、递茶送水。",
        capacity: 5,
        days: &[3, 10],
        hours: &[(14, 16)],
    },
];

/// Puts in what is not there yet; see [`super::seed`]. The first seeding fixes the dates.
pub(super) async fn seed(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let now = state.clock.now();
    for item in ACTIVITIES {
        let id = ids::named(&format!("activity:{}", item.key));
        let row = activity::ActiveModel {
            id: Set(id),
            community_id: Set(place_id(item.place)),
            place_id: Set(place_id(item.place)),
            place_path: Set(item.place.to_owned()),
            title: Set(item.title.to_owned()),
            description: Set(item.description.to_owned()),
            created_by: Set(user_id(item.by)),
            created_at: Set(now),
        };
        put(txn, row).await?;
        for day in item.days {
            for (from, to) in item.hours {
                let midnight = midnight(now) + TimeDelta::days(*day);
                let row = shift::ActiveModel {
                    id: Set(ids::named(&format!("shift:{}:{day}:{from}", item.key))),
                    activity_id: Set(id),
                    community_id: Set(place_id(item.place)),
                    place_path: Set(item.place.to_owned()),
                    starts_at: Set(midnight + TimeDelta::hours(*from)),
                    ends_at: Set(midnight + TimeDelta::hours(*to)),
                    capacity: Set(item.capacity),
                    taken: Set(0),
                    leader_id: Set(user_id(item.by)),
                    created_at: Set(now),
                    ..Default::default()
                };
                put(txn, row).await?;
            }
        }
    }
    Ok(())
}

/// The last midnight in China.
fn midnight(now: DateTime<Utc>) -> DateTime<Utc> {
    let zone = FixedOffset::east_opt(8 * 3600);
    let passed = zone.map_or(0, |zone| {
        use chrono::Timelike;
        i64::from(now.with_timezone(&zone).num_seconds_from_midnight())
    });
    DateTime::from_timestamp(now.timestamp() - passed, 0).unwrap_or(now)
}
