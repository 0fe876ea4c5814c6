-- why: our settlement account at the switch, entry by entry.
-- locks: none that matter, the table is new.
-- when: pre

CREATE TABLE settlement_entries (
    position      bigint   PRIMARY KEY,
    currency      text     NOT NULL,
    id            uuid     NOT NULL,
    number        bigint   NOT NULL CHECK (number > 0),
    kind          text     NOT NULL,
    "window"      text     NOT NULL,
    settles_on    text     NOT NULL,
    amount_minor  bigint   NOT NULL CHECK (amount_minor >= 0),
    is_credit     boolean  NOT NULL,
    credit_minor  bigint   NOT NULL,
    debit_minor   bigint   NOT NULL,
    loss_minor    bigint   NOT NULL,
    missing_minor bigint   NOT NULL,
    opening_minor bigint   NOT NULL,
    closing_minor bigint   NOT NULL,
    booked_ns     bigint   NOT NULL,
    noted_ns      bigint   NOT NULL,
    CONSTRAINT settlement_entries_once UNIQUE (currency, number)
);
CREATE INDEX settlement_entries_currency ON settlement_entries (currency, position);
