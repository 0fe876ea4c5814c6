"""
Pre-authorisation (预授权): a person lets a merchant hold money, of which it takes some later, and lets the rest go.

It promises: (1) what is held left the person's balance by their own consent, with the PIN or by the payment code that they
showed; (2) it is in an account of its own in the ledger, so it is there when it is taken, and no more than it is; (3) taking it
is a payment like any other, in one chain with the end of the hold: whole, or not at all; (4) what is not taken goes back: when
the merchant says so, or when its time is over.

Of a person of another institution it is held there (`institution.holds`), and this side asks, takes and lets go by messages: what is
held, taken and let go is what their institution says.
"""
