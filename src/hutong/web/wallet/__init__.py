"""The wallet: what a person opens on a phone to pay, to be paid, and to see what became of it."""
