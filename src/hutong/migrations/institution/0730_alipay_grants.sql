-- why: what merchants and people let applications do through the Alipay gateway, by the hashes of its tokens.
-- locks: none: a new table.
-- when: pre

CREATE TABLE alipay_grants (
    position   bigint PRIMARY KEY,
    id         uuid   NOT NULL,
    kind       text   NOT NULL,
    account_id uuid   NOT NULL,
    subject_id uuid   NOT NULL,
    scope      text   NOT NULL,
    created_ns bigint NOT NULL,
    expires_ns bigint NOT NULL,
    used_ns    bigint NOT NULL
);
CREATE INDEX alipay_grants_id ON alipay_grants (id, position);
