-- why: members of merchants' staff, their PINs and sessions; staff keys may have the roles that members have.
-- locks: staff_keys, while its few rows are checked again.
-- when: pre

ALTER TABLE staff_keys DROP CONSTRAINT staff_keys_role_check;
ALTER TABLE staff_keys ADD CONSTRAINT staff_keys_role_check
    CHECK (role IN ('OWNER', 'MANAGER', 'CASHIER', 'ACCOUNTANT', 'READER'));

CREATE TABLE staff (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    shop_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('OWNER', 'MANAGER', 'CASHIER', 'ACCOUNTANT', 'READER')),
    name text NOT NULL,
    phone text NOT NULL,
    state text NOT NULL CHECK (state IN ('INVITED', 'ACTIVE', 'REVOKED')),
    created_ns bigint NOT NULL,
    changed_ns bigint NOT NULL,
    changed_by uuid NOT NULL
);
CREATE INDEX staff_by_id ON staff (id, position);
CREATE INDEX staff_by_merchant_id ON staff (merchant_id, position);
CREATE INDEX staff_by_phone ON staff (phone, position);

-- Of a telephone's holder, who may be staff of several merchants: `user_id` is a digest of the number.
-- A version for each wrong try too: so a restart forgets none.
CREATE TABLE staff_pins (
    position bigint PRIMARY KEY,
    user_id uuid NOT NULL,
    hash text NOT NULL,
    changed_ns bigint NOT NULL,
    wrong smallint NOT NULL CHECK (wrong >= 0),
    locked_until_ns bigint NOT NULL
);
CREATE INDEX staff_pins_by_user_id ON staff_pins (user_id, position);

-- The id is a keyed hash of the token, which is not kept.
CREATE TABLE staff_sessions (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    device_id uuid NOT NULL,
    began_ns bigint NOT NULL,
    used_ns bigint NOT NULL,
    ended text NOT NULL CHECK (ended IN ('', 'SIGNED_OUT', 'REVOKED'))
);
CREATE INDEX staff_sessions_by_id ON staff_sessions (id, position);
CREATE INDEX staff_sessions_by_member_id ON staff_sessions (member_id, position);
CREATE INDEX staff_sessions_by_device_id ON staff_sessions (device_id, position);
