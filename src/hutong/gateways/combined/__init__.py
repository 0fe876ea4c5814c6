"""
One payment for orders of several merchants: WeChat Pay's combined orders.

The combined order is one order of the merchant that places it, and one payment of its whole amount. In the decision that
completes the payment each merchant's part, less its part of the fee, is handed on to it: all parts, or none. A part is refunded
by its own merchant: what the refund costs goes back to whoever took the payment, and from there to the payer. Invariants: the
parts add up to the payment, to the fen; refunds of a part never exceed it, nor take more from its merchant than it got.
"""
