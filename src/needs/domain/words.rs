//! What two needs have in common: the words of each with weights, and how alike two such lists are.
//!
//! Chinese is cut into words by a dictionary; words that say nothing are left out, words that mean one thing here are made one
//! ([`SAME`]). How much a word tells is taken from how rare it is in the language, not in the community: a community has too few
//! needs to tell, and the measure stays the same when it grows. `tests/data/similar-needs` holds what it was tuned and judged on.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use jieba_rs::Jieba;

/// Two needs at least so alike (in thousandths) are shown as similar.
pub const THRESHOLD: i64 = 220;
/// A word of the title counts as so many of the body.
const TITLE: u32 = 2;
/// So many of a need's words are kept, the most telling.
const KEPT: usize = 40;
/// So many of a question's words are looked up, the most telling.
const ASKED: usize = 16;

static CUTTER: LazyLock<Jieba> = LazyLock::new(|| {
    let mut cutter = Jieba::new();
    // The dictionary is older than square dancing and charging posts.
    for word in SAME.iter().flat_map(|line| line.iter()) {
        if !cutter.has_word(word) {
            cutter.add_word(word, None, None);
        }
    }
    cutter
});

/// A word with its weight in thousandths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The word, or the one that stands for it.
    pub word: String,
    /// How much it tells.
    pub weight: i64,
}

/// The words of a text, the most telling first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// At most [`KEPT`].
    pub terms: Vec<Term>,
    /// The length of the vector of their weights.
    pub length: i64,
}

/// Each line's words mean the same as its first.
const SAME: &[&[&str]] = &[
    &[
        "老人",
        "老年人",
        "老人家",
        "长者",
        "老年",
        "高龄",
        "老爷子",
        "老太太",
        "大爷",
        "爷爷",
        "奶奶",
        "空巢",
        "独居老人",
        "老父亲",
        "老母亲",
    ],
    &["孩子", "小孩", "儿童", "小朋友", "娃", "小孩子", "孩童", "幼儿", "学生", "小学生"],
    &["停车", "停车位", "车位", "停车场", "泊车", "停放", "泊位", "乱停车", "停满"],
    &["电动车", "电瓶车", "电单车", "电动自行车", "电驴"],
    &["充电", "充电桩", "充电器", "飞线"],
    &["噪音", "噪声", "吵闹", "扰民", "吵", "太吵", "太响", "音响", "喧哗", "声音", "音量", "电钻声"],
    &["漏水", "渗水", "漏", "漏雨", "渗", "滴水", "渗漏"],
    &["灯", "路灯", "灯不亮", "照明", "楼道灯", "感应灯", "灯泡", "声控灯", "黑", "漆黑", "摸黑"],
    &["食堂", "助餐", "吃饭", "午餐", "送餐", "午饭", "做饭", "饭菜", "盒饭", "用餐", "配餐", "热饭"],
    &["坏", "坏了", "维修", "修", "修理", "损坏", "故障", "报修", "修好", "检修", "抢修", "停运"],
    &["加装", "安装", "装", "增设", "增加", "新建", "装上", "设", "添置"],
    &["狗", "犬", "遛狗", "养狗", "狗绳", "宠物", "狗屎", "犬只", "大狗"],
    &["堵", "堵塞", "不通", "疏通", "堵住"],
    &["下水道", "排水", "管道", "污水", "下水", "排水沟", "污水管", "下水管"],
    &["广场舞", "跳舞", "舞曲"],
    &["课", "培训", "课程", "培训班", "讲座", "教", "上课", "教学", "兴趣班", "学"],
    &["托管", "四点半", "放学", "作业", "晚托", "看管", "照看", "接送"],
    &["健身", "锻炼", "健身器材", "器材", "健身器", "运动器材"],
    &["坡道", "无障碍", "轮椅", "斜坡"],
    &["消防", "消防通道", "火灾", "着火", "起火", "消防车"],
    &["快递", "快递柜", "取件", "包裹", "丰巢"],
    &["理发", "剪头发", "剪发", "剃头"],
    &["体检", "量血压", "义诊", "血压", "血糖", "测血糖"],
    &["就业", "找工作", "失业", "待业", "招聘", "上岗", "工作"],
    &["调解", "纠纷", "矛盾", "吵架", "协调"],
    &["树", "树枝", "绿化", "修剪", "大树", "枝条", "树木"],
    &["蚊子", "蚊虫", "老鼠", "蟑螂", "灭鼠", "消杀", "鼠", "鼠患", "虫害", "灭蟑"],
    &["监控", "摄像头", "探头"],
    &["门禁", "单元门", "大门", "对讲", "对讲门"],
    &["楼道", "楼梯", "楼梯间", "走廊", "过道"],
    &["杂物", "堆放", "堆", "堆满", "占用", "杂物间"],
    &["墙皮", "外墙", "脱落", "瓷砖", "掉落", "墙面"],
    &["停水", "水压", "水小", "自来水"],
    &["停电", "断电", "跳闸", "电线", "线路"],
    &["电脑", "手机", "智能手机", "上网", "视频"],
    &["唱戏", "楚剧", "戏曲", "唱歌", "合唱", "京剧", "唱", "合唱团"],
    &["手工", "编织", "烘焙", "花艺", "皮具"],
    &["租房", "出租", "群租", "出租屋", "隔断"],
    &["高空抛物", "抛物", "扔下来", "往下扔", "扔"],
    &["图书", "图书室", "图书馆", "阅览室", "看书", "阅读", "书屋"],
    &["垃圾", "垃圾桶", "垃圾站", "垃圾箱", "垃圾房", "投放"],
    &["臭", "臭味", "异味", "气味", "味道", "恶臭"],
    &["油烟", "烧烤", "烟味", "排烟"],
    &["心理", "谈心", "抑郁", "心理咨询", "疏导"],
    &["法律", "律师", "维权", "官司", "法律援助"],
    &["邻居", "楼上", "楼下", "邻里"],
    &["扶手", "栏杆", "抓杆"],
    &["跌倒", "摔倒", "摔", "滑倒", "摔跤", "防滑"],
    &["家政", "保洁", "钟点工", "打扫", "保姆"],
    &["残疾", "残疾人", "残障", "康复"],
];

/// Words for people, for parts of a house and for what is bad about a thing say less of what is needed: they count half.
const LITTLE: &[&str] = &["老人", "孩子", "楼道", "邻居", "噪音", "坏", "加装", "消防", "妈妈", "单元", "厨房"];

/// Words that stand in needs of every kind.
const EMPTY: &[&str] = &[
    "小区",
    "社区",
    "希望",
    "我们",
    "能不能",
    "可以",
    "大家",
    "居民",
    "建议",
    "问题",
    "解决",
    "一下",
    "现在",
    "经常",
    "没有",
    "有点",
    "很多",
    "里面",
    "附近",
    "能否",
    "是否",
    "请",
    "请求",
    "麻烦",
    "帮忙",
    "帮",
    "一个",
    "一些",
    "几个",
    "几位",
    "不少",
    "晚上",
    "白天",
    "每天",
    "每次",
    "最近",
    "已经",
    "一直",
    "还是",
    "而且",
    "因为",
    "所以",
    "但是",
    "如果",
    "这个",
    "那个",
    "什么",
    "怎么",
    "时候",
    "地方",
    "有人",
    "别人",
    "自己",
    "觉得",
    "需要",
    "想",
    "要",
    "有",
    "没",
    "的",
    "了",
    "在",
    "是",
    "和",
    "与",
    "也",
    "都",
    "就",
    "很",
    "太",
    "不",
    "能",
    "会",
    "到",
    "给",
    "从",
    "把",
    "被",
    "让",
    "对",
    "去",
    "来",
    "上",
    "下",
    "里",
    "个",
    "位",
    "次",
    "天",
    "年",
    "月",
    "多",
    "少",
    "大",
    "小",
    "好",
    "又",
    "还",
    "再",
    "更",
    "最",
    "这",
    "那",
    "吗",
    "呢",
    "吧",
    "啊",
    "等",
    "及",
    "或",
    "并",
    "用",
    "为",
    "家",
    "家里",
    "人",
    "我",
    "你",
    "他",
    "她",
    "它",
    "们",
    "住",
    "住户",
    "业主",
    "物业",
    "严重",
    "影响",
    "生活",
    "方便",
    "不便",
    "安全",
    "管理",
    "管管",
    "有没有",
    "之后",
    "以后",
    "以前",
    "多次",
    "反映",
    "几次",
    "一次",
    "两个",
    "三个",
    "两次",
    "门口",
    "小时",
    "特别",
    "非常",
    "真的",
    "只有",
    "出来",
    "起来",
    "过来",
    "老",
    "新",
    "找",
    "看",
    "说",
    "做",
    "办",
    "开",
    "组织",
    "开展",
    "提供",
    "服务",
    "社工",
    "志愿者",
    "退休",
    "不能",
    "不敢",
    "没人",
    "地点",
    "周边",
    "旁边",
];

static MEANING: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    SAME.iter().flat_map(|line| line.iter().filter_map(|word| line.first().map(|first| (*word, *first)))).collect()
});

/// How much a word tells, in thousandths: the logarithm of how rare it is in the language.
fn telling(word: &str) -> f64 {
    /// The dictionary counts so many words.
    const ALL: f64 = 60_000_000.0;
    let count = u32::try_from(CUTTER.suggest_freq(word)).map_or(ALL, f64::from).max(1.0);
    (ALL / count).ln().clamp(1.0, 12.0)
}

/// The words of a need or a question.
pub fn terms(title: &str, body: &str) -> Terms {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for (text, times) in [(title, TITLE), (body, 1)] {
        for token in CUTTER.cut_for_search(text, true) {
            let word = token.word.trim().to_lowercase();
            let known = MEANING.get(word.as_str());
            let tells = known.is_some()
                || (word.chars().count() > 1
                    && word.chars().all(char::is_alphabetic)
                    && !EMPTY.contains(&word.as_str()));
            if tells {
                *counts.entry(known.map_or(word.clone(), |first| (*first).to_owned())).or_default() += times;
            }
        }
    }
    let weigh = |(word, count): (String, u32)| {
        let share = if LITTLE.contains(&word.as_str()) { 0.5 } else { 1.0 };
        let weight = (1.0 + f64::from(count).ln()) * telling(&word) * share;
        Term { weight: thousandths(weight).max(1), word }
    };
    let mut terms: Vec<_> = counts.into_iter().map(weigh).collect();
    terms.sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.word.cmp(&b.word)));
    terms.truncate(KEPT);
    let squares = terms.iter().map(|term| real(term.weight).powi(2)).sum::<f64>();
    let length = thousandths(squares.sqrt() / 1000.0).max(terms.first().map_or(0, |term| term.weight));
    Terms { terms, length }
}

impl Terms {
    /// The words to look up.
    pub fn asked(&self) -> &[Term] {
        self.terms.get(..ASKED).unwrap_or(&self.terms)
    }
}

/// How alike two texts are, in thousandths: the cosine of the angle between their weights. `shared` holds the weights, here and
/// there, of each word that stands in both.
pub fn likeness(shared: impl IntoIterator<Item = (i64, i64)>, length: i64, other: i64) -> i64 {
    if length <= 0 || other <= 0 {
        return 0;
    }
    let product: f64 = shared.into_iter().map(|(here, there)| real(here) * real(there)).sum();
    thousandths(product / (real(length) * real(other))).clamp(0, 1000)
}

/// [`likeness`] of two texts at hand.
#[cfg(test)]
pub fn likeness_of(one: &Terms, other: &Terms) -> i64 {
    let there: HashMap<&str, i64> = other.terms.iter().map(|term| (term.word.as_str(), term.weight)).collect();
    let shared =
        one.asked().iter().filter_map(|term| there.get(term.word.as_str()).map(|weight| (term.weight, *weight)));
    likeness(shared, one.length, other.length)
}

/// The order in which similar needs are shown: how alike, a little more for the same building or grid, a little less with age.
pub fn rank(likeness: i64, steps_apart: i64, days_old: i64) -> i64 {
    let near = match steps_apart {
        ..=0 => 60,
        1 => 40,
        2 => 20,
        _ => 0,
    };
    likeness + near - (days_old.max(0) / 30).min(12) * 5
}

/// How many levels one must go up and down from one place to come to another.
pub fn steps_apart(one: &str, other: &str) -> i64 {
    let parts = |path: &str| path.trim_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (parts(one), parts(other));
    let shared = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    i64::try_from(one.len() + other.len() - 2 * shared).unwrap_or(i64::MAX)
}

fn real(thousandths: i64) -> f64 {
    i32::try_from(thousandths).map_or(f64::MAX, f64::from)
}

fn thousandths(value: f64) -> i64 {
    format!("{:.0}", (value * 1000.0).clamp(0.0, 1e12)).parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_word_has_one_meaning() {
        let words: Vec<_> = SAME.iter().flat_map(|line| line.iter()).collect();
        let distinct: std::collections::HashSet<_> = words.iter().collect();
        assert_eq!(words.len(), distinct.len());
    }

    #[test]
    fn other_words_for_one_thing_are_alike_and_other_things_are_not() {
        let of = |title: &str| terms(title, "");
        assert!(likeness_of(&of("老年人助餐"), &of("高龄食堂")) > 990);
        assert_eq!(likeness_of(&of("希望社区解决一下"), &of("希望社区解决一下")), 0, "nothing is said");
        let (one, other) = (of("楼道灯坏了"), of("楼梯间的感应灯不亮，要修"));
        assert!(likeness_of(&one, &other) > THRESHOLD, "{} of {one:?} and {other:?}", likeness_of(&one, &other));
        assert!(likeness_of(&of("楼道灯坏了"), &of("办一个书法班")) < THRESHOLD);
    }

    #[test]
    fn nearer_and_newer_stand_first() {
        assert!(rank(500, 0, 0) > rank(500, 2, 0) && rank(500, 0, 0) > rank(500, 0, 90));
        assert_eq!(steps_apart("/a/b/c/d/", "/a/b/c/e/"), 2);
        assert_eq!(steps_apart("/a/b/", "/a/b/"), 0);
        assert_eq!(steps_apart("/a/b/", "/a/b/c/"), 1);
    }

    /// How alike each labelled pair of one half is, with whether it says the same.
    fn judged(half: &str) -> Vec<(i64, bool, String)> {
        let data = include_str!("../../../tests/data/similar-needs.tsv");
        let rows: Vec<Vec<&str>> =
            data.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect();
        let needs: HashMap<&str, Terms> =
            rows.iter().filter(|row| row[0] == "need").map(|row| (row[1], terms(row[2], row[3]))).collect();
        let pairs = rows.iter().filter(|row| row[0] == "pair" && row[1] == half);
        let judge = |row: &Vec<&str>| {
            (likeness_of(&needs[row[3]], &needs[row[4]]), row[2] == "similar", format!("{} {}", row[3], row[4]))
        };
        pairs.map(judge).collect()
    }

    /// Precision and recall in per cent.
    fn measured(pairs: &[(i64, bool, String)], threshold: i64) -> (usize, usize) {
        let shown = pairs.iter().filter(|(alike, ..)| *alike >= threshold).count();
        let right = pairs.iter().filter(|(alike, same, _)| *alike >= threshold && *same).count();
        let same = pairs.iter().filter(|(_, same, _)| *same).count();
        (right * 100 / shown.max(1), right * 100 / same.max(1))
    }

    // Guards: the word lists and the threshold. Set on the half `tune` alone; the floors stand a little below what was measured.
    #[test]
    fn similar_needs_are_found_and_others_are_not() {
        let (tune, report) = (judged("tune"), judged("report"));
        assert!(tune.len() + report.len() >= 200);
        for (name, pairs) in [("tune", &tune), ("report", &report)] {
            for threshold in (80..=400).step_by(20).chain([THRESHOLD]) {
                let (precision, recall) = measured(pairs, threshold);
                println!("{name} {threshold}: precision {precision} %, recall {recall} %");
            }
        }
        let (precision, recall) = measured(&report, THRESHOLD);
        assert!(precision >= 72 && recall >= 84, "{precision} % right, {recall} % found");
    }

    proptest! {
        #[test]
        fn likeness_is_between_nothing_and_the_same(one in "[停车老人食堂电梯灯坏漏水]{2,12}", other in "[停车老人食堂电梯灯坏漏水]{2,12}") {
            let (one, other) = (terms(&one, ""), terms(&other, ""));
            let alike = likeness_of(&one, &other);
            prop_assert!((0..=1000).contains(&alike));
            prop_assert!((alike - likeness_of(&other, &one)).abs() <= 1);
            if one.length > 0 {
                prop_assert!(likeness_of(&one, &one) >= 998);
            }
        }
    }
}
