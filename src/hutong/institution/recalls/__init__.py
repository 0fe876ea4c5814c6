"""
Recalls: a payment that was fraud or a mistake is asked back, and what is left of it set aside meanwhile.

A **recall** is the asking side's case, a **dispute** the answering side's: one of each for a payment across nodes, both
here for one on us. The answer is given once, where the money is: by the payee's institution, at the latest at the deadline.
What it gives back travels as a return, so invariant 6 holds for refunds and recalls together.
"""
