"""
Bills as WeChat Pay and Alipay hand them out, made from what the ledger moved.

A bill is of one day of the institution's zone and of one gateway account: its trades, or everything that moved on its
merchant's money. Invariants: a bill's sums are those of its lines, and a fund bill's lines lead from the balance before
the day to the one behind it. `wechat_bill` and `alipay_bill` write the two layouts, to the byte; nothing else knows them.
"""
