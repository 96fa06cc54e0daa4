-- The project that answers a need. The demo of the first release has one in a project that nobody noted.
ALTER TABLE needs ADD COLUMN project_id UUID CONSTRAINT needs_project REFERENCES projects (id);
CREATE INDEX needs_of_project ON needs (project_id) WHERE project_id IS NOT NULL;
