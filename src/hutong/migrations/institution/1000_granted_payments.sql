-- why: what one campaign gives a payment is said by the payment's own row (docs/adr/0030): a row less with five index entries.
--      `all_awards` is what awards are read from: their own rows, and these. Awards of before stay where they are.
-- locks: writes to `payments` wait while the indexes are built; no row of it is in them yet, and none is written.
-- when: pre

ALTER TABLE payments
    ADD COLUMN campaign_id uuid,
    ADD COLUMN award_version integer,
    ADD COLUMN award_row smallint,
    ADD COLUMN award_day integer,
    ADD COLUMN award_place text;

-- A campaign's awards in order, and the sums of each at every start; a person's, when that person is first asked about.
CREATE INDEX payments_granted_by_campaign ON payments (campaign_id, position) INCLUDE (award_day, award_place, payer_discount)
    WHERE campaign_id IS NOT NULL;
CREATE INDEX payments_granted_to ON payments (user_id, position) WHERE campaign_id IS NOT NULL;

CREATE VIEW all_awards AS
SELECT position, id, campaign_id, kind, person_id, payment_id, source, source_id, amount, returned, state, change, times,
    day, place, "row", version, combined, facts, created_ns, decided_ns, reason
FROM awards
UNION ALL
SELECT position, id, campaign_id, 'DISCOUNT'::text, user_id, id, 'campaign'::text,
    '00000000-0000-0000-0000-000000000000'::uuid, payer_discount, 0::bigint, 'RESERVED'::text, payer_discount, 1::smallint,
    award_day, award_place, award_row, award_version, false, ''::bytea, created_ns, 0::bigint, ''::text
FROM payments WHERE campaign_id IS NOT NULL;
