"""
Complaints, as merchants' software hears of them and answers: the institution's own complaints, told in the vendors' words.

Nothing is kept here but where each account wants to be called back.
"""
