-- Why:   what people here claimed of red packets of other institutions.
-- Locks: none: a new table.
-- When:  pre.

CREATE TABLE red_packet_foreign_claims (
    position    bigint PRIMARY KEY,
    id          uuid   NOT NULL,
    user_id     uuid   NOT NULL,
    link        text   NOT NULL,
    agent       text   NOT NULL,
    sender_name text   NOT NULL,
    greeting    text   NOT NULL,
    amount      bigint NOT NULL CHECK (amount > 0),
    currency    text   NOT NULL,
    payment_id  uuid   NOT NULL,
    created_ns  bigint NOT NULL,
    changed_ns  bigint NOT NULL
);
CREATE INDEX red_packet_foreign_claims_id ON red_packet_foreign_claims (id, position);
CREATE INDEX red_packet_foreign_claims_user_id ON red_packet_foreign_claims (user_id, position);
