//! Service sites of the demo.

use entities::organisations::{SiteKind, site};
use sea_orm::{ActiveValue::Set, DatabaseTransaction};
use serde_json::json;

use super::organisations::organisation_id;
use super::seed::{place_id, put, user_id};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

struct Site {
    kind: SiteKind,
    name: &'static str,
    address: &'static str,
    place: &'static str,
    organisation: Option<&'static str>,
    /// Of every weekday.
    hours: (&'static str, &'static str),
    fees: &'static [(&'static str, i64)],
    /// Millionths of a degree north and east.
    at: (i64, i64),
}

const SITES: &[Site] = &[
    Site {
        kind: SiteKind::Canteen,
        name: "光华社区养老食堂",
        address: "光华社区1栋旁",
        place: "/jiangan/chezhan/guanghua/",
        organisation: None,
        hours: ("10:30", "18:30"),
        fees: &[("午餐", 1200), ("晚餐", 1000), ("80岁以上午餐", 800)],
        at: (30_612_000, 114_296_000),
    },
    Site {
        kind: SiteKind::AfterSchool,
        name: "光华社区四点半学校",
        address: "光华社区活动室",
        place: "/jiangan/chezhan/guanghua/",
        organisation: None,
        hours: ("16:00", "18:30"),
        fees: &[("每次", 0)],
        at: (30_612_600, 114_296_800),
    },
    Site {
        kind: SiteKind::Rehabilitation,
        name: "安静社区康复站",
        address: "安静社区2楼",
        place: "/jiangan/qiuchang/anjing/",
        organisation: Some("武汉晚晴枫养老助残服务中心"),
        hours: ("09:00", "17:00"),
        fees: &[("康复训练每次", 1500)],
        at: (30_604_000, 114_301_500),
    },
    Site {
        kind: SiteKind::Parenting,
        name: "随艺手工生活馆亲子课堂",
        address: "同安社区党群服务中心",
        place: "/jiangan/chezhan/tongan/",
        organisation: Some("随艺手工生活馆"),
        hours: ("09:00", "20:00"),
        fees: &[("亲子烘焙材料费", 2000)],
        at: (30_609_500, 114_299_200),
    },
    Site {
        kind: SiteKind::Employment,
        name: "文卉苑就业服务点",
        address: "文卉苑社区1楼",
        place: "/jiangan/baibuting/wenhuiyuan/",
        organisation: Some("武汉春晖社会工作服务中心"),
        hours: ("09:00", "17:30"),
        fees: &[("职业咨询", 0)],
        at: (30_664_000, 114_318_000),
    },
];

pub(super) async fn seed(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    for item in SITES {
        let Site { kind, name, address, place, organisation, hours: (from, to), fees, at: (lat_e6, lng_e6) } = item;
        let weekly: Vec<_> = (1..=5).map(|day| json!({ "weekday": day, "from": from, "to": to })).collect();
        let fees: Vec<_> = fees.iter().map(|(name, fen)| json!({ "name": name, "fen": fen })).collect();
        let row = site::ActiveModel {
            id: Set(ids::named(&format!("site:{name}"))),
            place_id: Set(place_id(place)),
            place_path: Set((*place).to_owned()),
            organisation_id: Set(organisation.map(organisation_id)),
            kind: Set(*kind),
            name: Set((*name).to_owned()),
            address: Set((*address).to_owned()),
            opening: Set(json!({ "weekly": weekly, "closed": [] })),
            fees: Set(json!(fees)),
            lat_e6: Set(*lat_e6),
            lng_e6: Set(*lng_e6),
            created_by: Set(Some(user_id("staff"))),
            created_at: Set(state.clock.now()),
            closed_at: Set(None),
        };
        put(txn, row).await?;
    }
    Ok(())
}
