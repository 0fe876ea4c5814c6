"""
Red packets (红包): money put into an account of its own, for the people who open the packet.

Words: a *packet* has a *sender*, a *greeting*, so many *shares* and a *link*; a *claim* is one person's share of it.
Promises: the shares add up to the packet, each is at least one fen, and how they are split was fixed and committed to by a
hash before anybody claimed; each person claims once, however often they ask; what nobody claimed in 24 hours is the
sender's again; and the packet's account always holds exactly what has not reached anybody yet (invariants 3 and 7).
People of other institutions claim too: `docs/scheme/red-packet.md`.
"""
