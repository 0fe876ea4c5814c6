"""
Codes: what a camera reads, what it means, and who owns it.

It promises: (1) no text and no picture, however malformed, gets anything but a value or a named `Refusal`; (2) what we
issue, we read back as the same value, and what we read as canonical we would issue as the same text; (3) a payment code
is right for about a minute, is claimed once, and cannot be guessed within the limits; (4) every code has at most one
owner, the same on every machine.

Words: a *merchant-presented code* (收款码) is shown by whoever is paid, a *consumer-presented code* by whoever pays; a
*payment code* (付款码) is the consumer-presented code made of digits; a *plate* (码牌) is a merchant-presented code that
hangs on a wall, of a merchant (商家码) or of a person (个人码); a *code form* is a pattern of codes that a node owns.

Everything here is pure and synchronous: time and randomness are arguments.
"""
