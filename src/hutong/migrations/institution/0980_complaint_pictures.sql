-- why: pictures of complaints, and their bytes in parts.
-- locks: none; new tables.
-- when: pre

CREATE TABLE complaint_pictures (
    position   bigint  PRIMARY KEY,
    id         uuid    NOT NULL,
    place      uuid    NOT NULL,
    user_id    uuid    NOT NULL,
    digest     text    NOT NULL,
    kind       text    NOT NULL,
    size       integer NOT NULL CHECK (size BETWEEN 0 AND 2097152),
    state      text    NOT NULL,
    created_ns bigint  NOT NULL
);
CREATE INDEX complaint_pictures_id ON complaint_pictures (id, position);
CREATE INDEX complaint_pictures_place ON complaint_pictures (place, position);
CREATE INDEX complaint_pictures_user_id ON complaint_pictures (user_id, position);

CREATE TABLE complaint_picture_parts (
    position   bigint  PRIMARY KEY,
    picture_id uuid    NOT NULL,
    user_id    uuid    NOT NULL,
    number     integer NOT NULL CHECK (number BETWEEN 0 AND 42),
    content    bytea   NOT NULL CHECK (length(content) BETWEEN 1 AND 49152)
);
CREATE INDEX complaint_picture_parts_picture_id ON complaint_picture_parts (picture_id, position);
CREATE INDEX complaint_picture_parts_user_id ON complaint_picture_parts (user_id, position);
-- What is in a picture does not shrink.
ALTER TABLE complaint_picture_parts ALTER COLUMN content SET STORAGE EXTERNAL;
