use chrono::{DateTime, Utc};
use entities::ids::{EarningId, PlaceId, TransactionId, UserId};
use entities::points::{Cut, RuleKey, day, earning};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter};
use uuid::Uuid;

use super::{Award, credit, rules};
use crate::ledger;
use crate::notifications::{self, Message, Template};
use crate::places;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::config::Rules;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::points::domain::{self, Quantity, Room, Terms};

/// Something done that a rule may reward.
#[derive(Clone, Debug)]
pub struct Earn<'a> {
    /// Which rule.
    pub rule: RuleKey,
    /// Whose rule, and whose points.
    pub community_id: PlaceId,
    /// Who did it.
    pub person: UserId,
    /// What it was: the same thing earns by the same rule once.
    pub source: (&'a str, Uuid),
    /// How much was done.
    pub quantity: Quantity,
    /// When: it decides the rule's version and the day of the cap. Service counts for when it began.
    pub at: DateTime<Utc>,
    /// What was done, in Chinese; the person reads it.
    pub reason: String,
    /// Who confirmed it, if somebody had to.
    pub actor: Option<UserId>,
}

/// What a rule gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// By the rule alone; 0 while it is off.
    pub asked: i64,
    /// After caps and budget.
    pub granted: i64,
    /// What cut it.
    pub cut: Option<Cut>,
}

/// Rewards something done, once: the rule in force then decides how much, and the cap of the day how much of it is granted.
/// The person is told what was cut and why. It fails only where the database does: whoever confirms service must not be
/// stopped by a cap.
pub async fn earn(state: &AppState, txn: &DatabaseTransaction, earn: &Earn<'_>) -> Result<Earned, Problem> {
    let settings = places::rules(state, txn, earn.community_id).await?;
    let terms = rules::in_force(txn, &settings, earn.community_id, earn.rule, earn.at).await?;
    let holidays = settings.holidays.iter().copied().collect();
    let calculation = domain::calculate(earn.rule, &terms, &earn.quantity, &holidays);
    let asked = calculation.points();
    if asked <= 0 {
        return Ok(Earned::default());
    }
    let today = calendar::day(earn.at).to_string();
    // The wallet's lock makes what one person earns in a community one after the other.
    let budget = ledger::lock_for_award(txn, earn.community_id, earn.person, state.clock.now()).await?;
    if let Some(earlier) = earlier(txn, earn).await? {
        return Ok(Earned { asked: earlier.asked, granted: earlier.granted, cut: earlier.cut_by });
    }
    let counted = lock_day(txn, earn, &today).await?;
    let room = Room { day: terms.daily_cap.map(|cap| cap - counted), budget };
    let (granted, cut) = domain::grant(asked, room);
    count_day(txn, earn, &today, &terms, granted).await?;
    let id: EarningId = ids::ordered(&state.clock);
    let earned = Earned { asked, granted, cut };
    let entry_id = hand_out(state, txn, earn, (id, earned), budget, &settings).await?;
    let row = earning::ActiveModel {
        id: Set(id),
        community_id: Set(earn.community_id),
        user_id: Set(earn.person),
        rule: Set(earn.rule),
        version: Set(terms.version),
        source_kind: Set(earn.source.0.to_owned()),
        source_id: Set(earn.source.1),
        day: Set(today),
        calculation: Set(
            serde_json::to_value(&calculation).map_err(|error| Problem::from(Code::Internal).caused_by(error))?
        ),
        daily_cap: Set(terms.daily_cap),
        asked: Set(asked),
        granted: Set(granted),
        cut_by: Set(cut),
        entry_id: Set(entry_id),
        created_at: Set(state.clock.now()),
    };
    earning::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(earned)
}

/// Credits what is granted, and says what is not; gives the ledger's transaction.
async fn hand_out(
    state: &AppState,
    txn: &DatabaseTransaction,
    earn: &Earn<'_>,
    (id, earned): (EarningId, Earned),
    budget: Option<i64>,
    settings: &Rules,
) -> Result<Option<TransactionId>, Problem> {
    let Earned { asked, granted, cut } = earned;
    let because = match cut {
        None => String::new(),
        Some(Cut::DailyCap) => format!("（应得{asked}分，已达每日上限）"),
        Some(Cut::Budget) => format!("（应得{asked}分，社区积分预算不足）"),
    };
    let reason = format!("{}{because}", earn.reason);
    if granted == 0 {
        let message = Message {
            kind: "points.cut",
            title: "这次没有积分到账".to_owned(),
            body: reason,
            target: Some(earn.source),
            dedupe_key: format!("points.cut:{id}"),
            template: Template::Points,
        };
        notifications::tell(state, txn, earn.person, &message).await?;
        return Ok(None);
    }
    let rule = earn.rule.to_string();
    let points = Award {
        community_id: earn.community_id,
        person: earn.person,
        amount: granted,
        rule: &rule,
        source: earn.source,
        reason,
        actor: earn.actor,
    };
    // Credited before by another way: then this rule must not say that it granted anything.
    let entry = credit(state, txn, &points, budget, settings).await?.ok_or(Code::Internal)?;
    Ok(Some(entry))
}

/// What the rule gave for the same thing before.
async fn earlier(txn: &DatabaseTransaction, earn: &Earn<'_>) -> Result<Option<earning::Model>, Problem> {
    let same = earning::Entity::find()
        .filter(earning::Column::SourceId.eq(earn.source.1))
        .filter(earning::Column::UserId.eq(earn.person))
        .filter(earning::Column::Rule.eq(earn.rule))
        .filter(earning::Column::SourceKind.eq(earn.source.0));
    Ok(same.one(txn).await?)
}

/// Locks the counter of a person's day, made at its first use; gives what was granted so far.
async fn lock_day(txn: &DatabaseTransaction, earn: &Earn<'_>, today: &str) -> Result<i64, Problem> {
    let row = day::ActiveModel {
        user_id: Set(earn.person),
        community_id: Set(earn.community_id),
        rule: Set(earn.rule),
        day: Set(today.to_owned()),
        granted: Set(0),
        daily_cap: Set(None),
    };
    let key = [day::Column::UserId, day::Column::CommunityId, day::Column::Rule, day::Column::Day];
    // Changing nothing is what locks a row that is there.
    let lock = OnConflict::columns(key).value(day::Column::Granted, Expr::cust("points_days.granted")).to_owned();
    let rows = day::Entity::insert(row).on_conflict(lock).exec_with_returning(txn).await?;
    Ok(rows.granted)
}

/// Counts what is granted: the statement's condition keeps the day below the cap.
async fn count_day(
    txn: &DatabaseTransaction,
    earn: &Earn<'_>,
    today: &str,
    terms: &Terms,
    granted: i64,
) -> Result<(), Problem> {
    if granted == 0 {
        return Ok(());
    }
    let mut update = day::Entity::update_many()
        .col_expr(day::Column::Granted, Expr::col(day::Column::Granted).add(granted))
        .col_expr(day::Column::DailyCap, Expr::value(terms.daily_cap))
        .filter(day::Column::UserId.eq(earn.person))
        .filter(day::Column::CommunityId.eq(earn.community_id))
        .filter(day::Column::Rule.eq(earn.rule))
        .filter(day::Column::Day.eq(today));
    if let Some(cap) = terms.daily_cap {
        update = update.filter(day::Column::Granted.lte(cap - granted));
    }
    if update.exec(txn).await?.rows_affected == 1 { Ok(()) } else { Err(Code::Unavailable.into()) }
}
