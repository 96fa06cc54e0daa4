//! The panel: who scores, what they give, and how the bids stand.

use std::collections::{HashMap, HashSet};

use entities::identity::user;
use entities::ids::{BidId, OrganisationId, TenderId, UserId};
use entities::tenders::{AwardState, BidState, award, bid, criterion, panel, score, tender};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;

use super::opening::last_versions;
use super::{Entered, enter, enter_as_staff, log};
use crate::identity::Actor;
use crate::organisations;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::tenders::domain::{Criterion, Entry, Ranking, rank};

/// A tender's criteria in their order.
pub async fn criteria_of(connection: &impl ConnectionTrait, id: TenderId) -> Result<Vec<criterion::Model>, Problem> {
    let criteria = criterion::Entity::find().filter(criterion::Column::TenderId.eq(id));
    Ok(criteria.order_by_asc(criterion::Column::Seq).all(connection).await?)
}

/// Names people who are to score; who is named already stays.
pub async fn name_panel(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderId,
    people: &[UserId],
) -> Result<(), Problem> {
    let Entered { project, tender, .. } = enter_as_staff(txn, actor, id).await?;
    if tender.state != entities::tenders::TenderState::Live {
        return Err(Code::TenderClosed.into());
    }
    let wanted: HashSet<UserId> = people.iter().copied().collect();
    let known: HashSet<UserId> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::Id.is_in(wanted.iter().copied()))
        .into_tuple()
        .all(txn)
        .await?
        .into_iter()
        .collect();
    if let Some(at) = people.iter().position(|person| !known.contains(person)) {
        return Err(Problem::field(&format!("/user_ids/{at}"), "没有这个人 / no such person"));
    }
    let now = state.clock.now();
    let rows = wanted.iter().map(|person| panel::ActiveModel {
        tender_id: Set(id),
        user_id: Set(*person),
        added_by: Set(actor.user_id),
        added_at: Set(now),
        conflict: Set(None),
        conflict_at: Set(None),
    });
    let there = OnConflict::columns([panel::Column::TenderId, panel::Column::UserId]).do_nothing().to_owned();
    panel::Entity::insert_many(rows).on_conflict(there).exec_without_returning(txn).await?;
    log(state, txn, actor, "tender.panel", ("tender", id.0), &project, json!({ "user_ids": people })).await
}

/// Declares that one must not judge in this tender. What one has scored counts no more.
pub async fn declare(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderId,
    reason: &str,
) -> Result<(), Problem> {
    let entered = enter(txn, id).await?;
    no_award(txn, id).await?;
    let declared = panel::Entity::update_many()
        .col_expr(panel::Column::Conflict, reason.trim().into())
        .col_expr(panel::Column::ConflictAt, state.clock.now().into())
        .filter(panel::Column::TenderId.eq(id))
        .filter(panel::Column::UserId.eq(actor.user_id))
        .filter(panel::Column::Conflict.is_null())
        .exec(txn)
        .await?;
    if declared.rows_affected == 0 {
        return Err(Code::NotFound.into());
    }
    log(state, txn, actor, "tender.conflict", ("tender", id.0), &entered.project, json!({})).await
}

/// 409 while an award is proposed or stands: scores do not change under it.
pub async fn no_award(connection: &impl ConnectionTrait, id: TenderId) -> Result<(), Problem> {
    let live = award::Entity::find()
        .filter(award::Column::TenderId.eq(id))
        .filter(award::Column::State.is_in([AwardState::Proposed, AwardState::Standing]));
    if live.count(connection).await? == 0 { Ok(()) } else { Err(Code::AwardExists.into()) }
}

/// Scores a bid by every criterion, once.
pub async fn score(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    bid_id: BidId,
    points: &[(i64, i64)],
) -> Result<(), Problem> {
    let tender_id = bid::Entity::find_by_id(bid_id).one(txn).await?.ok_or(Code::NotFound)?.tender_id;
    let entered = enter(txn, tender_id).await?;
    if entered.tender.opened_at.is_none() {
        return Err(Code::NotFound.into());
    }
    let named = panel::Entity::find_by_id((tender_id, actor.user_id)).one(txn).await?.ok_or(Code::Forbidden)?;
    let bids = valid_bids(txn, tender_id).await?;
    let bidders: Vec<OrganisationId> = bids.iter().filter_map(|bid| bid.organisation_id).collect();
    organisations::lock(txn, bidders.iter().copied()).await?;
    if named.conflict.is_some() || organisations::conflicts(state, txn, actor.user_id, bidders).await? {
        return Err(Code::ConflictOfInterest.into());
    }
    if !entered.goes_on() {
        return Err(Code::TenderClosed.into());
    }
    no_award(txn, tender_id).await?;
    if !bids.iter().any(|bid| bid.id == bid_id) {
        return Err(Code::BidNotValid.into());
    }
    let criteria = criteria_of(txn, tender_id).await?;
    let mut rows = Vec::new();
    for criterion in &criteria {
        let given: Vec<_> = points.iter().enumerate().filter(|(_, (seq, _))| *seq == criterion.seq).collect();
        let [(at, (_, points))] = given.as_slice() else {
            return Err(Problem::field("/scores", "每项评分标准须各评一次 / every criterion once"));
        };
        if !(0..=criterion.max_points).contains(points) {
            let detail = format!("0至{} / 0 to {}", criterion.max_points, criterion.max_points);
            return Err(Problem::field(&format!("/scores/{at}/points"), detail));
        }
        rows.push(score::ActiveModel {
            bid_id: Set(bid_id),
            criterion: Set(criterion.seq),
            scorer_id: Set(actor.user_id),
            tender_id: Set(tender_id),
            points: Set(*points),
            max_points: Set(criterion.max_points),
            scored_at: Set(state.clock.now()),
        });
    }
    if points.len() != criteria.len() {
        return Err(Problem::field("/scores", "没有这项评分标准 / no such criterion"));
    }
    let there = OnConflict::columns([score::Column::BidId, score::Column::Criterion, score::Column::ScorerId]);
    let inserted = score::Entity::insert_many(rows)
        .on_conflict(there.clone().do_nothing().to_owned())
        .exec_without_returning(txn)
        .await?;
    if inserted == 0 {
        return Err(Code::AlreadyScored.into());
    }
    log(state, txn, actor, "bid.score", ("bid", bid_id.0), &entered.project, json!({})).await
}

/// The valid bids of a tender of which no award was set aside.
pub async fn valid_bids(connection: &impl ConnectionTrait, id: TenderId) -> Result<Vec<bid::Model>, Problem> {
    let set_aside: HashSet<BidId> = award::Entity::find()
        .select_only()
        .column(award::Column::BidId)
        .filter(award::Column::TenderId.eq(id))
        .filter(award::Column::State.eq(AwardState::SetAside))
        .into_tuple()
        .all(connection)
        .await?
        .into_iter()
        .collect();
    let valid = bid::Entity::find()
        .filter(bid::Column::TenderId.eq(id))
        .filter(bid::Column::State.eq(BidState::Valid))
        .order_by_asc(bid::Column::ReceivedAt)
        .all(connection)
        .await?;
    Ok(valid.into_iter().filter(|bid| !set_aside.contains(&bid.id)).collect())
}

/// How the valid bids stand. Only the scores of who scored all of them count, so that each bid is judged by the same people;
/// 409 `scores_missing` while these are too few.
pub async fn ranking(connection: &impl ConnectionTrait, tender: &tender::Model) -> Result<Ranking, Problem> {
    let bids = valid_bids(connection, tender.id).await?;
    let criteria = criteria_of(connection, tender.id).await?;
    let free: HashSet<UserId> = panel::Entity::find()
        .select_only()
        .column(panel::Column::UserId)
        .filter(panel::Column::TenderId.eq(tender.id))
        .filter(panel::Column::Conflict.is_null())
        .into_tuple()
        .all(connection)
        .await?
        .into_iter()
        .collect();
    let given_points = score::Entity::find().filter(score::Column::TenderId.eq(tender.id)).all(connection).await?;
    let mut given: HashMap<UserId, HashMap<(BidId, i64), i64>> = HashMap::new();
    for score in given_points.iter().filter(|score| free.contains(&score.scorer_id)) {
        given.entry(score.scorer_id).or_default().insert((score.bid_id, score.criterion), score.points);
    }
    let everything = |points: &&HashMap<(BidId, i64), i64>| {
        bids.iter().all(|bid| criteria.iter().all(|criterion| points.contains_key(&(bid.id, criterion.seq))))
    };
    let complete: Vec<_> = given.values().filter(everything).collect();
    let scorers = i64::try_from(complete.len()).unwrap_or(i64::MAX);
    if bids.is_empty() || scorers < tender.min_scorers {
        return Err(Code::ScoresMissing.into());
    }
    let versions = last_versions(connection, tender.id).await?;
    let entry = |bid: &bid::Model| Entry {
        bid: bid.id,
        price_fen: bid.price_fen.unwrap_or_default(),
        received_at: bid.received_at,
        commitment: versions.get(&bid.id).map(|version| version.commitment.clone()).unwrap_or_default(),
        sums: criteria
            .iter()
            .map(|criterion| complete.iter().filter_map(|points| points.get(&(bid.id, criterion.seq))).sum())
            .collect(),
    };
    let entries = bids.iter().map(entry).collect();
    let weights: Vec<_> = criteria
        .iter()
        .map(|criterion| Criterion { seq: criterion.seq, weight: criterion.weight, max_points: criterion.max_points })
        .collect();
    Ok(rank(tender.price_weight, &weights, scorers, entries))
}
