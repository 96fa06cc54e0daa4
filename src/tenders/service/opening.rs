//! Opening the bids: one person of the programme asks, another confirms, neither tied to a bidder.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entities::ids::{BidId, OrganisationId, TenderId, UserId};
use entities::organisations::organisation;
use entities::tenders::{BidState, bid, bid_version, tender};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder,
};
use serde_json::json;

use super::bids::{is_eligible, limits};
use super::{Entered, enter_as_staff, log};
use crate::identity::Actor;
use crate::notices::{self, Notice};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::tenders::domain::{Bid, Sealed, commitment, yuan};
use crate::tenders::sealing;
use crate::{audit, organisations};

/// What a bid says, or why it does not count.
type Found = Result<(Bid, Sealed), String>;

/// What an opened bid turned out to be.
struct Judged {
    /// Unknown where the text cannot be read.
    organisation: Option<organisation::Model>,
    by: Option<UserId>,
    found: Found,
}

/// A bid with its last version, before the opening.
struct Envelope {
    bid: bid::Model,
    sealed: bid_version::Model,
}

/// Asks for the opening. Whoever asks later takes the place of who asked before.
pub async fn ask(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderId,
) -> Result<tender::Model, Problem> {
    let entered = enter_as_staff(txn, actor, id).await?;
    let now = state.clock.now();
    closed_and_sealed(&entered, now)?;
    untied(state, txn, &entered.tender, actor.user_id).await?;
    let mut asked = entered.tender.into_active_model();
    (asked.opening_asked_by, asked.opening_asked_at) = (Set(Some(actor.user_id)), Set(Some(now)));
    let tender = asked.update(txn).await?;
    log(state, txn, actor, "tender.ask_opening", ("tender", id.0), &entered.project, json!({})).await?;
    Ok(tender)
}

/// Opens all bids, as the second person: what they say comes into the tables, and the record on the board. A bid that cannot be
/// read, or says what it must not, is kept as invalid with the reason.
pub async fn open(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderId,
) -> Result<tender::Model, Problem> {
    let entered = enter_as_staff(txn, actor, id).await?;
    let now = state.clock.now();
    closed_and_sealed(&entered, now)?;
    let asker = entered.tender.opening_asked_by.ok_or(Code::OpeningNotAsked)?;
    if asker == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let envelopes = envelopes(txn, id).await?;
    let judged: Vec<Judged> = judge(state, txn, &entered, &envelopes).await?;
    // Nobody joins a bidder between this look and the commit.
    let bidders: Vec<OrganisationId> =
        judged.iter().filter_map(|judged| Some(judged.organisation.as_ref()?.id)).collect();
    organisations::lock(txn, bidders.iter().copied()).await?;
    for person in [asker, actor.user_id] {
        if organisations::conflicts(state, txn, person, bidders.iter().copied()).await? {
            return Err(Code::ConflictOfInterest.into());
        }
    }
    let opened = tender::Entity::update_many()
        .col_expr(tender::Column::OpenedBy, actor.user_id.into())
        .col_expr(tender::Column::OpenedAt, now.into())
        .filter(tender::Column::Id.eq(id))
        .filter(tender::Column::OpenedAt.is_null())
        .exec_with_returning(txn)
        .await?;
    let tender = opened.into_iter().next().ok_or(Code::TenderOpened)?;
    let mut lines = Vec::new();
    for (envelope, judged) in envelopes.into_iter().zip(judged) {
        // Who handed what in when enters the log now: before, it would have told.
        let act = if envelope.bid.state == BidState::Withdrawn { "bid.withdraw" } else { "bid.hand_in" };
        let detail = json!({ "version": envelope.bid.versions, "received_at": envelope.bid.received_at });
        let place = Some(entered.project.place_id);
        audit::record(state, txn, judged.by, act, ("bid", envelope.bid.id.0), place, detail).await?;
        if envelope.bid.state == BidState::Sealed {
            lines.push(write(txn, envelope.bid, judged).await?);
        }
    }
    log(state, txn, actor, "tender.opened", ("tender", id.0), &entered.project, json!({ "bids": lines.len() })).await?;
    publish(state, txn, &entered, &lines).await?;
    Ok(tender)
}

fn closed_and_sealed(entered: &Entered, now: DateTime<Utc>) -> Result<(), Problem> {
    if entered.tender.opened_at.is_some() {
        return Err(Code::TenderOpened.into());
    }
    if !entered.goes_on() {
        return Err(Code::TenderClosed.into());
    }
    if now < entered.tender.closes_at { Err(Code::TenderNotClosed.into()) } else { Ok(()) }
}

/// 403 for who belongs to a bidder. Bids have no names yet: each of the person's organisations is looked for by its hash.
async fn untied(
    state: &AppState,
    txn: &DatabaseTransaction,
    tender: &tender::Model,
    person: UserId,
) -> Result<(), Problem> {
    let own = organisations::of_person(txn, person).await?;
    let bidders = own.into_iter().map(|organisation| sealing::bidder(state, tender.id, organisation));
    let bid = bid::Entity::find()
        .filter(bid::Column::TenderId.eq(tender.id))
        .filter(bid::Column::State.eq(BidState::Sealed))
        .filter(bid::Column::Bidder.is_in(bidders));
    if bid.one(txn).await?.is_some() { Err(Code::ConflictOfInterest.into()) } else { Ok(()) }
}

/// The bids of a tender, in the order in which they came, each with its last version.
async fn envelopes(txn: &DatabaseTransaction, id: TenderId) -> Result<Vec<Envelope>, Problem> {
    let bids = bid::Entity::find()
        .filter(bid::Column::TenderId.eq(id))
        .order_by_asc(bid::Column::ReceivedAt)
        .order_by_asc(bid::Column::Id)
        .all(txn)
        .await?;
    let mut last = last_versions(txn, id).await?;
    let envelope = |bid: bid::Model| Some(Envelope { sealed: last.remove(&bid.id)?, bid });
    let count = bids.len();
    let envelopes: Vec<_> = bids.into_iter().filter_map(envelope).collect();
    if envelopes.len() == count { Ok(envelopes) } else { Err(Code::Internal.into()) }
}

/// The last version of each bid of a tender.
pub async fn last_versions(
    connection: &impl ConnectionTrait,
    id: TenderId,
) -> Result<HashMap<BidId, bid_version::Model>, Problem> {
    let newest = Query::select()
        .expr(Expr::value(1))
        .from(bid::Entity)
        .and_where(Expr::col((bid::Entity, bid::Column::Id)).equals((bid_version::Entity, bid_version::Column::BidId)))
        .and_where(
            Expr::col((bid::Entity, bid::Column::Versions)).equals((bid_version::Entity, bid_version::Column::Version)),
        )
        .and_where(Expr::col((bid::Entity, bid::Column::TenderId)).eq(id))
        .to_owned();
    let rows = bid_version::Entity::find().filter(Expr::exists(newest)).all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.bid_id, row)).collect())
}

/// Every version of some bids.
pub async fn versions_of(
    connection: &impl ConnectionTrait,
    bids: impl IntoIterator<Item = BidId>,
) -> Result<Vec<bid_version::Model>, DbErr> {
    bid_version::Entity::find().filter(bid_version::Column::BidId.is_in(bids)).all(connection).await
}

/// Reads what was sealed and says what is wrong with it.
async fn judge(
    state: &AppState,
    txn: &DatabaseTransaction,
    entered: &Entered,
    envelopes: &[Envelope],
) -> Result<Vec<Judged>, Problem> {
    let tender = &entered.tender;
    let read: Vec<(Option<UserId>, Found)> = envelopes
        .iter()
        .map(|Envelope { bid, sealed }| {
            let Ok(opened) = sealing::unseal(state, tender.id, &bid.bidder, bid.versions, &sealed.sealed) else {
                return (None, Err("密文无法解读".to_owned()));
            };
            let by = Some(opened.by);
            if commitment(tender.id, &opened.salt, &opened.document) != sealed.commitment {
                return (by, Err("内容与提交时的承诺值不符".to_owned()));
            }
            match serde_json::from_str::<Bid>(&opened.document) {
                Ok(bid) => (by, Ok((bid, opened))),
                Err(_) => (by, Err("内容无法解读".to_owned())),
            }
        })
        .collect();
    let named = read.iter().filter_map(|(_, found)| Some(found.as_ref().ok()?.0.organisation_id));
    let organisations = organisation::Entity::find().filter(organisation::Column::Id.is_in(named)).all(txn).await?;
    let judged = read.into_iter().zip(envelopes).map(|((by, found), envelope)| {
        let (bid, opened) = match found {
            Ok(found) => found,
            Err(reason) => return Judged { organisation: None, by, found: Err(reason) },
        };
        let known = organisations.iter().find(|known| known.id == bid.organisation_id).cloned();
        let found = match &known {
            None => Err("机构不在登记名册".to_owned()),
            Some(known) if sealing::bidder(state, tender.id, known.id) != envelope.bid.bidder => {
                return Judged { organisation: None, by, found: Err("内容与投标机构不符".to_owned()) };
            }
            Some(known) if !is_eligible(tender, known) => Err("机构不符合投标条件".to_owned()),
            Some(_) => match bid.check(limits(entered)) {
                Ok(()) => Ok((bid, opened)),
                Err(mistake) => Err(mistake.detail.split(" / ").next().unwrap_or_default().to_owned()),
            },
        };
        Judged { organisation: known, by, found }
    });
    Ok(judged.collect())
}

/// Writes what a bid turned out to be; gives its line in the record.
async fn write(txn: &DatabaseTransaction, bid: bid::Model, judged: Judged) -> Result<String, Problem> {
    let name = judged.organisation.as_ref().map_or("（无法识别）", |organisation| organisation.name.as_str());
    let mut row = bid.into_active_model();
    row.organisation_id = Set(judged.organisation.as_ref().map(|organisation| organisation.id));
    let line = match judged.found {
        Ok((bid, opened)) => {
            row.state = Set(BidState::Valid);
            row.price_fen = Set(Some(bid.price_fen));
            row.document = Set(Some(opened.document));
            row.salt = Set(Some(opened.salt));
            format!("{name}：报价{}", yuan(bid.price_fen))
        }
        Err(reason) => {
            let line = format!("{name}：无效，{reason}");
            row.state = Set(BidState::Invalid);
            row.invalid_reason = Set(Some(reason));
            line
        }
    };
    row.update(txn).await?;
    Ok(line)
}

async fn publish(
    state: &AppState,
    txn: &DatabaseTransaction,
    entered: &Entered,
    lines: &[String],
) -> Result<(), Problem> {
    let Entered { project, tender, .. } = entered;
    let notice = Notice {
        community_id: project.community_id,
        kind: "tender.opened",
        title: format!("开标记录：{}", project.title),
        body: format!("由两名工作人员开标，共收到{}份投标。\n{}", lines.len(), lines.join("\n")),
        subject: Some(("tender", tender.id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(())
}
