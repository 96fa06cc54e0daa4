-- A part gets its money from the programme that it is a part of, so that both keep their books in one place; a part has no parts.
-- What applicants rely on stays as it was opened; only the budget of an open programme rises.
--postgres
CREATE FUNCTION refuse_programme() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.parent_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM programmes p WHERE p.id = NEW.parent_id AND p.place_id = NEW.place_id AND p.parent_id IS NULL) THEN
        RAISE EXCEPTION 'a part has its programme''s place' USING ERRCODE = 'check_violation', CONSTRAINT = 'programmes_of_one_place';
    END IF;
    IF TG_OP = 'UPDATE' AND (
        (NEW.id, NEW.parent_id, NEW.place_id, NEW.place_path, NEW.created_by, NEW.created_at)
            IS DISTINCT FROM (OLD.id, OLD.parent_id, OLD.place_id, OLD.place_path, OLD.created_by, OLD.created_at)
        OR (OLD.state, NEW.state) NOT IN (('draft', 'draft'), ('draft', 'open'), ('open', 'open'), ('open', 'closed'))
        OR (OLD.state = 'open' AND (NEW.budget_fen < OLD.budget_fen
            OR (NEW.title, NEW.description, NEW.cap_fen, NEW.count_target, NEW.expert_weight, NEW.allocation, NEW.rubric, NEW.min_reviews,
                NEW.objection_days, NEW.proposals_from, NEW.proposals_until, NEW.reviews_until, NEW.votes_until, NEW.delivery_until)
            IS DISTINCT FROM (OLD.title, OLD.description, OLD.cap_fen, OLD.count_target, OLD.expert_weight, OLD.allocation, OLD.rubric,
                OLD.min_reviews, OLD.objection_days, OLD.proposals_from, OLD.proposals_until, OLD.reviews_until, OLD.votes_until,
                OLD.delivery_until)))) THEN
        RAISE EXCEPTION 'an open programme stays as it is' USING ERRCODE = 'check_violation', CONSTRAINT = 'programmes_frozen';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER programmes_kept BEFORE INSERT OR UPDATE ON programmes FOR EACH ROW EXECUTE FUNCTION refuse_programme();
--sqlite
CREATE TRIGGER programmes_of_one_place BEFORE INSERT ON programmes
WHEN NEW.parent_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM programmes p WHERE p.id = NEW.parent_id AND p.place_id = NEW.place_id AND p.parent_id IS NULL)
BEGIN SELECT RAISE(ABORT, 'programmes_of_one_place'); END;
CREATE TRIGGER programmes_frozen BEFORE UPDATE ON programmes
WHEN (NEW.id, NEW.parent_id, NEW.place_id, NEW.place_path, NEW.created_by, NEW.created_at)
        IS NOT (OLD.id, OLD.parent_id, OLD.place_id, OLD.place_path, OLD.created_by, OLD.created_at)
    OR OLD.state || '-' || NEW.state NOT IN ('draft-draft', 'draft-open', 'open-open', 'open-closed')
    OR (OLD.state = 'open' AND (NEW.budget_fen < OLD.budget_fen
        OR (NEW.title, NEW.description, NEW.cap_fen, NEW.count_target, NEW.expert_weight, NEW.allocation, NEW.rubric, NEW.min_reviews,
            NEW.objection_days, NEW.proposals_from, NEW.proposals_until, NEW.reviews_until, NEW.votes_until, NEW.delivery_until)
        IS NOT (OLD.title, OLD.description, OLD.cap_fen, OLD.count_target, OLD.expert_weight, OLD.allocation, OLD.rubric, OLD.min_reviews,
            OLD.objection_days, OLD.proposals_from, OLD.proposals_until, OLD.reviews_until, OLD.votes_until, OLD.delivery_until)))
BEGIN SELECT RAISE(ABORT, 'programmes_frozen'); END;
--end

-- Who may review for a programme. Whoever leaves the panel stays in its history: reviews name a row of it.
CREATE TABLE programme_experts (
    programme_id UUID NOT NULL CONSTRAINT programme_experts_programme REFERENCES programmes (id),
    user_id UUID NOT NULL CONSTRAINT programme_experts_user REFERENCES users (id),
    added_by UUID NOT NULL CONSTRAINT programme_experts_added_by REFERENCES users (id),
    added_at TIME NOT NULL,
    removed_at TIME,
    PRIMARY KEY (programme_id, user_id),
    CONSTRAINT programme_experts_not_by_oneself CHECK (added_by <> user_id)
);

-- A design while it is written, and as it was handed in: versions are only ever added.
CREATE TABLE project_drafts (
    project_id UUID NOT NULL PRIMARY KEY CONSTRAINT project_drafts_project REFERENCES projects (id),
    document JSON NOT NULL,
    updated_by UUID NOT NULL CONSTRAINT project_drafts_updated_by REFERENCES users (id),
    updated_at TIME NOT NULL
);
CREATE TABLE project_designs (
    project_id UUID NOT NULL CONSTRAINT project_designs_project REFERENCES projects (id),
    version bigint NOT NULL CONSTRAINT project_designs_version CHECK (version > 0),
    programme_id UUID NOT NULL CONSTRAINT project_designs_programme REFERENCES programmes (id),
    document JSON NOT NULL,
    budget_fen bigint NOT NULL CONSTRAINT project_designs_budget CHECK (budget_fen > 0),
    indicators bigint NOT NULL CONSTRAINT project_designs_indicators CHECK (indicators > 0),
    people bigint NOT NULL CONSTRAINT project_designs_people CHECK (people >= 0),
    submitted_by UUID NOT NULL CONSTRAINT project_designs_submitted_by REFERENCES users (id),
    submitted_at TIME NOT NULL,
    PRIMARY KEY (project_id, version)
);

-- Somebody who says that they must not judge a project.
CREATE TABLE project_conflicts (
    project_id UUID NOT NULL CONSTRAINT project_conflicts_project REFERENCES projects (id),
    user_id UUID NOT NULL CONSTRAINT project_conflicts_user REFERENCES users (id),
    reason text NOT NULL,
    declared_at TIME NOT NULL,
    PRIMARY KEY (project_id, user_id)
);

-- An expert's scores for one version; `points` are millionths of the most that the rubric gives. The id has no order: a list by it
-- does not tell who came first.
CREATE TABLE project_reviews (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL CONSTRAINT project_reviews_project REFERENCES projects (id),
    version bigint NOT NULL,
    programme_id UUID NOT NULL,
    reviewer_id UUID NOT NULL,
    scores JSON NOT NULL,
    points bigint NOT NULL CONSTRAINT project_reviews_points CHECK (points BETWEEN 0 AND 1000000),
    comment text NOT NULL,
    recommendation text NOT NULL CONSTRAINT project_reviews_recommendation CHECK (recommendation IN ('support', 'revise', 'oppose')),
    created_at TIME NOT NULL,
    CONSTRAINT project_reviews_once UNIQUE (project_id, version, reviewer_id),
    CONSTRAINT project_reviews_design FOREIGN KEY (project_id, version) REFERENCES project_designs (project_id, version),
    CONSTRAINT project_reviews_panel FOREIGN KEY (programme_id, reviewer_id) REFERENCES programme_experts (programme_id, user_id)
);
CREATE INDEX project_reviews_by ON project_reviews (reviewer_id, project_id);

-- The poll in which a community's residents choose among its shortlisted projects: one a programme and community.
CREATE TABLE programme_polls (
    poll_id UUID NOT NULL PRIMARY KEY CONSTRAINT programme_polls_poll REFERENCES polls (id),
    programme_id UUID NOT NULL CONSTRAINT programme_polls_programme REFERENCES programmes (id),
    community_id UUID NOT NULL CONSTRAINT programme_polls_community REFERENCES places (id),
    created_by UUID NOT NULL CONSTRAINT programme_polls_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT programme_polls_one UNIQUE (programme_id, community_id)
);

-- What somebody proposed to select, with the ranking that led to it; and what somebody else confirmed, with its money.
CREATE TABLE programme_selections (
    id UUID NOT NULL PRIMARY KEY,
    programme_id UUID NOT NULL CONSTRAINT programme_selections_programme REFERENCES programmes (id),
    seq bigint NOT NULL CONSTRAINT programme_selections_seq CHECK (seq > 0),
    available_fen bigint NOT NULL CONSTRAINT programme_selections_available CHECK (available_fen >= 0),
    ranking JSON NOT NULL,
    proposed_by UUID NOT NULL CONSTRAINT programme_selections_proposed_by REFERENCES users (id),
    proposed_at TIME NOT NULL,
    CONSTRAINT programme_selections_one_after_the_other UNIQUE (programme_id, seq)
);
CREATE TABLE project_selections (
    project_id UUID NOT NULL PRIMARY KEY CONSTRAINT project_selections_project REFERENCES projects (id),
    selection_id UUID NOT NULL CONSTRAINT project_selections_selection REFERENCES programme_selections (id),
    amount_fen bigint NOT NULL CONSTRAINT project_selections_amount CHECK (amount_fen > 0),
    transaction_id UUID NOT NULL CONSTRAINT project_selections_transaction REFERENCES ledger_transactions (id),
    proposed_by UUID NOT NULL CONSTRAINT project_selections_proposed_by REFERENCES users (id),
    confirmed_by UUID NOT NULL CONSTRAINT project_selections_confirmed_by REFERENCES users (id),
    confirmed_at TIME NOT NULL,
    CONSTRAINT project_selections_by_two CHECK (confirmed_by <> proposed_by)
);
CREATE INDEX project_selections_of ON project_selections (selection_id);

-- A design comes within the cap and in time: the first version while proposals are taken, a returned one until the reviews end.
-- A reviewer is not of the organisation that designs, did not create the project or hand this version in, and declared no conflict;
-- and whoever has reviewed declares none afterwards.
--postgres
CREATE FUNCTION refuse_design() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    programme programmes%ROWTYPE;
BEGIN
    SELECT * INTO programme FROM programmes WHERE id = NEW.programme_id;
    IF NEW.budget_fen > programme.cap_fen THEN
        RAISE EXCEPTION 'a design above the cap' USING ERRCODE = 'check_violation', CONSTRAINT = 'project_designs_cap';
    END IF;
    IF programme.state <> 'open' OR NEW.submitted_at < programme.proposals_from
        OR NEW.submitted_at >= CASE WHEN NEW.version = 1 THEN programme.proposals_until ELSE programme.reviews_until END THEN
        RAISE EXCEPTION 'a design out of time' USING ERRCODE = 'check_violation', CONSTRAINT = 'project_designs_in_time';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER project_designs_fit BEFORE INSERT ON project_designs FOR EACH ROW EXECUTE FUNCTION refuse_design();
CREATE FUNCTION refuse_conflicted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM project_conflicts c WHERE c.project_id = NEW.project_id AND c.user_id = NEW.reviewer_id)
        OR EXISTS (SELECT 1 FROM projects p WHERE p.id = NEW.project_id AND p.created_by = NEW.reviewer_id)
        OR EXISTS (SELECT 1 FROM project_designs d WHERE d.project_id = NEW.project_id AND d.submitted_by = NEW.reviewer_id)
        OR EXISTS (SELECT 1 FROM projects p JOIN organisation_people o ON o.organisation_id = p.designer_id AND o.ended_at IS NULL
            WHERE p.id = NEW.project_id AND o.user_id = NEW.reviewer_id) THEN
        RAISE EXCEPTION 'a conflict of interest' USING ERRCODE = 'check_violation', CONSTRAINT = 'project_reviews_no_conflict';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER project_reviews_no_conflict BEFORE INSERT ON project_reviews FOR EACH ROW EXECUTE FUNCTION refuse_conflicted();
CREATE FUNCTION refuse_late_conflict() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM project_reviews r WHERE r.project_id = NEW.project_id AND r.reviewer_id = NEW.user_id) THEN
        RAISE EXCEPTION 'reviewed already' USING ERRCODE = 'check_violation', CONSTRAINT = 'project_conflicts_before_review';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER project_conflicts_before_review BEFORE INSERT ON project_conflicts FOR EACH ROW EXECUTE FUNCTION refuse_late_conflict();
CREATE TRIGGER project_conflicts_append_only BEFORE UPDATE OR DELETE ON project_conflicts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER project_designs_append_only BEFORE UPDATE OR DELETE ON project_designs FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER project_reviews_append_only BEFORE UPDATE OR DELETE ON project_reviews FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER programme_selections_append_only BEFORE UPDATE OR DELETE ON programme_selections FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER project_selections_append_only BEFORE UPDATE OR DELETE ON project_selections FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER project_designs_cap BEFORE INSERT ON project_designs
WHEN NEW.budget_fen > (SELECT p.cap_fen FROM programmes p WHERE p.id = NEW.programme_id)
BEGIN SELECT RAISE(ABORT, 'project_designs_cap'); END;
CREATE TRIGGER project_designs_in_time BEFORE INSERT ON project_designs
WHEN EXISTS (SELECT 1 FROM programmes p WHERE p.id = NEW.programme_id AND (p.state <> 'open' OR NEW.submitted_at < p.proposals_from
    OR NEW.submitted_at >= CASE WHEN NEW.version = 1 THEN p.proposals_until ELSE p.reviews_until END))
BEGIN SELECT RAISE(ABORT, 'project_designs_in_time'); END;
CREATE TRIGGER project_reviews_no_conflict BEFORE INSERT ON project_reviews
WHEN EXISTS (SELECT 1 FROM project_conflicts c WHERE c.project_id = NEW.project_id AND c.user_id = NEW.reviewer_id)
    OR EXISTS (SELECT 1 FROM projects p WHERE p.id = NEW.project_id AND p.created_by = NEW.reviewer_id)
    OR EXISTS (SELECT 1 FROM project_designs d WHERE d.project_id = NEW.project_id AND d.submitted_by = NEW.reviewer_id)
    OR EXISTS (SELECT 1 FROM projects p JOIN organisation_people o ON o.organisation_id = p.designer_id AND o.ended_at IS NULL
        WHERE p.id = NEW.project_id AND o.user_id = NEW.reviewer_id)
BEGIN SELECT RAISE(ABORT, 'project_reviews_no_conflict'); END;
CREATE TRIGGER project_conflicts_before_review BEFORE INSERT ON project_conflicts
WHEN EXISTS (SELECT 1 FROM project_reviews r WHERE r.project_id = NEW.project_id AND r.reviewer_id = NEW.user_id)
BEGIN SELECT RAISE(ABORT, 'project_conflicts_before_review'); END;
CREATE TRIGGER project_conflicts_no_update BEFORE UPDATE ON project_conflicts BEGIN SELECT RAISE(ABORT, 'project_conflicts_append_only'); END;
CREATE TRIGGER project_conflicts_no_delete BEFORE DELETE ON project_conflicts BEGIN SELECT RAISE(ABORT, 'project_conflicts_append_only'); END;
CREATE TRIGGER project_designs_no_update BEFORE UPDATE ON project_designs BEGIN SELECT RAISE(ABORT, 'project_designs_append_only'); END;
CREATE TRIGGER project_designs_no_delete BEFORE DELETE ON project_designs BEGIN SELECT RAISE(ABORT, 'project_designs_append_only'); END;
CREATE TRIGGER project_reviews_no_update BEFORE UPDATE ON project_reviews BEGIN SELECT RAISE(ABORT, 'project_reviews_append_only'); END;
CREATE TRIGGER project_reviews_no_delete BEFORE DELETE ON project_reviews BEGIN SELECT RAISE(ABORT, 'project_reviews_append_only'); END;
CREATE TRIGGER programme_selections_no_update BEFORE UPDATE ON programme_selections
BEGIN SELECT RAISE(ABORT, 'programme_selections_append_only'); END;
CREATE TRIGGER programme_selections_no_delete BEFORE DELETE ON programme_selections
BEGIN SELECT RAISE(ABORT, 'programme_selections_append_only'); END;
CREATE TRIGGER project_selections_no_update BEFORE UPDATE ON project_selections BEGIN SELECT RAISE(ABORT, 'project_selections_append_only'); END;
CREATE TRIGGER project_selections_no_delete BEFORE DELETE ON project_selections BEGIN SELECT RAISE(ABORT, 'project_selections_append_only'); END;
--end
