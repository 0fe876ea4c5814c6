-- Why:   a share that crossed to another institution may come back from there, by a recall: it is the sender's again.
-- Locks: a short one on red_packet_claims; the default is kept in the catalogue, and no row is written.
-- When:  pre.

ALTER TABLE red_packet_claims ADD COLUMN returned bigint NOT NULL DEFAULT 0;
