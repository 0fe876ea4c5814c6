"""
Double entry and nothing else: accounts, transfers, and the promise that the books always balance.

The model is TigerBeetle's, in full. Business rules are written once, above, as transfers (`recipes`); an
engine that needs to know what a wallet is has been given the wrong job.
"""
