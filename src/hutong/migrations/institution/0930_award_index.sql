-- why: one index of a campaign's awards in the place of two: read in order by who looks at them, and summed over at every
--      start. Each discounted payment writes into it.
-- locks: writes to `awards` wait while the index is built.
-- when: pre

CREATE INDEX awards_campaign ON awards (campaign_id, position) INCLUDE (day, place, change, times);
DROP INDEX awards_campaign_id;
DROP INDEX awards_campaign_position;
