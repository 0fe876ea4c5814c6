-- why: the scheme's invoices, and the daily proof that reserves are backed.
-- locks: none that matter, the tables are new.
-- when: pre

CREATE TABLE settlement_invoice (
    position bigint PRIMARY KEY,
    number text NOT NULL,
    id uuid NOT NULL,
    month text NOT NULL,
    node_id text NOT NULL,
    currency text NOT NULL,
    lines text NOT NULL,
    total_minor bigint NOT NULL,
    due_minor bigint NOT NULL CHECK (due_minor >= 0),
    state text NOT NULL CHECK (state IN ('DUE', 'PAID')),
    issued_ns bigint NOT NULL
);
CREATE INDEX settlement_invoice_by_number ON settlement_invoice (number, position);

CREATE TABLE safeguarding_proof (
    position bigint PRIMARY KEY,
    key text NOT NULL,
    day text NOT NULL,
    currency text NOT NULL,
    custody_minor bigint NOT NULL,
    reserves_minor bigint NOT NULL,
    contributions_minor bigint NOT NULL,
    positions_minor bigint NOT NULL,
    caps_minor bigint NOT NULL,
    income_minor bigint NOT NULL,
    holds boolean NOT NULL,
    taken_ns bigint NOT NULL
);
CREATE INDEX safeguarding_proof_by_key ON safeguarding_proof (key, position);
