//! Projects: from a design that answers needs to a result that was paid, judged and thanked for.
//!
//! A project belongs to a place of a community and, once it asks for money, to a programme. Everybody signed in reads it. Its way
//! is one table ([`lifecycle`]); whoever moves it locks it ([`lock`]), checks what the table says must hold, and takes the
//! [`step`], with what follows, in one transaction. The budget is a whole number of fen.
//!
//! - **Design**: a draft is written ([`Design`]), handed in as a version that stays, returned for changes, compared with another.
//! - **Review**: experts of the programme's panel score the version; who has a conflict cannot, by service and by trigger.
//! - **Selection**: one officer proposes what the programme's rule takes, another confirms, and the money moves with the step.
//!
//! Lock order: the programme (shared, or alone for a selection), project, then its organisations by id, then whatever else belongs
//! to it (tender, bids, contract, milestones),
//! then money, and notices last.

mod deciding;
mod design;
mod domain;
mod http;
pub mod lifecycle;
mod review;
mod selection;
mod service;
mod steps;
mod verify;

use futures_util::FutureExt;

use crate::platform::capability::Capability;

pub use deciding::{require_undisputed, shortlist};
pub use design::{return_for_changes as return_design, save as save_design, submit as submit_design};
pub use domain::design::Design;
pub use lifecycle::Who;
pub use review::{Words as ReviewWords, write as write_review};
pub use service::{NewProject, create};
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
    (
        "project {} has not as many versions as it says, or another budget than the last",
        "SELECT p.id FROM projects p LEFT JOIN project_designs d ON d.project_id = p.id AND d.version = p.version \
         WHERE p.version <> (SELECT COUNT(*) FROM project_designs c WHERE c.project_id = p.id) \
         OR (p.version > 0 AND (d.budget_fen IS NULL OR d.budget_fen <> p.budget_fen OR d.programme_id <> p.programme_id))",
    ),
    (
        "a design of project {} is above its programme's cap or came out of time",
        "SELECT d.project_id AS id FROM project_designs d JOIN programmes g ON g.id = d.programme_id \
         WHERE d.budget_fen > g.cap_fen OR d.submitted_at < g.proposals_from \
         OR d.submitted_at >= CASE WHEN d.version = 1 THEN g.proposals_until ELSE g.reviews_until END",
    ),
    (
        "review {} is by somebody who must not judge the project",
        "SELECT r.id FROM project_reviews r JOIN projects p ON p.id = r.project_id WHERE p.created_by = r.reviewer_id \
         OR EXISTS (SELECT 1 FROM project_conflicts c WHERE c.project_id = r.project_id AND c.user_id = r.reviewer_id) \
         OR EXISTS (SELECT 1 FROM organisation_people o WHERE o.organisation_id = p.designer_id AND o.user_id = r.reviewer_id \
         AND o.since <= r.created_at AND (o.ended_at IS NULL OR o.ended_at > r.created_at)) \
         OR EXISTS (SELECT 1 FROM organisation_conflicts i WHERE i.organisation_id = p.designer_id AND i.user_id = r.reviewer_id \
         AND i.declared_at <= r.created_at AND (i.ended_at IS NULL OR i.ended_at > r.created_at))",
    ),
    (
        "project {} was shortlisted with too few reviews",
        "SELECT p.id FROM projects p JOIN programmes g ON g.id = p.programme_id \
         JOIN project_moves m ON m.project_id = p.id AND m.action = 'shortlist' WHERE p.version > 0 AND g.min_reviews > \
         (SELECT COUNT(*) FROM project_reviews r WHERE r.project_id = p.id AND r.version = p.version)",
    ),
    (
        "project {} was selected and did not get its money from its programme",
        "SELECT s.project_id AS id FROM project_selections s JOIN projects p ON p.id = s.project_id \
         LEFT JOIN ledger_transfers t ON t.transaction_id = s.transaction_id \
         LEFT JOIN ledger_accounts d ON d.id = t.debit_id LEFT JOIN ledger_accounts c ON c.id = t.credit_id \
         WHERE t.id IS NULL OR t.amount <> s.amount_fen OR p.budget_fen <> s.amount_fen \
         OR d.kind <> 'fund' OR d.owner_id <> p.programme_id OR c.kind <> 'fund' OR c.owner_id <> s.project_id",
    ),
    (
        "project {} is selected and its money is not there, or cancelled and it is",
        "SELECT p.id FROM projects p JOIN project_selections s ON s.project_id = p.id JOIN programmes g ON g.id = p.programme_id \
         LEFT JOIN ledger_accounts a ON a.kind = 'fund' AND a.owner_id = p.id AND a.community_id = g.place_id \
         WHERE (p.state IN ('selected', 'tendering', 'awarding') AND COALESCE(a.posted, 0) <> s.amount_fen) \
         OR (p.state = 'cancelled' AND COALESCE(a.posted, 0) <> 0)",
    ),
    (
        "project {} was selected by a proposal that does not, or of another programme",
        "SELECT s.project_id AS id FROM project_selections s JOIN projects p ON p.id = s.project_id \
         JOIN programme_selections g ON g.id = s.selection_id \
         WHERE g.programme_id <> p.programme_id OR g.proposed_by <> s.proposed_by OR s.proposed_by = s.confirmed_by",
    ),
    (
        "project {} keeps needs although it goes nowhere",
        "SELECT p.id FROM projects p JOIN needs n ON n.project_id = p.id WHERE p.state IN ('declined', 'withdrawn', 'cancelled')",
    ),
];

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "projects",
        routes: Some(http::routes),
        verify: Some(|state| verify::run(state).boxed_local()),
        ..Capability::default()
    }
}
