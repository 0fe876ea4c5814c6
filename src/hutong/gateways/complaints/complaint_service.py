"""What a merchant's software does with complaints: reads, answers, and is called back at each turn."""

import msgspec

from hutong.gateways.account import Account, Caller
from hutong.gateways.account_service import AccountService
from hutong.gateways.complaints.watch import COMPLAINT_WATCHES, ComplaintWatch
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order import Dialect, GatewayOrder
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.institution.complaints.complaint import Complaint
from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.complaints.turn import Turn, Words
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.node import InstitutionNode
from hutong.institution.notices.webhook import check_url
from hutong.institution.requests.request import PaymentRequest
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.runtime.shelf import Shelf, decided, warmed
from hutong.scheme.complaint import ComplaintAct, ComplaintParty

_WECHATPAY = "wechatpay"


class File(msgspec.Struct, frozen=True):
    """A complaint with its history, and the order and request it is about."""

    complaint: Complaint
    turns: list[Turn]
    request: PaymentRequest
    order: GatewayOrder | None  # None where the merchant was paid past its software: by a plate, say.

    @property
    def text(self) -> str:
        """What the payer complained of, when it was opened."""
        return self.turns[0].text

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
        self.desk.on_turn.append(self._turned)

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

    async def files(self, complaints: list[Complaint]) -> list[File]:
        """With all that belongs to them."""
        return [await warmed(self._journal, lambda: self.file(each)) for each in complaints]  # noqa: B023  # Awaited here.

    async def find(self, caller: Caller, name: str) -> File:
        """One, by our name of it. Refuses COMPLAINT_UNKNOWN, for another merchant's just so; ROLE_MAY_NOT."""
        return await warmed(self._journal, lambda: self.file(self.found(caller, name)))

    def found(self, caller: Caller, name: str) -> Complaint:
        """As `find`, alone."""
        caller.key.check_right(Right.READ)
        return self.desk.complaint(_id_of(name), caller.key.merchant_id, caller.key.shop_id)

    def file(self, complaint: Complaint) -> File:
        """May be cold."""
        request = self._requests.request(complaint.request_id)
        return File(complaint, self.desk.history(complaint), request, self._orders.orders.get(complaint.request_id))

    def turn_of(self, turn_id: int) -> tuple[Complaint, Turn]:
        """What news of a turn are about. May be cold."""
        turn = self.desk.turns.get(turn_id)
        assert turn is not None, "news of a turn come after it"
        return self.desk.complaint(turn.case_id), turn

    # Answering.

    async def answer(self, caller: Caller, name: str, act: ComplaintAct, text: str = "", *, number: str = "") -> Turn:
        """
        The merchant says something, decides about a refund, or completes.

        The protocols give no number to most of these: the same words to the same words of the payer's are one turn.

        Refuses:  ROLE_MAY_NOT; COMPLAINT_UNKNOWN; as `institution.complaints.ComplaintService.answer`.
        Repeats:  the turn.
        """
        caller.key.check_right(Right.REFUND)

        def answer() -> Turn:
            complaint = self.found(caller, name)
            turns = self.desk.history(complaint)
            heard = max(turn.number for turn in turns if turn.by == ComplaintParty.PAYER.value)
            said = f"{act.value}/{number}" if number else f"{act.value}/{heard}/{text}"
            words = Words(act_id=derive(complaint.id, f"gateway/{said}"), text=text.strip())
            self.desk.answer(complaint, act, words, caller.payee.row.name)
            turns = self.desk.history(self.desk.complaint(complaint.id))
            return next(turn for turn in turns if turn.act_id == words.act_id)

        return await decided(self._journal, answer)

    # Telling.

    def _turned(self, complaint: Complaint, turn: Turn) -> None:
        """Nothing of it is cold: every watch is in memory."""
        for watch in self.watches.find("merchant_id", complaint.merchant_id):
            if watch.url and watch.shop_id in (0, complaint.shop_id):
                self._notifications.add(watch.id, watch.dialect, News.COMPLAINT, turn.id, watch.url)


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
