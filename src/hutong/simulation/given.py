"""What is durable of marketing at one node, folded from its rows."""

from collections import defaultdict
from typing import Any

from hutong.marketing.campaigns.award import AwardState
from hutong.simulation.audit import NodeView
from hutong.simulation.members import Members


class Given:
    """What is durable of marketing at one node."""

    def __init__(self, view: NodeView) -> None:
        self.view = view
        self.totals: dict[tuple[Any, ...], int] = defaultdict(int)  # By campaign, level and what is counted there.
        self.caps: dict[int, dict[str, int]] = {}  # Of each campaign, the greatest of each level; 0: no bound.
        self.changes: dict[int, int] = defaultdict(int)  # By award: all that its versions did to a budget.
        self.of_payment: dict[int, set[int]] = defaultdict(set)  # Awards.
        self.of_coupon: dict[int, set[int]] = defaultdict(set)  # Awards.
        self.sponsors: dict[int, tuple[str, Any]] = {}  # What a sponsor here reserved for: where it ends, and its row.
        self.turns: set[tuple[Any, ...]] = set()  # Draws that are taken.
        self.claimed: dict[int, int] = defaultdict(int)  # By template.
        self.claimed_on: dict[tuple[int, int], int] = defaultdict(int)  # By template and day.
        self.claimed_by: dict[tuple[int, str, int], int] = defaultdict(int)  # By template, and person or device.
        self.codes: set[int] = set()
        self.till_codes: dict[int, int] = {}  # By coupon that its merchant takes: its code.
        self.taken: set[tuple[int, str]] = set()  # Such codes, each with the number it was taken under.
        self.prizes: dict[int, list[Any]] = defaultdict(list)  # By cash campaign.
        self.shares: dict[int, list[Any]] = defaultdict(list)  # By packet: claims, in their order.
        self.claimants: set[int] = set()
        self.moved: dict[tuple[int, int], int] = defaultdict(int)  # By code and packet.
        self.sponsored: dict[int, int] = defaultdict(int)  # By sponsor: paid in, less what was taken back.
        self.inviters: dict[int, tuple[int, int]] = {}  # By friend: the inviter and the campaign.
        self.brought: dict[tuple[int, int], set[int]] = defaultdict(set)  # By inviter and campaign: referrals.
        self.back: dict[int, int] = defaultdict(int)  # By what awards are for: what refunds brought back.
        self.members = Members()
        self.touched: dict[tuple[str, int], None] = {}  # What this commit changed: looked at when it is whole.

    def standing(self, award: Any) -> str:
        """How an award stands: what is reserved for a payer here is committed by the payment's outcome alone."""
        is_paid = self.view.outcomes["payment_outcomes"].get(award.payment_id)
        return str(AwardState.COMMITTED if is_paid and award.state == AwardState.RESERVED else award.state)

    def paid(self, id_: int) -> tuple[Any, int, bool | None]:
        """What awards under this id are for, its discount, and how it ended."""
        view = self.view
        payment = view.rows["payments"].get(id_)
        if payment is not None and payment.adjuster:
            return payment, payment.payer_discount, view.outcomes["payment_outcomes"].get(payment.id)
        sponsored = self.sponsors.get(id_)
        if sponsored is None:
            return None, 0, None
        outcomes, row = sponsored
        return row, row.payee_discount, view.outcomes[outcomes].get(row.id)
