//! 楼道亮起来、扶得住: two parts of three are done and paid; the third was put off by agreement and is late again, and the supervisor
//! has found something to put right.

use chrono::TimeDelta;
use entities::delivery::{ReportKind, ServiceKind, Severity};
use entities::ids::ProjectId;
use entities::tenders::{ContractSide, contract};

use super::plans::{LIGHTS_BY_CHUNHUI, LIGHTS_BY_WANQING};
use super::stage::{OFFICER, Stage};
use crate::delivery::recording::NewService;
use crate::delivery::visiting::{NewFinding, visit};
use crate::delivery::{Identity, Someone};
use crate::platform::calendar;
use crate::platform::http::Problem;
use crate::tenders::changes::{self, Proposal};
use crate::tenders::{self, Term};

const IMPLEMENTER: &str = "org-a";

/// From the tender to the start.
pub async fn begin(story: &Stage<'_>, id: ProjectId) -> Result<contract::Model, Problem> {
    story.go(74);
    let words = "2栋、3栋楼道装声控灯和靠墙扶手。扶手高度按老人习惯，灯不刺眼；施工不封楼梯，每天收工清场。";
    let tender = story.tender(id, words, 66).await?;
    story.go(68);
    let offers = [&LIGHTS_BY_WANQING, &LIGHTS_BY_CHUNHUI];
    for offer in offers {
        story.bid(tender, offer).await?;
    }
    story.go(65);
    let opened = story.open(tender).await?;
    story.later(5);
    story.score(tender, &offers).await?;
    story.later(24);
    story.award(&opened).await?;
    story.go(55);
    story.contract(id, IMPLEMENTER).await
}

/// People of the register and heads; two parts accepted and paid.
pub async fn deliver(story: &Stage<'_>, id: ProjectId, contract: &contract::Model) -> Result<(), Problem> {
    // Not so few that the public could not be shown them.
    const HOMES: [(&str, &str); 6] = [
        ("李桂兰", "2栋1单元501"),
        ("周春梅", "2栋1单元402"),
        ("陈国庆", "2栋1单元302"),
        ("刘秀英", "2栋2单元401"),
        ("吴永福", "2栋2单元202"),
        ("黄丽华", "2栋2单元503"),
    ];
    let service = |kind, ago, content, heads, group_heads: Vec<(&'static str, i64)>, indicators, people| NewService {
        kind,
        held_on: story.date(ago),
        place: "2栋、3栋",
        content,
        heads,
        reached: 0,
        group_heads,
        indicators,
        people,
        source: None,
    };
    story.go(47);
    let people = HOMES.iter().map(|(name, door)| Someone {
        identity: Identity::Door((*door).to_owned()),
        name: (*name).to_owned(),
        groups: vec!["空巢老人".to_owned()],
    });
    let heads = vec![("空巢老人", 24), ("残疾居民", 6)];
    let looked =
        service(ServiceKind::Visit, 47, "逐户看楼道和老人走路习惯，量手高", 30, heads, vec![], people.collect());
    story.serve(id, IMPLEMENTER, &looked).await?;
    story.go(44);
    let evidence = "评估表36份、安装图2张，门栋长已签字。";
    let part = story.part(contract.id, 1).await?.id;
    story.paid(part, IMPLEMENTER, (evidence, "抽查6户，评估表与实际相符。")).await?;

    story.go(26);
    let heads = vec![("空巢老人", 20), ("残疾居民", 6)];
    let fitted = vec![("安装扶手", 130)];
    let refit = service(ServiceKind::Refit, 26, "2栋两个单元装扶手和声控灯", 28, heads, fitted, vec![]);
    story.serve(id, IMPLEMENTER, &refit).await?;
    story.go(24);
    let evidence = "2栋两个单元扶手130米、声控灯22盏已装好，附验收记录。";
    let part = story.part(contract.id, 2).await?.id;
    story.paid(part, IMPLEMENTER, (evidence, "逐层走了一遍，灯全亮，扶手牢固。")).await
}

/// The last part is put off, by one side's proposal and the other's consent, in public.
pub async fn change(story: &Stage<'_>, contract: &contract::Model) -> Result<(), Problem> {
    let (state, txn) = (story.state, story.txn);
    story.go(11);
    let rows = tenders::milestones_of(txn, contract.id).await?;
    let put_off = |row: &entities::tenders::milestone::Model| Term {
        seq: row.seq,
        title: row.title.clone(),
        due_at: if row.seq == 3 { calendar::day_end(story.date(4)) } else { row.due_at },
        amount_fen: row.amount_fen,
    };
    let proposal = Proposal {
        side: ContractSide::Organisation,
        price_fen: contract.price_fen,
        milestones: rows.iter().map(put_off).collect(),
        reason: "连日下雨，3栋墙面太潮打不牢膨胀螺栓，需晾干再装，申请顺延四天。",
    };
    let proposed = changes::propose(state, txn, &story.actor(IMPLEMENTER).await?, contract.id, proposal).await?;
    story.later(24);
    changes::decide(state, txn, &story.actor(OFFICER).await?, proposed.id, true).await.map(drop)
}

/// A report, and a visit with a finding whose day is still to come.
pub async fn supervise(story: &Stage<'_>, id: ProjectId) -> Result<(), Problem> {
    story.go(7);
    let body = "2栋已全部装好并付款；3栋墙面刚干，扶手装到二楼，灯还没有装。";
    story.report(id, IMPLEMENTER, (ReportKind::Progress, body), (53, 7)).await?;
    story.later(6);
    let seen = "2栋使用正常，几位老人说晚上敢下楼了。3栋施工中，楼梯转角堆了材料。";
    let found = NewFinding {
        severity: Severity::Major,
        body: "3栋二楼转角一段扶手松动，楼梯上堆放材料，请加固并清走。",
        due_on: calendar::day(story.day(0) + TimeDelta::days(5)),
    };
    let supervisor = story.actor("supervisor").await?;
    visit(story.state, story.txn, &supervisor, id, (story.date(7), seen), &[], &[found]).await.map(drop)
}
