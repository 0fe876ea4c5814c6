"""
Campaigns: what a sponsor gives, to whom, when, and from which budget.

It promises: (1) no budget, at any level, is ever overspent; (2) every award can be traced from the budget to the payer
and back; (3) of all that a payment could get, it gets the best that may go together, and the payer can read why.

Words: a *benefit* is what one campaign or coupon would give a payment, a *combination* those of them that it gets.
"""
