"""
What a merchant sets aside for its people: from its account through its budget to a campaign, and home when that has ended.

Each step is a transfer under an id of its own, made of the row that says how far it is, so that a crash between any two is
mended by doing the step again.
"""

import asyncio
from functools import partial
from typing import Any, Protocol

from msgspec.structs import replace

from hutong.gateways.vouchers.reasons import VoucherReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.marketing.campaigns.campaign import Campaign, CampaignState
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.campaigns.sponsor_service import SponsorService
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf


class Funded(Protocol):
    """What such a row says; its id is its campaign's, too."""

    @property
    def id(self) -> int: ...
    @property
    def starting(self) -> bool: ...
    @property
    def attempt(self) -> int: ...
    @property
    def started_ns(self) -> int: ...
    @property
    def taken_home(self) -> int: ...
    @property
    def last_home(self) -> int: ...


class SetAside:
    """The money of one table of rows, all of which are in memory."""

    def __init__(
        self, node: NodeRuntime, sponsors: SponsorService, campaigns: CampaignService, rows: "Shelf[Any]"
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._sponsors = sponsors
        self._campaigns = campaigns
        self._rows = rows

    def resume(self) -> None:
        """What was on its way when the node stopped goes on, with the same ids."""
        for row in self._rows.everything():
            if row.starting:
                self._pay_for(row, None)
            if row.taken_home:
                self._take_home(row)
        self._journal.seal()

    def begin(self, row: Any, answered: "asyncio.Future[None]") -> None:
        """
        Within a decision: set it aside, and say when that is done or refused.

        Moves:    merchant -> its budget -> the campaign; posted.
        Refuses:  VOUCHER_BUDGET_INSUFFICIENT and VOUCHER_STOCK_ENDED, by the answer.
        Repeats:  nothing moves twice.
        """
        if not row.starting:
            row = replace(row, starting=True)
            self._rows.put(row)
        self._pay_for(row, answered)

    def tick(self) -> None:
        """Bring home what ended campaigns did not give, and what came back to them since."""
        due = [row for row in self._rows.everything() if self._given_back(row) > row.taken_home]
        if due:
            self._node.decide(partial(self._home, due))

    def _given_back(self, row: Funded) -> int:
        return self._campaigns.campaign(row.id).given_back

    def _home(self, due: list[Any]) -> None:
        for row in due:
            given_back = self._given_back(row)
            moved = replace(row, taken_home=given_back, last_home=given_back - row.taken_home)
            self._rows.put(moved)
            self._take_home(moved)

    def _pay_for(self, row: Funded, answered: "asyncio.Future[None] | None") -> None:
        """From the merchant's account into its budget; then on to the campaign."""
        campaign = self._campaigns.campaign(row.id)
        self._sponsors.deposit(
            derive(row.id, f"deposit/{row.attempt}"),
            campaign.shares[0][0],
            campaign.budget,
            partial(self._paid_for, row.id, row.attempt, answered),
        )

    def _paid_for(
        self, id_: int, attempt: int, answered: "asyncio.Future[None] | None", refusal: Refusal | None
    ) -> None:
        if refusal is None:
            self._node.decide(partial(self._fund, id_, attempt, answered))
        else:
            self._node.decide(partial(self._not_begun, id_))
            _answer(answered, Refusal(VoucherReason.VOUCHER_BUDGET_INSUFFICIENT))

    def _fund(self, id_: int, attempt: int, answered: "asyncio.Future[None] | None") -> None:
        """From its budget into the campaign; home again if that was ended, or its time was over, meanwhile."""
        try:
            self._campaigns.begin(id_, answer=lambda campaign: self._begun(campaign, answered))
        except Refusal:
            campaign = self._campaigns.campaign(id_)
            self._sponsors.withdraw(
                derive(id_, f"unspent/{attempt}"),
                campaign.shares[0][0],
                campaign.budget,
                lambda _refusal: self._unspent(id_, answered),
            )

    def _unspent(self, id_: int, answered: "asyncio.Future[None] | None") -> None:
        self._node.decide(partial(self._not_begun, id_))
        _answer(answered, Refusal(VoucherReason.VOUCHER_STOCK_ENDED))

    def _begun(self, campaign: Campaign, answered: "asyncio.Future[None] | None") -> None:
        if campaign.state == CampaignState.DRAFT:  # Another campaign of the merchant's took the money meanwhile.
            self._node.decide(partial(self._not_begun, campaign.id))
            _answer(answered, Refusal(VoucherReason.VOUCHER_BUDGET_INSUFFICIENT))
            return
        self._node.decide(partial(self._mark_begun, campaign.id, answered))

    def _mark_begun(self, id_: int, answered: "asyncio.Future[None] | None") -> None:
        row = self._known(id_)
        if not row.started_ns:
            self._rows.put(replace(row, starting=False, started_ns=self._node.clock.now_ns()))
        self._journal.effect(partial(_answer, answered, None))

    def _not_begun(self, id_: int) -> None:
        row = self._known(id_)
        if row.starting:
            self._rows.put(replace(row, starting=False, attempt=row.attempt + 1))

    def _take_home(self, row: Funded) -> None:
        """From the merchant's budget to its account. What it put into something else meanwhile is not there to be taken."""
        self._sponsors.withdraw(
            derive(row.id, f"home/{row.taken_home}"),
            self._campaigns.campaign(row.id).shares[0][0],
            row.last_home,
            lambda _refusal: None,
        )

    def _known(self, id_: int) -> Any:
        row = self._rows.get(id_)
        assert row is not None
        return row


def _answer(answered: "asyncio.Future[None] | None", refusal: Refusal | None) -> None:
    if answered is None or answered.done():
        return
    if refusal is None:
        answered.set_result(None)
    else:
        answered.set_exception(refusal)
