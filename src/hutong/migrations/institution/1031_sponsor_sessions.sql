-- why: who holds a sponsor's key signs in with it in a browser, which keeps a session instead; a hash of its token is kept here.
-- locks: none: a new table.
-- when: pre

CREATE TABLE sponsor_sessions (
    position bigint PRIMARY KEY,
    id bytea NOT NULL CHECK (length(id) = 32),
    key_id uuid NOT NULL,
    key_hash bytea NOT NULL,
    began_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    ended boolean NOT NULL
);
CREATE INDEX sponsor_sessions_by_id ON sponsor_sessions (id, position);
