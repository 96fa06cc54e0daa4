use chrono::{DateTime, Utc};
use entities::ids::PlaceId;
use entities::points::{RuleKey, rule};
use sea_orm::sea_query::{Alias, Expr, LockType, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, Iterable,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;

use crate::audit;
use crate::identity::{Actor, Permission};
use crate::notices::{self, Notice};
use crate::places::{self, Place};
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::config::Rules;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::points::domain::{self, Terms};

/// The version of a rule that counts for what was done at `at`.
pub(super) async fn in_force(
    txn: &DatabaseTransaction,
    settings: &Rules,
    community: PlaceId,
    key: RuleKey,
    at: DateTime<Utc>,
) -> Result<Terms, Problem> {
    let row = rule::Entity::find()
        .filter(rule::Column::CommunityId.eq(community))
        .filter(rule::Column::Key.eq(key))
        .filter(rule::Column::FromAt.lte(at))
        .order_by_desc(rule::Column::Version)
        .limit(1)
        .one(txn)
        .await?;
    Ok(row.map_or_else(|| unset(key, settings), |row| terms(&row)))
}

pub(in crate::points) fn terms(row: &rule::Model) -> Terms {
    let rule::Model { version, amount, night_percent, holiday_percent, daily_cap, .. } = *row;
    Terms { version, amount, night_percent, holiday_percent, daily_cap }
}

/// What holds while a community has set nothing: hours by its settings, nothing else.
fn unset(key: RuleKey, rules: &Rules) -> Terms {
    let amount = if key == RuleKey::ServiceHour { rules.points_per_hour } else { 0 };
    Terms { version: 0, amount, night_percent: 100, holiday_percent: 100, daily_cap: None }
}

/// A rule of a community: what holds now, and what is announced.
pub(in crate::points) struct Standing {
    pub key: RuleKey,
    pub terms: Terms,
    /// The row that says so; none while the settings do.
    pub row: Option<rule::Model>,
    pub next: Option<rule::Model>,
}

/// All rules of a community. One query, however many versions there are.
pub(in crate::points) async fn standing(
    state: &AppState,
    connection: &impl ConnectionTrait,
    community: PlaceId,
) -> Result<Vec<Standing>, Problem> {
    let now = state.clock.now();
    let rules = places::rules(state, connection, community).await?;
    let other = Alias::new("other");
    let newest = |since: Option<DateTime<Utc>>| {
        let mut newest = Query::select();
        newest
            .expr(Expr::col((other.clone(), rule::Column::Version)).max())
            .from_as(rule::Entity, other.clone())
            .and_where(Expr::col((other.clone(), rule::Column::CommunityId)).equals(rule::Column::CommunityId))
            .and_where(Expr::col((other.clone(), rule::Column::Key)).equals(rule::Column::Key));
        if let Some(now) = since {
            newest.and_where(Expr::col((other.clone(), rule::Column::FromAt)).lte(now));
        }
        rule::Column::Version.in_subquery(newest)
    };
    let rows = rule::Entity::find()
        .filter(rule::Column::CommunityId.eq(community))
        .filter(Condition::any().add(newest(Some(now))).add(newest(None)))
        .all(connection)
        .await?;
    let standing = RuleKey::iter().map(|key| {
        let of_key = |row: &&rule::Model| row.key == key;
        let row = rows.iter().filter(of_key).find(|row| row.from_at <= now).cloned();
        let next = rows.iter().filter(of_key).find(|row| row.from_at > now).cloned();
        Standing { key, terms: row.as_ref().map_or_else(|| unset(key, &rules), terms), row, next }
    });
    Ok(standing.collect())
}

/// What staff set a rule to.
pub(in crate::points) struct NewRule {
    pub amount: i64,
    pub night_percent: i64,
    pub holiday_percent: i64,
    pub daily_cap: Option<i64>,
    /// Now without it.
    pub from: Option<DateTime<Utc>>,
}

/// Adds a version of a rule and makes it public; what was earned before it begins stays as it was. Saying again what holds
/// already adds none.
pub(in crate::points) async fn set(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (place, community): (&Place, PlaceId),
    key: RuleKey,
    new: NewRule,
) -> Result<(), Problem> {
    actor.require(Permission::ManageSettings, &place.path)?;
    if place.id != community {
        return Err(Problem::field("/place_id", "规则属于社区 / rules belong to a community"));
    }
    // Versions are numbered one after the other.
    entities::places::place::Entity::find_by_id(community)
        .lock(LockType::NoKeyUpdate)
        .one(txn)
        .await?
        .ok_or(Code::NotFound)?;
    let now = state.clock.now();
    let from_at = new.from.unwrap_or(now);
    if from_at < now {
        return Err(Problem::field("/from", "不能早于现在 / must not lie in the past"));
    }
    let newest = rule::Entity::find()
        .filter(rule::Column::CommunityId.eq(community))
        .filter(rule::Column::Key.eq(key))
        .order_by_desc(rule::Column::Version)
        .limit(1)
        .one(txn)
        .await?;
    let version = newest.as_ref().map_or(0, |row| row.version) + 1;
    let row = rule::Model {
        community_id: community,
        key,
        version,
        amount: new.amount,
        night_percent: new.night_percent,
        holiday_percent: new.holiday_percent,
        daily_cap: new.daily_cap,
        from_at,
        set_by: actor.user_id,
        set_at: now,
    };
    let said = |row: &rule::Model| Terms { version: 0, ..terms(row) };
    let same_begin = |old: &rule::Model| if new.from.is_none() { old.from_at <= now } else { old.from_at == from_at };
    if newest.is_some_and(|old| said(&old) == said(&row) && same_begin(&old)) {
        return Ok(());
    }
    let terms = terms(&row);
    rule::ActiveModel::from(row).insert(txn).await?;
    let detail = json!({ "rule": key, "version": version, "amount": terms.amount, "night_percent": terms.night_percent,
        "holiday_percent": terms.holiday_percent, "daily_cap": terms.daily_cap, "from": from_at });
    audit::record(state, txn, Some(actor.user_id), "points.rule", ("place", community.0), Some(community), detail)
        .await?;
    let notice = Notice {
        community_id: community,
        kind: "points.rule",
        title: format!("积分规则调整：{}", domain::title(key)),
        body: format!(
            "自{}起：{}。此前的积分不变。",
            calendar::text(from_at, "%Y年%-m月%-d日 %H:%M"),
            domain::text(key, &terms)
        ),
        subject: None,
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(())
}
