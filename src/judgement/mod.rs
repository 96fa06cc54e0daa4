//! Judgement 评议: the residents' rating, the third party's evaluation, the end of a project, and exemplars.
//!
//! - When a project is completed a *window* for ratings opens. Whoever was served, or lives in the project's place and is
//!   verified, rates once: the primary key. After the window's end the result is a notice: with its figures if at least
//!   `rules.minimum_ratings` took part, else only that they were too few.
//! - After that a third party evaluates. A trigger holds that the evaluator belongs to the evaluating organisation and had no
//!   other part in the project. Evaluations are only ever added; one that asks to rectify is followed by a resubmission and
//!   another one. The notice names the SHA-256 of the report.
//! - *Finish* returns what was not spent, resolves the needs and tells those who said and supported them, once.
//! - A finished project that was found excellent can be published as an *exemplar* and copied; who copied from whom stays readable
//!   both ways.
//!
//! Lock order: project, its window, money, needs, notices.

pub mod domain;
mod http;
mod moderated;
mod service;

use std::time::Duration;

use futures_util::FutureExt;

use crate::platform::capability::{Capability, Schedule};

pub(crate) use service::{evaluating, exemplars, finishing, ratings};

const RULES: &[(&str, &str)] = &[
    (
        "project {} was rated by somebody who may not, or out of time",
        "SELECT r.project_id AS id FROM project_ratings r LEFT JOIN rating_windows w ON w.project_id = r.project_id \
         WHERE w.project_id IS NULL OR r.created_at < w.opened_at OR r.created_at >= w.closes_at",
    ),
    (
        "project {} was rated as served by somebody whom it does not know",
        "SELECT r.project_id AS id FROM project_ratings r WHERE r.standing = 'served' AND NOT EXISTS (\
         SELECT 1 FROM project_beneficiaries b WHERE b.project_id = r.project_id AND (b.user_id = r.user_id OR b.phone_hash IN (\
         SELECT y.phone_hash FROM residencies y WHERE y.user_id = r.user_id)))",
    ),
    (
        "project {} was rated as resident by somebody who never lived there",
        "SELECT r.project_id AS id FROM project_ratings r JOIN projects p ON p.id = r.project_id WHERE r.standing = 'resident' \
         AND NOT EXISTS (SELECT 1 FROM residencies y WHERE y.user_id = r.user_id AND y.state IN ('approved', 'ended') \
         AND substr(y.place_path, 1, length(p.place_path)) = p.place_path)",
    ),
    (
        "project {} is completed and nobody can rate it",
        "SELECT p.id FROM projects p WHERE p.state IN ('completed', 'rectifying', 'evaluated') AND p.moves > 0 \
         AND NOT EXISTS (SELECT 1 FROM rating_windows w WHERE w.project_id = p.id)",
    ),
    (
        "project {} was evaluated by somebody with another part in it",
        "SELECT e.project_id AS id FROM project_evaluations e WHERE EXISTS (SELECT 1 FROM milestone_submissions m \
         WHERE m.project_id = e.project_id AND e.evaluator_id IN (m.submitted_by, m.stated_by, m.decided_by)) \
         OR EXISTS (SELECT 1 FROM project_services s WHERE s.project_id = e.project_id \
         AND (s.recorded_by = e.evaluator_id OR s.decided_by = e.evaluator_id)) \
         OR EXISTS (SELECT 1 FROM project_reviews r WHERE r.project_id = e.project_id AND r.reviewer_id = e.evaluator_id) \
         OR EXISTS (SELECT 1 FROM tender_scores c JOIN tenders t ON t.id = c.tender_id \
         WHERE t.project_id = e.project_id AND c.scorer_id = e.evaluator_id)",
    ),
    (
        "project {} stands otherwise than its last evaluation says",
        "SELECT p.id FROM projects p JOIN project_evaluations e ON e.project_id = p.id \
         WHERE e.seq = (SELECT MAX(l.seq) FROM project_evaluations l WHERE l.project_id = p.id) \
         AND ((p.state IN ('evaluated', 'finished') AND e.result = 'rectify') OR (p.state = 'rectifying' AND e.result <> 'rectify'))",
    ),
    (
        "project {} is finished without a closing, or has one and is not",
        "SELECT p.id FROM projects p LEFT JOIN project_closings c ON c.project_id = p.id \
         WHERE (p.state = 'finished' AND p.moves > 0 AND c.project_id IS NULL) OR (p.state <> 'finished' AND c.project_id IS NOT NULL)",
    ),
    (
        "need {} is still in a project that is finished",
        "SELECT n.id FROM needs n JOIN project_closings c ON c.project_id = n.project_id WHERE n.state = 'in_project'",
    ),
];

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "judgement",
        routes: Some(http::routes),
        moderated: vec![(moderated::KIND, &moderated::Ratings)],
        schedules: vec![Schedule {
            name: "judgement.publish",
            every: Duration::from_mins(5),
            run: |state| async move { service::ratings::publish_due(&state).await }.boxed_local(),
        }],
        verify: Some(|state| state.db.audit(RULES).boxed_local()),
        ..Capability::default()
    }
}
