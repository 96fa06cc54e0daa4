CREATE TABLE surveys (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT surveys_community REFERENCES places (id),
    place_id UUID NOT NULL CONSTRAINT surveys_place REFERENCES places (id),
    place_path PATH NOT NULL,
    title text NOT NULL,
    questions JSON NOT NULL,
    anonymous boolean NOT NULL,
    state text NOT NULL CONSTRAINT surveys_state CHECK (state IN ('draft', 'published')),
    created_by UUID NOT NULL CONSTRAINT surveys_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    published_at TIME,
    CONSTRAINT surveys_published CHECK ((state = 'draft') = (published_at IS NULL))
);
CREATE INDEX surveys_list ON surveys (community_id, id);
CREATE INDEX surveys_place_path ON surveys (place_path);

CREATE TABLE survey_pushes (
    id UUID NOT NULL PRIMARY KEY,
    survey_id UUID NOT NULL CONSTRAINT survey_pushes_survey REFERENCES surveys (id),
    pushed_by UUID NOT NULL CONSTRAINT survey_pushes_pushed_by REFERENCES users (id),
    building_ids JSON NOT NULL,
    audience bigint NOT NULL,
    created_at TIME NOT NULL
);
CREATE INDEX survey_pushes_survey_age ON survey_pushes (survey_id, created_at);

CREATE TABLE survey_audience (
    survey_id UUID NOT NULL CONSTRAINT survey_audience_survey REFERENCES surveys (id),
    user_id UUID NOT NULL CONSTRAINT survey_audience_user REFERENCES users (id),
    building_id UUID NOT NULL CONSTRAINT survey_audience_building REFERENCES places (id),
    push_id UUID NOT NULL CONSTRAINT survey_audience_push REFERENCES survey_pushes (id),
    answered boolean NOT NULL,
    PRIMARY KEY (survey_id, user_id)
);
CREATE INDEX survey_audience_mine ON survey_audience (user_id, survey_id);

-- An anonymous response stands in the order of its random id, not in that of arrival (no rowid on SQLite).
CREATE TABLE survey_responses (
    id UUID NOT NULL PRIMARY KEY,
    survey_id UUID NOT NULL CONSTRAINT survey_responses_survey REFERENCES surveys (id),
    user_id UUID,
    answers JSON NOT NULL,
    answered_at TIME,
    CONSTRAINT survey_responses_anonymous CHECK ((user_id IS NULL) = (answered_at IS NULL)),
    CONSTRAINT survey_responses_once UNIQUE (survey_id, user_id),
    CONSTRAINT survey_responses_audience FOREIGN KEY (survey_id, user_id) REFERENCES survey_audience (survey_id, user_id)
--postgres
);
--sqlite
) WITHOUT ROWID;
--end
CREATE INDEX survey_responses_page ON survey_responses (survey_id, id);
