-- why: merchants that apply to be taken on, and what the operator decided; each row is a version, the newest position counts.
-- locks: none that matter, the table is new.
-- when: pre

CREATE TABLE merchant_applications (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    legal_name text NOT NULL,
    licence text NOT NULL,
    name text NOT NULL,
    latin_name text NOT NULL,
    city text NOT NULL,
    latin_city text NOT NULL,
    mcc text NOT NULL CHECK (mcc ~ '^[0-9]{4}$'),
    contact_name text NOT NULL,
    contact_phone text NOT NULL,
    state text NOT NULL CHECK (state IN ('APPLIED', 'APPROVED', 'DECLINED')),
    why text NOT NULL,
    decided_by text NOT NULL,
    merchant_id uuid NOT NULL,
    created_ns bigint NOT NULL,
    changed_ns bigint NOT NULL,
    CONSTRAINT merchant_applications_approved CHECK (
        (state = 'APPROVED') = (merchant_id <> '00000000-0000-0000-0000-000000000000')
    )
);
CREATE INDEX merchant_applications_by_id ON merchant_applications (id, position);
CREATE INDEX merchant_applications_by_state ON merchant_applications (state, position);
