"""
Every movement of red packets: see `recipes`, whose rules hold here too.

Each packet has an account of its own, which can't be overdrawn: no claim takes another packet's money, nor more than there is.
What crosses to another institution leaves it by `recipes.hold`, as any payment.
"""

from hutong.ledger.transfer import Transfer


def fill(
    transfer_id: int, packet_id: int, *, wallet: int, packet: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    A sender puts money into a packet.

    Moves:    wallet -> packet, posted.
    Refuses:  EXCEEDS_CREDITS when the balance does not cover it.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, wallet, packet, amount, ledger, code, 0, 0, packet_id)


def claim(
    transfer_id: int, packet_id: int, *, packet: int, wallet: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    A claimant gets a share.

    Moves:    packet -> wallet, posted.
    Refuses:  EXCEEDS_CREDITS when less is left: never, for the shares add up to the packet.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, packet, wallet, amount, ledger, code, 0, 0, packet_id)


def give_back(
    transfer_id: int, packet_id: int, *, packet: int, wallet: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    What nobody claimed, or nobody took, is the sender's again.

    Moves:    packet -> wallet, posted.
    Refuses:  EXCEEDS_CREDITS when less is left: never, as above.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, packet, wallet, amount, ledger, code, 0, 0, packet_id)
