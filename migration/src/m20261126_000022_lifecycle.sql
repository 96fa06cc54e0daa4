-- Money for a purpose: how much, for how many projects, by which rule, in which phases. A programme may be part of a larger one.
CREATE TABLE programmes (
    id UUID NOT NULL PRIMARY KEY,
    parent_id UUID CONSTRAINT programmes_parent REFERENCES programmes (id),
    place_id UUID NOT NULL CONSTRAINT programmes_place REFERENCES places (id),
    place_path PATH NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    budget_fen bigint NOT NULL CONSTRAINT programmes_budget CHECK (budget_fen > 0),
    cap_fen bigint NOT NULL CONSTRAINT programmes_cap CHECK (cap_fen > 0 AND cap_fen <= budget_fen),
    count_target bigint NOT NULL CONSTRAINT programmes_count CHECK (count_target > 0),
    expert_weight bigint NOT NULL CONSTRAINT programmes_weight CHECK (expert_weight BETWEEN 0 AND 100),
    allocation text NOT NULL CONSTRAINT programmes_allocation CHECK (allocation IN ('ranked')),
    rubric JSON NOT NULL,
    min_reviews bigint NOT NULL CONSTRAINT programmes_min_reviews CHECK (min_reviews BETWEEN 1 AND 20),
    objection_days bigint NOT NULL CONSTRAINT programmes_objection_days CHECK (objection_days BETWEEN 1 AND 60),
    proposals_from TIME NOT NULL,
    proposals_until TIME NOT NULL,
    reviews_until TIME NOT NULL,
    votes_until TIME NOT NULL,
    delivery_until TIME NOT NULL,
    state text NOT NULL CONSTRAINT programmes_state CHECK (state IN ('draft', 'open', 'closed')),
    created_by UUID NOT NULL CONSTRAINT programmes_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT programmes_phases CHECK (proposals_from < proposals_until AND proposals_until <= reviews_until
        AND reviews_until <= votes_until AND votes_until < delivery_until),
    CONSTRAINT programmes_not_own_parent CHECK (parent_id IS NULL OR parent_id <> id)
);
CREATE INDEX programmes_list ON programmes (place_path, id);
CREATE INDEX programmes_parts ON programmes (parent_id) WHERE parent_id IS NOT NULL;

-- What src/projects/lifecycle.rs allows, for the database to hold everybody to; a test compares the two.
CREATE TABLE project_steps (
    action text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    PRIMARY KEY (action, from_state),
    CONSTRAINT project_steps_move UNIQUE (action, from_state, to_state)
);
INSERT INTO project_steps (action, from_state, to_state) VALUES
    ('submit', 'proposed', 'submitted'), ('submit', 'returned', 'submitted'),
    ('return', 'submitted', 'returned'),
    ('shortlist', 'submitted', 'shortlisted'),
    ('decline', 'submitted', 'declined'), ('decline', 'shortlisted', 'declined'),
    ('withdraw', 'proposed', 'withdrawn'), ('withdraw', 'submitted', 'withdrawn'), ('withdraw', 'returned', 'withdrawn'),
    ('select', 'shortlisted', 'selected'),
    ('tender', 'selected', 'tendering'),
    ('fail_tender', 'tendering', 'selected'),
    ('award', 'tendering', 'awarding'),
    ('set_aside', 'awarding', 'tendering'),
    ('contract', 'awarding', 'contracted'),
    ('start', 'contracted', 'running'),
    ('complete', 'running', 'completed'),
    ('evaluate', 'completed', 'evaluated'),
    ('rectify', 'completed', 'rectifying'),
    ('resubmit', 'rectifying', 'completed'),
    ('finish', 'evaluated', 'finished'),
    ('cancel', 'selected', 'cancelled'), ('cancel', 'tendering', 'cancelled'), ('cancel', 'awarding', 'cancelled'),
    ('terminate', 'contracted', 'terminated'), ('terminate', 'running', 'terminated'),
    ('terminate', 'completed', 'terminated'), ('terminate', 'rectifying', 'terminated');

--postgres
ALTER TABLE projects DROP CONSTRAINT projects_state;
ALTER TABLE projects ADD CONSTRAINT projects_state CHECK (state IN
    ('proposed', 'submitted', 'returned', 'shortlisted', 'declined', 'withdrawn', 'selected', 'tendering', 'awarding', 'contracted', 'running',
     'completed', 'rectifying', 'evaluated', 'finished', 'cancelled', 'terminated'));
ALTER TABLE projects ADD COLUMN programme_id UUID CONSTRAINT projects_programme REFERENCES programmes (id);
ALTER TABLE projects ADD COLUMN designer_id UUID CONSTRAINT projects_designer REFERENCES organisations (id);
ALTER TABLE projects ADD COLUMN version bigint NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN moves bigint NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN state_since TIME;
UPDATE projects SET state_since = created_at;
ALTER TABLE projects ALTER COLUMN state_since SET NOT NULL;
ALTER TABLE projects ALTER COLUMN version DROP DEFAULT;
ALTER TABLE projects ALTER COLUMN moves DROP DEFAULT;
ALTER TABLE projects ADD CONSTRAINT projects_funded CHECK
    (state IN ('proposed', 'running', 'finished', 'withdrawn') OR programme_id IS NOT NULL);
--sqlite
CREATE TABLE projects_new (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT projects_community REFERENCES places (id),
    place_id UUID NOT NULL CONSTRAINT projects_place REFERENCES places (id),
    place_path PATH NOT NULL,
    organisation_id UUID CONSTRAINT projects_organisation REFERENCES organisations (id),
    title text NOT NULL,
    summary text NOT NULL,
    budget_fen bigint NOT NULL CONSTRAINT projects_budget CHECK (budget_fen >= 0),
    state text NOT NULL CONSTRAINT projects_state CHECK (state IN
        ('proposed', 'submitted', 'returned', 'shortlisted', 'declined', 'withdrawn', 'selected', 'tendering', 'awarding', 'contracted', 'running',
         'completed', 'rectifying', 'evaluated', 'finished', 'cancelled', 'terminated')),
    figures JSON NOT NULL,
    created_by UUID CONSTRAINT projects_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    programme_id UUID CONSTRAINT projects_programme REFERENCES programmes (id),
    designer_id UUID CONSTRAINT projects_designer REFERENCES organisations (id),
    version bigint NOT NULL,
    moves bigint NOT NULL,
    state_since TIME NOT NULL,
    CONSTRAINT projects_funded CHECK (state IN ('proposed', 'running', 'finished', 'withdrawn') OR programme_id IS NOT NULL)
);
INSERT INTO projects_new SELECT id, community_id, place_id, place_path, organisation_id, title, summary, budget_fen, state, figures, created_by,
    created_at, NULL, NULL, 0, 0, created_at FROM projects;
DROP TABLE projects;
ALTER TABLE projects_new RENAME TO projects;
CREATE INDEX projects_list ON projects (community_id, id);
CREATE INDEX projects_place ON projects (place_path);
--end
CREATE INDEX projects_of_programme ON projects (programme_id, state, id) WHERE programme_id IS NOT NULL;

-- A project's way, step by step; only ever added.
CREATE TABLE project_moves (
    project_id UUID NOT NULL CONSTRAINT project_moves_project REFERENCES projects (id),
    seq bigint NOT NULL CONSTRAINT project_moves_seq CHECK (seq > 0),
    action text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    actor_id UUID CONSTRAINT project_moves_actor REFERENCES users (id),
    reason text,
    at TIME NOT NULL,
    PRIMARY KEY (project_id, seq),
    CONSTRAINT project_moves_step FOREIGN KEY (action, from_state, to_state) REFERENCES project_steps (action, from_state, to_state)
);

--postgres
CREATE FUNCTION refuse_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.moves <> OLD.moves + 1
        OR NOT EXISTS (SELECT 1 FROM project_steps s WHERE s.from_state = OLD.state AND s.to_state = NEW.state) THEN
        RAISE EXCEPTION 'no such step' USING ERRCODE = 'check_violation', CONSTRAINT = 'projects_lifecycle';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER projects_lifecycle BEFORE UPDATE OF state ON projects FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION refuse_step();
CREATE TRIGGER project_moves_append_only BEFORE UPDATE OR DELETE ON project_moves FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER project_steps_append_only BEFORE UPDATE OR DELETE ON project_steps FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER projects_lifecycle BEFORE UPDATE OF state ON projects
WHEN OLD.state <> NEW.state AND (NEW.moves <> OLD.moves + 1
    OR NOT EXISTS (SELECT 1 FROM project_steps s WHERE s.from_state = OLD.state AND s.to_state = NEW.state))
BEGIN SELECT RAISE(ABORT, 'projects_lifecycle'); END;
CREATE TRIGGER project_moves_no_update BEFORE UPDATE ON project_moves BEGIN SELECT RAISE(ABORT, 'project_moves_append_only'); END;
CREATE TRIGGER project_moves_no_delete BEFORE DELETE ON project_moves BEGIN SELECT RAISE(ABORT, 'project_moves_append_only'); END;
CREATE TRIGGER project_steps_no_update BEFORE UPDATE ON project_steps BEGIN SELECT RAISE(ABORT, 'project_steps_append_only'); END;
CREATE TRIGGER project_steps_no_delete BEFORE DELETE ON project_steps BEGIN SELECT RAISE(ABORT, 'project_steps_append_only'); END;
--end
