"""
Settlement at an institution: its books follow its settlement account at the switch, entry by entry.

Promise: each entry is booked once, in order and without a gap; behind the entry of a window the clearing account holds
nothing of that window any more.
"""
