"""
Merchants: who is paid for trade, where they sell, who of their staff may do what, and the plates on their walls.

It promises: (1) a caller meets only what belongs to the merchant, and to the shop, of its key (invariant 8); (2) the
fee of a merchant at an instant never changes once that instant has come, and every answer says which version it was;
(3) a plate, ours or a foreign one, leads to at most one merchant; (4) whoever sends the same reference again gets the
same thing again, or a CONFLICT that names the field that differs.

Words: a *merchant* is the creditor, a *shop* a place where it sells, a *staff key* what a till or a back office calls us
with, a *plate* (码牌) a static code; a *foreign plate* was issued by another system and hangs there already (不增设码牌).
"""
