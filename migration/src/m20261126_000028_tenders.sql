-- A project put out to tender. Its bids stay sealed until two people open them, after closing.
CREATE TABLE tenders (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL CONSTRAINT tenders_project REFERENCES projects (id),
    programme_id UUID NOT NULL CONSTRAINT tenders_programme REFERENCES programmes (id),
    requirements text NOT NULL,
    ceiling_fen bigint NOT NULL CONSTRAINT tenders_ceiling CHECK (ceiling_fen > 0),
    price_weight bigint NOT NULL CONSTRAINT tenders_price_weight CHECK (price_weight BETWEEN 0 AND 99),
    min_scorers bigint NOT NULL CONSTRAINT tenders_min_scorers CHECK (min_scorers BETWEEN 1 AND 20),
    registered_only boolean NOT NULL,
    closes_at TIME NOT NULL,
    state text NOT NULL CONSTRAINT tenders_state CHECK (state IN ('live', 'failed', 'done')),
    amendments bigint NOT NULL CONSTRAINT tenders_amendments CHECK (amendments >= 0),
    created_by UUID NOT NULL CONSTRAINT tenders_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    opening_asked_by UUID CONSTRAINT tenders_opening_asked_by REFERENCES users (id),
    opening_asked_at TIME,
    opened_by UUID CONSTRAINT tenders_opened_by REFERENCES users (id),
    opened_at TIME,
    CONSTRAINT tenders_opened_by_two CHECK (opened_by <> opening_asked_by),
    CONSTRAINT tenders_asked CHECK ((opening_asked_by IS NULL) = (opening_asked_at IS NULL)),
    CONSTRAINT tenders_opened CHECK ((opened_by IS NULL) = (opened_at IS NULL) AND (opened_by IS NULL OR opening_asked_by IS NOT NULL)),
    CONSTRAINT tenders_opened_after_closing CHECK (closes_at <= opening_asked_at AND closes_at <= opened_at),
    CONSTRAINT tenders_end CHECK (state = 'live' OR opened_at IS NOT NULL)
);
CREATE UNIQUE INDEX tenders_one_live ON tenders (project_id) WHERE state = 'live';
CREATE INDEX tenders_of_project ON tenders (project_id, id);

-- What bids are judged by besides their price: the weights and the price's make 100.
CREATE TABLE tender_criteria (
    tender_id UUID NOT NULL CONSTRAINT tender_criteria_tender REFERENCES tenders (id),
    seq bigint NOT NULL CONSTRAINT tender_criteria_seq CHECK (seq > 0),
    title text NOT NULL,
    weight bigint NOT NULL CONSTRAINT tender_criteria_weight CHECK (weight BETWEEN 1 AND 100),
    max_points bigint NOT NULL CONSTRAINT tender_criteria_max CHECK (max_points BETWEEN 1 AND 100),
    PRIMARY KEY (tender_id, seq),
    CONSTRAINT tender_criteria_range UNIQUE (tender_id, seq, max_points)
);

CREATE TABLE tender_amendments (
    id UUID NOT NULL PRIMARY KEY,
    tender_id UUID NOT NULL CONSTRAINT tender_amendments_tender REFERENCES tenders (id),
    seq bigint NOT NULL CONSTRAINT tender_amendments_seq CHECK (seq > 0),
    body text NOT NULL,
    closes_at TIME NOT NULL,
    created_by UUID NOT NULL CONSTRAINT tender_amendments_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT tender_amendments_order UNIQUE (tender_id, seq)
);

-- Who asked is encrypted: interest in a tender is not to be read before its opening.
CREATE TABLE tender_questions (
    id UUID NOT NULL PRIMARY KEY,
    tender_id UUID NOT NULL CONSTRAINT tender_questions_tender REFERENCES tenders (id),
    asker_cipher text NOT NULL,
    body text NOT NULL,
    asked_at TIME NOT NULL,
    answer text,
    answered_by UUID CONSTRAINT tender_questions_answered_by REFERENCES users (id),
    answered_at TIME,
    CONSTRAINT tender_questions_answer CHECK ((answer IS NULL) = (answered_by IS NULL) AND (answer IS NULL) = (answered_at IS NULL))
);
CREATE INDEX tender_questions_of ON tender_questions (tender_id, id);

-- `bidder` is a keyed hash of the tender and the organisation: it keeps an organisation to one bid and does not tell whose it is.
-- Whose, for how much and what it says comes in at the opening.
CREATE TABLE bids (
    id UUID NOT NULL PRIMARY KEY,
    tender_id UUID NOT NULL CONSTRAINT bids_tender REFERENCES tenders (id),
    bidder text NOT NULL,
    versions bigint NOT NULL CONSTRAINT bids_versions CHECK (versions > 0),
    state text NOT NULL CONSTRAINT bids_state CHECK (state IN ('sealed', 'withdrawn', 'valid', 'invalid')),
    received_at TIME NOT NULL,
    organisation_id UUID CONSTRAINT bids_organisation REFERENCES organisations (id),
    price_fen bigint CONSTRAINT bids_price CHECK (price_fen > 0),
    document text,
    salt text,
    invalid_reason text,
    CONSTRAINT bids_once UNIQUE (tender_id, bidder),
    CONSTRAINT bids_key UNIQUE (id, tender_id),
    CONSTRAINT bids_sealed CHECK (state IN ('valid', 'invalid')
        OR (organisation_id IS NULL AND price_fen IS NULL AND document IS NULL AND salt IS NULL)),
    CONSTRAINT bids_valid CHECK (state <> 'valid'
        OR (organisation_id IS NOT NULL AND price_fen IS NOT NULL AND document IS NOT NULL AND salt IS NOT NULL)),
    CONSTRAINT bids_invalid CHECK ((state = 'invalid') = (invalid_reason IS NOT NULL))
);
CREATE UNIQUE INDEX bids_of_organisation ON bids (tender_id, organisation_id) WHERE organisation_id IS NOT NULL;

-- Every version as it was handed in, sealed; the last counts.
CREATE TABLE bid_versions (
    bid_id UUID NOT NULL CONSTRAINT bid_versions_bid REFERENCES bids (id),
    version bigint NOT NULL CONSTRAINT bid_versions_version CHECK (version > 0),
    sealed text NOT NULL,
    commitment text NOT NULL,
    received_at TIME NOT NULL,
    PRIMARY KEY (bid_id, version)
);

CREATE TABLE tender_panel (
    tender_id UUID NOT NULL CONSTRAINT tender_panel_tender REFERENCES tenders (id),
    user_id UUID NOT NULL CONSTRAINT tender_panel_user REFERENCES users (id),
    added_by UUID NOT NULL CONSTRAINT tender_panel_added_by REFERENCES users (id),
    added_at TIME NOT NULL,
    conflict text,
    conflict_at TIME,
    PRIMARY KEY (tender_id, user_id),
    CONSTRAINT tender_panel_conflict CHECK ((conflict IS NULL) = (conflict_at IS NULL))
);

CREATE TABLE tender_scores (
    bid_id UUID NOT NULL,
    criterion bigint NOT NULL,
    scorer_id UUID NOT NULL,
    tender_id UUID NOT NULL,
    points bigint NOT NULL,
    max_points bigint NOT NULL,
    scored_at TIME NOT NULL,
    PRIMARY KEY (bid_id, criterion, scorer_id),
    CONSTRAINT tender_scores_bid FOREIGN KEY (bid_id, tender_id) REFERENCES bids (id, tender_id),
    CONSTRAINT tender_scores_criterion FOREIGN KEY (tender_id, criterion, max_points) REFERENCES tender_criteria (tender_id, seq, max_points),
    CONSTRAINT tender_scores_panel FOREIGN KEY (tender_id, scorer_id) REFERENCES tender_panel (tender_id, user_id),
    CONSTRAINT tender_scores_points CHECK (points BETWEEN 0 AND max_points)
);
CREATE INDEX tender_scores_of ON tender_scores (tender_id);

-- The first-ranked bid is awarded by one person, another with a reason and by two.
CREATE TABLE tender_awards (
    id UUID NOT NULL PRIMARY KEY,
    tender_id UUID NOT NULL,
    bid_id UUID NOT NULL,
    rank bigint NOT NULL CONSTRAINT tender_awards_rank CHECK (rank > 0),
    ranking JSON NOT NULL,
    reason text,
    state text NOT NULL CONSTRAINT tender_awards_state CHECK (state IN ('proposed', 'standing', 'refused', 'set_aside')),
    proposed_by UUID NOT NULL CONSTRAINT tender_awards_proposed_by REFERENCES users (id),
    proposed_at TIME NOT NULL,
    decided_by UUID CONSTRAINT tender_awards_decided_by REFERENCES users (id),
    decided_at TIME,
    notice_id UUID CONSTRAINT tender_awards_notice REFERENCES notices (id),
    set_aside_by UUID CONSTRAINT tender_awards_set_aside_by REFERENCES users (id),
    set_aside_at TIME,
    set_aside_reason text,
    CONSTRAINT tender_awards_bid FOREIGN KEY (bid_id, tender_id) REFERENCES bids (id, tender_id),
    CONSTRAINT tender_awards_reasoned CHECK (rank = 1 OR reason IS NOT NULL),
    CONSTRAINT tender_awards_by_two CHECK (decided_by <> proposed_by),
    CONSTRAINT tender_awards_second_person CHECK (rank = 1 OR state = 'proposed' OR decided_by IS NOT NULL),
    CONSTRAINT tender_awards_noticed CHECK ((state IN ('standing', 'set_aside')) = (notice_id IS NOT NULL)),
    CONSTRAINT tender_awards_set_aside CHECK ((state = 'set_aside') = (set_aside_by IS NOT NULL))
);
CREATE UNIQUE INDEX tender_awards_one_live ON tender_awards (tender_id) WHERE state IN ('proposed', 'standing');
CREATE INDEX tender_awards_of ON tender_awards (tender_id, id);

-- What an organisation does, by when, for how much. `committed_fen` is what stands behind it; the price never goes above it.
CREATE TABLE contracts (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL CONSTRAINT contracts_project REFERENCES projects (id),
    award_id UUID NOT NULL CONSTRAINT contracts_award REFERENCES tender_awards (id),
    organisation_id UUID NOT NULL CONSTRAINT contracts_organisation REFERENCES organisations (id),
    price_fen bigint NOT NULL CONSTRAINT contracts_price CHECK (price_fen > 0 AND price_fen <= committed_fen),
    committed_fen bigint NOT NULL,
    state text NOT NULL CONSTRAINT contracts_state CHECK (state IN ('drawn', 'signed', 'closed')),
    versions bigint NOT NULL CONSTRAINT contracts_versions CHECK (versions >= 0),
    drawn_by UUID NOT NULL CONSTRAINT contracts_drawn_by REFERENCES users (id),
    drawn_at TIME NOT NULL,
    staff_signed_by UUID CONSTRAINT contracts_staff_signed_by REFERENCES users (id),
    staff_signed_at TIME,
    organisation_signed_by UUID CONSTRAINT contracts_organisation_signed_by REFERENCES users (id),
    organisation_signed_at TIME,
    signed_at TIME,
    closed_at TIME,
    CONSTRAINT contracts_one UNIQUE (project_id),
    CONSTRAINT contracts_two_signatories CHECK (staff_signed_by <> organisation_signed_by),
    CONSTRAINT contracts_signed CHECK ((state = 'drawn') = (signed_at IS NULL)
        AND (state = 'drawn' OR (staff_signed_by IS NOT NULL AND organisation_signed_by IS NOT NULL AND versions > 0))),
    CONSTRAINT contracts_closed CHECK ((state = 'closed') = (closed_at IS NOT NULL))
);
CREATE INDEX contracts_of ON contracts (organisation_id, id);

CREATE TABLE milestones (
    id UUID NOT NULL PRIMARY KEY,
    contract_id UUID NOT NULL CONSTRAINT milestones_contract REFERENCES contracts (id),
    seq bigint NOT NULL CONSTRAINT milestones_seq CHECK (seq > 0),
    title text NOT NULL,
    due_at TIME NOT NULL,
    amount_fen bigint NOT NULL CONSTRAINT milestones_amount CHECK (amount_fen > 0),
    state text NOT NULL CONSTRAINT milestones_state CHECK (state IN ('planned', 'submitted', 'returned', 'accepted', 'dropped')),
    accepted_by UUID CONSTRAINT milestones_accepted_by REFERENCES users (id),
    accepted_at TIME,
    paid_by UUID CONSTRAINT milestones_paid_by REFERENCES users (id),
    paid_at TIME,
    CONSTRAINT milestones_order UNIQUE (contract_id, seq),
    CONSTRAINT milestones_accepted CHECK ((state = 'accepted') = (accepted_by IS NOT NULL) AND (state = 'accepted') = (accepted_at IS NOT NULL)),
    CONSTRAINT milestones_paid CHECK ((paid_at IS NULL) = (paid_by IS NULL) AND (paid_at IS NULL OR state = 'accepted'))
);

-- What a contract has said, and changes that one side proposes and the other accepts. The first version is the signing.
CREATE TABLE contract_versions (
    id UUID NOT NULL PRIMARY KEY,
    contract_id UUID NOT NULL CONSTRAINT contract_versions_contract REFERENCES contracts (id),
    version bigint CONSTRAINT contract_versions_version CHECK (version > 0),
    side text NOT NULL CONSTRAINT contract_versions_side CHECK (side IN ('staff', 'organisation')),
    price_fen bigint NOT NULL CONSTRAINT contract_versions_price CHECK (price_fen > 0),
    milestones JSON NOT NULL,
    reason text NOT NULL,
    state text NOT NULL CONSTRAINT contract_versions_state CHECK (state IN ('proposed', 'accepted', 'refused')),
    proposed_by UUID NOT NULL CONSTRAINT contract_versions_proposed_by REFERENCES users (id),
    proposed_at TIME NOT NULL,
    decided_by UUID CONSTRAINT contract_versions_decided_by REFERENCES users (id),
    decided_at TIME,
    CONSTRAINT contract_versions_order UNIQUE (contract_id, version),
    CONSTRAINT contract_versions_by_two CHECK (decided_by <> proposed_by),
    CONSTRAINT contract_versions_decided CHECK ((state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)),
    CONSTRAINT contract_versions_accepted CHECK ((state = 'accepted') = (version IS NOT NULL))
);
CREATE UNIQUE INDEX contract_versions_one_open ON contract_versions (contract_id) WHERE state = 'proposed';

-- What a check cannot say, because it looks at another row:
-- a bid comes in before closing; it is opened after the opening, by people who do not belong to the bidder, within the ceiling;
-- nobody scores who declared a conflict or belongs to a bidder; nobody awards their own organisation's bid, nor an invalid one;
-- when a version of a contract takes effect its milestones make its price; a paid milestone never changes again.
--postgres
CREATE FUNCTION refuse_late_bid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM bids b JOIN tenders t ON t.id = b.tender_id WHERE b.id = NEW.bid_id AND t.closes_at <= NEW.received_at) THEN
        RAISE EXCEPTION 'bid_versions_in_time' USING ERRCODE = 'check_violation', CONSTRAINT = 'bid_versions_in_time';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bid_versions_in_time BEFORE INSERT ON bid_versions FOR EACH ROW EXECUTE FUNCTION refuse_late_bid();

CREATE FUNCTION refuse_early_opening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM tenders t WHERE t.id = NEW.tender_id AND (t.opened_at IS NULL OR t.ceiling_fen < NEW.price_fen)) THEN
        RAISE EXCEPTION 'bids_opened_with_tender' USING ERRCODE = 'check_violation', CONSTRAINT = 'bids_opened_with_tender';
    END IF;
    IF EXISTS (SELECT 1 FROM tenders t JOIN organisation_people p ON p.user_id IN (t.opening_asked_by, t.opened_by)
        WHERE t.id = NEW.tender_id AND p.organisation_id = NEW.organisation_id AND p.ended_at IS NULL) THEN
        RAISE EXCEPTION 'bids_opened_by_others' USING ERRCODE = 'check_violation', CONSTRAINT = 'bids_opened_by_others';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bids_opened_with_tender BEFORE INSERT OR UPDATE ON bids FOR EACH ROW
    WHEN (NEW.state IN ('valid', 'invalid')) EXECUTE FUNCTION refuse_early_opening();

CREATE FUNCTION refuse_conflicted_score() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM tender_panel m WHERE m.tender_id = NEW.tender_id AND m.user_id = NEW.scorer_id AND m.conflict IS NOT NULL)
        OR EXISTS (SELECT 1 FROM bids b JOIN organisation_people p ON p.organisation_id = b.organisation_id
            WHERE b.tender_id = NEW.tender_id AND p.user_id = NEW.scorer_id AND p.ended_at IS NULL) THEN
        RAISE EXCEPTION 'tender_scores_not_conflicted' USING ERRCODE = 'check_violation', CONSTRAINT = 'tender_scores_not_conflicted';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tender_scores_not_conflicted BEFORE INSERT ON tender_scores FOR EACH ROW EXECUTE FUNCTION refuse_conflicted_score();

CREATE FUNCTION refuse_own_award() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM bids b WHERE b.id = NEW.bid_id AND b.state = 'valid') THEN
        RAISE EXCEPTION 'tender_awards_valid' USING ERRCODE = 'check_violation', CONSTRAINT = 'tender_awards_valid';
    END IF;
    IF EXISTS (SELECT 1 FROM bids b JOIN organisation_people p ON p.organisation_id = b.organisation_id
        WHERE b.id = NEW.bid_id AND p.user_id IN (NEW.proposed_by, NEW.decided_by) AND p.ended_at IS NULL AND NEW.state IN ('proposed', 'standing')) THEN
        RAISE EXCEPTION 'tender_awards_by_others' USING ERRCODE = 'check_violation', CONSTRAINT = 'tender_awards_by_others';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tender_awards_by_others BEFORE INSERT OR UPDATE ON tender_awards FOR EACH ROW EXECUTE FUNCTION refuse_own_award();

CREATE FUNCTION refuse_wrong_sum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM contracts c WHERE c.id = NEW.contract_id AND c.price_fen = NEW.price_fen AND c.price_fen =
        (SELECT SUM(m.amount_fen) FROM milestones m WHERE m.contract_id = c.id AND m.state <> 'dropped')) THEN
        RAISE EXCEPTION 'contract_versions_sum' USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_versions_sum';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER contract_versions_sum BEFORE INSERT OR UPDATE ON contract_versions FOR EACH ROW
    WHEN (NEW.state = 'accepted') EXECUTE FUNCTION refuse_wrong_sum();

CREATE FUNCTION refuse_paid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'milestones_paid_for_good' USING ERRCODE = 'check_violation', CONSTRAINT = 'milestones_paid_for_good';
END $$;
CREATE TRIGGER milestones_paid_for_good BEFORE UPDATE OR DELETE ON milestones FOR EACH ROW
    WHEN (OLD.paid_at IS NOT NULL) EXECUTE FUNCTION refuse_paid_change();
CREATE TRIGGER tender_criteria_append_only BEFORE UPDATE OR DELETE ON tender_criteria FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tender_amendments_append_only BEFORE UPDATE OR DELETE ON tender_amendments FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bid_versions_append_only BEFORE UPDATE OR DELETE ON bid_versions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tender_scores_append_only BEFORE UPDATE OR DELETE ON tender_scores FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_versions_append_only BEFORE UPDATE OR DELETE ON contract_versions FOR EACH ROW
    WHEN (OLD.state <> 'proposed') EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER bid_versions_in_time BEFORE INSERT ON bid_versions
WHEN EXISTS (SELECT 1 FROM bids b JOIN tenders t ON t.id = b.tender_id WHERE b.id = NEW.bid_id AND t.closes_at <= NEW.received_at)
BEGIN SELECT RAISE(ABORT, 'bid_versions_in_time'); END;
CREATE TRIGGER bids_opened_with_tender BEFORE UPDATE ON bids
WHEN NEW.state IN ('valid', 'invalid')
    AND EXISTS (SELECT 1 FROM tenders t WHERE t.id = NEW.tender_id AND (t.opened_at IS NULL OR t.ceiling_fen < NEW.price_fen))
BEGIN SELECT RAISE(ABORT, 'bids_opened_with_tender'); END;
CREATE TRIGGER bids_opened_by_others BEFORE UPDATE ON bids
WHEN NEW.state IN ('valid', 'invalid') AND EXISTS (
    SELECT 1 FROM tenders t JOIN organisation_people p ON p.user_id IN (t.opening_asked_by, t.opened_by)
    WHERE t.id = NEW.tender_id AND p.organisation_id = NEW.organisation_id AND p.ended_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'bids_opened_by_others'); END;
CREATE TRIGGER bids_handed_in_sealed BEFORE INSERT ON bids
WHEN NEW.state IN ('valid', 'invalid') AND EXISTS (SELECT 1 FROM tenders t WHERE t.id = NEW.tender_id AND t.opened_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'bids_opened_with_tender'); END;
CREATE TRIGGER tender_scores_not_conflicted BEFORE INSERT ON tender_scores
WHEN EXISTS (SELECT 1 FROM tender_panel m WHERE m.tender_id = NEW.tender_id AND m.user_id = NEW.scorer_id AND m.conflict IS NOT NULL)
    OR EXISTS (SELECT 1 FROM bids b JOIN organisation_people p ON p.organisation_id = b.organisation_id
        WHERE b.tender_id = NEW.tender_id AND p.user_id = NEW.scorer_id AND p.ended_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'tender_scores_not_conflicted'); END;
CREATE TRIGGER tender_awards_valid BEFORE INSERT ON tender_awards
WHEN NOT EXISTS (SELECT 1 FROM bids b WHERE b.id = NEW.bid_id AND b.state = 'valid')
BEGIN SELECT RAISE(ABORT, 'tender_awards_valid'); END;
CREATE TRIGGER tender_awards_by_others BEFORE INSERT ON tender_awards
WHEN EXISTS (SELECT 1 FROM bids b JOIN organisation_people p ON p.organisation_id = b.organisation_id
    WHERE b.id = NEW.bid_id AND p.user_id = NEW.proposed_by AND p.ended_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'tender_awards_by_others'); END;
CREATE TRIGGER tender_awards_confirmed_by_others BEFORE UPDATE ON tender_awards
WHEN NEW.state IN ('proposed', 'standing') AND EXISTS (SELECT 1 FROM bids b JOIN organisation_people p ON p.organisation_id = b.organisation_id
    WHERE b.id = NEW.bid_id AND p.user_id IN (NEW.proposed_by, NEW.decided_by) AND p.ended_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'tender_awards_by_others'); END;
CREATE TRIGGER contract_versions_sum BEFORE INSERT ON contract_versions
WHEN NEW.state = 'accepted' AND NOT EXISTS (SELECT 1 FROM contracts c WHERE c.id = NEW.contract_id AND c.price_fen = NEW.price_fen AND c.price_fen =
    (SELECT SUM(m.amount_fen) FROM milestones m WHERE m.contract_id = c.id AND m.state <> 'dropped'))
BEGIN SELECT RAISE(ABORT, 'contract_versions_sum'); END;
CREATE TRIGGER contract_versions_sum_changed BEFORE UPDATE ON contract_versions
WHEN NEW.state = 'accepted' AND NOT EXISTS (SELECT 1 FROM contracts c WHERE c.id = NEW.contract_id AND c.price_fen = NEW.price_fen AND c.price_fen =
    (SELECT SUM(m.amount_fen) FROM milestones m WHERE m.contract_id = c.id AND m.state <> 'dropped'))
BEGIN SELECT RAISE(ABORT, 'contract_versions_sum'); END;
CREATE TRIGGER milestones_paid_for_good BEFORE UPDATE ON milestones WHEN OLD.paid_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'milestones_paid_for_good'); END;
CREATE TRIGGER milestones_paid_stay BEFORE DELETE ON milestones WHEN OLD.paid_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'milestones_paid_for_good'); END;
CREATE TRIGGER tender_criteria_no_update BEFORE UPDATE ON tender_criteria BEGIN SELECT RAISE(ABORT, 'tender_criteria_append_only'); END;
CREATE TRIGGER tender_criteria_no_delete BEFORE DELETE ON tender_criteria BEGIN SELECT RAISE(ABORT, 'tender_criteria_append_only'); END;
CREATE TRIGGER tender_amendments_no_update BEFORE UPDATE ON tender_amendments BEGIN SELECT RAISE(ABORT, 'tender_amendments_append_only'); END;
CREATE TRIGGER tender_amendments_no_delete BEFORE DELETE ON tender_amendments BEGIN SELECT RAISE(ABORT, 'tender_amendments_append_only'); END;
CREATE TRIGGER bid_versions_no_update BEFORE UPDATE ON bid_versions BEGIN SELECT RAISE(ABORT, 'bid_versions_append_only'); END;
CREATE TRIGGER bid_versions_no_delete BEFORE DELETE ON bid_versions BEGIN SELECT RAISE(ABORT, 'bid_versions_append_only'); END;
CREATE TRIGGER tender_scores_no_update BEFORE UPDATE ON tender_scores BEGIN SELECT RAISE(ABORT, 'tender_scores_append_only'); END;
CREATE TRIGGER tender_scores_no_delete BEFORE DELETE ON tender_scores BEGIN SELECT RAISE(ABORT, 'tender_scores_append_only'); END;
CREATE TRIGGER contract_versions_no_update BEFORE UPDATE ON contract_versions WHEN OLD.state <> 'proposed'
BEGIN SELECT RAISE(ABORT, 'contract_versions_append_only'); END;
CREATE TRIGGER contract_versions_no_delete BEFORE DELETE ON contract_versions WHEN OLD.state <> 'proposed'
BEGIN SELECT RAISE(ABORT, 'contract_versions_append_only'); END;
--end
