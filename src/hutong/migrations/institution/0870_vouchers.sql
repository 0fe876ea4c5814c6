-- Why:   merchants' vouchers at the gateways: their stocks, what was used of them, and where that is told.
-- Locks: none: new tables.
-- When:  pre.

CREATE TABLE voucher_stocks (
    position    bigint   PRIMARY KEY,
    id          uuid     NOT NULL,
    account_id  uuid     NOT NULL,
    payee_id    uuid     NOT NULL,
    merchant_id uuid     NOT NULL,
    dialect     text     NOT NULL,
    number      text     NOT NULL,
    number_key  uuid     NOT NULL,
    request     text     NOT NULL,
    request_key uuid     NOT NULL,
    facts       bytea    NOT NULL,
    content     bytea    NOT NULL,
    starting    boolean  NOT NULL,
    attempt     smallint NOT NULL,
    started_ns  bigint   NOT NULL,
    taken_home  bigint   NOT NULL CHECK (taken_home >= 0),
    last_home   bigint   NOT NULL CHECK (last_home >= 0),
    created_ns  bigint   NOT NULL
);
CREATE INDEX voucher_stocks_id ON voucher_stocks (id, position);

CREATE TABLE voucher_flows (
    position   bigint PRIMARY KEY,
    id         uuid   NOT NULL,
    stock_id   uuid   NOT NULL,
    coupon_id  uuid   NOT NULL,
    payment_id uuid   NOT NULL,
    kind       text   NOT NULL,
    amount     bigint NOT NULL CHECK (amount > 0),
    at_ns      bigint NOT NULL
);
CREATE INDEX voucher_flows_id ON voucher_flows (id, position);
CREATE INDEX voucher_flows_stock_id ON voucher_flows (stock_id, position);
CREATE INDEX voucher_flows_coupon_id ON voucher_flows (coupon_id, position);

CREATE TABLE voucher_callbacks (
    position   bigint  PRIMARY KEY,
    id         uuid    NOT NULL,
    url        text    NOT NULL,
    is_on      boolean NOT NULL,
    changed_ns bigint  NOT NULL
);
CREATE INDEX voucher_callbacks_id ON voucher_callbacks (id, position);
