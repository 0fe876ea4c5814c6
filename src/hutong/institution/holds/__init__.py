"""
Holds: a person lets a merchant of another institution hold money, of which it takes some later, and lets the rest go.

It promises: (1) what is held left the person's balance by their own consent, with the PIN or by the payment code that they showed;
(2) it is in an account of its own in the ledger of the person's institution, which alone says how it stands; (3) taking it is a payment
like any other, in one chain with the end of that part of the hold: whole, or not at all, and held again if the network says no; (4) what
is not taken goes back: when the merchant says so, or by itself when its time is over; (5) whatever the network loses, repeats or
reorders, both sides agree in the end.

The debtor agent keeps a **hold**, the creditor agent its **authorisation**. `docs/scheme/hold.md` is the contract.
"""
