"""Marketing: who pays a part of what somebody buys, and why. A discount is a transfer from a sponsor's budget, never an edited price."""
