-- Why:   agreements: what merchants may take of people without asking each time.
-- Locks: none: a new table.
-- When:  pre.

CREATE TABLE gateway_agreements (
    position     bigint PRIMARY KEY,
    id           uuid   NOT NULL,
    account_id   uuid   NOT NULL,
    payee_id     uuid   NOT NULL,
    dialect      text   NOT NULL,
    plan         text   NOT NULL,
    number       text   NOT NULL,
    number_key   uuid   NOT NULL,
    contract_no  text   NOT NULL,
    contract_key uuid   NOT NULL,
    shown        text   NOT NULL,
    day_max      bigint NOT NULL CHECK (day_max > 0),
    notify_url   text   NOT NULL,
    facts        bytea  NOT NULL,
    content      bytea  NOT NULL,
    state        text   NOT NULL,
    user_id      uuid   NOT NULL,
    payer        text   NOT NULL,
    mandate      text   NOT NULL,
    mandate_id   uuid   NOT NULL,
    created_ns   bigint NOT NULL,
    expires_ns   bigint NOT NULL,
    signed_ns    bigint NOT NULL,
    ended_ns     bigint NOT NULL,
    ended_by     text   NOT NULL
);
CREATE INDEX gateway_agreements_id ON gateway_agreements (id, position);
CREATE INDEX gateway_agreements_number_key ON gateway_agreements (number_key, position);
CREATE INDEX gateway_agreements_contract_key ON gateway_agreements (contract_key, position);
CREATE INDEX gateway_agreements_user_id ON gateway_agreements (user_id, position);
