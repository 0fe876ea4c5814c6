-- why: a node has several named operators with roles, and what they do is kept in a log chained by hash.
-- locks: none that matter, the tables are new.
-- when: pre

CREATE TABLE operators (
    position   bigint  PRIMARY KEY,
    name       text    NOT NULL,
    role       text    NOT NULL CHECK (role IN ('VIEWER', 'OPERATOR', 'ADMIN')),
    -- A hash of 256 random bits; empty for one who may not ask any more.
    token_hash bytea   NOT NULL,
    changed_ns bigint  NOT NULL,
    changed_by text    NOT NULL
);
CREATE INDEX operators_name ON operators (name, position);

CREATE TABLE audit_log (
    position     bigint PRIMARY KEY,
    number       bigint NOT NULL CHECK (number > 0),
    at_ns        bigint NOT NULL,
    actor        text   NOT NULL,
    action       text   NOT NULL,
    subject      text   NOT NULL,
    outcome      text   NOT NULL,
    -- These two may be emptied, where they tell of a person who is to be forgotten: the chain goes over the digest.
    facts        text   NOT NULL,
    salt         bytea  NOT NULL,
    facts_digest bytea  NOT NULL CHECK (length(facts_digest) = 32),
    previous     bytea  NOT NULL CHECK (length(previous) = 32),
    hash         bytea  NOT NULL CHECK (length(hash) = 32),
    -- One chain without forks.
    CONSTRAINT audit_log_once UNIQUE (number)
);
CREATE INDEX audit_log_subject ON audit_log (subject, position);
