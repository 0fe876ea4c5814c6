-- Why:   combined orders: one payment for several merchants, what each gets of it, and gives back.
-- Locks: none; the tables are new.
-- When:  pre.

CREATE TABLE combined_orders (
    position    bigint  PRIMARY KEY,
    id          uuid    NOT NULL,
    merchant_id uuid    NOT NULL,
    payment_id  uuid    NOT NULL,
    state       text    NOT NULL,
    attempts    integer NOT NULL,
    changed_ns  bigint  NOT NULL
);
CREATE INDEX combined_orders_id ON combined_orders (id, position);

CREATE TABLE combined_parts (
    position     bigint  PRIMARY KEY,
    id           uuid    NOT NULL,
    combined_id  uuid    NOT NULL,
    payee_id     uuid    NOT NULL,
    merchant_id  uuid    NOT NULL,
    out_trade_no text    NOT NULL,
    number_key   uuid    NOT NULL,
    trade_no     text    NOT NULL,
    trade_key    uuid    NOT NULL,
    amount       bigint  NOT NULL CHECK (amount > 0),
    fee          bigint  NOT NULL CHECK (fee >= 0 AND fee <= amount),
    to_be_split  boolean NOT NULL,
    facts        bytea   NOT NULL,
    refunded     bigint  NOT NULL CHECK (refunded >= 0 AND refunded <= amount),
    taken        bigint  NOT NULL CHECK (taken >= 0 AND taken <= amount),
    changed_ns   bigint  NOT NULL
);
CREATE INDEX combined_parts_id ON combined_parts (id, position);
CREATE INDEX combined_parts_combined_id ON combined_parts (combined_id, position);
CREATE INDEX combined_parts_number_key ON combined_parts (number_key, position);
CREATE INDEX combined_parts_trade_key ON combined_parts (trade_key, position);

CREATE TABLE combined_takings (
    position   bigint PRIMARY KEY,
    id         uuid   NOT NULL,
    part_id    uuid   NOT NULL,
    number_key uuid   NOT NULL,
    refund_id  uuid   NOT NULL,
    gross      bigint NOT NULL CHECK (gross > 0),
    amount     bigint NOT NULL CHECK (amount >= 0),
    state      text   NOT NULL,
    changed_ns bigint NOT NULL
);
CREATE INDEX combined_takings_id ON combined_takings (id, position);
CREATE INDEX combined_takings_part_id ON combined_takings (part_id, position);
CREATE INDEX combined_takings_number_key ON combined_takings (number_key, position);
CREATE INDEX combined_takings_refund_id ON combined_takings (refund_id, position);
