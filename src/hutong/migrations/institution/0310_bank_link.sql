-- Why:   requests to pay (charges by payment code), and the link to a bank: mandates, linked accounts, top-ups.
-- Locks: none; the tables are new.
-- When:  pre.

CREATE TABLE charges (
    position      bigint   PRIMARY KEY,
    id            uuid     NOT NULL,
    merchant_id   uuid     NOT NULL,
    shop_id       uuid     NOT NULL,
    code          text     NOT NULL,
    creditor_name text     NOT NULL,
    mcc           text     NOT NULL,
    channel       text     NOT NULL,
    amount        bigint   NOT NULL,
    currency      text     NOT NULL,
    remark        text     NOT NULL,
    state         text     NOT NULL,
    reason        text     NOT NULL,
    iso_code      text     NOT NULL,
    created_ns    bigint   NOT NULL,
    expires_ns    bigint   NOT NULL
);
CREATE INDEX charges_id ON charges (id, position);

CREATE TABLE requests_to_pay (
    position        bigint   PRIMARY KEY,
    id              uuid     NOT NULL,
    request_id      uuid     NOT NULL,
    creditor_agent  text     NOT NULL,
    user_id         uuid     NOT NULL,
    waiting_user_id uuid,
    creditor_name   text     NOT NULL,
    mcc             text     NOT NULL,
    channel         text     NOT NULL,
    amount          bigint   NOT NULL,
    currency        text     NOT NULL,
    payee_discount  bigint   NOT NULL,
    interchange_bps integer  NOT NULL,
    switch_fee_bps  integer  NOT NULL,
    fee_version     text     NOT NULL,
    mandate_id      uuid     NOT NULL,
    remark          text     NOT NULL,
    state           text     NOT NULL,
    reason          text     NOT NULL,
    iso_code        text     NOT NULL,
    created_ns      bigint   NOT NULL,
    expires_ns      bigint   NOT NULL
);
CREATE INDEX requests_to_pay_id ON requests_to_pay (id, position);
CREATE INDEX requests_to_pay_waiting_user_id ON requests_to_pay (waiting_user_id, position);

CREATE TABLE mandates (
    position   bigint   PRIMARY KEY,
    id         uuid     NOT NULL,
    user_id    uuid     NOT NULL,
    grantee    text     NOT NULL,
    name       text     NOT NULL,
    currency   text     NOT NULL,
    daily_max  bigint   NOT NULL,
    day        integer  NOT NULL,
    used       bigint   NOT NULL,
    created_ns bigint   NOT NULL,
    revoked_ns bigint   NOT NULL
);
CREATE INDEX mandates_id ON mandates (id, position);
CREATE INDEX mandates_user_id ON mandates (user_id, position);

CREATE TABLE bank_accounts (
    position    bigint   PRIMARY KEY,
    id          uuid     NOT NULL,
    user_id     uuid     NOT NULL,
    bank        text     NOT NULL,
    name        text     NOT NULL,
    mandate     text     NOT NULL,
    code        text     NOT NULL,
    created_ns  bigint   NOT NULL,
    unlinked_ns bigint   NOT NULL
);
CREATE INDEX bank_accounts_id ON bank_accounts (id, position);
CREATE INDEX bank_accounts_user_id ON bank_accounts (user_id, position);

CREATE TABLE top_ups (
    position        bigint   PRIMARY KEY,
    id              uuid     NOT NULL,
    top_up_id       uuid     NOT NULL,
    user_id         uuid     NOT NULL,
    account         uuid     NOT NULL,
    bank_account_id uuid     NOT NULL,
    amount          bigint   NOT NULL,
    currency        text     NOT NULL,
    state           text     NOT NULL,
    claimed_by      uuid     NOT NULL,
    reason          text     NOT NULL,
    created_ns      bigint   NOT NULL,
    expires_ns      bigint   NOT NULL
);
CREATE INDEX top_ups_id ON top_ups (id, position);
