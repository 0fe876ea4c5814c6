-- why: who makes codes is told how many of that batch were claimed, and not at the cost of all claims of the template.
--      Claims without a code are in no such index and cost what they did.
-- locks: writes to `coupon_claims` wait while the index is built.
-- when: pre

CREATE INDEX coupon_claims_by_batch ON coupon_claims (batch_id) WHERE batch_id IS NOT NULL;
