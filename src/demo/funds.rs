//! What the demo shows of funds: 光华社区's parking association takes fees of its neighbours' vehicles for two months and gives
//! its volunteers subsidies. The plates are made up. Made by the services, so that it is in the ledger and on the board.

use entities::funds::{ExpenseKind, ReceiptKind, TariffKind, fund};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use super::seed::{place_id, user_id};
use crate::funds::{self, Expense, NewFund, NewReceipt, NewVehicle, VehicleOwner};
use crate::identity::Actor;
use crate::platform::calendar::Month;
use crate::platform::http::{Caller, Problem, transact};
use crate::platform::ids;
use crate::platform::state::{AppState, SetupError};

const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";
const NAME: &str = "“红色引擎”车辆自治之家停车经费";
const CHARTER: &str = "车主按月交停车管理费，费用由居民自己收、自己管、自己用：用于志愿者值班补贴和停车设施。\
                       出纳收款并提出支出，审核人确认后才能付款；每月在公示栏公布收支。";
/// 50 yuan a month, 30 a car wash, 40 a volunteer's month.
const MONTHLY: i64 = 5_000;
const WASH: i64 = 3_000;
const SUBSIDY: i64 = 4_000;

/// Does what is not done yet; the seed's people must be there.
pub(super) async fn act(state: &AppState) -> Result<(), SetupError> {
    let there = fund::Entity::find()
        .filter(fund::Column::CommunityId.eq(place_id(GUANGHUA)))
        .filter(fund::Column::Name.eq(NAME));
    if there.count(state.db.read()).await? > 0 {
        return Ok(());
    }
    let [staff, treasurer, auditor] =
        [actor(state, "staff").await?, actor(state, "representative").await?, actor(state, "staff-2").await?];
    transact(state, async |txn| {
        let new = NewFund {
            place_id: place_id(GUANGHUA),
            name: NAME,
            charter: CHARTER,
            project_id: Some(ids::named("project:parking")),
            treasurer_id: treasurer.user_id,
            auditor_id: auditor.user_id,
        };
        let fund = funds::found(state, txn, &staff, &new).await?.id;
        let monthly = funds::set_tariff(state, txn, &treasurer, fund, (TariffKind::Fee, "停车管理费（月）", MONTHLY));
        let monthly = monthly.await?.id;
        let wash = funds::set_tariff(state, txn, &treasurer, fund, (TariffKind::Service, "自助洗车（次）", WASH));
        let wash = wash.await?.id;
        let this_month = Month::of(state.clock.now());
        for at in 1..=8 {
            let plate = format!("鄂A·D{at:02}X{at}");
            let owner = VehicleOwner::Person(user_id(&format!("resident-{at}")));
            let new = NewVehicle { plate: &plate, owner };
            let vehicle = funds::keep_vehicle(state, txn, &treasurer, fund, &new).await?.id;
            for period in [this_month.before(), this_month] {
                let fee = NewReceipt {
                    kind: ReceiptKind::Fee,
                    tariff_id: Some(monthly),
                    vehicle_id: Some(vehicle),
                    period: Some(period),
                    payer_id: None,
                    fen: None,
                };
                funds::receive(state, txn, &treasurer, fund, &fee).await?;
            }
        }
        let washed = NewReceipt {
            kind: ReceiptKind::Service,
            tariff_id: Some(wash),
            vehicle_id: None,
            period: None,
            payer_id: Some(user_id("resident-1")),
            fen: None,
        };
        funds::receive(state, txn, &treasurer, fund, &washed).await?;
        for at in 1..=5 {
            for period in [this_month.before(), this_month] {
                let subsidy = Expense {
                    kind: ExpenseKind::Subsidy,
                    payee_id: Some(user_id(&format!("volunteer-{at}"))),
                    purpose: &format!("{period}月值班补贴"),
                    fen: SUBSIDY,
                };
                let proposed = funds::propose(state, txn, &treasurer, fund, &subsidy).await?;
                funds::confirm(state, txn, &auditor, (fund, proposed.id)).await?;
            }
        }
        let cones =
            Expense {
                kind: ExpenseKind::Expense, payee_id: None, purpose: "购买锥形桶和反光背心", fen: 12_000
            };
        funds::propose(state, txn, &treasurer, fund, &cones).await?;
        Ok(())
    })
    .await?;
    Ok(())
}

async fn actor(state: &AppState, name: &str) -> Result<Actor, Problem> {
    Actor::load(state, Caller { user_id: user_id(name), family: Uuid::nil() }).await
}
