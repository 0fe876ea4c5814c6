"""
Complaints: a payer is not content with what a merchant gave for a payment, and both say so until it is over.

A **complaint** is the merchant's side and holds the one history, a **turn** being what somebody did in it; a **grievance** is the
payer's side: what its own person wants to say next, and a copy of the history. Both are at one institution or at two; either way
what the payer says becomes a turn when the merchant's institution has it, and there alone. No money moves here: a refund is the
merchant's, made as ever, and becomes a turn by itself.
"""
