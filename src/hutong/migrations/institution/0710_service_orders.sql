-- Why:   service orders: what is lent or done first, and paid for afterwards under the person's consent.
-- Locks: none: a new table.
-- When:  pre.

CREATE TABLE service_orders (
    position     bigint  PRIMARY KEY,
    id           uuid    NOT NULL,
    account_id   uuid    NOT NULL,
    merchant_id  uuid    NOT NULL,
    service_id   text    NOT NULL,
    number       text    NOT NULL,
    number_key   uuid    NOT NULL,
    agreement_id uuid    NOT NULL,
    most         bigint  NOT NULL CHECK (most > 0),
    total        bigint  NOT NULL CHECK (total >= 0 AND total <= most),
    attempt      integer NOT NULL,
    settled_ns   bigint  NOT NULL,
    notify_url   text    NOT NULL,
    facts        bytea   NOT NULL,
    content      bytea   NOT NULL,
    state        text    NOT NULL,
    created_ns   bigint  NOT NULL,
    changed_ns   bigint  NOT NULL
);
CREATE INDEX service_orders_id ON service_orders (id, position);
CREATE INDEX service_orders_number_key ON service_orders (number_key, position);
CREATE INDEX service_orders_agreement_id ON service_orders (agreement_id, position);
