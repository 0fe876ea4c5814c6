-- Why:   people: users, their PINs, devices, sessions and codes.
-- Locks: none; the tables are new.
-- When:  pre.

CREATE TABLE users (
    position           bigint   PRIMARY KEY,
    id                 uuid     NOT NULL,
    number             bigint   NOT NULL CHECK (number > 0),
    phone              text     NOT NULL,
    name               text     NOT NULL,
    tier               smallint NOT NULL CHECK (tier BETWEEN 1 AND 3),
    evidence           text     NOT NULL,
    registration_id    text     NOT NULL,
    changed_ns         bigint   NOT NULL,
    frozen_by_operator boolean  NOT NULL,
    frozen_by_user     boolean  NOT NULL,
    closed             boolean  NOT NULL,
    why                text     NOT NULL
);
CREATE INDEX users_id ON users (id, position);
CREATE INDEX users_phone ON users (phone, position);
CREATE INDEX users_number ON users (number, position);

-- A version for each wrong try too: so a restart forgets none.
CREATE TABLE pins (
    position        bigint   PRIMARY KEY,
    user_id         uuid     NOT NULL,
    hash            text     NOT NULL,
    changed_ns      bigint   NOT NULL,
    wrong           smallint NOT NULL CHECK (wrong >= 0),
    locked_until_ns bigint   NOT NULL
);
CREATE INDEX pins_user_id ON pins (user_id, position);

CREATE TABLE devices (
    position    bigint PRIMARY KEY,
    id          uuid   NOT NULL,
    user_id     uuid   NOT NULL,
    name        text   NOT NULL,
    seed_sealed bytea  NOT NULL,
    changed_ns  bigint NOT NULL,
    state       text   NOT NULL CHECK (state IN ('ACTIVE', 'LOST'))
);
CREATE INDEX devices_id ON devices (id, position);
CREATE INDEX devices_user_id ON devices (user_id, position);

-- The id is a keyed hash of the token, which is not kept.
CREATE TABLE sessions (
    position   bigint  PRIMARY KEY,
    id         uuid    NOT NULL,
    user_id    uuid    NOT NULL,
    device_id  uuid    NOT NULL,
    expires_ns bigint  NOT NULL,
    changed_ns bigint  NOT NULL,
    revoked    boolean NOT NULL
);
CREATE INDEX sessions_id ON sessions (id, position);
CREATE INDEX sessions_user_id ON sessions (user_id, position);
CREATE INDEX sessions_device_id ON sessions (device_id, position);

CREATE TABLE one_time_codes (
    position      bigint   PRIMARY KEY,
    id            text     NOT NULL,
    mac           bytea    NOT NULL,
    expires_ns    bigint   NOT NULL,
    sent_ns       bigint   NOT NULL,
    day_starts_ns bigint   NOT NULL,
    sent_in_day   smallint NOT NULL,
    wrong         smallint NOT NULL CHECK (wrong >= 0),
    used_for      text     NOT NULL
);
CREATE INDEX one_time_codes_id ON one_time_codes (id, position);

CREATE TABLE personal_codes (
    position   bigint  PRIMARY KEY,
    id         uuid    NOT NULL,
    plate      text    NOT NULL,
    user_id    uuid    NOT NULL,
    amount     bigint  NOT NULL CHECK (amount >= 0),
    currency   text    NOT NULL,
    remark     text    NOT NULL,
    changed_ns bigint  NOT NULL,
    active     boolean NOT NULL
);
CREATE INDEX personal_codes_id ON personal_codes (id, position);
CREATE INDEX personal_codes_plate ON personal_codes (plate, position);
CREATE INDEX personal_codes_user_id ON personal_codes (user_id, position);

CREATE TABLE payment_code_claims (
    position   bigint  PRIMARY KEY,
    code       text    NOT NULL,
    charge_id  uuid    NOT NULL,
    acquirer   text    NOT NULL,
    user_id    uuid    NOT NULL,
    device_id  uuid    NOT NULL,
    claimed_ns bigint  NOT NULL,
    minute     integer NOT NULL
);
CREATE INDEX payment_code_claims_minute ON payment_code_claims (minute, position);

CREATE TABLE payment_code_misses (
    position  bigint  PRIMARY KEY,
    acquirer  text    NOT NULL,
    code      text    NOT NULL,
    missed_ns bigint  NOT NULL,
    hour      integer NOT NULL
);
CREATE INDEX payment_code_misses_hour ON payment_code_misses (hour, position);
