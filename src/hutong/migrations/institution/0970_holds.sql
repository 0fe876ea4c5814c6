-- why: holds (the payer's side: what merchants elsewhere hold), and authorisations (the merchant's), and what was let go of them.
-- locks: none; new tables.
-- when: pre

CREATE TABLE holds (
    position       bigint  PRIMARY KEY,
    id             uuid    NOT NULL,
    hold_id        uuid    NOT NULL,
    creditor_agent text    NOT NULL,
    creditor_name  text    NOT NULL,
    title          text    NOT NULL,
    user_id        uuid    NOT NULL,
    debtor_name    text    NOT NULL,
    token          uuid    NOT NULL,
    is_by_code     boolean NOT NULL,
    amount         bigint  NOT NULL CHECK (amount > 0),
    currency       text    NOT NULL,
    taken          bigint  NOT NULL CHECK (taken >= 0),
    released       bigint  NOT NULL CHECK (released >= 0),
    under_way      bigint  NOT NULL CHECK (under_way >= 0 AND taken + released + under_way <= amount),
    state          text    NOT NULL,
    reason         text    NOT NULL,
    iso_code       text    NOT NULL,
    number         bigint  NOT NULL CHECK (number >= 0),
    attempt        integer NOT NULL,
    due_day        integer NOT NULL,
    created_ns     bigint  NOT NULL,
    expires_ns     bigint  NOT NULL,
    held_ns        bigint  NOT NULL,
    changed_ns     bigint  NOT NULL
);
CREATE INDEX holds_id ON holds (id, position);
CREATE INDEX holds_user_id ON holds (user_id, position);
CREATE INDEX holds_due_day ON holds (due_day, position);

CREATE TABLE hold_releases (
    position   bigint PRIMARY KEY,
    id         uuid   NOT NULL,
    hold       uuid   NOT NULL,
    act_id     uuid   NOT NULL,
    amount     bigint NOT NULL CHECK (amount > 0),
    state      text   NOT NULL,
    created_ns bigint NOT NULL
);
CREATE INDEX hold_releases_id ON hold_releases (id, position);

CREATE TABLE authorisations (
    position      bigint  PRIMARY KEY,
    id            uuid    NOT NULL,
    debtor_agent  text    NOT NULL,
    code          text    NOT NULL,
    amount        bigint  NOT NULL CHECK (amount > 0),
    currency      text    NOT NULL,
    creditor_name text    NOT NULL,
    title         text    NOT NULL,
    state         text    NOT NULL,
    reason        text    NOT NULL,
    iso_code      text    NOT NULL,
    number        bigint  NOT NULL CHECK (number >= 0),
    taken         bigint  NOT NULL CHECK (taken >= 0),
    released      bigint  NOT NULL CHECK (released >= 0),
    token         text    NOT NULL,
    debtor_name   text    NOT NULL,
    debtor_ref    text    NOT NULL,
    due_day       integer NOT NULL,
    created_ns    bigint  NOT NULL,
    expires_ns    bigint  NOT NULL,
    changed_ns    bigint  NOT NULL
);
CREATE INDEX authorisations_id ON authorisations (id, position);
CREATE INDEX authorisations_due_day ON authorisations (due_day, position);

CREATE TABLE authorisation_releases (
    position         bigint PRIMARY KEY,
    id               uuid   NOT NULL,
    authorisation_id uuid   NOT NULL,
    amount           bigint NOT NULL CHECK (amount >= 0),
    state            text   NOT NULL,
    reason           text   NOT NULL,
    created_ns       bigint NOT NULL
);
CREATE INDEX authorisation_releases_id ON authorisation_releases (id, position);
CREATE INDEX authorisation_releases_authorisation_id ON authorisation_releases (authorisation_id, position);
