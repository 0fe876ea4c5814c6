"""
What campaigns bring: the people who met one against those whom it left out, and what it cost whoever paid for it.

Words: a **unit** is a person, or where nobody knows who pays an hour of a shop; its **arm** is TREATED or HELD_OUT, for ever;
an **effect** is what treated units do more, with the interval it lies in 95 times of 100. Where units are too few to say,
that is what is said. Amounts given are the awards' and so the ledger's.
"""
