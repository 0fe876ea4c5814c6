"""Institutions whose payments are subsidised: payments, campaigns and the switch are real, people and shops are told."""

from collections.abc import Callable
from typing import Any

from hutong.institution import chart
from hutong.institution.payments.payment import Outcome, Payment
from hutong.institution.payments.quotes import Quote
from hutong.institution.payments.refund import Refund, RefundOrder
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.ids import minted_ms
from hutong.ledger.transfer import AccountQuery, TransferFlag
from hutong.marketing.campaigns.award import Award
from hutong.marketing.campaigns.award_repository import ScannedAwardTotals
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import (
    Campaign,
    CampaignDraft,
    CampaignKind,
    CampaignTerms,
    Side,
)
from hutong.marketing.campaigns.parties import PayerFacts, PlaceFacts
from hutong.marketing.campaigns.rules import RuleRow, RuleTable
from hutong.marketing.campaigns.sponsor import Sponsor, SponsorKind, SponsorProfile
from hutong.marketing.campaigns.statement_service import StatementService
from hutong.marketing.campaigns.trait import TRAITS
from hutong.marketing.marketing import Campaigns
from hutong.runtime.shelf import Shelf, warmed
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import Institution, World, now

DAY_S = 86_400
ANY = Caps()  # No budget but the campaign's own.


class Parties:
    """What the test says of people and shops."""

    def __init__(self, place: "House") -> None:
        self._place = place
        self.people: dict[int, PayerFacts] = {}
        self.places: dict[int, PlaceFacts] = {}
        self.sellers: set[tuple[int, int]] = set()
        self.changes = 0

    followed = ()

    def payer(self, person_id: int) -> PayerFacts:
        person = self._place.users[person_id]
        return self.people.get(person_id, PayerFacts(person.tier, minted_ms(person_id) * 1_000_000))

    def place(self, merchant_id: int, shop_id: int) -> PlaceFacts:
        return self.places.get(shop_id or merchant_id, PlaceFacts("上海"))

    def is_(self, id_: int, facts: PlaceFacts) -> None:
        """Say what a shop or merchant is from now on."""
        self.places[id_] = facts
        self.changes += 1

    def sells_at(self, person_id: int, merchant_id: int) -> bool:
        return (person_id, merchant_id) in self.sellers

    def check_may_receive(self, person_id: int) -> None:
        self._place.users[person_id].may_receive(0)

    async def has_paid(self, person_id: int) -> bool:
        query = AccountQuery(chart.user_account(person_id), credits=False)
        transfers = await self._place.ledger.account_transfers(query)
        return any(each.code == 12 or each.flags & TransferFlag.POST_PENDING for each in transfers)


class House(Institution):
    """One institution with campaigns."""

    tells = False  # Whether it says to others what kind of merchant is paid.

    def wire(self) -> None:
        self.parties = self.__dict__.get("parties") or Parties(self)
        totals = ScannedAwardTotals(self.store)
        # What others are told of merchants here; a test that says nothing of any says nothing to others.
        self.statements = StatementService(
            self.node, self.parties, Shelf(TRAITS, self.journal, self.store), lambda: self.parties.changes
        )
        if self.tells:
            self.payments.describe_merchants(self.statements)
        self.marketing = Campaigns(self.node, self.ledger, self.chart, self.payments, self.parties, totals)
        now(self.marketing.start())

    def boot(self) -> None:
        super().boot()
        self.marketing.take_up()
        self.journal.seal()

    def tick(self) -> None:
        super().tick()
        self.marketing.tick()

    def do(self, decision: Callable[[], object]) -> None:
        """Decide, whatever it answers."""

        def deaf() -> None:
            decision()

        self.decide(deaf)

    def sponsor(self, balance: int, reference: str = "S-1") -> Sponsor:
        profile = SponsorProfile(reference=reference, kind=SponsorKind.INSTITUTION, name="钱包")
        sponsor = now(warmed(self.journal, lambda: self.marketing.sponsors.register(profile)))
        self.journal.seal()
        if balance:
            refusals: list[Any] = []
            self.decide(
                lambda: self.marketing.sponsors.deposit(self.node.mint.mint(), sponsor.id, balance, refusals.append)
            )
            assert refusals in ([None], [])
        return sponsor

    def campaign(
        self,
        sponsors: Sponsor | list[tuple[Sponsor, int]],
        budget: int,
        *rows: RuleRow,
        side: Side = Side.PAYER,
        kind: CampaignKind = CampaignKind.DISCOUNT,
        caps: Caps = ANY,
        days: int = 30,
        begin: bool = True,
        **terms: Any,
    ) -> Campaign:
        """A campaign that has begun; `rows` say what it gives. Nobody is held out unless the test says so."""
        of = [(sponsors, 1)] if isinstance(sponsors, Sponsor) else sponsors
        draft = CampaignDraft(
            id=self.node.mint.mint(),
            name="立减",
            kind=kind,
            side=side,
            sponsors=[(sponsor.id, proportion) for sponsor, proportion in of],
            budget=budget,
            terms=CampaignTerms(rules=RuleTable(rows=rows), caps=caps, **({"holdout_bps": 0} | terms)),
            ends_ns=self.world.clock.now_ns() + days * DAY_S * NS_PER_S,
        )
        campaigns = self.marketing.campaigns
        self.do(lambda: campaigns.draft(draft))
        if begin:
            self.decide(lambda: campaigns.begin(draft.id))
        return campaigns.campaign(draft.id)

    def newest(self, campaign: Campaign) -> Campaign:
        return self.marketing.campaigns.campaign(campaign.id)

    def awards(self, payment: Payment) -> list[Award]:
        return now(warmed(self.journal, lambda: self.marketing.awards.of_payment(payment.id)))

    def left(self, campaign: Campaign) -> int:
        """What the ledger says that the campaign has."""
        return self.balance(chart.campaign_account(campaign.id))


class Fair(World):
    """Two houses: who pays is at jing, who sells at wei, unless a test says otherwise."""

    institution: type[House] = House

    def __init__(self, **told: Any) -> None:
        super().__init__("jing", "wei", **told)
        self.jing, self.wei = self.house("jing"), self.house("wei")
        self.shops: dict[str, int] = {}

    def house(self, name: str) -> House:
        place = self.places[name]
        assert isinstance(place, House)
        return place

    def shop(self, house: House, **fields: Any) -> str:
        """The plate of somebody who sells there; any amount unless the fields say one."""
        plate = f"https://{house.node_id}.example/q/{len(self.shops)}"
        if not any(each.startswith(f"https://{house.node_id}.") for each in self.shops):
            self.register(house.node_id, f"url:https://{house.node_id}.example/q/")
        merchant = house.merchant()
        house.asks(merchant, code=plate, **fields)
        self.shops[plate] = merchant
        return plate

    def quote(self, house: House, payer: Person, plate: str, amount: int = 0) -> Quote:
        terms = house.terms(plate, amount)
        return now(warmed(house.journal, lambda: house.payments.consults.quote(payer, terms, amount)))

    def pay(self, house: House, payer: Person, plate: str, amount: int) -> tuple[Payment, Outcome | None]:
        quote = self.quote(house, payer, plate, amount)
        order = house.order(quote, amount)
        answers = house.pay(payer, order)
        if not answers:
            payment = house.payments.debtor.payments.get(order.payment_id)
            assert payment is not None
            return payment, None
        return answers[0]

    def refund(self, house: House, plate: str, payment: Payment, amount: int) -> Outcome | None:
        answers: list[tuple[Refund, Outcome | None]] = []
        order = RefundOrder(refund_id=house.node.mint.mint(), payment_id=payment.id, amount=amount)
        merchant = self.shops[plate]
        refunds = house.payments.refunds
        house.decide(lambda: refunds.refund(merchant, order, lambda *answer: answers.append(answer)))
        return answers[0][1] if answers else None


def off(so_much: int, /, **when: str) -> RuleRow:
    """So much off, always or when."""
    return RuleRow(off=so_much, when=when)
