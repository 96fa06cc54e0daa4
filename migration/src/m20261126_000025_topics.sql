-- What a poll is about: whoever registered the word takes its result when it closes.
ALTER TABLE polls ADD COLUMN subject_kind text;
ALTER TABLE polls ADD COLUMN subject_id UUID CONSTRAINT polls_subject CHECK ((subject_id IS NULL) = (subject_kind IS NULL));
CREATE INDEX polls_of_subject ON polls (subject_id) WHERE subject_id IS NOT NULL;

-- Needs that are talked over together, and what was decided.
CREATE TABLE topics (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT topics_community REFERENCES places (id),
    place_id UUID NOT NULL CONSTRAINT topics_place REFERENCES places (id),
    place_path PATH NOT NULL,
    title text NOT NULL,
    summary text NOT NULL,
    state text NOT NULL CONSTRAINT topics_state CHECK (state IN ('open', 'voting', 'resolved')),
    resolution text CONSTRAINT topics_resolution CHECK (resolution IN ('design_project', 'handle_directly', 'vote', 'do_not_proceed')),
    reason text,
    poll_id UUID CONSTRAINT topics_poll REFERENCES polls (id),
    adopted boolean,
    created_by UUID NOT NULL CONSTRAINT topics_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    decided_by UUID CONSTRAINT topics_decided_by REFERENCES users (id),
    decided_at TIME,
    CONSTRAINT topics_decided CHECK ((state = 'open') = (resolution IS NULL) AND (state = 'open') = (reason IS NULL)
        AND (state = 'open') = (decided_by IS NULL) AND (state = 'open') = (decided_at IS NULL)),
    CONSTRAINT topics_vote CHECK ((COALESCE(resolution, '') = 'vote') = (poll_id IS NOT NULL) AND (state <> 'voting' OR resolution = 'vote')),
    CONSTRAINT topics_adopted CHECK ((state = 'resolved' AND COALESCE(resolution, '') = 'vote') = (adopted IS NOT NULL))
);
CREATE INDEX topics_list ON topics (community_id, id);
CREATE INDEX topics_places ON topics (place_path, id);

-- A need is in one topic at a time.
CREATE TABLE topic_needs (
    topic_id UUID NOT NULL CONSTRAINT topic_needs_topic REFERENCES topics (id),
    need_id UUID NOT NULL CONSTRAINT topic_needs_need REFERENCES needs (id),
    added_by UUID NOT NULL CONSTRAINT topic_needs_added_by REFERENCES users (id),
    added_at TIME NOT NULL,
    removed_at TIME,
    PRIMARY KEY (topic_id, need_id)
);
CREATE UNIQUE INDEX topic_needs_one_live ON topic_needs (need_id) WHERE removed_at IS NULL;

-- A meeting over a topic. Its minutes are recorded by one and confirmed by another.
CREATE TABLE deliberations (
    id UUID NOT NULL PRIMARY KEY,
    topic_id UUID NOT NULL CONSTRAINT deliberations_topic REFERENCES topics (id),
    community_id UUID NOT NULL CONSTRAINT deliberations_community REFERENCES places (id),
    place_path PATH NOT NULL,
    venue text NOT NULL,
    agenda text NOT NULL,
    starts_at TIME NOT NULL,
    ends_at TIME NOT NULL,
    leader_id UUID NOT NULL CONSTRAINT deliberations_leader REFERENCES users (id),
    created_by UUID NOT NULL CONSTRAINT deliberations_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    called_off_at TIME,
    call_off_reason text,
    minutes text,
    minutes_by UUID CONSTRAINT deliberations_minutes_by REFERENCES users (id),
    minutes_at TIME,
    confirmed_by UUID CONSTRAINT deliberations_confirmed_by REFERENCES users (id),
    confirmed_at TIME,
    CONSTRAINT deliberations_time CHECK (starts_at < ends_at),
    CONSTRAINT deliberations_called_off CHECK ((called_off_at IS NULL) = (call_off_reason IS NULL)),
    CONSTRAINT deliberations_minutes CHECK ((minutes IS NULL) = (minutes_by IS NULL) AND (minutes IS NULL) = (minutes_at IS NULL)),
    CONSTRAINT deliberations_confirmed CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL) AND (confirmed_by IS NULL OR minutes IS NOT NULL)),
    CONSTRAINT deliberations_by_two CHECK (confirmed_by IS NULL OR confirmed_by <> minutes_by)
);
CREATE INDEX deliberations_of_topic ON deliberations (topic_id, id);

CREATE TABLE deliberation_attendances (
    deliberation_id UUID NOT NULL CONSTRAINT deliberation_attendances_deliberation REFERENCES deliberations (id),
    user_id UUID NOT NULL CONSTRAINT deliberation_attendances_user REFERENCES users (id),
    method text NOT NULL CONSTRAINT deliberation_attendances_method CHECK (method IN ('code', 'mark')),
    marked_by UUID CONSTRAINT deliberation_attendances_marked_by REFERENCES users (id),
    at TIME NOT NULL,
    confirmed_by UUID CONSTRAINT deliberation_attendances_confirmed_by REFERENCES users (id),
    confirmed_at TIME,
    PRIMARY KEY (deliberation_id, user_id),
    CONSTRAINT deliberation_attendances_marked CHECK ((method = 'mark') = (marked_by IS NOT NULL)),
    CONSTRAINT deliberation_attendances_confirmed CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)),
    CONSTRAINT deliberation_attendances_not_by_oneself CHECK
        ((marked_by IS NULL OR marked_by <> user_id) AND (confirmed_by IS NULL OR confirmed_by <> user_id))
);

CREATE TABLE topic_comments (
    id UUID NOT NULL PRIMARY KEY,
    topic_id UUID NOT NULL CONSTRAINT topic_comments_topic REFERENCES topics (id),
    community_id UUID NOT NULL CONSTRAINT topic_comments_community REFERENCES places (id),
    place_path PATH NOT NULL,
    author_id UUID NOT NULL CONSTRAINT topic_comments_author REFERENCES users (id),
    body text NOT NULL,
    published boolean NOT NULL,
    hidden boolean NOT NULL,
    created_at TIME NOT NULL
);
CREATE INDEX topic_comments_list ON topic_comments (topic_id, id);
CREATE INDEX topic_comments_day ON topic_comments (author_id, created_at);
