-- Why:   daily random discounts: sealed seeds with their commitments, the public log, people's own phrases.
-- Locks: none: new tables.
-- When:  pre.

CREATE TABLE draw_seeds (
    position     bigint   PRIMARY KEY,
    id           uuid     NOT NULL,
    campaign_id  uuid     NOT NULL,
    day          integer  NOT NULL, -- 0: the key of people's tokens.
    sealed       bytea    NOT NULL,
    commitment   text     NOT NULL,
    revealed     boolean  NOT NULL
);
CREATE INDEX draw_seeds_id ON draw_seeds (id, position);

CREATE TABLE draw_log (
    position     bigint   PRIMARY KEY,
    id           uuid     NOT NULL,
    campaign_id  uuid     NOT NULL,
    day_id       uuid     NOT NULL, -- Of campaign and day; 0: about no day alone.
    number       integer  NOT NULL CHECK (number > 0),
    at_ms        bigint   NOT NULL,
    kind         text     NOT NULL,
    text         text     NOT NULL,
    hash         text     NOT NULL
);
-- Its id is of campaign and number: an entry is found, and there is one.
CREATE UNIQUE INDEX draw_log_id ON draw_log (id);
CREATE INDEX draw_log_campaign_id ON draw_log (campaign_id, position);
CREATE INDEX draw_log_day_id ON draw_log (day_id, position);

CREATE TABLE draw_phrases (
    position     bigint   PRIMARY KEY,
    person_id    uuid     NOT NULL,
    phrase       text     NOT NULL,
    from_day     integer  NOT NULL,
    before       text     NOT NULL
);
CREATE INDEX draw_phrases_person_id ON draw_phrases (person_id, position);
