//! Who needed what, what was designed from it, and what organisations offered. Made up.

use entities::needs::{NeedCategory, NeedState};

use super::super::needs::Need;
use super::stage::{CHUNHUI, Offer, Plan, WANQING};

const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";
const SECOND: &str = "/jiangan/chezhan/guanghua/wg1/b2/";
const THIRD: &str = "/jiangan/chezhan/guanghua/wg1/b3/";
const TONGAN: &str = "/jiangan/chezhan/tongan/";

/// The second goes into the first.
pub const NEEDS: [Need; 5] = [
    Need {
        key: "dark",
        place: SECOND,
        author: "resident-18",
        anonymous: false,
        category: NeedCategory::Convenience,
        state: NeedState::Published,
        days_ago: 0,
        title: "2栋一单元楼道没有灯，晚上摸黑上楼",
        body: "一单元二楼到五楼的灯坏了大半年。老人晚上倒垃圾要打手电，前几天有人踩空。想请社区装声控灯。",
        supporters: &["resident-13", "resident-14", "resident-15", "volunteer-2", "volunteer-3"],
    },
    Need {
        key: "rail",
        place: SECOND,
        author: "resident-16",
        anonymous: false,
        category: NeedCategory::Charity,
        state: NeedState::Published,
        days_ago: 0,
        title: "2栋一单元楼梯又黑又没有扶手",
        body: "楼上住着三位八十多岁的老人，靠墙一侧没有扶手，晚上没有灯，不敢下楼。",
        supporters: &["resident-14", "resident-17", "resident-19", "leader"],
    },
    Need {
        key: "craft",
        place: TONGAN,
        author: "tongan-1",
        anonymous: false,
        category: NeedCategory::CultureEducation,
        state: NeedState::Published,
        days_ago: 0,
        title: "接送孩子的空当，想学一门手艺",
        body: "我们几个妈妈上午有三个小时空，想学一样能在家里接活的手艺，最好不收学费。",
        supporters: &["tongan-2", "tongan-3", "tongan-4"],
    },
    Need {
        key: "meal",
        place: GUANGHUA,
        author: "resident-10",
        anonymous: false,
        category: NeedCategory::Convenience,
        state: NeedState::Published,
        days_ago: 0,
        title: "独居老人中午吃不上热饭",
        body: "3栋几位老人腿脚不好，中午就吃剩饭。养老食堂太远，能不能送到家里。",
        supporters: &["resident-11", "resident-12", "volunteer-3", "representative"],
    },
    Need {
        key: "ill",
        place: THIRD,
        author: "resident-9",
        anonymous: false,
        category: NeedCategory::Charity,
        state: NeedState::Published,
        days_ago: 0,
        title: "家里老人中风后下不了楼，想有人上门教康复",
        body: "医院回来三个月了，去康复科要背下五楼。想请专业的人上门教我们怎么练。",
        supporters: &["resident-8", "resident-10"],
    },
];

pub const LIGHTS: Plan = Plan {
    place: GUANGHUA,
    title: "楼道亮起来、扶得住",
    summary: "给2栋、3栋楼道装声控灯和靠墙扶手，让老人晚上也敢下楼。",
    goals: "两栋老楼的楼梯有灯、有扶手，一年内没有人在楼道跌倒。",
    how: "先挨家看一遍，定下装在哪里；再分两批安装；装完请门栋长和老人一起走一遍。",
    groups: &[("空巢老人", 36), ("残疾居民", 12)],
    lines: &[("声控灯和扶手", 15_000), ("安装人工", 7_000), ("入户评估", 2_000)],
    indicator: ("安装扶手", "米", 240),
    scores: [9, 9],
};

pub const CRAFTS: Plan = Plan {
    place: TONGAN,
    title: "妈妈的手艺课",
    summary: "每周两个上午的皮具和烘焙课，学完帮着接单。",
    goals: "让接送孩子的妈妈学会一门能在家做的手艺。",
    how: "十二次课分两期，每期六次；课后建接单群，社区集市留摊位。",
    groups: &[("全职妈妈", 30), ("青年女性", 10)],
    lines: &[("材料", 8_000), ("授课", 9_000), ("集市摊位", 1_000)],
    indicator: ("学会接单", "人", 15),
    scores: [10, 9],
};

pub const MEALS: Plan = Plan {
    place: GUANGHUA,
    title: "热饭送到家",
    summary: "工作日中午给行动不便的独居老人送一顿热饭。",
    goals: "二十位独居老人每个工作日中午有热饭吃，也有人看一眼。",
    how: "与有证食堂合作，志愿者按楼栋分送；老人每餐付八元，其余由项目补。",
    groups: &[("独居老人", 20)],
    lines: &[("餐费补贴", 22_000), ("保温箱", 2_000), ("送餐保险", 4_000)],
    indicator: ("送餐", "份", 2_400),
    scores: [9, 8],
};

pub const REHAB: Plan = Plan {
    place: GUANGHUA,
    title: "康复老师上门来",
    summary: "康复治疗师每周上门，教失能老人和家人做训练。",
    goals: "十二位失能老人在家里做得了训练，照护的家人学得会。",
    how: "先由治疗师评估，一人一份训练单；每周上门一次，每月复评。",
    groups: &[("失能老人", 12), ("照护家人", 18)],
    lines: &[("治疗师上门", 24_000), ("训练器材借用", 3_000)],
    indicator: ("上门训练", "次", 480),
    scores: [8, 8],
};

pub const LIGHTS_BY_WANQING: Offer = Offer {
    person: "org-a",
    organisation: WANQING,
    plan: "先评估三十六户老人的走路习惯，扶手按老人手高装；灯用声控加微光，夜里不刺眼。",
    team: "适老改造师两人，持证电工两人，社工一人",
    parts: &[("入户评估和安装图", 40, 3_000), ("2栋装灯装扶手", 21, 10_500), ("3栋装灯装扶手", 8, 9_000)],
    points: [9, 9],
};

pub const LIGHTS_BY_CHUNHUI: Offer = Offer {
    person: "org-b",
    organisation: CHUNHUI,
    plan: "统一采购，一次装完，三年保修。",
    team: "社工两人，合作施工队一支",
    parts: &[("采购进场", 40, 9_000), ("安装完工", 20, 14_500)],
    points: [7, 6],
};

pub const CRAFTS_BY_CHUNHUI: Offer = Offer {
    person: "org-b",
    organisation: CHUNHUI,
    plan: "按孩子上学的钟点排课，课上备有图书角；第二期由学得好的妈妈当助教。",
    team: "皮具和烘焙老师各一人，社工一人",
    parts: &[("第一期课", 52, 8_000), ("第二期课和集市", 36, 9_200)],
    points: [9, 9],
};

pub const CRAFTS_BY_WANQING: Offer = Offer {
    person: "org-a",
    organisation: WANQING,
    plan: "请外聘老师集中授课。",
    team: "外聘老师一人，社工一人",
    parts: &[("授课", 36, 17_000)],
    points: [7, 6],
};

pub const MEALS_BY_WANQING: Offer = Offer {
    person: "org-a",
    organisation: WANQING,
    plan: "与街道养老食堂合作，十一点出锅，十一点半前送到；送餐员每天记一句老人情况。",
    team: "社工一人，送餐员三人，营养师一人",
    parts: &[("第一季送餐", -70, 13_000), ("第二季送餐", -150, 13_800)],
    points: [9, 8],
};

pub const MEALS_BY_CHUNHUI: Offer = Offer {
    person: "org-b",
    organisation: CHUNHUI,
    plan: "由合作餐饮公司统一配送到社区，志愿者分送。",
    team: "社工两人，志愿者十人",
    parts: &[("第一季送餐", -70, 13_500), ("第二季送餐", -150, 13_500)],
    points: [8, 8],
};

pub const REHAB_BY_CHUNHUI: Offer = Offer {
    person: "org-b",
    organisation: CHUNHUI,
    plan: "与区医院康复科合作，治疗师固定联系老人，不换人。",
    team: "康复治疗师两人，社工一人",
    parts: &[("评估和第一季训练", -100, 12_800), ("第二季训练和复评", -190, 13_000)],
    points: [8, 8],
};

pub const REHAB_BY_WANQING: Offer = Offer {
    person: "org-a",
    organisation: WANQING,
    plan: "自有治疗师上门，并借给家里训练器材。",
    team: "康复治疗师一人，护理员两人",
    parts: &[("评估和第一季训练", -100, 13_300), ("第二季训练和复评", -190, 13_200)],
    points: [8, 9],
};
