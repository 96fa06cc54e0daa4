//! Lists: newest first, by signed keyset cursors.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
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
        let limit = checked(limit)?;
        let after = cursor.map(|text| read_cursor(keys, text).ok_or_else(no_cursor));
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

/// Which part of a list in the order of times, the oldest first, is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: u64,
}

impl Moments {
    /// Reads `?cursor=&limit=`.
    pub fn new(keys: &Keys, cursor: Option<&str>, limit: Option<u64>) -> Result<Self, Problem> {
        let limit = checked(limit)?;
        let after = cursor.map(|text| read_moment(keys, text).ok_or_else(no_cursor));
        Ok(Self { after: after.transpose()?, limit })
    }

    /// The last of the page before: its time, and its id, which tells rows of one time apart.
    pub fn after(&self) -> Option<(DateTime<Utc>, Uuid)> {
        self.after
    }

    /// The rows of a page, and one more.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.limit + 1).unwrap_or(i64::MAX)
    }

    /// Makes the page of the rows, and one more, that come after [`Self::after`] in this order.
    pub fn page<M, T>(
        &self,
        keys: &Keys,
        rows: Vec<M>,
        moment: impl Fn(&M) -> (DateTime<Utc>, Uuid),
        view: impl FnMut(M) -> T,
    ) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let last = rows.get(limit.saturating_sub(1)).map(moment);
        let next_cursor = if more { last.map(|moment| write_moment(keys, moment)) } else { None };
        Page { items: rows.into_iter().take(limit).map(view).collect(), next_cursor }
    }
}

fn checked(limit: Option<u64>) -> Result<u64, Problem> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if (1..=MAX_LIMIT).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::field("?limit", format!("1 to {MAX_LIMIT}")))
    }
}

fn no_cursor() -> Problem {
    Problem::field("?cursor", "not a cursor of this list")
}

fn write_cursor(keys: &Keys, id: Uuid) -> String {
    write_signed(keys, id.as_bytes())
}

fn read_cursor(keys: &Keys, text: &str) -> Option<Uuid> {
    Uuid::from_slice(&read_signed(keys, text, 16)?).ok()
}

/// Whole: what was cut off of a time would bring its row again.
fn write_moment(keys: &Keys, (at, id): (DateTime<Utc>, Uuid)) -> String {
    let time = [&at.timestamp().to_be_bytes()[..], &at.timestamp_subsec_nanos().to_be_bytes()].concat();
    write_signed(keys, &[&time[..], id.as_bytes()].concat())
}

fn read_moment(keys: &Keys, text: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let bytes = read_signed(keys, text, 28)?;
    let (seconds, rest) = bytes.split_first_chunk::<8>()?;
    let (nanos, id) = rest.split_first_chunk::<4>()?;
    let at = DateTime::from_timestamp(i64::from_be_bytes(*seconds), u32::from_be_bytes(*nanos))?;
    Some((at, Uuid::from_slice(id).ok()?))
}

fn write_signed(keys: &Keys, bytes: &[u8]) -> String {
    let signature = keys.sign(Purpose::Cursor, bytes);
    URL_SAFE_NO_PAD.encode([bytes, signature.get(..12).unwrap_or_default()].concat())
}

fn read_signed(keys: &Keys, text: &str, length: usize) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (content, signature) = bytes.split_at_checked(length)?;
    (signature.len() == 12 && keys.verify(Purpose::Cursor, content, signature)).then(|| content.to_vec())
}
