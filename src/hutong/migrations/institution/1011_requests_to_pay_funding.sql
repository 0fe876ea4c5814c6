-- why: what a request to pay is paid from is said when it is first asked and kept: a repeated message may say otherwise.
--      Those of before that a crash left claimed are paid from the balance, or ask.
-- locks: a short one on requests_to_pay; the column has a default, and no row is written.
-- when: pre

ALTER TABLE requests_to_pay ADD COLUMN funding text NOT NULL DEFAULT '';
