//! Awarding a bid, confirming one that is not the first, setting one aside after an objection.

use chrono::TimeDelta;
use entities::ids::{BidId, OrganisationId, TenderAwardId, TenderId};
use entities::projects::{Part, ProjectAction, ProjectState, project};
use entities::tenders::{AwardState, award, bid};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait,
    IntoActiveModel, QueryFilter,
};
use serde_json::json;

use super::scoring::{no_award, ranking};
use super::{Entered, enter_as_staff, log, name_of, when};
use crate::identity::Actor;
use crate::notices::{self, Notice, Standing};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::tenders::domain::{Ranked, yuan};
use crate::{organisations, projects};

/// An award by its id, or 404.
pub async fn find(connection: &impl ConnectionTrait, id: TenderAwardId) -> Result<award::Model, Problem> {
    award::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// The award of a tender that stands.
pub async fn standing_award(connection: &impl ConnectionTrait, id: TenderId) -> Result<Option<award::Model>, Problem> {
    let standing = award::Entity::find()
        .filter(award::Column::TenderId.eq(id))
        .filter(award::Column::State.eq(AwardState::Standing));
    Ok(standing.one(connection).await?)
}

/// Awards the first-ranked bid; another is proposed with a reason, for a second person to confirm.
pub async fn award(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderId,
    bid_id: BidId,
    reason: Option<&str>,
) -> Result<award::Model, Problem> {
    let entered = enter_as_staff(txn, actor, id).await?;
    if entered.tender.opened_at.is_none() {
        return Err(Code::TenderNotOpened.into());
    }
    no_award(txn, id).await?;
    if entered.project.state != ProjectState::Tendering {
        return Err(Code::ProjectState.into());
    }
    let ranking = ranking(txn, &entered.tender).await?;
    let not_ranked = || Problem::field("/bid_id", "不是本次招标的有效投标 / not a valid bid of this tender");
    let ranked = ranking.bids.iter().find(|ranked| ranked.bid_id == bid_id).ok_or_else(not_ranked)?;
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    if ranked.rank > 1 && reason.is_none() {
        return Err(Problem::field("/reason", "未选第一名须说明理由 / say why it is not the first-ranked"));
    }
    let organisation = bidder(txn, bid_id).await?;
    apart(state, txn, actor, &entered.project, organisation).await?;
    let award_id: TenderAwardId = ids::ordered(&state.clock);
    let first = ranked.rank == 1;
    let notice_id = if first {
        Some(take_effect(state, txn, actor, &entered, award_id, organisation, ranked, reason).await?)
    } else {
        None
    };
    let row = award::ActiveModel {
        id: Set(award_id),
        tender_id: Set(id),
        bid_id: Set(bid_id),
        rank: Set(ranked.rank),
        ranking: Set(serde_json::to_value(&ranking).map_err(|error| Problem::from(Code::Internal).caused_by(error))?),
        reason: Set(reason.map(str::to_owned)),
        state: Set(if first { AwardState::Standing } else { AwardState::Proposed }),
        proposed_by: Set(actor.user_id),
        proposed_at: Set(state.clock.now()),
        decided_by: Set(None),
        decided_at: Set(None),
        notice_id: Set(notice_id),
        set_aside_by: Set(None),
        set_aside_at: Set(None),
        set_aside_reason: Set(None),
    };
    let there = OnConflict::new().do_nothing().to_owned();
    if award::Entity::insert(row).on_conflict(there).exec_without_returning(txn).await? == 0 {
        return Err(Code::AwardExists.into());
    }
    let detail = json!({ "bid_id": bid_id, "rank": ranked.rank });
    log(state, txn, actor, "tender.award", ("tender", id.0), &entered.project, detail).await?;
    find(txn, award_id).await
}

/// Decides on a proposed award, as the second person.
pub async fn decide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderAwardId,
    confirm: bool,
) -> Result<award::Model, Problem> {
    let entered = enter_as_staff(txn, actor, find(txn, id).await?.tender_id).await?;
    // Read again: the tender is locked now.
    let proposed = find(txn, id).await?;
    if proposed.state != AwardState::Proposed {
        return Err(Code::AlreadyDecided.into());
    }
    if proposed.proposed_by == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let organisation = bidder(txn, proposed.bid_id).await?;
    let notice_id = if confirm {
        apart(state, txn, actor, &entered.project, organisation).await?;
        let ranking: crate::tenders::domain::Ranking = serde_json::from_value(proposed.ranking.clone())
            .map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
        let ranked = ranking.bids.iter().find(|ranked| ranked.bid_id == proposed.bid_id).ok_or(Code::Internal)?;
        Some(take_effect(state, txn, actor, &entered, id, organisation, ranked, proposed.reason.as_deref()).await?)
    } else {
        None
    };
    let mut decided = proposed.into_active_model();
    decided.state = Set(if confirm { AwardState::Standing } else { AwardState::Refused });
    (decided.decided_by, decided.decided_at) = (Set(Some(actor.user_id)), Set(Some(state.clock.now())));
    decided.notice_id = Set(notice_id);
    let decided = decided.update(txn).await?;
    log(
        state,
        txn,
        actor,
        "tender.award_decide",
        ("tender_award", id.0),
        &entered.project,
        json!({ "confirm": confirm }),
    )
    .await?;
    Ok(decided)
}

async fn bidder(txn: &DatabaseTransaction, bid: BidId) -> Result<OrganisationId, Problem> {
    let bid = bid::Entity::find_by_id(bid).one(txn).await?.ok_or(Code::NotFound)?;
    bid.organisation_id.ok_or_else(|| Code::BidNotValid.into())
}

/// Who awards is not tied to the bidder, and the bidder has no other part in the project.
async fn apart(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    project: &project::Model,
    organisation: OrganisationId,
) -> Result<(), Problem> {
    organisations::lock(txn, [organisation]).await?;
    if organisations::conflicts(state, txn, actor.user_id, [organisation]).await? {
        return Err(Code::ConflictOfInterest.into());
    }
    for part in [Part::Supervisor, Part::Evaluator] {
        if projects::party(txn, project.id, part).await? == Some(organisation) {
            return Err(Code::PartiesNotApart.into());
        }
    }
    Ok(())
}

/// The award becomes public, and people may object to it.
#[allow(clippy::too_many_arguments, reason = "what an award consists of")]
async fn take_effect(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    entered: &Entered,
    id: TenderAwardId,
    organisation: OrganisationId,
    ranked: &Ranked,
    reason: Option<&str>,
) -> Result<entities::ids::NoticeId, Problem> {
    let project = projects::step(state, txn, actor, &entered.project, ProjectAction::Award, None).await?;
    let until = state.clock.now() + TimeDelta::days(entered.programme.objection_days);
    let name = name_of(txn, organisation).await?;
    let people = organisations::people_of(txn, organisation).await?;
    let message = Message {
        kind: "tender.award",
        title: format!("拟中选：{}", project.title),
        body: format!("公示至{}，无成立的异议后签订合同。", when(until)),
        target: Some(("tender", entered.tender.id.0)),
        dedupe_key: format!("tender:award:{id}"),
        template: Template::Project,
    };
    notifications::tell_all(state, txn, &people, &message).await?;
    let points = format!("{}.{:03}", ranked.total / 1000, ranked.total % 1000);
    let why = reason.map(|reason| format!("\n未选第一名的理由：{reason}")).unwrap_or_default();
    let body = format!(
        "拟中选机构：{name}。\n报价：{}，得分{points}，排名第{}。{why}\n对结果有异议，可在{}前提出。",
        yuan(ranked.price_fen),
        ranked.rank,
        when(until),
    );
    let notice = Notice {
        community_id: project.community_id,
        kind: "tender.award",
        title: format!("中选公示：{}", project.title),
        body,
        subject: Some(("tender_award", id.0)),
        window: Some(until),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await
}

/// Takes an award back because an objection to it was upheld; the next bid can be awarded.
pub async fn set_aside(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderAwardId,
    reason: &str,
) -> Result<award::Model, Problem> {
    let entered = enter_as_staff(txn, actor, find(txn, id).await?.tender_id).await?;
    let standing = find(txn, id).await?;
    let notice_id =
        standing.notice_id.filter(|_| standing.state == AwardState::Standing).ok_or(Code::AlreadyDecided)?;
    if notices::standing(txn, notice_id, state.clock.now()).await? != Standing::Upheld {
        return Err(Code::AwardNotUpheld.into());
    }
    let project = projects::step(state, txn, actor, &entered.project, ProjectAction::SetAside, Some(reason)).await?;
    let mut row = standing.into_active_model();
    row.state = Set(AwardState::SetAside);
    (row.set_aside_by, row.set_aside_at) = (Set(Some(actor.user_id)), Set(Some(state.clock.now())));
    row.set_aside_reason = Set(Some(reason.trim().to_owned()));
    let row = row.update(txn).await?;
    log(state, txn, actor, "tender.set_aside", ("tender_award", id.0), &project, json!({})).await?;
    let notice = Notice {
        community_id: project.community_id,
        kind: "tender.award_set_aside",
        title: format!("更正：撤销中选结果：{}", project.title),
        body: format!("对中选公示的异议成立，原中选结果撤销，将从其余有效投标中重新确定。\n{}", reason.trim()),
        subject: Some(("tender_award", id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(row)
}
