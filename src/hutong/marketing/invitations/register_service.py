"""All referrals as rows, and which of them wait for something."""

from collections.abc import Collection, Sequence

from hutong.institution.recalls.recall import Rounds
from hutong.kernel.clock import NS_PER_DAY
from hutong.marketing.invitations.referral import REFERRALS, Referral, ReferralState
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf

_DAYS_BACK, _DAYS_ON = 400, 500  # Further than any terms and any outage reach.


class ReferralRegister:
    """The newest version of each referral; in memory, who is expected to pay and what is held."""

    def __init__(self, node: NodeRuntime) -> None:
        self._node = node
        self.referrals = Shelf(REFERRALS, node.journal, node.store, by=("inviter_id", "campaign_id"), timed=True)
        self.expected: set[int] = set()  # Friends whose next payment may be the qualifying one.
        self.held: dict[int, int] = {}  # What waits or is held: the friend of each.
        self.appealed: set[int] = set()
        self.appealable: set[int] = set()  # Refused, and to be appealed while there is time.
        self._rounds = Rounds()

    async def start(self) -> None:
        """Load what is open: found by the days on which something is to happen with it."""
        await self.referrals.start()
        today = self._node.clock.now_ns() // NS_PER_DAY
        found = await self._node.store.find(REFERRALS, "due_day", range(today - _DAYS_BACK, today + _DAYS_ON))
        await self.referrals.load({row.id for _, row in found})
        for referral in self.known({row.id for _, row in found}):
            self._note(referral)

    def due(self, now_ns: int) -> list[int]:
        """What it is time to look at."""
        return self._rounds.due(now_ns)

    def look_at(self, id_: int, at_ns: int) -> None:
        """Have it looked at then."""
        self._rounds.at(id_, at_ns)

    def put(self, referral: Referral) -> None:
        """Remember how it stands now."""
        self.referrals.put(referral)
        self._note(referral)

    def brought_by(self, inviter_id: int) -> list[Referral]:
        """Everybody somebody brought; may raise `Cold`."""
        return self.referrals.find("inviter_id", inviter_id)

    def of_campaign(self, campaign_id: int) -> list[Referral]:
        """All of a campaign; may raise `Cold`."""
        return self.referrals.find("campaign_id", campaign_id)

    def known(self, ids: Collection[int]) -> Sequence[Referral]:
        """These, as they are; may raise `Cold`."""
        found = (self.referrals.get(id_) for id_ in sorted(ids))
        return [each for each in found if each is not None]

    def _note(self, referral: Referral) -> None:
        if referral.due_ns and referral.state != ReferralState.APPEALED:
            self._rounds.at(referral.id, referral.due_ns)
        id_, friend_id, state = referral.id, referral.friend_id, ReferralState(referral.state)
        (self.expected.add if state is ReferralState.JOINED else self.expected.discard)(friend_id)
        if state in {ReferralState.HELD, ReferralState.WAITING}:
            self.held[id_] = friend_id
        else:
            self.held.pop(id_, None)
        (self.appealed.add if state is ReferralState.APPEALED else self.appealed.discard)(id_)
        may_ask = referral.may_be_appealed(self._node.clock.now_ns())
        (self.appealable.add if may_ask else self.appealable.discard)(id_)
