//! What the demo shows of delivery: service records behind the seed document's figures, a visit of the supervisor, a report.

use chrono::TimeDelta;
use entities::delivery::{
    CountOf, ReportKind, ServiceKind, ServiceState, beneficiary, group, indicator, report, service, service_count,
    service_person, service_person_group, visit,
};
use entities::ids::{BeneficiaryId, ProjectId, ServiceId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;

use super::organisations::organisation_id;
use super::seed::{put, user_id};
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::crypto::{Purpose, hex};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// What is recorded of one project. Each service: kind, days ago, content, heads, of groups, reached, for the indicator.
struct Work {
    project: &'static str,
    groups: &'static [&'static str],
    indicator: Option<(&'static str, &'static str, i64)>,
    services: &'static [Done],
    report: &'static str,
}

struct Done {
    kind: ServiceKind,
    days_ago: i64,
    content: &'static str,
    heads: i64,
    groups: &'static [(&'static str, i64)],
    reached: i64,
    indicator: i64,
    /// Of the register; made-up people.
    people: usize,
}

#[rustfmt::skip]
const WORKS: &[Work] = &[
    Work { project: "craft", groups: &["青年女性", "全职妈妈"], indicator: Some(("再就业、创业女性", "人", 19)), report: "手工课每月两次，参加的居民逐月增加。", services: &[
        Done { kind: ServiceKind::Course, days_ago: 40, content: "花艺、皮具、烘焙课（上半年）", heads: 560, groups: &[("青年女性", 170), ("全职妈妈", 330)], reached: 0, indicator: 8, people: 0 },
        Done { kind: ServiceKind::Course, days_ago: 5, content: "花艺、皮具、烘焙课（下半年）", heads: 450, groups: &[("青年女性", 132), ("全职妈妈", 264)], reached: 0, indicator: 11, people: 0 },
    ] },
    Work { project: "opera", groups: &["学生"], indicator: Some(("志愿服务", "次", 13)), report: "戏曲进校园和社区演出按计划进行。", services: &[
        Done { kind: ServiceKind::Performance, days_ago: 60, content: "戏曲进校园：解放中学", heads: 680, groups: &[("学生", 680)], reached: 680, indicator: 5, people: 0 },
        Done { kind: ServiceKind::Performance, days_ago: 20, content: "社区楚剧演出和教学", heads: 1020, groups: &[], reached: 4400, indicator: 8, people: 0 },
    ] },
    Work { project: "jobs", groups: &["待业青年"], indicator: None, report: "九名青年完成职业探索，六人建立个案。", services: &[
        Done { kind: ServiceKind::Training, days_ago: 30, content: "求职技能集中培训", heads: 0, groups: &[], reached: 0, indicator: 0, people: 9 },
        Done { kind: ServiceKind::Visit, days_ago: 10, content: "生涯规划面谈", heads: 0, groups: &[], reached: 0, indicator: 0, people: 6 },
    ] },
    Work { project: "falls", groups: &["空巢老人"], indicator: Some(("改造家庭", "户", 500)), report: "防跌倒改造累计五百户，回访无新增跌倒。", services: &[
        Done { kind: ServiceKind::Refit, days_ago: 90, content: "通道、厨房、卫生间加装扶手", heads: 0, groups: &[], reached: 0, indicator: 320, people: 0 },
        Done { kind: ServiceKind::Refit, days_ago: 15, content: "卫生间防滑和扶手改造", heads: 0, groups: &[], reached: 0, indicator: 180, people: 0 },
    ] },
];

/// Puts in what is not there yet; see [`super::seed`].
pub(super) async fn seed(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let now = state.clock.now();
    for work in WORKS {
        let project: ProjectId = ids::named(&format!("project:{}", work.project));
        for name in work.groups {
            let row = group::ActiveModel {
                project_id: Set(project),
                name: Set((*name).to_owned()),
                added_by: Set(None),
                added_at: Set(now),
            };
            put(txn, row).await?;
        }
        if let Some((name, unit, target)) = work.indicator {
            let row = indicator::ActiveModel {
                project_id: Set(project),
                name: Set(name.to_owned()),
                unit: Set(unit.to_owned()),
                target: Set(target),
                added_by: Set(None),
                added_at: Set(now),
            };
            put(txn, row).await?;
        }
        for done in work.services {
            serve(state, txn, project, work, done).await?;
        }
        let day = |ago| calendar::day(now - TimeDelta::days(ago)).to_string();
        let row = report::ActiveModel {
            id: Set(ids::named(&format!("report:{}", work.project))),
            project_id: Set(project),
            kind: Set(ReportKind::Progress),
            period_from: Set(day(90)),
            period_until: Set(day(1)),
            body: Set(work.report.to_owned()),
            figures: Set(json!([])),
            author_id: Set(user_id("org-a")),
            created_at: Set(now),
        };
        put(txn, row).await?;
        let row = visit::ActiveModel {
            id: Set(ids::named(&format!("visit:{}", work.project))),
            project_id: Set(project),
            organisation_id: Set(organisation_id("江岸区社区服务督导中心")),
            visited_on: Set(day(3)),
            seen: Set("查看签到表和现场照片，与三位居民交谈，情况属实。".to_owned()),
            visited_by: Set(user_id("supervisor")),
            created_at: Set(now),
        };
        put(txn, row).await?;
    }
    Ok(())
}

async fn serve(
    state: &AppState,
    txn: &DatabaseTransaction,
    project: ProjectId,
    work: &Work,
    done: &Done,
) -> Result<(), Problem> {
    let id: ServiceId = ids::named(&format!("service:{}:{}", work.project, done.days_ago));
    // What is there is sealed: nothing can be put in again.
    if service::Entity::find_by_id(id).one(txn).await?.is_some() {
        return Ok(());
    }
    let at = state.clock.now() - TimeDelta::days(done.days_ago);
    let row = service::ActiveModel {
        id: Set(id),
        project_id: Set(project),
        kind: Set(done.kind),
        held_on: Set(calendar::day(at).to_string()),
        place: Set("党群服务中心".to_owned()),
        content: Set(done.content.to_owned()),
        heads: Set(done.heads),
        reached: Set(done.reached),
        source_id: Set(None),
        state: Set(ServiceState::Recorded),
        recorded_by: Set(user_id("org-a")),
        recorded_at: Set(at),
        decided_by: Set(None),
        decided_at: Set(None),
        reason: Set(None),
    };
    put(txn, row).await?;
    let of_groups = done.groups.iter().map(|(name, amount)| (CountOf::Heads, *name, *amount));
    let of_indicator = work.indicator.iter().map(|(name, ..)| (CountOf::Indicator, *name, done.indicator));
    for (what, name, amount) in of_groups.chain(of_indicator) {
        let row = service_count::ActiveModel {
            service_id: Set(id),
            project_id: Set(project),
            what: Set(what),
            name: Set(name.to_owned()),
            amount: Set(amount),
        };
        put(txn, row).await?;
    }
    for number in 0..done.people {
        came(state, txn, (project, id), work, number).await?;
    }
    service::Entity::update_many()
        .col_expr(service::Column::State, ServiceState::Confirmed.into())
        .col_expr(service::Column::DecidedBy, user_id("supervisor").into())
        .col_expr(service::Column::DecidedAt, Expr::value(at + TimeDelta::days(1)))
        .filter(service::Column::Id.eq(id))
        .filter(service::Column::State.eq(ServiceState::Recorded))
        .exec(txn)
        .await?;
    Ok(())
}

/// Somebody of the register, at one more service.
async fn came(
    state: &AppState,
    txn: &DatabaseTransaction,
    (project, service): (ProjectId, ServiceId),
    work: &Work,
    number: usize,
) -> Result<(), Problem> {
    const SURNAMES: [&str; 9] = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周"];
    let name = format!("{}青", SURNAMES.get(number).copied().unwrap_or("吴"));
    let person: BeneficiaryId = ids::named(&format!("beneficiary:{}:{number}", work.project));
    let who = hex(&state.keys.sign(Purpose::Beneficiary, format!("{project}\n{number}").as_bytes()));
    let sealed = state.keys.encrypt("project_beneficiaries.name", &name);
    let row = beneficiary::ActiveModel {
        id: Set(person),
        project_id: Set(project),
        who: Set(format!("door:{who}")),
        phone_hash: Set(None),
        user_id: Set(None),
        name_cipher: Set(sealed.map_err(|error| Problem::from(Code::Internal).caused_by(error))?),
        added_by: Set(user_id("org-a")),
        added_at: Set(state.clock.now()),
    };
    put(txn, row).await?;
    put(txn, service_person::ActiveModel { service_id: Set(service), beneficiary_id: Set(person) }).await?;
    for name in work.groups {
        let row = service_person_group::ActiveModel {
            service_id: Set(service),
            beneficiary_id: Set(person),
            project_id: Set(project),
            name: Set((*name).to_owned()),
        };
        put(txn, row).await?;
    }
    Ok(())
}
