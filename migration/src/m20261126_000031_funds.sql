-- A self-governed fund: an association's money in its community. Who keeps it and who checks it are two people.
CREATE TABLE funds (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT funds_community REFERENCES places (id),
    place_path PATH NOT NULL,
    name text NOT NULL,
    charter text NOT NULL,
    project_id UUID CONSTRAINT funds_project REFERENCES projects (id),
    treasurer_id UUID NOT NULL CONSTRAINT funds_treasurer REFERENCES users (id),
    auditor_id UUID NOT NULL CONSTRAINT funds_auditor REFERENCES users (id),
    created_by UUID CONSTRAINT funds_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    CONSTRAINT funds_two_people CHECK (treasurer_id <> auditor_id),
    CONSTRAINT funds_once UNIQUE (community_id, name)
);
CREATE INDEX funds_list ON funds (community_id, id);
CREATE INDEX funds_places ON funds (place_path, id);
CREATE INDEX funds_of_treasurer ON funds (treasurer_id);
CREATE INDEX funds_of_auditor ON funds (auditor_id);

-- What a vehicle pays a month, or a service costs. A tariff never changes: it ends, and another begins.
CREATE TABLE fund_tariffs (
    id UUID NOT NULL PRIMARY KEY,
    fund_id UUID NOT NULL CONSTRAINT fund_tariffs_fund REFERENCES funds (id),
    kind text NOT NULL CONSTRAINT fund_tariffs_kind CHECK (kind IN ('fee', 'service')),
    name text NOT NULL,
    fen bigint NOT NULL CONSTRAINT fund_tariffs_fen CHECK (fen > 0),
    created_by UUID CONSTRAINT fund_tariffs_created_by REFERENCES users (id),
    created_at TIME NOT NULL,
    ended_at TIME,
    CONSTRAINT fund_tariffs_own UNIQUE (id, fund_id)
);
CREATE INDEX fund_tariffs_list ON fund_tariffs (fund_id, id);

-- The plate is encrypted; its keyed hash finds it, and makes it one of its fund.
CREATE TABLE fund_vehicles (
    id UUID NOT NULL PRIMARY KEY,
    fund_id UUID NOT NULL CONSTRAINT fund_vehicles_fund REFERENCES funds (id),
    plate_cipher text NOT NULL,
    plate_hash text NOT NULL,
    owner_id UUID CONSTRAINT fund_vehicles_owner REFERENCES users (id),
    household_id UUID CONSTRAINT fund_vehicles_household REFERENCES households (id),
    added_by UUID CONSTRAINT fund_vehicles_added_by REFERENCES users (id),
    added_at TIME NOT NULL,
    ended_at TIME,
    CONSTRAINT fund_vehicles_owned CHECK ((owner_id IS NULL) <> (household_id IS NULL)),
    CONSTRAINT fund_vehicles_own UNIQUE (id, fund_id)
);
CREATE UNIQUE INDEX fund_vehicles_one_live ON fund_vehicles (fund_id, plate_hash) WHERE ended_at IS NULL;
CREATE INDEX fund_vehicles_list ON fund_vehicles (fund_id, id);
CREATE INDEX fund_vehicles_mine ON fund_vehicles (owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX fund_vehicles_household ON fund_vehicles (household_id) WHERE household_id IS NOT NULL;

-- Money in. A vehicle pays a month once, unless that was taken back.
CREATE TABLE fund_receipts (
    id UUID NOT NULL PRIMARY KEY,
    fund_id UUID NOT NULL CONSTRAINT fund_receipts_fund REFERENCES funds (id),
    kind text NOT NULL CONSTRAINT fund_receipts_kind CHECK (kind IN ('fee', 'service', 'donation')),
    tariff_id UUID,
    vehicle_id UUID,
    period text,
    payer_id UUID CONSTRAINT fund_receipts_payer REFERENCES users (id),
    fen bigint NOT NULL CONSTRAINT fund_receipts_fen CHECK (fen > 0),
    recorded_by UUID NOT NULL CONSTRAINT fund_receipts_recorded_by REFERENCES users (id),
    recorded_at TIME NOT NULL,
    reversed_by UUID CONSTRAINT fund_receipts_reversed_by REFERENCES users (id),
    reversed_at TIME,
    reversal_reason text,
    CONSTRAINT fund_receipts_tariff FOREIGN KEY (tariff_id, fund_id) REFERENCES fund_tariffs (id, fund_id),
    CONSTRAINT fund_receipts_vehicle FOREIGN KEY (vehicle_id, fund_id) REFERENCES fund_vehicles (id, fund_id),
    CONSTRAINT fund_receipts_of_vehicle CHECK ((kind = 'fee') = (vehicle_id IS NOT NULL) AND (vehicle_id IS NULL) = (period IS NULL)),
    CONSTRAINT fund_receipts_by_tariff CHECK ((kind = 'donation') = (tariff_id IS NULL)),
    CONSTRAINT fund_receipts_reversed CHECK ((reversed_by IS NULL) = (reversed_at IS NULL) AND (reversed_by IS NULL) = (reversal_reason IS NULL)),
    CONSTRAINT fund_receipts_reversed_by_another CHECK (reversed_by IS NULL OR reversed_by <> recorded_by)
);
CREATE UNIQUE INDEX fund_receipts_once ON fund_receipts (vehicle_id, period) WHERE vehicle_id IS NOT NULL AND reversed_at IS NULL;
CREATE INDEX fund_receipts_list ON fund_receipts (fund_id, id);

-- Money out: one proposes, another confirms, neither gets it.
CREATE TABLE fund_expenses (
    id UUID NOT NULL PRIMARY KEY,
    fund_id UUID NOT NULL CONSTRAINT fund_expenses_fund REFERENCES funds (id),
    kind text NOT NULL CONSTRAINT fund_expenses_kind CHECK (kind IN ('subsidy', 'expense')),
    payee_id UUID CONSTRAINT fund_expenses_payee REFERENCES users (id),
    purpose text NOT NULL,
    fen bigint NOT NULL CONSTRAINT fund_expenses_fen CHECK (fen > 0),
    state text NOT NULL CONSTRAINT fund_expenses_state CHECK (state IN ('proposed', 'confirmed', 'refused', 'withdrawn', 'reversed')),
    proposed_by UUID NOT NULL CONSTRAINT fund_expenses_proposed_by REFERENCES users (id),
    proposed_at TIME NOT NULL,
    decided_by UUID CONSTRAINT fund_expenses_decided_by REFERENCES users (id),
    decided_at TIME,
    reason text,
    reversed_by UUID CONSTRAINT fund_expenses_reversed_by REFERENCES users (id),
    reversed_at TIME,
    CONSTRAINT fund_expenses_to_somebody CHECK (kind <> 'subsidy' OR payee_id IS NOT NULL),
    CONSTRAINT fund_expenses_decided CHECK ((state = 'proposed') = (decided_by IS NULL)),
    CONSTRAINT fund_expenses_by_two CHECK (decided_by IS NULL OR decided_by <> proposed_by OR state = 'withdrawn'),
    CONSTRAINT fund_expenses_not_to_oneself CHECK (payee_id IS NULL OR (payee_id <> proposed_by AND (decided_by IS NULL OR payee_id <> decided_by))),
    CONSTRAINT fund_expenses_reversed CHECK ((state = 'reversed') = (reversed_by IS NOT NULL)),
    CONSTRAINT fund_expenses_reversed_by_another CHECK (reversed_by IS NULL OR reversed_by <> proposed_by)
);
CREATE INDEX fund_expenses_list ON fund_expenses (fund_id, id);
CREATE INDEX fund_expenses_open ON fund_expenses (fund_id, id) WHERE state = 'proposed';
CREATE INDEX fund_expenses_mine ON fund_expenses (payee_id) WHERE payee_id IS NOT NULL;

-- The books that every resident reads: a line a movement, with the id of its transaction in the ledger; only ever added.
CREATE TABLE fund_entries (
    id UUID NOT NULL PRIMARY KEY CONSTRAINT fund_entries_transaction REFERENCES ledger_transactions (id),
    fund_id UUID NOT NULL CONSTRAINT fund_entries_fund REFERENCES funds (id),
    kind text NOT NULL CONSTRAINT fund_entries_kind CHECK (kind IN ('fee', 'service', 'donation', 'subsidy', 'expense')),
    correction boolean NOT NULL,
    fen bigint NOT NULL,
    source_id UUID NOT NULL,
    at TIME NOT NULL,
    CONSTRAINT fund_entries_direction CHECK (fen <> 0 AND (fen > 0) = ((kind IN ('fee', 'service', 'donation')) <> correction)),
    CONSTRAINT fund_entries_once UNIQUE (source_id, correction)
);
CREATE INDEX fund_entries_of ON fund_entries (fund_id, at);
CREATE INDEX fund_entries_list ON fund_entries (fund_id, id);

-- A month's books as they were made public.
CREATE TABLE fund_months (
    id UUID NOT NULL PRIMARY KEY,
    fund_id UUID NOT NULL CONSTRAINT fund_months_fund REFERENCES funds (id),
    month text NOT NULL,
    books JSON NOT NULL,
    notice_id UUID NOT NULL,
    made_at TIME NOT NULL,
    CONSTRAINT fund_months_once UNIQUE (fund_id, month)
);

--postgres
CREATE TRIGGER fund_entries_append_only BEFORE UPDATE OR DELETE ON fund_entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER fund_months_append_only BEFORE UPDATE OR DELETE ON fund_months FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER fund_entries_no_update BEFORE UPDATE ON fund_entries BEGIN SELECT RAISE(ABORT, 'fund_entries_append_only'); END;
CREATE TRIGGER fund_entries_no_delete BEFORE DELETE ON fund_entries BEGIN SELECT RAISE(ABORT, 'fund_entries_append_only'); END;
CREATE TRIGGER fund_months_no_update BEFORE UPDATE ON fund_months BEGIN SELECT RAISE(ABORT, 'fund_months_append_only'); END;
CREATE TRIGGER fund_months_no_delete BEFORE DELETE ON fund_months BEGIN SELECT RAISE(ABORT, 'fund_months_append_only'); END;
--end
