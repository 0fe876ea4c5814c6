"""
Awards that their payments' own rows say (`cashier.Grant`): counted in the decision that appends the row, and nothing else is written;
and all awards in memory, these among them.
"""

from collections import deque
from typing import Any

from hutong.institution.payments.cashier import Grant
from hutong.institution.payments.payment import Payment
from hutong.marketing.campaigns.audience_service import AudienceService
from hutong.marketing.campaigns.award import ALL_AWARDS, AWARDS, Award, granted
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf

_NOTED_MAX = 20_000


class AwardShelf(Shelf[Award]):
    """
    A payment's row that is an award, too, is put on the payments' shelf alone. Here it is noted, and taken in when somebody asks
    for awards: nobody does for most, and what a payment costs counts.
    """

    def __init__(self, node: NodeRuntime, payments: Shelf[Payment], *, rows_max: int) -> None:
        super().__init__(
            AWARDS,
            node.journal,
            node.store,
            by=("payment_id", "person_id"),
            timed=True,
            rows_max=rows_max,
            reads=ALL_AWARDS,
        )
        self._payments = payments
        self._noted: deque[tuple[int, int]] = deque()  # Payments and their payers.

    def note(self, payment_id: int, person_id: int) -> None:
        """A payment whose row is an award was put on the payments' shelf."""
        self._noted.append((payment_id, person_id))
        if len(self._noted) > _NOTED_MAX:
            self._let_go()

    def get(self, key: Any) -> Award | None:
        """As of any shelf."""
        self._take_in()
        return super().get(key)

    def find(self, column: str, value: Any) -> list[Award]:
        """As of any shelf."""
        self._take_in()
        return super().find(column, value)

    def _take_in(self) -> None:
        noted = self._noted
        while noted:
            payment_id, person_id = noted.popleft()
            entry = self._payments.entry(payment_id)
            award = granted(entry[1]) if entry is not None else None
            if entry is None or award is None:
                self._missed(payment_id, person_id)
            else:
                self._remember(entry[0], award)
        if len(self._rows) > self._rows_max:
            self._evict()

    def _let_go(self) -> None:
        """Nobody asked for a long time: what is durable is looked up when somebody does."""
        noted, durable = self._noted, self._journal.durable_position
        while noted:
            entry = self._payments.entry(noted[0][0])
            if entry is not None and entry[0] > durable:
                return
            self._missed(*noted.popleft())

    def _missed(self, payment_id: int, person_id: int) -> None:
        self.incomplete("payment_id", payment_id)
        self.incomplete("person_id", person_id)


class Grants:
    """Those of this life whose payments are undecided, and what every one of them counts."""

    def __init__(
        self, campaigns: CampaignService, audience: AudienceService, awards: AwardShelf, payments: Shelf[Payment]
    ) -> None:
        self._campaigns = campaigns
        self._audience = audience
        self._awards = awards
        self._payments = payments
        # By payment, whose payer: within the decision that writes it down, and while it waits for another.
        self._fresh: dict[int, int] = {}
        self._waiting: dict[int, int] = {}

    def give(self, payment_id: int, person_id: int, grant: Grant, amount: int) -> None:
        """A payment is being written down whose row says this. Who gives then says `commit`, `keep` or `take_back`."""
        self._fresh[payment_id] = person_id
        self._campaigns.spent[grant.campaign_id].count(grant.day, grant.place, amount, 1)
        self._audience.granted(person_id, grant, amount)

    def keep(self, payment_id: int) -> bool:
        """Nobody has decided yet. False, here and below: nothing was granted to it, in this life."""
        person_id = self._fresh.pop(payment_id, None)
        if person_id is None:
            return payment_id in self._waiting
        self._waiting[payment_id] = person_id
        self._awards.note(payment_id, person_id)
        self._audience.waits(person_id, payment_id)
        return True

    def commit(self, payment_id: int) -> bool:
        """Its payment was made: the outcome says it."""
        person_id = self._fresh.pop(payment_id, None)
        if person_id is not None:
            self._awards.note(payment_id, person_id)
        else:
            person_id = self._waiting.pop(payment_id, None)
            if person_id is None:
                return False
        self._audience.paid(person_id, payment_id)
        return True

    def is_waiting(self, payment_id: int) -> bool:
        """Whether it is undecided, with all in memory that a decision takes. May raise `Cold`."""
        return payment_id in self._waiting and self._payments.get(payment_id) is not None

    def take_back(self, payment_id: int) -> Award | None:
        """Its payment did not come about: what it was given, to be released. May raise `Cold`, unless it was looked up."""
        if not self.keep(payment_id):
            return None
        award = self.waiting(payment_id)
        del self._waiting[payment_id]
        return award

    def waiting(self, payment_id: int) -> Award | None:
        """What an undecided payment was given. May raise `Cold`."""
        if payment_id not in self._waiting:
            return None
        payment = self._payments.get(payment_id)
        return granted(payment) if payment is not None else None
