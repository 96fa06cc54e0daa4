//! Lists: newest first, by signed keyset cursors.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Problem;
use crate::platform::crypto::{Keys, Purpose};

const DEFAULT_LIMIT: u64 = 20;
const MAX_LIMIT: u64 = 100;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Names the next page in `?cursor=`; absent on the last one.
    pub next_cursor: Option<String>,
}

/// `?cursor=&limit=` of a list that has no other parameters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// 1 to 100; 20 without it.
    pub limit: Option<u64>,
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Paging {
    after: Option<Uuid>,
    limit: u64,
}

impl Paging {
    /// Reads `?cursor=&limit=`.
    pub fn new(keys: &Keys, cursor: Option<&str>, limit: Option<u64>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::field("?limit", format!("1 to {MAX_LIMIT}")));
        }
        let after = cursor
            .map(|text| read_cursor(keys, text).ok_or_else(|| Problem::field("?cursor", "not a cursor of this list")));
        Ok(Self { after: after.transpose()?, limit })
    }

    /// The last of the page before.
    pub fn after(&self) -> Option<Uuid> {
        self.after
    }

    /// The rows of a page, and one more.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.limit + 1).unwrap_or(i64::MAX)
    }

    /// Restricts a query to the page and one row more, in descending order of a time-ordered id.
    pub fn apply<E: EntityTrait>(&self, mut query: Select<E>, id: impl ColumnTrait) -> Select<E> {
        if let Some(after) = self.after {
            query = query.filter(id.lt(after));
        }
        query.order_by_desc(id).limit(self.limit + 1)
    }

    /// Makes the page of the rows that the query of [`Self::apply`] gave.
    pub fn page<M, T>(&self, keys: &Keys, rows: Vec<M>, id: impl Fn(&M) -> Uuid, view: impl FnMut(M) -> T) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let last = rows.get(limit.saturating_sub(1)).map(id);
        let next_cursor = if more { last.map(|id| write_cursor(keys, id)) } else { None };
        Page { items: rows.into_iter().take(limit).map(view).collect(), next_cursor }
    }
}

fn write_cursor(keys: &Keys, id: Uuid) -> String {
    let signature = keys.sign(Purpose::Cursor, id.as_bytes());
    URL_SAFE_NO_PAD.encode([id.as_bytes(), signature.get(..12).unwrap_or_default()].concat())
}

fn read_cursor(keys: &Keys, text: &str) -> Option<Uuid> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (id, signature) = bytes.split_at_checked(16)?;
    (signature.len() == 12 && keys.verify(Purpose::Cursor, id, signature)).then(|| Uuid::from_slice(id).ok())?
}
