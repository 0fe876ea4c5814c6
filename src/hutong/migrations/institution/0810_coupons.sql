-- why: coupons: templates, batches of codes, claims, and what people hold; each row but a claim's is a version, the newest position counts.
-- locks: none that matter, the tables are new.
-- when: pre

CREATE TABLE coupon_templates (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    name text NOT NULL,
    terms bytea NOT NULL,
    stock bigint NOT NULL CHECK (stock > 0),
    state text NOT NULL CHECK (state IN ('ACTIVE', 'PAUSED', 'ENDED')),
    created_ns bigint NOT NULL,
    changed_ns bigint NOT NULL
);
CREATE INDEX coupon_templates_by_id ON coupon_templates (id, position);

CREATE TABLE coupon_code_batches (
    position bigint PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    template_id uuid NOT NULL,
    series integer NOT NULL UNIQUE CHECK (series >= 0),
    count integer NOT NULL CHECK (count > 0),
    shared boolean NOT NULL,
    made_by text NOT NULL,
    created_ns bigint NOT NULL
);

-- A claim never changes, and is counted in its row: two of one template with one number would be one too many.
CREATE TABLE coupon_claims (
    position bigint PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    template_id uuid NOT NULL,
    person_id uuid NOT NULL,
    device_id uuid NOT NULL,
    code_id uuid UNIQUE,
    day integer NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    number_today bigint NOT NULL CHECK (number_today > 0),
    claimed_ns bigint NOT NULL,
    CONSTRAINT coupon_claims_counted UNIQUE (template_id, number)
);
CREATE INDEX coupon_claims_by_template ON coupon_claims (template_id, position);
CREATE INDEX coupon_claims_by_person ON coupon_claims (person_id, position);
CREATE INDEX coupon_claims_by_device ON coupon_claims (device_id, position);

CREATE TABLE coupons (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    template_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    person_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('AVAILABLE', 'RESERVED', 'REDEEMED')),
    from_ns bigint NOT NULL,
    until_ns bigint NOT NULL,
    award_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    given_by uuid NOT NULL,
    returns smallint NOT NULL,
    claimed_ns bigint NOT NULL,
    changed_ns bigint NOT NULL,
    CONSTRAINT coupons_held_for_something CHECK (
        (state = 'AVAILABLE') = (award_id = '00000000-0000-0000-0000-000000000000')
    )
);
CREATE INDEX coupons_by_id ON coupons (id, position);
CREATE INDEX coupons_by_person ON coupons (person_id, position);
