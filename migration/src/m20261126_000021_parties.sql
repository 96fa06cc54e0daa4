-- Who belongs to an organisation, and since when; rows end, they are not taken away.
CREATE TABLE organisation_people (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL CONSTRAINT organisation_people_organisation REFERENCES organisations (id),
    user_id UUID NOT NULL CONSTRAINT organisation_people_user REFERENCES users (id),
    role text NOT NULL CONSTRAINT organisation_people_role CHECK (role IN ('head', 'member')),
    duty text NOT NULL,
    since TIME NOT NULL,
    added_by UUID CONSTRAINT organisation_people_added_by REFERENCES users (id),
    ended_at TIME,
    ended_by UUID CONSTRAINT organisation_people_ended_by REFERENCES users (id),
    CONSTRAINT organisation_people_end CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX organisation_people_one_live ON organisation_people (organisation_id, user_id) WHERE ended_at IS NULL;
CREATE INDEX organisation_people_of_person ON organisation_people (user_id) WHERE ended_at IS NULL;

-- Who does what in a project. Three different organisations: one organisation has one part in one project.
CREATE TABLE project_parties (
    project_id UUID NOT NULL CONSTRAINT project_parties_project REFERENCES projects (id),
    part text NOT NULL CONSTRAINT project_parties_part CHECK (part IN ('implementer', 'supervisor', 'evaluator')),
    organisation_id UUID NOT NULL CONSTRAINT project_parties_organisation REFERENCES organisations (id),
    assigned_by UUID CONSTRAINT project_parties_assigned_by REFERENCES users (id),
    assigned_at TIME NOT NULL,
    PRIMARY KEY (project_id, part),
    CONSTRAINT project_parties_apart UNIQUE (project_id, organisation_id)
);
CREATE INDEX project_parties_of ON project_parties (organisation_id);
INSERT INTO project_parties (project_id, part, organisation_id, assigned_by, assigned_at)
SELECT id, 'implementer', organisation_id, created_by, created_at FROM projects WHERE organisation_id IS NOT NULL;

-- Nor do two of a project's parties share a person. Both sides lock the organisations first, so that neither misses the other.
--postgres
CREATE FUNCTION refuse_shared_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM project_parties a
        JOIN project_parties b ON b.project_id = a.project_id AND b.part <> a.part
        JOIN organisation_people p ON p.organisation_id = a.organisation_id AND p.ended_at IS NULL
        JOIN organisation_people q ON q.organisation_id = b.organisation_id AND q.ended_at IS NULL AND q.user_id = p.user_id
        WHERE a.organisation_id = NEW.organisation_id
    ) THEN
        RAISE EXCEPTION 'parties of a project share a person' USING ERRCODE = 'check_violation', CONSTRAINT = 'project_parties_no_shared_people';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER project_parties_no_shared_people AFTER INSERT OR UPDATE ON project_parties FOR EACH ROW EXECUTE FUNCTION refuse_shared_people();
CREATE TRIGGER organisation_people_no_shared_people AFTER INSERT OR UPDATE ON organisation_people FOR EACH ROW EXECUTE FUNCTION refuse_shared_people();
--sqlite
CREATE TRIGGER project_parties_no_shared_people AFTER INSERT ON project_parties
WHEN EXISTS (
    SELECT 1 FROM project_parties a
    JOIN project_parties b ON b.project_id = a.project_id AND b.part <> a.part
    JOIN organisation_people p ON p.organisation_id = a.organisation_id AND p.ended_at IS NULL
    JOIN organisation_people q ON q.organisation_id = b.organisation_id AND q.ended_at IS NULL AND q.user_id = p.user_id
    WHERE a.organisation_id = NEW.organisation_id)
BEGIN SELECT RAISE(ABORT, 'project_parties_no_shared_people'); END;
CREATE TRIGGER project_parties_no_shared_people_changed AFTER UPDATE ON project_parties
WHEN EXISTS (
    SELECT 1 FROM project_parties a
    JOIN project_parties b ON b.project_id = a.project_id AND b.part <> a.part
    JOIN organisation_people p ON p.organisation_id = a.organisation_id AND p.ended_at IS NULL
    JOIN organisation_people q ON q.organisation_id = b.organisation_id AND q.ended_at IS NULL AND q.user_id = p.user_id
    WHERE a.organisation_id = NEW.organisation_id)
BEGIN SELECT RAISE(ABORT, 'project_parties_no_shared_people'); END;
CREATE TRIGGER organisation_people_no_shared_people AFTER INSERT ON organisation_people
WHEN EXISTS (
    SELECT 1 FROM project_parties a
    JOIN project_parties b ON b.project_id = a.project_id AND b.part <> a.part
    JOIN organisation_people q ON q.organisation_id = b.organisation_id AND q.ended_at IS NULL AND q.user_id = NEW.user_id
    WHERE a.organisation_id = NEW.organisation_id)
BEGIN SELECT RAISE(ABORT, 'project_parties_no_shared_people'); END;
--end
