"""The till: what a merchant's staff open at the counter, on a phone or a tablet."""
