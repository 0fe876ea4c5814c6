-- Why:   parts of splits that a merchant asked to be told of.
-- Locks: none: a new table.
-- When:  pre.

CREATE TABLE split_shares (
    position bigint  PRIMARY KEY,
    id       uuid    NOT NULL,
    split_id uuid    NOT NULL,
    number   integer NOT NULL
);
CREATE INDEX split_shares_id ON split_shares (id, position);
