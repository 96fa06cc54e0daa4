-- What a notice may say beyond version 1 of its encoding; a notice that says none of it stays a version 1.
ALTER TABLE notices ADD COLUMN objections_until TIME;
ALTER TABLE notices ADD COLUMN corrects_id UUID CONSTRAINT notices_corrected REFERENCES notices (id);
ALTER TABLE notices ADD COLUMN commitment text;
ALTER TABLE notices ADD COLUMN version integer NOT NULL DEFAULT 1 CONSTRAINT notices_version CHECK
    (version IN (1, 2) AND (version = 1) = (objections_until IS NULL AND corrects_id IS NULL AND commitment IS NULL));
CREATE INDEX notices_corrections ON notices (corrects_id, id) WHERE corrects_id IS NOT NULL;

-- While people may object to a notice. Whoever acts on the notice locks its row, and so does whoever objects; `closed_at` is set by the
-- first who finds the time over, so that no clock that goes wrong opens it again.
CREATE TABLE notice_windows (
    notice_id UUID NOT NULL PRIMARY KEY CONSTRAINT notice_windows_notice REFERENCES notices (id),
    place_id UUID NOT NULL CONSTRAINT notice_windows_place REFERENCES places (id),
    place_path PATH NOT NULL,
    opened_at TIME NOT NULL,
    objections_until TIME NOT NULL,
    closed_at TIME,
    CONSTRAINT notice_windows_future CHECK (opened_at < objections_until),
    CONSTRAINT notice_windows_closed CHECK (closed_at IS NULL OR closed_at >= objections_until)
);

CREATE TABLE objections (
    id UUID NOT NULL PRIMARY KEY,
    notice_id UUID NOT NULL CONSTRAINT objections_window REFERENCES notice_windows (notice_id),
    place_path PATH NOT NULL,
    author_id UUID NOT NULL CONSTRAINT objections_author REFERENCES users (id),
    text text NOT NULL,
    -- Others may read the text: content security has passed, and no moderator hid it.
    published_at TIME,
    hidden boolean NOT NULL,
    state text NOT NULL CONSTRAINT objections_state CHECK (state IN ('open', 'upheld', 'dismissed')),
    created_at TIME NOT NULL,
    reply_due TIME NOT NULL,
    reply text,
    replied_by UUID CONSTRAINT objections_replied_by REFERENCES users (id),
    replied_at TIME,
    -- Opens the commitment that the reply's notice carries.
    salt text,
    reply_notice_id UUID CONSTRAINT objections_reply_notice REFERENCES notices (id),
    CONSTRAINT objections_reply CHECK ((state = 'open') = (reply IS NULL) AND (reply IS NULL) = (replied_by IS NULL)
        AND (reply IS NULL) = (replied_at IS NULL) AND (reply IS NULL) = (salt IS NULL) AND (reply IS NULL) = (reply_notice_id IS NULL)),
    CONSTRAINT objections_not_by_oneself CHECK (replied_by IS NULL OR replied_by <> author_id)
);
CREATE UNIQUE INDEX objections_one_open ON objections (notice_id, author_id) WHERE state = 'open';
CREATE INDEX objections_list ON objections (notice_id, id);
CREATE INDEX objections_waiting ON objections (place_path, reply_due) WHERE state = 'open';

-- Where each chain stood when a day of China's calendar ended, signed.
CREATE TABLE notice_days (
    place_id UUID NOT NULL CONSTRAINT notice_days_place REFERENCES places (id),
    day text NOT NULL,
    seq bigint NOT NULL CONSTRAINT notice_days_seq CHECK (seq > 0),
    hash text NOT NULL,
    public_key text NOT NULL,
    signature text NOT NULL,
    signed_at TIME NOT NULL,
    PRIMARY KEY (place_id, day)
);

--postgres
CREATE FUNCTION refuse_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.corrects_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.id = NEW.corrects_id AND n.community_id = NEW.community_id AND n.seq < NEW.seq) THEN
        RAISE EXCEPTION 'a correction follows what it corrects, in one chain' USING ERRCODE = 'check_violation', CONSTRAINT = 'notices_corrects';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notices_corrects BEFORE INSERT ON notices FOR EACH ROW EXECUTE FUNCTION refuse_notice();

CREATE FUNCTION refuse_board() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM places p WHERE p.id = NEW.community_id AND p.kind IN ('district', 'street', 'community')) THEN
        RAISE EXCEPTION 'no board there' USING ERRCODE = 'check_violation', CONSTRAINT = 'notice_heads_board';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notice_heads_board BEFORE INSERT ON notice_heads FOR EACH ROW EXECUTE FUNCTION refuse_board();

CREATE FUNCTION refuse_objection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT 1 FROM notice_windows w WHERE w.notice_id = NEW.notice_id AND w.closed_at IS NULL
            AND NEW.created_at < w.objections_until) THEN
            RAISE EXCEPTION 'the window is closed' USING ERRCODE = 'check_violation', CONSTRAINT = 'objections_in_time';
        END IF;
    ELSIF TG_OP = 'DELETE' OR NEW.notice_id <> OLD.notice_id OR NEW.author_id <> OLD.author_id OR NEW.text <> OLD.text
        OR NEW.created_at <> OLD.created_at OR NEW.reply_due <> OLD.reply_due
        OR (OLD.state <> 'open' AND (NEW.state <> OLD.state OR NEW.reply <> OLD.reply OR NEW.replied_by <> OLD.replied_by
            OR NEW.replied_at <> OLD.replied_at OR NEW.salt <> OLD.salt OR NEW.reply_notice_id <> OLD.reply_notice_id)) THEN
        RAISE EXCEPTION 'an objection and its reply stay as they are' USING ERRCODE = 'check_violation', CONSTRAINT = 'objections_kept';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER objections_in_time BEFORE INSERT OR UPDATE OR DELETE ON objections FOR EACH ROW EXECUTE FUNCTION refuse_objection();

CREATE FUNCTION refuse_window() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL OR NEW.notice_id <> OLD.notice_id OR NEW.objections_until <> OLD.objections_until
        OR NEW.opened_at <> OLD.opened_at OR NEW.place_id <> OLD.place_id OR NEW.place_path <> OLD.place_path THEN
        RAISE EXCEPTION 'a window is closed once and changes no more' USING ERRCODE = 'check_violation', CONSTRAINT = 'notice_windows_kept';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notice_windows_kept BEFORE UPDATE OR DELETE ON notice_windows FOR EACH ROW EXECUTE FUNCTION refuse_window();
CREATE TRIGGER notice_days_append_only BEFORE UPDATE OR DELETE ON notice_days FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER notices_corrects BEFORE INSERT ON notices
WHEN NEW.corrects_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.id = NEW.corrects_id AND n.community_id = NEW.community_id AND n.seq < NEW.seq)
BEGIN SELECT RAISE(ABORT, 'notices_corrects'); END;
CREATE TRIGGER notice_heads_board BEFORE INSERT ON notice_heads
WHEN NOT EXISTS (SELECT 1 FROM places p WHERE p.id = NEW.community_id AND p.kind IN ('district', 'street', 'community'))
BEGIN SELECT RAISE(ABORT, 'notice_heads_board'); END;
CREATE TRIGGER objections_in_time BEFORE INSERT ON objections
WHEN NOT EXISTS (SELECT 1 FROM notice_windows w WHERE w.notice_id = NEW.notice_id AND w.closed_at IS NULL AND NEW.created_at < w.objections_until)
BEGIN SELECT RAISE(ABORT, 'objections_in_time'); END;
CREATE TRIGGER objections_kept BEFORE UPDATE ON objections
WHEN NEW.notice_id <> OLD.notice_id OR NEW.author_id <> OLD.author_id OR NEW.text <> OLD.text
    OR NEW.created_at <> OLD.created_at OR NEW.reply_due <> OLD.reply_due
    OR (OLD.state <> 'open' AND (NEW.state <> OLD.state OR NEW.reply <> OLD.reply OR NEW.replied_by <> OLD.replied_by
        OR NEW.replied_at <> OLD.replied_at OR NEW.salt <> OLD.salt OR NEW.reply_notice_id <> OLD.reply_notice_id))
BEGIN SELECT RAISE(ABORT, 'objections_kept'); END;
CREATE TRIGGER objections_no_delete BEFORE DELETE ON objections BEGIN SELECT RAISE(ABORT, 'objections_kept'); END;
CREATE TRIGGER notice_windows_kept BEFORE UPDATE ON notice_windows
WHEN OLD.closed_at IS NOT NULL OR NEW.notice_id <> OLD.notice_id OR NEW.objections_until <> OLD.objections_until
    OR NEW.opened_at <> OLD.opened_at OR NEW.place_id <> OLD.place_id OR NEW.place_path <> OLD.place_path
BEGIN SELECT RAISE(ABORT, 'notice_windows_kept'); END;
CREATE TRIGGER notice_windows_no_delete BEFORE DELETE ON notice_windows BEGIN SELECT RAISE(ABORT, 'notice_windows_kept'); END;
CREATE TRIGGER notice_days_no_update BEFORE UPDATE ON notice_days BEGIN SELECT RAISE(ABORT, 'notice_days_append_only'); END;
CREATE TRIGGER notice_days_no_delete BEFORE DELETE ON notice_days BEGIN SELECT RAISE(ABORT, 'notice_days_append_only'); END;
--end
