//! Projects: from a design that answers needs to a result that was paid, judged and thanked for.
//!
//! A project belongs to a place of a community and, once it asks for money, to a programme. Everybody signed in reads it. Its way
//! is one table ([`lifecycle`]); whoever moves it locks it ([`lock`]), checks what the table says must hold, and takes the
//! [`step`], with what follows, in one transaction. The budget is a whole number of fen.
//!
//! Lock order: project, then its organisations by id, then whatever else belongs to it (tender, bids, contract, milestones),
//! then money, and notices last.

mod http;
pub mod lifecycle;
mod service;
mod steps;

use futures_util::FutureExt;

use crate::platform::capability::Capability;

pub use lifecycle::Who;
pub use service::create;
pub use steps::{assign, lock, party, require, roles, step};

const RULES: &[(&str, &str)] = &[
    (
        "project {} is not where its steps lead",
        "SELECT p.id FROM projects p LEFT JOIN project_moves m ON m.project_id = p.id AND m.seq = p.moves \
         WHERE (p.moves > 0 AND (m.to_state IS NULL OR m.to_state <> p.state)) \
         OR p.moves <> (SELECT COUNT(*) FROM project_moves c WHERE c.project_id = p.id)",
    ),
    (
        "project {} has steps that do not follow one another",
        "SELECT b.project_id AS id FROM project_moves b LEFT JOIN project_moves a ON a.project_id = b.project_id AND a.seq = b.seq - 1 \
         WHERE (b.seq = 1 AND b.from_state <> 'proposed') OR (b.seq > 1 AND (a.to_state IS NULL OR a.to_state <> b.from_state))",
    ),
    (
        "project {} is carried out by another organisation than its parties say",
        "SELECT p.id FROM projects p LEFT JOIN project_parties y ON y.project_id = p.id AND y.part = 'implementer' \
         WHERE p.organisation_id IS NOT NULL AND (y.organisation_id IS NULL OR y.organisation_id <> p.organisation_id)",
    ),
    (
        "parties of project {} share a person",
        "SELECT a.project_id AS id FROM project_parties a JOIN project_parties b ON b.project_id = a.project_id AND b.part <> a.part \
         JOIN organisation_people p ON p.organisation_id = a.organisation_id AND p.ended_at IS NULL \
         JOIN organisation_people q ON q.organisation_id = b.organisation_id AND q.ended_at IS NULL AND q.user_id = p.user_id",
    ),
];

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "projects",
        routes: Some(http::routes),
        verify: Some(|state| state.db.audit(RULES).boxed_local()),
        ..Capability::default()
    }
}
