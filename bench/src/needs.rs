//! Fifty thousand open needs: how long a page of a district's list takes, and how long it takes to find those that are like what
//! somebody is about to write.
//!
//! All of them lie in one community, where one question meets them all: a real one has some hundreds, and a district as many as these.

use std::fmt::Write;
use std::time::Instant;

use entities::ids::{NeedId, PlaceId};
use entities::needs::{NeedCategory, NeedChannel, NeedState, Urgency, need, term};
use linli::demo::place_id;
use linli::needs::words;
use linli::platform::ids;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use crate::people::{self, insert};
use crate::stage::Stage;
use crate::{Failure, say};

/// Nobody else needs anything there.
const COMMUNITY: &str = "/jiangan/baibuting/wenhuiyuan/";
const DISTRICT: &str = "/jiangan/";

/// What is wrong with what.
const THINGS: [(&str, &[&str]); 20] = [
    ("楼道灯", &["不亮", "一闪一闪", "白天也亮着", "灯罩要掉下来"]),
    ("路灯", &["不亮", "太暗", "被树挡住", "半夜就熄"]),
    ("电梯", &["常停", "关人", "按键失灵", "一直有异响"]),
    ("下水道", &["堵了", "往外冒水", "有臭味", "井盖松动"]),
    ("楼顶", &["漏水", "防水层翘起", "有人堆杂物", "积水不退"]),
    ("停车位", &["不够", "被占用", "划线看不清", "堵住消防通道"]),
    ("电动车", &["进楼充电", "没有充电棚", "停在楼道", "挡住单元门"]),
    ("垃圾桶", &["离得太远", "满了没人收", "夏天味道大", "没有分类"]),
    ("健身器材", &["坏了", "螺丝松动", "太少", "地面太硬"]),
    ("楼梯扶手", &["松了", "缺一段", "只有一边有", "生锈划手"]),
    ("坡道", &["太陡", "轮椅上不去", "雨天打滑", "被车挡住"]),
    ("养老食堂", &["太远", "菜太咸", "中午排队长", "不送餐"]),
    ("儿童活动区", &["没有围栏", "滑梯破损", "晚上没有灯", "地垫翘边"]),
    ("门禁", &["失灵", "老人不会用", "总被人顶开", "没有对讲"]),
    ("快递柜", &["不够用", "放得太高", "常断电", "离楼太远"]),
    ("绿化带", &["被踩秃", "杂草太高", "有人种菜", "树枝碰到窗户"]),
    ("水管", &["爆裂", "水压太低", "早上是黄水", "冻坏"]),
    ("广场舞", &["声音太大", "太晚还在跳", "占了通道", "想换个地方"]),
    ("宠物狗", &["不拴绳", "随地大小便", "夜里一直叫", "吓到孩子"]),
    ("墙皮", &["脱落", "发霉", "裂缝", "掉下来砸到车"]),
];

/// Who it is for.
const PEOPLE: [&str; 10] = [
    "老人晚上下楼怕摔跤",
    "孩子放学路过不安全",
    "坐轮椅的邻居出不了门",
    "上夜班的人回来看不清",
    "推婴儿车的妈妈过不去",
    "独居的奶奶说了好几次",
    "残疾邻居一个人没办法",
    "租房的年轻人也反映过",
    "一楼住户天天受影响",
    "来串门的亲戚差点受伤",
];

/// What is asked for.
const WISHES: [&str; 8] = [
    "希望尽快检修。",
    "请社区找物业来看一看。",
    "能不能换一个新的？",
    "想请大家商量一个办法。",
    "盼望这个月能解决。",
    "请志愿者先帮忙提醒。",
    "最好装一个牌子说明。",
    "愿意出一部分钱。",
];

/// Need number so many: every number says something else.
fn text(number: u32) -> (String, String) {
    let at = |among: usize, from: u32| usize::try_from(from).unwrap_or_default() % among.max(1);
    let (thing, wrongs) = THINGS.get(at(THINGS.len(), number)).copied().unwrap_or_default();
    let wrong = wrongs.get(at(wrongs.len(), number / 20)).copied().unwrap_or_default();
    let whom = PEOPLE.get(at(PEOPLE.len(), number / 80)).copied().unwrap_or_default();
    let wish = WISHES.get(at(WISHES.len(), number / 800)).copied().unwrap_or_default();
    let (building, unit) = (1 + number / 6400, 1 + number / 3 % 4);
    (format!("{building}栋{unit}单元{thing}{wrong}"), format!("{building}栋{unit}单元的{thing}{wrong}，{whom}，{wish}"))
}

/// What somebody asks before they write it: a thing and a trouble that thousands have named.
pub fn question() -> String {
    let encoded = |text: &str| {
        text.bytes().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "%{byte:02X}");
            text
        })
    };
    let (title, body) = ("三单元楼道灯坏了不亮", "老人晚上下楼看不清台阶，怕摔跤，想请社区尽快检修，最好换成感应灯。");
    format!("/needs/similar?place_id={}&title={}&body={}", community(), encoded(title), encoded(body))
}

/// The first page of everything that the district needs.
pub fn list() -> String {
    format!("/needs?place_id={}", place_id(DISTRICT))
}

fn community() -> PlaceId {
    place_id(COMMUNITY)
}

/// Puts so many needs in with the words they are found by, unless they are there.
pub async fn fill(stage: &Stage, count: u32) -> Result<(), Failure> {
    let there = need::Entity::find().filter(need::Column::CommunityId.eq(community()));
    if there.count(stage.state.db.read()).await? > 0 {
        return Ok(());
    }
    say(&format!("{count} open needs"));
    let start = Instant::now();
    let now = stage.state.clock.now();
    let mut rows = Vec::new();
    let mut found_by = Vec::new();
    for number in 0..count {
        let id: NeedId = ids::ordered(&stage.state.clock);
        let (title, body) = text(number);
        let said = words(&title, &body);
        found_by.extend(said.terms.into_iter().map(|one| term::ActiveModel {
            need_id: Set(id),
            term: Set(one.word),
            community_id: Set(community()),
            weight: Set(one.weight),
            length: Set(said.length),
        }));
        rows.push(need::ActiveModel {
            id: Set(id),
            community_id: Set(community()),
            place_id: Set(community()),
            place_path: Set(COMMUNITY.to_owned()),
            author_id: Set(Some(people::id(number % 100))),
            category: Set(NeedCategory::Convenience),
            title: Set(title),
            body: Set(body),
            anonymous: Set(false),
            state: Set(NeedState::Published),
            hidden: Set(false),
            support_count: Set(0),
            created_at: Set(now),
            published_at: Set(Some(now)),
            channel: Set(NeedChannel::MiniProgram),
            urgency: Set(Urgency::Normal),
            beneficiary_groups: Set(json!([])),
            indexed_at: Set(Some(now)),
            ..Default::default()
        });
    }
    let words = found_by.len();
    insert(&stage.state, rows).await?;
    insert(&stage.state, found_by).await?;
    say(&format!("  with {words} words in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn needs_differ_and_fit() {
        let all: HashSet<_> = (0..50_000).map(text).collect();
        assert!(all.len() > 45_000, "{}", all.len());
        assert!(all.iter().all(|(title, _)| title.chars().count() <= 60));
    }
}
