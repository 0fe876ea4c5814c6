-- Why:   each try to tell a merchant something leaves a row; the notification itself is written once. Marks say which
--        were open at a place in the journal, so that a start reads these and what came later, not the table's past.
-- Locks: none; the tables are new.
-- When:  pre.

CREATE TABLE gateway_tries (
    position        bigint  PRIMARY KEY,
    notification_id uuid    NOT NULL,
    cause           text    NOT NULL CHECK (cause IN ('SCHEDULE', 'HAND', 'DUPLICATE', 'PROBE')),
    state           text    NOT NULL CHECK (state IN ('WAITING', 'TAKEN', 'GIVEN_UP')),
    tries           integer NOT NULL,
    next_at_ns      bigint  NOT NULL,
    status          integer NOT NULL,
    note            text    NOT NULL,
    answer          bytea   NOT NULL,
    plain           bytea   NOT NULL,
    headers         bytea   NOT NULL,
    body            bytea   NOT NULL,
    took_ns         bigint  NOT NULL,
    at_ns           bigint  NOT NULL,
    CONSTRAINT gateway_tries_next CHECK ((state = 'WAITING') = (next_at_ns > 0))
);
CREATE INDEX gateway_tries_notification_id ON gateway_tries (notification_id, position);

CREATE TABLE gateway_marks (
    position bigint PRIMARY KEY,
    mark     bigint NOT NULL,
    ids      bytea  NOT NULL
);
CREATE INDEX gateway_marks_mark ON gateway_marks (mark, position);
