-- Why:   agreements with periods: under what numbers something was taken, and in which period.
-- Locks: none: a new table.
-- When:  pre.

CREATE TABLE gateway_agreement_takings (
    position     bigint  PRIMARY KEY,
    id           uuid    NOT NULL,
    agreement_id uuid    NOT NULL,
    out_trade_no text    NOT NULL,
    amount       bigint  NOT NULL CHECK (amount > 0),
    period       integer NOT NULL CHECK (period >= 0),
    created_ns   bigint  NOT NULL
);
CREATE INDEX gateway_agreement_takings_id ON gateway_agreement_takings (id, position);
CREATE INDEX gateway_agreement_takings_agreement_id ON gateway_agreement_takings (agreement_id, position);
