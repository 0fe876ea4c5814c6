"""
Operators: the people who run a node, what each may do, and what each did.

It promises: (1) nobody acts as an operator without a token of their own, which is nowhere kept so that it could be read;
(2) a viewer changes nothing; (3) what an operator does is in the audit log in the same commit, with who, what, when and how
it ended; (4) no row of the log can be changed, left out, put in or moved without breaking the chain of hashes, and none can be
cut off its end unnoticed by whoever noted the head; (5) a person's data can be erased from it, and the chain still verifies;
(6) what takes two people is done once, and not before another than who proposed it approves.

Words: a *role* says what an operator may do; an *act* is one request of an operator; the *head* is the newest entry's number and
hash; an *anchor* is a head somebody wrote down elsewhere; a *session* is an operator at the desk in a browser; an *approval* is what one
operator proposes and another decides.
"""
