//! Money in, what is taken back, and how money moves. Each movement is one transaction of the ledger and one line of the books.

use entities::funds::{EntryKind, ReceiptKind, TariffKind, entry, fund, receipt, tariff};
use entities::ids::{FundId, FundReceiptId, TariffId, TransactionId, UserId, VehicleId};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::{charter, lock, record, require_auditor, require_treasurer};
use crate::identity::{self, Actor};
use crate::ledger::{self, Party, Reversal, Transaction, TransactionKind, Transfer};
use crate::notifications::{self, Message, Template};
use crate::platform::calendar::Month;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::money::yuan_and_fen;
use crate::platform::state::AppState;

/// Money that came in.
pub struct NewReceipt {
    /// What for.
    pub kind: ReceiptKind,
    /// What a fee or a service costs.
    pub tariff_id: Option<TariffId>,
    /// Whose fee.
    pub vehicle_id: Option<VehicleId>,
    /// For which month.
    pub period: Option<Month>,
    /// Who paid, if they are known.
    pub payer_id: Option<UserId>,
    /// How much was donated.
    pub fen: Option<i64>,
}

/// Records money that came in, as the treasurer. A vehicle pays a month once: a unique index decides.
pub async fn receive(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: FundId,
    new: &NewReceipt,
) -> Result<receipt::Model, Problem> {
    let fund = lock(txn, id).await?;
    require_treasurer(&fund, actor)?;
    let fen = amount(txn, id, new).await?;
    let now = state.clock.now();
    let payer = payer(txn, &fund, new).await?;
    let receipt_id: FundReceiptId = ids::ordered(&state.clock);
    let row = receipt::ActiveModel {
        id: Set(receipt_id),
        fund_id: Set(id),
        kind: Set(new.kind),
        tariff_id: Set(new.tariff_id),
        vehicle_id: Set(new.vehicle_id),
        period: Set(new.period.map(|month| month.to_string())),
        payer_id: Set(payer),
        fen: Set(fen),
        recorded_by: Set(actor.user_id),
        recorded_at: Set(now),
        reversed_by: Set(None),
        reversed_at: Set(None),
        reversal_reason: Set(None),
    };
    let once = OnConflict::columns([receipt::Column::VehicleId, receipt::Column::Period])
        .target_and_where(Expr::cust("vehicle_id IS NOT NULL AND reversed_at IS NULL"))
        .do_nothing()
        .to_owned();
    if receipt::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await? == 0 {
        return Err(Code::PeriodPaid.into());
    }
    let (kind, reason) = match new.kind {
        ReceiptKind::Fee => (EntryKind::Fee, "收费"),
        ReceiptKind::Service => (EntryKind::Service, "低偿服务收费"),
        ReceiptKind::Donation => (EntryKind::Donation, "捐赠"),
    };
    let movement = Movement { kind, source: receipt_id.0, id: TransactionId(receipt_id.0), fen, reason };
    move_money(state, txn, actor, &fund, &movement).await?;
    record(state, txn, actor, "fund.receive", &fund, ("fund_receipt", receipt_id.0), json!({ "fen": fen })).await?;
    if let Some(payer) = payer {
        let period = new.period.map(|month| format!("{month}月份")).unwrap_or_default();
        let body = format!("“{}”已收到您的{period}{reason}{}元。", fund.name, yuan_and_fen(fen));
        tell(state, txn, payer, "fund.received", ("收款确认", body), ("fund_receipt", receipt_id.0)).await?;
    }
    receipt::Entity::find_by_id(receipt_id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// How much a receipt is: what its tariff says, or what was donated.
async fn amount(txn: &DatabaseTransaction, id: FundId, new: &NewReceipt) -> Result<i64, Problem> {
    let wanted = match new.kind {
        ReceiptKind::Fee => TariffKind::Fee,
        ReceiptKind::Service => TariffKind::Service,
        ReceiptKind::Donation => {
            if new.tariff_id.is_some() || new.vehicle_id.is_some() || new.period.is_some() {
                return Err(Problem::field(
                    "/tariff_id",
                    "捐赠没有收费标准 / a donation has no tariff, vehicle or period",
                ));
            }
            return new.fen.ok_or_else(|| Problem::field("/fen", "须写明金额 / say how much"));
        }
    };
    if new.fen.is_some() {
        return Err(Problem::field("/fen", "金额由收费标准决定 / the tariff says how much"));
    }
    let Some(tariff_id) = new.tariff_id else {
        return Err(Problem::field("/tariff_id", "须指明收费标准 / name the tariff"));
    };
    let tariff = tariff::Entity::find_by_id(tariff_id)
        .filter(tariff::Column::FundId.eq(id))
        .filter(tariff::Column::Kind.eq(wanted))
        .filter(tariff::Column::EndedAt.is_null());
    let tariff = tariff.one(txn).await?;
    let tariff = tariff.ok_or_else(|| Problem::field("/tariff_id", "没有这项收费标准 / no such tariff for this"))?;
    match (new.kind, new.vehicle_id, new.period) {
        (ReceiptKind::Fee, Some(vehicle), Some(_)) => {
            let there = charter::of_fund(txn, id, vehicle).await?.filter(|vehicle| vehicle.ended_at.is_none());
            there
                .ok_or_else(|| Problem::field("/vehicle_id", "登记簿中没有这辆车 / no such vehicle in the register"))?;
        }
        (ReceiptKind::Fee, None, _) => return Err(Problem::field("/vehicle_id", "须指明车辆 / name the vehicle")),
        (ReceiptKind::Fee, _, None) => return Err(Problem::field("/period", "须指明月份 / name the month")),
        (_, None, None) => {}
        _ => return Err(Problem::field("/vehicle_id", "只有车辆收费才填 / only for a vehicle's fee")),
    }
    Ok(tariff.fen)
}

/// Who paid: who is named, or the vehicle's owner.
async fn payer(txn: &DatabaseTransaction, fund: &fund::Model, new: &NewReceipt) -> Result<Option<UserId>, Problem> {
    if let Some(payer) = new.payer_id {
        require_neighbour(txn, fund, payer, "/payer_id").await?;
        return Ok(Some(payer));
    }
    let Some(vehicle) = new.vehicle_id else { return Ok(None) };
    Ok(charter::of_fund(txn, fund.id, vehicle).await?.and_then(|vehicle| vehicle.owner_id))
}

pub(super) async fn require_neighbour(
    txn: &DatabaseTransaction,
    fund: &fund::Model,
    person: UserId,
    pointer: &str,
) -> Result<(), Problem> {
    match identity::residence(txn, person).await? {
        Some(home) if home.community_id == fund.community_id => Ok(()),
        _ => Err(Problem::field(pointer, "须为本社区已认证居民 / must be a verified resident of the community")),
    }
}

/// One movement of money.
pub(super) struct Movement<'a> {
    pub kind: EntryKind,
    /// The receipt or the expense.
    pub source: Uuid,
    pub id: TransactionId,
    /// Above zero.
    pub fen: i64,
    pub reason: &'a str,
}

impl Movement<'_> {
    fn comes_in(&self) -> bool {
        matches!(self.kind, EntryKind::Fee | EntryKind::Service | EntryKind::Donation)
    }
}

/// The transaction in the ledger, and its line. 409 `insufficient_funds` if the fund would go below zero.
pub(super) async fn move_money(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    fund: &fund::Model,
    movement: &Movement<'_>,
) -> Result<(), Problem> {
    let now = state.clock.now();
    let own = Party::Fund(fund.id.0);
    let comes_in = movement.comes_in();
    let (from, to) = if comes_in { (Party::Outside, own) } else { (own, Party::Outside) };
    let transaction = Transaction {
        id: movement.id,
        community_id: fund.community_id,
        kind: if comes_in { TransactionKind::Receipt } else { TransactionKind::Payment },
        transfers: vec![Transfer { from, to, amount: movement.fen, expires_at: None }],
        dedupe_key: None,
        reason: movement.reason,
        actor: Some(actor.user_id),
        source: (if comes_in { "fund_receipt" } else { "fund_expense" }, movement.source),
        at: now,
    };
    if !ledger::record(state, txn, &transaction).await? {
        return Err(Code::AlreadyDecided.into());
    }
    let fen = if comes_in { movement.fen } else { -movement.fen };
    add_line(txn, fund, (movement.kind, false), movement.source, movement.id, fen, now).await
}

async fn add_line(
    txn: &DatabaseTransaction,
    fund: &fund::Model,
    (kind, correction): (EntryKind, bool),
    source: Uuid,
    id: TransactionId,
    fen: i64,
    at: chrono::DateTime<chrono::Utc>,
) -> Result<(), Problem> {
    let line = entry::ActiveModel {
        id: Set(id),
        fund_id: Set(fund.id),
        kind: Set(kind),
        correction: Set(correction),
        fen: Set(fen),
        source_id: Set(source),
        at: Set(at),
    };
    entry::Entity::insert(line).exec_without_returning(txn).await?;
    Ok(())
}

/// Takes a receipt back, as the auditor, who did not record it: the money leaves the fund, and the month can be paid again.
pub(in crate::funds) async fn reverse_receipt(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (id, receipt_id): (FundId, FundReceiptId),
    reason: &str,
) -> Result<receipt::Model, Problem> {
    let fund = lock(txn, id).await?;
    require_auditor(&fund, actor)?;
    let of_it = receipt::Entity::find_by_id(receipt_id).filter(receipt::Column::FundId.eq(id));
    of_it.one(txn).await?.ok_or(Code::NotFound)?;
    let reversed = receipt::Entity::update_many()
        .col_expr(receipt::Column::ReversedBy, Expr::value(actor.user_id))
        .col_expr(receipt::Column::ReversedAt, Expr::value(state.clock.now()))
        .col_expr(receipt::Column::ReversalReason, Expr::value(reason.trim()))
        .filter(receipt::Column::Id.eq(receipt_id))
        .filter(receipt::Column::ReversedAt.is_null())
        .exec_with_returning(txn)
        .await?;
    let row = reversed.into_iter().next().ok_or(Code::AlreadyReversed)?;
    let kind = match row.kind {
        ReceiptKind::Fee => EntryKind::Fee,
        ReceiptKind::Service => EntryKind::Service,
        ReceiptKind::Donation => EntryKind::Donation,
    };
    take_back(state, txn, actor, &fund, (kind, receipt_id.0, -row.fen), reason).await?;
    let what = ("fund_receipt", receipt_id.0);
    record(state, txn, actor, "fund.reverse_receipt", &fund, what, json!({ "fen": row.fen })).await?;
    Ok(row)
}

pub(super) async fn take_back(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    fund: &fund::Model,
    (kind, source, fen): (EntryKind, Uuid, i64),
    reason: &str,
) -> Result<(), Problem> {
    let id: TransactionId = ids::ordered(&state.clock);
    let reversal = Reversal { id, of: TransactionId(source), reason: reason.trim(), actor: Some(actor.user_id) };
    ledger::reverse(state, txn, &reversal).await?.ok_or(Code::AlreadyReversed)?;
    add_line(txn, fund, (kind, true), source, id, fen, state.clock.now()).await
}

pub(super) async fn tell(
    state: &AppState,
    txn: &DatabaseTransaction,
    person: UserId,
    kind: &str,
    (title, body): (&str, String),
    what: (&str, Uuid),
) -> Result<(), Problem> {
    let message = Message {
        kind,
        title: title.to_owned(),
        body,
        target: Some(what),
        dedupe_key: format!("{kind}:{}", what.1),
        template: Template::Need,
    };
    notifications::tell(state, txn, person, &message).await
}
