-- why: the daily proof that customers' money is there.
-- locks: none that matter, the table is new.
-- when: pre

CREATE TABLE safeguarding_proofs (
    position         bigint   PRIMARY KEY,
    day              text     NOT NULL,
    currency         text     NOT NULL,
    customers_minor  bigint   NOT NULL,
    reserve_minor    bigint   NOT NULL,
    clearing_minor   bigint   NOT NULL,
    settlement_minor bigint   NOT NULL,
    own_funds_minor  bigint   NOT NULL,
    holds            boolean  NOT NULL,
    taken_ns         bigint   NOT NULL
);
CREATE INDEX safeguarding_proofs_day ON safeguarding_proofs (day, position);
