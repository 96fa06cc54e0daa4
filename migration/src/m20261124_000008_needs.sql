CREATE TABLE needs (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT needs_community REFERENCES places (id),
    place_id UUID NOT NULL CONSTRAINT needs_place REFERENCES places (id),
    place_path PATH NOT NULL,
    author_id UUID NOT NULL CONSTRAINT needs_author REFERENCES users (id),
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
    CONSTRAINT needs_published CHECK (state IN ('in_review', 'withdrawn', 'declined') OR published_at IS NOT NULL),
    CONSTRAINT needs_author_key UNIQUE (id, author_id)
);
CREATE INDEX needs_list ON needs (community_id, id);
CREATE INDEX needs_author_list ON needs (author_id, id);

CREATE TABLE need_supports (
    need_id UUID NOT NULL CONSTRAINT need_supports_need REFERENCES needs (id),
    user_id UUID NOT NULL CONSTRAINT need_supports_user REFERENCES users (id),
    created_at TIME NOT NULL,
    PRIMARY KEY (need_id, user_id)
);

CREATE TABLE need_files (
    need_id UUID NOT NULL CONSTRAINT need_files_need REFERENCES needs (id),
    position integer NOT NULL,
    file_id UUID NOT NULL CONSTRAINT need_files_file REFERENCES files (id),
    PRIMARY KEY (need_id, position),
    CONSTRAINT need_files_used_once UNIQUE (file_id)
);

-- A check constraint cannot look at another table: a trigger keeps authors from supporting their own need.
--postgres
CREATE FUNCTION refuse_own_support() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM needs WHERE id = NEW.need_id AND author_id = NEW.user_id) THEN
        RAISE EXCEPTION 'authors cannot support their own need' USING ERRCODE = 'check_violation', CONSTRAINT = 'need_supports_not_own';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER need_supports_not_own BEFORE INSERT ON need_supports FOR EACH ROW EXECUTE FUNCTION refuse_own_support();
--sqlite
CREATE TRIGGER need_supports_not_own BEFORE INSERT ON need_supports
WHEN EXISTS (SELECT 1 FROM needs WHERE id = NEW.need_id AND author_id = NEW.user_id)
BEGIN SELECT RAISE(ABORT, 'need_supports_not_own'); END;
--end
