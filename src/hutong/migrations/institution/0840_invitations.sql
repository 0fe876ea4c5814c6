-- Why:   invitations, and the friends who came by them.
-- Locks: none; the tables are new.
-- When:  pre.

CREATE TABLE invitations (
    position    bigint PRIMARY KEY,
    id          uuid   NOT NULL,
    inviter_id  uuid   NOT NULL,
    campaign_id uuid   NOT NULL,
    code        text   NOT NULL,
    created_ns  bigint NOT NULL
);
CREATE INDEX invitations_id ON invitations (id, position);
CREATE INDEX invitations_code ON invitations (code, position);

CREATE TABLE referrals (
    position        bigint  PRIMARY KEY,
    id              uuid    NOT NULL,
    friend_id       uuid    NOT NULL,
    inviter_id      uuid    NOT NULL CHECK (inviter_id <> friend_id),
    campaign_id     uuid    NOT NULL,
    at_registration boolean NOT NULL,
    place_key       uuid    NOT NULL,
    joined_ns       bigint  NOT NULL,
    state           text    NOT NULL,
    due_ns          bigint  NOT NULL,
    due_day         integer,
    terms           text    NOT NULL,
    payment_id      uuid    NOT NULL,
    merchant        text    NOT NULL,
    paid            bigint  NOT NULL CHECK (paid >= 0),
    held            bigint  NOT NULL CHECK (held >= 0),
    reward          bigint  NOT NULL CHECK (reward >= 0),
    reason          text    NOT NULL,
    score           integer NOT NULL,
    evidence        text    NOT NULL,
    appeal          text    NOT NULL,
    appealed_ns     bigint  NOT NULL,
    decided_by      text    NOT NULL,
    remark          text    NOT NULL,
    decided_ns      bigint  NOT NULL,
    changed_ns      bigint  NOT NULL
);
CREATE INDEX referrals_id ON referrals (id, position);
CREATE INDEX referrals_inviter_id ON referrals (inviter_id, position);
CREATE INDEX referrals_campaign_id ON referrals (campaign_id, position);
CREATE INDEX referrals_due_day ON referrals (due_day, position) WHERE due_day IS NOT NULL;
