"""
Splits: a part of what an order brought goes to others, as WeChat Pay's profit sharing and Alipay's settlements have it.

An order that is to be split is frozen when it is paid, in the decision that completes its payment: what the merchant got of
it is kept in an account of the order's own until it is split, or until the rest is unfrozen. Receivers are merchants
and people of this institution, named beforehand. Invariants: what receivers get of an order, less what they gave back,
never exceeds what it brought; a refund takes from what is frozen first; what is frozen is written down as the ledger has it.
"""
