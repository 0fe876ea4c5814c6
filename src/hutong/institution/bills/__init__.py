"""
A merchant's bills of a day: what was sold and given back (交易账单), and every movement of its account (资金账单).

Promise: both are read off the ledger's posted transfers, so they equal it to the fen; the summary says so, or that they do not.
"""
