-- why: how many codes of a batch were used is asked on pages, and a page gives a batch's codes as a file once.
--      Claims of before name no batch: their codes are counted in the template's claims alone.
-- locks: a short one on coupon_claims; the column is empty, and no row is written.
-- when: pre

ALTER TABLE coupon_claims ADD COLUMN batch_id uuid;

CREATE TABLE coupon_code_handouts (
    position bigint PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    taken_by text NOT NULL,
    taken_ns bigint NOT NULL
);
