-- What social workers in charge keep of one person's trouble. Whom it is about and what it is stand there encrypted.
CREATE TABLE case_files (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT case_files_community REFERENCES places (id),
    place_id UUID NOT NULL CONSTRAINT case_files_place REFERENCES places (id),
    place_path PATH NOT NULL,
    origin text NOT NULL CONSTRAINT case_files_origin CHECK (origin IN ('need', 'project')),
    project_id UUID CONSTRAINT case_files_project REFERENCES projects (id),
    category text NOT NULL CONSTRAINT case_files_category CHECK (category IN ('charity', 'culture_education', 'rights', 'convenience')),
    subject_cipher text NOT NULL,
    summary_cipher text NOT NULL,
    state text NOT NULL CONSTRAINT case_files_state CHECK (state IN ('open', 'closed')),
    opened_by UUID NOT NULL CONSTRAINT case_files_opened_by REFERENCES users (id),
    opened_at TIME NOT NULL,
    closed_by UUID CONSTRAINT case_files_closed_by REFERENCES users (id),
    closed_at TIME,
    CONSTRAINT case_files_of_project CHECK ((origin = 'project') = (project_id IS NOT NULL)),
    CONSTRAINT case_files_closed CHECK ((state = 'closed') = (closed_by IS NOT NULL) AND (state = 'closed') = (closed_at IS NOT NULL))
);
CREATE INDEX case_files_opened ON case_files (opened_by, id);
CREATE INDEX case_files_list ON case_files (place_path, id);
CREATE INDEX case_files_count ON case_files (project_id) WHERE project_id IS NOT NULL;

-- Who may read a case. `added_by` is absent for those who were in charge when it was opened; nobody lets themself in.
CREATE TABLE case_handlers (
    id UUID NOT NULL PRIMARY KEY,
    case_id UUID NOT NULL CONSTRAINT case_handlers_case REFERENCES case_files (id),
    user_id UUID NOT NULL CONSTRAINT case_handlers_user REFERENCES users (id),
    added_by UUID CONSTRAINT case_handlers_added_by REFERENCES users (id),
    added_at TIME NOT NULL,
    removed_by UUID CONSTRAINT case_handlers_removed_by REFERENCES users (id),
    removed_at TIME,
    CONSTRAINT case_handlers_not_by_oneself CHECK (added_by IS NULL OR added_by <> user_id),
    CONSTRAINT case_handlers_removed CHECK ((removed_at IS NULL) = (removed_by IS NULL))
);
CREATE UNIQUE INDEX case_handlers_one_live ON case_handlers (case_id, user_id) WHERE removed_at IS NULL;
CREATE INDEX case_handlers_mine ON case_handlers (user_id, case_id) WHERE removed_at IS NULL;

CREATE TABLE case_notes (
    id UUID NOT NULL PRIMARY KEY,
    case_id UUID NOT NULL CONSTRAINT case_notes_case REFERENCES case_files (id),
    author_id UUID NOT NULL CONSTRAINT case_notes_author REFERENCES users (id),
    text_cipher text NOT NULL,
    at TIME NOT NULL
);
CREATE INDEX case_notes_list ON case_notes (case_id, id);
--postgres
CREATE TRIGGER case_notes_append_only BEFORE UPDATE OR DELETE ON case_notes FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER case_notes_no_update BEFORE UPDATE ON case_notes BEGIN SELECT RAISE(ABORT, 'case_notes_append_only'); END;
CREATE TRIGGER case_notes_no_delete BEFORE DELETE ON case_notes BEGIN SELECT RAISE(ABORT, 'case_notes_append_only'); END;
--end

-- Needs: by which way they came, on whose behalf, for whom, and when they must be answered. A need recorded for somebody without
-- an account has no author; whoever recorded it is never the author. `indexed_at` is set while `need_terms` finds it.
--postgres
ALTER TABLE needs ALTER COLUMN author_id DROP NOT NULL;
ALTER TABLE needs ADD COLUMN channel text NOT NULL DEFAULT 'mini_program' CONSTRAINT needs_channel CHECK
    (channel IN ('mini_program', 'household_visit', 'deliberation', 'chat_group', 'survey', 'on_site', 'hotline'));
ALTER TABLE needs ALTER COLUMN channel DROP DEFAULT;
ALTER TABLE needs ADD COLUMN recorder_id UUID CONSTRAINT needs_recorder REFERENCES users (id);
ALTER TABLE needs ADD COLUMN subject_cipher text;
ALTER TABLE needs ADD COLUMN consent_how text CONSTRAINT needs_consent_how CHECK (consent_how IN ('spoken', 'written', 'phone'));
ALTER TABLE needs ADD COLUMN consent_at TIME;
ALTER TABLE needs ADD COLUMN dispute text;
ALTER TABLE needs ADD COLUMN disputed_at TIME;
ALTER TABLE needs ADD COLUMN service text;
ALTER TABLE needs ADD COLUMN urgency text NOT NULL DEFAULT 'normal' CONSTRAINT needs_urgency CHECK (urgency IN ('normal', 'soon', 'urgent'));
ALTER TABLE needs ALTER COLUMN urgency DROP DEFAULT;
ALTER TABLE needs ADD COLUMN beneficiary_groups JSON NOT NULL DEFAULT '[]';
ALTER TABLE needs ALTER COLUMN beneficiary_groups DROP DEFAULT;
ALTER TABLE needs ADD COLUMN beneficiary_count bigint CONSTRAINT needs_beneficiary_count CHECK (beneficiary_count > 0);
ALTER TABLE needs ADD COLUMN due_at TIME;
ALTER TABLE needs ADD COLUMN answered_at TIME;
ALTER TABLE needs ADD COLUMN escalated_at TIME;
ALTER TABLE needs ADD COLUMN merged_into UUID CONSTRAINT needs_merged_into REFERENCES needs (id);
ALTER TABLE needs ADD COLUMN indexed_at TIME;
ALTER TABLE needs ADD CONSTRAINT needs_written_by CHECK (author_id IS NOT NULL OR (recorder_id IS NOT NULL AND subject_cipher IS NOT NULL));
ALTER TABLE needs ADD CONSTRAINT needs_recorder_not_author CHECK (recorder_id IS NULL OR author_id IS NULL OR recorder_id <> author_id);
ALTER TABLE needs ADD CONSTRAINT needs_consent CHECK
    ((recorder_id IS NULL) = (consent_how IS NULL) AND (recorder_id IS NULL) = (consent_at IS NULL) AND (recorder_id IS NOT NULL OR subject_cipher IS NULL));
ALTER TABLE needs ADD CONSTRAINT needs_disputed CHECK ((dispute IS NULL) = (disputed_at IS NULL));
ALTER TABLE needs ADD CONSTRAINT needs_merged CHECK ((state = 'merged') = (merged_into IS NOT NULL));
--sqlite
DROP TRIGGER need_supports_not_own;
CREATE TABLE needs_new (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT needs_community REFERENCES places (id),
    place_id UUID NOT NULL CONSTRAINT needs_place REFERENCES places (id),
    place_path PATH NOT NULL,
    author_id UUID CONSTRAINT needs_author REFERENCES users (id),
    category text NOT NULL CONSTRAINT needs_category CHECK (category IN ('charity', 'culture_education', 'rights', 'convenience')),
    title text NOT NULL,
    body text NOT NULL,
    anonymous boolean NOT NULL,
    state text NOT NULL CONSTRAINT needs_state CHECK
        (state IN ('in_review', 'published', 'in_topic', 'in_project', 'resolved', 'merged', 'declined', 'withdrawn')),
    hidden boolean NOT NULL,
    support_count bigint NOT NULL CONSTRAINT needs_support_count CHECK (support_count >= 0),
    created_at TIME NOT NULL,
    published_at TIME,
    project_id UUID CONSTRAINT needs_project REFERENCES projects (id),
    channel text NOT NULL CONSTRAINT needs_channel CHECK
        (channel IN ('mini_program', 'household_visit', 'deliberation', 'chat_group', 'survey', 'on_site', 'hotline')),
    recorder_id UUID CONSTRAINT needs_recorder REFERENCES users (id),
    subject_cipher text,
    consent_how text CONSTRAINT needs_consent_how CHECK (consent_how IN ('spoken', 'written', 'phone')),
    consent_at TIME,
    dispute text,
    disputed_at TIME,
    service text,
    urgency text NOT NULL CONSTRAINT needs_urgency CHECK (urgency IN ('normal', 'soon', 'urgent')),
    beneficiary_groups JSON NOT NULL,
    beneficiary_count bigint CONSTRAINT needs_beneficiary_count CHECK (beneficiary_count > 0),
    due_at TIME,
    answered_at TIME,
    escalated_at TIME,
    merged_into UUID CONSTRAINT needs_merged_into REFERENCES needs (id),
    indexed_at TIME,
    CONSTRAINT needs_published CHECK (state IN ('in_review', 'withdrawn', 'declined') OR published_at IS NOT NULL),
    CONSTRAINT needs_author_key UNIQUE (id, author_id),
    CONSTRAINT needs_written_by CHECK (author_id IS NOT NULL OR (recorder_id IS NOT NULL AND subject_cipher IS NOT NULL)),
    CONSTRAINT needs_recorder_not_author CHECK (recorder_id IS NULL OR author_id IS NULL OR recorder_id <> author_id),
    CONSTRAINT needs_consent CHECK
        ((recorder_id IS NULL) = (consent_how IS NULL) AND (recorder_id IS NULL) = (consent_at IS NULL) AND (recorder_id IS NOT NULL OR subject_cipher IS NULL)),
    CONSTRAINT needs_disputed CHECK ((dispute IS NULL) = (disputed_at IS NULL)),
    CONSTRAINT needs_merged CHECK ((state = 'merged') = (merged_into IS NOT NULL))
);
INSERT INTO needs_new SELECT id, community_id, place_id, place_path, author_id, category, title, body, anonymous, state, hidden, support_count,
    created_at, published_at, project_id, 'mini_program', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'normal', '[]', NULL, NULL, NULL, NULL, NULL, NULL
    FROM needs;
DROP TABLE needs;
ALTER TABLE needs_new RENAME TO needs;
CREATE INDEX needs_list ON needs (community_id, id);
CREATE INDEX needs_author_list ON needs (author_id, id);
CREATE INDEX needs_of_project ON needs (project_id) WHERE project_id IS NOT NULL;
CREATE TRIGGER need_supports_not_own BEFORE INSERT ON need_supports
WHEN EXISTS (SELECT 1 FROM needs WHERE id = NEW.need_id AND author_id = NEW.user_id)
BEGIN SELECT RAISE(ABORT, 'need_supports_not_own'); END;
--end
CREATE INDEX needs_recorded ON needs (recorder_id, id) WHERE recorder_id IS NOT NULL;
CREATE INDEX needs_merged ON needs (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX needs_due ON needs (due_at) WHERE answered_at IS NULL AND due_at IS NOT NULL;
CREATE INDEX needs_to_index ON needs (id) WHERE indexed_at IS NULL AND NOT hidden AND state IN ('published', 'in_topic', 'in_project');

-- What happened to a need, for its timeline; texts are public. Rows are only ever added.
CREATE TABLE need_events (
    id UUID NOT NULL PRIMARY KEY,
    need_id UUID NOT NULL CONSTRAINT need_events_need REFERENCES needs (id),
    kind text NOT NULL CONSTRAINT need_events_kind CHECK (kind IN ('answered', 'declined', 'withdrawn', 'disputed', 'escalated', 'merged',
        'unmerged', 'took_in', 'gave_back', 'in_topic', 'left_topic', 'in_project', 'left_project', 'resolved')),
    text text,
    related_id UUID,
    actor_id UUID CONSTRAINT need_events_actor REFERENCES users (id),
    at TIME NOT NULL
);
CREATE INDEX need_events_list ON need_events (need_id, id);
--postgres
CREATE TRIGGER need_events_append_only BEFORE UPDATE OR DELETE ON need_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER need_events_no_update BEFORE UPDATE ON need_events BEGIN SELECT RAISE(ABORT, 'need_events_append_only'); END;
CREATE TRIGGER need_events_no_delete BEFORE DELETE ON need_events BEGIN SELECT RAISE(ABORT, 'need_events_append_only'); END;
--end

-- Which need went into which. A support that a merge carried over names it, so that undoing the merge takes exactly those back.
CREATE TABLE need_merges (
    id UUID NOT NULL PRIMARY KEY,
    source_id UUID NOT NULL CONSTRAINT need_merges_source REFERENCES needs (id),
    target_id UUID NOT NULL CONSTRAINT need_merges_target REFERENCES needs (id),
    reason text NOT NULL,
    merged_by UUID NOT NULL CONSTRAINT need_merges_merged_by REFERENCES users (id),
    merged_at TIME NOT NULL,
    undone_by UUID CONSTRAINT need_merges_undone_by REFERENCES users (id),
    undone_at TIME,
    CONSTRAINT need_merges_two_needs CHECK (source_id <> target_id),
    CONSTRAINT need_merges_undone CHECK ((undone_by IS NULL) = (undone_at IS NULL))
);
CREATE UNIQUE INDEX need_merges_one_live ON need_merges (source_id) WHERE undone_at IS NULL;
CREATE INDEX need_merges_into ON need_merges (target_id) WHERE undone_at IS NULL;
ALTER TABLE need_supports ADD COLUMN merge_id UUID CONSTRAINT need_supports_merge REFERENCES need_merges (id);
CREATE INDEX need_supports_carried ON need_supports (merge_id) WHERE merge_id IS NOT NULL;

-- Which words stand in an open need, with their weights in thousandths: what similar needs are found by.
CREATE TABLE need_terms (
    need_id UUID NOT NULL CONSTRAINT need_terms_need REFERENCES needs (id),
    term text NOT NULL,
    community_id UUID NOT NULL CONSTRAINT need_terms_community REFERENCES places (id),
    weight bigint NOT NULL CONSTRAINT need_terms_weight CHECK (weight > 0),
    length bigint NOT NULL CONSTRAINT need_terms_length CHECK (length >= weight),
    PRIMARY KEY (need_id, term)
);
CREATE INDEX need_terms_find ON need_terms (community_id, term, need_id);

-- Where a place is, in millionths of a degree of GCJ-02, as WeChat gives them.
CREATE TABLE place_points (
    place_id UUID NOT NULL PRIMARY KEY CONSTRAINT place_points_place REFERENCES places (id),
    lat_e6 bigint NOT NULL CONSTRAINT place_points_lat CHECK (lat_e6 BETWEEN -90000000 AND 90000000),
    lng_e6 bigint NOT NULL CONSTRAINT place_points_lng CHECK (lng_e6 BETWEEN -180000000 AND 180000000)
);
CREATE INDEX place_points_box ON place_points (lat_e6, lng_e6);

-- What a complaint is about, where that is a need.
ALTER TABLE complaints ADD COLUMN need_id UUID CONSTRAINT complaints_need REFERENCES needs (id);

-- What the board says of one thing, for its timeline.
CREATE INDEX notices_of_subject ON notices (subject_id) WHERE subject_id IS NOT NULL;
