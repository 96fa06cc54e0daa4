//! Funding programmes 资助计划: money for a purpose, with its rules and its calendar.
//!
//! - A programme is drafted, opened (from then on it stays as it was published; its budget rises, and dates that have not passed move to later days) and closed. Its level is the
//!   kind of its place: district, street or community.
//! - **Its money** stands in the books of its place, in [`Party::Fund`](crate::ledger::Party::Fund) of its id. Opening enters the
//!   budget; a *part* of a larger programme gets it from that programme's fund, so that all parts together never exceed it: the
//!   ledger's floor decides, whoever comes at once. [`commit`] gives a project its money from there, [`give_back`] returns it.
//! - **Its panel** are social workers of its place, named by its staff.
//! - `domain` holds the calendar, what scores are worth ([`points`]) and who gets the money ([`allocate`]: one
//!   function, a rule each way).
//!
//! Lock order: a programme before its part, both before projects, then money, then notices. Who acts in a programme shares its row
//! ([`share`]); opening, raising, closing and selecting take it alone.

mod domain;
mod http;
mod money;
mod panel;
mod returns;
mod service;

use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::DbErr;

use crate::platform::capability::{Capability, Schedule};
use crate::platform::state::AppState;

pub use domain::{
    Candidate, Choice, Criterion, Phase, Phases, Reason, WHOLE, allocate, ballot_share, mean, points, weighted,
};
pub use money::{commit, give_back};
pub use panel::{add as add_expert, experts, require_on_panel, sits_on};
pub use service::{Words, create, find, lock, open, phases, rubric, share};

const RULES: &[(&str, &str)] = &[
    (
        "programme {} did not get its budget",
        "SELECT p.id FROM programmes p JOIN ledger_accounts a ON a.kind = 'fund' AND a.owner_id = p.id AND a.community_id = p.place_id \
         WHERE p.state <> 'draft' AND p.budget_fen <> (SELECT COALESCE(SUM(t.amount), 0) FROM ledger_transfers t \
         JOIN ledger_transactions x ON x.id = t.transaction_id AND x.phase IN ('posted', 'post') \
         JOIN ledger_accounts d ON d.id = t.debit_id \
         WHERE t.credit_id = a.id AND (d.kind = 'outside' OR d.owner_id = p.parent_id))",
    ),
    (
        "programme {} gave away more than its budget",
        "SELECT p.id FROM programmes p JOIN ledger_accounts a ON a.kind = 'fund' AND a.owner_id = p.id AND a.community_id = p.place_id \
         WHERE p.budget_fen < (SELECT COALESCE(SUM(CASE WHEN t.debit_id = a.id THEN t.amount ELSE -t.amount END), 0) \
         FROM ledger_transfers t JOIN ledger_transactions x ON x.id = t.transaction_id AND x.phase IN ('posted', 'post') \
         JOIN ledger_accounts o ON o.id = CASE WHEN t.debit_id = a.id THEN t.credit_id ELSE t.debit_id END \
         WHERE (t.debit_id = a.id OR t.credit_id = a.id) AND o.kind = 'fund' AND (p.parent_id IS NULL OR o.owner_id <> p.parent_id))",
    ),
    (
        "programme {} has money before it was opened",
        "SELECT p.id FROM programmes p JOIN ledger_accounts a ON a.kind = 'fund' AND a.owner_id = p.id WHERE p.state = 'draft'",
    ),
    (
        "programme {} has not the path of its place, or another place than what it is a part of",
        "SELECT p.id FROM programmes p JOIN places l ON l.id = p.place_id LEFT JOIN programmes u ON u.id = p.parent_id \
         WHERE l.path <> p.place_path OR (p.parent_id IS NOT NULL AND (u.place_id <> p.place_id OR u.parent_id IS NOT NULL))",
    ),
    (
        "programme {} was opened and is on no board",
        "SELECT p.id FROM programmes p WHERE p.state <> 'draft' AND NOT EXISTS (SELECT 1 FROM notices n \
         WHERE n.kind = 'programme.opened' AND n.subject_kind = 'programme' AND n.subject_id = p.id) \
         AND EXISTS (SELECT 1 FROM ledger_accounts a WHERE a.kind = 'fund' AND a.owner_id = p.id)",
    ),
];

async fn verify(state: &AppState) -> Result<Vec<String>, DbErr> {
    let mut found = state.db.audit(RULES).await?;
    found.extend(returns::kept_back(state).await?);
    Ok(found)
}

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "programmes",
        routes: Some(http::routes),
        schedules: vec![Schedule {
            name: "programmes.pass_on",
            every: Duration::from_mins(5),
            run: |state| returns::pass_on(state).boxed_local(),
        }],
        verify: Some(|state| verify(state).boxed_local()),
        ..Capability::default()
    }
}
