-- why: coupons that merchants take at their tills: their codes, the stocks they come from at the gateway, what was asked, and who subsidised them.
-- locks: none that matter, the tables are new.
-- when: pre

CREATE TABLE coupon_till_codes (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    template_id uuid NOT NULL,
    letters text NOT NULL,
    letters_key uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('LOADED', 'SENT', 'TAKEN', 'DELETED', 'VOIDED')),
    coupon_id uuid NOT NULL,
    sent_by uuid NOT NULL,
    send_number text NOT NULL,
    order_no text NOT NULL,
    take_number text NOT NULL,
    paid_for text NOT NULL,
    loaded_ns bigint NOT NULL,
    sent_ns bigint NOT NULL,
    taken_ns bigint NOT NULL,
    changed_ns bigint NOT NULL
);
CREATE INDEX coupon_till_codes_by_id ON coupon_till_codes (id, position);
CREATE INDEX coupon_till_codes_by_template ON coupon_till_codes (template_id, position);
CREATE INDEX coupon_till_codes_by_letters ON coupon_till_codes (letters_key, position);
CREATE INDEX coupon_till_codes_by_coupon ON coupon_till_codes (coupon_id, position);

CREATE TABLE till_stocks (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    payee_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    number text NOT NULL,
    number_key uuid NOT NULL,
    code_mode text NOT NULL CHECK (code_mode IN ('WECHATPAY_MODE', 'MERCHANT_API', 'MERCHANT_UPLOAD')),
    per_day bigint NOT NULL CHECK (per_day >= 0),
    subsidised boolean NOT NULL,
    facts bytea NOT NULL,
    created_ns bigint NOT NULL,
    changed_ns bigint NOT NULL
);
CREATE INDEX till_stocks_by_id ON till_stocks (id, position);

-- What was asked under a merchant's number, and what it was answered: it never changes.
CREATE TABLE till_requests (
    position bigint PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    account_id uuid NOT NULL,
    content bytea NOT NULL,
    answer bytea NOT NULL,
    at_ns bigint NOT NULL
);

CREATE TABLE till_subsidies (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    stock_id uuid NOT NULL,
    code_id uuid NOT NULL,
    of_id uuid NOT NULL,
    account_id uuid NOT NULL,
    number text NOT NULL,
    number_key uuid NOT NULL,
    request text NOT NULL,
    request_key uuid NOT NULL,
    trade_no text NOT NULL,
    refund_no text NOT NULL,
    payer_id uuid NOT NULL,
    payee_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    description text NOT NULL,
    state text NOT NULL CHECK (state IN ('ACCEPTED', 'SUCCESS', 'FAIL')),
    reason text NOT NULL,
    created_ns bigint NOT NULL,
    ended_ns bigint NOT NULL
);
CREATE INDEX till_subsidies_by_id ON till_subsidies (id, position);
CREATE INDEX till_subsidies_by_code ON till_subsidies (code_id, position);
CREATE INDEX till_subsidies_by_number ON till_subsidies (number_key, position);
CREATE INDEX till_subsidies_by_request ON till_subsidies (request_key, position);

CREATE TABLE till_callbacks (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    url text NOT NULL,
    is_on boolean NOT NULL,
    changed_ns bigint NOT NULL
);
CREATE INDEX till_callbacks_by_id ON till_callbacks (id, position);
