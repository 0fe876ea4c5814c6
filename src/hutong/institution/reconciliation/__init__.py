"""
Reconciliation: the institution's own ledger against the switch's clearing file, line by line, window by window.

Promise: every line of either side is matched or told as a difference, to the fen; a difference becomes a case with a
proposed correction, and nothing is ever corrected but by a further transfer.
"""
