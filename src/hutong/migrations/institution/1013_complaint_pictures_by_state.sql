-- why: pictures of complaints are looked at again in the database, page by page, and not in the node's memory: those that are
--      kept, to let go of them in time, and those that are still to come, at a start.
-- locks: writes to `complaint_pictures` wait while the index is built.
-- when: pre

CREATE INDEX complaint_pictures_state ON complaint_pictures (state, position);
