-- Why:   parking: cars that drove in, and under what number what they owe is taken.
-- Locks: none: a new table.
-- When:  pre.

CREATE TABLE parking_entries (
    position     bigint PRIMARY KEY,
    id           uuid   NOT NULL,
    account_id   uuid   NOT NULL,
    payee_id     uuid   NOT NULL,
    dialect      text   NOT NULL,
    number       text   NOT NULL,
    number_key   uuid   NOT NULL,
    plate_key    uuid   NOT NULL,
    open_key     uuid,
    user_id      uuid   NOT NULL,
    facts        bytea  NOT NULL,
    content      bytea  NOT NULL,
    block        text   NOT NULL,
    notify_url   text   NOT NULL,
    owed         boolean NOT NULL,
    out_trade_no text   NOT NULL,
    created_ns   bigint NOT NULL,
    changed_ns   bigint NOT NULL
);
CREATE INDEX parking_entries_id ON parking_entries (id, position);
CREATE INDEX parking_entries_number_key ON parking_entries (number_key, position);
CREATE INDEX parking_entries_open_key ON parking_entries (open_key, position) WHERE open_key IS NOT NULL;
