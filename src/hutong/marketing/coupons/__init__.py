"""
Coupons: what a person holds that makes one payment cheaper, and how it comes, goes and comes back.

It promises: (1) no template gives out more coupons than its stock, in all and on a day, nor more than its limits to one
person or one device, however many ask at once; (2) a coupon makes one payment cheaper at a time: it is reserved,
redeemed and released in the decision that does the same to the payment; (3) a code leads to a coupon once, and whoever
guesses is told no, by name, long before he finds one; (4) the same claim again gets the same coupon again.

Words: a *template* is what coupons are alike in, a *claim* that somebody took one, a *coupon* is one person's, a *code*
is what can be typed to claim one: a *unique* code once, a *shared* one by many.
"""
