-- Why:   merchants join programmes: campaigns of others that are for those who joined.
-- Locks: none worth naming: a new table, and an index on one that is empty as yet.
-- When:  pre.

CREATE TABLE enrolments (
    position     bigint   PRIMARY KEY,
    id           uuid     NOT NULL,
    campaign_id  uuid     NOT NULL,
    merchant_id  uuid     NOT NULL,
    joined       boolean  NOT NULL,
    changed_ns   bigint   NOT NULL
);
CREATE INDEX enrolments_id ON enrolments (id, position);
-- A campaign's awards by time, for who looks at them.
CREATE INDEX awards_campaign_position ON awards (campaign_id, position);
