-- Rules of issue 4 that only the code kept until now. What has ended stays ended, what was decided stays decided, and what has a time
-- is in time, whoever writes.

-- Needs that a project gave back while their topic was undecided are in that topic.
UPDATE needs SET state = 'in_topic' WHERE state = 'published' AND id IN (SELECT x.need_id FROM topic_needs x JOIN topics t ON t.id = x.topic_id
    WHERE x.removed_at IS NULL AND t.state <> 'resolved');
-- Those that a decided topic still held have left it, so that another can take them in.
UPDATE topic_needs SET removed_at = (SELECT t.decided_at FROM topics t WHERE t.id = topic_needs.topic_id) WHERE removed_at IS NULL
    AND need_id IN (SELECT n.id FROM needs n WHERE n.state = 'published')
    AND topic_id IN (SELECT t.id FROM topics t WHERE t.state = 'resolved');

--postgres
CREATE FUNCTION refuse_as(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refused by %', name USING ERRCODE = 'check_violation', CONSTRAINT = name;
END $$;
-- For triggers whose condition says everything: the refusal has the trigger's name.
CREATE FUNCTION refuse_always() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_as(TG_NAME);
    RETURN NEW;
END $$;

-- A need that was resolved, declined or withdrawn is not taken up again, nor is one reviewed twice; one that was merged only comes back.
CREATE TRIGGER needs_lifecycle BEFORE UPDATE OF state ON needs FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND (OLD.state IN ('resolved', 'declined', 'withdrawn') OR NEW.state = 'in_review'
        OR (OLD.state = 'merged' AND NEW.state <> 'published')))
    EXECUTE FUNCTION refuse_always();

-- A topic is decided once; the result of its vote is all that comes after.
CREATE TRIGGER topics_decided_for_good BEFORE UPDATE ON topics FOR EACH ROW
    WHEN (OLD.state = 'resolved' OR (OLD.state = 'voting' AND (NEW.state = 'open'
        OR (NEW.resolution, NEW.reason, NEW.poll_id, NEW.decided_by, NEW.decided_at)
            IS DISTINCT FROM (OLD.resolution, OLD.reason, OLD.poll_id, OLD.decided_by, OLD.decided_at))))
    EXECUTE FUNCTION refuse_always();
CREATE FUNCTION refuse_late_comment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM topics t WHERE t.id = NEW.topic_id AND t.state = 'resolved') THEN
        PERFORM refuse_as('topic_comments_in_time');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER topic_comments_in_time BEFORE INSERT ON topic_comments FOR EACH ROW EXECUTE FUNCTION refuse_late_comment();

-- Minutes that a second person confirmed stay as they were read.
CREATE TRIGGER deliberations_confirmed_for_good BEFORE UPDATE OR DELETE ON deliberations FOR EACH ROW
    WHEN (OLD.confirmed_at IS NOT NULL) EXECUTE FUNCTION refuse_always();

-- A closed case takes no more notes.
CREATE FUNCTION refuse_case_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM case_files c WHERE c.id = NEW.case_id AND c.state = 'closed') THEN
        PERFORM refuse_as('case_notes_while_open');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER case_notes_while_open BEFORE INSERT ON case_notes FOR EACH ROW EXECUTE FUNCTION refuse_case_note();

-- An expert reviews while on the panel and until the reviews end, and only what is handed in now.
CREATE FUNCTION refuse_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM programme_experts e WHERE e.programme_id = NEW.programme_id AND e.user_id = NEW.reviewer_id
        AND e.removed_at IS NOT NULL) THEN
        PERFORM refuse_as('project_reviews_on_panel');
    END IF;
    IF EXISTS (SELECT 1 FROM programmes p WHERE p.id = NEW.programme_id AND (p.state <> 'open' OR NEW.created_at >= p.reviews_until)) THEN
        PERFORM refuse_as('project_reviews_in_time');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM projects j WHERE j.id = NEW.project_id AND j.programme_id = NEW.programme_id AND j.state = 'submitted'
        AND j.version = NEW.version) THEN
        PERFORM refuse_as('project_reviews_of_what_is_handed_in');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER project_reviews_on_panel BEFORE INSERT ON project_reviews FOR EACH ROW EXECUTE FUNCTION refuse_review();

-- The two people of a selection are those who proposed and who confirm: the first is the proposal's.
CREATE FUNCTION refuse_selection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM programme_selections s JOIN projects j ON j.programme_id = s.programme_id
        WHERE s.id = NEW.selection_id AND j.id = NEW.project_id AND s.proposed_by = NEW.proposed_by) THEN
        PERFORM refuse_as('project_selections_as_proposed');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER project_selections_as_proposed BEFORE INSERT ON project_selections FOR EACH ROW EXECUTE FUNCTION refuse_selection();

-- What a supervisor found is not taken away, nor what was done about it once it is checked.
CREATE TRIGGER findings_append_only BEFORE DELETE ON findings FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rectifications_append_only BEFORE DELETE ON rectifications FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rectifications_checked_for_good BEFORE UPDATE ON rectifications FOR EACH ROW
    WHEN (OLD.verdict IS NOT NULL) EXECUTE FUNCTION refuse_always();

-- Money of a fund: what was received or spent is never another sum, nor somebody else's, and what was taken back stays so.
CREATE TRIGGER fund_receipts_kept BEFORE UPDATE ON fund_receipts FOR EACH ROW
    WHEN (OLD.reversed_at IS NOT NULL
        OR (NEW.fund_id, NEW.kind, NEW.tariff_id, NEW.vehicle_id, NEW.period, NEW.payer_id, NEW.fen, NEW.recorded_by, NEW.recorded_at)
            IS DISTINCT FROM
            (OLD.fund_id, OLD.kind, OLD.tariff_id, OLD.vehicle_id, OLD.period, OLD.payer_id, OLD.fen, OLD.recorded_by, OLD.recorded_at))
    EXECUTE FUNCTION refuse_always();
CREATE TRIGGER fund_expenses_kept BEFORE UPDATE ON fund_expenses FOR EACH ROW
    WHEN (OLD.state IN ('refused', 'withdrawn', 'reversed') OR (OLD.state = 'confirmed' AND NEW.state <> 'reversed')
        OR (OLD.state = 'proposed' AND NEW.state = 'reversed')
        OR (NEW.fund_id, NEW.kind, NEW.payee_id, NEW.purpose, NEW.fen, NEW.proposed_by, NEW.proposed_at)
            IS DISTINCT FROM (OLD.fund_id, OLD.kind, OLD.payee_id, OLD.purpose, OLD.fen, OLD.proposed_by, OLD.proposed_at))
    EXECUTE FUNCTION refuse_always();
CREATE TRIGGER fund_receipts_append_only BEFORE DELETE ON fund_receipts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER fund_expenses_append_only BEFORE DELETE ON fund_expenses FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A centre is handed to who is in the pool, not to who asked to be.
CREATE FUNCTION refuse_operator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM operator_admissions a WHERE a.id = NEW.operator_admission_id AND a.state = 'admitted') THEN
        PERFORM refuse_as('platforms_admitted');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER platforms_admitted BEFORE INSERT OR UPDATE OF operator_admission_id ON platforms FOR EACH ROW
    WHEN (NEW.operator_admission_id IS NOT NULL) EXECUTE FUNCTION refuse_operator();

-- Rounds take applications in their time, and scores between that and their list.
CREATE FUNCTION refuse_admission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM operator_rounds r WHERE r.id = NEW.round_id AND (NEW.applied_at < r.opens_at OR NEW.applied_at >= r.closes_at)) THEN
        PERFORM refuse_as('operator_admissions_in_time');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER operator_admissions_in_time BEFORE INSERT ON operator_admissions FOR EACH ROW EXECUTE FUNCTION refuse_admission();
CREATE FUNCTION refuse_application() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM talent_rounds r WHERE r.id = NEW.round_id AND (NEW.applied_at < r.opens_at OR NEW.applied_at >= r.closes_at)) THEN
        PERFORM refuse_as('talent_applications_in_time');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER talent_applications_in_time BEFORE INSERT ON talent_applications FOR EACH ROW EXECUTE FUNCTION refuse_application();
CREATE FUNCTION refuse_score() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM talent_applications a JOIN talent_rounds r ON r.id = a.round_id
        WHERE a.id = NEW.application_id AND (NEW.scored_at < r.closes_at OR r.published_at IS NOT NULL)) THEN
        PERFORM refuse_as('talent_scores_in_time');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER talent_scores_in_time BEFORE INSERT OR UPDATE ON talent_scores FOR EACH ROW EXECUTE FUNCTION refuse_score();
--sqlite
CREATE TRIGGER needs_lifecycle BEFORE UPDATE OF state ON needs
WHEN OLD.state <> NEW.state AND (OLD.state IN ('resolved', 'declined', 'withdrawn') OR NEW.state = 'in_review'
    OR (OLD.state = 'merged' AND NEW.state <> 'published'))
BEGIN SELECT RAISE(ABORT, 'needs_lifecycle'); END;
CREATE TRIGGER topics_decided_for_good BEFORE UPDATE ON topics
WHEN OLD.state = 'resolved' OR (OLD.state = 'voting' AND (NEW.state = 'open'
    OR (NEW.resolution, NEW.reason, NEW.poll_id, NEW.decided_by, NEW.decided_at)
        IS NOT (OLD.resolution, OLD.reason, OLD.poll_id, OLD.decided_by, OLD.decided_at)))
BEGIN SELECT RAISE(ABORT, 'topics_decided_for_good'); END;
CREATE TRIGGER topic_comments_in_time BEFORE INSERT ON topic_comments
WHEN EXISTS (SELECT 1 FROM topics t WHERE t.id = NEW.topic_id AND t.state = 'resolved')
BEGIN SELECT RAISE(ABORT, 'topic_comments_in_time'); END;
CREATE TRIGGER deliberations_confirmed_for_good BEFORE UPDATE ON deliberations WHEN OLD.confirmed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'deliberations_confirmed_for_good'); END;
CREATE TRIGGER deliberations_no_delete BEFORE DELETE ON deliberations WHEN OLD.confirmed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'deliberations_confirmed_for_good'); END;
CREATE TRIGGER case_notes_while_open BEFORE INSERT ON case_notes
WHEN EXISTS (SELECT 1 FROM case_files c WHERE c.id = NEW.case_id AND c.state = 'closed')
BEGIN SELECT RAISE(ABORT, 'case_notes_while_open'); END;
CREATE TRIGGER project_reviews_on_panel BEFORE INSERT ON project_reviews
WHEN EXISTS (SELECT 1 FROM programme_experts e WHERE e.programme_id = NEW.programme_id AND e.user_id = NEW.reviewer_id AND e.removed_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'project_reviews_on_panel'); END;
CREATE TRIGGER project_reviews_in_time BEFORE INSERT ON project_reviews
WHEN EXISTS (SELECT 1 FROM programmes p WHERE p.id = NEW.programme_id AND (p.state <> 'open' OR NEW.created_at >= p.reviews_until))
BEGIN SELECT RAISE(ABORT, 'project_reviews_in_time'); END;
CREATE TRIGGER project_reviews_of_what_is_handed_in BEFORE INSERT ON project_reviews
WHEN NOT EXISTS (SELECT 1 FROM projects j WHERE j.id = NEW.project_id AND j.programme_id = NEW.programme_id AND j.state = 'submitted'
    AND j.version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'project_reviews_of_what_is_handed_in'); END;
CREATE TRIGGER project_selections_as_proposed BEFORE INSERT ON project_selections
WHEN NOT EXISTS (SELECT 1 FROM programme_selections s JOIN projects j ON j.programme_id = s.programme_id
    WHERE s.id = NEW.selection_id AND j.id = NEW.project_id AND s.proposed_by = NEW.proposed_by)
BEGIN SELECT RAISE(ABORT, 'project_selections_as_proposed'); END;
CREATE TRIGGER findings_no_delete BEFORE DELETE ON findings BEGIN SELECT RAISE(ABORT, 'findings_append_only'); END;
CREATE TRIGGER rectifications_no_delete BEFORE DELETE ON rectifications BEGIN SELECT RAISE(ABORT, 'rectifications_append_only'); END;
CREATE TRIGGER rectifications_checked_for_good BEFORE UPDATE ON rectifications WHEN OLD.verdict IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'rectifications_checked_for_good'); END;
CREATE TRIGGER fund_receipts_kept BEFORE UPDATE ON fund_receipts
WHEN OLD.reversed_at IS NOT NULL
    OR (NEW.fund_id, NEW.kind, NEW.tariff_id, NEW.vehicle_id, NEW.period, NEW.payer_id, NEW.fen, NEW.recorded_by, NEW.recorded_at)
        IS NOT (OLD.fund_id, OLD.kind, OLD.tariff_id, OLD.vehicle_id, OLD.period, OLD.payer_id, OLD.fen, OLD.recorded_by, OLD.recorded_at)
BEGIN SELECT RAISE(ABORT, 'fund_receipts_kept'); END;
CREATE TRIGGER fund_expenses_kept BEFORE UPDATE ON fund_expenses
WHEN OLD.state IN ('refused', 'withdrawn', 'reversed') OR (OLD.state = 'confirmed' AND NEW.state <> 'reversed')
    OR (OLD.state = 'proposed' AND NEW.state = 'reversed')
    OR (NEW.fund_id, NEW.kind, NEW.payee_id, NEW.purpose, NEW.fen, NEW.proposed_by, NEW.proposed_at)
        IS NOT (OLD.fund_id, OLD.kind, OLD.payee_id, OLD.purpose, OLD.fen, OLD.proposed_by, OLD.proposed_at)
BEGIN SELECT RAISE(ABORT, 'fund_expenses_kept'); END;
CREATE TRIGGER fund_receipts_no_delete BEFORE DELETE ON fund_receipts BEGIN SELECT RAISE(ABORT, 'fund_receipts_append_only'); END;
CREATE TRIGGER fund_expenses_no_delete BEFORE DELETE ON fund_expenses BEGIN SELECT RAISE(ABORT, 'fund_expenses_append_only'); END;
CREATE TRIGGER platforms_admitted BEFORE UPDATE OF operator_admission_id ON platforms
WHEN NEW.operator_admission_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM operator_admissions a WHERE a.id = NEW.operator_admission_id AND a.state = 'admitted')
BEGIN SELECT RAISE(ABORT, 'platforms_admitted'); END;
CREATE TRIGGER platforms_admitted_new BEFORE INSERT ON platforms
WHEN NEW.operator_admission_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM operator_admissions a WHERE a.id = NEW.operator_admission_id AND a.state = 'admitted')
BEGIN SELECT RAISE(ABORT, 'platforms_admitted'); END;
CREATE TRIGGER operator_admissions_in_time BEFORE INSERT ON operator_admissions
WHEN EXISTS (SELECT 1 FROM operator_rounds r WHERE r.id = NEW.round_id AND (NEW.applied_at < r.opens_at OR NEW.applied_at >= r.closes_at))
BEGIN SELECT RAISE(ABORT, 'operator_admissions_in_time'); END;
CREATE TRIGGER talent_applications_in_time BEFORE INSERT ON talent_applications
WHEN EXISTS (SELECT 1 FROM talent_rounds r WHERE r.id = NEW.round_id AND (NEW.applied_at < r.opens_at OR NEW.applied_at >= r.closes_at))
BEGIN SELECT RAISE(ABORT, 'talent_applications_in_time'); END;
CREATE TRIGGER talent_scores_in_time BEFORE INSERT ON talent_scores
WHEN EXISTS (SELECT 1 FROM talent_applications a JOIN talent_rounds r ON r.id = a.round_id
    WHERE a.id = NEW.application_id AND (NEW.scored_at < r.closes_at OR r.published_at IS NOT NULL))
BEGIN SELECT RAISE(ABORT, 'talent_scores_in_time'); END;
CREATE TRIGGER talent_scores_in_time_anew BEFORE UPDATE ON talent_scores
WHEN EXISTS (SELECT 1 FROM talent_applications a JOIN talent_rounds r ON r.id = a.round_id
    WHERE a.id = NEW.application_id AND (NEW.scored_at < r.closes_at OR r.published_at IS NOT NULL))
BEGIN SELECT RAISE(ABORT, 'talent_scores_in_time'); END;
--end
