"""
The audit: every invariant that rows can show, recomputed from the rows alone.

It reads the database of running nodes, read-only, and trusts none of them: no noun, service or recipe of the product
is imported, only the way to a database. What an account, a transfer or a decision is, is taken from the tables as
`docs/chart-of-accounts.md` and `docs/scheme/` describe them, and every sum is done again with SQL and additions of its own.

Each database is read at one moment (one snapshot), the switch's last. What is under way at that moment is told apart
from what is wrong, and becomes wrong when it is older than it may be (invariant 5).
"""
