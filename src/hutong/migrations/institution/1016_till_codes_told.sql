-- why: who asks of a coupon taken at the till hears by which number it was given back or ended, when, and why.
-- locks: coupon_till_codes, briefly: columns with constant defaults rewrite nothing.
-- when: pre

ALTER TABLE coupon_till_codes
    ADD COLUMN back_number text   NOT NULL DEFAULT '',
    ADD COLUMN back_ns     bigint NOT NULL DEFAULT 0,
    ADD COLUMN void_number text   NOT NULL DEFAULT '',
    ADD COLUMN void_why    text   NOT NULL DEFAULT '';
