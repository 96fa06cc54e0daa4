//! Money that comes back to a programme after it was closed.

use chrono::TimeDelta;
use entities::ledger::{AccountKind, account, transaction, transfer};
use entities::programmes::{ProgrammeState, programme};
use sea_orm::sea_query::{Expr, LockType, Query, SelectStatement};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::money::{self, KIND};
use crate::audit;
use crate::notices::{self, Notice};
use crate::platform::code::Code;
use crate::platform::http::transact;
use crate::platform::jobs::JobError;
use crate::platform::money::yuan;
use crate::platform::state::AppState;

/// Closed programmes that one turn looks at.
const PASSED_ON: u64 = 100;

/// Gives what came back to closed programmes on to where they had it from, a part's before its umbrella's. Projects do not do so
/// themselves: they would lock the programme after themselves.
pub(super) async fn pass_on(state: AppState) -> Result<(), JobError> {
    let closed = programme::Entity::find()
        .filter(programme::Column::State.eq(ProgrammeState::Closed))
        .filter(programme::Column::Id.in_subquery(with_money()))
        .order_by(Expr::col(programme::Column::ParentId).is_null(), Order::Asc)
        .order_by_asc(programme::Column::Id)
        .limit(PASSED_ON)
        .all(state.db.read())
        .await?;
    for row in closed {
        transact(&state, async |txn| {
            // The lock makes two processes come one after the other; the second finds nothing left.
            let row = programme::Entity::find_by_id(row.id).lock(LockType::NoKeyUpdate).one(txn).await?;
            let row = row.ok_or(Code::NotFound)?;
            let Some((transaction, amount)) = money::clear(&state, txn, None, &row).await? else { return Ok(()) };
            let detail = json!({ "returned_fen": amount });
            audit::record(&state, txn, None, "programme.pass_on", (KIND, row.id.0), Some(row.place_id), detail).await?;
            let to = if row.parent_id.is_some() { "上级计划" } else { "经费来源" };
            let notice = Notice {
                community_id: row.place_id,
                kind: "programme.passed_on",
                title: format!("资助计划结束后退回的经费：{}", row.title),
                body: format!("计划结束后由项目退回的 {} 元已转回{to}。", yuan(amount)),
                subject: Some(("transaction", transaction.0)),
                ..Notice::default()
            };
            notices::publish(&state, txn, notice).await?;
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// The audit of [`pass_on`]: closed programmes that were given money more than an hour ago, and still have it.
pub(super) async fn kept_back(state: &AppState) -> Result<Vec<String>, DbErr> {
    let recent = Query::select()
        .column((transfer::Entity, transfer::Column::CreditId))
        .from(transfer::Entity)
        .inner_join(
            transaction::Entity,
            Expr::col((transfer::Entity, transfer::Column::TransactionId))
                .equals((transaction::Entity, transaction::Column::Id)),
        )
        .and_where(
            Expr::col((transaction::Entity, transaction::Column::CreatedAt))
                .gt(state.clock.now() - TimeDelta::hours(1)),
        )
        .to_owned();
    let closed = Query::select()
        .column(programme::Column::Id)
        .from(programme::Entity)
        .and_where(programme::Column::State.eq(ProgrammeState::Closed))
        .to_owned();
    let kept = account::Entity::find()
        .filter(account::Column::Kind.eq(AccountKind::Fund))
        .filter(account::Column::Posted.gt(0))
        .filter(account::Column::OwnerId.in_subquery(closed))
        .filter(account::Column::Id.not_in_subquery(recent))
        .limit(PASSED_ON)
        .all(state.db.read())
        .await?;
    Ok(kept
        .into_iter()
        .map(|row| format!("programme {} is closed and keeps {} fen", row.owner_id, row.posted))
        .collect())
}

/// Owners of funds that hold money.
fn with_money() -> SelectStatement {
    Query::select()
        .column(account::Column::OwnerId)
        .from(account::Entity)
        .and_where(account::Column::Kind.eq(AccountKind::Fund))
        .and_where(account::Column::Posted.gt(0))
        .to_owned()
}
