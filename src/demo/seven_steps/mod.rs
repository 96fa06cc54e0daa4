//! What the demo shows of the seven steps: four projects of 车站街道 that began some months ago and stand where a visitor can look at
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
const TITLE: &str = "车站街道居民身边事项目（第一批）";
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
async fn tell(story: &Stage<'_>) -> Result<(), Problem> {
    let cast = selected(story).await?;
    let crafts = judged::begin(story, cast.crafts).await?;
    let lights = running::begin(story, cast.lights).await?;
    judged::deliver(story, cast.crafts, &crafts).await?;
    running::deliver(story, cast.lights, &lights).await?;
    judged::complete(story, cast.crafts).await?;
    let meals = offered(story, cast.meals).await?;
    running::change(story, &lights).await?;
    running::supervise(story, cast.lights).await?;
    judged::end(story, cast.crafts).await?;
    open_for_bids(story, cast.rehab).await?;
    awarded(story, meals).await
}

/// Needs, one of them merged into another, a programme, four designs, their reviews and the selection.
async fn selected(story: &Stage<'_>) -> Result<Cast, Problem> {
    story.go(150);
    let mut told: Vec<NeedId> = Vec::new();
    for need in &plans::NEEDS {
        told.push(story.need(need).await?);
        story.later(24);
    }
    let [dark, rail, craft, meal, ill] = told.try_into().map_err(|_other| Code::Internal)?;
    let staff = story.actor("staff").await?;
    let why = "说的是同一段楼梯，合在一起办，附议都算数";
    needs::merge(story.state, story.txn, &staff, (rail, dark), why).await?;

    story.go(138);
    let programme = story.programme(STREET, TITLE, YUAN).await?;
    story.go(128);
    let lights = story.design(programme, &plans::LIGHTS, &[dark]).await?;
    let crafts = story.design(programme, &plans::CRAFTS, &[craft]).await?;
    let meals = story.design(programme, &plans::MEALS, &[meal]).await?;
    let rehab = story.design(programme, &plans::REHAB, &[ill]).await?;
    story.go(108);
    for (id, plan) in
        [(lights, &plans::LIGHTS), (crafts, &plans::CRAFTS), (meals, &plans::MEALS), (rehab, &plans::REHAB)]
    {
        story.review(id, plan).await?;
    }
    // The days in which people may object to what is chosen are over before the first tender.
    story.go(100);
    story.select(programme).await?;
    for id in [lights, crafts, meals, rehab] {
        story.assign(id).await?;
    }
    Ok(Cast { lights, crafts, meals, rehab })
}

/// A tender that was opened by two and scored.
async fn offered(story: &Stage<'_>, id: ProjectId) -> Result<entities::tenders::tender::Model, Problem> {
    story.go(19);
    let words = "每个工作日中午把热饭送到行动不便的老人家里，少油少盐，送到时看一眼老人情况；承接机构须有食品经营许可的合作食堂。";
    let tender = story.tender(id, words, 14).await?;
    story.go(16);
    let offers = [&plans::MEALS_BY_WANQING, &plans::MEALS_BY_CHUNHUI];
    for offer in offers {
        story.bid(tender, offer).await?;
        story.later(5);
    }
    story.go(13);
    let opened = story.open(tender).await?;
    story.later(24);
    story.score(tender, &offers).await?;
    Ok(opened)
}

/// Its award is on the board for seven days, and a resident objects.
async fn awarded(story: &Stage<'_>, tender: entities::tenders::tender::Model) -> Result<(), Problem> {
    story.go(2);
    let award = story.award(&tender).await?;
    story.later(20);
    let notice = notice::Entity::find_by_id(award.notice_id.ok_or(Code::Internal)?);
    let notice = notice.one(story.txn).await?.ok_or(Code::Internal)?;
    let neighbour = story.actor("resident-13").await?;
    let text = "公示里没有写送餐的食堂在哪里。去年有一家从江对岸送，到老人手上已经凉了。请说明食堂地址和送到的时间。";
    let objection = notices::object(story.state, story.txn, &neighbour, notice.id, text).await?;
    story.later(2);
    story.read("staff", objection.id.0).await
}

/// A tender that still takes bids: two are there, and nothing tells so. A bidder's question was answered for all.
async fn open_for_bids(story: &Stage<'_>, id: ProjectId) -> Result<(), Problem> {
    story.go(5);
    let words = "康复治疗师每周上门一次，教失能老人和照护的家人做训练，做好记录；前两次由家属和督导陪同。";
    let tender = story.tender(id, words, -9).await?;
    story.go(4);
    let asked = "住在三楼以上又没有电梯的老人，能不能约到社区康复角训练？";
    let question = tenders::ask(story.state, story.txn, &story.actor("org-b").await?, tender, asked).await?;
    story.later(5);
    let answer = "可以，由老人和家属自己选；去康复角的，承接机构负责接送。";
    tenders::answer(story.state, story.txn, &story.actor(OFFICER).await?, question.id, answer).await?;
    story.go(3);
    for offer in [&plans::REHAB_BY_CHUNHUI, &plans::REHAB_BY_WANQING] {
        story.bid(tender, offer).await?;
        story.later(3);
    }
    Ok(())
}
