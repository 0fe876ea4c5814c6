-- Why:   pre-authorisations by people of other institutions: where they are held, and what was paid out of them.
-- Locks: ACCESS EXCLUSIVE on gateway_preauths, for a moment: columns with a constant default rewrite nothing.
-- When:  pre.

ALTER TABLE gateway_preauths ADD COLUMN debtor_agent text NOT NULL DEFAULT '';
ALTER TABLE gateway_preauths ADD COLUMN payer        text NOT NULL DEFAULT '';

CREATE TABLE gateway_preauth_takes (
    position   bigint PRIMARY KEY,
    id         uuid   NOT NULL,
    preauth_id uuid   NOT NULL,
    amount     bigint NOT NULL CHECK (amount > 0)
);
CREATE INDEX gateway_preauth_takes_id ON gateway_preauth_takes (id, position);
CREATE INDEX gateway_preauth_takes_preauth_id ON gateway_preauth_takes (preauth_id, position);
