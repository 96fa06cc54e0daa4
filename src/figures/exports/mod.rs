//! One way in which tables leave the house: row by row from the database into a file, in memory that does not grow with them.
//!
//! A table is a query and its columns ([`tables`]). A file says at its end that it is whole ([`files`]): whatever breaks before
//! breaks the answer, so that half a file is never taken for a whole one.

pub(super) mod files;
pub(super) mod tables;

use futures_util::{Stream, StreamExt};
use sea_orm::{DatabaseConnection, DbErr, Statement, StreamTrait};

use crate::places::{self, Place};
use files::Value;
use tables::Table;

/// The rows of a table that lie at and below a place, as they come from the database.
pub(super) async fn rows<'a>(
    connection: &'a DatabaseConnection,
    table: &'static Table,
    place: &Place,
    minimum_cell: i64,
) -> Result<impl Stream<Item = Result<Vec<Value>, DbErr>> + Send + 'a, DbErr> {
    let values = places::range(&place.path).map(Into::into);
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), table.query, values);
    let rows = connection.stream_raw(statement).await?;
    Ok(rows.map(move |row| table.read(&row?, minimum_cell)))
}
