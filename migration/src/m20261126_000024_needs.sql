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
