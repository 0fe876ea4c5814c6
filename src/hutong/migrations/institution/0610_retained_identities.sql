-- why: a closed user's data is erased; who it was is kept sealed for as long as the law says, and then deleted.
-- locks: none that matter, the table is new.
-- when: pre

CREATE TABLE retained_identities (
    position       bigint PRIMARY KEY,
    user_id        uuid   NOT NULL,
    sealed         bytea  NOT NULL,
    erased_ns      bigint NOT NULL,
    kept_until_ns  bigint NOT NULL,
    policy_version text   NOT NULL,
    CONSTRAINT retained_identities_once UNIQUE (user_id)
);
