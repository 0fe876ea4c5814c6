-- why: merchants agree to pay a part of the operator's campaigns; which of them did is a part of the campaign.
-- locks: campaigns, briefly: a column with a constant default rewrites nothing.
-- when: pre

ALTER TABLE campaigns ADD COLUMN agreed bytea NOT NULL DEFAULT '';
