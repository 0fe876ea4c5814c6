"""People and merchants as rules ask about them: what the institution knows, and what its operator says of them."""

from hutong.institution import chart
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_service import StaffService
from hutong.institution.payments.payment import Why
from hutong.institution.people.service import PeopleService
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, minted_ms
from hutong.kernel.text import check_text
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import AccountQuery, TransferFlag
from hutong.marketing.campaigns.parties import SMALL, Followed, PayerFacts, PlaceFacts
from hutong.marketing.campaigns.trait import TRAITS, WORD_LENGTH_MAX, TraitOf, Traits, checked_shared, checked_words
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf

_PAGE = 100


class PartyService:
    """`Parties` of an institution."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        people: PeopleService,
        merchants: MerchantService,
        staff: StaffService,
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._people = people
        self._merchants = merchants
        self._staff = staff
        self.traits = Shelf(TRAITS, node.journal, node.store)
        self.followed: tuple[Followed, ...] = (self.traits, staff.all)

    async def start(self) -> None:
        """Whom the operator said something of: few, so all."""
        await self.traits.load_all()

    def say(
        self, of: TraitOf, id_: int, words: list[str], home_city: str = "", shared: list[str] | None = None
    ) -> Traits:
        """
        Say all that is to be said of a person or merchant from now on; `shared`: which words of a merchant other institutions are
        told beside `small`. May raise `Cold`.

        Refuses:  USER_UNKNOWN, MERCHANT_UNKNOWN; the text refusals; WORDS_NOT_SHARED.
        Repeats:  the same.
        """
        kept = checked_words(words)
        check_text("home_city", home_city, length_max=WORD_LENGTH_MAX, empty=True)
        leave = checked_shared(kept, shared or [])
        known = self.said(of, id_)
        if (known.words, known.home_city, known.shared) == (kept, home_city, leave):
            return known
        now_ns = self._node.clock.now_ns()
        traits = Traits(id=id_, of=of.value, words=kept, home_city=home_city, shared=leave, changed_ns=now_ns)
        self.traits.put(traits)
        return traits

    def said(self, of: TraitOf, id_: int) -> Traits:
        """What is said of a person or merchant. Refuses USER_UNKNOWN, MERCHANT_UNKNOWN. May raise `Cold`."""
        if of is TraitOf.PERSON:
            self._people.user(id_)
        else:
            self._merchants.merchant(id_)
        return self.traits.get(id_) or Traits(id=id_, of=of.value, words=checked_words([]), changed_ns=0)

    def payer(self, person_id: int) -> PayerFacts:
        """May raise `Cold`."""
        user, traits = self._people.user(person_id), self.traits.get(person_id)
        since_ns = minted_ms(user.id) * NS_PER_MS
        return (
            PayerFacts(user.tier, since_ns)
            if traits is None
            else PayerFacts(user.tier, since_ns, traits.told, traits.home_city)
        )

    def place(self, merchant_id: int, shop_id: int) -> PlaceFacts:
        """May raise `Cold`."""
        merchant = self._merchants.merchant(merchant_id)
        shop = self._merchants.shop_of(merchant_id, shop_id)
        city = shop.city if shop is not None else merchant.city
        at = id_text("shp", shop_id) if shop_id else ""
        words = self._words(merchant_id)
        return PlaceFacts(city, id_text("mer", merchant_id), at, words, SMALL in words)

    def sells_at(self, person_id: int, merchant_id: int) -> bool:
        """By the telephone number, which is what a merchant's people sign in with. May raise `Cold`."""
        phone = self._people.user(person_id).phone
        return bool(phone) and merchant_id in self._staff.works_for(phone)

    def check_may_receive(self, person_id: int) -> None:
        """Refuses USER_CLOSED, USER_FROZEN. May raise `Cold`."""
        self._people.user(person_id).may_receive()

    async def has_paid(self, person_id: int) -> bool:
        """By the first transfers out of the wallet: one that is posted is enough."""
        query = AccountQuery(chart.user_account(person_id), credits=False, limit=_PAGE)
        return any(
            transfer.code == Why.PAYMENT_ON_US or transfer.flags & TransferFlag.POST_PENDING
            for transfer in await self._ledger.account_transfers(query)
        )

    def _words(self, id_: int) -> frozenset[str]:
        traits = self.traits.get(id_)
        return traits.told if traits is not None else frozenset()
