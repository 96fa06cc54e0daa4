//! What the demo shows of the seven steps: four projects of 车站街道 that began this spring and stand where a visitor can look at
//! each step. One waits for bids that nobody can read, one has an award that somebody objects to, one is under way and late, one is
//! finished, found excellent and copied.
//!
//! The seed document names the steps and no such project: all of it is made up, after the document's kinds of services and groups.
//! It is done by the services, each step by whom it is for, with a clock of its own that goes through the past months: so it is
//! checked, told, on the board and in the books like everything else.

mod judged;
mod plans;
mod running;
mod stage;

use entities::ids::{NeedId, ProjectId};
use entities::notices::notice;
use entities::programmes::programme;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use self::stage::{OFFICER, Stage};
use crate::app;
use crate::needs;
use crate::notices;
use crate::platform::calendar;
use crate::platform::clock::Clock;
use crate::platform::code::Code;
use crate::platform::http::{Problem, transact};
use crate::platform::state::{AppState, SetupError};
use crate::tenders;

const STREET: &str = "/jiangan/chezhan/";
const TITLE: &str = "车站街道居民身边事项目（春季）";
/// Yuan in all, and of each project at most.
const YUAN: (i64, i64) = (120_000, 35_000);

/// The projects, on their way.
struct Cast {
    lights: ProjectId,
    crafts: ProjectId,
    meals: ProjectId,
    rehab: ProjectId,
}

/// Does it once, in one transaction: a start that is interrupted leaves nothing half done.
pub(super) async fn act(state: &AppState) -> Result<(), SetupError> {
    let there = programme::Entity::find().filter(programme::Column::Title.eq(TITLE));
    if there.count(state.db.read()).await? > 0 {
        return Ok(());
    }
    // The same database and keys with another clock: nobody else's time moves.
    let past = AppState::new(state.config.clone(), Clock::default(), app::capabilities()).await?;
    let today = calendar::day(state.clock.now());
    let told = transact(&past, async |txn| tell(&Stage { state: &past, txn, today }).await).await;
    past.db.clone().close().await?;
    Ok(told?)
}

/// In such an order that each board is in the order in which it happened.
async fn tell(stage: &Stage<'_>) -> Result<(), Problem> {
    let cast = selected(stage).await?;
    let crafts = judged::begin(stage, cast.crafts).await?;
    let lights = running::begin(stage, cast.lights).await?;
    judged::deliver(stage, cast.crafts, &crafts).await?;
    running::deliver(stage, cast.lights, &lights).await?;
    judged::complete(stage, cast.crafts).await?;
    let meals = offered(stage, cast.meals).await?;
    running::change(stage, &lights).await?;
    running::supervise(stage, cast.lights).await?;
    judged::end(stage, cast.crafts).await?;
    open_for_bids(stage, cast.rehab).await?;
    awarded(stage, meals).await
}

/// Needs, one of them merged into another, a programme, four designs, their reviews and the selection.
async fn selected(stage: &Stage<'_>) -> Result<Cast, Problem> {
    stage.go(140);
    let mut told: Vec<NeedId> = Vec::new();
    for need in &plans::NEEDS {
        told.push(stage.need(need).await?);
        stage.later(24);
    }
    let [dark, rail, craft, meal, ill] = told.try_into().map_err(|_| Code::Internal)?;
    let staff = stage.actor("staff").await?;
    let why = "说的是同一段楼梯，合在一起办，附议都算数";
    needs::merge(stage.state, stage.txn, &staff, (rail, dark), why).await?;

    stage.go(130);
    let programme = stage.programme(STREET, TITLE, YUAN).await?;
    stage.go(120);
    let lights = stage.design(programme, &plans::LIGHTS, &[dark]).await?;
    let crafts = stage.design(programme, &plans::CRAFTS, &[craft]).await?;
    let meals = stage.design(programme, &plans::MEALS, &[meal]).await?;
    let rehab = stage.design(programme, &plans::REHAB, &[ill]).await?;
    stage.go(100);
    for (id, plan) in
        [(lights, &plans::LIGHTS), (crafts, &plans::CRAFTS), (meals, &plans::MEALS), (rehab, &plans::REHAB)]
    {
        stage.review(id, plan).await?;
    }
    stage.go(93);
    stage.select(programme).await?;
    for id in [lights, crafts, meals, rehab] {
        stage.assign(id).await?;
    }
    Ok(Cast { lights, crafts, meals, rehab })
}

/// A tender that was opened by two and scored.
async fn offered(stage: &Stage<'_>, id: ProjectId) -> Result<entities::tenders::tender::Model, Problem> {
    stage.go(19);
    let words = "每个工作日中午把热饭送到行动不便的老人家里，少油少盐，送到时看一眼老人情况；承接机构须有食品经营许可的合作食堂。";
    let tender = stage.tender(id, words, 14).await?;
    stage.go(16);
    let offers = [&plans::MEALS_BY_WANQING, &plans::MEALS_BY_CHUNHUI];
    for offer in offers {
        stage.bid(tender, offer).await?;
        stage.later(5);
    }
    stage.go(13);
    let opened = stage.open(tender).await?;
    stage.later(24);
    stage.score(tender, &offers).await?;
    Ok(opened)
}

/// Its award is on the board for seven days, and a resident objects.
async fn awarded(stage: &Stage<'_>, tender: entities::tenders::tender::Model) -> Result<(), Problem> {
    stage.go(2);
    let award = stage.award(&tender).await?;
    stage.later(20);
    let notice = notice::Entity::find_by_id(award.notice_id.ok_or(Code::Internal)?);
    let notice = notice.one(stage.txn).await?.ok_or(Code::Internal)?;
    let neighbour = stage.actor("resident-13").await?;
    let text = "公示里没有写送餐的食堂在哪里。去年有一家从江对岸送，到老人手上已经凉了。请说明食堂地址和送到的时间。";
    notices::object(stage.state, stage.txn, &neighbour, notice.id, text).await.map(drop)
}

/// A tender that still takes bids: two are there, and nothing tells so. A bidder's question was answered for all.
async fn open_for_bids(stage: &Stage<'_>, id: ProjectId) -> Result<(), Problem> {
    stage.go(5);
    let words = "康复治疗师每周上门一次，教失能老人和照护的家人做训练，做好记录；前两次由家属和督导陪同。";
    let tender = stage.tender(id, words, -9).await?;
    stage.go(4);
    let asked = "住在三楼以上又没有电梯的老人，能不能约到社区康复角训练？";
    let question = tenders::ask(stage.state, stage.txn, &stage.actor("org-b").await?, tender, asked).await?;
    stage.later(5);
    let answer = "可以，由老人和家属自己选；去康复角的，承接机构负责接送。";
    tenders::answer(stage.state, stage.txn, &stage.actor(OFFICER).await?, question.id, answer).await?;
    stage.go(3);
    for offer in [&plans::REHAB_BY_CHUNHUI, &plans::REHAB_BY_WANQING] {
        stage.bid(tender, offer).await?;
        stage.later(3);
    }
    Ok(())
}
