CREATE TABLE inbox_entries (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL CONSTRAINT inbox_entries_user REFERENCES users (id),
    dedupe_key text NOT NULL,
    kind text NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    target_kind text,
    target_id UUID,
    created_at TIME NOT NULL,
    read_at TIME,
    CONSTRAINT inbox_entries_once UNIQUE (user_id, dedupe_key)
);
CREATE INDEX inbox_entries_list ON inbox_entries (user_id, id);
CREATE INDEX inbox_entries_unread ON inbox_entries (user_id) WHERE read_at IS NULL;

CREATE TABLE message_consents (
    user_id UUID NOT NULL CONSTRAINT message_consents_user REFERENCES users (id),
    template text NOT NULL,
    available integer NOT NULL CONSTRAINT message_consents_available CHECK (available >= 0),
    PRIMARY KEY (user_id, template)
);

CREATE TABLE notices (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT notices_community REFERENCES places (id),
    seq bigint NOT NULL,
    kind text NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    subject_kind text,
    subject_id UUID,
    published_at TIME NOT NULL,
    prev_hash text NOT NULL,
    hash text NOT NULL,
    CONSTRAINT notices_chain UNIQUE (community_id, seq)
);
CREATE INDEX notices_list ON notices (community_id, id);
CREATE UNIQUE INDEX notices_subject_once ON notices (kind, subject_kind, subject_id) WHERE subject_id IS NOT NULL;

CREATE TABLE notice_heads (
    community_id UUID NOT NULL PRIMARY KEY CONSTRAINT notice_heads_community REFERENCES places (id),
    seq bigint NOT NULL,
    hash text NOT NULL
);

--postgres
CREATE TRIGGER notices_append_only BEFORE UPDATE OR DELETE ON notices FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER notices_no_truncate BEFORE TRUNCATE ON notices FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER notices_no_update BEFORE UPDATE ON notices BEGIN SELECT RAISE(ABORT, 'notices_append_only'); END;
CREATE TRIGGER notices_no_delete BEFORE DELETE ON notices BEGIN SELECT RAISE(ABORT, 'notices_append_only'); END;
--end
