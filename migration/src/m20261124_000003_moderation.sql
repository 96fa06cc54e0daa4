CREATE TABLE files (
    id UUID NOT NULL PRIMARY KEY,
    owner_id UUID NOT NULL CONSTRAINT files_owner REFERENCES users (id),
    content_type text NOT NULL,
    bytes bigint NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    sha256 text NOT NULL,
    state text NOT NULL CONSTRAINT files_state CHECK (state IN ('pending', 'passed', 'review', 'blocked')),
    trace_id text,
    created_at TIME NOT NULL,
    CONSTRAINT files_trace UNIQUE (trace_id)
);
CREATE INDEX files_owner_created ON files (owner_id, created_at);

CREATE TABLE moderation_items (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT moderation_items_community REFERENCES places (id),
    place_path PATH NOT NULL,
    target_kind text NOT NULL,
    target_id UUID NOT NULL,
    reason text NOT NULL CONSTRAINT moderation_items_reason CHECK (reason IN ('new', 'risky', 'reported')),
    excerpt text NOT NULL,
    state text NOT NULL CONSTRAINT moderation_items_state CHECK (state IN ('open', 'closed')),
    action text,
    decision_reason text,
    decided_by UUID CONSTRAINT moderation_items_decided_by REFERENCES users (id),
    decided_at TIME,
    created_at TIME NOT NULL,
    CONSTRAINT moderation_items_decided CHECK ((state = 'closed') = (action IS NOT NULL))
);
CREATE UNIQUE INDEX moderation_items_one_open ON moderation_items (target_kind, target_id) WHERE state = 'open';
CREATE INDEX moderation_items_queue ON moderation_items (community_id, state, id);

CREATE TABLE reports (
    id UUID NOT NULL PRIMARY KEY,
    reporter_id UUID NOT NULL CONSTRAINT reports_reporter REFERENCES users (id),
    target_kind text NOT NULL,
    target_id UUID NOT NULL,
    item_id UUID NOT NULL CONSTRAINT reports_item REFERENCES moderation_items (id),
    reason text NOT NULL,
    created_at TIME NOT NULL,
    CONSTRAINT reports_once UNIQUE (reporter_id, target_kind, target_id)
);

CREATE TABLE complaints (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL CONSTRAINT complaints_user REFERENCES users (id),
    community_id UUID CONSTRAINT complaints_community REFERENCES places (id),
    place_path PATH NOT NULL,
    about text,
    body text NOT NULL,
    created_at TIME NOT NULL
);
CREATE INDEX complaints_list ON complaints (community_id, id);
