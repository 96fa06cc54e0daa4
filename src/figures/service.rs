use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entities::figures::summary;
use entities::ids::SummaryId;
use entities::notices::notice;
use entities::places::{PlaceKind, place};
use sea_orm::sea_query::{OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::derive::sums;
use super::domain::{Figures, Sums, hash};
use crate::notices::{self, Notice};
use crate::places;
use crate::platform::calendar::Month;
use crate::platform::code::Code;
use crate::platform::http::{Problem, transact};
use crate::platform::ids;
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;

/// A server that stood still makes up for so many months.
const MONTHS: usize = 3;
/// So many communities at a time.
const BATCH: u64 = 100;

/// The schedule: makes what is missing of the months that are over, the oldest first. A second time finds nothing missing.
pub(super) async fn make_due(state: &AppState) -> Result<(), JobError> {
    let newest = Month::last_over(state.clock.now());
    let months: Vec<Month> = std::iter::successors(Some(newest), |month| Some(month.before())).take(MONTHS).collect();
    for month in months.into_iter().rev() {
        make(state, month, month.ends()).await?;
    }
    Ok(())
}

/// Makes the summaries of a month that is over, of each community that existed at `by` and has none.
pub async fn make(state: &AppState, month: Month, by: DateTime<Utc>) -> Result<(), Problem> {
    loop {
        let missing = missing(state, month, by).await?;
        if missing.is_empty() {
            return Ok(());
        }
        // All at once: what is over changes no more.
        let sums = sums(state.db.read(), month).await?;
        for community in missing {
            let sums = sums.get(&community.id).copied().unwrap_or_default();
            match transact(state, async |txn| publish(state, txn, &community, month, &sums).await).await {
                // Refused: another process made it a moment ago.
                Err(problem) if problem.code() != Code::AlreadyDecided => return Err(problem),
                _ => {}
            }
        }
    }
}

async fn missing(state: &AppState, month: Month, by: DateTime<Utc>) -> Result<Vec<place::Model>, DbErr> {
    let made = Query::select()
        .column(summary::Column::CommunityId)
        .from(summary::Entity)
        .and_where(summary::Column::Month.eq(month.to_string()))
        .to_owned();
    place::Entity::find()
        .filter(place::Column::Kind.eq(PlaceKind::Community))
        .filter(place::Column::CreatedAt.lt(by))
        .filter(place::Column::Id.not_in_subquery(made))
        .order_by_asc(place::Column::Id)
        .limit(BATCH)
        .all(state.db.read())
        .await
}

/// Makes a community's summary of a month that is over, and its notice; 409 if there is one.
async fn publish(
    state: &AppState,
    txn: &DatabaseTransaction,
    community: &place::Model,
    month: Month,
    sums: &Sums,
) -> Result<(), Problem> {
    let minimum_cell = places::rules(state, txn, community.id).await?.minimum_cell;
    let figures = Figures::of(sums, minimum_cell);
    let csv = figures.table(&community.name, &month.to_string(), minimum_cell);
    let (id, hash): (SummaryId, _) = (ids::ordered(&state.clock), hash(&csv));
    let notice = Notice {
        community_id: community.id,
        kind: "summary.published",
        title: format!("{}{month}月度公示", community.name),
        body: figures.words(minimum_cell, &hash),
        subject: Some(("summary", id.0)),
        ..Notice::default()
    };
    let notice_id = notices::publish(state, txn, notice).await?;
    let row = summary::ActiveModel {
        id: Set(id),
        community_id: Set(community.id),
        community_name: Set(community.name.clone()),
        month: Set(month.to_string()),
        minimum_cell: Set(minimum_cell),
        figures: Set(serde_json::to_value(figures).map_err(|error| Problem::from(Code::Internal).caused_by(error))?),
        csv: Set(csv),
        hash: Set(hash),
        notice_id: Set(notice_id),
        made_at: Set(state.clock.now()),
    };
    let once = OnConflict::columns([summary::Column::CommunityId, summary::Column::Month]).do_nothing().to_owned();
    // Whoever comes second undoes their notice with this refusal.
    match summary::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await? {
        1 => Ok(()),
        _ => Err(Code::AlreadyDecided.into()),
    }
}

/// Every summary is derived again, a month at a time.
pub(super) async fn verify(state: &AppState) -> Result<Vec<String>, DbErr> {
    const PAGE: u64 = 500;
    let connection = state.db.read();
    let months = summary::Entity::find().select_only().column(summary::Column::Month).distinct();
    let months: BTreeSet<String> = months.into_tuple().all(connection).await?.into_iter().collect();
    let mut findings = Vec::new();
    for name in months {
        let Ok(month) = name.parse::<Month>() else {
            findings.push(format!("there are summaries of {name}, which is not a month"));
            continue;
        };
        let again = sums(connection, month).await?;
        let mut after = None;
        loop {
            let mut page = summary::Entity::find().filter(summary::Column::Month.eq(&name));
            if let Some(after) = after {
                page = page.filter(summary::Column::Id.gt(after));
            }
            let page = page.order_by_asc(summary::Column::Id).limit(PAGE).all(connection).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            let of_page = notice::Column::Id.is_in(page.iter().map(|row| row.notice_id));
            let notices = notice::Entity::find().filter(of_page).all(connection).await?;
            for row in &page {
                let sums = again.get(&row.community_id).copied().unwrap_or_default();
                let notice = notices.iter().find(|notice| notice.id == row.notice_id);
                if let Some(what) = wrong(row, &sums, notice) {
                    findings.push(format!("summary {} of {name}: {what}", row.id));
                }
            }
        }
    }
    Ok(findings)
}

fn wrong(row: &summary::Model, sums: &Sums, notice: Option<&notice::Model>) -> Option<&'static str> {
    let Ok(figures) = serde_json::from_value::<Figures>(row.figures.clone()) else {
        return Some("its figures cannot be read");
    };
    if figures != Figures::of(sums, row.minimum_cell) {
        return Some("the records say otherwise");
    }
    if row.csv != figures.table(&row.community_name, &row.month, row.minimum_cell) || row.hash != hash(&row.csv) {
        return Some("its file is not what its figures make");
    }
    let told = notice.is_some_and(|notice| notice.body == figures.words(row.minimum_cell, &row.hash));
    (!told).then_some("its notice says otherwise")
}
