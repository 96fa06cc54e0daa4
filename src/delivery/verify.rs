use sea_orm::DbErr;

use crate::platform::state::AppState;

/// What holds in the tables.
const RULES: &[(&str, &str)] = &[
    (
        "service {} was confirmed by who recorded it",
        "SELECT s.id FROM project_services s WHERE s.decided_by = s.recorded_by",
    ),
    (
        "service {} lists somebody of another project",
        "SELECT p.service_id AS id FROM project_service_people p JOIN project_services s ON s.id = p.service_id \
         JOIN project_beneficiaries b ON b.id = p.beneficiary_id WHERE b.project_id <> s.project_id",
    ),
    (
        "service {} has more heads in a group than heads",
        "SELECT s.id FROM project_services s JOIN project_service_counts n ON n.service_id = s.id AND n.what = 'heads' \
         WHERE n.amount > s.heads",
    ),
    (
        "service {} was corrected before it was sealed",
        "SELECT c.service_id AS id FROM project_service_corrections c JOIN project_services s ON s.id = c.service_id \
         WHERE s.state <> 'confirmed'",
    ),
    (
        "correction {} does not follow from the one before it",
        "SELECT c.id FROM project_service_corrections c WHERE c.what <> 'absent' AND EXISTS (\
         SELECT 1 FROM project_service_corrections b WHERE b.service_id = c.service_id AND b.what = c.what AND b.name = c.name \
         AND b.seq < c.seq AND b.stands <> c.was AND NOT EXISTS (SELECT 1 FROM project_service_corrections m \
         WHERE m.service_id = c.service_id AND m.what = c.what AND m.name = c.name AND m.seq > b.seq AND m.seq < c.seq))",
    ),
    (
        "milestone {} was accepted without evidence, or not by three people",
        "SELECT m.id FROM milestones m WHERE m.state = 'accepted' AND NOT EXISTS (SELECT 1 FROM milestone_submissions s \
         WHERE s.milestone_id = m.id AND s.decision = 'accepted' AND s.decided_by = m.accepted_by \
         AND s.stated_by <> s.submitted_by AND s.decided_by <> s.stated_by AND s.decided_by <> s.submitted_by)",
    ),
    (
        "milestone {} was paid and not accepted, or paid by who accepted it",
        "SELECT m.id FROM milestones m WHERE m.paid_at IS NOT NULL AND (m.state <> 'accepted' OR m.paid_by = m.accepted_by)",
    ),
    (
        "finding {} is open in a project that is completed",
        "SELECT f.id FROM findings f JOIN projects p ON p.id = f.project_id \
         WHERE f.state <> 'closed' AND p.state IN ('completed', 'rectifying', 'evaluated', 'finished')",
    ),
    (
        "finding {} is closed without a rectification that was checked",
        "SELECT f.id FROM findings f WHERE f.state = 'closed' AND NOT EXISTS (\
         SELECT 1 FROM rectifications r WHERE r.finding_id = f.id AND r.verdict = 'closed' AND r.checked_by = f.closed_by)",
    ),
];

/// Audits the rules, and counts every project a second time, another way.
pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let mut findings = state.db.audit(RULES).await?;
    findings.extend(recount::differences(state).await?);
    Ok(findings)
}

/// The figures of projects, counted from the rows in memory and compared with what the queries say.
mod recount {
    use std::collections::{BTreeMap, HashSet};

    use entities::delivery::{
        Corrected, CountOf, ServiceState, service, service_correction, service_count, service_person,
        service_person_group,
    };
    use entities::ids::{BeneficiaryId, ProjectId, ServiceId};
    use entities::projects::project;
    use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

    use crate::delivery::domain::counts::Cell;
    use crate::delivery::service::figures;
    use crate::platform::state::AppState;

    /// So many projects are counted again at each audit, the latest first.
    const PROJECTS: u64 = 200;

    #[derive(Default)]
    struct Tally {
        people: HashSet<BeneficiaryId>,
        attended: i64,
        heads: i64,
    }

    impl Tally {
        fn cell(&self) -> Cell {
            let people = i64::try_from(self.people.len()).unwrap_or(i64::MAX);
            Cell { people, attended: self.attended, heads: self.heads }
        }
    }

    pub(super) async fn differences(state: &AppState) -> Result<Vec<String>, DbErr> {
        let read = state.db.read();
        let counted: Vec<ProjectId> = service::Entity::find()
            .select_only()
            .column(service::Column::ProjectId)
            .filter(service::Column::State.eq(ServiceState::Confirmed))
            .group_by(service::Column::ProjectId)
            .order_by_desc(service::Column::ProjectId)
            .limit(PROJECTS)
            .into_tuple()
            .all(read)
            .await?;
        let mut found = Vec::new();
        for id in counted {
            let Some(project) = project::Entity::find_by_id(id).one(read).await? else { continue };
            let said = figures::figures(read, &project).await.map_err(|problem| DbErr::Custom(problem.to_string()))?;
            let (total, groups, reached) = again(state, id).await?;
            let same = said.total == total
                && said.reached == reached
                && said.groups.iter().all(|(name, cell)| groups.get(name).copied().unwrap_or_default() == *cell)
                && groups.keys().all(|name| said.groups.contains_key(name));
            if !same {
                found.push(format!("the figures of project {id} are not what a recount gives"));
            }
        }
        Ok(found)
    }

    async fn again(state: &AppState, id: ProjectId) -> Result<(Cell, BTreeMap<String, Cell>, i64), DbErr> {
        let read = state.db.read();
        let services = service::Entity::find()
            .filter(service::Column::ProjectId.eq(id))
            .filter(service::Column::State.eq(ServiceState::Confirmed))
            .all(read)
            .await?;
        let (mut total, mut reached) = (Tally::default(), 0);
        let mut groups: BTreeMap<String, Tally> = BTreeMap::new();
        let mut ids: HashSet<ServiceId> = HashSet::new();
        for row in &services {
            ids.insert(row.id);
            total.heads += row.heads;
            reached += row.reached;
        }
        let corrections = service_correction::Entity::find().filter(service_correction::Column::ProjectId.eq(id));
        let mut absent: HashSet<(ServiceId, BeneficiaryId)> = HashSet::new();
        for row in corrections.all(read).await? {
            match row.what {
                Corrected::Heads => total.heads += row.delta,
                Corrected::Reached => reached += row.delta,
                Corrected::GroupHeads => groups.entry(row.name).or_default().heads += row.delta,
                Corrected::Absent => absent.extend(row.beneficiary_id.map(|person| (row.service_id, person))),
                Corrected::Indicator => {}
            }
        }
        let counts = service_count::Entity::find()
            .filter(service_count::Column::ProjectId.eq(id))
            .filter(service_count::Column::What.eq(CountOf::Heads));
        for row in counts.all(read).await?.into_iter().filter(|row| ids.contains(&row.service_id)) {
            groups.entry(row.name).or_default().heads += row.amount;
        }
        let in_groups = service_person_group::Entity::find().filter(service_person_group::Column::ProjectId.eq(id));
        for row in in_groups.all(read).await? {
            if ids.contains(&row.service_id) && !absent.contains(&(row.service_id, row.beneficiary_id)) {
                let tally = groups.entry(row.name).or_default();
                tally.people.insert(row.beneficiary_id);
                tally.attended += 1;
            }
        }
        let mut wanted = sea_orm::sea_query::Query::select();
        wanted.column(service::Column::Id).from(service::Entity).and_where(service::Column::ProjectId.eq(id));
        let came = service_person::Entity::find().filter(service_person::Column::ServiceId.in_subquery(wanted));
        for row in came.all(read).await? {
            if ids.contains(&row.service_id) && !absent.contains(&(row.service_id, row.beneficiary_id)) {
                total.people.insert(row.beneficiary_id);
                total.attended += 1;
            }
        }
        Ok((total.cell(), groups.iter().map(|(name, tally)| (name.clone(), tally.cell())).collect(), reached))
    }
}
