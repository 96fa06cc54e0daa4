-- Boards are served from sorted sets, which follow these rows: `version` counts the changes of what a board shows of a row,
-- `boarded` is the version that the sorted set was told. No change is lost, and a hundred awards are one row to tell.
ALTER TABLE points_scores ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE points_scores ADD COLUMN boarded bigint NOT NULL DEFAULT 0;
-- There are no sorted sets yet. A packed score has room for whole seconds since 2026.
--postgres
UPDATE points_scores SET boarded = version,
    reached_at = greatest(date_trunc('second', reached_at), timestamptz '2026-01-01 00:00:00+00');
--sqlite
UPDATE points_scores SET boarded = version,
    reached_at = max(substr(reached_at, 1, 19) || '+00:00', '2026-01-01T00:00:00+00:00');
--end
CREATE INDEX points_scores_untold ON points_scores (community_id, period, user_id) WHERE boarded < version;
CREATE INDEX points_scores_of_person ON points_scores (user_id);

-- Whoever opts out or in again changes on every board, whoever writes it.
--postgres
CREATE FUNCTION points_scores_person_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- In the order in which an award takes them.
    PERFORM 1 FROM points_scores WHERE user_id = NEW.id ORDER BY community_id, period COLLATE "C" FOR UPDATE;
    UPDATE points_scores SET version = version + 1 WHERE user_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER users_board_opt_out AFTER UPDATE OF board_opt_out ON users FOR EACH ROW
    WHEN (OLD.board_opt_out IS DISTINCT FROM NEW.board_opt_out) EXECUTE FUNCTION points_scores_person_changed();
--sqlite
CREATE TRIGGER users_board_opt_out AFTER UPDATE OF board_opt_out ON users WHEN OLD.board_opt_out <> NEW.board_opt_out
BEGIN UPDATE points_scores SET version = version + 1 WHERE user_id = NEW.id; END;
--end
