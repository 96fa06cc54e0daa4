-- What the figures of a place read: needs and projects by place and state, and what is over its day, oldest first.
CREATE INDEX needs_figures ON needs (place_path, state) WHERE NOT hidden;
CREATE INDEX projects_figures ON projects (place_path, state);
CREATE INDEX projects_standing ON projects (state) WHERE state IN ('tendering', 'awarding', 'rectifying');
CREATE INDEX milestones_due ON milestones (due_at) WHERE state IN ('planned', 'submitted', 'returned');
CREATE INDEX tenders_unopened ON tenders (closes_at) WHERE state = 'live' AND opened_at IS NULL;
