-- why: a node has one writer; every commit checks that its epoch still holds, so a paused old writer can't write.
-- locks: none, the table is new.
-- when: pre

CREATE TABLE writer (
    -- One row, for ever: the check in each commit locks it, and a new writer changes it.
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    epoch bigint NOT NULL CHECK (epoch >= 0),
    taken_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO writer (epoch) VALUES (0);
