//! Which open needs of a community are like something that somebody is about to write. What is found is only a proposal: a
//! word that is missing here loses nothing.

use std::collections::HashMap;

use entities::ids::{NeedId, PlaceId};
use entities::needs::{need, term};
use sea_orm::sea_query::{Asterisk, Expr, Order, Query, UnionType};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use crate::needs::domain;
use crate::needs::domain::words::{self, Term, Terms};
use crate::platform::http::{Problem, transact};
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;

/// Needs that one word of a question brings up, the newest: what it costs is bounded however many needs there are. Where fewer have
/// the word, as in all but very large communities, none is missed.
const OF_A_WORD: u64 = 200;
/// Needs that are looked at closer, and shown.
const CANDIDATES: u64 = 40;
const SHOWN: usize = 10;
/// What is summed up of each word.
const SHARED: &str = "shared";
/// Needs that one run of the schedule puts in.
const A_RUN: u64 = 100;

/// Puts a need's words in while it is open to support, and takes them out else: called by whatever changes that, in its
/// transaction.
pub(crate) async fn refresh(state: &AppState, txn: &DatabaseTransaction, row: &need::Model) -> Result<(), Problem> {
    let found = domain::OPEN.contains(&row.state) && !row.hidden;
    if found == row.indexed_at.is_some() {
        return Ok(());
    }
    term::Entity::delete_many().filter(term::Column::NeedId.eq(row.id)).exec(txn).await?;
    if found {
        let Terms { terms, length } = words::terms(&row.title, &row.body);
        let rows: Vec<_> = terms
            .into_iter()
            .map(|one| term::ActiveModel {
                need_id: Set(row.id),
                term: Set(one.word),
                community_id: Set(row.community_id),
                weight: Set(one.weight),
                length: Set(length),
            })
            .collect();
        if !rows.is_empty() {
            term::Entity::insert_many(rows).exec_without_returning(txn).await?;
        }
    }
    need::Entity::update_many()
        .col_expr(need::Column::IndexedAt, Expr::value(found.then(|| state.clock.now())))
        .filter(need::Column::Id.eq(row.id))
        .exec(txn)
        .await?;
    Ok(())
}

/// Puts in what was published before there was this index.
pub(in crate::needs) async fn catch_up(state: AppState) -> Result<(), JobError> {
    let missing = need::Entity::find()
        .filter(Expr::cust("indexed_at IS NULL AND NOT hidden AND state IN ('published', 'in_topic', 'in_project')"))
        .order_by_asc(need::Column::Id)
        .limit(A_RUN)
        .all(state.db.read())
        .await?;
    for row in missing {
        transact(&state, async |txn| {
            let row = need::Entity::find_by_id(row.id).lock_exclusive().one(txn).await?;
            match row {
                Some(row) => refresh(&state, txn, &row).await,
                None => Ok(()),
            }
        })
        .await?;
    }
    Ok(())
}

/// Open needs of a community that are like a text, the most alike, nearest and newest first, each with how alike it is in
/// thousandths.
pub(in crate::needs) async fn find(
    state: &AppState,
    connection: &impl ConnectionTrait,
    community: PlaceId,
    path: &str,
    asked: &Terms,
) -> Result<Vec<(need::Model, i64)>, Problem> {
    let weights: HashMap<&str, i64> = asked.asked().iter().map(|term| (term.word.as_str(), term.weight)).collect();
    let candidates = candidates(connection, community, asked.asked()).await?;
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    // All that they have in common, also what is further down a word's list.
    let rows = term::Entity::find()
        .filter(term::Column::NeedId.is_in(candidates))
        .filter(term::Column::Term.is_in(weights.keys().copied()))
        .all(connection)
        .await?;
    let mut shared: HashMap<NeedId, (Vec<(i64, i64)>, i64)> = HashMap::new();
    for row in rows {
        let (pairs, length) = shared.entry(row.need_id).or_default();
        pairs.extend(weights.get(row.term.as_str()).map(|here| (*here, row.weight)));
        *length = row.length;
    }
    let alike: Vec<(NeedId, i64)> = shared
        .into_iter()
        .map(|(id, (pairs, length))| (id, words::likeness(pairs, asked.length, length)))
        .filter(|(_, likeness)| *likeness >= words::THRESHOLD)
        .collect();
    let needs = need::Entity::find()
        .filter(need::Column::Id.is_in(alike.iter().map(|(id, _)| *id)))
        .filter(need::Column::Hidden.eq(false))
        .filter(need::Column::State.is_in(domain::OPEN))
        .all(connection)
        .await?;
    let now = state.clock.now();
    let likeness: HashMap<NeedId, i64> = alike.into_iter().collect();
    let mut found: Vec<(need::Model, i64)> = needs
        .into_iter()
        .map(|row| {
            let alike = likeness.get(&row.id).copied().unwrap_or_default();
            (row, alike)
        })
        .collect();
    found.sort_by_key(|(row, alike)| {
        let days = (now - row.created_at).num_days();
        (std::cmp::Reverse(words::rank(*alike, words::steps_apart(path, &row.place_path), days)), row.id)
    });
    found.truncate(SHOWN);
    Ok(found)
}

/// The needs that have most in common with some words, as far as the newest of each word tell: one reading of an index a word.
async fn candidates(
    connection: &impl ConnectionTrait,
    community: PlaceId,
    words: &[Term],
) -> Result<Vec<NeedId>, Problem> {
    let newest = |word: &Term| {
        let mut of_word = Query::select();
        of_word
            .columns([term::Column::NeedId, term::Column::Length])
            .expr_as(Expr::col(term::Column::Weight).mul(word.weight), SHARED)
            .from(term::Entity)
            .and_where(term::Column::CommunityId.eq(community))
            .and_where(term::Column::Term.eq(word.word.as_str()))
            .order_by(term::Column::NeedId, Order::Desc)
            .limit(OF_A_WORD);
        // SQLite takes a limit within a union only inside of another query.
        let mut bounded = Query::select();
        bounded.column(Asterisk).from_subquery(of_word, "of_word");
        bounded
    };
    let mut lists = words.iter().map(newest);
    let Some(mut all) = lists.next() else { return Ok(Vec::new()) };
    for list in lists {
        all.union(UnionType::All, list);
    }
    let mut best = Query::select();
    best.column(term::Column::NeedId)
        .from_subquery(all, "found")
        .group_by_col(term::Column::NeedId)
        .order_by_expr(Expr::cust("SUM(shared) / MAX(length)"), Order::Desc)
        .order_by(term::Column::NeedId, Order::Desc)
        .limit(CANDIDATES);
    let rows = connection.query_all(&best).await?;
    rows.into_iter().map(|row| row.try_get("", "need_id").map_err(Problem::from)).collect()
}
