-- why: a bank says which of its accounts a mandate takes from, so that one account linked to two wallets is seen to be one.
-- locks: bank_accounts, briefly: a column with a constant default rewrites nothing.
-- when: pre

ALTER TABLE bank_accounts ADD COLUMN mark uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
