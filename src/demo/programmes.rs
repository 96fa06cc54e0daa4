//! What the demo shows of programmes: the seed document's 3,460,000 yuan for 23 + 17 + 60 + 100 projects under one umbrella, and
//! designs of 光华社区 on their way through one of them.
//!
//! The document gives the sum and the numbers of projects; how the sum is divided among the four is made up. All of it is done
//! through the services, by the people who would do it: it is in the books, on the board and in inboxes like everything else.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::{ProgrammeId, ProjectId};
use entities::programmes::{Allocation, programme};
use entities::projects::Recommendation;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::organisations::organisation_id;
use super::seed::{place_id, user_id};
use crate::identity::Actor;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::{Caller, Problem, transact};
use crate::platform::state::{AppState, SetupError};
use crate::programmes::{self, Criterion, Phases, Words};
use crate::projects::{self, Design, NewProject, ReviewWords};

const DISTRICT: &str = "/jiangan/";
const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";
const UMBRELLA: &str = "江岸区社会组织参与社区治理资助计划";
const EXPERTS: [&str; 3] = ["social-worker-1", "social-worker-2", "social-worker-3"];

/// Title, what for, how many projects, yuan of each at most, yuan in all.
const PARTS: [(&str, &str, i64, i64, i64); 4] = [
    ("社区社会组织助力计划", "帮助社区里的队伍成长起来，办好自己的服务。", 23, 60_000, 690_000),
    ("社会组织参与社区治理服务", "由专业社会组织为社区提供服务。", 17, 120_000, 1_020_000),
    ("社区微公益创投", "支持居民身边的小项目，从需求到成果都在公示栏上。", 60, 20_000, 600_000),
    ("社区养老项目", "居家安全、陪伴、助餐、康复，让老人住得安心。", 100, 23_000, 1_150_000),
];

/// Where a design of the demo stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// Somebody is writing it.
    Draft,
    /// One expert has reviewed it.
    Submitted,
    /// It was returned for changes.
    Returned,
    /// Two experts have reviewed it, and it is on the shortlist.
    Shortlisted,
}

/// Title, summary, who designs it, its organisation, yuan, where it stands.
const DESIGNS: [(&str, &str, &str, &str, i64, Stands); 4] = [
    (
        "老楼楼道加装扶手",
        "给光华社区三栋老楼的楼道装扶手，先装1栋。",
        "org-a",
        "武汉晚晴枫养老助残服务中心",
        12_000,
        Stands::Shortlisted,
    ),
    ("夜归路灯", "给停车场到2栋的小路装感应灯。", "org-b", "武汉春晖社会工作服务中心", 9_000, Stands::Submitted),
    ("阳台菜园", "教居民在阳台种菜，收成送给独居老人。", "org-b", "武汉春晖社会工作服务中心", 6_000, Stands::Returned),
    ("邻里节", "一年一次，楼栋之间认识彼此。", "org-a", "武汉晚晴枫养老助残服务中心", 5_000, Stands::Draft),
];

/// Does what is not done yet.
pub(super) async fn act(state: &AppState) -> Result<(), SetupError> {
    let there = programme::Entity::find().filter(programme::Column::Title.eq(UMBRELLA));
    if there.count(state.db.read()).await? > 0 {
        return Ok(());
    }
    // In one transaction: a start that is interrupted leaves nothing half done.
    transact(state, async |txn| {
        let umbrella = open(
            state,
            txn,
            None,
            (UMBRELLA, "社区收集需求，社会组织设计，专家评审，居民投票。", 200, 120_000, 3_460_000),
        )
        .await?;
        let mut micro = None;
        for part in PARTS {
            let id = open(state, txn, Some(umbrella), part).await?;
            if part.0 == "社区微公益创投" {
                micro = Some(id);
            }
        }
        let micro = micro.ok_or(Code::Internal)?;
        for design in DESIGNS {
            propose(state, txn, micro, design).await?;
        }
        Ok(())
    })
    .await?;
    Ok(())
}

async fn actor(state: &AppState, name: &str) -> Result<Actor, Problem> {
    Actor::load(state, Caller { user_id: user_id(name), family: Uuid::nil() }).await
}

fn phases(now: DateTime<Utc>) -> Phases {
    let at = |days| calendar::midnight(calendar::day(now)) + TimeDelta::days(days);
    Phases {
        proposals_from: at(-7),
        proposals_until: at(30),
        reviews_until: at(45),
        votes_until: at(60),
        delivery_until: at(425),
    }
}

async fn open(
    state: &AppState,
    txn: &DatabaseTransaction,
    parent_id: Option<ProgrammeId>,
    (title, description, count_target, cap, budget): (&str, &str, i64, i64, i64),
) -> Result<ProgrammeId, Problem> {
    let district = actor(state, "district").await?;
    let criterion = |key: &str, title: &str, weight, maximum| Criterion {
        key: key.to_owned(),
        title: title.to_owned(),
        weight,
        maximum,
    };
    let words = Words {
        place_id: place_id(DISTRICT),
        parent_id,
        title,
        description,
        budget_fen: budget * 100,
        cap_fen: cap * 100,
        count_target,
        expert_weight: 70,
        allocation: Allocation::Ranked,
        rubric: &[
            criterion("need", "需求真实", 30, 10),
            criterion("plan", "方案可行", 30, 10),
            criterion("budget", "预算合理", 20, 10),
            criterion("lasting", "可持续", 20, 10),
        ],
        min_reviews: 2,
        objection_days: 7,
        phases: phases(state.clock.now()),
    };
    let row = programmes::create(state, txn, &district, &words).await?;
    programmes::open(state, txn, &district, row.id).await?;
    for expert in EXPERTS {
        programmes::add_expert(state, txn, &district, row.id, user_id(expert)).await?;
    }
    Ok(row.id)
}

/// A design for so many yuan; a draft lacks what comes last.
fn design(yuan: i64, complete: bool) -> Result<Design, Problem> {
    let fen = yuan * 100;
    let last = |words| if complete { words } else { json!([]) };
    let words = json!({
        "goals": "让居民在自己家门口过得更安心。",
        "groups": [{ "key": "elders", "title": "高龄老人", "people": 80 }, { "key": "neighbours", "title": "其他居民", "people": 200 }],
        "plan": "先入户了解，再分批实施，每批完成后请居民代表看一遍。",
        "lines": [{ "title": "材料", "fen": fen * 2 / 3 }, { "title": "人工", "fen": fen - fen * 2 / 3 }],
        "indicators": last(json!([{ "key": "person_times", "title": "服务人次", "target": 280, "unit": "人次" }])),
        "schedule": last(json!([
            { "title": "入户了解", "from": "2027-02-01", "until": "2027-02-28" },
            { "title": "分批实施", "from": "2027-03-01", "until": "2027-06-30" },
        ])),
    });
    serde_json::from_value::<Design>(words).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

async fn propose(
    state: &AppState,
    txn: &DatabaseTransaction,
    programme: ProgrammeId,
    (title, summary, designer, organisation, yuan, stands): (&str, &str, &str, &str, i64, Stands),
) -> Result<(), Problem> {
    let [designer, district] = [actor(state, designer).await?, actor(state, "district").await?];
    let new = NewProject {
        place_id: place_id(GUANGHUA),
        title,
        summary,
        budget_fen: yuan * 100,
        need_ids: &[],
        designer: Some(organisation_id(organisation)),
        programme: Some(programme),
    };
    let id = projects::create(state, txn, &designer, &new).await?.id;
    projects::save_design(state, txn, &designer, id, &design(yuan, stands != Stands::Draft)?).await?;
    if stands == Stands::Draft {
        return Ok(());
    }
    projects::submit_design(state, txn, &designer, id, None).await?;
    review(state, txn, id, ("social-worker-1", 8, "需求来自入户走访，方案清楚；人工一项可再说明。")).await?;
    match stands {
        Stands::Draft | Stands::Submitted => {}
        Stands::Returned => {
            projects::return_design(state, txn, &district, id, "请补充浇水用水的费用，并说明假期由谁照看").await?;
        }
        Stands::Shortlisted => {
            review(state, txn, id, ("social-worker-2", 9, "花钱不多，老人马上用得上。")).await?;
            projects::shortlist(state, txn, &district, id).await?;
        }
    }
    Ok(())
}

async fn review(
    state: &AppState,
    txn: &DatabaseTransaction,
    id: ProjectId,
    (expert, score, comment): (&str, i64, &str),
) -> Result<(), Problem> {
    let scores: BTreeMap<String, i64> = ["need", "plan", "budget", "lasting"].map(|key| (key.to_owned(), score)).into();
    let words = ReviewWords { version: 1, scores: &scores, comment, recommendation: Recommendation::Support };
    projects::write_review(state, txn, &actor(state, expert).await?, id, words).await.map(drop)
}
