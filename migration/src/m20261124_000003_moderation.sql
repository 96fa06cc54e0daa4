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
    -- Where it is used; a picture is used once, and moderators of that place see it.
    place_path PATH,
    -- What it belongs to is shown to everybody.
    public boolean NOT NULL,
    created_at TIME NOT NULL,
    CONSTRAINT files_trace UNIQUE (trace_id),
    CONSTRAINT files_public_in_use CHECK (place_path IS NOT NULL OR NOT public)
);
CREATE INDEX files_owner_created ON files (owner_id, created_at);

CREATE TABLE moderation_items (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT moderation_items_community REFERENCES places (id),
    place_path PATH NOT NULL,
    target_kind text NOT NULL,
    target_id UUID NOT NULL,
    author_id UUID NOT NULL CONSTRAINT moderation_items_author REFERENCES users (id),
    reason text NOT NULL CONSTRAINT moderation_items_reason CHECK (reason IN ('new', 'risky', 'reported')),
    -- How far WeChat's content security is; nothing for what only a report brought here.
    security text CONSTRAINT moderation_items_security CHECK (security IN ('text', 'pictures', 'passed', 'risky', 'unchecked')),
    excerpt text NOT NULL,
    report_count bigint NOT NULL CONSTRAINT moderation_items_report_count CHECK (report_count >= 0),
    state text NOT NULL CONSTRAINT moderation_items_state CHECK (state IN ('open', 'closed')),
    action text,
    decision_reason text,
    decided_by UUID CONSTRAINT moderation_items_decided_by REFERENCES users (id),
    decided_at TIME,
    created_at TIME NOT NULL,
    CONSTRAINT moderation_items_decided CHECK ((state = 'closed') = (action IS NOT NULL)),
    CONSTRAINT moderation_items_not_by_oneself CHECK (decided_by IS NULL OR decided_by <> author_id)
);
CREATE UNIQUE INDEX moderation_items_one_open ON moderation_items (target_kind, target_id) WHERE state = 'open';
CREATE INDEX moderation_items_queue ON moderation_items (community_id, state, id);
CREATE INDEX moderation_items_places ON moderation_items (state, place_path, id);
CREATE INDEX moderation_items_waiting ON moderation_items (security, created_at) WHERE security IN ('text', 'pictures');

CREATE TABLE moderation_item_files (
    item_id UUID NOT NULL CONSTRAINT moderation_item_files_item REFERENCES moderation_items (id),
    file_id UUID NOT NULL CONSTRAINT moderation_item_files_file REFERENCES files (id),
    PRIMARY KEY (item_id, file_id)
);
CREATE INDEX moderation_item_files_file_items ON moderation_item_files (file_id);

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
CREATE INDEX reports_of_item ON reports (item_id, id);

CREATE TABLE complaints (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL CONSTRAINT complaints_user REFERENCES users (id),
    community_id UUID CONSTRAINT complaints_community REFERENCES places (id),
    -- The building lived in; '/' for somebody without a residence, whose complaints the district reads.
    place_path PATH NOT NULL,
    about text,
    body text NOT NULL,
    created_at TIME NOT NULL
);
CREATE INDEX complaints_list ON complaints (place_path, id);
