-- why: where merchants' software wants to be called back about complaints.
-- locks: none; a new table.
-- when: pre

CREATE TABLE gateway_complaint_watches (
    position    bigint PRIMARY KEY,
    id          uuid   NOT NULL,
    merchant_id uuid   NOT NULL,
    shop_id     uuid   NOT NULL,
    dialect     text   NOT NULL,
    url         text   NOT NULL,
    changed_ns  bigint NOT NULL
);
CREATE INDEX gateway_complaint_watches_id ON gateway_complaint_watches (id, position);
CREATE INDEX gateway_complaint_watches_merchant_id ON gateway_complaint_watches (merchant_id, position);
