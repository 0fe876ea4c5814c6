-- Why:   splits: what is kept of an order for others, who they are, what they got and gave back.
-- Locks: none; the tables are new.
-- When:  pre.

CREATE TABLE split_holds (
    position    bigint  PRIMARY KEY,
    id          uuid    NOT NULL,
    merchant_id uuid    NOT NULL,
    payment_id  uuid    NOT NULL,
    gross       bigint  NOT NULL CHECK (gross > 0),
    net         bigint  NOT NULL CHECK (net >= 0 AND net <= gross),
    remaining   bigint  NOT NULL CHECK (remaining >= 0 AND remaining <= net),
    state       text    NOT NULL,
    due_day     integer NOT NULL,
    created_ns  bigint  NOT NULL,
    changed_ns  bigint  NOT NULL
);
CREATE INDEX split_holds_id ON split_holds (id, position);
CREATE INDEX split_holds_payment_id ON split_holds (payment_id, position);
CREATE INDEX split_holds_merchant_id ON split_holds (merchant_id, position);
CREATE INDEX split_holds_due_day ON split_holds (due_day, position);

CREATE TABLE split_takings (
    position   bigint PRIMARY KEY,
    id         uuid   NOT NULL,
    hold_id    uuid   NOT NULL,
    amount     bigint NOT NULL CHECK (amount > 0),
    state      text   NOT NULL,
    changed_ns bigint NOT NULL
);
CREATE INDEX split_takings_id ON split_takings (id, position);

CREATE TABLE split_receivers (
    position             bigint PRIMARY KEY,
    id                   uuid   NOT NULL,
    merchant_id          uuid   NOT NULL,
    type                 text   NOT NULL,
    account              text   NOT NULL,
    receiver_merchant_id uuid   NOT NULL,
    user_id              uuid   NOT NULL,
    relation             text   NOT NULL,
    custom_relation      text   NOT NULL,
    created_ns           bigint NOT NULL,
    removed_ns           bigint NOT NULL
);
CREATE INDEX split_receivers_id ON split_receivers (id, position);

CREATE TABLE splits (
    position   bigint  PRIMARY KEY,
    id         uuid    NOT NULL,
    order_id   uuid    NOT NULL,
    merchant_id uuid   NOT NULL,
    number     text    NOT NULL,
    number_key uuid    NOT NULL,
    finish     boolean NOT NULL,
    parts      bytea   NOT NULL,
    total      bigint  NOT NULL CHECK (total >= 0),
    rest       bigint  NOT NULL CHECK (rest >= 0),
    state      text    NOT NULL,
    facts      bytea   NOT NULL,
    created_ns bigint  NOT NULL,
    ended_ns   bigint  NOT NULL
);
CREATE INDEX splits_id ON splits (id, position);
CREATE INDEX splits_order_id ON splits (order_id, position);
CREATE INDEX splits_number_key ON splits (number_key, position);

CREATE TABLE split_returns (
    position             bigint PRIMARY KEY,
    id                   uuid   NOT NULL,
    split_id             uuid   NOT NULL,
    merchant_id          uuid   NOT NULL,
    number               text   NOT NULL,
    number_key           uuid   NOT NULL,
    receiver             text   NOT NULL,
    receiver_merchant_id uuid   NOT NULL,
    amount               bigint NOT NULL CHECK (amount > 0),
    description          text   NOT NULL,
    state                text   NOT NULL,
    reason               text   NOT NULL,
    created_ns           bigint NOT NULL,
    ended_ns             bigint NOT NULL
);
CREATE INDEX split_returns_id ON split_returns (id, position);
CREATE INDEX split_returns_split_id ON split_returns (split_id, position);
CREATE INDEX split_returns_number_key ON split_returns (number_key, position);
