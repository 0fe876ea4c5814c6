"""
The books as the institution's accountants and operators read them: accounts, transfers, balances at any time, trial balance.

Promise: it only reads; what it shows is durable; debits and credits of a trial balance are of one moment.
"""
