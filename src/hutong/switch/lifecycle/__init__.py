"""
The life of a participant's node: application, certification, key ceremony, admission, suspension, and the way out.

It promises: (1) every step is one of a table and refused by name where it is out of order; (2) who took it, when and why is kept
for ever; (3) a key that an operator registers counts once another has confirmed its fingerprint; (4) nobody is gone while
anything is undecided, owed, asked back or held.

Words: a *step* is what an operator does; a *stage* is where a node stands; to *depart* is the last step, LEAVING to LEFT.
"""
