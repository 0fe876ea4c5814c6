-- why: what campaigns gave in payments is read in order, by campaign, and summed over at every start. An index in order of campaign costs a
--      payment with a discount twice what one in order of position does, which grows at its end alone; a campaign is found in that one
--      by looking at its entries. Of `all_awards` no page is read in order (its second part has a condition, so PostgreSQL reads and
--      sorts all of a campaign's), of `granted_awards` it is.
-- locks: writes to `payments` wait while the index is built: over the payments with a discount alone.
-- when: pre

CREATE INDEX payments_granted ON payments (position, campaign_id) INCLUDE (award_day, award_place, payer_discount)
    WHERE campaign_id IS NOT NULL;
DROP INDEX payments_granted_by_campaign;

CREATE VIEW granted_awards AS
SELECT position, id, campaign_id, 'DISCOUNT'::text AS kind, user_id AS person_id, id AS payment_id, 'campaign'::text AS source,
    '00000000-0000-0000-0000-000000000000'::uuid AS source_id, payer_discount AS amount, 0::bigint AS returned,
    'RESERVED'::text AS state, payer_discount AS change, 1::smallint AS times, award_day AS day, award_place AS place,
    award_row AS "row", award_version AS version, false AS combined, ''::bytea AS facts, created_ns, 0::bigint AS decided_ns,
    ''::text AS reason
FROM payments WHERE campaign_id IS NOT NULL;
