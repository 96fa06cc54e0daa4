//! 妈妈的手艺课: done, rated by its neighbours, evaluated by a third party, finished, and copied by another community.

use entities::delivery::{ReportKind, ServiceKind, Severity, Verdict, finding};
use entities::ids::ProjectId;
use entities::judgement::EvaluationResult;
use entities::tenders::contract;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::super::seed::place_id;
use super::plans::{CRAFTS_BY_CHUNHUI, CRAFTS_BY_WANQING};
use super::stage::{OFFICER, Stage};
use crate::delivery::findings::{check, rectify};
use crate::delivery::recording::NewService;
use crate::delivery::visiting::{NewFinding, visit};
use crate::files;
use crate::judgement::evaluating::{Judged, NewEvaluation, evaluate};
use crate::judgement::{exemplars, finishing, ratings};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::pdf::{self, About, Fonts, Sheets, Unprintable};

const IMPLEMENTER: &str = "org-b";
const SUMMARY: &str = "十二次课全部上完，课程按接送孩子的钟点排，妈妈们来得稳定；十七人学会接单，超过约定的十五人。";

/// From the tender to the start.
pub async fn begin(story: &Stage<'_>, id: ProjectId) -> Result<contract::Model, Problem> {
    story.go(90);
    let words = "每周两个上午，皮具和烘焙各六次课；按接送孩子的钟点排课，学员不交学费，学完帮着接单。";
    let tender = story.tender(id, words, 83).await?;
    story.go(85);
    let offers = [&CRAFTS_BY_CHUNHUI, &CRAFTS_BY_WANQING];
    for offer in offers {
        story.bid(tender, offer).await?;
    }
    story.go(82);
    let opened = story.open(tender).await?;
    story.later(5);
    story.score(tender, &offers).await?;
    story.later(1);
    story.award(&opened).await?;
    // The seven days for objections are over, and nobody objected.
    story.go(73);
    story.contract(id, IMPLEMENTER).await
}

/// Two terms of lessons, a finding that is put right, both parts paid, the last report.
pub async fn deliver(story: &Stage<'_>, id: ProjectId, contract: &contract::Model) -> Result<(), Problem> {
    let (state, txn) = (story.state, story.txn);
    let term = |ago, content, heads, of: [i64; 2], learned| NewService {
        kind: ServiceKind::Course,
        held_on: story.date(ago),
        place: "同安社区党群服务中心",
        content,
        heads,
        reached: 0,
        group_heads: vec![("全职妈妈", of[0]), ("青年女性", of[1])],
        indicators: vec![("学会接单", learned)],
        people: vec![],
        source: None,
    };
    story.go(55);
    story.serve(id, IMPLEMENTER, &term(55, "皮具课六次", 156, [118, 38], 7)).await?;
    story.go(53);
    let part = story.part(contract.id, 1).await?.id;
    let evidence = "六次课签到表、课堂照片和学员作品清单。";
    story.paid(part, IMPLEMENTER, (evidence, "到场听课两次，签到表与人数相符。")).await?;

    story.go(48);
    let supervisor = story.actor("supervisor").await?;
    let seen = "课堂秩序好，烤箱旁没有隔热手套，孩子在旁边玩。";
    let found = NewFinding {
        severity: Severity::Minor,
        body: "烤箱旁请备隔热手套，带孩子的学员安排在图书角。",
        due_on: story.date(43),
    };
    visit(state, txn, &supervisor, id, (story.date(48), seen), &[], &[found]).await?;
    let found = finding::Entity::find().filter(finding::Column::ProjectId.eq(id)).one(txn).await?;
    let found = found.ok_or(Code::Internal)?.id;
    story.go(45);
    let implementer = story.actor(IMPLEMENTER).await?;
    rectify(state, txn, &implementer, found, "手套已备齐，图书角由助教照看孩子。", &[]).await?;
    story.later(24);
    check(state, txn, &supervisor, found, Verdict::Closed, "复查两次课，已落实。").await?;

    story.go(42);
    story.serve(id, IMPLEMENTER, &term(42, "烘焙课六次和社区集市", 174, [129, 41], 10)).await?;
    story.go(40);
    let part = story.part(contract.id, 2).await?.id;
    let evidence = "六次课签到表、集市收入记录和接单群名单（已隐去姓名）。";
    story.paid(part, IMPLEMENTER, (evidence, "集市到场查看，接单记录属实。")).await
}

/// The last report, the completion, and what the neighbours say.
pub async fn complete(story: &Stage<'_>, id: ProjectId) -> Result<(), Problem> {
    let (state, txn) = (story.state, story.txn);
    story.go(21);
    let body = "十二次课、一次集市，330人次参加，17人学会接单。结余材料留给社区手工角。";
    story.report(id, IMPLEMENTER, (ReportKind::Final, body), (71, 21)).await?;
    ratings::complete(state, txn, &story.actor(IMPLEMENTER).await?, id).await?;
    let said = [
        (5, Some("老师有耐心，做的包卖出去两个。")),
        (5, None),
        (4, Some("要是下午也有一班就好了。")),
        (5, None),
        (5, Some("孩子有人看，能安心学。")),
        (4, None),
    ];
    for ((score, comment), number) in said.into_iter().zip(1..) {
        story.later(7);
        let neighbour = story.actor(&format!("tongan-{number}")).await?;
        let rating = ratings::rate(state, txn, &neighbour, id, (score, comment)).await?;
        if comment.is_some() {
            story.read(OFFICER, rating.id.0).await?;
        }
    }
    Ok(())
}

/// The rating is over and published, then come the evaluation, the end, and the copy in 光华社区.
pub async fn end(story: &Stage<'_>, id: ProjectId) -> Result<(), Problem> {
    let (state, txn) = (story.state, story.txn);
    story.go(6);
    ratings::publish(state, txn, id).await?;
    let evaluator = story.actor("evaluator").await?;
    let printed = report(story).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    let file = files::store_document(state, txn, evaluator.user_id, &printed).await?;
    let judged = |name, evidence, score| Judged { name, evidence, score };
    let evaluation = NewEvaluation {
        result: EvaluationResult::Excellent,
        score: 93,
        indicators: vec![
            judged("学会接单", "电话回访17人，15人近一个月有订单", 95),
            judged("居民评议", "居民评议结果公告", 92),
            judged("经费使用", "付款公示两份，与合同一致", 92),
        ],
        summary: SUMMARY,
        advice: Some("排课表和图书角的做法可以推广。"),
        rectify_by: None,
        report_file_id: file,
    };
    evaluate(state, txn, &evaluator, id, &evaluation).await?;
    let officer = story.actor(OFFICER).await?;
    story.later(4);
    finishing::finish(state, txn, &officer, id).await?;
    story.later(1);
    let exemplar = exemplars::publish(state, txn, &officer, id).await?;
    story.later(2);
    let copied = (place_id("/jiangan/chezhan/guanghua/"), Some("妈妈的手艺课（光华社区）"));
    exemplars::copy(state, txn, &story.actor("staff").await?, exemplar.id, copied).await.map(drop)
}

/// The third party's report: one sheet.
fn report(story: &Stage<'_>) -> Result<Vec<u8>, Unprintable> {
    let fonts = Fonts::read()?;
    let mut sheets = Sheets::new(&fonts);
    sheets.centred("项目评估报告", 22.0);
    sheets.down(8.0);
    sheets.centred("妈妈的手艺课", 15.0);
    sheets.down(14.0);
    for line in [
        SUMMARY,
        "评估方法：查阅签到表、付款公示和督导记录，电话回访学员17人，到社区集市查看一次。",
        "结论：优秀，93分。排课表和图书角的做法可以推广。",
        "评估机构：武汉至诚第三方评估事务所",
    ] {
        sheets.paragraph(line, 12.0);
        sheets.down(6.0);
    }
    let about = About {
        title: "项目评估报告：妈妈的手艺课".to_owned(),
        author: "武汉至诚第三方评估事务所",
        day: story.date(6),
        id: "demo-evaluation".to_owned(),
    };
    pdf::write(about, &fonts, sheets)
}
