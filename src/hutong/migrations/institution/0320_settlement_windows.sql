-- why: the settlement window the switch decided a payment or return in, kept with its outcome.
-- locks: each table, for as long as adding a column with a constant takes: no row is rewritten.
-- when: pre

ALTER TABLE payment_outcomes ADD COLUMN "window" text NOT NULL DEFAULT '';
ALTER TABLE receipt_outcomes ADD COLUMN "window" text NOT NULL DEFAULT '';
ALTER TABLE refund_outcomes ADD COLUMN "window" text NOT NULL DEFAULT '';
ALTER TABLE return_outcomes ADD COLUMN "window" text NOT NULL DEFAULT '';
