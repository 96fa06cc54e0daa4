-- Dates of an open programme move to later days only.
--postgres
CREATE OR REPLACE FUNCTION refuse_programme() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.parent_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM programmes p WHERE p.id = NEW.parent_id AND p.place_id = NEW.place_id AND p.parent_id IS NULL) THEN
        RAISE EXCEPTION 'a part has its programme''s place' USING ERRCODE = 'check_violation', CONSTRAINT = 'programmes_of_one_place';
    END IF;
    IF TG_OP = 'UPDATE' AND (
        (NEW.id, NEW.parent_id, NEW.place_id, NEW.place_path, NEW.created_by, NEW.created_at)
            IS DISTINCT FROM (OLD.id, OLD.parent_id, OLD.place_id, OLD.place_path, OLD.created_by, OLD.created_at)
        OR (OLD.state, NEW.state) NOT IN (('draft', 'draft'), ('draft', 'open'), ('open', 'open'), ('open', 'closed'))
        OR (OLD.state = 'open' AND (NEW.budget_fen < OLD.budget_fen OR NEW.proposals_from < OLD.proposals_from
            OR NEW.proposals_until < OLD.proposals_until OR NEW.reviews_until < OLD.reviews_until OR NEW.votes_until < OLD.votes_until
            OR NEW.delivery_until < OLD.delivery_until
            OR (NEW.title, NEW.description, NEW.cap_fen, NEW.count_target, NEW.expert_weight, NEW.allocation, NEW.rubric, NEW.min_reviews,
                NEW.objection_days)
            IS DISTINCT FROM (OLD.title, OLD.description, OLD.cap_fen, OLD.count_target, OLD.expert_weight, OLD.allocation, OLD.rubric,
                OLD.min_reviews, OLD.objection_days)))) THEN
        RAISE EXCEPTION 'an open programme stays as it is' USING ERRCODE = 'check_violation', CONSTRAINT = 'programmes_frozen';
    END IF;
    RETURN NEW;
END $$;
--sqlite
DROP TRIGGER programmes_frozen;
CREATE TRIGGER programmes_frozen BEFORE UPDATE ON programmes
WHEN (NEW.id, NEW.parent_id, NEW.place_id, NEW.place_path, NEW.created_by, NEW.created_at)
        IS NOT (OLD.id, OLD.parent_id, OLD.place_id, OLD.place_path, OLD.created_by, OLD.created_at)
    OR OLD.state || '-' || NEW.state NOT IN ('draft-draft', 'draft-open', 'open-open', 'open-closed')
    OR (OLD.state = 'open' AND (NEW.budget_fen < OLD.budget_fen OR NEW.proposals_from < OLD.proposals_from
        OR NEW.proposals_until < OLD.proposals_until OR NEW.reviews_until < OLD.reviews_until OR NEW.votes_until < OLD.votes_until
        OR NEW.delivery_until < OLD.delivery_until
        OR (NEW.title, NEW.description, NEW.cap_fen, NEW.count_target, NEW.expert_weight, NEW.allocation, NEW.rubric, NEW.min_reviews,
            NEW.objection_days)
        IS NOT (OLD.title, OLD.description, OLD.cap_fen, OLD.count_target, OLD.expert_weight, OLD.allocation, OLD.rubric, OLD.min_reviews,
            OLD.objection_days)))
BEGIN SELECT RAISE(ABORT, 'programmes_frozen'); END;
--end
