CREATE TABLE organisations (
    id UUID NOT NULL PRIMARY KEY,
    name text NOT NULL,
    state text NOT NULL CONSTRAINT organisations_state CHECK (state IN ('registered', 'incubating', 'guided')),
    place_id UUID CONSTRAINT organisations_place REFERENCES places (id),
    created_at TIME NOT NULL,
    CONSTRAINT organisations_name UNIQUE (name)
);

CREATE TABLE projects (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT projects_community REFERENCES places (id),
    place_id UUID NOT NULL CONSTRAINT projects_place REFERENCES places (id),
    place_path PATH NOT NULL,
    organisation_id UUID CONSTRAINT projects_organisation REFERENCES organisations (id),
    title text NOT NULL,
    summary text NOT NULL,
    budget_fen bigint NOT NULL CONSTRAINT projects_budget CHECK (budget_fen >= 0),
    state text NOT NULL CONSTRAINT projects_state CHECK (state IN ('proposed', 'running', 'finished')),
    figures JSON NOT NULL,
    created_by UUID CONSTRAINT projects_created_by REFERENCES users (id),
    created_at TIME NOT NULL
);
CREATE INDEX projects_list ON projects (community_id, id);
CREATE INDEX projects_place ON projects (place_path);

CREATE TABLE polls (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT polls_community REFERENCES places (id),
    place_id UUID NOT NULL CONSTRAINT polls_place REFERENCES places (id),
    place_path PATH NOT NULL,
    title text NOT NULL,
    kind text NOT NULL CONSTRAINT polls_kind CHECK (kind IN ('single', 'approval', 'yes_no')),
    max_choices integer NOT NULL CONSTRAINT polls_max_choices CHECK (max_choices >= 1),
    secret boolean NOT NULL,
    state text NOT NULL CONSTRAINT polls_state CHECK (state IN ('draft', 'open', 'closed')),
    opens_at TIME,
    closes_at TIME,
    opened_at TIME,
    closed_at TIME,
    electorate bigint,
    ballots bigint,
    result JSON,
    created_by UUID NOT NULL CONSTRAINT polls_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT polls_electorate_frozen CHECK ((state = 'draft') = (electorate IS NULL)),
    CONSTRAINT polls_result_after_closing CHECK ((state = 'closed') = (result IS NOT NULL)),
    CONSTRAINT polls_ballots_after_closing CHECK ((state = 'closed') = (ballots IS NOT NULL)),
    CONSTRAINT polls_turnout CHECK (ballots IS NULL OR ballots <= electorate)
);
CREATE INDEX polls_list ON polls (community_id, id);
CREATE INDEX polls_place ON polls (place_path);
CREATE INDEX polls_to_open ON polls (opens_at) WHERE state = 'draft';
CREATE INDEX polls_to_close ON polls (closes_at) WHERE state = 'open';

CREATE TABLE poll_options (
    id UUID NOT NULL PRIMARY KEY,
    poll_id UUID NOT NULL CONSTRAINT poll_options_poll REFERENCES polls (id),
    position integer NOT NULL,
    title text NOT NULL,
    project_id UUID CONSTRAINT poll_options_project REFERENCES projects (id),
    CONSTRAINT poll_options_position UNIQUE (poll_id, position)
);

CREATE TABLE poll_electors (
    poll_id UUID NOT NULL CONSTRAINT poll_electors_poll REFERENCES polls (id),
    user_id UUID NOT NULL CONSTRAINT poll_electors_user REFERENCES users (id),
    PRIMARY KEY (poll_id, user_id)
);

-- One participation an elector, and only an elector's: the primary key and the reference are the guards.
CREATE TABLE poll_participations (
    poll_id UUID NOT NULL,
    user_id UUID NOT NULL,
    PRIMARY KEY (poll_id, user_id),
    CONSTRAINT poll_participations_elector FOREIGN KEY (poll_id, user_id) REFERENCES poll_electors (poll_id, user_id)
--postgres
);
--sqlite
) WITHOUT ROWID;
--end

-- A secret ballot stands in the order of its random id, not in that of casting (no rowid on SQLite).
CREATE TABLE poll_ballots (
    id UUID NOT NULL PRIMARY KEY,
    poll_id UUID NOT NULL CONSTRAINT poll_ballots_poll REFERENCES polls (id),
    user_id UUID,
    choices JSON NOT NULL,
    cast_at TIME,
    CONSTRAINT poll_ballots_secret CHECK ((user_id IS NULL) = (cast_at IS NULL)),
    CONSTRAINT poll_ballots_once UNIQUE (poll_id, user_id)
--postgres
);
--sqlite
) WITHOUT ROWID;
--end
