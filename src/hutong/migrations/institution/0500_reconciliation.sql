-- why: what came of comparing our books with the switch's clearing file, and a case for every difference.
-- locks: each table of outcomes, while its small index is built (rows are only looked through).
-- when: pre

CREATE TABLE reconciliation (
    position      bigint PRIMARY KEY,
    "window"      text   NOT NULL,
    file_sha256   text   NOT NULL,
    lines_here    bigint NOT NULL,
    lines_there   bigint NOT NULL,
    matched       bigint NOT NULL,
    differing     bigint NOT NULL,
    totals_here   text   NOT NULL,
    totals_there  text   NOT NULL,
    took_ms       bigint NOT NULL,
    finished_ns   bigint NOT NULL
);
CREATE INDEX reconciliation_window ON reconciliation ("window", position);

CREATE TABLE difference_case (
    position   bigint   PRIMARY KEY,
    id         uuid     NOT NULL,
    "window"   text     NOT NULL,
    line_kind  text     NOT NULL,
    originator text     NOT NULL,
    line_id    uuid     NOT NULL,
    direction  text     NOT NULL,
    currency   text     NOT NULL,
    kind       text     NOT NULL,
    here       bigint,
    there      bigint,
    standing   text     NOT NULL,
    proposal   text     NOT NULL,
    state      text     NOT NULL,
    round      smallint NOT NULL,
    suspense   bigint   NOT NULL,
    settled_with uuid   NOT NULL,
    note       text     NOT NULL,
    changed_by text     NOT NULL,
    opened_ns  bigint   NOT NULL,
    changed_ns bigint   NOT NULL
);
CREATE INDEX difference_case_id ON difference_case (id, position);
CREATE INDEX difference_case_window ON difference_case ("window", position);

-- A window's rows lie together, because time goes on: an index of ranges finds them, and costs a payment nothing.
CREATE INDEX payment_outcomes_window ON payment_outcomes USING brin ("window");
CREATE INDEX receipt_outcomes_window ON receipt_outcomes USING brin ("window");
CREATE INDEX refund_outcomes_window ON refund_outcomes USING brin ("window");
CREATE INDEX return_outcomes_window ON return_outcomes USING brin ("window");
