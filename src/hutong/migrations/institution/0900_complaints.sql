-- why: complaints of payments to merchants (the merchant's side), grievances (the payer's), and what was said in them.
-- locks: none; new tables.
-- when: pre

CREATE TABLE complaints (
    position     bigint  PRIMARY KEY,
    id           uuid    NOT NULL,
    complaint_id uuid    NOT NULL,
    debtor_agent text    NOT NULL,
    payment_id   uuid    NOT NULL,
    request_id   uuid    NOT NULL,
    merchant_id  uuid    NOT NULL,
    shop_id      uuid    NOT NULL,
    user_id      uuid    NOT NULL,
    payer_ref    text    NOT NULL,
    kind         text    NOT NULL,
    currency     text    NOT NULL,
    paid         bigint  NOT NULL CHECK (paid > 0),
    asked        bigint  NOT NULL CHECK (asked BETWEEN 0 AND paid),
    refunded     bigint  NOT NULL CHECK (refunded BETWEEN 0 AND paid),
    contact      text    NOT NULL,
    state        text    NOT NULL,
    ended        text    NOT NULL,
    owner        text    NOT NULL,
    turns        integer NOT NULL CHECK (turns > 0),
    times        integer NOT NULL CHECK (times > 0),
    waiting      boolean NOT NULL,
    created_ns   bigint  NOT NULL,
    changed_ns   bigint  NOT NULL,
    answer_by_ns bigint  NOT NULL,
    ended_ns     bigint  NOT NULL
);
CREATE INDEX complaints_id ON complaints (id, position);
CREATE INDEX complaints_payment_id ON complaints (payment_id, position);
CREATE INDEX complaints_merchant_id ON complaints (merchant_id, position);

CREATE TABLE complaint_turns (
    position bigint  PRIMARY KEY,
    id       uuid    NOT NULL,
    case_id  uuid    NOT NULL,
    user_id  uuid    NOT NULL,
    number   integer NOT NULL CHECK (number > 0),
    by       text    NOT NULL,
    act      text    NOT NULL,
    act_id   uuid    NOT NULL,
    act_key  uuid    NOT NULL,
    amount   bigint  NOT NULL CHECK (amount >= 0),
    text     text    NOT NULL,
    pictures text    NOT NULL,
    author   text    NOT NULL,
    state    text    NOT NULL,
    at_ns    bigint  NOT NULL
);
CREATE UNIQUE INDEX complaint_turns_id ON complaint_turns (id);
CREATE INDEX complaint_turns_case_id ON complaint_turns (case_id, position);
CREATE UNIQUE INDEX complaint_turns_act_key ON complaint_turns (act_key);

CREATE TABLE grievances (
    position     bigint  PRIMARY KEY,
    id           uuid    NOT NULL,
    user_id      uuid    NOT NULL,
    payment_id   uuid    NOT NULL,
    creditor_agent text  NOT NULL,
    payee_name   text    NOT NULL,
    kind         text    NOT NULL,
    currency     text    NOT NULL,
    paid         bigint  NOT NULL CHECK (paid > 0),
    asked        bigint  NOT NULL CHECK (asked BETWEEN 0 AND paid),
    contact      text    NOT NULL,
    state        text    NOT NULL,
    ended        text    NOT NULL,
    turns        integer NOT NULL CHECK (turns >= 0),
    act          text    NOT NULL,
    act_id       uuid    NOT NULL,
    act_text     text    NOT NULL,
    act_pictures text    NOT NULL,
    act_ns       bigint  NOT NULL,
    is_sending   boolean NOT NULL,
    refusal      text    NOT NULL,
    refusal_code text    NOT NULL,
    answer_by_ns bigint  NOT NULL,
    created_ns   bigint  NOT NULL,
    changed_ns   bigint  NOT NULL
);
CREATE INDEX grievances_id ON grievances (id, position);
CREATE INDEX grievances_user_id ON grievances (user_id, position);
CREATE INDEX grievances_payment_id ON grievances (payment_id, position);

CREATE TABLE grievance_turns (
    position bigint  PRIMARY KEY,
    id       uuid    NOT NULL,
    case_id  uuid    NOT NULL,
    user_id  uuid    NOT NULL,
    number   integer NOT NULL CHECK (number > 0),
    by       text    NOT NULL,
    act      text    NOT NULL,
    act_id   uuid    NOT NULL,
    act_key  uuid    NOT NULL,
    amount   bigint  NOT NULL CHECK (amount >= 0),
    text     text    NOT NULL,
    pictures text    NOT NULL,
    author   text    NOT NULL,
    state    text    NOT NULL,
    at_ns    bigint  NOT NULL
);
CREATE UNIQUE INDEX grievance_turns_id ON grievance_turns (id);
CREATE INDEX grievance_turns_case_id ON grievance_turns (case_id, position);
