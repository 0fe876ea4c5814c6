-- Why:   payments, receipts, refunds and returns: what was intended, and the outcome, each a row.
-- Locks: none; the tables are new.
-- When:  pre.
--
-- A person's or a merchant's payments are found through the ledger, which has its accounts indexed: here only by id.

CREATE TABLE payments (
    position         bigint   PRIMARY KEY,
    id               uuid     NOT NULL,
    user_id          uuid     NOT NULL,
    account          uuid     NOT NULL,
    debtor_name      text     NOT NULL,
    creditor_agent   text     NOT NULL,
    request_id       uuid     NOT NULL,
    payee_account    uuid     NOT NULL,
    merchant_id      uuid     NOT NULL,
    payee_user_id    uuid     NOT NULL,
    shop_id          uuid     NOT NULL,
    payee_name       text     NOT NULL,
    shop_name        text     NOT NULL,
    mcc              text     NOT NULL,
    channel          text     NOT NULL,
    is_static        boolean  NOT NULL,
    currency         text     NOT NULL,
    gross            bigint   NOT NULL CHECK (gross > 0),
    payer_discount   bigint   NOT NULL CHECK (payer_discount >= 0),
    payee_discount   bigint   NOT NULL CHECK (payee_discount >= 0),
    fee              bigint   NOT NULL CHECK (fee >= 0),
    interchange      bigint   NOT NULL CHECK (interchange >= 0),
    switch_fee       bigint   NOT NULL CHECK (switch_fee >= 0),
    budget_account   uuid     NOT NULL,
    sponsor_account  uuid     NOT NULL,
    adjuster         text     NOT NULL,
    sponsor          text     NOT NULL,
    funding          text     NOT NULL,
    fee_version      text     NOT NULL,
    policy_version   text     NOT NULL,
    quote_id         uuid     NOT NULL,
    mandate_id       uuid     NOT NULL,
    remark           text     NOT NULL,
    counter          smallint NOT NULL,
    counted          boolean  NOT NULL,
    spent_year       bigint   NOT NULL,
    spent_static     bigint   NOT NULL,
    spent_unverified bigint   NOT NULL,
    spent_verified   bigint   NOT NULL,
    created_ns       bigint   NOT NULL,
    expires_ns       bigint   NOT NULL
);
CREATE INDEX payments_id ON payments (id, position);

CREATE TABLE payment_outcomes (
    position   bigint   PRIMARY KEY,
    id         uuid     NOT NULL,
    completed  boolean  NOT NULL,
    reason     text     NOT NULL,
    iso_code   text     NOT NULL,
    decided_ns bigint   NOT NULL
);
CREATE INDEX payment_outcomes_id ON payment_outcomes (id, position);

CREATE TABLE spending (
    position         bigint   PRIMARY KEY,
    id               uuid     NOT NULL,
    user_id          uuid     NOT NULL,
    counted_ns       bigint   NOT NULL,
    spent_year       bigint   NOT NULL,
    spent_static     bigint   NOT NULL,
    spent_unverified bigint   NOT NULL,
    spent_verified   bigint   NOT NULL
);
CREATE INDEX spending_user_id ON spending (user_id, position);

CREATE TABLE receipts (
    position        bigint   PRIMARY KEY,
    id              uuid     NOT NULL,
    debtor_agent    text     NOT NULL,
    request_id      uuid     NOT NULL,
    account         uuid     NOT NULL,
    merchant_id     uuid     NOT NULL,
    user_id         uuid     NOT NULL,
    shop_id         uuid     NOT NULL,
    mcc             text     NOT NULL,
    channel         text     NOT NULL,
    is_static       boolean  NOT NULL,
    currency        text     NOT NULL,
    gross           bigint   NOT NULL CHECK (gross > 0),
    payee_discount  bigint   NOT NULL CHECK (payee_discount >= 0),
    fee             bigint   NOT NULL CHECK (fee >= 0),
    interchange     bigint   NOT NULL CHECK (interchange >= 0),
    switch_fee      bigint   NOT NULL CHECK (switch_fee >= 0),
    sponsor_account uuid     NOT NULL,
    sponsor         text     NOT NULL,
    fee_version     text     NOT NULL,
    policy_version  text     NOT NULL,
    debtor_name     text     NOT NULL,
    debtor_ref      text     NOT NULL,
    remark          text     NOT NULL,
    created_ns      bigint   NOT NULL,
    expires_ns      bigint   NOT NULL
);
CREATE INDEX receipts_id ON receipts (id, position);

CREATE TABLE receipt_outcomes (
    position   bigint   PRIMARY KEY,
    id         uuid     NOT NULL,
    completed  boolean  NOT NULL,
    reason     text     NOT NULL,
    iso_code   text     NOT NULL,
    decided_ns bigint   NOT NULL
);
CREATE INDEX receipt_outcomes_id ON receipt_outcomes (id, position);

CREATE TABLE refunds (
    position        bigint   PRIMARY KEY,
    id              uuid     NOT NULL,
    refund_id       uuid     NOT NULL,
    merchant_id     uuid     NOT NULL,
    shop_id         uuid     NOT NULL,
    payment_id      uuid     NOT NULL,
    debtor_agent    text     NOT NULL,
    on_us           boolean  NOT NULL,
    account         uuid     NOT NULL,
    payer_account   uuid     NOT NULL,
    payer_user_id   uuid     NOT NULL,
    budget_account  uuid     NOT NULL,
    sponsor_account uuid     NOT NULL,
    currency        text     NOT NULL,
    gross           bigint   NOT NULL CHECK (gross > 0),
    payer_discount  bigint   NOT NULL CHECK (payer_discount >= 0),
    payee_discount  bigint   NOT NULL CHECK (payee_discount >= 0),
    fee             bigint   NOT NULL CHECK (fee >= 0),
    interchange     bigint   NOT NULL CHECK (interchange >= 0),
    switch_fee      bigint   NOT NULL CHECK (switch_fee >= 0),
    remark          text     NOT NULL,
    created_ns      bigint   NOT NULL,
    expires_ns      bigint   NOT NULL
);
CREATE INDEX refunds_id ON refunds (id, position);
CREATE INDEX refunds_payment_id ON refunds (payment_id, position);

CREATE TABLE refund_outcomes (
    position   bigint   PRIMARY KEY,
    id         uuid     NOT NULL,
    completed  boolean  NOT NULL,
    reason     text     NOT NULL,
    iso_code   text     NOT NULL,
    decided_ns bigint   NOT NULL
);
CREATE INDEX refund_outcomes_id ON refund_outcomes (id, position);

CREATE TABLE returns (
    position       bigint   PRIMARY KEY,
    id             uuid     NOT NULL,
    payment_id     uuid     NOT NULL,
    creditor_agent text     NOT NULL,
    user_id        uuid     NOT NULL,
    account        uuid     NOT NULL,
    budget_account uuid     NOT NULL,
    currency       text     NOT NULL,
    gross          bigint   NOT NULL CHECK (gross > 0),
    payer_discount bigint   NOT NULL CHECK (payer_discount >= 0),
    payee_discount bigint   NOT NULL CHECK (payee_discount >= 0),
    interchange    bigint   NOT NULL CHECK (interchange >= 0),
    switch_fee     bigint   NOT NULL CHECK (switch_fee >= 0),
    payee_name     text     NOT NULL,
    remark         text     NOT NULL,
    created_ns     bigint   NOT NULL,
    expires_ns     bigint   NOT NULL
);
CREATE INDEX returns_id ON returns (id, position);
CREATE INDEX returns_payment_id ON returns (payment_id, position);

CREATE TABLE return_outcomes (
    position   bigint   PRIMARY KEY,
    id         uuid     NOT NULL,
    completed  boolean  NOT NULL,
    reason     text     NOT NULL,
    iso_code   text     NOT NULL,
    decided_ns bigint   NOT NULL
);
CREATE INDEX return_outcomes_id ON return_outcomes (id, position);
