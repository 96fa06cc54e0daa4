-- What the ministry's certificate asks for beside name and phone number: sex, birth, document, skills; JSON, encrypted.
CREATE TABLE volunteer_profiles (
    user_id UUID NOT NULL PRIMARY KEY CONSTRAINT volunteer_profiles_user REFERENCES users (id),
    sealed text NOT NULL,
    updated_at TIME NOT NULL
);

-- How many numbers of a kind a community has given; whoever takes the next holds the row until the transaction ends, so that
-- there is no gap. Volunteers' numbers have no year: 0.
CREATE TABLE certificate_numbers (
    community_id UUID NOT NULL CONSTRAINT certificate_numbers_community REFERENCES places (id),
    kind text NOT NULL CONSTRAINT certificate_numbers_kind CHECK (kind IN ('certificate', 'volunteer')),
    year integer NOT NULL,
    last bigint NOT NULL CONSTRAINT certificate_numbers_positive CHECK (last > 0),
    PRIMARY KEY (community_id, kind, year)
);

CREATE TABLE volunteer_numbers (
    user_id UUID NOT NULL PRIMARY KEY CONSTRAINT volunteer_numbers_user REFERENCES users (id),
    community_id UUID NOT NULL CONSTRAINT volunteer_numbers_community REFERENCES places (id),
    number text NOT NULL CONSTRAINT volunteer_numbers_once UNIQUE,
    given_at TIME NOT NULL
);

-- From the wish for one on. Once issued it has a number and a code, and what it says is kept, encrypted, as it was said.
CREATE TABLE certificates (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT certificates_community REFERENCES places (id),
    place_path PATH NOT NULL,
    user_id UUID NOT NULL CONSTRAINT certificates_user REFERENCES users (id),
    state text NOT NULL CONSTRAINT certificates_state CHECK (state IN ('requested', 'issued', 'declined', 'revoked')),
    from_day text,
    to_day text,
    requested_at TIME NOT NULL,
    year integer,
    seq bigint,
    serial text CONSTRAINT certificates_serial UNIQUE,
    code text CONSTRAINT certificates_code UNIQUE,
    masked_name text,
    minutes bigint CONSTRAINT certificates_minutes CHECK (minutes > 0),
    issuer text,
    content_cipher text,
    decided_by UUID CONSTRAINT certificates_decided_by REFERENCES users (id),
    decided_at TIME,
    decline_reason text,
    revoked_by UUID CONSTRAINT certificates_revoked_by REFERENCES users (id),
    revoked_at TIME,
    revoke_reason text,
    CONSTRAINT certificates_numbered UNIQUE (community_id, year, seq),
    CONSTRAINT certificates_said CHECK ((state IN ('issued', 'revoked')) = (year IS NOT NULL AND seq IS NOT NULL AND serial IS NOT NULL
        AND code IS NOT NULL AND masked_name IS NOT NULL AND minutes IS NOT NULL AND issuer IS NOT NULL AND content_cipher IS NOT NULL)),
    CONSTRAINT certificates_decided CHECK ((state = 'requested') = (decided_by IS NULL)),
    CONSTRAINT certificates_revoked CHECK ((state = 'revoked') = (revoked_by IS NOT NULL AND revoke_reason IS NOT NULL)),
    CONSTRAINT certificates_not_by_oneself CHECK ((decided_by IS NULL OR decided_by <> user_id) AND (revoked_by IS NULL OR revoked_by <> user_id))
);
CREATE UNIQUE INDEX certificates_one_requested ON certificates (user_id, community_id) WHERE state = 'requested';
CREATE INDEX certificates_mine ON certificates (user_id, id);
CREATE INDEX certificates_list ON certificates (community_id, id);

--postgres
CREATE FUNCTION certificates_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what a certificate says is sealed' USING CONSTRAINT = 'certificates_sealed';
END $$;
CREATE TRIGGER certificates_sealed BEFORE UPDATE ON certificates FOR EACH ROW WHEN (OLD.state IN ('issued', 'revoked') AND (
    OLD.state = 'revoked' OR NEW.state NOT IN ('issued', 'revoked') OR NEW.user_id <> OLD.user_id OR NEW.serial <> OLD.serial
    OR NEW.code <> OLD.code OR NEW.masked_name <> OLD.masked_name OR NEW.minutes <> OLD.minutes OR NEW.issuer <> OLD.issuer
    OR NEW.content_cipher <> OLD.content_cipher)) EXECUTE FUNCTION certificates_sealed();
CREATE TRIGGER certificates_kept BEFORE DELETE ON certificates FOR EACH ROW WHEN (OLD.state IN ('issued', 'revoked'))
    EXECUTE FUNCTION certificates_sealed();
--sqlite
CREATE TRIGGER certificates_sealed BEFORE UPDATE ON certificates WHEN OLD.state IN ('issued', 'revoked') AND (
    OLD.state = 'revoked' OR NEW.state NOT IN ('issued', 'revoked') OR NEW.user_id <> OLD.user_id OR NEW.serial <> OLD.serial
    OR NEW.code <> OLD.code OR NEW.masked_name <> OLD.masked_name OR NEW.minutes <> OLD.minutes OR NEW.issuer <> OLD.issuer
    OR NEW.content_cipher <> OLD.content_cipher)
BEGIN SELECT RAISE(ABORT, 'certificates_sealed'); END;
CREATE TRIGGER certificates_kept BEFORE DELETE ON certificates WHEN OLD.state IN ('issued', 'revoked')
BEGIN SELECT RAISE(ABORT, 'certificates_sealed'); END;
--end
