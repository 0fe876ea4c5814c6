-- why: which payments were asked back, by whom and when, and what the payee's node answered.
-- locks: none that matter, the table is new.
-- when: pre

CREATE TABLE recall (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    recall_id uuid NOT NULL,
    asker text NOT NULL,
    payment_id uuid NOT NULL,
    debtor_agent text NOT NULL,
    creditor_agent text NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    reason text NOT NULL,
    status text NOT NULL CHECK (status IN ('ASKED', 'PDCR', 'CNCL', 'PECR', 'RJCR')),
    accepted_minor bigint NOT NULL CHECK (accepted_minor BETWEEN 0 AND amount_minor),
    return_id uuid NOT NULL,
    answer_code text NOT NULL,
    answer_name text NOT NULL,
    refused text NOT NULL,
    operator text NOT NULL,
    asked_ns bigint NOT NULL,
    answer_by_ns bigint NOT NULL,
    answered_ns bigint NOT NULL,
    message bytea NOT NULL
);
CREATE INDEX recall_by_id ON recall (id, position);
