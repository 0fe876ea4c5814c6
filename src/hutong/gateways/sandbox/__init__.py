"""
What only a network for trying out has at its gateways: going wrong when it is told to.

Promise: nothing here exists in production, not behind a switch, not behind a right: it is not built there.
"""
