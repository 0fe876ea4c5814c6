"""
Merchants' vouchers: WeChat Pay's coupons (代金券) and Alipay's cash vouchers, on the institution's campaigns and coupons.

A *stock* (批次, 券模板) is one campaign of the merchant with one template of coupons, whose id is the stock's in both; a
*voucher* is one person's coupon of it. It promises: (1) what a stock may give is set aside from the merchant's account
when it starts, whole, and what it did not give is back there when it has ended; (2) a number sends one voucher, however
often it comes; (3) each voucher used, and each fen that a refund brought back, is written down in the decision that did
it, so that what is listed is what the ledger moved.
"""
