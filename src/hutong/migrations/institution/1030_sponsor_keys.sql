-- why: a sponsor that is no merchant has keys of its own: it reads what its money does, and agrees to what it is to pay for.
-- locks: none: a new table.
-- when: pre

CREATE TABLE sponsor_keys (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    sponsor_id uuid NOT NULL,
    name text NOT NULL,
    token_hash bytea NOT NULL CHECK (length(token_hash) = 32),
    created_ns bigint NOT NULL,
    rotated_ns bigint NOT NULL,
    revoked_ns bigint NOT NULL,
    rotation_id text NOT NULL
);
CREATE INDEX sponsor_keys_by_id ON sponsor_keys (id, position);
