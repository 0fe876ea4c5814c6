-- why: operators sign in to the pages of their desk; what two of them decide together is kept with who did.
-- locks: none that matter, the tables are new.
-- when: pre

CREATE TABLE operator_sessions (
    position      bigint  PRIMARY KEY,
    -- A hash of 256 random bits.
    id            bytea   NOT NULL CHECK (length(id) = 32),
    operator      text    NOT NULL,
    -- Of the operator's token at the time: another token, and the session is over.
    operator_hash bytea   NOT NULL,
    began_ns      bigint  NOT NULL,
    seen_ns       bigint  NOT NULL,
    ended         boolean NOT NULL
);
CREATE INDEX operator_sessions_id ON operator_sessions (id, position);

CREATE TABLE approvals (
    position    bigint PRIMARY KEY,
    id          uuid   NOT NULL,
    kind        text   NOT NULL,
    subject     text   NOT NULL,
    facts       text   NOT NULL,
    reason      text   NOT NULL,
    state       text   NOT NULL CHECK (state IN ('PROPOSED', 'APPROVED', 'DONE', 'FAILED', 'DECLINED', 'WITHDRAWN')),
    proposed_by text   NOT NULL,
    proposed_ns bigint NOT NULL,
    expires_ns  bigint NOT NULL,
    decided_by  text   NOT NULL,
    decided_ns  bigint NOT NULL,
    remark      text   NOT NULL,
    outcome     text   NOT NULL
);
CREATE INDEX approvals_id ON approvals (id, position);
