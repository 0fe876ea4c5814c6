-- why: settlement windows and calendars; the window of each decision.
-- locks: decision, for as long as adding a column with a constant takes: no row is rewritten.
-- when: pre

ALTER TABLE decision ADD COLUMN "window" text NOT NULL DEFAULT '';

CREATE TABLE settlement_calendar (
    position bigint PRIMARY KEY,
    version text NOT NULL,
    first_on text NOT NULL,
    rules text NOT NULL,
    CONSTRAINT settlement_calendar_once UNIQUE (version)
);

CREATE TABLE settlement_window (
    position bigint PRIMARY KEY,
    "window" text NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('OPEN', 'CLOSED', 'NETTED', 'SETTLED', 'HALTED')),
    settles_on text NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    closes_ns bigint NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL,
    opened_ns bigint NOT NULL,
    closed_ns bigint NOT NULL,
    settled_ns bigint NOT NULL,
    payments bigint NOT NULL CHECK (payments >= 0),
    returns bigint NOT NULL CHECK (returns >= 0),
    reason text NOT NULL
);
CREATE INDEX settlement_window_by_window ON settlement_window ("window", position);
-- A window is closed once.
CREATE UNIQUE INDEX settlement_window_closed_once ON settlement_window ("window") WHERE state = 'CLOSED';
