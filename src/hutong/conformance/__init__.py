"""
The conformance kit: does somebody else's participant, or switch, keep the contract of `docs/scheme`?

It is written from those pages alone and imports nothing of the product: not its messages, not its signatures, not its
clock. What both sides get wrong alike it would not find otherwise. Every case quotes the sentence it proves; a test
holds the quotes to the pages.

Against a participant the kit plays the switch; against a switch it plays the participants. What only the other side
can begin (a user pays, a merchant refunds) it asks for through a **hook** that the implementation offers in a test
environment; without it those cases are skipped, and listed as not proven.
"""
