//! The demo's people. All names are made up.

use entities::identity::Role;

/// A kind of demo person, for the table that the demo prints.
pub struct Kind {
    /// The personas' names.
    pub names: &'static str,
    /// How the simulator's page and the greeting describe them.
    pub may: &'static str,
    stem: &'static str,
    count: usize,
    /// Their building, for those who live in one.
    home: Option<&'static str>,
    role: Option<(Role, &'static str)>,
}

/// One demo person.
pub struct Person {
    /// `resident-1`
    pub name: String,
    /// A number that belongs to nobody.
    pub phone: String,
    /// 王建国
    pub real_name: String,
    /// For the simulator's page.
    pub label: String,
    /// The code path of the building they live in.
    pub home: Option<&'static str>,
    /// Their door there.
    pub room: String,
    /// Their role and the code path of its place.
    pub role: Option<(Role, &'static str)>,
}

const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";
const FIRST: &str = "/jiangan/chezhan/guanghua/wg1/b1/";
const SECOND: &str = "/jiangan/chezhan/guanghua/wg1/b2/";
const DISTRICT: &str = "/jiangan/";

/// Everybody, by kind.
#[rustfmt::skip]
pub const PEOPLE: &[Kind] = &[
    Kind { names: "resident-1 … 12", may: "光华社区1栋居民，已认证：提需求、附议、投票、填问卷 (verified resident of building 1)", stem: "resident", count: 12, home: Some(FIRST), role: None },
    Kind { names: "resident-13 … 20", may: "光华社区2栋居民，已认证 (verified resident of building 2)", stem: "resident+12", count: 8, home: Some(SECOND), role: None },
    Kind { names: "volunteer-1 … 5", may: "志愿者：报班次、签到、攒积分、兑礼品 (takes shifts, earns and redeems points)", stem: "volunteer", count: 5, home: Some(SECOND), role: Some((Role::Volunteer, GUANGHUA)) },
    Kind { names: "newcomer-1 … 3", may: "新来的，未认证：可浏览、提需求、申请认证 (not verified yet)", stem: "newcomer", count: 3, home: None, role: None },
    Kind { names: "leader", may: "1栋门栋长：核实住户、推送问卷 (leader of building 1)", stem: "leader", count: 1, home: Some(FIRST), role: Some((Role::BuildingLeader, FIRST)) },
    Kind { names: "staff, staff-2", may: "光华社区工作人员：审核、表决、问卷、活动、积分、礼品 (community staff of 光华社区)", stem: "staff", count: 2, home: None, role: Some((Role::CommunityStaff, GUANGHUA)) },
    Kind { names: "staff-other", may: "安静社区工作人员，管不到光华社区 (staff of another community)", stem: "staff-other", count: 1, home: None, role: Some((Role::CommunityStaff, "/jiangan/qiuchang/anjing/")) },
    Kind { names: "street", may: "车站街道工作人员 (staff of the street)", stem: "street", count: 1, home: None, role: Some((Role::StreetStaff, "/jiangan/chezhan/")) },
    Kind { names: "district", may: "江岸区工作人员 (staff of the district)", stem: "district", count: 1, home: None, role: Some((Role::DistrictStaff, DISTRICT)) },
    Kind { names: "representative", may: "居民代表，光华社区居民 (residents' representative)", stem: "representative", count: 1, home: Some(SECOND), role: Some((Role::Representative, GUANGHUA)) },
    Kind { names: "social-worker-1…3", may: "社工 (social worker)", stem: "social-worker", count: 3, home: None, role: Some((Role::SocialWorker, DISTRICT)) },
    Kind { names: "org-a, org-b", may: "社会组织 (social organisation)", stem: "org", count: 2, home: None, role: Some((Role::Organisation, DISTRICT)) },
    Kind { names: "supervisor", may: "督导 (supervisor)", stem: "supervisor", count: 1, home: None, role: Some((Role::Supervisor, DISTRICT)) },
    Kind { names: "evaluator", may: "第三方评估 (evaluator)", stem: "evaluator", count: 1, home: None, role: Some((Role::Evaluator, DISTRICT)) },
    Kind { names: "merchant", may: "商户：核销兑换码 (settles pickup codes)", stem: "merchant", count: 1, home: None, role: Some((Role::Merchant, GUANGHUA)) },
    Kind { names: "anjing-1 … 6", may: "安静社区居民，已认证 (verified resident of 安静社区)", stem: "anjing", count: 6, home: Some("/jiangan/qiuchang/anjing/wg1/b1/"), role: None },
    Kind { names: "wenhui-1 … 6", may: "文卉苑社区居民，已认证 (verified resident of 文卉苑社区)", stem: "wenhui", count: 6, home: Some("/jiangan/baibuting/wenhuiyuan/wg1/b1/"), role: None },
    Kind { names: "tongan-1 … 6", may: "同安社区居民，已认证 (verified resident of 同安社区)", stem: "tongan", count: 6, home: Some("/jiangan/chezhan/tongan/wg1/b1/"), role: None },
    Kind { names: "yiyuan-1 … 6", may: "艺苑社区居民，已认证 (verified resident of 艺苑社区)", stem: "yiyuan", count: 6, home: Some("/jiangan/laodong/yiyuan/wg1/b1/"), role: None },
];

/// Everybody, one by one.
pub fn all() -> impl Iterator<Item = Person> {
    const SURNAMES: [&str; 10] = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴"];
    const GIVEN: [&str; 10] = ["建国", "秀英", "桂兰", "志强", "春梅", "国庆", "丽华", "海燕", "永福", "晓明"];
    PEOPLE.iter().flat_map(|kind| (1..=kind.count).map(move |number| (kind, number))).enumerate().map(
        |(at, (kind, number))| {
            let name = match (kind.stem, number) {
                ("resident+12", number) => format!("resident-{}", number + 12),
                ("org", 1) => "org-a".to_owned(),
                ("org", _) => "org-b".to_owned(),
                ("staff", 2) => "staff-2".to_owned(),
                (
                    "resident" | "volunteer" | "newcomer" | "social-worker" | "anjing" | "wenhui" | "tongan" | "yiyuan",
                    number,
                ) => format!("{}-{number}", kind.stem),
                (stem, _) => stem.to_owned(),
            };
            let pick = |from: &[&str; 10], at: usize| from.get(at % 10).copied().unwrap_or_default().to_owned();
            let real_name = pick(&SURNAMES, at) + &pick(&GIVEN, at / 10 + at * 3);
            Person {
                label: format!("{real_name} · {}", kind.may.split(" (").next().unwrap_or_default()),
                phone: format!("138{:08}", at + 1),
                real_name,
                home: kind.home,
                room: format!("{}0{}", at / 4 + 1, at % 4 + 1),
                role: kind.role,
                name,
            }
        },
    )
}

/// WeChat's id of a demo person.
pub fn openid(name: &str) -> String {
    format!("demo-{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_named_in_the_contract_is_there_once() {
        let names: Vec<String> = all().map(|person| person.name).collect();
        for name in [
            "resident-1",
            "resident-20",
            "volunteer-5",
            "newcomer-3",
            "leader",
            "staff",
            "staff-2",
            "staff-other",
            "street",
            "district",
            "representative",
            "social-worker-3",
            "org-a",
            "org-b",
            "supervisor",
            "evaluator",
            "merchant",
        ] {
            assert_eq!(names.iter().filter(|known| *known == name).count(), 1, "{name}");
        }
    }
}
