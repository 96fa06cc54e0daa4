//! Handing in a bid, replacing it, withdrawing it: nothing that others could read is written.

use chrono::{DateTime, Utc};
use entities::ids::{OrganisationId, TenderId};
use entities::organisations::{OrganisationState, organisation};
use entities::tenders::{BidState, bid, bid_version, tender};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
};

use super::tenders::open_for_bids;
use super::{Entered, act_for, enter};
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::tenders::domain::{Bid, Limits};
use crate::tenders::sealing::{self, Envelope};

/// What a bidder keeps: after the opening the commitment is public, and the rest proves what it stands for.
pub struct Receipt {
    pub organisation_id: OrganisationId,
    pub version: i64,
    pub received_at: DateTime<Utc>,
    pub commitment: String,
    pub salt: String,
    /// The bid as the commitment covers it.
    pub document: String,
}

/// Within what the bids of a tender must stay.
pub fn limits(entered: &Entered) -> Limits {
    Limits {
        ceiling_fen: entered.tender.ceiling_fen,
        after: entered.tender.closes_at,
        until: entered.programme.delivery_until,
    }
}

/// Whether an organisation may bid.
pub fn is_eligible(tender: &tender::Model, organisation: &organisation::Model) -> bool {
    !tender.registered_only || organisation.state == OrganisationState::Registered
}

async fn bid_of(
    connection: &impl ConnectionTrait,
    tender: TenderId,
    bidder: &str,
) -> Result<Option<bid::Model>, Problem> {
    let bid = bid::Entity::find().filter(bid::Column::TenderId.eq(tender)).filter(bid::Column::Bidder.eq(bidder));
    Ok(bid.one(connection).await?)
}

/// Hands in a bid, or a new version of it. Nobody else learns that there is one: no audit row, no stored answer; what was done
/// enters the log at the opening.
pub async fn hand_in(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderId,
    bid: &Bid,
) -> Result<Receipt, Problem> {
    let entered = enter(txn, id).await?;
    act_for(txn, actor, &entered.project, bid.organisation_id).await?;
    // The one reading: the row is locked, so that closing, amending and opening see all that was accepted before.
    let now = state.clock.now();
    open_for_bids(&entered, now)?;
    let organisation = organisation::Entity::find_by_id(bid.organisation_id).one(txn).await?.ok_or(Code::NotFound)?;
    if !is_eligible(&entered.tender, &organisation) {
        return Err(Code::NotEligible.into());
    }
    bid.check(limits(&entered))?;
    keep(state, txn, actor, id, bid.organisation_id, Some(bid), now).await
}

/// Takes a bid back before closing; it can be handed in again.
pub async fn withdraw(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TenderId,
    organisation: OrganisationId,
) -> Result<(), Problem> {
    let entered = enter(txn, id).await?;
    act_for(txn, actor, &entered.project, organisation).await?;
    let now = state.clock.now();
    open_for_bids(&entered, now)?;
    let there = bid_of(txn, id, &sealing::bidder(state, id, organisation)).await?;
    if there.is_none_or(|bid| bid.state != BidState::Sealed) {
        return Err(Code::NotFound.into());
    }
    keep(state, txn, actor, id, organisation, None, now).await.map(drop)
}

async fn keep(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    tender: TenderId,
    organisation: OrganisationId,
    bid: Option<&Bid>,
    now: DateTime<Utc>,
) -> Result<Receipt, Problem> {
    let bidder = sealing::bidder(state, tender, organisation);
    let earlier = bid_of(txn, tender, &bidder).await?;
    let version = earlier.as_ref().map_or(1, |bid| bid.versions + 1);
    let Envelope { sealed, commitment, salt, document } =
        sealing::seal(state, tender, &bidder, version, actor.user_id, bid)?;
    let bid_state = if bid.is_some() { BidState::Sealed } else { BidState::Withdrawn };
    // The id tells no time: rows of one organisation's bids in several tenders are not to be put in order.
    let bid_id = earlier.as_ref().map_or_else(ids::unordered, |bid| bid.id);
    let row = bid::ActiveModel {
        id: Set(bid_id),
        tender_id: Set(tender),
        bidder: Set(bidder),
        versions: Set(version),
        state: Set(bid_state),
        received_at: Set(now),
        organisation_id: Set(None),
        price_fen: Set(None),
        document: Set(None),
        salt: Set(None),
        invalid_reason: Set(None),
    };
    if earlier.is_some() {
        row.update(txn).await?
    } else {
        row.insert(txn).await?
    };
    let row = bid_version::ActiveModel {
        bid_id: Set(bid_id),
        version: Set(version),
        sealed: Set(sealed),
        commitment: Set(commitment.clone()),
        received_at: Set(now),
    };
    bid_version::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(Receipt { organisation_id: organisation, version, received_at: now, commitment, salt, document })
}

/// The receipt of one's own organisation's bid, or 404.
pub async fn receipt(
    state: &AppState,
    connection: &impl ConnectionTrait,
    id: TenderId,
    organisation: OrganisationId,
) -> Result<Receipt, Problem> {
    let bidder = sealing::bidder(state, id, organisation);
    let bid = bid_of(connection, id, &bidder).await?.filter(|bid| bid.state != BidState::Withdrawn);
    let bid = bid.ok_or(Code::NotFound)?;
    let version =
        bid_version::Entity::find_by_id((bid.id, bid.versions)).one(connection).await?.ok_or(Code::Internal)?;
    let sealed = sealing::unseal(state, id, &bidder, bid.versions, &version.sealed)
        .map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    Ok(Receipt {
        organisation_id: organisation,
        version: bid.versions,
        received_at: version.received_at,
        commitment: version.commitment,
        salt: sealed.salt,
        document: sealed.document,
    })
}
