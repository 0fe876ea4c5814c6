-- why: the ledger's log: accounts, transfers with the balances they left, burned ids and expiries; checkpoints of what is pending.
-- locks: none, the tables are new.
-- when: pre

-- Balances are unsigned 128-bit numbers in 16 bytes, because writing numerics costs twice as much; this is how SQL reads them.
CREATE FUNCTION u128(bits uuid) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT sum(get_byte(uuid_send(bits), i) * 256::numeric ^ (15 - i))::numeric(39, 0) FROM generate_series(0, 15) AS i
$$;

CREATE TABLE account (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    user_data_128 uuid NOT NULL,
    timestamp bigint NOT NULL,
    ledger bigint NOT NULL CHECK (ledger > 0),
    user_data_32 bigint NOT NULL,
    code integer NOT NULL CHECK (code > 0),
    flags integer NOT NULL,
    user_data_64 numeric NOT NULL,
    CONSTRAINT account_once UNIQUE (id)
);

CREATE TABLE transfer (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    debit_account_id uuid NOT NULL,
    credit_account_id uuid NOT NULL,
    -- Zero where it resolves nothing.
    pending_id uuid NOT NULL,
    user_data_128 uuid NOT NULL,
    -- As this transfer left them: the debits of its debit account, the credits of its credit account.
    debits_pending uuid NOT NULL,
    debits_posted uuid NOT NULL,
    credits_pending uuid NOT NULL,
    credits_posted uuid NOT NULL,
    timestamp bigint NOT NULL,
    ledger bigint NOT NULL,
    user_data_32 bigint NOT NULL,
    timeout bigint NOT NULL,
    code integer NOT NULL,
    flags integer NOT NULL,
    amount numeric NOT NULL CHECK (amount >= 0),
    user_data_64 numeric NOT NULL,
    CONSTRAINT transfer_once UNIQUE (id)
);
CREATE INDEX transfer_by_debit_account ON transfer (debit_account_id, timestamp);
CREATE INDEX transfer_by_credit_account ON transfer (credit_account_id, timestamp);
-- Invariant 3: of all posts and voids of a pending transfer, one.
CREATE UNIQUE INDEX transfer_resolves_once ON transfer (pending_id) WHERE flags & 12 <> 0;

CREATE TABLE burned_id (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    timestamp bigint NOT NULL,
    -- The answer it got: TransferStatus.
    status integer NOT NULL,
    CONSTRAINT burned_id_once UNIQUE (id)
);

CREATE TABLE expiry (
    position bigint PRIMARY KEY,
    pending_id uuid NOT NULL,
    debit_account_id uuid NOT NULL,
    credit_account_id uuid NOT NULL,
    debits_pending uuid NOT NULL,
    debits_posted uuid NOT NULL,
    credits_pending uuid NOT NULL,
    credits_posted uuid NOT NULL,
    timestamp bigint NOT NULL,
    CONSTRAINT expiry_once UNIQUE (pending_id)
);
CREATE INDEX expiry_by_debit_account ON expiry (debit_account_id, timestamp);
CREATE INDEX expiry_by_credit_account ON expiry (credit_account_id, timestamp);

CREATE TABLE open_pending (
    position bigint PRIMARY KEY,
    pending_id uuid NOT NULL
);

CREATE TABLE checkpoint (
    position bigint PRIMARY KEY,
    open_pending_position bigint NOT NULL,
    timestamp bigint NOT NULL
);
