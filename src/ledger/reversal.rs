//! Taking back what a transaction moved: at most once.

use std::collections::BTreeMap;

use entities::ids::{AccountId, TransactionId, UserId};
use entities::ledger::{AccountKind, TransactionKind, TransactionPhase, transaction};
use sea_orm::{DatabaseTransaction, EntityTrait};

use super::accounts::{self, Party, Side};
use super::books::{self, Header, Leg};
use super::lots;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// What is to be taken back.
#[derive(Clone, Debug)]
pub struct Reversal<'a> {
    /// Made by the caller, as for a transaction.
    pub id: TransactionId,
    /// What it takes back: something posted that did not take from a wallet.
    pub of: TransactionId,
    /// Why, for the person; Chinese.
    pub reason: &'a str,
    /// Who decided it.
    pub actor: Option<UserId>,
}

/// Where an amount came from that was taken back out of wallets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Out of wallets.
    pub taken: i64,
    /// It had expired unspent: nobody has it, nobody owes it.
    pub expired: i64,
    /// Spent or held by now: the person owes it.
    pub owed: i64,
}

/// Takes back what a transaction moved; nothing if it was taken back before.
///
/// A wallet gives from the lots which the transaction made, then from the soonest to run out. What it cannot give, the person
/// owes, and what has expired by now comes from there.
pub async fn reverse(
    state: &AppState,
    txn: &DatabaseTransaction,
    reversal: &Reversal<'_>,
) -> Result<Option<TakenBack>, Problem> {
    let original = transaction::Entity::find_by_id(reversal.of).one(txn).await?.ok_or(Code::NotFound)?;
    let moved = matches!(original.phase, TransactionPhase::Posted | TransactionPhase::Post);
    let of_itself =
        matches!(original.kind, TransactionKind::Expiry | TransactionKind::Reversal | TransactionKind::Recovery);
    let legs = books::legs_of(txn, original.id).await?;
    if !moved || of_itself || legs.iter().any(|leg| leg.debit.is_wallet()) {
        return Err(books::disagree(format!("transaction {} cannot be reversed", original.id)));
    }
    let community = original.community_id;
    let kept = legs.iter().flat_map(|leg| [leg.debit, leg.credit]).filter(|side| side.is_kept());
    let locked = accounts::lock(txn, kept.map(|side| side.id)).await?;
    let mut available: BTreeMap<AccountId, i64> =
        locked.iter().map(|row| (row.id, row.posted - row.reserved)).collect();
    for row in locked.iter().filter(|row| row.kind == AccountKind::Wallet) {
        let expired = lots::post_due(state, txn, community, row.into()).await?;
        available.entry(row.id).and_modify(|left| *left -= expired);
    }
    let mut expired = lots::expired_of(txn, original.id).await?;
    let (back, taken) = back(&legs, &mut available, &mut expired, |party| Side::of(community, party));
    let header = Header {
        id: reversal.id,
        unit: original.unit,
        community_id: community,
        kind: TransactionKind::Reversal,
        phase: TransactionPhase::Posted,
        pending_id: None,
        reverses_id: Some(original.id),
        dedupe_key: None,
        reason: reversal.reason.to_owned(),
        actor_id: reversal.actor,
        source: (original.source_kind, original.source_id),
        at: state.clock.now(),
    };
    if !books::begin(txn, &header, &back).await? {
        let first = transaction::Entity::find_by_id(reversal.id).one(txn).await?;
        return if first.is_none_or(|first| first.reverses_id == Some(original.id)) {
            Ok(None)
        } else {
            Err(books::disagree(format!("transaction {} stands for something else", reversal.id)))
        };
    }
    accounts::open(txn, community, back.iter().flat_map(|leg| [leg.debit, leg.credit]), header.at).await?;
    books::carry_out(state, txn, &header, &back).await?;
    books::take_from_lots(txn, header.id, &back, Some(original.id)).await?;
    Ok(Some(taken))
}

/// The transfers that take `legs` back, and how much came from where. What is available and what has expired is used up by one
/// after the other.
fn back(
    legs: &[Leg],
    available: &mut BTreeMap<AccountId, i64>,
    expired: &mut BTreeMap<AccountId, i64>,
    side: impl Fn(Party) -> Side,
) -> (Vec<Leg>, TakenBack) {
    let use_up = |left: &mut BTreeMap<AccountId, i64>, wallet: Side, at_most: i64| {
        let left = left.entry(wallet.id).or_default();
        let used = at_most.min(*left);
        *left -= used;
        used
    };
    let mut taken_back = TakenBack::default();
    let mut back = Vec::new();
    for Leg { debit: source, credit, amount, .. } in legs {
        let mut from = |side, amount| {
            if amount > 0 {
                back.push(Leg { debit: side, credit: *source, amount, expires_at: None });
            }
        };
        if !credit.is_wallet() {
            from(*credit, *amount);
            continue;
        }
        let gone = use_up(expired, *credit, *amount);
        let taken = use_up(available, *credit, amount - gone);
        let owed = amount - gone - taken;
        from(*credit, taken);
        from(side(Party::Expired), gone);
        from(side(Party::Debt(UserId(credit.owner))), owed);
        taken_back.taken += taken;
        taken_back.expired += gone;
        taken_back.owed += owed;
    }
    (back, taken_back)
}
