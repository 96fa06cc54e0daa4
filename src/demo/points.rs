//! What the demo shows of points: a gift budget, rules for more than hours, a holiday, an award that waits for a second person.
//!
//! Apart from the other data: tests start from that, and set what they need themselves.

use chrono::TimeDelta;
use entities::ids::TransactionId;
use entities::ledger::TransactionKind;
use entities::places::place;
use entities::points::{AwardState, RuleKey, award, award_budget, rule};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;

use super::seed::{place_id, put, user_id};
use crate::ledger::{self, Party, Transaction, Transfer};
use crate::notices::{self, Notice};
use crate::platform::calendar;
use crate::platform::http::{Problem, transact};
use crate::platform::ids;
use crate::platform::state::{AppState, SetupError};

const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";
const YIYUAN: &str = "/jiangan/laodong/yiyuan/";

/// Community, who sets it, budget and where it comes from.
const BUDGETS: &[(&str, &str, i64, &str)] = &[
    (GUANGHUA, "staff", 100_000, "停车收费结余中列支的年度礼品经费"),
    (YIYUAN, "district", 20_000, "街道拨付的年度礼品经费"),
];

struct Rule {
    place: &'static str,
    by: &'static str,
    key: RuleKey,
    amount: i64,
    night_percent: i64,
    holiday_percent: i64,
    daily_cap: Option<i64>,
}

const fn once(place: &'static str, by: &'static str, key: RuleKey, amount: i64, daily_cap: Option<i64>) -> Rule {
    Rule { place, by, key, amount, night_percent: 100, holiday_percent: 100, daily_cap }
}

const RULES: &[Rule] = &[
    once(GUANGHUA, "staff", RuleKey::SurveyAnswer, 2, Some(6)),
    once(GUANGHUA, "staff", RuleKey::NeedAdopted, 20, None),
    Rule {
        place: YIYUAN,
        by: "district",
        key: RuleKey::ServiceHour,
        amount: 10,
        night_percent: 150,
        holiday_percent: 200,
        daily_cap: Some(120),
    },
    once(YIYUAN, "district", RuleKey::ServiceShift, 2, None),
    once(YIYUAN, "district", RuleKey::SurveyAnswer, 2, Some(6)),
];

/// Puts in what is not there yet; see [`super::seed`].
pub(super) async fn seed(state: &AppState) -> Result<(), SetupError> {
    transact(state, async |txn| {
        holidays(state, txn).await?;
        rules(state, txn).await?;
        waiting(state, txn).await?;
        budgets(state, txn).await
    })
    .await?;
    Ok(())
}

/// The days after the next two weeks' end, so that a holiday is near whenever the demo is run; only where nobody has set any.
async fn holidays(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let day = calendar::day(state.clock.now() + TimeDelta::days(14));
    place::Entity::update_many()
        .col_expr(place::Column::Settings, Expr::value(json!({ "holidays": [day, day + TimeDelta::days(1)] })))
        .filter(place::Column::Id.is_in([GUANGHUA, YIYUAN].map(place_id)))
        .filter(place::Column::Settings.eq(json!({})))
        .exec(txn)
        .await?;
    Ok(())
}

async fn rules(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let now = state.clock.now();
    for item in RULES {
        let row = rule::ActiveModel {
            community_id: Set(place_id(item.place)),
            key: Set(item.key),
            version: Set(1),
            amount: Set(item.amount),
            night_percent: Set(item.night_percent),
            holiday_percent: Set(item.holiday_percent),
            daily_cap: Set(item.daily_cap),
            from_at: Set(now),
            set_by: Set(user_id(item.by)),
            set_at: Set(now),
        };
        put(txn, row).await?;
    }
    Ok(())
}

/// An award that the other member of staff can approve, and what it takes of the day's limit.
async fn waiting(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let now = state.clock.now();
    let id = ids::named("award:moving");
    if award::Entity::find_by_id(id).one(txn).await?.is_some() {
        return Ok(());
    }
    let row = award::ActiveModel {
        id: Set(id),
        community_id: Set(place_id(GUANGHUA)),
        place_path: Set(format!("{GUANGHUA}wg1/b2/")),
        user_id: Set(user_id("resident-20")),
        amount: Set(80),
        reason: Set("连续三个周末帮独居老人搬运家具".to_owned()),
        state: Set(AwardState::Pending),
        two_persons: Set(true),
        asked_by: Set(user_id("staff")),
        asked_at: Set(now),
        decided_by: Set(None),
        decided_at: Set(None),
        reject_reason: Set(None),
        reversed_by: Set(None),
        reversed_at: Set(None),
        reverse_reason: Set(None),
        entry_id: Set(None),
    };
    put(txn, row).await?;
    let day = calendar::day(now).to_string();
    let row = award_budget::ActiveModel { actor_id: Set(user_id("staff")), day: Set(day), spent: Set(80) };
    let add = OnConflict::columns([award_budget::Column::ActorId, award_budget::Column::Day])
        .value(award_budget::Column::Spent, Expr::cust("award_budgets.spent + excluded.spent"))
        .to_owned();
    award_budget::Entity::insert(row).on_conflict(add).exec_without_returning(txn).await?;
    Ok(())
}

async fn budgets(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    for (place, by, amount, reason) in BUDGETS {
        let community_id = place_id(place);
        let id: TransactionId = ids::named(&format!("budget:{place}"));
        let source = ("points_budget", id.0);
        let raise = Transaction {
            id,
            community_id,
            kind: TransactionKind::Budget,
            transfers: vec![Transfer { from: Party::Issuance, to: Party::Budget, amount: *amount, expires_at: None }],
            dedupe_key: None,
            reason,
            actor: Some(user_id(by)),
            source,
            at: state.clock.now(),
        };
        if ledger::record(state, txn, &raise).await? {
            let notice = Notice {
                community_id,
                kind: "points.budget",
                title: format!("积分预算增加 {amount} 分"),
                body: format!("{reason}。目前还可发放 {amount} 分。"),
                subject: Some(source),
                ..Notice::default()
            };
            notices::publish(state, txn, notice).await?;
        }
    }
    Ok(())
}
