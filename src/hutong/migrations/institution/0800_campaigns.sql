-- Why:   campaigns: who pays for discounts and rewards, by which rules, what was awarded and to whom it was offered.
-- Locks: none: new tables.
-- When:  pre.

CREATE TABLE sponsors (
    position     bigint   PRIMARY KEY,
    id           uuid     NOT NULL,
    kind         text     NOT NULL,
    reference    text     NOT NULL,
    name         text     NOT NULL,
    merchant_id  uuid     NOT NULL,
    created_ns   bigint   NOT NULL
);
CREATE INDEX sponsors_id ON sponsors (id, position);

CREATE TABLE campaigns (
    position     bigint   PRIMARY KEY,
    id           uuid     NOT NULL,
    merchant_id  uuid     NOT NULL,
    kind         text     NOT NULL,
    side         text     NOT NULL,
    name         text     NOT NULL,
    sponsors     bytea    NOT NULL,
    terms        bytea    NOT NULL,
    version      integer  NOT NULL,
    state        text     NOT NULL,
    reason       text     NOT NULL,
    budget       bigint   NOT NULL CHECK (budget > 0),
    funded       bigint   NOT NULL CHECK (funded >= 0),
    given_back   bigint   NOT NULL CHECK (given_back BETWEEN 0 AND funded),
    backs        bytea    NOT NULL,
    attempt      smallint NOT NULL,
    salt         bytea    NOT NULL,
    starts_ns    bigint   NOT NULL,
    ends_ns      bigint   NOT NULL,
    created_ns   bigint   NOT NULL,
    changed_ns   bigint   NOT NULL
);
CREATE INDEX campaigns_id ON campaigns (id, position);

CREATE TABLE awards (
    position     bigint   PRIMARY KEY,
    id           uuid     NOT NULL,
    campaign_id  uuid     NOT NULL,
    kind         text     NOT NULL,
    person_id    uuid     NOT NULL,
    payment_id   uuid     NOT NULL,
    source       text     NOT NULL,
    source_id    uuid     NOT NULL,
    amount       bigint   NOT NULL CHECK (amount > 0),
    returned     bigint   NOT NULL CHECK (returned BETWEEN 0 AND amount),
    state        text     NOT NULL,
    change       bigint   NOT NULL,
    times        smallint NOT NULL,
    day          integer  NOT NULL,
    place        text     NOT NULL,
    row          smallint NOT NULL,
    version      integer  NOT NULL,
    combined     boolean  NOT NULL,
    facts        bytea    NOT NULL,
    created_ns   bigint   NOT NULL,
    decided_ns   bigint   NOT NULL,
    reason       text     NOT NULL
);
CREATE INDEX awards_id ON awards (id, position);
CREATE INDEX awards_payment_id ON awards (payment_id, position);
CREATE INDEX awards_person_id ON awards (person_id, position);
-- What each budget has given is summed over it, at every start.
CREATE INDEX awards_campaign_id ON awards (campaign_id, day, place) INCLUDE (change, times);

CREATE TABLE campaign_exposures (
    position     bigint   PRIMARY KEY,
    id           uuid     NOT NULL,
    campaign_id  uuid     NOT NULL,
    unit_id      uuid     NOT NULL,
    arm          text     NOT NULL,
    at_ns        bigint   NOT NULL
);
CREATE INDEX campaign_exposures_id ON campaign_exposures (id, position);
CREATE INDEX campaign_exposures_unit_id ON campaign_exposures (unit_id, position);
CREATE INDEX campaign_exposures_campaign_id ON campaign_exposures (campaign_id, position);

CREATE TABLE marketing_traits (
    position     bigint   PRIMARY KEY,
    id           uuid     NOT NULL,
    of           text     NOT NULL,
    words        bytea    NOT NULL,
    changed_ns   bigint   NOT NULL
);
CREATE INDEX marketing_traits_id ON marketing_traits (id, position);
