-- Why:   merchants' accounts at banks, and what they withdrew to them.
-- Locks: none; the tables are new.
-- When:  pre.

CREATE TABLE merchant_bank_accounts (
    position    bigint PRIMARY KEY,
    id          uuid   NOT NULL,
    merchant_id uuid   NOT NULL,
    bank        text   NOT NULL,
    label       text   NOT NULL,
    holder      text   NOT NULL,
    code        text   NOT NULL,
    created_ns  bigint NOT NULL,
    unlinked_ns bigint NOT NULL
);
CREATE INDEX merchant_bank_accounts_id ON merchant_bank_accounts (id, position);
CREATE INDEX merchant_bank_accounts_merchant_id ON merchant_bank_accounts (merchant_id, position);

CREATE TABLE withdrawals (
    position        bigint PRIMARY KEY,
    id              uuid   NOT NULL,
    merchant_id     uuid   NOT NULL,
    bank_account_id uuid   NOT NULL,
    amount          bigint NOT NULL CHECK (amount > 0),
    currency        text   NOT NULL,
    approved_by     uuid   NOT NULL,
    created_ns      bigint NOT NULL
);
CREATE INDEX withdrawals_id ON withdrawals (id, position);
CREATE INDEX withdrawals_merchant_id ON withdrawals (merchant_id, position);
