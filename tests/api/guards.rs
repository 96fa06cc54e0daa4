//! Every rule of issue 4 that the database keeps, asked of the database alone: no service stands before it here.
//!
//! The lists name a guard and what it must refuse, so that each line fails without it. Columns that a line does not name are filled: new
//! ids, one day, 1, no. Within a line `u3` is the third of some ids, `d2` the second of some days, `n1` the first of some names.

use std::collections::{BTreeMap, HashSet};

use linli::platform::ids;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, RuntimeErr, Statement};
use uuid::Uuid;

use crate::support::Fresh;

/// CHECKs. A table's line is a row that is taken; each line below it changes that row, and the constraint refuses it.
const CHECKS: &str = "
organisation_people: role='head'
    organisation_people_end: ended_at=d1
    organisation_people_role: role='x'
project_parties: part='supervisor'
    project_parties_part: part='x'
programmes: budget_fen=9, allocation='ranked', state='open', proposals_from=d1, proposals_until=d2, reviews_until=d3, votes_until=d4, delivery_until=d5
    programmes_budget: budget_fen=0, cap_fen=0
    programmes_cap: cap_fen=10
    programmes_count: count_target=0
    programmes_weight: expert_weight=101
    programmes_allocation: allocation='x'
    programmes_min_reviews: min_reviews=21
    programmes_objection_days: objection_days=61
    programmes_state: state='x'
    programmes_phases: votes_until=d5
    programmes_not_own_parent: id=u1, parent_id=u1
projects: state='running'
    projects_budget: budget_fen=-1
    projects_state: state='x', programme_id=u1
    projects_funded: state='awarding'
project_moves:
    project_moves_seq: seq=0
notices:
    notices_version: corrects_id=u1
notice_windows: opened_at=d1, objections_until=d2
    notice_windows_future: objections_until=d1
    notice_windows_closed: closed_at=d1
objections: state='open'
    objections_state: state='x', reply='x', replied_by=u1, replied_at=d1, salt='x', reply_notice_id=u2
    objections_reply: state='upheld'
    objections_not_by_oneself: state='upheld', author_id=u1, reply='x', replied_by=u1, replied_at=d1, salt='x', reply_notice_id=u2
notice_days:
    notice_days_seq: seq=0
case_files: origin='need', category='rights', state='open'
    case_files_origin: origin='x'
    case_files_category: category='x'
    case_files_state: state='x'
    case_files_of_project: origin='project'
    case_files_closed: state='closed'
case_handlers:
    case_handlers_not_by_oneself: user_id=u1, added_by=u1
    case_handlers_removed: removed_by=u1
needs: author_id=u1, category='rights', state='published', published_at=d1, channel='hotline', urgency='normal'
    needs_category: category='x'
    needs_state: state='x'
    needs_channel: channel='x'
    needs_urgency: urgency='x'
    needs_consent_how: recorder_id=u2, consent_how='x', consent_at=d1
    needs_support_count: support_count=-1
    needs_beneficiary_count: beneficiary_count=0
    needs_published: published_at=NULL
    needs_written_by: author_id=NULL, recorder_id=u2, consent_how='spoken', consent_at=d1
    needs_recorder_not_author: recorder_id=u1, consent_how='spoken', consent_at=d1
    needs_consent: recorder_id=u2
    needs_disputed: dispute='x'
    needs_merged: state='merged'
need_events: kind='answered'
    need_events_kind: kind='x'
need_merges:
    need_merges_two_needs: source_id=u1, target_id=u1
    need_merges_undone: undone_by=u1
need_terms:
    need_terms_weight: weight=0
    need_terms_length: length=0
place_points:
    place_points_lat: lat_e6=90000001
    place_points_lng: lng_e6=180000001
polls: kind='approval', state='draft'
    polls_subject: subject_kind='topic'
topics: state='open'
    topics_state: state='x', resolution='handle_directly', reason='x', decided_by=u1, decided_at=d1
    topics_resolution: state='resolved', resolution='x', reason='x', decided_by=u1, decided_at=d1
    topics_decided: state='resolved', resolution='handle_directly', decided_by=u1, decided_at=d1
    topics_vote: state='voting', resolution='vote', reason='x', decided_by=u1, decided_at=d1
    topics_adopted: state='resolved', resolution='vote', poll_id=u2, reason='x', decided_by=u1, decided_at=d1
deliberations: starts_at=d1, ends_at=d2
    deliberations_time: ends_at=d1
    deliberations_called_off: called_off_at=d1
    deliberations_minutes: minutes='x'
    deliberations_confirmed: confirmed_by=u1, confirmed_at=d1
    deliberations_by_two: minutes='x', minutes_by=u1, minutes_at=d1, confirmed_by=u1, confirmed_at=d1
deliberation_attendances: method='code'
    deliberation_attendances_method: method='x'
    deliberation_attendances_marked: method='mark'
    deliberation_attendances_confirmed: confirmed_at=d1
    deliberation_attendances_not_by_oneself: user_id=u1, confirmed_by=u1, confirmed_at=d1
organisation_conflicts: kind='family'
    organisation_conflicts_kind: kind='x'
operator_rounds: opens_at=d1, closes_at=d2, valid_from=d1, valid_until=d2
    operator_rounds_calendar: closes_at=d1
    operator_rounds_validity: valid_until=d1
operator_admissions: state='applied'
    operator_admissions_state: state='x', decided_at=d1
    operator_admissions_decided: state='admitted'
    operator_admissions_not_by_oneself: state='admitted', applied_by=u1, decided_by=u1, decided_at=d1
platforms: level='street'
    platforms_level: level='x'
    platforms_area: area_m2=0
    platforms_invested: invested_fen=-1
    platforms_opened: opened_year=1948
    platforms_operated: operator_id=u1
platform_reports: level='street', figure='guided'
    platform_reports_level: level='x'
    platform_reports_figure: figure='x'
    platform_reports_amount: amount=-1
organisations: state='guided', name=n1
    organisations_credit_code_form: credit_code='1234567890'
organisation_fields: field='rights'
    organisation_fields_field: field='x'
organisation_standings: state='guided'
    organisation_standings_state: state='x'
service_sites: kind='canteen'
    service_sites_kind: kind='x'
    service_sites_lat: lat_e6=-90000001
    service_sites_lng: lng_e6=-180000001
platform_rooms:
    platform_rooms_seats: seats=0
incubation_requests: kind='tutoring', state='requested'
    incubation_requests_kind: kind='x'
    incubation_requests_state: state='x', decided_by=u1
    incubation_requests_space: kind='space'
    incubation_requests_half_open: kind='space', room_id=u1, starts_at=d1, ends_at=d1
    incubation_requests_decided: state='accepted'
    incubation_requests_not_by_oneself: state='accepted', requested_by=u1, decided_by=u1
academy_courses: starts_at=d1, ends_at=d2
    academy_courses_capacity_positive: capacity=0, taken=0
    academy_courses_taken_positive: taken=-1
    academy_courses_half_open: ends_at=d1
    academy_courses_capacity: taken=2
academy_enrolments: state='enrolled'
    academy_enrolments_state: state='x'
    academy_enrolments_completed: state='completed'
    academy_enrolments_not_by_oneself: state='completed', user_id=u1, completed_by=u1
talents: qualification='none', works_since=2000
    talents_qualification: qualification='x'
    talents_works_since: works_since=1948
talent_rounds: opens_at=d1, closes_at=d2
    talent_rounds_seats: seats=0
    talent_rounds_calendar: closes_at=d1
    talent_rounds_published: published_at=d3
talent_applications: state='applied'
    talent_applications_state: state='x'
talent_scores:
    talent_scores_total: total=-1
    talent_scores_not_by_oneself: applicant_id=u1, scorer_id=u1
programme_experts:
    programme_experts_not_by_oneself: user_id=u1, added_by=u1
project_designs:
    project_designs_version: version=0
    project_designs_budget: budget_fen=0
    project_designs_indicators: indicators=0
    project_designs_people: people=-1
project_reviews: recommendation='support'
    project_reviews_points: points=1000001
    project_reviews_recommendation: recommendation='x'
programme_selections:
    programme_selections_seq: seq=0
    programme_selections_available: available_fen=-1
project_selections:
    project_selections_amount: amount_fen=0
    project_selections_by_two: proposed_by=u1, confirmed_by=u1
project_indicators:
    project_indicators_target: target=-1
project_reports: kind='progress'
    project_reports_kind: kind='x'
    project_reports_period: period_from='2', period_until='1'
delivery_files: owner_kind='visit'
    delivery_files_owner: owner_kind='x'
project_services: kind='visit', state='recorded'
    project_services_kind: kind='x'
    project_services_state: state='x', decided_by=u1, decided_at=d1
    project_services_heads: heads=1000001
    project_services_reached: reached=-1
    project_services_decided: state='confirmed'
    project_services_not_by_oneself: state='confirmed', recorded_by=u1, decided_by=u1, decided_at=d1
project_service_counts: what='heads'
    project_service_counts_what: what='x'
    project_service_counts_amount: amount=-1
project_service_corrections: what='heads', was=1, stands=2, delta=1
    project_service_corrections_what: what='x'
    project_service_corrections_stands: stands=-1, delta=-2
    project_service_corrections_delta: delta=2
    project_service_corrections_absent: what='absent'
    project_service_corrections_not_by_oneself: recorded_by=u1, corrected_by=u1
milestone_submissions: decision=NULL
    milestone_submissions_round: round=0
    milestone_submissions_stated: statement='x'
    milestone_submissions_decision: decision='x', decided_by=u3, decided_at=d1, statement='x', stated_by=u2, stated_at=d1, supports=true
    milestone_submissions_decided: decision='accepted', statement='x', stated_by=u2, stated_at=d1, supports=true
    milestone_submissions_after_statement: decision='accepted', decided_by=u3, decided_at=d1
    milestone_submissions_returned: decision='returned', decided_by=u3, decided_at=d1, statement='x', stated_by=u2, stated_at=d1, supports=true
    milestone_submissions_three_people: decision='accepted', decided_by=u2, decided_at=d1, statement='x', stated_by=u2, stated_at=d1, supports=true
findings: severity='major', state='open'
    findings_severity: severity='x'
    findings_state: state='x'
    findings_closed: state='closed'
rectifications:
    rectifications_round: round=0
    rectifications_verdict: verdict='x', checked_by=u1, checked_at=d1
    rectifications_checked: verdict='closed'
    rectifications_not_by_oneself: verdict='closed', done_by=u1, checked_by=u1, checked_at=d1
rating_windows: opened_at=d1, closes_at=d2
    rating_windows_half_open: closes_at=d1
    rating_windows_published: published_at=d1, notice_id=u1
project_ratings: standing='served'
    project_ratings_score: score=6
    project_ratings_standing: standing='x'
    project_ratings_nothing_to_show: shown=true
project_evaluations: result='pass'
    project_evaluations_seq: seq=0
    project_evaluations_result: result='x'
    project_evaluations_score: score=101
    project_evaluations_rectify: result='rectify', rectify_by='x'
project_closings:
    project_closings_returned: returned_fen=-1
exemplar_copies:
    exemplar_copies_not_itself: project_id=u1, copied_from=u1
funds:
    funds_two_people: treasurer_id=u1, auditor_id=u1
fund_tariffs: kind='fee'
    fund_tariffs_kind: kind='x'
    fund_tariffs_fen: fen=0
fund_vehicles: owner_id=u1
    fund_vehicles_owned: household_id=u2
fund_receipts: kind='donation'
    fund_receipts_kind: kind='x', tariff_id=u1
    fund_receipts_fen: fen=0
    fund_receipts_of_vehicle: kind='fee', tariff_id=u1
    fund_receipts_by_tariff: kind='service'
    fund_receipts_reversed: reversed_by=u1
    fund_receipts_reversed_by_another: recorded_by=u1, reversed_by=u1, reversed_at=d1, reversal_reason='x'
fund_expenses: kind='expense', state='proposed'
    fund_expenses_kind: kind='x'
    fund_expenses_state: state='x', decided_by=u1
    fund_expenses_fen: fen=0
    fund_expenses_to_somebody: kind='subsidy'
    fund_expenses_decided: state='confirmed'
    fund_expenses_by_two: state='confirmed', proposed_by=u1, decided_by=u1
    fund_expenses_not_to_oneself: payee_id=u1, state='confirmed', decided_by=u1
    fund_expenses_reversed: reversed_by=u1
    fund_expenses_reversed_by_another: state='reversed', decided_by=u2, proposed_by=u1, reversed_by=u1
fund_entries: kind='fee'
    fund_entries_kind: kind='x', fen=-1
    fund_entries_direction: fen=-1
";

/// Keys: what two rows of a table must not have in common, and what may differ.
const KEYS: &str = "
notices_chain: notices: community_id=u1
notices_subject_once: notices: subject_kind='x', subject_id=u1 | seq=2
project_parties_apart: project_parties: project_id=u1, organisation_id=u2 | part='evaluator'
organisation_people_one_live: organisation_people: organisation_id=u1, user_id=u2
objections_one_open: objections: notice_id=u1, author_id=u2
case_handlers_one_live: case_handlers: case_id=u1, user_id=u2
case_files_voice_used_once: case_files: voice_file_id=u1
need_merges_one_live: need_merges: source_id=u1
topic_needs_one_live: topic_needs: need_id=u1
operator_admissions_once: operator_admissions: round_id=u1, organisation_id=u2
platforms_once: platforms: place_id=u1
platform_rooms_once: platform_rooms: platform_id=u1
talent_applications_once: talent_applications: round_id=u1, user_id=u2
organisation_conflicts_one_live: organisation_conflicts: user_id=u1, organisation_id=u2
organisations_credit_code: organisations: credit_code='123456789012345678', name=n3 | name=n4
academy_enrolments_one_live: academy_enrolments: course_id=u1, user_id=u2
project_reviews_once: project_reviews: project_id=u1, reviewer_id=u2
programme_polls_one: programme_polls: programme_id=u1, community_id=u2
programme_selections_one_after_the_other: programme_selections: programme_id=u1
delivery_files_used_once: delivery_files: file_id=u1
project_beneficiaries_once: project_beneficiaries: project_id=u1
project_services_source_once: project_services: source_id=u1
project_service_corrections_seq: project_service_corrections: service_id=u1
project_service_corrections_absent_once: project_service_corrections: what='absent', service_id=u1, beneficiary_id=u2 | seq=2
milestone_submissions_rounds: milestone_submissions: milestone_id=u1, decision='accepted', decided_by=u3, decided_at=d1, statement='x', stated_by=u4, stated_at=d1, supports=true
milestone_submissions_one_open: milestone_submissions: milestone_id=u5 | round=2
rectifications_rounds: rectifications: finding_id=u1, verdict='again', checked_by=u2, checked_at=d1
rectifications_one_open: rectifications: finding_id=u5 | round=2
project_reports_one_final: project_reports: project_id=u1, kind='final'
project_ratings_once: project_ratings: project_id=u1, user_id=u2
project_ratings_id: project_ratings: id=u3
project_evaluations_report_once: project_evaluations: report_file_id=u1
exemplars_once: exemplars: project_id=u1
funds_once: funds: community_id=u1
fund_entries_once: fund_entries: source_id=u1
fund_months_once: fund_months: fund_id=u1
fund_vehicles_one_live: fund_vehicles: fund_id=u1
fund_receipts_once: fund_receipts: kind='fee', tariff_id=u1, vehicle_id=u2, period='2026-01'
";

/// Tables whose rows are only ever added: no change, and nothing is taken away.
const KEPT: &str = "
notices project_moves project_steps notice_days case_notes need_events organisation_standings platform_reports project_conflicts project_designs
project_reviews programme_selections project_selections project_service_people project_service_people_groups project_service_counts
project_service_corrections project_reports supervision_visits project_evaluations project_resubmissions project_closings exemplars
exemplar_copies fund_entries fund_months
";

/// Changes that a trigger refuses: its name, the rows that stand, and what is tried with the last of them (`-` takes it away).
const CHANGES: &str = "
projects_lifecycle: projects: state='selected', programme_id=u1 | state='tendering'
projects_lifecycle: projects: state='selected', programme_id=u1 | state='contracted', moves=2
objections_kept: objections: state='open' | text='x'
objections_kept: objections: state='upheld', reply='x', replied_by=u1, replied_at=d1, salt='x', reply_notice_id=u2 | reply='y'
objections_kept: objections: state='open' | -
notice_windows_kept: notice_windows: opened_at=d1, objections_until=d2 | objections_until=d3
notice_windows_kept: notice_windows: closed_at=d3 | closed_at=d4
notice_windows_kept: notice_windows: closed_at=NULL | -
programmes_frozen: programmes: state='open' | cap_fen=2
programmes_frozen: programmes: state='closed' | state='open'
milestone_submissions_decided_for_good/milestone_submissions_append_only: milestone_submissions: decision='accepted', decided_by=u3, decided_at=d1, statement='x', stated_by=u4, stated_at=d1, supports=true | body='x'
milestone_submissions_decided_for_good/milestone_submissions_append_only: milestone_submissions: decision='accepted', decided_by=u3, decided_at=d1, statement='x', stated_by=u4, stated_at=d1, supports=true | -
milestones_accepted_on_evidence: milestones: state='submitted' | state='accepted', accepted_by=u1, accepted_at=d1
milestones_accepted_on_evidence: milestone_submissions: milestone_id=u4, decision='accepted', decided_by=u3, decided_at=d1, statement='x', stated_by=u5, stated_at=d1, supports=true; milestones: id=u4, state='submitted' | state='accepted', accepted_by=u1, accepted_at=d1
milestones_paid_by_another: milestones: state='accepted', accepted_by=u1, accepted_at=d1 | paid_by=u1, paid_at=d1
project_services_sealed: project_services: state='confirmed', decided_by=u1, decided_at=d1 | heads=2
project_services_sealed: project_services: state='recorded' | -
findings_stay_closed: findings: state='closed', closed_by=u1, closed_at=d1 | state='open', closed_by=NULL, closed_at=NULL
project_ratings_stay: project_ratings: score=3 | score=4
project_ratings_stay: project_ratings: score=3 | -
project_parties_no_shared_people: organisation_people: organisation_id=u1, user_id=u5; organisation_people: organisation_id=u2, user_id=u5; project_parties: project_id=u3, organisation_id=u1; project_parties: organisation_id=u2, part='evaluator', project_id=u4 | project_id=u3
incubation_requests_overlap: incubation_requests: kind='space', room_id=u1, starts_at=d1, ends_at=d3, state='accepted', decided_by=u2; incubation_requests: kind='space', room_id=u1, starts_at=d2, ends_at=d4 | state='accepted', decided_by=u2
needs_lifecycle: needs: state='declined' | state='published'
needs_lifecycle: needs: state='resolved' | state='in_project'
needs_lifecycle: needs: state='withdrawn' | state='published'
needs_lifecycle: needs: state='published' | state='in_review'
needs_lifecycle: needs: state='merged', merged_into=u2 | state='in_topic', merged_into=NULL
topics_decided_for_good: topics: state='resolved', resolution='handle_directly', reason='x', decided_by=u1, decided_at=d1 | reason='y'
topics_decided_for_good: topics: state='voting', resolution='vote', poll_id=u2, reason='x', decided_by=u1, decided_at=d1 | poll_id=u3
deliberations_confirmed_for_good: deliberations: minutes='x', minutes_by=u1, minutes_at=d1, confirmed_by=u2, confirmed_at=d1 | minutes='y'
deliberations_confirmed_for_good: deliberations: minutes='x', minutes_by=u1, minutes_at=d1, confirmed_by=u2, confirmed_at=d1 | -
findings_append_only: findings: state='open' | -
rectifications_append_only: rectifications: verdict=NULL | -
rectifications_checked_for_good: rectifications: verdict='again', checked_by=u1, checked_at=d1 | done='x'
fund_receipts_kept: fund_receipts: fen=5 | fen=4
fund_receipts_kept: fund_receipts: reversed_by=u1, reversed_at=d1, reversal_reason='x' | reversed_by=NULL, reversed_at=NULL, reversal_reason=NULL
fund_receipts_append_only: fund_receipts: fen=5 | -
fund_expenses_kept: fund_expenses: state='proposed' | fen=4
fund_expenses_kept: fund_expenses: state='refused', decided_by=u1 | state='confirmed'
fund_expenses_kept: fund_expenses: state='confirmed', decided_by=u1 | state='refused'
fund_expenses_append_only: fund_expenses: state='proposed' | -
platforms_admitted: platforms: level='street' | operator_id=u1, operator_admission_id=u2
talent_scores_in_time: talent_rounds: id=u3, published_at=d3, notice_id=u4; talent_applications: id=u1, round_id=u3; talent_scores: application_id=u1, scored_at=d4 | total=3
projects_supervised: projects: state='contracted', programme_id=u1, moves=1 | state='running', moves=2
projects_no_open_finding: project_reports: project_id=u1, kind='final'; findings: project_id=u1; projects: id=u1, moves=1 | state='completed', programme_id=u2, moves=2
projects_final_report: project_reports: project_id=u1; projects: id=u1, moves=1 | state='completed', programme_id=u2, moves=2
projects_milestones_accepted: project_reports: project_id=u1, kind='final'; contracts: id=u3, project_id=u1, state='drawn'; milestones: contract_id=u3, state='submitted'; projects: id=u1, moves=1 | state='completed', programme_id=u2, moves=2
";

/// Rows that a trigger refuses: its name, what stands there already, and the row.
const ADDED: &str = "
notices_corrects: | notices: corrects_id=u1, version=2
notice_heads_board: | notice_heads: community_id=u1
objections_in_time: notice_windows: notice_id=u1, objections_until=d2 | objections: notice_id=u1, created_at=d2
objections_in_time: notice_windows: notice_id=u1, objections_until=d2, closed_at=d2 | objections: notice_id=u1, created_at=d1
case_notes_while_open: case_files: id=u1, state='closed', closed_by=u2, closed_at=d1 | case_notes: case_id=u1
topic_comments_in_time: topics: id=u1, state='resolved', resolution='handle_directly', reason='x', decided_by=u2, decided_at=d1 | topic_comments: topic_id=u1
organisation_standings_code: organisations: id=u1 | organisation_standings: organisation_id=u1, state='registered'
incubation_requests_overlap: incubation_requests: kind='space', room_id=u1, starts_at=d1, ends_at=d3, state='done', decided_by=u2 | incubation_requests: kind='space', room_id=u1, starts_at=d2, ends_at=d4, state='accepted', decided_by=u3
operator_admissions_in_time: operator_rounds: id=u1 | operator_admissions: round_id=u1, applied_at=d2
talent_applications_in_time: talent_rounds: id=u1 | talent_applications: round_id=u1, applied_at=d2
talent_scores_in_time: talent_rounds: id=u1; talent_applications: id=u2, round_id=u1 | talent_scores: application_id=u2, scored_at=d1
talent_scores_in_time: talent_rounds: id=u1, published_at=d3, notice_id=u5; talent_applications: id=u2, round_id=u1 | talent_scores: application_id=u2, scored_at=d4
platforms_admitted: operator_admissions: id=u1, state='removed', decided_by=u2, decided_at=d1 | platforms: operator_id=u1, operator_admission_id=u1
programmes_of_one_place: programmes: id=u1, place_id=u2 | programmes: parent_id=u1, place_id=u3
project_designs_cap: programmes: id=u1, cap_fen=5 | project_designs: programme_id=u1, budget_fen=6, submitted_at=d1
project_designs_in_time: programmes: id=u1 | project_designs: programme_id=u1, submitted_at=d2
project_designs_in_time: programmes: id=u1 | project_designs: programme_id=u1, version=2, submitted_at=d3
project_designs_in_time: programmes: id=u1, state='draft' | project_designs: programme_id=u1, submitted_at=d1
project_reviews_on_panel: programme_experts: programme_id=u1, user_id=u2, removed_at=d1; programmes: id=u1; projects: id=u3, programme_id=u1, state='submitted' | project_reviews: programme_id=u1, project_id=u3, reviewer_id=u2, created_at=d2
project_reviews_in_time: programmes: id=u1; projects: id=u3, programme_id=u1, state='submitted' | project_reviews: programme_id=u1, project_id=u3, created_at=d3
project_reviews_of_what_is_handed_in: programmes: id=u1; projects: id=u3, programme_id=u1, state='submitted', version=2 | project_reviews: programme_id=u1, project_id=u3, created_at=d2
project_reviews_of_what_is_handed_in: programmes: id=u1; projects: id=u3, programme_id=u1, state='returned' | project_reviews: programme_id=u1, project_id=u3, created_at=d2
project_reviews_no_conflict: project_conflicts: project_id=u1, user_id=u2; programmes: id=u4; projects: id=u1, programme_id=u4, state='submitted' | project_reviews: programme_id=u4, project_id=u1, reviewer_id=u2, created_at=d2
project_reviews_no_conflict: projects: id=u1, programme_id=u4, created_by=u2, state='submitted'; programmes: id=u4 | project_reviews: programme_id=u4, project_id=u1, reviewer_id=u2, created_at=d2
project_reviews_no_conflict: project_designs: project_id=u1, submitted_by=u2; programmes: id=u4; projects: id=u1, programme_id=u4, state='submitted' | project_reviews: programme_id=u4, project_id=u1, reviewer_id=u2, created_at=d2
project_reviews_no_conflict: organisation_people: organisation_id=u3, user_id=u2; projects: id=u1, programme_id=u4, designer_id=u3, state='submitted'; programmes: id=u4 | project_reviews: programme_id=u4, project_id=u1, reviewer_id=u2, created_at=d2
project_reviews_no_conflict: organisation_conflicts: organisation_id=u3, user_id=u2; projects: id=u1, programme_id=u4, designer_id=u3, state='submitted'; programmes: id=u4 | project_reviews: programme_id=u4, project_id=u1, reviewer_id=u2, created_at=d2
project_conflicts_before_review: project_reviews: project_id=u1, reviewer_id=u2 | project_conflicts: project_id=u1, user_id=u2
project_selections_as_proposed: programme_selections: id=u1, programme_id=u2, proposed_by=u3; projects: id=u4, programme_id=u2 | project_selections: selection_id=u1, project_id=u4, proposed_by=u5
project_parties_no_shared_people: organisation_people: organisation_id=u1, user_id=u5; organisation_people: organisation_id=u2, user_id=u5; project_parties: project_id=u3, organisation_id=u1 | project_parties: project_id=u3, organisation_id=u2, part='evaluator'
project_parties_no_shared_people: organisation_people: organisation_id=u1, user_id=u5; project_parties: project_id=u3, organisation_id=u1; project_parties: project_id=u3, organisation_id=u2, part='evaluator' | organisation_people: organisation_id=u2, user_id=u5
project_services_sealed: project_services: id=u1, state='confirmed', decided_by=u2, decided_at=d1 | project_service_people: service_id=u1
project_services_sealed: project_services: id=u1, state='confirmed', decided_by=u2, decided_at=d1 | project_service_people_groups: service_id=u1
project_services_sealed: project_services: id=u1, state='confirmed', decided_by=u2, decided_at=d1 | project_service_counts: service_id=u1
project_ratings_in_time: rating_windows: project_id=u1 | project_ratings: project_id=u1, created_at=d2
project_ratings_in_time: rating_windows: project_id=u1, published_at=d3, notice_id=u2 | project_ratings: project_id=u1, created_at=d1
project_evaluations_after_rating: project_parties: project_id=u1, organisation_id=u2, part='evaluator'; organisation_people: organisation_id=u2, user_id=u3; rating_windows: project_id=u1 | project_evaluations: project_id=u1, organisation_id=u2, evaluator_id=u3
project_evaluations_independent: project_parties: project_id=u1, organisation_id=u2, part='evaluator'; organisation_people: organisation_id=u2, user_id=u3; rating_windows: project_id=u1, published_at=d3, notice_id=u4; projects: id=u1, created_by=u3 | project_evaluations: project_id=u1, organisation_id=u2, evaluator_id=u3
project_evaluations_independent: project_parties: project_id=u1, organisation_id=u2, part='evaluator'; organisation_people: organisation_id=u2, user_id=u3; rating_windows: project_id=u1, published_at=d3, notice_id=u4; projects: id=u1, designer_id=u5; organisation_people: organisation_id=u5, user_id=u3 | project_evaluations: project_id=u1, organisation_id=u2, evaluator_id=u3
project_evaluations_independent: project_parties: project_id=u1, organisation_id=u2, part='evaluator'; organisation_people: organisation_id=u2, user_id=u3; rating_windows: project_id=u1, published_at=d3, notice_id=u4; project_parties: project_id=u1, organisation_id=u5, part='supervisor'; organisation_people: organisation_id=u5, user_id=u3 | project_evaluations: project_id=u1, organisation_id=u2, evaluator_id=u3
project_evaluations_independent: project_parties: project_id=u1, organisation_id=u2, part='evaluator'; organisation_people: organisation_id=u2, user_id=u3; rating_windows: project_id=u1, published_at=d3, notice_id=u4; project_reviews: project_id=u1, reviewer_id=u3 | project_evaluations: project_id=u1, organisation_id=u2, evaluator_id=u3
project_evaluations_independent: project_parties: project_id=u1, organisation_id=u2, part='evaluator'; organisation_people: organisation_id=u2, user_id=u3; rating_windows: project_id=u1, published_at=d3, notice_id=u4; tenders: id=u5, project_id=u1, state='live'; tender_scores: tender_id=u5, scorer_id=u3 | project_evaluations: project_id=u1, organisation_id=u2, evaluator_id=u3
project_evaluations_independent: project_parties: project_id=u1, organisation_id=u2, part='evaluator'; organisation_people: organisation_id=u2, user_id=u3; rating_windows: project_id=u1, published_at=d3, notice_id=u4; milestone_submissions: project_id=u1, submitted_by=u3 | project_evaluations: project_id=u1, organisation_id=u2, evaluator_id=u3
project_evaluations_independent: project_parties: project_id=u1, organisation_id=u2, part='evaluator'; organisation_people: organisation_id=u2, user_id=u3; rating_windows: project_id=u1, published_at=d3, notice_id=u4; milestone_submissions: project_id=u1, statement='x', stated_by=u3, stated_at=d1, supports=true | project_evaluations: project_id=u1, organisation_id=u2, evaluator_id=u3
project_evaluations_independent: project_parties: project_id=u1, organisation_id=u2, part='evaluator'; organisation_people: organisation_id=u2, user_id=u3; rating_windows: project_id=u1, published_at=d3, notice_id=u4; project_services: project_id=u1, recorded_by=u3 | project_evaluations: project_id=u1, organisation_id=u2, evaluator_id=u3
project_evaluations_independent: project_parties: project_id=u1, organisation_id=u2, part='evaluator'; organisation_people: organisation_id=u2, user_id=u3; rating_windows: project_id=u1, published_at=d3, notice_id=u4; project_services: project_id=u1, state='confirmed', decided_by=u3, decided_at=d1 | project_evaluations: project_id=u1, organisation_id=u2, evaluator_id=u3
project_evaluations_independent: project_parties: project_id=u1, organisation_id=u2, part='evaluator'; organisation_people: organisation_id=u2, user_id=u3; rating_windows: project_id=u1, published_at=d3, notice_id=u4; supervision_visits: project_id=u1, visited_by=u3 | project_evaluations: project_id=u1, organisation_id=u2, evaluator_id=u3
project_evaluations_independent: project_parties: project_id=u1, organisation_id=u2, part='evaluator'; organisation_people: organisation_id=u2, user_id=u3, ended_at=d1, ended_by=u4; rating_windows: project_id=u1, published_at=d3, notice_id=u4 | project_evaluations: project_id=u1, organisation_id=u2, evaluator_id=u3
exemplars_excellent: projects: id=u1, state='finished'; project_evaluations: project_id=u1, result='pass' | exemplars: project_id=u1
";

/// Keys that only carry a foreign key, and the table of steps, which is compared with the code's.
const CARRIERS: [&str; 8] = [
    "needs_author_key",
    "operator_admissions_own",
    "talent_applications_own",
    "project_services_author",
    "project_services_of_project",
    "fund_tariffs_own",
    "fund_vehicles_own",
    "project_steps_move",
];

type Row = Vec<(String, String)>;

/// The tables of a database that is told row by row, with one connection.
struct Guarded {
    connection: DatabaseConnection,
    postgres: bool,
    /// Name, type, and whether it must be given.
    columns: BTreeMap<String, Vec<(String, String, bool)>>,
    bases: BTreeMap<String, String>,
    line: u64,
}

impl Guarded {
    async fn open(url: &str) -> Self {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let connection = Database::connect(options).await.unwrap();
        let postgres = url.starts_with("postgres");
        let columns = if postgres {
            "SELECT table_name AS t, column_name AS c, udt_name AS k, is_nullable = 'NO' AS n FROM information_schema.columns
             WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
        } else {
            "SELECT m.name AS t, p.name AS c, lower(p.type) AS k, p.\"notnull\" OR p.pk > 0 AS n FROM sqlite_master m
             JOIN pragma_table_info(m.name) p WHERE m.type = 'table' ORDER BY m.name, p.cid"
        };
        let mut guarded = Self { connection, postgres, columns: BTreeMap::new(), bases: BTreeMap::new(), line: 0 };
        for row in guarded.all(columns).await {
            let text = |name| row.try_get::<String>("", name).unwrap();
            guarded.columns.entry(text("t")).or_default().push((text("c"), text("k"), row.try_get("", "n").unwrap()));
        }
        guarded
    }

    async fn all(&self, sql: &str) -> Vec<sea_orm::QueryResult> {
        let statement = Statement::from_string(self.connection.get_database_backend(), sql);
        self.connection.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    async fn run(&self, sql: &str) -> Result<(), DbErr> {
        self.connection.execute_unprepared(sql).await.map(drop)
    }

    async fn must(&self, sql: &str) {
        self.run(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn id(&self, id: Uuid) -> String {
        if self.postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
    }

    /// What a line writes for a value.
    fn literal(&self, word: &str) -> String {
        match word.split_at_checked(1).map(|(kind, number)| (kind, number.parse::<u64>())) {
            Some(("u", Ok(number))) => self.id(Uuid::from_u64_pair(self.line, number)),
            Some(("d", Ok(number))) => format!("'2030-01-0{number}T00:00:00+00:00'"),
            Some(("n", Ok(number))) => format!("'n{}-{number}'", self.line),
            _ => word.to_owned(),
        }
    }

    fn pairs(&self, words: &str) -> Row {
        let pairs = words.split(',').filter_map(|pair| pair.split_once('='));
        pairs.map(|(column, word)| (column.trim().to_owned(), self.literal(word.trim()))).collect()
    }

    fn row(&self, table: &str, words: &str) -> Row {
        let given = self.columns[table].iter().filter(|(.., must)| *must).map(|(column, kind, _)| {
            let value = match kind.as_str() {
                "uuid" | "blob" => self.id(ids::unordered()),
                "bool" | "boolean" => "false".to_owned(),
                "bigint" | "integer" | "int8" | "int4" => "1".to_owned(),
                "jsonb" => "'{}'".to_owned(),
                _ => self.literal("d1"),
            };
            (column.clone(), value)
        });
        let base = self.bases.get(table).map_or("", String::as_str);
        let mut row: Row = given.collect();
        for (column, value) in self.pairs(base).into_iter().chain(self.pairs(words)) {
            match row.iter_mut().find(|(known, _)| *known == column) {
                Some(known) => known.1 = value,
                None => row.push((column, value)),
            }
        }
        row
    }

    async fn refuses(&self, (table, guard): (&str, &str), sql: &str) {
        let Err(error) = self.run(sql).await else { panic!("{guard} lets through: {sql}") };
        let named = match &error {
            DbErr::Exec(RuntimeErr::SqlxError(error)) => error.as_database_error().and_then(|error| error.constraint()),
            _ => None,
        };
        let said = error.to_string();
        let mut words = said.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').chain(named);
        // SQLite names the columns of a key.
        let key = format!("UNIQUE constraint failed: {table}.");
        let refused = words.any(|word| guard.split('/').any(|name| name == word)) || said.contains(&key);
        assert!(refused, "{guard} does not refuse: {sql}: {said}");
    }

    /// Rows can stand alone from now on: no row is looked for that another one needs.
    async fn quiet(&self) -> Vec<String> {
        if self.postgres {
            for table in self.columns.keys() {
                self.must(&format!("ALTER TABLE {table} DISABLE TRIGGER ALL")).await;
            }
            return self.columns.keys().map(|table| format!("ALTER TABLE {table} ENABLE TRIGGER USER")).collect();
        }
        self.must("PRAGMA foreign_keys = OFF").await;
        let mut loud = Vec::new();
        for row in
            self.all("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '% INSERT ON %'").await
        {
            self.must(&format!("DROP TRIGGER {}", row.try_get::<String>("", "name").unwrap())).await;
            loud.push(row.try_get("", "sql").unwrap());
        }
        loud
    }

    /// Guards that a table states in its columns or by a unique index; SQLite keeps them as they were written.
    async fn stated(&self) -> Vec<String> {
        let mut stated = Vec::new();
        for row in self.all("SELECT name, tbl_name, type, sql FROM sqlite_master WHERE sql IS NOT NULL").await {
            let text = |name| row.try_get::<String>("", name).unwrap();
            // These two are older than the rule that every guard is listed here.
            if !self.bases.contains_key(&text("tbl_name")) || ["polls", "organisations"].contains(&&*text("tbl_name")) {
                continue;
            }
            let sql = text("sql");
            let words: Vec<_> = sql.split_whitespace().collect();
            for (at, word) in words.iter().enumerate() {
                let kind = words.get(at + 2).copied().unwrap_or_default();
                if *word == "CONSTRAINT" && ["CHECK", "UNIQUE"].iter().any(|known| kind.starts_with(known)) {
                    stated.push(words[at + 1].trim_matches('"').to_owned());
                }
                if *word == "RAISE(ABORT," {
                    stated.push(words[at + 1].trim_matches(|letter: char| !letter.is_ascii_alphanumeric()).to_owned());
                }
            }
            if sql.starts_with("CREATE UNIQUE INDEX") {
                stated.push(text("name"));
            }
        }
        stated
    }
}

fn insert(table: &str, row: &Row) -> String {
    let columns: Vec<_> = row.iter().map(|(column, _)| column.as_str()).collect();
    let values: Vec<_> = row.iter().map(|(_, value)| value.as_str()).collect();
    format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), values.join(", "))
}

fn lines(list: &str) -> impl Iterator<Item = (&str, &str)> {
    list.lines().filter_map(|line| line.split_once(':'))
}

#[actix_web::test]
async fn each_guard_of_the_database_refuses_what_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let fresh = Fresh::create(folder.path()).await;
    let mut db = Guarded::open(&fresh.url).await;
    let loud = db.quiet().await;
    let mut table = "";
    for (name, words) in lines(CHECKS) {
        db.line += 1;
        if name.starts_with(' ') {
            db.refuses((table, name.trim()), &insert(table, &db.row(table, words))).await;
        } else {
            table = name;
            db.bases.insert(table.to_owned(), words.to_owned());
            db.must(&insert(table, &db.row(table, ""))).await;
        }
    }
    for (name, words) in lines(KEYS) {
        db.line += 1;
        let (table, words) = words.split_once(':').unwrap();
        let (same, other) = words.split_once('|').unwrap_or((words, ""));
        let table = table.trim();
        db.must(&insert(table, &db.row(table, same))).await;
        let twin = insert(table, &db.row(table, &format!("{same}, {other}")));
        db.refuses((table, name), &twin).await;
    }
    // What stands first, while no trigger asks for the rest; then what is tried.
    let mut tries: Vec<(String, String, String)> = Vec::new();
    for table in KEPT.split_whitespace().filter(|table| *table != "project_steps") {
        db.line += 1;
        db.must(&insert(table, &db.row(table, ""))).await;
    }
    for table in KEPT.split_whitespace() {
        let column = &db.columns[table][0].0;
        for sql in [format!("UPDATE {table} SET {column} = {column}"), format!("DELETE FROM {table}")] {
            tries.push((table.to_owned(), format!("{table}_append_only"), sql));
        }
    }
    for (list, changed) in [(CHANGES, true), (ADDED, false)] {
        for (name, words) in lines(list) {
            db.line += 1;
            let (stand, tried) = words.split_once('|').unwrap();
            let mut last = (String::new(), Row::new());
            for (table, words) in stand.split(';').filter_map(|row| row.split_once(':')) {
                last = (table.trim().to_owned(), db.row(table.trim(), words));
                db.must(&insert(&last.0, &last.1)).await;
            }
            let (table, sql) = if changed {
                let (table, row) = last;
                let this = format!("WHERE {} = {}", row[0].0, row[0].1);
                let change: Vec<_> =
                    db.pairs(tried).into_iter().map(|(column, value)| format!("{column} = {value}")).collect();
                let sql = if change.is_empty() {
                    format!("DELETE FROM {table} {this}")
                } else {
                    format!("UPDATE {table} SET {} {this}", change.join(", "))
                };
                (table, sql)
            } else {
                let (table, words) = tried.split_once(':').unwrap();
                (table.trim().to_owned(), insert(table.trim(), &db.row(table.trim(), words)))
            };
            tries.push((table, name.to_owned(), sql));
        }
    }
    for statement in loud {
        db.must(&statement).await;
    }
    for (table, guard, sql) in &tries {
        db.refuses((table, guard), sql).await;
    }
    if !db.postgres {
        let listed: HashSet<String> = lines(CHECKS)
            .chain(lines(KEYS))
            .flat_map(|(name, _)| name.trim().split('/'))
            .chain(tries.iter().flat_map(|(_, guard, _)| guard.split('/')))
            .map(str::to_owned)
            .collect();
        let stated = db.stated().await;
        let missing: Vec<_> =
            stated.iter().filter(|name| !listed.contains(*name) && !CARRIERS.contains(&&***name)).collect();
        assert!(missing.is_empty(), "guards without a line here: {missing:?}");
    }
    let Guarded { connection, .. } = db;
    connection.close().await.unwrap();
    fresh.drop().await;
}
