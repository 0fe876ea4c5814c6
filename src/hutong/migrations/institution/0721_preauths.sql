-- Why:   pre-authorisations: what people let merchants hold, and what was let go of it.
-- Locks: none: new tables.
-- When:  pre.

CREATE TABLE gateway_preauths (
    position     bigint  PRIMARY KEY,
    id           uuid    NOT NULL,
    account_id   uuid    NOT NULL,
    payee_id     uuid    NOT NULL,
    dialect      text    NOT NULL,
    number       text    NOT NULL,
    number_key   uuid    NOT NULL,
    auth_no      text    NOT NULL,
    auth_key     uuid    NOT NULL,
    title        text    NOT NULL,
    amount       bigint  NOT NULL CHECK (amount > 0),
    notify_url   text    NOT NULL,
    facts        bytea   NOT NULL,
    content      bytea   NOT NULL,
    state        text    NOT NULL,
    reason       text    NOT NULL,
    user_id      uuid    NOT NULL,
    due_day      integer NOT NULL,
    created_ns   bigint  NOT NULL,
    expires_ns   bigint  NOT NULL,
    held_ns      bigint  NOT NULL,
    ended_ns     bigint  NOT NULL
);
CREATE INDEX gateway_preauths_id ON gateway_preauths (id, position);
CREATE INDEX gateway_preauths_number_key ON gateway_preauths (number_key, position);
CREATE INDEX gateway_preauths_auth_key ON gateway_preauths (auth_key, position);
CREATE INDEX gateway_preauths_user_id ON gateway_preauths (user_id, position);
CREATE INDEX gateway_preauths_due_day ON gateway_preauths (due_day, position);

CREATE TABLE gateway_preauth_operations (
    position     bigint  PRIMARY KEY,
    id           uuid    NOT NULL,
    preauth_id   uuid    NOT NULL,
    payee_id     uuid    NOT NULL,
    number       text    NOT NULL,
    number_key   uuid    NOT NULL,
    operation_no text    NOT NULL,
    amount       bigint  NOT NULL CHECK (amount > 0),
    remark       text    NOT NULL,
    state        text    NOT NULL,
    created_ns   bigint  NOT NULL
);
CREATE INDEX gateway_preauth_operations_id ON gateway_preauth_operations (id, position);
CREATE INDEX gateway_preauth_operations_preauth_id ON gateway_preauth_operations (preauth_id, position);
CREATE INDEX gateway_preauth_operations_number_key ON gateway_preauth_operations (number_key, position);
