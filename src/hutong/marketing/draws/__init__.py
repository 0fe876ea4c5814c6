"""
The daily random discount (天天减): what each person draws on a day was settled before the day began, and anyone can check it.

Words: a **draw** is what chance gave one person on one day; a **seed** is the day's secret, committed to before the day
and revealed after it; a **distribution** is the published table that chance is read by; a **slot** is a few minutes of the day
with a published **threshold** of admission; the **public log** is the chain of all that was published.

Invariants: what is drawn depends on seed, campaign, day, person and turn alone, and never on the payment or the moment.
Seeds are committed to days ahead. A slot's threshold follows from what was published before by a published rule, and is
in the log before the slot's first draw. A day never gives more than its budget. Spec: docs/draws.md.
"""
