"""
Payments: from "who is this?" to money that has moved, been given back, or never left.

It promises: (1) a payment moves money at most once, however often anyone retries, restarts or replays; (2) what
was sent to the switch is undone by the switch's signed rejection alone, and nothing stays undecided for ever;
(3) refunds of a payment never exceed it, and every discount, fee and share comes back pro rata, to the fen;
(4) a limit counts what was paid and not what was refused; (5) a merchant hears of money that has moved, and not before.

Words: a **payment** is the debtor's side (and both sides when payer and payee are ours); a **receipt** is the
creditor's side of a payment from another node; a **refund** is the merchant's act, a **return** what it becomes at
the debtor's side. Each is two rows: what was intended, and the outcome.
"""
