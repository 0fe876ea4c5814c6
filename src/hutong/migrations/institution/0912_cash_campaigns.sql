-- why: campaigns by which merchants send people money at once (现金红包活动), and what each of these people got.
-- locks: none, the tables are new.
-- when: pre

CREATE TABLE cash_campaigns (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    number text NOT NULL,
    number_key uuid NOT NULL,
    message text NOT NULL,
    is_random boolean NOT NULL,
    count integer NOT NULL CHECK (count > 0),
    frequency text NOT NULL,
    starting boolean NOT NULL,
    attempt smallint NOT NULL,
    started_ns bigint NOT NULL,
    taken_home bigint NOT NULL CHECK (taken_home >= 0),
    last_home bigint NOT NULL CHECK (last_home >= 0),
    created_ns bigint NOT NULL
);
CREATE INDEX cash_campaigns_by_id ON cash_campaigns (id, position);

-- Each is one more of its campaign, and never changes.
CREATE TABLE cash_prizes (
    position bigint PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    campaign_id uuid NOT NULL,
    account_id uuid NOT NULL,
    person_id uuid NOT NULL,
    person_key uuid NOT NULL,
    number text NOT NULL,
    place integer NOT NULL CHECK (place > 0),
    amount bigint NOT NULL CHECK (amount > 0),
    at_ns bigint NOT NULL,
    CONSTRAINT cash_prizes_counted UNIQUE (campaign_id, place)
);
CREATE INDEX cash_prizes_by_person ON cash_prizes (person_key, position);
