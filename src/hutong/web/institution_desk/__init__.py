"""The institution's desk: what those who run a wallet, an acquirer or a bank look at all day, and do."""
