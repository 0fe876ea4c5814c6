-- why: what other institutions are told of a merchant (whether it is small, its city, some words) is bound: it is written down
--      before it is first said. An operator chooses which words leave; a request to pay keeps what its institution said.
-- locks: short ones on marketing_traits and requests_to_pay; the columns have defaults, and no row is written.
-- when: pre

ALTER TABLE marketing_traits ADD COLUMN shared bytea NOT NULL DEFAULT '[]';
ALTER TABLE requests_to_pay ADD COLUMN merchant_said bytea NOT NULL DEFAULT '';

CREATE TABLE merchant_statements (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    shop_id uuid NOT NULL,
    said bytea NOT NULL,
    since_ns bigint NOT NULL
);
CREATE INDEX merchant_statements_id ON merchant_statements (id, position);
