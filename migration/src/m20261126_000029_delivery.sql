-- Whom a project serves, by the names its figures are counted by: 青年女性, 全职妈妈.
CREATE TABLE project_groups (
    project_id UUID NOT NULL CONSTRAINT project_groups_project REFERENCES projects (id),
    name text NOT NULL,
    added_by UUID CONSTRAINT project_groups_added_by REFERENCES users (id),
    added_at TIME NOT NULL,
    PRIMARY KEY (project_id, name)
);

-- What a project is to reach besides people: 改造家庭 500 户.
CREATE TABLE project_indicators (
    project_id UUID NOT NULL CONSTRAINT project_indicators_project REFERENCES projects (id),
    name text NOT NULL,
    unit text NOT NULL,
    target bigint NOT NULL CONSTRAINT project_indicators_target CHECK (target >= 0),
    added_by UUID CONSTRAINT project_indicators_added_by REFERENCES users (id),
    added_at TIME NOT NULL,
    PRIMARY KEY (project_id, name)
);

-- What the implementer reports. Only ever added; one of them is the last.
CREATE TABLE project_reports (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL CONSTRAINT project_reports_project REFERENCES projects (id),
    kind text NOT NULL CONSTRAINT project_reports_kind CHECK (kind IN ('progress', 'final')),
    period_from text NOT NULL,
    period_until text NOT NULL,
    body text NOT NULL,
    figures JSON NOT NULL,
    author_id UUID NOT NULL CONSTRAINT project_reports_author REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT project_reports_period CHECK (period_from <= period_until)
);
CREATE INDEX project_reports_list ON project_reports (project_id, id);
CREATE UNIQUE INDEX project_reports_one_final ON project_reports (project_id) WHERE kind = 'final';

-- Files of what is done in a project: of a report, a milestone's evidence, a visit, a rectification. Each is used once.
CREATE TABLE delivery_files (
    file_id UUID NOT NULL CONSTRAINT delivery_files_file REFERENCES files (id),
    owner_kind text NOT NULL CONSTRAINT delivery_files_owner CHECK (owner_kind IN ('report', 'evidence', 'visit', 'rectification')),
    owner_id UUID NOT NULL,
    position bigint NOT NULL,
    CONSTRAINT delivery_files_used_once PRIMARY KEY (file_id)
);
CREATE INDEX delivery_files_of ON delivery_files (owner_kind, owner_id, position);

-- Everybody whom a project served and who is not only counted by heads. `who` is a keyed hash of the phone number, or of name and
-- door within the project: one person is one row, however often they are recorded.
CREATE TABLE project_beneficiaries (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL CONSTRAINT project_beneficiaries_project REFERENCES projects (id),
    who text NOT NULL,
    phone_hash text,
    user_id UUID CONSTRAINT project_beneficiaries_user REFERENCES users (id),
    name_cipher text NOT NULL,
    added_by UUID NOT NULL CONSTRAINT project_beneficiaries_added_by REFERENCES users (id),
    added_at TIME NOT NULL,
    CONSTRAINT project_beneficiaries_once UNIQUE (project_id, who)
);
CREATE INDEX project_beneficiaries_phone ON project_beneficiaries (phone_hash, project_id) WHERE phone_hash IS NOT NULL;
CREATE INDEX project_beneficiaries_user ON project_beneficiaries (user_id, project_id) WHERE user_id IS NOT NULL;
CREATE INDEX project_beneficiaries_list ON project_beneficiaries (project_id, id);

-- One service: what was done for whom. Recorded by one person, confirmed by another; from then on it is sealed. `heads` are those
-- who came and stand in no register; `reached` are those whom it reached at all (an audience).
CREATE TABLE project_services (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL CONSTRAINT project_services_project REFERENCES projects (id),
    kind text NOT NULL CONSTRAINT project_services_kind CHECK (kind IN ('visit', 'course', 'training', 'event', 'performance', 'case_work', 'refit', 'other')),
    held_on text NOT NULL,
    place text NOT NULL,
    content text NOT NULL,
    heads bigint NOT NULL CONSTRAINT project_services_heads CHECK (heads BETWEEN 0 AND 1000000),
    reached bigint NOT NULL CONSTRAINT project_services_reached CHECK (reached BETWEEN 0 AND 10000000),
    source_id UUID,
    state text NOT NULL CONSTRAINT project_services_state CHECK (state IN ('recorded', 'confirmed', 'refused')),
    recorded_by UUID NOT NULL CONSTRAINT project_services_recorded_by REFERENCES users (id),
    recorded_at TIME NOT NULL,
    decided_by UUID CONSTRAINT project_services_decided_by REFERENCES users (id),
    decided_at TIME,
    reason text,
    CONSTRAINT project_services_decided CHECK ((state = 'recorded') = (decided_by IS NULL) AND (state = 'recorded') = (decided_at IS NULL)),
    CONSTRAINT project_services_not_by_oneself CHECK (decided_by IS NULL OR decided_by <> recorded_by),
    CONSTRAINT project_services_author UNIQUE (id, recorded_by),
    CONSTRAINT project_services_of_project UNIQUE (id, project_id),
    CONSTRAINT project_services_source_once UNIQUE (source_id)
);
CREATE INDEX project_services_list ON project_services (project_id, id);

CREATE TABLE project_service_people (
    service_id UUID NOT NULL CONSTRAINT project_service_people_service REFERENCES project_services (id),
    beneficiary_id UUID NOT NULL CONSTRAINT project_service_people_beneficiary REFERENCES project_beneficiaries (id),
    PRIMARY KEY (service_id, beneficiary_id)
);
CREATE INDEX project_service_people_of ON project_service_people (beneficiary_id);

-- The groups that somebody counted in, in one service; one person may be in several, or in none.
CREATE TABLE project_service_people_groups (
    service_id UUID NOT NULL,
    beneficiary_id UUID NOT NULL,
    project_id UUID NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (service_id, beneficiary_id, name),
    CONSTRAINT project_service_people_groups_person FOREIGN KEY (service_id, beneficiary_id) REFERENCES project_service_people (service_id, beneficiary_id),
    CONSTRAINT project_service_people_groups_service FOREIGN KEY (service_id, project_id) REFERENCES project_services (id, project_id),
    CONSTRAINT project_service_people_groups_named FOREIGN KEY (project_id, name) REFERENCES project_groups (project_id, name)
);

-- How many of the heads were of a group, and what a service did for an indicator.
CREATE TABLE project_service_counts (
    service_id UUID NOT NULL,
    project_id UUID NOT NULL,
    what text NOT NULL CONSTRAINT project_service_counts_what CHECK (what IN ('heads', 'indicator')),
    name text NOT NULL,
    amount bigint NOT NULL CONSTRAINT project_service_counts_amount CHECK (amount BETWEEN 0 AND 10000000),
    PRIMARY KEY (service_id, what, name),
    CONSTRAINT project_service_counts_service FOREIGN KEY (service_id, project_id) REFERENCES project_services (id, project_id)
);

-- Another figure beside a sealed one; both can be read. An `absent` one takes somebody off the list of who was there.
CREATE TABLE project_service_corrections (
    id UUID NOT NULL PRIMARY KEY,
    service_id UUID NOT NULL,
    project_id UUID NOT NULL,
    what text NOT NULL CONSTRAINT project_service_corrections_what CHECK (what IN ('heads', 'group_heads', 'reached', 'indicator', 'absent')),
    name text NOT NULL,
    beneficiary_id UUID,
    seq bigint NOT NULL,
    was bigint NOT NULL,
    stands bigint NOT NULL CONSTRAINT project_service_corrections_stands CHECK (stands >= 0),
    delta bigint NOT NULL,
    reason text NOT NULL,
    recorded_by UUID NOT NULL,
    corrected_by UUID NOT NULL CONSTRAINT project_service_corrections_corrected_by REFERENCES users (id),
    corrected_at TIME NOT NULL,
    CONSTRAINT project_service_corrections_delta CHECK (delta = stands - was AND delta <> 0),
    CONSTRAINT project_service_corrections_absent CHECK ((what = 'absent') = (beneficiary_id IS NOT NULL)),
    CONSTRAINT project_service_corrections_service FOREIGN KEY (service_id, project_id) REFERENCES project_services (id, project_id),
    CONSTRAINT project_service_corrections_author FOREIGN KEY (service_id, recorded_by) REFERENCES project_services (id, recorded_by),
    CONSTRAINT project_service_corrections_person FOREIGN KEY (service_id, beneficiary_id) REFERENCES project_service_people (service_id, beneficiary_id),
    CONSTRAINT project_service_corrections_not_by_oneself CHECK (corrected_by <> recorded_by),
    CONSTRAINT project_service_corrections_seq UNIQUE (service_id, seq)
);
CREATE UNIQUE INDEX project_service_corrections_absent_once ON project_service_corrections (service_id, beneficiary_id) WHERE beneficiary_id IS NOT NULL;
CREATE INDEX project_service_corrections_of_project ON project_service_corrections (project_id);

-- Evidence for a milestone, what the supervisor says of it, and what the programme's staff decide: three different people.
CREATE TABLE milestone_submissions (
    id UUID NOT NULL PRIMARY KEY,
    milestone_id UUID NOT NULL CONSTRAINT milestone_submissions_milestone REFERENCES milestones (id),
    project_id UUID NOT NULL CONSTRAINT milestone_submissions_project REFERENCES projects (id),
    round bigint NOT NULL CONSTRAINT milestone_submissions_round CHECK (round > 0),
    body text NOT NULL,
    submitted_by UUID NOT NULL CONSTRAINT milestone_submissions_submitted_by REFERENCES users (id),
    submitted_at TIME NOT NULL,
    statement text,
    supports boolean,
    stated_by UUID CONSTRAINT milestone_submissions_stated_by REFERENCES users (id),
    stated_at TIME,
    decision text CONSTRAINT milestone_submissions_decision CHECK (decision IN ('accepted', 'returned')),
    reason text,
    decided_by UUID CONSTRAINT milestone_submissions_decided_by REFERENCES users (id),
    decided_at TIME,
    CONSTRAINT milestone_submissions_rounds UNIQUE (milestone_id, round),
    CONSTRAINT milestone_submissions_stated CHECK ((statement IS NULL) = (stated_by IS NULL)
        AND (statement IS NULL) = (stated_at IS NULL) AND (statement IS NULL) = (supports IS NULL)),
    CONSTRAINT milestone_submissions_decided CHECK ((decision IS NULL) = (decided_by IS NULL)
        AND (decision IS NULL) = (decided_at IS NULL)),
    CONSTRAINT milestone_submissions_after_statement CHECK (decision IS NULL OR statement IS NOT NULL),
    CONSTRAINT milestone_submissions_returned CHECK (decision IS NULL OR decision <> 'returned' OR reason IS NOT NULL),
    CONSTRAINT milestone_submissions_three_people CHECK ((stated_by IS NULL OR stated_by <> submitted_by)
        AND (decided_by IS NULL OR (decided_by <> submitted_by AND decided_by <> stated_by)))
);
CREATE UNIQUE INDEX milestone_submissions_one_open ON milestone_submissions (milestone_id) WHERE decision IS NULL;
CREATE INDEX milestone_submissions_of_project ON milestone_submissions (project_id);

-- Supervision: visits and what they found; only ever added, findings only move on.
CREATE TABLE supervision_visits (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL CONSTRAINT supervision_visits_project REFERENCES projects (id),
    organisation_id UUID NOT NULL CONSTRAINT supervision_visits_organisation REFERENCES organisations (id),
    visited_on text NOT NULL,
    seen text NOT NULL,
    visited_by UUID NOT NULL CONSTRAINT supervision_visits_visited_by REFERENCES users (id),
    created_at TIME NOT NULL
);
CREATE INDEX supervision_visits_list ON supervision_visits (project_id, id);

CREATE TABLE findings (
    id UUID NOT NULL PRIMARY KEY,
    visit_id UUID NOT NULL CONSTRAINT findings_visit REFERENCES supervision_visits (id),
    project_id UUID NOT NULL CONSTRAINT findings_project REFERENCES projects (id),
    severity text NOT NULL CONSTRAINT findings_severity CHECK (severity IN ('minor', 'major', 'critical')),
    body text NOT NULL,
    due_at TIME NOT NULL,
    state text NOT NULL CONSTRAINT findings_state CHECK (state IN ('open', 'rectified', 'closed')),
    found_by UUID NOT NULL CONSTRAINT findings_found_by REFERENCES users (id),
    created_at TIME NOT NULL,
    reminded_at TIME,
    escalated_at TIME,
    closed_by UUID CONSTRAINT findings_closed_by REFERENCES users (id),
    closed_at TIME,
    CONSTRAINT findings_closed CHECK ((state = 'closed') = (closed_by IS NOT NULL) AND (state = 'closed') = (closed_at IS NOT NULL))
);
CREATE INDEX findings_list ON findings (project_id, id);
CREATE INDEX findings_due ON findings (due_at) WHERE state <> 'closed';
CREATE INDEX findings_of_visit ON findings (visit_id);

-- What the implementer did about a finding, and what the supervisor says to that.
CREATE TABLE rectifications (
    id UUID NOT NULL PRIMARY KEY,
    finding_id UUID NOT NULL CONSTRAINT rectifications_finding REFERENCES findings (id),
    round bigint NOT NULL CONSTRAINT rectifications_round CHECK (round > 0),
    done text NOT NULL,
    done_by UUID NOT NULL CONSTRAINT rectifications_done_by REFERENCES users (id),
    done_at TIME NOT NULL,
    verdict text CONSTRAINT rectifications_verdict CHECK (verdict IN ('closed', 'again')),
    remark text,
    checked_by UUID CONSTRAINT rectifications_checked_by REFERENCES users (id),
    checked_at TIME,
    CONSTRAINT rectifications_checked CHECK ((verdict IS NULL) = (checked_by IS NULL) AND (verdict IS NULL) = (checked_at IS NULL)),
    CONSTRAINT rectifications_not_by_oneself CHECK (checked_by IS NULL OR checked_by <> done_by),
    CONSTRAINT rectifications_rounds UNIQUE (finding_id, round)
);
CREATE UNIQUE INDEX rectifications_one_open ON rectifications (finding_id) WHERE verdict IS NULL;

-- What must hold whoever moves a project: somebody supervises it, nothing that was found is open, there is a last report.
--postgres
CREATE FUNCTION refuse_delivery_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'contracted' AND NEW.state = 'running'
        AND NOT EXISTS (SELECT 1 FROM project_parties p WHERE p.project_id = NEW.id AND p.part = 'supervisor') THEN
        RAISE EXCEPTION 'no supervisor' USING ERRCODE = 'check_violation', CONSTRAINT = 'projects_supervised';
    END IF;
    IF OLD.state = 'running' AND NEW.state = 'completed' THEN
        IF EXISTS (SELECT 1 FROM findings f WHERE f.project_id = NEW.id AND f.state <> 'closed') THEN
            RAISE EXCEPTION 'a finding is open' USING ERRCODE = 'check_violation', CONSTRAINT = 'projects_no_open_finding';
        END IF;
        IF NOT EXISTS (SELECT 1 FROM project_reports r WHERE r.project_id = NEW.id AND r.kind = 'final') THEN
            RAISE EXCEPTION 'no final report' USING ERRCODE = 'check_violation', CONSTRAINT = 'projects_final_report';
        END IF;
        IF EXISTS (SELECT 1 FROM milestones m JOIN contracts c ON c.id = m.contract_id
            WHERE c.project_id = NEW.id AND m.state NOT IN ('accepted', 'dropped')) THEN
            RAISE EXCEPTION 'a milestone is open' USING ERRCODE = 'check_violation', CONSTRAINT = 'projects_milestones_accepted';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER projects_delivery BEFORE UPDATE OF state ON projects FOR EACH ROW EXECUTE FUNCTION refuse_delivery_step();

-- A milestone is accepted by who decided on its evidence, and paid for by somebody else.
CREATE FUNCTION refuse_milestone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'accepted' AND OLD.state <> 'accepted' AND NOT EXISTS (
        SELECT 1 FROM milestone_submissions s WHERE s.milestone_id = NEW.id AND s.decision = 'accepted' AND s.decided_by = NEW.accepted_by) THEN
        RAISE EXCEPTION 'no accepted evidence' USING ERRCODE = 'check_violation', CONSTRAINT = 'milestones_accepted_on_evidence';
    END IF;
    IF NEW.paid_by = NEW.accepted_by THEN
        RAISE EXCEPTION 'paid by who accepted' USING ERRCODE = 'check_violation', CONSTRAINT = 'milestones_paid_by_another';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER milestones_delivery BEFORE UPDATE ON milestones FOR EACH ROW EXECUTE FUNCTION refuse_milestone();
CREATE TRIGGER milestone_submissions_decided_for_good BEFORE UPDATE OR DELETE ON milestone_submissions FOR EACH ROW
    WHEN (OLD.decision IS NOT NULL) EXECUTE FUNCTION refuse_change();

-- A confirmed service is sealed, with whom and what it counts.
CREATE FUNCTION refuse_sealed_service() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM project_services s WHERE s.id = NEW.service_id AND s.state <> 'recorded') THEN
        RAISE EXCEPTION 'the service is sealed' USING ERRCODE = 'check_violation', CONSTRAINT = 'project_services_sealed';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION refuse_sealed_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the service is sealed' USING ERRCODE = 'check_violation', CONSTRAINT = 'project_services_sealed';
END $$;
CREATE TRIGGER project_services_sealed BEFORE UPDATE ON project_services FOR EACH ROW
    WHEN (OLD.state <> 'recorded') EXECUTE FUNCTION refuse_sealed_change();
CREATE TRIGGER project_services_no_delete BEFORE DELETE ON project_services FOR EACH ROW EXECUTE FUNCTION refuse_sealed_change();
CREATE TRIGGER project_service_people_sealed BEFORE INSERT ON project_service_people FOR EACH ROW EXECUTE FUNCTION refuse_sealed_service();
CREATE TRIGGER project_service_people_groups_sealed BEFORE INSERT ON project_service_people_groups FOR EACH ROW EXECUTE FUNCTION refuse_sealed_service();
CREATE TRIGGER project_service_counts_sealed BEFORE INSERT ON project_service_counts FOR EACH ROW EXECUTE FUNCTION refuse_sealed_service();
CREATE TRIGGER project_service_people_append_only BEFORE UPDATE OR DELETE ON project_service_people FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER project_service_people_groups_append_only BEFORE UPDATE OR DELETE ON project_service_people_groups FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER project_service_counts_append_only BEFORE UPDATE OR DELETE ON project_service_counts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER project_service_corrections_append_only BEFORE UPDATE OR DELETE ON project_service_corrections FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER project_reports_append_only BEFORE UPDATE OR DELETE ON project_reports FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER supervision_visits_append_only BEFORE UPDATE OR DELETE ON supervision_visits FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE FUNCTION refuse_reopening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the finding is closed' USING ERRCODE = 'check_violation', CONSTRAINT = 'findings_stay_closed';
END $$;
CREATE TRIGGER findings_stay_closed BEFORE UPDATE ON findings FOR EACH ROW WHEN (OLD.state = 'closed') EXECUTE FUNCTION refuse_reopening();
--sqlite
CREATE TRIGGER projects_supervised BEFORE UPDATE OF state ON projects
WHEN OLD.state = 'contracted' AND NEW.state = 'running'
    AND NOT EXISTS (SELECT 1 FROM project_parties p WHERE p.project_id = NEW.id AND p.part = 'supervisor')
BEGIN SELECT RAISE(ABORT, 'projects_supervised'); END;
CREATE TRIGGER projects_no_open_finding BEFORE UPDATE OF state ON projects
WHEN OLD.state = 'running' AND NEW.state = 'completed'
    AND EXISTS (SELECT 1 FROM findings f WHERE f.project_id = NEW.id AND f.state <> 'closed')
BEGIN SELECT RAISE(ABORT, 'projects_no_open_finding'); END;
CREATE TRIGGER projects_final_report BEFORE UPDATE OF state ON projects
WHEN OLD.state = 'running' AND NEW.state = 'completed'
    AND NOT EXISTS (SELECT 1 FROM project_reports r WHERE r.project_id = NEW.id AND r.kind = 'final')
BEGIN SELECT RAISE(ABORT, 'projects_final_report'); END;
CREATE TRIGGER projects_milestones_accepted BEFORE UPDATE OF state ON projects
WHEN OLD.state = 'running' AND NEW.state = 'completed' AND EXISTS (SELECT 1 FROM milestones m JOIN contracts c ON c.id = m.contract_id
    WHERE c.project_id = NEW.id AND m.state NOT IN ('accepted', 'dropped'))
BEGIN SELECT RAISE(ABORT, 'projects_milestones_accepted'); END;
CREATE TRIGGER milestones_accepted_on_evidence BEFORE UPDATE ON milestones
WHEN NEW.state = 'accepted' AND OLD.state <> 'accepted' AND NOT EXISTS (
    SELECT 1 FROM milestone_submissions s WHERE s.milestone_id = NEW.id AND s.decision = 'accepted' AND s.decided_by = NEW.accepted_by)
BEGIN SELECT RAISE(ABORT, 'milestones_accepted_on_evidence'); END;
CREATE TRIGGER milestones_paid_by_another BEFORE UPDATE ON milestones WHEN NEW.paid_by = NEW.accepted_by
BEGIN SELECT RAISE(ABORT, 'milestones_paid_by_another'); END;
CREATE TRIGGER milestone_submissions_no_update BEFORE UPDATE ON milestone_submissions WHEN OLD.decision IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'milestone_submissions_decided_for_good'); END;
CREATE TRIGGER milestone_submissions_no_delete BEFORE DELETE ON milestone_submissions WHEN OLD.decision IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'milestone_submissions_decided_for_good'); END;
CREATE TRIGGER project_services_sealed BEFORE UPDATE ON project_services WHEN OLD.state <> 'recorded'
BEGIN SELECT RAISE(ABORT, 'project_services_sealed'); END;
CREATE TRIGGER project_services_no_delete BEFORE DELETE ON project_services BEGIN SELECT RAISE(ABORT, 'project_services_sealed'); END;
CREATE TRIGGER project_service_people_sealed BEFORE INSERT ON project_service_people
WHEN EXISTS (SELECT 1 FROM project_services s WHERE s.id = NEW.service_id AND s.state <> 'recorded')
BEGIN SELECT RAISE(ABORT, 'project_services_sealed'); END;
CREATE TRIGGER project_service_people_groups_sealed BEFORE INSERT ON project_service_people_groups
WHEN EXISTS (SELECT 1 FROM project_services s WHERE s.id = NEW.service_id AND s.state <> 'recorded')
BEGIN SELECT RAISE(ABORT, 'project_services_sealed'); END;
CREATE TRIGGER project_service_counts_sealed BEFORE INSERT ON project_service_counts
WHEN EXISTS (SELECT 1 FROM project_services s WHERE s.id = NEW.service_id AND s.state <> 'recorded')
BEGIN SELECT RAISE(ABORT, 'project_services_sealed'); END;
CREATE TRIGGER project_service_people_no_update BEFORE UPDATE ON project_service_people BEGIN SELECT RAISE(ABORT, 'project_service_people_append_only'); END;
CREATE TRIGGER project_service_people_no_delete BEFORE DELETE ON project_service_people BEGIN SELECT RAISE(ABORT, 'project_service_people_append_only'); END;
CREATE TRIGGER project_service_people_groups_no_update BEFORE UPDATE ON project_service_people_groups BEGIN SELECT RAISE(ABORT, 'project_service_people_groups_append_only'); END;
CREATE TRIGGER project_service_people_groups_no_delete BEFORE DELETE ON project_service_people_groups BEGIN SELECT RAISE(ABORT, 'project_service_people_groups_append_only'); END;
CREATE TRIGGER project_service_counts_no_update BEFORE UPDATE ON project_service_counts BEGIN SELECT RAISE(ABORT, 'project_service_counts_append_only'); END;
CREATE TRIGGER project_service_counts_no_delete BEFORE DELETE ON project_service_counts BEGIN SELECT RAISE(ABORT, 'project_service_counts_append_only'); END;
CREATE TRIGGER project_service_corrections_no_update BEFORE UPDATE ON project_service_corrections BEGIN SELECT RAISE(ABORT, 'project_service_corrections_append_only'); END;
CREATE TRIGGER project_service_corrections_no_delete BEFORE DELETE ON project_service_corrections BEGIN SELECT RAISE(ABORT, 'project_service_corrections_append_only'); END;
CREATE TRIGGER project_reports_no_update BEFORE UPDATE ON project_reports BEGIN SELECT RAISE(ABORT, 'project_reports_append_only'); END;
CREATE TRIGGER project_reports_no_delete BEFORE DELETE ON project_reports BEGIN SELECT RAISE(ABORT, 'project_reports_append_only'); END;
CREATE TRIGGER supervision_visits_no_update BEFORE UPDATE ON supervision_visits BEGIN SELECT RAISE(ABORT, 'supervision_visits_append_only'); END;
CREATE TRIGGER supervision_visits_no_delete BEFORE DELETE ON supervision_visits BEGIN SELECT RAISE(ABORT, 'supervision_visits_append_only'); END;
CREATE TRIGGER findings_stay_closed BEFORE UPDATE ON findings WHEN OLD.state = 'closed' BEGIN SELECT RAISE(ABORT, 'findings_stay_closed'); END;
--end
