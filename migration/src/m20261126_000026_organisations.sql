-- What a person says ties them to an organisation: who judges is refused by it. Rows end, they are not taken away.
CREATE TABLE organisation_conflicts (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL CONSTRAINT organisation_conflicts_user REFERENCES users (id),
    organisation_id UUID NOT NULL CONSTRAINT organisation_conflicts_organisation REFERENCES organisations (id),
    kind text NOT NULL CONSTRAINT organisation_conflicts_kind CHECK (kind IN ('family', 'employment', 'money', 'dispute', 'other')),
    declared_at TIME NOT NULL,
    ended_at TIME
);
CREATE UNIQUE INDEX organisation_conflicts_one_live ON organisation_conflicts (user_id, organisation_id, kind) WHERE ended_at IS NULL;
CREATE INDEX organisation_conflicts_of ON organisation_conflicts (user_id, organisation_id);
CREATE INDEX organisation_people_ever ON organisation_people (user_id, organisation_id);
CREATE INDEX organisation_people_list ON organisation_people (organisation_id, id);
