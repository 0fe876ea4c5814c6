"""
Payment requests (收款请求): what is to be paid; many attempts, at most one success.

It promises: (1) a request is claimed by at most one payment at a time and paid by at most one ever; (2) it can be
cancelled, and it expires, only while unclaimed, and what was cancelled is never paid; (3) one (merchant, reference) is one
request: the same content again gets the same answer, other content CONFLICT, naming the field; (4) every code this
institution issued or registered leads to one payee or to a named refusal.
"""
