-- why: a rotation of a staff key is known again by its caller's id.
-- locks: staff_keys, for a moment: the default is a constant, so no row is written.
-- when: pre

ALTER TABLE staff_keys ADD COLUMN rotation_id text NOT NULL DEFAULT '';
