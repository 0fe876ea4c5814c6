"""
Agreements (代扣): a person lets a merchant take money without asking each time; papay and Alipay's agreements are this.

It promises: (1) nothing is taken without the person's own consent: given with the PIN in their wallet here, or, where their
wallet is elsewhere, as a mandate that they granted there to this institution; (2) what is taken is a payment like any other,
by the person's own institution under that mandate, within its limit a day; (3) whoever is bound may end it at any time, and
then nothing more is taken; (4) one number of a merchant's is one agreement.
"""
