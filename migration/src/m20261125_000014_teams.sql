-- A team is led by one of its members. Who leaves keeps the row: a roster is also a history.
CREATE TABLE teams (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT teams_community REFERENCES places (id),
    place_id UUID NOT NULL CONSTRAINT teams_place REFERENCES places (id),
    place_path PATH NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    leader_id UUID NOT NULL CONSTRAINT teams_leader REFERENCES users (id),
    created_by UUID NOT NULL CONSTRAINT teams_created_by REFERENCES users (id),
    created_at TIME NOT NULL
);
CREATE INDEX teams_list ON teams (community_id, id);
CREATE INDEX teams_at_place ON teams (place_path, id);

-- Joining takes two: whoever asked (the person: a request; a leader or staff: an invitation) does not answer.
CREATE TABLE team_members (
    id UUID NOT NULL PRIMARY KEY,
    team_id UUID NOT NULL CONSTRAINT team_members_team REFERENCES teams (id),
    user_id UUID NOT NULL CONSTRAINT team_members_user REFERENCES users (id),
    state text NOT NULL CONSTRAINT team_members_state CHECK (state IN ('requested', 'invited', 'active', 'refused', 'left', 'removed')),
    asked_by UUID NOT NULL CONSTRAINT team_members_asked_by REFERENCES users (id),
    asked_at TIME NOT NULL,
    answered_by UUID CONSTRAINT team_members_answered_by REFERENCES users (id),
    answered_at TIME,
    ended_by UUID CONSTRAINT team_members_ended_by REFERENCES users (id),
    ended_at TIME,
    CONSTRAINT team_members_asked CHECK (state <> 'requested' OR asked_by = user_id),
    CONSTRAINT team_members_not_by_oneself CHECK (answered_by IS NULL OR answered_by <> asked_by),
    CONSTRAINT team_members_ended CHECK ((state IN ('left', 'removed')) = (ended_by IS NOT NULL))
);
CREATE UNIQUE INDEX team_members_one_live ON team_members (team_id, user_id) WHERE state IN ('requested', 'invited', 'active');
CREATE INDEX team_members_list ON team_members (team_id, id);
CREATE INDEX team_members_mine ON team_members (user_id, id);

-- What a member can do. Only what somebody else has confirmed qualifies for a shift.
CREATE TABLE team_skills (
    member_id UUID NOT NULL CONSTRAINT team_skills_member REFERENCES team_members (id),
    skill text NOT NULL,
    user_id UUID NOT NULL CONSTRAINT team_skills_user REFERENCES users (id),
    confirmed_by UUID CONSTRAINT team_skills_confirmed_by REFERENCES users (id),
    confirmed_at TIME,
    PRIMARY KEY (member_id, skill),
    CONSTRAINT team_skills_not_by_oneself CHECK (confirmed_by IS NULL OR confirmed_by <> user_id)
);
CREATE INDEX team_skills_confirmed ON team_skills (user_id, skill) WHERE confirmed_by IS NOT NULL;
