"""A merchant at wei that asks to hold money, and people at jing and zhi of whom it asks."""

from functools import partial
from typing import Any

from hutong.institution import chart
from hutong.institution.holds.authorisation import Authorisation, AuthorisationState, Offer, Release, ReleaseState
from hutong.institution.holds.hold import Hold
from hutong.institution.payments.request_to_pay import Charge, ChargeState
from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.scheme.hold import HoldRequest
from hutong.scheme.messages import Channel, id_hex
from tests.institution.payments.neighbours import Asks, Person, pin_token
from tests.institution.payments.world import Institution, World
from tests.institution.recalls.cases import do

OPENING = 1_000_000
OFFER_LIFE_S = 900


class Merchants:
    """Who asks: what was offered outlives a crash, and the rest is what `AuthorisationService` knows."""

    def __init__(self, place: Institution, offers: dict[int, Offer]) -> None:
        self._place = place
        self._offers = offers
        self.news: list[Authorisation] = []
        self.released_: list[Release] = []

    def offer(self, id_: int) -> Offer | None:
        offer, known = self._offers.get(id_), self._place.hold_desk.authorisations.all.get(id_)
        if offer is None:
            return None
        is_asked = known is None or known.state == AuthorisationState.ASKED
        is_open = is_asked and offer.expires_ns > self._place.world.clock.now_ns()
        return Offer(
            id=offer.id,
            amount=offer.amount,
            currency=offer.currency,
            creditor_name=offer.creditor_name,
            title=offer.title,
            is_open=is_open,
            expires_ns=offer.expires_ns,
        )

    def look_up(self, release_id: int) -> None:
        pass

    def changed(self, authorisation: Authorisation) -> None:
        self.news.append(authorisation)

    def released(self, release: Release) -> None:
        assert release.state != ReleaseState.WANTED
        self.released_.append(release)


class Town(World):
    """The network, with who asks at wei."""

    def __init__(self, *, seed: int = 0, immediate: bool = True, **more: Any) -> None:
        self.offers: dict[int, Offer] = {}
        super().__init__("jing", "wei", "zhi", seed=seed, immediate=immediate, **more)
        for name, prefix in (("jing", "62"), ("zhi", "63")):
            self.register(name, f"digits:{prefix}:18")
        self.register("wei", "url:https://wei.example/q/")
        self.boot()
        self.jing, self.wei, self.zhi = self["jing"], self["wei"], self["zhi"]
        self.merchant = self.wei.merchant()
        self.flush()

    def boot(self) -> None:
        """Who asks is there before messages come."""
        for name in ("jing", "wei", "zhi"):
            self[name].hold_desk.authorisations.asker = Merchants(self[name], self.offers)

    def dies_behind(self, place: Institution, position: int) -> None:
        """A commit ended with this row, and the node dies: what it decided next is lost, and so is what it said of it."""
        for rows in place.store.rows.values():
            rows[:] = [entry for entry in rows if entry[0] <= position]
        place.store._indexes.clear()
        self.letters = [letter for letter in self.letters if letter[0] != place.node_id]
        self.restart(place.node_id)

    def until(self, place: Institution, table: str) -> int:
        """Deliver until a node has a row of this table; its position."""
        while not place.store.rows[table]:
            self.deliver(self.letters.pop(0))
            self.flush()
        return int(place.store.rows[table][0][0])

    def restart(self, name: str) -> None:
        super().restart(name)
        self.boot()

    def person(self, place: Institution, balance: int = OPENING) -> Person:
        return place.user(balance)

    def shows(self, place: Institution, person: Person) -> str:
        """What a phone shows at the till."""
        code = f"{'62' if place.node_id == 'jing' else '63'}{self.random.randrange(10**16):016}"
        place.shown[code] = person.id
        return code

    def offer(self, amount: int) -> Offer:
        id_ = self.wei.node.mint.mint()
        expires_ns = self.clock.now_ns() + OFFER_LIFE_S * NS_PER_S
        offer = Offer(
            id=id_,
            amount=amount,
            currency="CNY",
            creditor_name="老王旅馆",
            title="押金",
            is_open=True,
            expires_ns=expires_ns,
        )
        self.offers[id_] = offer
        return offer

    def ask(self, offer: Offer, code: str) -> None:
        do(self.wei, lambda: self.wei.hold_desk.authorisations.ask(offer, code))

    def opened(self, place: Institution, person: Person, offer: Offer) -> None:
        """Somebody opens the link."""
        do(place, lambda: place.hold_desk.holds.opened(person.id, self.asked(offer)))

    def asked(self, offer: Offer) -> HoldRequest:
        """What the consult of a link brings."""
        return HoldRequest(
            hold_id=id_hex(offer.id),
            creditor_agent="wei",
            number=0,
            amount=offer.amount,
            currency=offer.currency,
            creditor_name=offer.creditor_name,
            remittance=offer.title,
            expires_at_ms=offer.expires_ns // NS_PER_MS,
            at_ms=self.clock.now_ns() // NS_PER_MS,
        )

    def agree(self, place: Institution, hold: Hold) -> None:
        token = pin_token(hold.user_id, hold.id, hold.amount, hold.text)
        do(place, lambda: place.hold_desk.holds.agree(hold.user_id, hold.id, token))

    def take(self, authorisation: Authorisation, amount: int) -> Asks:
        """The merchant asks to be paid out of what is held."""
        expires_ns = self.clock.now_ns() + 300 * NS_PER_S
        kind = Channel.PAYMENT_CODE.value
        asks = self.wei.asks(self.merchant, amount=amount, kind=kind, expires_ns=expires_ns, fee_bps=60)
        charge = Charge(
            id=asks.id,
            merchant_id=self.merchant,
            shop_id=0,
            code=authorisation.token,
            creditor_name=asks.name,
            mcc=asks.mcc,
            channel=kind,
            amount=amount,
            currency="CNY",
            remark="",
            state=ChargeState.ASKED,
            created_ns=self.clock.now_ns(),
            expires_ns=expires_ns,
        )
        self.wei.decide(lambda: self.wei.payments.charges.collect(charge))
        return asks

    def let_go(self, id_: int, amount: int, release_id: int = 0) -> int:
        release_id = release_id or self.wei.node.mint.mint()
        do(self.wei, partial(self.wei.hold_desk.authorisations.release, id_, release_id, amount))
        return release_id

    def hold(self, place: Institution, offer: Offer) -> Hold:
        (found,) = [each for each in place.hold_desk.holds.holds.everything() if each.hold_id == offer.id]
        return found

    def authorisation(self, offer: Offer) -> Authorisation:
        found = self.wei.hold_desk.authorisations.all.get(offer.id)
        assert found is not None
        return found

    def held(self, place: Institution, hold: Hold) -> int:
        """What the ledger holds of it."""
        return place.balance(chart.held_account(hold.id)) if hold.attempt else 0

    @property
    def got(self) -> int:
        return self.wei.balance(chart.merchant_account(self.merchant))
