//! What the demo shows of volunteering: two activities of the seed document with shifts of the coming days, and the parking
//! rota of 光华社区: over 20 volunteers in three teams that take turns around the clock. No sign-ups.

use chrono::TimeDelta;
use entities::ids::{ShiftTemplateId, TeamId};
use entities::teams::{MemberState, member, skill, team};
use entities::volunteering::{activity, shift, shift_template};
use sea_orm::{ActiveValue::Set, DatabaseTransaction};
use serde_json::json;

use super::seed::{place_id, put, user_id};
use crate::platform::calendar;
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
    /// They take turns.
    teams: &'static [Team],
}

struct Team {
    name: &'static str,
    /// The first leads it.
    people: &'static [&'static str],
}

/// 24 car owners and their families.
const TEAMS: &[Team] = &[
    Team {
        name: "红色引擎一队",
        people: &[
            "volunteer-1",
            "volunteer-4",
            "resident-1",
            "resident-2",
            "resident-3",
            "resident-4",
            "resident-5",
            "resident-6",
        ],
    },
    Team {
        name: "红色引擎二队",
        people: &[
            "volunteer-2",
            "volunteer-5",
            "resident-7",
            "resident-8",
            "resident-9",
            "resident-10",
            "resident-11",
            "resident-12",
        ],
    },
    Team {
        name: "红色引擎三队",
        people: &[
            "volunteer-3",
            "resident-13",
            "resident-14",
            "resident-15",
            "resident-16",
            "resident-17",
            "resident-18",
            "resident-19",
        ],
    },
];

const ACTIVITIES: &[Activity] = &[
    Activity {
        key: "parking",
        place: GUANGHUA,
        by: "staff",
        title: "“红色引擎”停车值守",
        description: "车辆自治之家三班轮值：引导停放、登记来车、劝离占道。值守积分可兑换纸巾和洗车券。",
        capacity: 3,
        days: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
        hours: &[(0, 8), (8, 16), (16, 24)],
        teams: TEAMS,
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
        teams: &[],
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
        for row in item.teams {
            put_team(state, txn, item, row).await?;
        }
        let template: Option<ShiftTemplateId> =
            (!item.teams.is_empty()).then(|| ids::named(&format!("shift-template:{}", item.key)));
        if let Some(template) = template {
            let row = shift_template::ActiveModel {
                id: Set(template),
                activity_id: Set(id),
                digest: Set(format!("demo:{}", item.key)),
                plan: Set(json!({ "rule": "FREQ=DAILY", "days": item.days.len(), "parts": item.hours })),
                created_by: Set(user_id(item.by)),
                created_at: Set(now),
            };
            put(txn, row).await?;
        }
        for (turn, day) in item.days.iter().enumerate() {
            for (part, (from, to)) in item.hours.iter().enumerate() {
                let midnight = calendar::midnight(calendar::day(now)) + TimeDelta::days(*day);
                let team = (part + turn).checked_rem(item.teams.len()).and_then(|at| item.teams.get(at));
                let led = team.and_then(|team| team.people.first()).copied().unwrap_or(item.by);
                let row = shift::ActiveModel {
                    id: Set(ids::named(&format!("shift:{}:{day}:{from}", item.key))),
                    activity_id: Set(id),
                    community_id: Set(place_id(item.place)),
                    place_path: Set(item.place.to_owned()),
                    starts_at: Set(midnight + TimeDelta::hours(*from)),
                    ends_at: Set(midnight + TimeDelta::hours(*to)),
                    capacity: Set(item.capacity),
                    taken: Set(0),
                    leader_id: Set(user_id(led)),
                    created_at: Set(now),
                    team_id: Set(team.map(team_id)),
                    template_id: Set(template),
                    planned_at: Set(template.map(|_| midnight + TimeDelta::hours(*from))),
                    ..Default::default()
                };
                put(txn, row).await?;
            }
        }
    }
    Ok(())
}

fn team_id(team: &Team) -> TeamId {
    ids::named(&format!("team:{}", team.name))
}

/// A team whose members were invited by staff and accepted. Its leader has confirmed what the second can do.
async fn put_team(state: &AppState, txn: &DatabaseTransaction, item: &Activity, row: &Team) -> Result<(), Problem> {
    let (now, by) = (state.clock.now(), user_id(item.by));
    let Some(leader) = row.people.first().copied().map(user_id) else { return Ok(()) };
    let new = team::ActiveModel {
        id: Set(team_id(row)),
        community_id: Set(place_id(item.place)),
        place_id: Set(place_id(item.place)),
        place_path: Set(item.place.to_owned()),
        name: Set(row.name.to_owned()),
        description: Set("车主和家人轮流值守，自己收费、自己管理。".to_owned()),
        leader_id: Set(leader),
        created_by: Set(by),
        created_at: Set(now),
    };
    put(txn, new).await?;
    for (at, name) in row.people.iter().enumerate() {
        let (id, person) = (ids::named(&format!("team-member:{}:{name}", row.name)), user_id(name));
        let new = member::ActiveModel {
            id: Set(id),
            team_id: Set(team_id(row)),
            user_id: Set(person),
            state: Set(MemberState::Active),
            asked_by: Set(by),
            asked_at: Set(now),
            answered_by: Set(Some(person)),
            answered_at: Set(Some(now)),
            ended_by: Set(None),
            ended_at: Set(None),
        };
        put(txn, new).await?;
        if at == 1 {
            let new = skill::ActiveModel {
                member_id: Set(id),
                skill: Set("车辆引导".to_owned()),
                user_id: Set(person),
                confirmed_by: Set(Some(leader)),
                confirmed_at: Set(Some(now)),
            };
            put(txn, new).await?;
        }
    }
    Ok(())
}
