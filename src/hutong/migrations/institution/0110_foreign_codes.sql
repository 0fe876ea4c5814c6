-- Why:   numbers of other systems that people show at tills: each leads to the user who is asked.
-- Locks: none; the table is new.
-- When:  pre.

CREATE TABLE foreign_codes (
    position   bigint  PRIMARY KEY,
    id         uuid    NOT NULL,
    digits     text    NOT NULL,
    user_id    uuid    NOT NULL,
    changed_ns bigint  NOT NULL,
    active     boolean NOT NULL
);
CREATE INDEX foreign_codes_id ON foreign_codes (id, position);
CREATE INDEX foreign_codes_user_id ON foreign_codes (user_id, position);
