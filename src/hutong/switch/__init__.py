"""
The switch: who takes part, whose code is whose, and the one place where a payment between nodes is decided.

Promise: a payment is decided by the first durable post or void of its reservation here, once; nothing before
that is final and nothing after changes it (`docs/scheme/payment.md`).
"""
