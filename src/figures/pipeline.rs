//! How many needs and projects stand where on their way, and what money stands behind them.

use std::collections::BTreeMap;

use entities::needs::NeedState;
use entities::projects::ProjectState;
use sea_orm::{DatabaseConnection, DbErr, FromQueryResult};

use super::scope::{Scope, Sql};

/// Projects in one state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub count: i64,
    /// In the projects' funds: selected, and not in a contract yet.
    pub committed_fen: i64,
    /// In the contracts' funds: signed, and not paid yet.
    pub contracted_fen: i64,
    /// Out of the contracts' funds.
    pub paid_fen: i64,
}

impl Standing {
    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.committed_fen += other.committed_fen;
        self.contracted_fen += other.contracted_fen;
        self.paid_fen += other.paid_fen;
    }
}

/// A place's or a child's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pipeline {
    pub needs: BTreeMap<NeedState, i64>,
    pub projects: BTreeMap<ProjectState, Standing>,
}

#[derive(FromQueryResult)]
struct Needs {
    child: String,
    state: NeedState,
    count: i64,
}

#[derive(FromQueryResult)]
struct Projects {
    child: String,
    state: ProjectState,
    count: i64,
    committed_fen: i64,
    contracted_fen: i64,
    paid_fen: i64,
}

/// Counts a scope: the whole, and each child of the place by its code. Two statements, however much there is.
pub(super) async fn count(
    connection: &DatabaseConnection,
    scope: &Scope,
) -> Result<(Pipeline, BTreeMap<String, Pipeline>), DbErr> {
    let (mut total, mut children) = (Pipeline::default(), BTreeMap::<String, Pipeline>::new());
    let mut sql = Sql::new(connection);
    let (there, child) = (sql.needs(scope), sql.child("n.place_path", scope));
    let text = format!(
        "SELECT {child} AS child, n.state AS state, COUNT(*) AS count FROM needs n WHERE {there} GROUP BY 1, 2"
    );
    for row in sql.read::<Needs>(text).all(connection).await? {
        *total.needs.entry(row.state).or_default() += row.count;
        *children.entry(row.child).or_default().needs.entry(row.state).or_default() += row.count;
    }
    let mut sql = Sql::new(connection);
    let (there, child) = (sql.projects(scope), sql.child("p.place_path", scope));
    // The ledger says what stands behind them; a contract's fund pays nobody but the world outside and the programme.
    let text = format!(
        "SELECT child, state, COUNT(*) AS count, CAST(SUM(committed) AS bigint) AS committed_fen, \
         CAST(SUM(contracted) AS bigint) AS contracted_fen, CAST(SUM(paid) AS bigint) AS paid_fen FROM (\
         SELECT {child} AS child, p.state AS state, COALESCE(a.posted, 0) AS committed, COALESCE(b.posted, 0) AS contracted, \
         COALESCE((SELECT SUM(t.amount) FROM ledger_transfers t JOIN ledger_accounts o ON o.id = t.credit_id AND o.kind = 'outside' \
         WHERE t.debit_id = b.id), 0) AS paid \
         FROM projects p LEFT JOIN programmes g ON g.id = p.programme_id \
         LEFT JOIN ledger_accounts a ON a.owner_id = p.id AND a.community_id = g.place_id AND a.unit = 'fen' AND a.kind = 'fund' \
         LEFT JOIN contracts c ON c.project_id = p.id \
         LEFT JOIN ledger_accounts b ON b.owner_id = c.id AND b.community_id = g.place_id AND b.unit = 'fen' AND b.kind = 'fund' \
         WHERE {there}) counted GROUP BY child, state"
    );
    for row in sql.read::<Projects>(text).all(connection).await? {
        let Projects { count, committed_fen, contracted_fen, paid_fen, .. } = row;
        let standing = Standing { count, committed_fen, contracted_fen, paid_fen };
        total.projects.entry(row.state).or_default().add(standing);
        children.entry(row.child).or_default().projects.entry(row.state).or_default().add(standing);
    }
    Ok((total, children))
}
