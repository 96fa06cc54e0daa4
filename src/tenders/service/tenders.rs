//! Putting a project out to tender: opening it, amending it, answering questions, ending it without an award.

use chrono::{DateTime, Utc};
use entities::identity::{Role, grant};
use entities::ids::{ProjectId, TenderId, TenderQuestionId, UserId};
use entities::organisations::person;
use entities::projects::{ProjectAction, project};
use entities::tenders::{AwardState, BidState, TenderState, amendment, award, bid, criterion, question, tender};
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
};
use serde_json::json;

use super::{Entered, enter, enter_as_staff, log, programme_of, when};
use crate::identity::{Actor, Permission};
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::projects;
use crate::projects::Who;
use crate::tenders::domain::yuan;
use crate::tenders::sealing;

/// How long a tender is open at least and at most.
const OPEN: (chrono::TimeDelta, chrono::TimeDelta) = (chrono::TimeDelta::hours(24), chrono::TimeDelta::days(180));

/// A tender that somebody wants to open.
pub struct NewTender<'a> {
    pub requirements: &'a str,
    pub closes_at: DateTime<Utc>,
    pub registered_only: bool,
    pub price_weight: i64,
    pub min_scorers: i64,
    /// Title, weight, maximum.
    pub criteria: Vec<(&'a str, i64, i64)>,
}

/// Puts a selected project out to tender. The ceiling is what was committed to it.
pub async fn create(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    project_id: ProjectId,
    new: NewTender<'_>,
) -> Result<tender::Model, Problem> {
    let project = projects::lock(txn, project_id).await?;
    projects::require(txn, actor, &project, Who::Programme).await?;
    let programme = programme_of(txn, &project).await?;
    let now = state.clock.now();
    if new.closes_at < now + OPEN.0 || new.closes_at > now + OPEN.1 || new.closes_at >= programme.delivery_until {
        let detail =
            "须在24小时之后、180天之内，且早于实施期结束 / 24 hours to 180 days from now, before delivery ends";
        return Err(Problem::field("/closes_at", detail));
    }
    let weights = new.criteria.iter().map(|(_, weight, _)| weight).sum::<i64>() + new.price_weight;
    if weights != 100 {
        let detail = "各项权重与价格权重之和须为100 / the weights and the price's must add up to 100";
        return Err(Problem::field("/criteria", detail));
    }
    let project = projects::step(state, txn, actor, &project, ProjectAction::Tender, None).await?;
    projects::require_undisputed(state, txn, project.id).await?;
    let id: TenderId = ids::ordered(&state.clock);
    let row = tender::ActiveModel {
        id: Set(id),
        project_id: Set(project.id),
        programme_id: Set(programme.id),
        requirements: Set(new.requirements.trim().to_owned()),
        ceiling_fen: Set(project.budget_fen),
        price_weight: Set(new.price_weight),
        min_scorers: Set(new.min_scorers),
        registered_only: Set(new.registered_only),
        closes_at: Set(new.closes_at),
        state: Set(TenderState::Live),
        amendments: Set(0),
        created_by: Set(actor.user_id),
        created_at: Set(now),
        opening_asked_by: Set(None),
        opening_asked_at: Set(None),
        opened_by: Set(None),
        opened_at: Set(None),
    };
    let there = OnConflict::new().do_nothing().to_owned();
    if tender::Entity::insert(row).on_conflict(there).exec_without_returning(txn).await? == 0 {
        return Err(Code::TenderExists.into());
    }
    let criteria = new.criteria.iter().zip(1..).map(|((title, weight, max_points), seq)| criterion::ActiveModel {
        tender_id: Set(id),
        seq: Set(seq),
        title: Set(title.trim().to_owned()),
        weight: Set(*weight),
        max_points: Set(*max_points),
    });
    criterion::Entity::insert_many(criteria).exec_without_returning(txn).await?;
    let detail = json!({ "project_id": project.id, "ceiling_fen": project.budget_fen, "closes_at": new.closes_at });
    log(state, txn, actor, "tender.open", ("tender", id.0), &project, detail).await?;
    let weights: Vec<_> = new.criteria.iter().map(|(title, weight, _)| format!("{}{weight}分", title.trim())).collect();
    let body = format!(
        "最高限价：{}。\n投标截止：{}。\n评分：{}，价格{}分。\n{}",
        yuan(project.budget_fen),
        when(new.closes_at),
        weights.join("，"),
        new.price_weight,
        new.requirements.trim(),
    );
    tell_market(
        state,
        txn,
        &project,
        id,
        &format!("open:{id}"),
        format!("招标：{}", project.title),
        when(new.closes_at) + "截止投标",
    )
    .await?;
    let title = format!("招标公告：{}", project.title);
    let notice = Notice {
        community_id: project.community_id,
        kind: "tender.open",
        title,
        body,
        subject: Some(("tender", id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    super::find(txn, id).await
}

/// Everybody who acts for an organisation where a project is. Who bids is among them: to tell only the bidders would tell who
/// they are.
async fn market(
    connection: &impl ConnectionTrait,
    project: &project::Model,
    now: DateTime<Utc>,
) -> Result<Vec<UserId>, Problem> {
    let above = project.place_path.match_indices('/').skip(1).filter_map(|(at, _)| project.place_path.get(..=at));
    let acting = Query::select()
        .column(grant::Column::UserId)
        .from(grant::Entity)
        .and_where(grant::Column::Role.eq(Role::Organisation))
        .and_where(grant::Column::RevokedAt.is_null())
        .and_where(grant::Column::Until.is_null().or(grant::Column::Until.gt(now)))
        .and_where(grant::Column::PlacePath.is_in(above))
        .to_owned();
    let people = person::Entity::find()
        .select_only()
        .column(person::Column::UserId)
        .distinct()
        .filter(person::Column::EndedAt.is_null())
        .filter(person::Column::UserId.in_subquery(acting));
    Ok(people.into_tuple().all(connection).await?)
}

async fn tell_market(
    state: &AppState,
    txn: &DatabaseTransaction,
    project: &project::Model,
    id: TenderId,
    what: &str,
    title: String,
    body: String,
) -> Result<(), Problem> {
    let people = market(txn, project, state.clock.now()).await?;
    let message = Message {
        kind: "tender.news",
        title,
        body,
        target: Some(("tender", id.0)),
        dedupe_key: format!("tender:{what}"),
        template: Template::Project,
    };
    notifications::tell_all(state, txn, &people, &message).await
}

/// Adds to a tender before its closing, and may put the closing off. What was published stays; bids can be replaced.
pub async fn amend(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderId,
    text: &str,
    closes_at: Option<DateTime<Utc>>,
) -> Result<amendment::Model, Problem> {
    let entered = enter_as_staff(txn, actor, id).await?;
    let now = state.clock.now();
    open_for_bids(&entered, now)?;
    let Entered { project, programme, tender } = entered;
    let closes_at = closes_at.unwrap_or(tender.closes_at);
    if closes_at < tender.closes_at || closes_at > now + OPEN.1 || closes_at >= programme.delivery_until {
        let detail = "只能延后，且早于实施期结束 / only later, and before delivery ends";
        return Err(Problem::field("/closes_at", detail));
    }
    let seq = tender.amendments + 1;
    let row = amendment::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        tender_id: Set(id),
        seq: Set(seq),
        body: Set(text.trim().to_owned()),
        closes_at: Set(closes_at),
        created_by: Set(actor.user_id),
        created_at: Set(now),
    };
    let row = row.insert(txn).await?;
    let mut changed = tender.into_active_model();
    (changed.amendments, changed.closes_at) = (Set(seq), Set(closes_at));
    changed.update(txn).await?;
    let detail = json!({ "seq": seq, "closes_at": closes_at });
    log(state, txn, actor, "tender.amend", ("tender", id.0), &project, detail).await?;
    let body = format!("{}\n投标截止：{}。", row.body, when(closes_at));
    let title = format!("招标补充公告（第{seq}次）：{}", project.title);
    tell_market(state, txn, &project, id, &format!("amend:{}", row.id), title.clone(), body.clone()).await?;
    let subject = Some(("tender_amendment", row.id.0));
    let notice = Notice {
        community_id: project.community_id,
        kind: "tender.amended",
        title,
        body,
        subject,
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(row)
}

/// 409 once a tender takes nothing more: its time is over, or it ended. `now` is read after its row is locked.
pub fn open_for_bids(entered: &Entered, now: DateTime<Utc>) -> Result<(), Problem> {
    if entered.goes_on() && now < entered.tender.closes_at { Ok(()) } else { Err(Code::TenderClosed.into()) }
}

/// Asks something about an open tender. It becomes public with its answer; who asked does not.
pub async fn ask(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderId,
    body: &str,
) -> Result<question::Model, Problem> {
    let entered = enter(txn, id).await?;
    actor.require(Permission::ActForOrganisation, &entered.project.place_path)?;
    let now = state.clock.now();
    open_for_bids(&entered, now)?;
    let row = question::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        tender_id: Set(id),
        asker_cipher: Set(sealing::asker(state, id, actor.user_id)?),
        body: Set(body.trim().to_owned()),
        asked_at: Set(now),
        answer: Set(None),
        answered_by: Set(None),
        answered_at: Set(None),
    };
    Ok(row.insert(txn).await?)
}

/// Answers a question, once, for everybody to read.
pub async fn answer(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderQuestionId,
    answer: &str,
) -> Result<question::Model, Problem> {
    let asked = question::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let entered = enter_as_staff(txn, actor, asked.tender_id).await?;
    let now = state.clock.now();
    open_for_bids(&entered, now)?;
    let answered = question::Entity::update_many()
        .col_expr(question::Column::Answer, answer.trim().into())
        .col_expr(question::Column::AnsweredBy, actor.user_id.into())
        .col_expr(question::Column::AnsweredAt, now.into())
        .filter(question::Column::Id.eq(id))
        .filter(question::Column::Answer.is_null())
        .exec_with_returning(txn)
        .await?;
    let row = answered.into_iter().next().ok_or(Code::AlreadyDecided)?;
    log(state, txn, actor, "tender.answer", ("tender_question", id.0), &entered.project, json!({})).await?;
    if let Some(asker) = sealing::who_asked(state, row.tender_id, &row.asker_cipher) {
        let message = Message {
            kind: "tender.answer",
            title: format!("您的招标提问已答复：{}", entered.project.title),
            body: answer.trim().to_owned(),
            target: Some(("tender", row.tender_id.0)),
            dedupe_key: format!("tender:answer:{id}"),
            template: Template::Project,
        };
        notifications::tell(state, txn, asker, &message).await?;
    }
    Ok(row)
}

/// Ends an opened tender that has no valid bid left; the project can be put out again.
pub async fn fail(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderId,
    reason: &str,
) -> Result<tender::Model, Problem> {
    let Entered { project, tender, .. } = enter_as_staff(txn, actor, id).await?;
    if tender.state != TenderState::Live {
        return Err(Code::AlreadyDecided.into());
    }
    if tender.opened_at.is_none() {
        return Err(Code::TenderNotOpened.into());
    }
    let set_aside = Query::select()
        .column(award::Column::BidId)
        .from(award::Entity)
        .and_where(award::Column::TenderId.eq(id))
        .and_where(award::Column::State.eq(AwardState::SetAside))
        .to_owned();
    let valid = bid::Entity::find()
        .filter(bid::Column::TenderId.eq(id))
        .filter(bid::Column::State.eq(BidState::Valid))
        .filter(Expr::col(bid::Column::Id).not_in_subquery(set_aside));
    if valid.count(txn).await? > 0 {
        return Err(Code::ValidBids.into());
    }
    let project = projects::step(state, txn, actor, &project, ProjectAction::FailTender, Some(reason)).await?;
    let mut changed = tender.into_active_model();
    changed.state = Set(TenderState::Failed);
    let tender = changed.update(txn).await?;
    let body = format!("本次招标没有有效投标可以中选。\n{}", reason.trim());
    let title = format!("流标公告：{}", project.title);
    let notice = Notice {
        community_id: project.community_id,
        kind: "tender.failed",
        title,
        body,
        subject: Some(("tender", id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(tender)
}
