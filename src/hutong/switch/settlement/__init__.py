"""
Settlement: windows are closed, what everybody owes net is computed, checked and paid between settlement accounts.

Promise: every completed payment is in exactly one window, fixed when it was decided; a window's obligations are the
clearing transfers of its payments, to the fen, or it halts; and no payment ever waits for any of it.
"""
