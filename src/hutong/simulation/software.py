"""What a place runs: the real switch and the real institutions, with what differs in a simulation handed in."""

import hashlib
from collections.abc import Callable, Mapping
from typing import TypeVar

from argon2 import PasswordHasher
from msgspec.structs import replace

from hutong.gateways.cash_campaigns.cash_service import CashService
from hutong.institution.holds.authorisation import Authorisation, AuthorisationState, Offer, Release
from hutong.institution.node import InstitutionNode, InstitutionSettings
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.settings import PeopleSettings
from hutong.kernel.ids import seeded_randomness
from hutong.marketing.marketing import Marketing
from hutong.marketing.red_packets.own_people_service import OwnPeople
from hutong.marketing.red_packets.red_packet import RedPacketLimits
from hutong.marketing.red_packets.service import RedPackets
from hutong.runtime.outbound import Answer
from hutong.runtime.pool import WorkerPool
from hutong.simulation.place import Life
from hutong.switch.node import SwitchNode
from hutong.switch.policy import ClearingPolicy

T = TypeVar("T")
OPERATOR = "operator"


class Telephone:
    """The way to every telephone: what was texted last."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}

    def send(self, phone: str, purpose: Purpose, code: str) -> None:  # noqa: ARG002  # All codes are for signing in.
        self.codes[phone] = code


class InlinePool(WorkerPool):
    """Work is done at once: in one thread there is no beside."""

    async def run(self, work: Callable[[], T]) -> T:
        return work()


class NobodyToPost:
    """No merchant has an endpoint here."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        raise AssertionError(f"nobody asked for news at {url}: {headers}, {body!r}")


class QuickHasher(PasswordHasher):
    """PINs are hashed as in life, and cost nothing; the salt is no chance of the machine's."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        text = password.encode() if isinstance(password, str) else password
        return super().hash(text, salt=salt or hashlib.blake2b(text, digest_size=16).digest())


def institution_settings(node_id: str, prefix: str) -> InstitutionSettings:
    """Secrets of a name: the same in every life, and every run."""
    chance = seeded_randomness(int.from_bytes(node_id.encode()))
    return InstitutionSettings(
        people=PeopleSettings(
            token_key=chance.randbytes(32),
            pin_pepper=chance.randbytes(32),
            sealing_keys=(chance.randbytes(32),),
            payment_code_key=chance.randbytes(32),
            payment_code_prefix=prefix,
            plate_base=plate_base(node_id),
            operators={OPERATOR: "token"},
        ),
        merchant_pepper=chance.randbytes(32),
    )


def plate_base(node_id: str) -> str:
    """What an institution's plates begin with."""
    return f"https://{node_id}.example"


class Hotels:
    """Who asks to hold money, for merchants: an offer stands until its time is over, or it was answered."""

    def __init__(self, institution: InstitutionNode, offers: Mapping[int, Offer]) -> None:
        self._institution = institution
        self._offers = offers

    def offer(self, id_: int) -> Offer | None:
        offer, known = self._offers.get(id_), self._institution.holds.authorisations.all.get(id_)
        if offer is None:
            return None
        is_asked = known is None or known.state == AuthorisationState.ASKED
        return replace(offer, is_open=is_asked and offer.expires_ns > self._institution.node.clock.now_ns())

    def look_up(self, release_id: int) -> None: ...

    def changed(self, authorisation: Authorisation) -> None: ...

    def released(self, release: Release) -> None: ...


class MarketingInstitution(InstitutionNode):
    """An institution with all that marketing adds, wired as `app` wires it."""

    marketing: Marketing
    cash: CashService
    red_packets: RedPackets


async def begin_institution(
    life: Life,
    settings: InstitutionSettings,
    telephone: Telephone,
    *,
    offers: Mapping[int, Offer],
    packet_life_ns: int = 0,
) -> InstitutionNode:
    """
    One institution, started on what its disk has; with marketing, if red packets live for some time there.

    `offers` are what its merchants ask others' people to hold, and outlive it.
    """
    institution = (MarketingInstitution if packet_life_ns else InstitutionNode)(
        life.node,
        life.ledger,
        settings,
        sender=telephone,
        pool=InlinePool(),
        poster=NobodyToPost(),
        hasher=QuickHasher(),
    )
    institution.holds.authorisations.asker = Hotels(institution, offers)
    if not isinstance(institution, MarketingInstitution):
        await institution.start(life.stack)
        return institution
    institution.marketing = Marketing(institution, key=settings.merchant_pepper)
    await institution.marketing.start()
    institution.cash = CashService(institution, institution.marketing)
    await institution.cash.start()
    institution.red_packets = RedPackets(
        institution.payments,
        institution.policies,
        OwnPeople(institution.people),
        institution.notices,
        link_key=settings.merchant_pepper,
        plate_base=settings.people.plate_base,
        limits=RedPacketLimits(life_ns=packet_life_ns),
    )
    institution.on_tick.append(institution.red_packets.tick)
    await institution.start(life.stack)
    await institution.red_packets.start()
    return institution


async def begin_switch(life: Life) -> SwitchNode:
    """The switch, started on what its disk has."""
    switch = SwitchNode(life.node, life.ledger, ClearingPolicy())
    await switch.start()
    return switch
