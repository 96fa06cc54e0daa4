use entities::ids::{SignupId, SwapId};
use entities::volunteering::{SwapState, signup, swap};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;

use super::exchange::{give_up, lock_people, lock_two, require_coming, take_over};
use super::find_shift;
use super::telling::{News, tell};
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::volunteering::SignupState;
use crate::{audit, places};

async fn signup(txn: &DatabaseTransaction, id: SignupId) -> Result<signup::Model, Problem> {
    signup::Entity::find_by_id(id).one(txn).await?.ok_or_else(|| Code::NotFound.into())
}

/// Offers the caller's seat for somebody else's.
pub(in crate::volunteering) async fn propose(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SignupId,
    with: SignupId,
) -> Result<swap::Model, Problem> {
    let own = signup(txn, id).await?;
    if own.user_id != actor.user_id {
        return Err(Code::NotFound.into());
    }
    let unknown = || Problem::field("/with_signup_id", "不是可以交换的报名 / no sign-up to swap with");
    let other = signup::Entity::find_by_id(with).one(txn).await?.ok_or_else(unknown)?;
    // Sign-ups of other communities are not there for the caller.
    if other.community_id != own.community_id || other.user_id == own.user_id || other.shift_id == own.shift_id {
        return Err(unknown());
    }
    if own.state != SignupState::Confirmed || other.state != SignupState::Confirmed {
        return Err(Code::SignupState.into());
    }
    let (shift, other_shift) = (find_shift(txn, own.shift_id).await?, find_shift(txn, other.shift_id).await?);
    let now = state.clock.now();
    require_coming(&shift, now)?;
    require_coming(&other_shift, now)?;
    let swap_id: SwapId = ids::ordered(&state.clock);
    let row = swap::ActiveModel {
        id: Set(swap_id),
        signup_id: Set(id),
        with_signup_id: Set(with),
        user_id: Set(own.user_id),
        with_user_id: Set(other.user_id),
        state: Set(SwapState::Open),
        starts_at: Set(shift.starts_at.min(other_shift.starts_at)),
        created_at: Set(now),
        closed_at: Set(None),
    };
    let one_open = OnConflict::columns([swap::Column::SignupId, swap::Column::WithSignupId])
        .target_and_where(Expr::cust("state = 'open'"))
        .do_nothing()
        .to_owned();
    if swap::Entity::insert(row).on_conflict(one_open).exec_without_returning(txn).await? == 0 {
        return Err(Code::SwapExists.into());
    }
    let news = News {
        kind: "swap.proposed",
        title: "有人想与您换班",
        body: "请在“换班”中接受或谢绝，您换到的班次",
        key: swap_id.to_string(),
    };
    tell(state, txn, &shift, &[other.user_id], news).await?;
    swap::Entity::find_by_id(swap_id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Exchanges the two seats: both people meet every rule after it, or nothing changes.
pub(in crate::volunteering) async fn accept(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SwapId,
) -> Result<swap::Model, Problem> {
    let offer = swap::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    if offer.with_user_id != actor.user_id {
        return Err(Code::NotFound.into());
    }
    let (one, two) = (signup(txn, offer.signup_id).await?, signup(txn, offer.with_signup_id).await?);
    let rules = places::rules(state, txn, one.community_id).await?;
    lock_people(txn, [offer.user_id, offer.with_user_id]).await?;
    let (shift, other_shift) = lock_two(txn, one.shift_id, two.shift_id).await?;
    let now = state.clock.now();
    let row = close(state, txn, id, SwapState::Accepted).await?;
    require_coming(&shift, now)?;
    require_coming(&other_shift, now)?;
    // Read again in the locks: either may have been cancelled meanwhile.
    let (one, two) = (signup(txn, one.id).await?, signup(txn, two.id).await?);
    give_up(txn, &one, now).await?;
    give_up(txn, &two, now).await?;
    take_over(state, txn, one.user_id, &other_shift, &rules).await?;
    take_over(state, txn, two.user_id, &shift, &rules).await?;
    let target = ("swap", id.0);
    audit::record(state, txn, Some(actor.user_id), "swap.accept", target, Some(shift.community_id), json!({})).await?;
    let news = News { kind: "swap.accepted", title: "换班成功", body: "您换到的班次", key: id.to_string() };
    tell(state, txn, &other_shift, &[offer.user_id], news).await?;
    Ok(row)
}

/// One step out of `open`; 409 for whoever comes second.
async fn close(state: &AppState, txn: &DatabaseTransaction, id: SwapId, to: SwapState) -> Result<swap::Model, Problem> {
    let rows = swap::Entity::update_many()
        .col_expr(swap::Column::State, to.into())
        .col_expr(swap::Column::ClosedAt, state.clock.now().into())
        .filter(swap::Column::Id.eq(id))
        .filter(swap::Column::State.eq(SwapState::Open))
        .exec_with_returning(txn)
        .await?;
    rows.into_iter().next().ok_or_else(|| Code::RequestEnded.into())
}

/// Declines an offer that one got, or takes one back that one made.
pub(in crate::volunteering) async fn end(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SwapId,
) -> Result<swap::Model, Problem> {
    let offer = swap::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let to = match actor.user_id {
        by if by == offer.user_id => SwapState::Withdrawn,
        by if by == offer.with_user_id => SwapState::Declined,
        _ => return Err(Code::NotFound.into()),
    };
    if offer.state == to {
        return Ok(offer);
    }
    let row = close(state, txn, id, to).await?;
    if to == SwapState::Declined {
        let other = signup(txn, offer.with_signup_id).await?;
        let shift = find_shift(txn, other.shift_id).await?;
        let news =
            News { kind: "swap.declined", title: "换班被谢绝", body: "对方保留班次", key: id.to_string() };
        tell(state, txn, &shift, &[offer.user_id], news).await?;
    }
    Ok(row)
}
