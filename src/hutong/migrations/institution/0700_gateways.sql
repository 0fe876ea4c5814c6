-- Why:   gateways: other ways in to the same merchant, for software that speaks another network's protocol.
-- Locks: the two added columns have constant defaults: no rewrite, a moment's exclusive lock each.
-- When:  pre.

ALTER TABLE payment_requests ADD COLUMN door text NOT NULL DEFAULT '';
ALTER TABLE refunds ADD COLUMN door text NOT NULL DEFAULT '';

CREATE TABLE gateway_accounts (
    position    bigint PRIMARY KEY,
    id          uuid   NOT NULL,
    merchant_id uuid   NOT NULL,
    shop_id     uuid   NOT NULL,
    role        text   NOT NULL,
    kind        text   NOT NULL,
    number      text   NOT NULL,
    number_key  uuid   NOT NULL,
    name        text   NOT NULL,
    facts       bytea  NOT NULL,
    sealed      bytea  NOT NULL,
    state       text   NOT NULL,
    created_ns  bigint NOT NULL,
    changed_ns  bigint NOT NULL
);
CREATE INDEX gateway_accounts_id ON gateway_accounts (id, position);
CREATE INDEX gateway_accounts_number_key ON gateway_accounts (number_key, position);
CREATE INDEX gateway_accounts_merchant_id ON gateway_accounts (merchant_id, position);

CREATE TABLE gateway_platform_keys (
    position      bigint PRIMARY KEY,
    id            uuid   NOT NULL,
    use           text   NOT NULL,
    serial        text   NOT NULL,
    certificate   text   NOT NULL,
    sealed        bytea  NOT NULL,
    valid_from_ns bigint NOT NULL,
    retired_ns    bigint NOT NULL
);
CREATE INDEX gateway_platform_keys_id ON gateway_platform_keys (id, position);

CREATE TABLE gateway_orders (
    position     bigint  PRIMARY KEY,
    id           uuid    NOT NULL,
    account_id   uuid    NOT NULL,
    payee_id     uuid    NOT NULL,
    dialect      text    NOT NULL,
    product      text    NOT NULL,
    out_trade_no text    NOT NULL,
    trade_no     text    NOT NULL,
    trade_key    uuid    NOT NULL,
    notify_url   text    NOT NULL,
    facts        bytea   NOT NULL,
    content      bytea   NOT NULL,
    closed       text    NOT NULL,
    attempt      integer NOT NULL,
    payment_id   uuid    NOT NULL,
    paid_ns      bigint  NOT NULL,
    payer        text    NOT NULL,
    created_ns   bigint  NOT NULL
);
CREATE INDEX gateway_orders_id ON gateway_orders (id, position);
CREATE INDEX gateway_orders_trade_key ON gateway_orders (trade_key, position);

CREATE TABLE gateway_refunds (
    position      bigint PRIMARY KEY,
    id            uuid   NOT NULL,
    order_id      uuid   NOT NULL,
    account_id    uuid   NOT NULL,
    payee_id      uuid   NOT NULL,
    refund_id     uuid   NOT NULL,
    dialect       text   NOT NULL,
    out_refund_no text   NOT NULL,
    refund_no     text   NOT NULL,
    number_key    uuid   NOT NULL,
    refund_key    uuid   NOT NULL,
    amount        bigint NOT NULL CHECK (amount > 0),
    reason        text   NOT NULL,
    notify_url    text   NOT NULL,
    facts         bytea  NOT NULL,
    created_ns    bigint NOT NULL
);
CREATE INDEX gateway_refunds_id ON gateway_refunds (id, position);
CREATE INDEX gateway_refunds_order_id ON gateway_refunds (order_id, position);
CREATE INDEX gateway_refunds_number_key ON gateway_refunds (number_key, position);
CREATE INDEX gateway_refunds_refund_key ON gateway_refunds (refund_key, position);

CREATE TABLE gateway_notifications (
    position   bigint  PRIMARY KEY,
    id         uuid    NOT NULL,
    account_id uuid    NOT NULL,
    dialect    text    NOT NULL,
    kind       text    NOT NULL,
    subject_id uuid    NOT NULL,
    url        text    NOT NULL,
    at_ns      bigint  NOT NULL
);
CREATE INDEX gateway_notifications_id ON gateway_notifications (id, position);
CREATE INDEX gateway_notifications_account_id ON gateway_notifications (account_id, position);
