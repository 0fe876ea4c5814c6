-- Why:   red packets, who claimed what of them, and up to which day all have ended.
-- Locks: none: new tables.
-- When:  pre.

CREATE TABLE red_packets (
    position       bigint   PRIMARY KEY,
    id             uuid     NOT NULL,
    sender_id      uuid     NOT NULL,
    sender_name    text     NOT NULL,
    to_user_id     uuid,
    link_key       uuid     NOT NULL,
    kind           text     NOT NULL,
    amount         bigint   NOT NULL CHECK (amount > 0),
    count          integer  NOT NULL CHECK (count > 0),
    currency       text     NOT NULL,
    greeting       text     NOT NULL,
    seed           bytea    NOT NULL,
    state          text     NOT NULL,
    reason         text     NOT NULL,
    returned       bigint   NOT NULL CHECK (returned BETWEEN 0 AND amount),
    policy_version text     NOT NULL,
    counter        smallint NOT NULL,
    counted        boolean  NOT NULL,
    due_day        integer  NOT NULL,
    created_ns     bigint   NOT NULL,
    expires_ns     bigint   NOT NULL,
    ended_ns       bigint   NOT NULL
);
CREATE INDEX red_packets_id ON red_packets (id, position);
CREATE INDEX red_packets_sender_id ON red_packets (sender_id, position);
CREATE INDEX red_packets_to_user_id ON red_packets (to_user_id, position);
CREATE INDEX red_packets_link_key ON red_packets (link_key, position);
CREATE INDEX red_packets_due_day ON red_packets (due_day, position);

CREATE TABLE red_packet_claims (
    position     bigint  PRIMARY KEY,
    id           uuid    NOT NULL,
    packet_id    uuid    NOT NULL,
    claimant_key uuid    NOT NULL,
    number       integer NOT NULL CHECK (number >= 0),
    amount       bigint  NOT NULL CHECK (amount > 0),
    user_id      uuid    NOT NULL,
    agent        text    NOT NULL,
    name         text    NOT NULL,
    code         text    NOT NULL,
    state        text    NOT NULL,
    attempt      integer NOT NULL,
    sending_day  integer,
    reason       text    NOT NULL,
    created_ns   bigint  NOT NULL,
    changed_ns   bigint  NOT NULL
);
CREATE INDEX red_packet_claims_id ON red_packet_claims (id, position);
CREATE INDEX red_packet_claims_packet_id ON red_packet_claims (packet_id, position);
CREATE INDEX red_packet_claims_user_id ON red_packet_claims (user_id, position);
CREATE INDEX red_packet_claims_sending_day ON red_packet_claims (sending_day, position) WHERE sending_day IS NOT NULL;

CREATE TABLE red_packet_days (
    position bigint  PRIMARY KEY,
    day      integer NOT NULL
);
CREATE INDEX red_packet_days_day ON red_packet_days (day);
