-- What the figures of a place read: needs by place and state, and projects in one state by place.
CREATE INDEX needs_figures ON needs (place_path, state) WHERE NOT hidden;
CREATE INDEX projects_standing ON projects (state, place_path);
