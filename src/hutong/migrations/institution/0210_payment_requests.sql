-- why: payment requests; each row is a version, the newest position counts.
-- locks: none that matter, the table is new.
-- when: pre

CREATE TABLE payment_requests (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    shop_id uuid NOT NULL,
    code_id uuid NOT NULL,
    reference text NOT NULL,
    reference_key uuid,
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    channel text NOT NULL,
    payer_code text NOT NULL,
    remark text NOT NULL,
    -- EXPIRED is never kept: it is an open request whose time is over.
    state text NOT NULL CHECK (state IN ('OPEN', 'CLAIMED', 'PAID', 'CANCELLED')),
    claimed_by uuid NOT NULL,
    created_ns bigint NOT NULL,
    expires_ns bigint NOT NULL,
    changed_ns bigint NOT NULL,
    listed_merchant uuid,
    listed_shop uuid,
    CONSTRAINT payment_requests_is_of_one CHECK (
        (merchant_id = '00000000-0000-0000-0000-000000000000') <> (user_id = '00000000-0000-0000-0000-000000000000')
    ),
    CONSTRAINT payment_requests_claim CHECK (
        (state IN ('CLAIMED', 'PAID')) = (claimed_by <> '00000000-0000-0000-0000-000000000000')
    )
);
CREATE INDEX payment_requests_by_id ON payment_requests (id, position);
-- Partial: most versions are in none of these, and indexes are what a payment costs.
CREATE INDEX payment_requests_by_reference_key ON payment_requests (reference_key, position)
    WHERE reference_key IS NOT NULL;
CREATE INDEX payment_requests_by_listed_merchant ON payment_requests (listed_merchant, position)
    WHERE listed_merchant IS NOT NULL;
CREATE INDEX payment_requests_by_listed_shop ON payment_requests (listed_shop, position) WHERE listed_shop IS NOT NULL;
