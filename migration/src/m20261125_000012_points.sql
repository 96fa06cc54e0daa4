-- What earns points in a community, version after version: rows are only added, so that an award's version always says what it was.
CREATE TABLE points_rules (
    community_id UUID NOT NULL CONSTRAINT points_rules_community REFERENCES places (id),
    key text NOT NULL CONSTRAINT points_rules_key CHECK (key IN
        ('service_hour', 'service_shift', 'survey_answer', 'need_adopted', 'deliberation')),
    version integer NOT NULL CONSTRAINT points_rules_version CHECK (version >= 1),
    amount bigint NOT NULL CONSTRAINT points_rules_amount CHECK (amount BETWEEN 0 AND 1000),
    night_percent bigint NOT NULL CONSTRAINT points_rules_night CHECK (night_percent BETWEEN 100 AND 500),
    holiday_percent bigint NOT NULL CONSTRAINT points_rules_holiday CHECK (holiday_percent BETWEEN 100 AND 500),
    daily_cap bigint CONSTRAINT points_rules_daily_cap CHECK (daily_cap BETWEEN 0 AND 100000),
    from_at TIME NOT NULL,
    set_by UUID NOT NULL CONSTRAINT points_rules_set_by REFERENCES users (id),
    set_at TIME NOT NULL,
    -- A rule cannot begin before it is written.
    CONSTRAINT points_rules_not_backwards CHECK (from_at >= set_at),
    PRIMARY KEY (community_id, key, version)
);

-- What a rule gave: what was asked, what was granted, and what cut it. One row a rule, source and person.
CREATE TABLE points_earnings (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT points_earnings_community REFERENCES places (id),
    user_id UUID NOT NULL CONSTRAINT points_earnings_user REFERENCES users (id),
    rule text NOT NULL CONSTRAINT points_earnings_rule CHECK (rule IN
        ('service_hour', 'service_shift', 'survey_answer', 'need_adopted', 'deliberation')),
    -- 0: the server's settings, while the community had set no rule.
    version integer NOT NULL CONSTRAINT points_earnings_version CHECK (version >= 0),
    source_kind text NOT NULL,
    source_id UUID NOT NULL,
    -- China's day on which it was earned, to which the cap belongs.
    day text NOT NULL,
    calculation JSON NOT NULL,
    daily_cap bigint,
    asked bigint NOT NULL CONSTRAINT points_earnings_asked CHECK (asked > 0),
    -- The ledger's transaction; none where nothing was granted.
    entry_id UUID CONSTRAINT points_earnings_entry REFERENCES ledger_transactions (id),
    granted bigint NOT NULL CONSTRAINT points_earnings_granted CHECK (granted BETWEEN 0 AND asked),
    cut_by text CONSTRAINT points_earnings_cut_by CHECK (cut_by IN ('daily_cap', 'budget')),
    created_at TIME NOT NULL,
    CONSTRAINT points_earnings_entered CHECK ((entry_id IS NULL) = (granted = 0)),
    CONSTRAINT points_earnings_entry_once UNIQUE (entry_id),
    CONSTRAINT points_earnings_cut CHECK ((cut_by IS NULL) = (granted = asked)),
    CONSTRAINT points_earnings_once UNIQUE (source_id, user_id, rule, source_kind)
);

-- How much of a rule somebody was granted on one day.
CREATE TABLE points_days (
    user_id UUID NOT NULL CONSTRAINT points_days_user REFERENCES users (id),
    community_id UUID NOT NULL CONSTRAINT points_days_community REFERENCES places (id),
    rule text NOT NULL,
    day text NOT NULL,
    granted bigint NOT NULL,
    -- The cap that held at the last grant.
    daily_cap bigint,
    CONSTRAINT points_days_granted CHECK (granted >= 0),
    CONSTRAINT points_days_cap CHECK (daily_cap IS NULL OR granted <= daily_cap),
    PRIMARY KEY (user_id, community_id, rule, day)
);

-- Awards by hand.
CREATE TABLE points_awards (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT points_awards_community REFERENCES places (id),
    place_path PATH NOT NULL,
    user_id UUID NOT NULL CONSTRAINT points_awards_user REFERENCES users (id),
    amount bigint NOT NULL CONSTRAINT points_awards_amount CHECK (amount BETWEEN 1 AND 100),
    reason text NOT NULL,
    state text NOT NULL CONSTRAINT points_awards_state CHECK (state IN ('pending', 'awarded', 'rejected', 'reversed')),
    -- Whether the limit asked for a second person.
    two_persons boolean NOT NULL,
    asked_by UUID NOT NULL CONSTRAINT points_awards_asked_by REFERENCES users (id),
    asked_at TIME NOT NULL,
    decided_by UUID CONSTRAINT points_awards_decided_by REFERENCES users (id),
    decided_at TIME,
    reject_reason text,
    reversed_by UUID CONSTRAINT points_awards_reversed_by REFERENCES users (id),
    reversed_at TIME,
    reverse_reason text,
    -- The ledger's transaction.
    entry_id UUID CONSTRAINT points_awards_entry REFERENCES ledger_transactions (id),
    CONSTRAINT points_awards_not_to_oneself CHECK (asked_by <> user_id),
    CONSTRAINT points_awards_by_two CHECK (decided_by IS NULL OR (decided_by <> asked_by AND decided_by <> user_id)),
    CONSTRAINT points_awards_approved CHECK (NOT two_persons OR state = 'pending' OR decided_by IS NOT NULL),
    CONSTRAINT points_awards_decided CHECK ((state = 'pending') = (decided_at IS NULL)),
    CONSTRAINT points_awards_rejected CHECK ((state = 'rejected') = (reject_reason IS NOT NULL)),
    CONSTRAINT points_awards_reversed CHECK ((state = 'reversed') = (reversed_by IS NOT NULL)
        AND (state = 'reversed') = (reversed_at IS NOT NULL) AND (state = 'reversed') = (reverse_reason IS NOT NULL)),
    CONSTRAINT points_awards_entered CHECK (state IN ('awarded', 'reversed') OR entry_id IS NULL),
    CONSTRAINT points_awards_entry_once UNIQUE (entry_id),
    CONSTRAINT points_awards_reversed_by_another CHECK (reversed_by IS NULL OR reversed_by <> user_id)
);
CREATE INDEX points_awards_listed ON points_awards (community_id, state, id);
CREATE INDEX points_awards_placed ON points_awards (place_path, state, id);

-- Those of before, as their community's.
INSERT INTO points_awards (id, community_id, place_path, user_id, amount, reason, state, two_persons, asked_by, asked_at, decided_at, entry_id)
SELECT x.source_id, x.community_id, p.path, w.owner_id, t.amount, x.reason, 'awarded', false, x.actor_id, x.created_at, x.created_at, x.id
FROM ledger_transactions x
JOIN ledger_transfers t ON t.transaction_id = x.id
JOIN ledger_accounts w ON w.id = t.credit_id
JOIN places p ON p.id = x.community_id
WHERE x.kind = 'award' AND x.source_kind = 'award';

-- Who was told that points run out on a day, and how many days ahead.
CREATE TABLE points_reminders (
    wallet_id UUID NOT NULL CONSTRAINT points_reminders_wallet REFERENCES ledger_accounts (id),
    day text NOT NULL,
    ahead bigint NOT NULL CONSTRAINT points_reminders_ahead CHECK (ahead > 0),
    amount bigint NOT NULL CONSTRAINT points_reminders_amount CHECK (amount > 0),
    PRIMARY KEY (wallet_id, day, ahead)
);
CREATE INDEX points_reminders_past ON points_reminders (day);

--postgres
CREATE TRIGGER points_rules_append_only BEFORE UPDATE OR DELETE ON points_rules FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER points_earnings_append_only BEFORE UPDATE OR DELETE ON points_earnings FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER points_rules_no_update BEFORE UPDATE ON points_rules BEGIN SELECT RAISE(ABORT, 'points_rules_append_only'); END;
CREATE TRIGGER points_rules_no_delete BEFORE DELETE ON points_rules BEGIN SELECT RAISE(ABORT, 'points_rules_append_only'); END;
CREATE TRIGGER points_earnings_no_update BEFORE UPDATE ON points_earnings BEGIN SELECT RAISE(ABORT, 'points_earnings_append_only'); END;
CREATE TRIGGER points_earnings_no_delete BEFORE DELETE ON points_earnings BEGIN SELECT RAISE(ABORT, 'points_earnings_append_only'); END;
--end

-- Who answered an anonymous survey is rewarded later, all in the order of their ids: an award must not tell when somebody answered.
ALTER TABLE survey_audience ADD COLUMN rewarded boolean NOT NULL DEFAULT false;
UPDATE survey_audience SET rewarded = true WHERE answered;
CREATE INDEX survey_audience_to_reward ON survey_audience (user_id, survey_id) WHERE answered AND NOT rewarded;
