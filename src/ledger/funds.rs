//! Books that everybody reads: what a fund holds, and every entry of it.

use std::collections::{HashMap, HashSet};

use entities::ids::{AccountId, PlaceId};
use entities::ledger::{AccountKind, TransactionPhase, account, transaction, transfer};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, Statement};
use uuid::Uuid;

use super::accounts::{Party, account_id};
use crate::platform::http::{Paging, Problem};

/// What a fund holds, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FundBalance {
    /// What came in less what went out.
    pub posted: i64,
    /// What open holds keep of it.
    pub reserved: i64,
}

impl FundBalance {
    /// What can be spent.
    pub fn available(self) -> i64 {
        self.posted - self.reserved
    }
}

/// A transaction, and what it meant for a fund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundEntry {
    /// Its header; of a hold that is open, `phase` says so.
    pub transaction: transaction::Model,
    /// What came in; below zero for what went out or is held.
    pub amount: i64,
    /// Where it came from or went to: another fund by its owner's id, or the world outside.
    pub others: Vec<Party>,
}

/// What a fund holds; zeros before its first movement.
pub async fn fund_balance(
    connection: &impl ConnectionTrait,
    community: PlaceId,
    owner: Uuid,
) -> Result<FundBalance, Problem> {
    let balances = fund_balances(connection, [(community, owner)]).await?;
    Ok(balances.get(&owner).copied().unwrap_or_default())
}

/// [`fund_balance`] of several funds, by their owners: one query.
pub async fn fund_balances(
    connection: &impl ConnectionTrait,
    funds: impl IntoIterator<Item = (PlaceId, Uuid)>,
) -> Result<HashMap<Uuid, FundBalance>, Problem> {
    let accounts: Vec<AccountId> =
        funds.into_iter().map(|(community, owner)| account_id(community, Party::Fund(owner))).collect();
    if accounts.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = account::Entity::find().filter(account::Column::Id.is_in(accounts)).all(connection).await?;
    let balance = |row: account::Model| (row.owner_id, FundBalance { posted: row.posted, reserved: row.reserved });
    Ok(rows.into_iter().map(balance).collect())
}

/// The transactions of a page, and one more, that make up what a fund holds, newest first: what moved, and the holds that are
/// open.
pub async fn fund_entries(
    connection: &impl ConnectionTrait,
    community: PlaceId,
    owner: Uuid,
    paging: &Paging,
) -> Result<Vec<FundEntry>, Problem> {
    let fund = account_id(community, Party::Fund(owner));
    // Each side gives its own newest ones, from an index that is in this order, however long its history is.
    let newest = ["debit_id", "credit_id"].map(|side| {
        format!(
            "SELECT id FROM (
                 SELECT DISTINCT t.transaction_id AS id
                 FROM ledger_transfers t JOIN ledger_transactions x ON x.id = t.transaction_id
                 WHERE t.{side} = $1 AND t.transaction_id < $2 AND (x.phase IN ('posted', 'post') OR (
                     x.phase = 'pending' AND NOT EXISTS (SELECT 1 FROM ledger_transactions e WHERE e.pending_id = x.id)))
                 ORDER BY t.transaction_id DESC LIMIT $3
             ) AS newest"
        )
    });
    let sql =
        format!("SELECT * FROM ledger_transactions WHERE id IN ({}) ORDER BY id DESC LIMIT $3", newest.join(" UNION "));
    let values = [fund.into(), paging.after().unwrap_or(Uuid::max()).into(), paging.rows().into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let rows = transaction::Model::find_by_statement(statement).all(connection).await?;

    let ids = rows.iter().map(|row| row.id);
    let transfers = transfer::Entity::find().filter(transfer::Column::TransactionId.is_in(ids)).all(connection).await?;
    let behind: HashSet<AccountId> = transfers.iter().flat_map(|row| [row.debit_id, row.credit_id]).collect();
    let behind = account::Entity::find().filter(account::Column::Id.is_in(behind)).all(connection).await?;
    let party = |id: AccountId| {
        let row = behind.iter().find(|row| row.id == id)?;
        Some(if row.kind == AccountKind::Fund { Party::Fund(row.owner_id) } else { Party::Outside })
    };
    let entry = |transaction: transaction::Model| {
        let mut entry = FundEntry { amount: 0, others: Vec::new(), transaction };
        for row in transfers.iter().filter(|row| row.transaction_id == entry.transaction.id) {
            // What is held has not arrived anywhere.
            let (change, other) = if row.debit_id == fund {
                (-row.amount, row.credit_id)
            } else if row.credit_id == fund && entry.transaction.phase != TransactionPhase::Pending {
                (row.amount, row.debit_id)
            } else {
                continue;
            };
            entry.amount += change;
            entry.others.extend(party(other).filter(|party| !entry.others.contains(party)));
        }
        entry
    };
    Ok(rows.into_iter().map(entry).collect())
}
