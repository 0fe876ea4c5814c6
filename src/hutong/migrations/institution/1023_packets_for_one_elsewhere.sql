-- why: a red packet may be for one person of another institution, named by a code to receive of theirs.
-- locks: a short one on red_packets; the columns have defaults, and no row is written.
-- when: pre

ALTER TABLE red_packets ADD COLUMN to_agent text NOT NULL DEFAULT '';
ALTER TABLE red_packets ADD COLUMN to_code_id uuid;
ALTER TABLE red_packets ADD COLUMN to_name text NOT NULL DEFAULT '';
