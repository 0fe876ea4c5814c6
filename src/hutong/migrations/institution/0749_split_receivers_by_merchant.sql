-- why: a merchant may ask whom it splits to.
-- locks: writes to `split_receivers` wait while the index is built.
-- when: pre

CREATE INDEX split_receivers_merchant_id ON split_receivers (merchant_id, position);
