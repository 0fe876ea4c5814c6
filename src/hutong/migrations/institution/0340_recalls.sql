-- why: recalls (a payment is asked back), disputes (money set aside for one), and which refund follows a recall.
-- locks: refunds, briefly: a column with a constant default rewrites nothing.
-- when: pre

ALTER TABLE refunds ADD COLUMN dispute_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';

CREATE TABLE recalls (
    position       bigint PRIMARY KEY,
    id             uuid   NOT NULL,
    payment_id     uuid   NOT NULL,
    user_id        uuid   NOT NULL,
    creditor_agent text   NOT NULL,
    payee_name     text   NOT NULL,
    currency       text   NOT NULL,
    amount         bigint NOT NULL CHECK (amount > 0),
    reason         text   NOT NULL,
    remark         text   NOT NULL,
    by             text   NOT NULL,
    operator       text   NOT NULL,
    state          text   NOT NULL,
    accepted       bigint NOT NULL CHECK (accepted BETWEEN 0 AND amount),
    return_id      uuid   NOT NULL,
    answer_code    text   NOT NULL,
    answer_name    text   NOT NULL,
    created_ns     bigint NOT NULL,
    sent_ns        bigint NOT NULL,
    answer_by_ns   bigint NOT NULL,
    changed_ns     bigint NOT NULL
);
CREATE INDEX recalls_id ON recalls (id, position);
CREATE INDEX recalls_payment_id ON recalls (payment_id, position);
CREATE INDEX recalls_user_id ON recalls (user_id, position);

CREATE TABLE disputes (
    position      bigint   PRIMARY KEY,
    id            uuid     NOT NULL,
    recall_id     uuid     NOT NULL,
    asker         text     NOT NULL,
    payment_id    uuid     NOT NULL,
    debtor_agent  text     NOT NULL,
    merchant_id   uuid     NOT NULL,
    user_id       uuid     NOT NULL,
    account       uuid     NOT NULL,
    currency      text     NOT NULL,
    asked         bigint   NOT NULL CHECK (asked > 0),
    amount        bigint   NOT NULL CHECK (amount BETWEEN 0 AND asked),
    blocks        smallint NOT NULL,
    blocked       bigint   NOT NULL CHECK (blocked >= 0),
    reason        text     NOT NULL,
    remark        text     NOT NULL,
    stance        text     NOT NULL,
    stance_remark text     NOT NULL,
    state         text     NOT NULL,
    accepted      bigint   NOT NULL CHECK (accepted BETWEEN 0 AND amount),
    attempts      smallint NOT NULL,
    return_id     uuid     NOT NULL,
    retry_ns      bigint   NOT NULL,
    answer_code   text     NOT NULL,
    answer_name   text     NOT NULL,
    operator      text     NOT NULL,
    created_ns    bigint   NOT NULL,
    answer_by_ns  bigint   NOT NULL,
    decided_ns    bigint   NOT NULL,
    released      boolean  NOT NULL
);
CREATE INDEX disputes_id ON disputes (id, position);
CREATE INDEX disputes_payment_id ON disputes (payment_id, position);
CREATE INDEX disputes_user_id ON disputes (user_id, position);
CREATE INDEX disputes_merchant_id ON disputes (merchant_id, position);
