"""
Every movement of what sponsors give: see `recipes`, whose rules hold here too.

A sponsor's money is in its budget, what a campaign may give in the campaign's own account, and what was awarded and has
not reached its person in one account of the node's. None can be overdrawn: whatever the counters above say, a budget ends
where its money does.
"""

from collections.abc import Sequence

from hutong.ledger.sharing_recipes import chained
from hutong.ledger.transfer import Transfer


def deposit(
    transfer_id: int, sponsor_id: int, *, source: int, budget: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    A sponsor pays in: from outside (the reserve), or from what it sold (its merchant account).

    Moves:    source -> budget; posted.
    Refuses:  EXCEEDS_CREDITS when a merchant's balance does not cover it.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, source, budget, amount, ledger, code, 0, 0, sponsor_id)


def withdraw(
    transfer_id: int, sponsor_id: int, *, budget: int, target: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    A sponsor takes back what no campaign has.

    Moves:    budget -> reserve, or merchant; posted.
    Refuses:  EXCEEDS_CREDITS when the budget does not cover it.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, budget, target, amount, ledger, code, 0, 0, sponsor_id)


def fund(
    campaign_id: int, *, campaign: int, parts: Sequence[tuple[int, int, int]], ledger: int, code: int
) -> list[Transfer]:
    """
    A campaign gets its money from its sponsors, all or none. A part is a transfer's id, a sponsor's budget and an amount.

    Moves:    each budget -> campaign; posted.
    Refuses:  EXCEEDS_CREDITS when a sponsor's budget does not cover its part.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    """
    return chained(
        [Transfer(id_, budget, campaign, amount, ledger, code, 0, 0, campaign_id) for id_, budget, amount in parts]
    )


def give_back(
    campaign_id: int, *, campaign: int, parts: Sequence[tuple[int, int, int]], ledger: int, code: int
) -> list[Transfer]:
    """
    What an ended campaign did not give goes back to its sponsors: the mirror of `fund`.

    Moves:    campaign -> each budget; posted.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    """
    return chained(
        [Transfer(id_, campaign, budget, amount, ledger, code, 0, 0, campaign_id) for id_, budget, amount in parts]
    )


def award(
    transfer_id: int, award_id: int, *, campaign: int, awarded: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    A reward is set aside, or a campaign's part of a discount that several give together.

    Moves:    campaign -> awarded; posted.
    Refuses:  EXCEEDS_CREDITS when the campaign has less left.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, campaign, awarded, amount, ledger, code, 0, 0, award_id)


def take_back(
    transfer_id: int, award_id: int, *, awarded: int, campaign: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    A reward was refused, its payment did not come about, or a refund brought some of it back.

    Moves:    awarded -> campaign; posted.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, awarded, campaign, amount, ledger, code, 0, 0, award_id)


def reward(
    transfer_id: int, award_id: int, *, awarded: int, wallet: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    A reward reaches its person.

    Moves:    awarded -> wallet; posted.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, awarded, wallet, amount, ledger, code, 0, 0, award_id)
