"""
Money a merchant sends to people of this institution: WeChat Pay's merchant transfers and batches, Alipay's transfers, and what
is built on them.

With the person's confirmation the money is held until they take it, decline it, or let it lapse; without, it moves at once.
Invariants: a number moves money at most once, whoever repeats it; what waits is held, so it is there when it is taken; a
transfer is written down before its money moves, and taken up again after a crash.
"""
