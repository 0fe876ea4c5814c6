"""Sponsors, and what they pay in."""

from collections.abc import Callable
from functools import partial

from hutong.institution import chart
from hutong.institution.chart import Chart
from hutong.institution.payments.payment import Why, check_amount, check_new_id
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.ledger import marketing_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, AccountQuery, AccountStatus, Transfer, TransferStatus
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.marketing.campaigns.sponsor import (
    SPONSORS,
    Sponsor,
    SponsorKind,
    SponsorProfile,
    merchant_sponsor_id,
    sponsor_id,
)
from hutong.marketing.campaigns.sponsor_key import SPONSOR_KEYS, SponsorKey
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf

_THERE = frozenset({AccountStatus.CREATED, AccountStatus.EXISTS})
Answer = Callable[[Refusal | None], None]


class SponsorService:
    """Everything is in memory: sponsors are few."""

    def __init__(self, node: NodeRuntime, ledger: LedgerEngine, own: Chart) -> None:
        self._node = node
        self._ledger = ledger
        self._chart = own
        self.all = Shelf(SPONSORS, node.journal, node.store)
        self.keys = Shelf(SPONSOR_KEYS, node.journal, node.store, by=("sponsor_id",))

    async def start(self) -> None:
        """Load them, and open what a crash may have kept from being opened: what is open already answers `exists`."""
        await self.keys.load_all()
        for sponsor in await self.all.load_all():
            self._ledger.create_accounts([chart.budget(sponsor.id, self._chart.currency)], _opened)
        self._node.journal.seal()

    def register(self, profile: SponsorProfile) -> Sponsor:
        """
        Somebody who pays in from outside.

        Refuses:  the text refusals; SPONSOR_OTHERWISE for other content under a known reference; SPONSOR_NOT_YOURS: a
                  merchant of ours sponsors from what it sold, and is none of these.
        Repeats:  the sponsor.
        """
        profile = profile.checked()
        if profile.kind is SponsorKind.MERCHANT:
            raise Refusal(CampaignReason.SPONSOR_NOT_YOURS, field="kind")
        id_ = sponsor_id(self._node.node_id, profile.reference)
        known = self.all.get(id_)
        if known is not None:
            for field in ("kind", "name"):
                if getattr(known, field) != getattr(profile, field):
                    raise Refusal(CampaignReason.SPONSOR_OTHERWISE, field=field)
            return known
        return self._open(self._new(id_, profile, 0))

    def of_merchant(self, merchant_id: int, name: str) -> Sponsor:
        """A merchant of ours as a sponsor. Repeats: the same."""
        sponsor = self.as_sponsor(merchant_id, name)
        return sponsor if self.all.get(sponsor.id) is not None else self._open(sponsor)

    def as_sponsor(self, merchant_id: int, name: str) -> Sponsor:
        """What a merchant of ours is as a sponsor, or would be: nothing changes. It has set nothing aside before it was one."""
        id_ = merchant_sponsor_id(merchant_id)
        known = self.all.get(id_)
        if known is not None:
            return known
        return self._new(id_, SponsorProfile(reference="", kind=SponsorKind.MERCHANT, name=name), merchant_id)

    def sponsor(self, id_: int) -> Sponsor:
        """Refuses SPONSOR_UNKNOWN."""
        sponsor = self.all.get(id_)
        if sponsor is None:
            raise Refusal(CampaignReason.SPONSOR_UNKNOWN)
        return sponsor

    def everybody(self) -> list[Sponsor]:
        """All sponsors, in order of their ids."""
        return self.all.everything()

    def keys_of(self, id_: int) -> list[SponsorKey]:
        """Its keys, revoked ones too, oldest first; a merchant has none of these."""
        return self.keys.find("sponsor_id", id_)

    def is_asked(self, sponsor: Sponsor) -> bool:
        """
        Whether it says itself what its money goes into: a merchant, or who holds a key that is good.

        For anybody else the operator does, who noted the money.
        """
        return bool(sponsor.merchant_id) or any(not key.revoked_ns for key in self.keys_of(sponsor.id))

    async def movements(self, id_: int, before_ns: int | None, limit: int) -> list[Transfer]:
        """What came into a sponsor's budget and went out of it, the newest first; before an instant of the ledger's."""
        account = chart.budget_account(id_, self._chart.currency)
        timestamp_max = before_ns - 1 if before_ns else 0
        query = AccountQuery(account, timestamp_max=timestamp_max, limit=limit, reversed=True)
        return await self._ledger.account_transfers(query)

    def came_in(self, id_: int, transfer: Transfer) -> bool:
        """Whether a movement is one into its budget."""
        return transfer.credit_account_id == chart.budget_account(id_, self._chart.currency)

    async def balance(self, id_: int) -> int:
        """What is in a sponsor's budget and in no campaign."""
        found = await self._ledger.lookup_accounts([chart.budget_account(id_, self._chart.currency)])
        return sum(each.credits_posted - each.debits_posted - each.debits_pending for each in found)

    def deposit(self, deposit_id: int, id_: int, amount: int, answer: Answer) -> None:
        """
        Pay into a sponsor's budget: a merchant's comes from what it sold, anybody else's from outside.

        Moves:    merchant, or reserve -> budget; posted.
        Refuses:  SPONSOR_UNKNOWN, what is wrong with the amount or the id; SPONSOR_BUDGET_INSUFFICIENT (a merchant has less)
                  and DEPOSIT_OTHERWISE through `answer`.
        Repeats:  nothing.
        """
        sponsor = self.sponsor(id_)
        check_amount(amount)
        check_new_id("deposit_id", deposit_id, self._node.clock.now_ns())
        transfer = marketing_recipes.deposit(
            derive(deposit_id, f"{self._node.node_id}/deposit"),
            sponsor.id,
            source=self._outside(sponsor),
            budget=chart.budget_account(sponsor.id, self._chart.currency),
            amount=amount,
            ledger=self._chart.currency.ledger,
            code=Why.SPONSORED,
        )
        self._ledger.create_transfers([transfer], partial(self._moved, answer))

    def withdraw(self, withdrawal_id: int, id_: int, amount: int, answer: Answer) -> None:
        """
        Take back what no campaign has.

        Moves:    budget -> merchant, or reserve; posted.
        Refuses:  as `deposit`.
        Repeats:  nothing.
        """
        sponsor = self.sponsor(id_)
        check_amount(amount)
        check_new_id("withdrawal_id", withdrawal_id, self._node.clock.now_ns())
        transfer = marketing_recipes.withdraw(
            derive(withdrawal_id, f"{self._node.node_id}/sponsor-withdrawal"),
            sponsor.id,
            budget=chart.budget_account(sponsor.id, self._chart.currency),
            target=self._outside(sponsor),
            amount=amount,
            ledger=self._chart.currency.ledger,
            code=Why.SPONSORED,
        )
        self._ledger.create_transfers([transfer], partial(self._moved, answer))

    def _outside(self, sponsor: Sponsor) -> int:
        if sponsor.merchant_id:
            return chart.merchant_account(sponsor.merchant_id, self._chart.currency)
        return self._chart.reserve

    def _moved(self, answer: Answer, statuses: list[TransferStatus]) -> None:
        refusal: Refusal | None = None
        match statuses[0]:
            case status if status in TRANSFER_DONE:
                pass
            case TransferStatus.EXCEEDS_CREDITS | TransferStatus.EXCEEDS_DEBITS | TransferStatus.ID_ALREADY_FAILED:
                refusal = Refusal(CampaignReason.SPONSOR_BUDGET_INSUFFICIENT)
            case status:
                refusal = Refusal(CampaignReason.DEPOSIT_OTHERWISE, field=_DIFFERS.get(status, "sponsor_id"))
        self._node.journal.effect(partial(answer, refusal))

    def _new(self, id_: int, profile: SponsorProfile, merchant_id: int) -> Sponsor:
        return Sponsor(
            id=id_,
            kind=profile.kind.value,
            reference=profile.reference,
            name=profile.name,
            merchant_id=merchant_id,
            created_ns=self._node.clock.now_ns(),
        )

    def _open(self, sponsor: Sponsor) -> Sponsor:
        self.all.put(sponsor)
        self._ledger.create_accounts([chart.budget(sponsor.id, self._chart.currency)], _opened)
        return sponsor


_DIFFERS = {TransferStatus.EXISTS_WITH_DIFFERENT_AMOUNT: "amount"}


def _opened(statuses: list[AccountStatus]) -> None:
    assert statuses[0] in _THERE, statuses
