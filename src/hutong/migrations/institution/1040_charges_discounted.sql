-- why: what the merchant's side takes off is said when a payment code is charged, and said alike however often it is asked.
-- locks: charges, briefly: a column with a constant default rewrites nothing.
-- when: pre

ALTER TABLE charges ADD COLUMN payee_discount bigint NOT NULL DEFAULT 0;
