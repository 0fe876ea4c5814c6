"""
Merchants' own coupons (商家券): the merchant gives them, the merchant takes them, and asks for less.

A *stock* (批次) is a template of coupons for the till, whose id is its own; its coupons and their codes are in
`hutong.marketing.coupons`. It promises: (1) a coupon is taken once, however many tills read it at once, and it makes no
payment cheaper by itself: nobody set money aside for it; (2) a number asks one thing, however often it comes, and is
answered the same; (3) a sponsor's subsidy of a coupon that was taken is money from one merchant to another: a ledger
transfer, once, and never more in all than the coupon was worth.
"""
