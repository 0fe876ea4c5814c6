-- why: merchants, their dated fees, shops, staff keys and plates; each row is a version, the newest position counts.
-- locks: none that matter, the tables are new.
-- when: pre

CREATE TABLE merchants (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    reference text NOT NULL,
    legal_name text NOT NULL,
    name text NOT NULL,
    latin_name text NOT NULL,
    city text NOT NULL,
    latin_city text NOT NULL,
    mcc text NOT NULL CHECK (mcc ~ '^[0-9]{4}$'),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status text NOT NULL CHECK (status IN ('ACTIVE', 'SUSPENDED', 'CLOSED')),
    created_ns bigint NOT NULL,
    changed_ns bigint NOT NULL
);
CREATE INDEX merchants_by_id ON merchants (id, position);
CREATE INDEX merchants_by_reference ON merchants (reference, position);

CREATE TABLE merchant_fees (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    fee_bps integer NOT NULL CHECK (fee_bps BETWEEN 0 AND 1000),
    applies_from_ns bigint NOT NULL,
    decided_ns bigint NOT NULL,
    -- What was decided stays: a payment names the version it paid under.
    CONSTRAINT merchant_fees_once UNIQUE (id)
);
CREATE INDEX merchant_fees_by_merchant_id ON merchant_fees (merchant_id, position);

CREATE TABLE shops (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    reference text NOT NULL,
    name text NOT NULL,
    city text NOT NULL,
    latin_city text NOT NULL,
    is_open boolean NOT NULL,
    created_ns bigint NOT NULL,
    changed_ns bigint NOT NULL
);
CREATE INDEX shops_by_id ON shops (id, position);
CREATE INDEX shops_by_merchant_id ON shops (merchant_id, position);

CREATE TABLE staff_keys (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    shop_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('OWNER', 'CASHIER', 'READER')),
    name text NOT NULL,
    token_hash bytea NOT NULL CHECK (length(token_hash) = 32),
    created_ns bigint NOT NULL,
    rotated_ns bigint NOT NULL,
    revoked_ns bigint NOT NULL
);
CREATE INDEX staff_keys_by_id ON staff_keys (id, position);
CREATE INDEX staff_keys_by_merchant_id ON staff_keys (merchant_id, position);

CREATE TABLE plates (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    shop_id uuid NOT NULL,
    reference text NOT NULL,
    origin text NOT NULL CHECK (origin IN ('OWN', 'FOREIGN')),
    text text NOT NULL,
    identity text NOT NULL,
    identity_key uuid,
    is_active boolean NOT NULL,
    replaced_by uuid NOT NULL,
    created_ns bigint NOT NULL,
    changed_ns bigint NOT NULL,
    listed_merchant uuid,
    listed_shop uuid
);
CREATE INDEX plates_by_id ON plates (id, position);
CREATE INDEX plates_by_identity_key ON plates (identity_key, position) WHERE identity_key IS NOT NULL;
CREATE INDEX plates_by_listed_merchant ON plates (listed_merchant, position) WHERE listed_merchant IS NOT NULL;
CREATE INDEX plates_by_listed_shop ON plates (listed_shop, position) WHERE listed_shop IS NOT NULL;
