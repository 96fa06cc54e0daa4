//! Money out: proposed by one, decided by another, and what is taken back of it.

use entities::funds::{EntryKind, ExpenseKind, ExpenseState, expense};
use entities::ids::{FundExpenseId, FundId, TransactionId, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
};
use serde_json::json;

use super::money::{Movement, move_money, require_neighbour, take_back, tell};
use super::{lock, record, require_auditor, require_treasurer};
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::money::yuan_and_fen;
use crate::platform::state::AppState;

/// At most so many proposals wait at once.
const PROPOSALS: u64 = 200;

/// Money that is to go out.
pub struct Expense<'a> {
    /// What for.
    pub kind: ExpenseKind,
    /// To whom; a subsidy always names a verified resident.
    pub payee_id: Option<UserId>,
    /// Why.
    pub purpose: &'a str,
    /// How much.
    pub fen: i64,
}

/// Proposes to pay, as the treasurer, and not to oneself nor to the auditor. Nothing is held: the money moves when it is
/// confirmed, if it is there.
pub async fn propose(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: FundId,
    new: &Expense<'_>,
) -> Result<expense::Model, Problem> {
    let fund = lock(txn, id).await?;
    require_treasurer(&fund, actor)?;
    match new.payee_id {
        Some(payee) if super::is_officer(&fund, payee) => return Err(Code::OwnAct.into()),
        Some(payee) => require_neighbour(txn, &fund, payee, "/payee_id").await?,
        None if new.kind == ExpenseKind::Subsidy => {
            return Err(Problem::field("/payee_id", "补贴须指明领取人 / a subsidy goes to somebody"));
        }
        None => {}
    }
    let open = expense::Entity::find()
        .filter(expense::Column::FundId.eq(id))
        .filter(expense::Column::State.eq(ExpenseState::Proposed));
    if open.count(txn).await? >= PROPOSALS {
        return Err(Problem::new(Code::RateLimited, format!("at most {PROPOSALS} proposals wait at once")));
    }
    let expense_id: FundExpenseId = ids::ordered(&state.clock);
    let row = expense::ActiveModel {
        id: Set(expense_id),
        fund_id: Set(id),
        kind: Set(new.kind),
        payee_id: Set(new.payee_id),
        purpose: Set(new.purpose.trim().to_owned()),
        fen: Set(new.fen),
        state: Set(ExpenseState::Proposed),
        proposed_by: Set(actor.user_id),
        proposed_at: Set(state.clock.now()),
        decided_by: Set(None),
        decided_at: Set(None),
        reason: Set(None),
        reversed_by: Set(None),
        reversed_at: Set(None),
    };
    let row = row.insert(txn).await?;
    let detail = json!({ "kind": row.kind, "fen": row.fen, "payee_id": row.payee_id });
    record(state, txn, actor, "fund.propose", &fund, ("fund_expense", expense_id.0), detail).await?;
    let body = format!("“{}”有一笔{}元的支出待您审核：{}", fund.name, yuan_and_fen(row.fen), row.purpose);
    let what = ("fund_expense", expense_id.0);
    tell(state, txn, fund.auditor_id, "fund.proposed", ("支出待审核", body), what).await?;
    Ok(row)
}

/// Confirms a proposal, as the auditor, and pays. The state in the condition of the statement makes it happen once.
pub async fn confirm(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (id, expense_id): (FundId, FundExpenseId),
) -> Result<expense::Model, Problem> {
    let fund = lock(txn, id).await?;
    require_auditor(&fund, actor)?;
    let row = decide(state, txn, actor, (id, expense_id), (ExpenseState::Confirmed, None)).await?;
    let (kind, reason) = match row.kind {
        ExpenseKind::Subsidy => (EntryKind::Subsidy, "补贴"),
        ExpenseKind::Expense => (EntryKind::Expense, "支出"),
    };
    let id = TransactionId(expense_id.0);
    let movement = Movement { kind, source: expense_id.0, id, fen: row.fen, reason };
    move_money(state, txn, actor, &fund, &movement).await?;
    record(state, txn, actor, "fund.confirm", &fund, ("fund_expense", expense_id.0), json!({ "fen": row.fen })).await?;
    if let Some(payee) = row.payee_id {
        let body = format!("“{}”已向您支付{}元：{}", fund.name, yuan_and_fen(row.fen), row.purpose);
        tell(state, txn, payee, "fund.paid", ("补贴到账", body), ("fund_expense", expense_id.0)).await?;
    }
    Ok(row)
}

/// Refuses a proposal, as the auditor, or withdraws it, as the treasurer.
pub(in crate::funds) async fn drop_proposal(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (id, expense_id): (FundId, FundExpenseId),
    (to, reason): (ExpenseState, &str),
) -> Result<expense::Model, Problem> {
    let fund = lock(txn, id).await?;
    if to == ExpenseState::Withdrawn { require_treasurer(&fund, actor) } else { require_auditor(&fund, actor) }?;
    let row = decide(state, txn, actor, (id, expense_id), (to, Some(reason))).await?;
    record(state, txn, actor, "fund.drop", &fund, ("fund_expense", expense_id.0), json!({ "state": to })).await?;
    let body = format!("“{}”一笔{}元的支出未通过：{}", fund.name, yuan_and_fen(row.fen), reason.trim());
    if to == ExpenseState::Refused {
        let what = ("fund_expense", expense_id.0);
        tell(state, txn, row.proposed_by, "fund.refused", ("支出未通过", body), what).await?;
    }
    Ok(row)
}

async fn decide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (id, expense_id): (FundId, FundExpenseId),
    (to, reason): (ExpenseState, Option<&str>),
) -> Result<expense::Model, Problem> {
    let of_it = expense::Entity::find_by_id(expense_id).filter(expense::Column::FundId.eq(id));
    of_it.one(txn).await?.ok_or(Code::NotFound)?;
    // That whoever decides did not propose it, nor gets it, are CHECKs of the row.
    let decided = expense::Entity::update_many()
        .col_expr(expense::Column::State, Expr::value(to))
        .col_expr(expense::Column::DecidedBy, Expr::value(actor.user_id))
        .col_expr(expense::Column::DecidedAt, Expr::value(state.clock.now()))
        .col_expr(expense::Column::Reason, Expr::value(reason.map(|reason| reason.trim().to_owned())))
        .filter(expense::Column::Id.eq(expense_id))
        .filter(expense::Column::State.eq(ExpenseState::Proposed))
        .exec_with_returning(txn)
        .await?;
    decided.into_iter().next().ok_or_else(|| Code::AlreadyDecided.into())
}

/// Takes a payment back that came back, as the auditor, who did not propose it.
pub(in crate::funds) async fn reverse_expense(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (id, expense_id): (FundId, FundExpenseId),
    reason: &str,
) -> Result<expense::Model, Problem> {
    let fund = lock(txn, id).await?;
    require_auditor(&fund, actor)?;
    let of_it = expense::Entity::find_by_id(expense_id).filter(expense::Column::FundId.eq(id));
    let known = of_it.one(txn).await?.ok_or(Code::NotFound)?;
    let reversed = expense::Entity::update_many()
        .col_expr(expense::Column::State, Expr::value(ExpenseState::Reversed))
        .col_expr(expense::Column::ReversedBy, Expr::value(actor.user_id))
        .col_expr(expense::Column::ReversedAt, Expr::value(state.clock.now()))
        .col_expr(expense::Column::Reason, Expr::value(reason.trim()))
        .filter(expense::Column::Id.eq(expense_id))
        .filter(expense::Column::State.eq(ExpenseState::Confirmed))
        .exec_with_returning(txn)
        .await?;
    let refusal = if known.state == ExpenseState::Reversed { Code::AlreadyReversed } else { Code::ExpenseNotPaid };
    let row = reversed.into_iter().next().ok_or(refusal)?;
    let kind = match row.kind {
        ExpenseKind::Subsidy => EntryKind::Subsidy,
        ExpenseKind::Expense => EntryKind::Expense,
    };
    take_back(state, txn, actor, &fund, (kind, expense_id.0, row.fen), reason).await?;
    let what = ("fund_expense", expense_id.0);
    record(state, txn, actor, "fund.reverse_expense", &fund, what, json!({ "fen": row.fen })).await?;
    Ok(row)
}
