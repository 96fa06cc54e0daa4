-- What a community publishes about one month of China's calendar; made once, and never changed.
CREATE TABLE community_summaries (
    id UUID NOT NULL PRIMARY KEY,
    community_id UUID NOT NULL CONSTRAINT community_summaries_community REFERENCES places (id),
    community_name text NOT NULL,
    month text NOT NULL,
    minimum_cell bigint NOT NULL,
    figures JSON NOT NULL,
    csv text NOT NULL,
    hash text NOT NULL,
    notice_id UUID NOT NULL,
    made_at TIME NOT NULL,
    CONSTRAINT community_summaries_once UNIQUE (community_id, month)
);
CREATE INDEX community_summaries_list ON community_summaries (community_id, id);

--postgres
CREATE TRIGGER community_summaries_append_only BEFORE UPDATE OR DELETE ON community_summaries FOR EACH ROW EXECUTE FUNCTION refuse_change();
--sqlite
CREATE TRIGGER community_summaries_no_update BEFORE UPDATE ON community_summaries BEGIN SELECT RAISE(ABORT, 'community_summaries_append_only'); END;
CREATE TRIGGER community_summaries_no_delete BEFORE DELETE ON community_summaries BEGIN SELECT RAISE(ABORT, 'community_summaries_append_only'); END;
--end
