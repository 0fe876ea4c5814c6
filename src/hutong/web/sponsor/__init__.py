"""Pages for sponsors that are no merchants: where their money is, what it brings, and what they are asked to pay for."""
