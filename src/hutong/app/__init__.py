"""
The composition root: the one place that knows everything, and decides nothing.

Settings and a network's description go in; running nodes come out, wired and started.
"""
