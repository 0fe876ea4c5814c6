-- why: what windows come to, how they are settled, settlement accounts' entries, rules, invoices and proofs.
-- locks: settlement_window, for as long as adding columns with constants and checking its few rows takes.
-- when: pre

ALTER TABLE settlement_window
    ADD COLUMN attempt bigint NOT NULL DEFAULT 0,
    ADD COLUMN default_declared boolean NOT NULL DEFAULT false;
ALTER TABLE settlement_window DROP CONSTRAINT settlement_window_state_check;
ALTER TABLE settlement_window ADD CONSTRAINT settlement_window_state_check
    CHECK (state IN ('OPEN', 'CLOSED', 'NETTED', 'SETTLING', 'SETTLED', 'HALTED'));

CREATE TABLE settlement_flow (
    position bigint PRIMARY KEY,
    "window" text NOT NULL,
    is_return boolean NOT NULL,
    debtor_agent text NOT NULL,
    creditor_agent text NOT NULL,
    currency text NOT NULL,
    fee_version text NOT NULL,
    count bigint NOT NULL CHECK (count > 0),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    settlement_minor bigint NOT NULL CHECK (settlement_minor >= 0),
    switch_fee_minor bigint NOT NULL CHECK (switch_fee_minor >= 0),
    CONSTRAINT settlement_flow_once
        UNIQUE ("window", is_return, debtor_agent, creditor_agent, currency, fee_version)
);

CREATE TABLE settlement_obligation (
    position bigint PRIMARY KEY,
    "window" text NOT NULL,
    node_id text NOT NULL,
    currency text NOT NULL,
    credit_minor bigint NOT NULL CHECK (credit_minor >= 0),
    debit_minor bigint NOT NULL CHECK (debit_minor >= 0),
    CONSTRAINT settlement_obligation_once UNIQUE ("window", node_id, currency)
);

CREATE TABLE settlement_movement (
    position bigint PRIMARY KEY,
    "window" text NOT NULL,
    attempt bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('PAY', 'RECEIVE', 'CONTRIBUTION', 'LOSS')),
    node_id text NOT NULL,
    defaulter text NOT NULL,
    currency text NOT NULL,
    minor bigint NOT NULL CHECK (minor > 0),
    CONSTRAINT settlement_movement_once UNIQUE ("window", attempt, kind, node_id, defaulter, currency)
);

CREATE TABLE settlement_entry (
    position bigint PRIMARY KEY,
    account text NOT NULL,
    id uuid NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    node_id text NOT NULL,
    currency text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('WINDOW', 'TOPUP', 'WTHDRW', 'CHRG')),
    "window" text NOT NULL,
    settles_on text NOT NULL,
    credit_minor bigint NOT NULL,
    debit_minor bigint NOT NULL,
    moved_minor bigint NOT NULL,
    loss_minor bigint NOT NULL CHECK (loss_minor >= 0),
    missing_minor bigint NOT NULL CHECK (missing_minor >= 0),
    opening_minor bigint NOT NULL CHECK (opening_minor >= 0),
    closing_minor bigint NOT NULL CHECK (closing_minor >= 0 AND closing_minor = opening_minor + moved_minor),
    booked_ns bigint NOT NULL,
    CONSTRAINT settlement_entry_once UNIQUE (account, number),
    CONSTRAINT settlement_entry_id_once UNIQUE (id)
);
CREATE INDEX settlement_entry_by_account ON settlement_entry (account, position);
CREATE INDEX settlement_entry_by_window ON settlement_entry ("window", position);

CREATE TABLE settlement_told (
    position bigint PRIMARY KEY,
    account text NOT NULL,
    number bigint NOT NULL
);
CREATE INDEX settlement_told_by_account ON settlement_told (account, position);

CREATE TABLE settlement_rules (
    position bigint PRIMARY KEY,
    version text NOT NULL,
    starts_ns bigint NOT NULL,
    rules text NOT NULL,
    CONSTRAINT settlement_rules_once UNIQUE (version)
);
