-- why: how participants came and went: applications, certificates, key ceremonies, every step with who took it and why.
-- locks: participant, for the moment its check and its new column take; it has a row for each change of a participant.
-- when: pre

ALTER TABLE participant ADD COLUMN returns_until_ns bigint NOT NULL DEFAULT 0;
ALTER TABLE participant DROP CONSTRAINT participant_status_check;
ALTER TABLE participant
    ADD CONSTRAINT participant_status_check CHECK (status IN ('ACTIVE', 'SUSPENDED', 'LEAVING', 'LEFT'));

CREATE TABLE passage (
    position bigint PRIMARY KEY,
    node_id text NOT NULL,
    stage text NOT NULL
        CHECK (stage IN ('APPLIED', 'CERTIFIED', 'REJECTED', 'WITHDRAWN', 'ACTIVE', 'SUSPENDED', 'LEAVING', 'LEFT')),
    step text NOT NULL,
    taken_by text NOT NULL,
    reason text NOT NULL,
    taken_ns bigint NOT NULL
);
CREATE INDEX passage_by_node ON passage (node_id, position);

CREATE TABLE described_node (
    position bigint PRIMARY KEY,
    node_id text NOT NULL,
    name text NOT NULL,
    url text NOT NULL
);
CREATE INDEX described_node_by_node ON described_node (node_id, position);

CREATE TABLE application (
    position bigint PRIMARY KEY,
    node_id text NOT NULL,
    application text NOT NULL,
    signature bytea NOT NULL CHECK (length(signature) = 64),
    taken_by text NOT NULL,
    taken_ns bigint NOT NULL
);
CREATE INDEX application_by_node ON application (node_id, position);

CREATE TABLE certificate (
    position bigint PRIMARY KEY,
    node_id text NOT NULL,
    certificate text NOT NULL,
    waived text NOT NULL,
    taken_by text NOT NULL,
    taken_ns bigint NOT NULL
);
CREATE INDEX certificate_by_node ON certificate (node_id, position);

CREATE TABLE key_ceremony (
    position bigint PRIMARY KEY,
    key_id text NOT NULL,
    node_id text NOT NULL,
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    valid_from_ns bigint NOT NULL,
    valid_until_ns bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('PENDING', 'CONFIRMED', 'DROPPED')),
    registered_by text NOT NULL,
    registered_ns bigint NOT NULL,
    confirmed_by text NOT NULL,
    confirmed_ns bigint NOT NULL
);
CREATE INDEX key_ceremony_by_id ON key_ceremony (key_id, position);
