-- Why:   notices: the outbox, and where merchants want it sent.
-- Locks: none; the tables are new.
-- When:  pre.

-- The position is the cursor of the feed.
CREATE TABLE events (
    position bigint PRIMARY KEY,
    id       uuid   NOT NULL,
    owner_id uuid   NOT NULL,
    type     text   NOT NULL,
    body     bytea  NOT NULL,
    at_ns    bigint NOT NULL
);
CREATE INDEX events_id ON events (id, position);
CREATE INDEX events_owner_id ON events (owner_id, position);

CREATE TABLE webhook_endpoints (
    position            bigint PRIMARY KEY,
    id                  uuid   NOT NULL,
    owner_id            uuid   NOT NULL,
    url                 text   NOT NULL,
    types               text   NOT NULL,
    secret_sealed       bytea  NOT NULL,
    starts_after        bigint NOT NULL,
    changed_ns          bigint NOT NULL,
    old_secret_sealed   bytea,
    old_secret_until_ns bigint NOT NULL,
    state               text   NOT NULL CHECK (state IN ('ACTIVE', 'DISABLED', 'REMOVED')),
    why                 text   NOT NULL
);
CREATE INDEX webhook_endpoints_id ON webhook_endpoints (id, position);
CREATE INDEX webhook_endpoints_owner_id ON webhook_endpoints (owner_id, position);

-- The newest row of an endpoint is how far its deliveries have come.
CREATE TABLE webhook_deliveries (
    position    bigint   PRIMARY KEY,
    endpoint_id uuid     NOT NULL,
    event_id    uuid     NOT NULL,
    outcome     text     NOT NULL,
    status      smallint NOT NULL,
    note        text     NOT NULL,
    cursor      bigint   NOT NULL,
    failures    smallint NOT NULL,
    next_at_ns  bigint   NOT NULL,
    at_ns       bigint   NOT NULL
);
CREATE INDEX webhook_deliveries_endpoint_id ON webhook_deliveries (endpoint_id, position);
