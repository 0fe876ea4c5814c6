"""
Service orders: something is lent or done first and paid for afterwards, as WeChat Pay's pay score has it.

The payment side of it is whole: the person agrees in their wallet to what may be taken at most, and what it comes to is taken
under that consent, once, when the service is over. Whether somebody may have it without a deposit is the merchant's to judge.
Invariants: nothing is taken without the person's consent, nor more than it says; a service is paid for once.
"""
