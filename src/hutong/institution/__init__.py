"""One institution: its people, merchants, payments and notices, on one ledger."""
