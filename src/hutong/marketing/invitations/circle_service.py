"""Gathering what is known of a circle: beside what decides, a few look-ups for each of its people."""

from collections.abc import Sequence

from hutong.institution.people.user import User
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import minted_ms
from hutong.marketing.invitations.circle import Circle
from hutong.marketing.invitations.ports import Devices, Money, People
from hutong.marketing.invitations.referral import Referral, ReferralState, referral_id
from hutong.marketing.invitations.register_service import ReferralRegister
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

FRIENDS_MAX = 40
BEYOND_MAX = 30
_DEPTH = 4


class CircleService:
    """Reads, and decides nothing."""

    def __init__(
        self, node: NodeRuntime, register: ReferralRegister, people: People, devices: Devices, money: Money
    ) -> None:
        self._node = node
        self._register = register
        self._people = people
        self._devices = devices
        self._money = money

    async def around(self, referral: Referral) -> Circle:
        """The circle of a referral whose friend has paid."""
        friends = await self._friends(referral)
        beyond = await self._beyond(referral)
        known = {each.friend_id: each for each in (*beyond, *friends)}
        pair = (referral.inviter_id, referral.friend_id)
        users = await self._users(dict.fromkeys([*pair, *known, *(each.inviter_id for each in beyond)]))
        close = [*pair, *(each.friend_id for each in friends if each.id != referral.id)]
        return Circle(
            inviter_id=referral.inviter_id,
            friend_id=referral.friend_id,
            friends=tuple(each.friend_id for each in friends),
            joined_ns={each.friend_id: each.joined_ns for each in friends},
            invited=tuple((each.inviter_id, each.friend_id) for each in known.values()),
            devices={each: await self._marks(each) for each in close},
            funding=await self._money.funding(close),
            places={each.friend_id: each.place_key for each in known.values() if each.place_key},
            payments=tuple(await self._money.among(users)),
            merchants={each.friend_id: each.merchant for each in friends},
            paid=referral.paid,
            paid_at_ns=await self._paid_at(referral),
            refunded=await self._refunded(friends),
        )

    async def _friends(self, referral: Referral) -> list[Referral]:
        """Whom the inviter brought in this campaign, the newest of them; this friend always."""
        found = await self._brought_by(referral.inviter_id)
        here = [each for each in found if each.campaign_id == referral.campaign_id and each.id != referral.id]
        return [*sorted(here, key=lambda each: -each.joined_ns)[: FRIENDS_MAX - 1], referral]

    async def _beyond(self, referral: Referral) -> list[Referral]:
        """Who brought the inviter, and so on upwards; whom the friend brought, and so on downwards."""
        found: list[Referral] = []
        above = referral.inviter_id
        for _ in range(_DEPTH):
            brought = await self._referral_of(above)
            if brought is None:
                break
            found.append(brought)
            above = brought.inviter_id
        below = [referral.friend_id]
        for _ in range(_DEPTH):
            nearer, below = below, []
            for each in nearer:
                brought_by = await self._brought_by(each)
                found += brought_by[: max(0, BEYOND_MAX - len(found))]
                below += [friend.friend_id for friend in brought_by]
            below = below[:BEYOND_MAX]
        return found

    async def _brought_by(self, inviter_id: int) -> list[Referral]:
        return await warmed(self._node.journal, lambda: self._register.brought_by(inviter_id))

    async def _referral_of(self, friend_id: int) -> Referral | None:
        id_ = referral_id(friend_id)
        return await warmed(self._node.journal, lambda: self._register.referrals.get(id_))

    async def _users(self, ids: "dict[int, None]") -> list[User]:
        found = []
        for id_ in ids:
            try:
                found.append(await warmed(self._node.journal, lambda id_=id_: self._people.user(id_)))  # type: ignore[misc]
            except Refusal:
                continue
        return found

    async def _marks(self, user_id: int) -> frozenset[int]:
        """
        The devices of a person, as what is alike on one phone or browser.

        A browser is a device of its own for whoever signs in on it, named after a name it has from one instant on (`web.wallet.door`):
        so on one browser the instants in the devices' ids are equal, and within a circle hardly anywhere else.
        """
        devices = await warmed(self._node.journal, lambda: self._devices.devices(user_id))
        return frozenset(minted_ms(device.id) for device in devices)

    async def _paid_at(self, referral: Referral) -> int:
        return await warmed(self._node.journal, lambda: self._money.paid_at(referral.payment_id))

    async def _refunded(self, friends: Sequence[Referral]) -> frozenset[int]:
        found = set()
        for each in friends:
            if each.state != ReferralState.PAID:
                continue
            left = await warmed(self._node.journal, lambda id_=each.payment_id: self._money.left(id_))  # type: ignore[misc]
            if left < each.told.amount_min:
                found.add(each.friend_id)
        return frozenset(found)
