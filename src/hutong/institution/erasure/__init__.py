"""
Erasure: forgetting a person, and keeping the books.

It promises: (1) behind an erasure the person's telephone number and name are in no row of this node in the clear, old versions
included; (2) no ledger row, no amount and no outcome changes, and the audit log still verifies; (3) who it was is kept sealed for as
long as the retention policy says, can be read by an admin alone, and is deleted behind that; (4) a person can have a copy of
all that is kept of them.

It is the one place where rows are changed and deleted (ADR 0018): beside the journal, of a closed user, who decides nothing any more.

Words: the *register* says which tables tell of people, by which column, and what is blanked there; *retention* (保存期限) is how long the
law has a thing kept.
"""
