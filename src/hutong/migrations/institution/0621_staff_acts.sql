-- why: who of a merchant's staff took a payment, took a request back or refunded, and who approved it.
-- locks: none, the table is new.
-- when: pre

CREATE TABLE staff_acts (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('ASKED', 'REFUNDED')),
    member_id uuid NOT NULL,
    approved_by uuid NOT NULL,
    at_ns bigint NOT NULL
);
CREATE INDEX staff_acts_by_id ON staff_acts (id, position);
