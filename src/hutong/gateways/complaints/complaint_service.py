"""What a merchant's software does with complaints: reads, answers, and is called back at each turn."""

import re
from collections.abc import Iterable, Sequence
from functools import partial

import msgspec

from hutong.gateways.account import Account, Caller
from hutong.gateways.account_service import AccountService
from hutong.gateways.complaints.picture_links import PictureLinks
from hutong.gateways.complaints.watch import COMPLAINT_WATCHES, ComplaintWatch
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order import Dialect, GatewayOrder
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.institution.complaints.complaint import Complaint
from hutong.institution.complaints.picture import PictureState, digest_of, is_digest
from hutong.institution.complaints.picture_file import PictureFile, picture_file
from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.complaints.turn import Turn, Words
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.node import InstitutionNode
from hutong.institution.notices.webhook import check_url
from hutong.institution.requests.request import PaymentRequest
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.runtime.shelf import Cold, Shelf, decided, warmed
from hutong.scheme.complaint import ComplaintAct, ComplaintParty

_WECHATPAY = "wechatpay"
_PLACE = re.compile("[0-9a-f]{32}")


class File(msgspec.Struct, frozen=True):
    """A complaint with its history, and the order and request it is about."""

    complaint: Complaint
    turns: list[Turn]
    request: PaymentRequest
    order: GatewayOrder | None  # None where the merchant was paid past its software: by a plate, say.
    pictures: dict[str, str]  # How each stands, by its digest; those that have gone may be missing.

    @property
    def text(self) -> str:
        """What the payer complained of, when it was opened."""
        return self.turns[0].text

    @property
    def trade_no(self) -> str:
        """The payment's number, as the merchant's software has it."""
        return self.order.trade_no if self.order is not None else f"{self.complaint.payment_id:032x}"

    @property
    def out_trade_no(self) -> str:
        """The merchant's own number of what was paid."""
        return self.order.out_trade_no if self.order is not None else self.request.reference

    def refunded_by(self, turn: Turn) -> int:
        """How much had gone back in all behind a turn."""
        later = sum(each.amount for each in self.turns if each.act == "RFND" and each.number > turn.number)
        return self.complaint.refunded - later


class ComplaintsService:
    """What takes a `Caller` answers to the merchant that was complained of (invariant 8)."""

    def __init__(
        self,
        institution: InstitutionNode,
        accounts: AccountService,
        orders: OrderService,
        notifications: NotificationService,
    ) -> None:
        self._node = institution.node
        self._journal = institution.node.journal
        self._requests = institution.requests
        self.desk = institution.complaints.complaints
        self._accounts = accounts
        self._orders = orders
        self._notifications = notifications
        self.private_urls = institution.webhooks_private
        self.watches = Shelf(COMPLAINT_WATCHES, self._journal, self._node.store, by=("merchant_id",))
        self.pictures = institution.complaints.pictures
        self.links = PictureLinks(self._journal, self._node.clock, self.pictures, institution.sealing)
        self._clients: dict[str, set[int]] = {}  # By a service provider's door: merchants that it may act for.
        self.desk.before_turn.append(self._learn)
        self.desk.on_turn.append(self._turned)
        accounts.on_changed.append(self._learn_of)
        institution.on_started.append(self._learn_all)

    async def start(self) -> None:
        """Every watch: who is told is found within a decision."""
        await self.watches.load_all()

    # Where to call back.

    def url(self, account: Account) -> str:
        """Where an account wants to hear of complaints; empty: nowhere."""
        watch = self.watches.get(account.row.id)
        return watch.url if watch is not None else ""

    async def watch_own(self, key: StaffKey, account_id: int, url: str) -> None:
        """An account of the merchant's own. Refuses as `AccountService.own`, and as `watch`."""
        account = await warmed(self._journal, lambda: self._accounts.own(key, account_id))
        await self.watch(key, account, url)

    async def watch(self, key: StaffKey, account: Account, url: str) -> None:
        """
        Call back there from now on; nowhere, if it is empty.

        Refuses:  ROLE_MAY_NOT; NOTIFY_URL_INVALID.
        """
        key.check_right(Right.MANAGE)
        try:
            if url:
                check_url(url, private_allowed=self.private_urls)
        except Refusal:
            raise Refusal(GatewayReason.NOTIFY_URL_INVALID, field="url") from None
        row = account.row
        watch = ComplaintWatch(
            id=row.id,
            merchant_id=row.merchant_id,
            shop_id=row.shop_id,
            dialect=(Dialect.WECHATPAY_V3 if row.kind == _WECHATPAY else Dialect.ALIPAY).value,
            url=url,
            changed_ns=self._node.clock.now_ns(),
        )
        await decided(self._journal, lambda: self.watches.put(watch))

    # Reading.

    def of_merchant(self, caller: Caller, begin_ns: int, end_ns: int) -> list[Complaint]:
        """What was complained of between two moments, newest first. Refuses ROLE_MAY_NOT."""
        key = caller.key
        key.check_right(Right.READ)
        found = self.desk.complaints.find("merchant_id", key.merchant_id)
        seen = [each for each in found if key.sees(each.merchant_id, each.shop_id)]
        return sorted(
            (each for each in seen if begin_ns <= each.created_ns < end_ns), key=lambda each: -each.created_ns
        )

    async def of_all(self, account: Account, begin_ns: int, end_ns: int) -> list[tuple[Caller, Complaint]]:
        """
        As `of_merchant`, of the account's own merchant and of all that it may act for.

        At the vendor who acts for others is shown theirs unless it asks for one of them.
        """
        found: dict[int, tuple[Caller, Complaint]] = {}
        for caller in await warmed(self._journal, lambda: self._callers(account)):
            for each in self.of_merchant(caller, begin_ns, end_ns):
                found.setdefault(each.id, (caller, each))
        return sorted(found.values(), key=lambda pair: -pair[1].created_ns)

    async def files(self, complaints: list[Complaint]) -> list[File]:
        """With all that belongs to them."""
        return [await warmed(self._journal, lambda: self.file(each)) for each in complaints]  # noqa: B023  # Awaited here.

    async def find(self, caller: Caller, name: str) -> File:
        """One, by our name of it. Refuses COMPLAINT_UNKNOWN, for another merchant's just so; ROLE_MAY_NOT."""
        return await warmed(self._journal, lambda: self.file(self.found(caller, name)))

    async def acting(self, account: Account, name: str) -> Caller:
        """For whom an account acts in a complaint. Refuses COMPLAINT_UNKNOWN, for one that is none of its business just so."""
        return await warmed(self._journal, lambda: self._caller_in(account, self.desk.complaint(_id_of(name))))

    def found(self, caller: Caller, name: str) -> Complaint:
        """As `find`, alone."""
        caller.key.check_right(Right.READ)
        return self.desk.complaint(_id_of(name), caller.key.merchant_id, caller.key.shop_id)

    def file(self, complaint: Complaint) -> File:
        """May be cold."""
        request = self._requests.request(complaint.request_id)
        order, pictures = self._orders.orders.get(complaint.request_id), self.pictures.states(complaint.id)
        return File(complaint, self.desk.history(complaint), request, order, pictures)

    def turn_of(self, turn_id: int) -> tuple[Complaint, Turn]:
        """What news of a turn are about. May be cold."""
        turn = self.desk.turns.get(turn_id)
        assert turn is not None, "news of a turn come after it"
        return self.desk.complaint(turn.case_id), turn

    # Answering.

    async def answer(  # What one may say, spelled out.
        self,
        caller: Caller,
        name: str,
        act: ComplaintAct,
        text: str = "",
        *,
        number: str = "",
        pictures: Sequence[str] = (),
    ) -> Turn:
        """
        The merchant says something, decides about a refund, or completes.

        The protocols give no number to most of these: the same words to the same words of the payer's are one turn. `pictures`
        are names of what the caller gave.

        Refuses:  ROLE_MAY_NOT; COMPLAINT_UNKNOWN; PICTURE_UNKNOWN; as `institution.complaints.ComplaintService.answer`.
        Repeats:  the turn.
        """
        caller.key.check_right(Right.REFUND)
        giver = caller.account.row.merchant_id
        digests = tuple(dict.fromkeys(self._given(giver, each) for each in pictures))

        def answer() -> Turn:
            complaint = self.found(caller, name)
            turns = self.desk.history(complaint)
            heard = max(turn.number for turn in turns if turn.by == ComplaintParty.PAYER.value)
            said = f"{act.value}/{number}" if number else "/".join((act.value, str(heard), text, *digests))
            words = Words(act_id=derive(complaint.id, f"gateway/{said}"), text=text.strip(), pictures=digests)
            self.desk.answer(complaint, act, words, caller.payee.row.name, giver=giver)
            turns = self.desk.history(self.desk.complaint(complaint.id))
            return next(turn for turn in turns if turn.act_id == words.act_id)

        return await decided(self._journal, answer)

    # Pictures.

    async def give(self, account: Account, content: bytes) -> str:
        """Take a picture, to be said within a day; its name. Refuses as `picture_file` and as `PictureService.give`."""
        file, giver = picture_file(content), account.row.merchant_id
        await decided(self._journal, lambda: self.pictures.give(giver, file, is_merchant=True))
        return media_id(giver, digest_of(file.content))

    async def picture(self, account: Account, name: str) -> PictureFile:
        """One that the account gave, or of a complaint that it may see. Refuses PICTURE_UNKNOWN, PICTURE_ON_ITS_WAY."""
        place, digest = _named(name)

        def look() -> PictureFile:
            if place != account.row.merchant_id:
                try:
                    self._caller_in(account, self.desk.complaint(place))
                except Refusal:
                    raise Refusal(ComplaintReason.PICTURE_UNKNOWN) from None
            return self.pictures.look(place, digest)

        return await warmed(self._journal, look)

    def shown(self, file: File, turns: Iterable[Turn]) -> list[str]:
        """Names of the pictures that somebody said there, but for those that have gone."""
        said = (digest for turn in turns for digest in turn.digests)
        kept = (each for each in said if file.pictures.get(each, PictureState.GONE) != PictureState.GONE)
        return [media_id(file.complaint.id, digest) for digest in kept]

    def links_to(self, origin: str, file: File, turns: Iterable[Turn]) -> list[str]:
        """As `shown`, as links for who only follows links."""
        return [self.link_to(origin, name) for name in self.shown(file, turns)]

    def _given(self, giver: int, name: str) -> str:
        """The digest of what was given. Refuses PICTURE_UNKNOWN, for what others gave just so."""
        place, digest = _named(name)
        if place != giver:
            raise Refusal(ComplaintReason.PICTURE_UNKNOWN)
        return digest

    def link_to(self, origin: str, name: str) -> str:
        """One picture, for who only follows links."""
        return self.links.address(origin, *_named(name))

    # Who acts for whom.

    def _callers(self, account: Account) -> list[Caller]:
        """For whom an account may act: for itself, and for merchants that said so. May be cold."""
        found = [Caller(account, account)]
        for merchant_id in sorted(self._clients.get(account.row.door, ())):
            found += self._acting_for(account, merchant_id)
        return found

    def _acting_for(self, account: Account, merchant_id: int) -> list[Caller]:
        every = self._accounts.partners_of(merchant_id)
        return [Caller(account, each.payee) for each in every if each.account.row.id == account.row.id]

    def _caller_in(self, account: Account, complaint: Complaint) -> Caller:
        """Refuses COMPLAINT_UNKNOWN. May be cold."""
        for caller in (Caller(account, account), *self._acting_for(account, complaint.merchant_id)):
            if caller.key.has_right(Right.READ) and caller.key.sees(complaint.merchant_id, complaint.shop_id):
                return caller
        raise Refusal(ComplaintReason.COMPLAINT_UNKNOWN)

    async def _learn_all(self) -> None:
        """Before anybody asks: who acts for the merchants that were complained of."""
        for merchant_id in {complaint.merchant_id for complaint in self.desk.complaints.everything()}:
            await warmed(self._journal, lambda: self._learn(merchant_id))  # noqa: B023  # Awaited here.

    def _learn(self, merchant_id: int) -> None:
        """May be cold: then nothing has been appended yet."""
        for caller in self._accounts.partners_of(merchant_id):
            self._learn_of(caller.payee)

    def _learn_of(self, account: Account) -> None:
        for number in account.facts.partners:
            self._clients.setdefault(f"{account.row.kind}:{number}", set()).add(account.row.merchant_id)

    # Telling.

    def _turned(self, complaint: Complaint, turn: Turn) -> None:
        """Nothing of it is cold: every watch is in memory, and who acts for the merchant since `_learn`."""
        for watch in self.watches.find("merchant_id", complaint.merchant_id):
            if watch.url and watch.shop_id in (0, complaint.shop_id):
                self._notifications.add(watch.id, watch.dialect, News.COMPLAINT, turn.id, watch.url)
        try:
            self._tell_providers(complaint, turn)
        except Cold:
            # Long idle, and let go of: in a decision of its own.
            tell = partial(self._tell_providers, complaint, turn)
            self._journal.effect(lambda: self._node.decide_each([tell]))

    def _tell_providers(self, complaint: Complaint, turn: Turn) -> None:
        """WeChat Pay's service providers hear of every complaint of the merchants that they may act for. May be cold."""
        told = {}
        for caller in self._accounts.partners_of(complaint.merchant_id):
            watch = self.watches.get(caller.account.row.id)
            is_other = caller.account.row.merchant_id != complaint.merchant_id
            if watch is None or not watch.url or watch.dialect != Dialect.WECHATPAY_V3 or not is_other:
                continue
            if caller.key.sees(complaint.merchant_id, complaint.shop_id):
                told[watch.id] = watch
        for watch in told.values():
            self._notifications.add(watch.id, watch.dialect, News.COMPLAINT, turn.id, watch.url)


def media_id(place: int, digest: str) -> str:
    """How both vendors' clients name a picture: where it is, and what it is."""
    return f"{place:032x}{digest}"


def _named(name: str) -> tuple[int, str]:
    """Refuses PICTURE_UNKNOWN for what is no name of ours."""
    place, digest = name[:32], name[32:]
    if not (_PLACE.fullmatch(place) and is_digest(digest)):
        raise Refusal(ComplaintReason.PICTURE_UNKNOWN)
    return int(place, 16), digest


def name_of(complaint: Complaint) -> str:
    """How both vendors' clients name it."""
    return f"{complaint.id:032x}"


def _id_of(name: str) -> int:
    """Refuses COMPLAINT_UNKNOWN for what is no name of ours."""
    try:
        found = int(name, 16)
    except ValueError:
        raise Refusal(ComplaintReason.COMPLAINT_UNKNOWN) from None
    if f"{found:032x}" != name:
        raise Refusal(ComplaintReason.COMPLAINT_UNKNOWN)
    return found
