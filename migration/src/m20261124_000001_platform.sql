CREATE TABLE jobs (
    id UUID NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    payload JSON NOT NULL,
    state text NOT NULL CONSTRAINT jobs_state CHECK (state IN ('queued', 'running', 'parked')),
    run_at TIME NOT NULL,
    locked_until TIME,
    attempts integer NOT NULL,
    last_error text,
    created_at TIME NOT NULL
);
CREATE INDEX jobs_due ON jobs (state, run_at);

CREATE TABLE schedules (
    name text NOT NULL PRIMARY KEY,
    next_at TIME NOT NULL
);

CREATE TABLE idempotency_keys (
    actor_id UUID NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    status integer NOT NULL,
    body JSON NOT NULL,
    created_at TIME NOT NULL,
    PRIMARY KEY (actor_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE audit_log (
    id UUID NOT NULL PRIMARY KEY,
    at TIME NOT NULL,
    actor_id UUID,
    action text NOT NULL,
    target_kind text NOT NULL,
    target_id UUID,
    place_id UUID,
    detail JSON NOT NULL
);
CREATE INDEX audit_log_target ON audit_log (target_kind, target_id, id);

--postgres
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log_append_only'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log_append_only'); END;
--end
