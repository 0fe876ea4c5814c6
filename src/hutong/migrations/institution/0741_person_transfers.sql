-- Why:   transfers: what merchants send to people, one by one and in batches.
-- Locks: none; the tables are new.
-- When:  pre.

CREATE TABLE person_transfers (
    position        bigint  PRIMARY KEY,
    id              uuid    NOT NULL,
    merchant_id     uuid    NOT NULL,
    account_id      uuid    NOT NULL,
    dialect         text    NOT NULL,
    number          text    NOT NULL,
    number_key      uuid    NOT NULL,
    batch_id        uuid    NOT NULL,
    user_id         uuid    NOT NULL,
    waiting_user_id uuid,
    payee           text    NOT NULL,
    amount          bigint  NOT NULL CHECK (amount > 0),
    remark          text    NOT NULL,
    confirmed       boolean NOT NULL,
    content         bytea   NOT NULL,
    state           text    NOT NULL,
    reason          text    NOT NULL,
    notify_url      text    NOT NULL,
    facts           bytea   NOT NULL,
    day_key         uuid    NOT NULL,
    expires_ns      bigint  NOT NULL,
    created_ns      bigint  NOT NULL,
    changed_ns      bigint  NOT NULL
);
CREATE INDEX person_transfers_id ON person_transfers (id, position);
CREATE INDEX person_transfers_number_key ON person_transfers (number_key, position);
CREATE INDEX person_transfers_batch_id ON person_transfers (batch_id, position);
CREATE INDEX person_transfers_waiting_user_id ON person_transfers (waiting_user_id, position)
    WHERE waiting_user_id IS NOT NULL;
CREATE INDEX person_transfers_day_key ON person_transfers (day_key, position);

CREATE TABLE transfer_batches (
    position    bigint PRIMARY KEY,
    id          uuid   NOT NULL,
    merchant_id uuid   NOT NULL,
    account_id  uuid   NOT NULL,
    dialect     text   NOT NULL,
    number      text   NOT NULL,
    number_key  uuid   NOT NULL,
    name        text   NOT NULL,
    remark      text   NOT NULL,
    total       bigint NOT NULL CHECK (total > 0),
    count       bigint NOT NULL CHECK (count > 0),
    content     bytea  NOT NULL,
    state       text   NOT NULL,
    notify_url  text   NOT NULL,
    facts       bytea  NOT NULL,
    created_ns  bigint NOT NULL,
    changed_ns  bigint NOT NULL
);
CREATE INDEX transfer_batches_id ON transfer_batches (id, position);
CREATE INDEX transfer_batches_number_key ON transfer_batches (number_key, position);
