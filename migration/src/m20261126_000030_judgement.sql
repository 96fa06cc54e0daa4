-- When residents may rate a project: from its completion until a day. `notice_id` is how the result was published.
CREATE TABLE rating_windows (
    project_id UUID NOT NULL PRIMARY KEY CONSTRAINT rating_windows_project REFERENCES projects (id),
    opened_at TIME NOT NULL,
    closes_at TIME NOT NULL,
    published_at TIME,
    notice_id UUID CONSTRAINT rating_windows_notice REFERENCES notices (id),
    CONSTRAINT rating_windows_half_open CHECK (opened_at < closes_at),
    CONSTRAINT rating_windows_published CHECK ((published_at IS NULL) = (notice_id IS NULL) AND (published_at IS NULL OR closes_at <= published_at))
);
CREATE INDEX rating_windows_due ON rating_windows (closes_at) WHERE published_at IS NULL;

-- One a person and project: the primary key. `id` is what moderators know a comment by; a comment is shown once it has passed.
CREATE TABLE project_ratings (
    project_id UUID NOT NULL CONSTRAINT project_ratings_project REFERENCES projects (id),
    user_id UUID NOT NULL CONSTRAINT project_ratings_user REFERENCES users (id),
    id UUID NOT NULL,
    score bigint NOT NULL CONSTRAINT project_ratings_score CHECK (score BETWEEN 1 AND 5),
    comment text,
    shown boolean NOT NULL,
    standing text NOT NULL CONSTRAINT project_ratings_standing CHECK (standing IN ('served', 'resident')),
    created_at TIME NOT NULL,
    CONSTRAINT project_ratings_once PRIMARY KEY (project_id, user_id),
    CONSTRAINT project_ratings_id UNIQUE (id),
    CONSTRAINT project_ratings_nothing_to_show CHECK (comment IS NOT NULL OR NOT shown)
);
CREATE INDEX project_ratings_list ON project_ratings (project_id, id);

-- A third party's evaluations, one after the other; only ever added. The hash is that of the report's bytes.
CREATE TABLE project_evaluations (
    project_id UUID NOT NULL CONSTRAINT project_evaluations_project REFERENCES projects (id),
    seq bigint NOT NULL CONSTRAINT project_evaluations_seq CHECK (seq > 0),
    result text NOT NULL CONSTRAINT project_evaluations_result CHECK (result IN ('excellent', 'pass', 'rectify')),
    score bigint NOT NULL CONSTRAINT project_evaluations_score CHECK (score BETWEEN 0 AND 100),
    indicators JSON NOT NULL,
    summary text NOT NULL,
    advice text,
    rectify_by text,
    report_file_id UUID NOT NULL CONSTRAINT project_evaluations_report REFERENCES files (id),
    report_sha256 text NOT NULL,
    organisation_id UUID NOT NULL CONSTRAINT project_evaluations_organisation REFERENCES organisations (id),
    evaluator_id UUID NOT NULL CONSTRAINT project_evaluations_evaluator REFERENCES users (id),
    created_at TIME NOT NULL,
    PRIMARY KEY (project_id, seq),
    CONSTRAINT project_evaluations_report_once UNIQUE (report_file_id),
    CONSTRAINT project_evaluations_rectify CHECK ((result = 'rectify') = (rectify_by IS NOT NULL) AND (result <> 'rectify' OR advice IS NOT NULL))
);

-- What the implementer says was put right after an evaluation that asked for it.
CREATE TABLE project_resubmissions (
    project_id UUID NOT NULL,
    seq bigint NOT NULL,
    body text NOT NULL,
    submitted_by UUID NOT NULL CONSTRAINT project_resubmissions_by REFERENCES users (id),
    submitted_at TIME NOT NULL,
    PRIMARY KEY (project_id, seq),
    CONSTRAINT project_resubmissions_evaluation FOREIGN KEY (project_id, seq) REFERENCES project_evaluations (project_id, seq)
);

-- What a project ended with: once.
CREATE TABLE project_closings (
    project_id UUID NOT NULL PRIMARY KEY CONSTRAINT project_closings_project REFERENCES projects (id),
    returned_fen bigint NOT NULL CONSTRAINT project_closings_returned CHECK (returned_fen >= 0),
    needs_resolved bigint NOT NULL,
    figures text NOT NULL,
    closed_by UUID NOT NULL CONSTRAINT project_closings_by REFERENCES users (id),
    closed_at TIME NOT NULL
);

-- Finished projects whose evaluation was excellent, for others to copy; and which project was copied from which.
CREATE TABLE exemplars (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL CONSTRAINT exemplars_project REFERENCES projects (id),
    title text NOT NULL,
    template JSON NOT NULL,
    figures JSON NOT NULL,
    published_by UUID NOT NULL CONSTRAINT exemplars_by REFERENCES users (id),
    published_at TIME NOT NULL,
    CONSTRAINT exemplars_once UNIQUE (project_id)
);
CREATE TABLE exemplar_copies (
    project_id UUID NOT NULL PRIMARY KEY CONSTRAINT exemplar_copies_project REFERENCES projects (id),
    exemplar_id UUID NOT NULL CONSTRAINT exemplar_copies_exemplar REFERENCES exemplars (id),
    copied_from UUID NOT NULL CONSTRAINT exemplar_copies_from REFERENCES projects (id),
    copied_by UUID NOT NULL CONSTRAINT exemplar_copies_by REFERENCES users (id),
    copied_at TIME NOT NULL,
    CONSTRAINT exemplar_copies_not_itself CHECK (copied_from <> project_id)
);
CREATE INDEX exemplar_copies_of ON exemplar_copies (copied_from, project_id);

-- Ratings come in within their time; evaluators belong to the evaluating organisation and had no other part in the project, and
-- judge after the residents; only what was found excellent becomes an example.
--postgres
CREATE FUNCTION refuse_rating() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT 1 FROM rating_windows w WHERE w.project_id = NEW.project_id AND w.published_at IS NULL
        AND w.opened_at <= NEW.created_at AND NEW.created_at < w.closes_at) THEN
            RAISE EXCEPTION 'not in time' USING ERRCODE = 'check_violation', CONSTRAINT = 'project_ratings_in_time';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR (NEW.project_id, NEW.user_id, NEW.id, NEW.score, NEW.comment, NEW.standing, NEW.created_at)
        IS DISTINCT FROM (OLD.project_id, OLD.user_id, OLD.id, OLD.score, OLD.comment, OLD.standing, OLD.created_at) THEN
        RAISE EXCEPTION 'ratings stay' USING ERRCODE = 'check_violation', CONSTRAINT = 'project_ratings_stay';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER project_ratings_kept BEFORE INSERT OR UPDATE OR DELETE ON project_ratings FOR EACH ROW EXECUTE FUNCTION refuse_rating();
CREATE FUNCTION refuse_evaluation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM rating_windows w WHERE w.project_id = NEW.project_id AND w.published_at IS NOT NULL) THEN
        RAISE EXCEPTION 'not rated yet' USING ERRCODE = 'check_violation', CONSTRAINT = 'project_evaluations_after_rating';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM project_parties y JOIN organisation_people o ON o.organisation_id = y.organisation_id AND o.ended_at IS NULL
            WHERE y.project_id = NEW.project_id AND y.part = 'evaluator' AND y.organisation_id = NEW.organisation_id AND o.user_id = NEW.evaluator_id)
        OR EXISTS (SELECT 1 FROM organisation_people o WHERE o.user_id = NEW.evaluator_id AND o.ended_at IS NULL AND o.organisation_id IN (
            SELECT y.organisation_id FROM project_parties y WHERE y.project_id = NEW.project_id AND y.part <> 'evaluator'
            UNION ALL SELECT j.designer_id FROM projects j WHERE j.id = NEW.project_id AND j.designer_id IS NOT NULL))
        OR EXISTS (SELECT 1 FROM projects j WHERE j.id = NEW.project_id AND j.created_by = NEW.evaluator_id)
        OR EXISTS (SELECT 1 FROM project_reviews r WHERE r.project_id = NEW.project_id AND r.reviewer_id = NEW.evaluator_id)
        OR EXISTS (SELECT 1 FROM tender_scores c JOIN tenders t ON t.id = c.tender_id
            WHERE t.project_id = NEW.project_id AND c.scorer_id = NEW.evaluator_id)
        OR EXISTS (SELECT 1 FROM milestone_submissions m WHERE m.project_id = NEW.project_id
            AND NEW.evaluator_id IN (m.submitted_by, m.stated_by, m.decided_by))
        OR EXISTS (SELECT 1 FROM project_services s WHERE s.project_id = NEW.project_id
            AND (s.recorded_by = NEW.evaluator_id OR s.decided_by = NEW.evaluator_id))
        OR EXISTS (SELECT 1 FROM supervision_visits v WHERE v.project_id = NEW.project_id AND v.visited_by = NEW.evaluator_id) THEN
        RAISE EXCEPTION 'not independent' USING ERRCODE = 'check_violation', CONSTRAINT = 'project_evaluations_independent';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER project_evaluations_independent BEFORE INSERT ON project_evaluations FOR EACH ROW EXECUTE FUNCTION refuse_evaluation();
CREATE FUNCTION refuse_exemplar() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM projects p JOIN project_evaluations e ON e.project_id = p.id
        WHERE p.id = NEW.project_id AND p.state = 'finished' AND e.result = 'excellent'
        AND e.seq = (SELECT MAX(l.seq) FROM project_evaluations l WHERE l.project_id = p.id)) THEN
        RAISE EXCEPTION 'not excellent' USING ERRCODE = 'check_violation', CONSTRAINT = 'exemplars_excellent';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER exemplars_excellent BEFORE INSERT ON exemplars FOR EACH ROW EXECUTE FUNCTION refuse_exemplar();
CREATE TRIGGER project_evaluations_append_only BEFORE UPDATE OR DELETE ON project_evaluations FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER project_resubmissions_append_only BEFORE UPDATE OR DELETE ON project_resubmissions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER project_closings_append_only BEFORE UPDATE OR DELETE ON project_closings FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER exemplars_append_only BEFORE UPDATE OR DELETE ON exemplars FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER exemplar_copies_append_only BEFORE UPDATE OR DELETE ON exemplar_copies FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER project_ratings_in_time BEFORE INSERT ON project_ratings
WHEN NOT EXISTS (SELECT 1 FROM rating_windows w WHERE w.project_id = NEW.project_id AND w.published_at IS NULL
        AND w.opened_at <= NEW.created_at AND NEW.created_at < w.closes_at)
BEGIN SELECT RAISE(ABORT, 'project_ratings_in_time'); END;
CREATE TRIGGER project_ratings_stay BEFORE UPDATE ON project_ratings
WHEN (NEW.project_id, NEW.user_id, NEW.id, NEW.score, NEW.comment, NEW.standing, NEW.created_at)
    IS NOT (OLD.project_id, OLD.user_id, OLD.id, OLD.score, OLD.comment, OLD.standing, OLD.created_at)
BEGIN SELECT RAISE(ABORT, 'project_ratings_stay'); END;
CREATE TRIGGER project_ratings_no_delete BEFORE DELETE ON project_ratings BEGIN SELECT RAISE(ABORT, 'project_ratings_stay'); END;
CREATE TRIGGER project_evaluations_after_rating BEFORE INSERT ON project_evaluations
WHEN NOT EXISTS (SELECT 1 FROM rating_windows w WHERE w.project_id = NEW.project_id AND w.published_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'project_evaluations_after_rating'); END;
CREATE TRIGGER project_evaluations_independent BEFORE INSERT ON project_evaluations
WHEN NOT EXISTS (SELECT 1 FROM project_parties y JOIN organisation_people o ON o.organisation_id = y.organisation_id AND o.ended_at IS NULL
            WHERE y.project_id = NEW.project_id AND y.part = 'evaluator' AND y.organisation_id = NEW.organisation_id AND o.user_id = NEW.evaluator_id)
        OR EXISTS (SELECT 1 FROM organisation_people o WHERE o.user_id = NEW.evaluator_id AND o.ended_at IS NULL AND o.organisation_id IN (
            SELECT y.organisation_id FROM project_parties y WHERE y.project_id = NEW.project_id AND y.part <> 'evaluator'
            UNION ALL SELECT j.designer_id FROM projects j WHERE j.id = NEW.project_id AND j.designer_id IS NOT NULL))
        OR EXISTS (SELECT 1 FROM projects j WHERE j.id = NEW.project_id AND j.created_by = NEW.evaluator_id)
        OR EXISTS (SELECT 1 FROM project_reviews r WHERE r.project_id = NEW.project_id AND r.reviewer_id = NEW.evaluator_id)
        OR EXISTS (SELECT 1 FROM tender_scores c JOIN tenders t ON t.id = c.tender_id
            WHERE t.project_id = NEW.project_id AND c.scorer_id = NEW.evaluator_id)
        OR EXISTS (SELECT 1 FROM milestone_submissions m WHERE m.project_id = NEW.project_id
            AND NEW.evaluator_id IN (m.submitted_by, m.stated_by, m.decided_by))
        OR EXISTS (SELECT 1 FROM project_services s WHERE s.project_id = NEW.project_id
            AND (s.recorded_by = NEW.evaluator_id OR s.decided_by = NEW.evaluator_id))
        OR EXISTS (SELECT 1 FROM supervision_visits v WHERE v.project_id = NEW.project_id AND v.visited_by = NEW.evaluator_id)
BEGIN SELECT RAISE(ABORT, 'project_evaluations_independent'); END;
CREATE TRIGGER exemplars_excellent BEFORE INSERT ON exemplars
WHEN NOT EXISTS (SELECT 1 FROM projects p JOIN project_evaluations e ON e.project_id = p.id
        WHERE p.id = NEW.project_id AND p.state = 'finished' AND e.result = 'excellent'
        AND e.seq = (SELECT MAX(l.seq) FROM project_evaluations l WHERE l.project_id = p.id))
BEGIN SELECT RAISE(ABORT, 'exemplars_excellent'); END;
CREATE TRIGGER project_evaluations_no_update BEFORE UPDATE ON project_evaluations BEGIN SELECT RAISE(ABORT, 'project_evaluations_append_only'); END;
CREATE TRIGGER project_evaluations_no_delete BEFORE DELETE ON project_evaluations BEGIN SELECT RAISE(ABORT, 'project_evaluations_append_only'); END;
CREATE TRIGGER project_resubmissions_no_update BEFORE UPDATE ON project_resubmissions BEGIN SELECT RAISE(ABORT, 'project_resubmissions_append_only'); END;
CREATE TRIGGER project_resubmissions_no_delete BEFORE DELETE ON project_resubmissions BEGIN SELECT RAISE(ABORT, 'project_resubmissions_append_only'); END;
CREATE TRIGGER project_closings_no_update BEFORE UPDATE ON project_closings BEGIN SELECT RAISE(ABORT, 'project_closings_append_only'); END;
CREATE TRIGGER project_closings_no_delete BEFORE DELETE ON project_closings BEGIN SELECT RAISE(ABORT, 'project_closings_append_only'); END;
CREATE TRIGGER exemplars_no_update BEFORE UPDATE ON exemplars BEGIN SELECT RAISE(ABORT, 'exemplars_append_only'); END;
CREATE TRIGGER exemplars_no_delete BEFORE DELETE ON exemplars BEGIN SELECT RAISE(ABORT, 'exemplars_append_only'); END;
CREATE TRIGGER exemplar_copies_no_update BEFORE UPDATE ON exemplar_copies BEGIN SELECT RAISE(ABORT, 'exemplar_copies_append_only'); END;
CREATE TRIGGER exemplar_copies_no_delete BEFORE DELETE ON exemplar_copies BEGIN SELECT RAISE(ABORT, 'exemplar_copies_append_only'); END;
--end
