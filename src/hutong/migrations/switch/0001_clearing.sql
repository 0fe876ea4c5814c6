-- why: participants, code forms and fees; payments and returns between nodes and how they were decided.
-- locks: none that matter, the tables are new.
-- when: pre

CREATE TABLE cleared_payment (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    originator text NOT NULL,
    debtor_agent text NOT NULL,
    creditor_agent text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    settlement_minor bigint NOT NULL CHECK (settlement_minor >= 0),
    switch_fee_minor bigint NOT NULL CHECK (switch_fee_minor >= 0),
    currency text NOT NULL,
    fee_version text NOT NULL,
    expires_ns bigint NOT NULL,
    reserved_ns bigint NOT NULL,
    message bytea NOT NULL,
    CONSTRAINT cleared_payment_once UNIQUE (id)
);

CREATE TABLE decision (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    originator text NOT NULL,
    status text NOT NULL CHECK (status IN ('ACSC', 'RJCT')),
    reason_code text NOT NULL,
    reason_name text NOT NULL,
    settles_on text NOT NULL,
    decided_ns bigint NOT NULL,
    -- Invariant 3: a payment is decided once.
    CONSTRAINT decision_once UNIQUE (id)
);

CREATE TABLE returned (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    switch_fee_minor bigint NOT NULL CHECK (switch_fee_minor >= 0)
);
CREATE INDEX returned_by_id ON returned (id, position);

CREATE TABLE participant (
    position bigint PRIMARY KEY,
    node_id text NOT NULL,
    participant_id text NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    status text NOT NULL CHECK (status IN ('ACTIVE', 'SUSPENDED')),
    changed_ns bigint NOT NULL
);
CREATE INDEX participant_by_node ON participant (node_id, position);

CREATE TABLE participant_key (
    position bigint PRIMARY KEY,
    key_id text NOT NULL,
    node_id text NOT NULL,
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    valid_from_ns bigint NOT NULL,
    valid_until_ns bigint NOT NULL
);
CREATE INDEX participant_key_by_id ON participant_key (key_id, position);

CREATE TABLE code_form (
    position bigint PRIMARY KEY,
    form text NOT NULL,
    node_id text NOT NULL,
    consented text NOT NULL,
    active boolean NOT NULL
);
CREATE INDEX code_form_by_form ON code_form (form, position);

CREATE TABLE fee_schedule (
    position bigint PRIMARY KEY,
    version text NOT NULL,
    starts_ns bigint NOT NULL,
    rules text NOT NULL,
    CONSTRAINT fee_schedule_once UNIQUE (version)
);
