-- why: an operator finds a user by the name, exactly as it is written.
-- locks: writes to `users` wait while the index is built.
-- when: pre

CREATE INDEX users_name ON users (name, position);
