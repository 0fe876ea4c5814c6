"""Sending money to people: each transfer is written down, then moved, then ended; a crash between is mended by doing it again."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import structlog
from msgspec.structs import replace

from hutong.gateways.account import Caller
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.ports import Merchants, Notices, People
from hutong.gateways.transfers.reasons import TransferReason
from hutong.gateways.transfers.transfer import (
    ID_PREFIX,
    PERSON_TRANSFERS,
    REMARK_LENGTH_MAX,
    PersonTransfer,
    TransferDraft,
    TransferLimits,
    TransferState,
    money_id,
    transfer_number_key,
)
from hutong.institution import chart
from hutong.institution.merchants.merchant import reference_key
from hutong.institution.merchants.staff_key import Right
from hutong.institution.payments import verdict
from hutong.institution.payments.payment import Why
from hutong.institution.policy.policy import Policies
from hutong.institution.recalls.recall import Rounds
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.kernel.money import Currency
from hutong.kernel.text import check_text
from hutong.ledger import sharing_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, Transfer, TransferStatus
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided, warmed

log = structlog.get_logger()
_UNMOVED_WITHIN = 1_000_000  # Positions: a batch is moved a piece at a time, while payments go on.
_DAYS_KEPT_MAX = 10_000


class TransferService:
    """A merchant's are scoped to the merchant and its door, a person's to the person (invariant 8)."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        currency: Currency,
        policies: Policies,
        people: People,
        merchants: Merchants,
        notices: Notices,
        notifications: NotificationService,
        limits: TransferLimits | None = None,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._ledger = ledger
        self._currency = currency
        self._policies = policies
        self._people = people
        self._merchants = merchants
        self._notices = notices
        self._notifications = notifications
        self.limits = limits or TransferLimits()
        # By an account's id, where it may be another in a network for trying out.
        self.daily_max: Callable[[int, int], int] = lambda _account_id, daily: daily
        by = ("number_key", "batch_id", "waiting_user_id", "day_key")
        self.transfers = Shelf(PERSON_TRANSFERS, node.journal, node.store, by=by, timed=True)
        self._days: dict[int, int] = {}  # What was sent by `day_key`.
        self._rounds = Rounds()
        self._moving: set[int] = set()

    async def start(self) -> None:
        await self.transfers.start()

    async def resume(self) -> None:
        """After a restart: what waits is held on the ledger; what was only written down is among the last rows."""
        held = {each.user_data_128 for each in await self._ledger.pending_transfers() if each.code == Why.SENT}
        await self.transfers.load(sorted(held))
        for id_ in sorted(held):
            transfer = self._transfer(id_)
            match transfer.state:
                case TransferState.WAITING:
                    self._rounds.at(id_, transfer.expires_ns)
                case TransferState.SUCCESS:
                    verdict.post(self._ledger, [self._money(transfer)])
                case TransferState.FAILED | TransferState.CANCELLED:
                    verdict.void(self._ledger, [self._money(transfer)])
        for transfer in await self.transfers.load_since(max(0, self._journal.position - _UNMOVED_WITHIN)):
            if transfer.state == TransferState.ACCEPTED and not transfer.batch_id:
                self.move(transfer)
        self._journal.seal()

    # For merchants.

    async def send(self, caller: Caller, draft: TransferDraft) -> PersonTransfer:
        """
        Send money to a person: at once, or, `confirmed`, as soon as they take it.

        Moves:    merchant -> wallet; held while the person is asked.
        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; the text refusals; what `TransferLimits.check` refuses; TRANSFER_DIFFERS;
                  MERCHANT_SUSPENDED, MERCHANT_CLOSED; TRANSFER_PAYEE_UNKNOWN; TRANSFER_DAILY_LIMIT_EXCEEDED;
                  TRANSFER_BALANCE_INSUFFICIENT. A wrong name, or a person who takes nothing, is a transfer that failed.
        Repeats:  the transfer as it is.
        """
        self.check_caller(caller)
        self.check_draft(draft)
        key = transfer_number_key(caller.key.merchant_id, caller.door, draft.number)

        def known() -> PersonTransfer | None:
            for transfer in self.transfers.find("number_key", key):
                if transfer.content != draft.digest:
                    raise Refusal(TransferReason.TRANSFER_DIFFERS, number=draft.number)
                return transfer
            return None

        if await warmed(self._journal, known) is None:
            if not draft.user_id:
                raise Refusal(TransferReason.TRANSFER_PAYEE_UNKNOWN, field="openid")
            await self.check_balance(caller, draft.amount)

        def send() -> PersonTransfer:
            transfer = known()
            if transfer is None:
                wrong = self.what_is_wrong(draft.user_id, draft.name)
                self._merchants.merchant(caller.key.merchant_id).check_open()
                transfer = self.written(caller, draft, key, wrong)
                self.move(transfer)
            return self._transfer(transfer.id)

        return await decided(self._journal, send)

    async def cancel(self, caller: Caller, number: str) -> PersonTransfer:
        """
        Take back what its person has not taken yet.

        Moves:    releases what was held.
        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; TRANSFER_UNKNOWN; TRANSFER_ENDED.
        Repeats:  the transfer, cancelled.
        """
        self.check_caller(caller)

        def cancel() -> PersonTransfer:
            transfer = self.found(caller, number)
            if transfer.state == TransferState.CANCELLED:
                return transfer
            if transfer.state != TransferState.WAITING:
                raise Refusal(TransferReason.TRANSFER_ENDED, state=transfer.state)
            return self._release(transfer, TransferState.CANCELLED, "")

        return await decided(self._journal, cancel)

    async def find(self, caller: Caller, number: str) -> PersonTransfer:
        """A transfer by its number. Refuses TRANSFER_UNKNOWN, for another's just so."""
        return await decided(self._journal, lambda: self.found(caller, number))

    def found(self, caller: Caller, number: str, batch_id: int = 0) -> PersonTransfer:
        """`find`, within a decision; of a batch, by its number there."""
        key = transfer_number_key(caller.key.merchant_id, caller.door, number, batch_id)
        for transfer in self.transfers.find("number_key", key):
            return transfer
        raise Refusal(TransferReason.TRANSFER_UNKNOWN, number=number)

    async def find_by_id(self, caller: Caller, id_: int) -> PersonTransfer:
        """The same by our own id."""

        def find() -> PersonTransfer:
            transfer = self.transfers.get(id_)
            if transfer is None or transfer.merchant_id != caller.key.merchant_id:
                raise Refusal(TransferReason.TRANSFER_UNKNOWN)
            return transfer

        return await decided(self._journal, find)

    # For people.

    async def waiting(self, user_id: int) -> list[PersonTransfer]:
        """What waits for a person to take it, oldest first."""
        return await decided(self._journal, lambda: self.transfers.find("waiting_user_id", user_id))

    async def of_person(self, user_id: int, transfer_id: int) -> PersonTransfer:
        """One that is, or was, for this person. Refuses TRANSFER_UNKNOWN, for another's just so."""
        return await decided(self._journal, lambda: self._theirs(user_id, transfer_id))

    async def take(self, user_id: int, transfer_id: int) -> PersonTransfer:
        """
        The person takes what waits.

        Moves:    posts what was held: merchant -> wallet.
        Refuses:  TRANSFER_UNKNOWN; TRANSFER_ENDED; TRANSFER_LAPSED; USER_FROZEN, USER_CLOSED.
        Repeats:  the transfer, taken.
        """

        def take() -> PersonTransfer:
            transfer = self._theirs(user_id, transfer_id)
            now_ns = self._node.clock.now_ns()
            if transfer.state == TransferState.SUCCESS:
                return transfer
            self._people.user(user_id).may_receive(now_ns)
            self._check_waiting(transfer, now_ns)
            ended = self._end(transfer, TransferState.SUCCESS, "")
            verdict.post(self._ledger, [self._money(transfer)])
            return ended

        return await decided(self._journal, take)

    async def decline(self, user_id: int, transfer_id: int) -> PersonTransfer:
        """
        The person does not want it: it fails.

        Moves:    releases what was held.
        Refuses:  TRANSFER_UNKNOWN; TRANSFER_ENDED; TRANSFER_LAPSED.
        Repeats:  the transfer, declined.
        """

        def decline() -> PersonTransfer:
            transfer = self._theirs(user_id, transfer_id)
            if (transfer.state, transfer.reason) == (TransferState.FAILED, TransferReason.TRANSFER_DECLINED.name):
                return transfer
            self._check_waiting(transfer, self._node.clock.now_ns())
            return self._release(transfer, TransferState.FAILED, TransferReason.TRANSFER_DECLINED.name)

        return await decided(self._journal, decline)

    # Time.

    def tick(self) -> None:
        """What nobody took lapses."""
        due = self._rounds.due(self._node.clock.now_ns())
        self._node.decide_each(partial(self._lapse, id_) for id_ in due)

    def _lapse(self, transfer_id: int) -> None:
        transfer = self.transfers.get(transfer_id)
        if transfer is not None and transfer.state == TransferState.WAITING:
            self._release(transfer, TransferState.FAILED, TransferReason.TRANSFER_LAPSED.name)

    # What batches share.

    def check_caller(self, caller: Caller) -> None:
        """Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS."""
        caller.key.check_right(Right.MANAGE)
        caller.key.check_whole_merchant()

    def check_draft(self, draft: TransferDraft) -> None:
        """Refuses the text refusals, and what `TransferLimits.check` refuses."""
        check_text("transfer_remark", draft.remark, length_max=REMARK_LENGTH_MAX, empty=True)
        self.limits.check(draft)

    async def check_balance(self, caller: Caller, amount: int) -> None:
        """Refuses TRANSFER_BALANCE_INSUFFICIENT. Who is quicker than we meets the ledger's own no."""
        account_id = chart.merchant_account(caller.key.merchant_id, self._currency)
        (account,) = await self._ledger.lookup_accounts([account_id])
        if account.credits_posted - account.debits_posted - account.debits_pending < amount:
            raise Refusal(TransferReason.TRANSFER_BALANCE_INSUFFICIENT, field="transfer_amount")

    def what_is_wrong(self, user_id: int, name: str) -> str:
        """Why this person is sent nothing; empty: nothing is wrong. May raise `Cold`."""
        if not user_id:
            return TransferReason.TRANSFER_PAYEE_UNKNOWN.name
        try:
            user = self._people.user(user_id)
            user.may_receive(self._node.clock.now_ns())
        except Refusal:
            return TransferReason.TRANSFER_PAYEE_ABNORMAL.name
        return TransferReason.TRANSFER_NAME_DIFFERS.name if name and name != user.name else ""

    def written(
        self, caller: Caller, draft: TransferDraft, key: int, wrong: str, *, batch_id: int = 0
    ) -> PersonTransfer:
        """Write one down, ACCEPTED. Refuses TRANSFER_DAILY_LIMIT_EXCEEDED, before it does."""
        now_ns = self._node.clock.now_ns()
        day_key = self.day_key(caller.key.merchant_id)
        daily = self.daily_max(caller.account.row.id, self.limits.daily)
        if self.sent_on(day_key) + draft.amount > daily:
            raise Refusal(TransferReason.TRANSFER_DAILY_LIMIT_EXCEEDED, daily=daily)
        transfer = PersonTransfer(
            id=self._node.mint.mint(),
            merchant_id=caller.key.merchant_id,
            account_id=caller.account.row.id,
            dialect=draft.dialect.value,
            number=draft.number,
            number_key=key,
            batch_id=batch_id,
            user_id=draft.user_id,
            waiting_user_id=None,
            payee=draft.payee,
            amount=draft.amount,
            remark=draft.remark,
            confirmed=draft.confirmed,
            content=draft.digest,
            state=TransferState.ACCEPTED.value,
            reason=wrong,
            notify_url=draft.notify_url,
            facts=msgspec.json.encode(draft.facts),
            day_key=day_key,
            expires_ns=self.limits.expires_ns(draft, now_ns),
            created_ns=now_ns,
            changed_ns=now_ns,
        )
        self._days[day_key] += draft.amount
        self.transfers.put(transfer)
        return transfer

    def day_key(self, merchant_id: int) -> int:
        """What a merchant's day of transfers is found by."""
        today = self._policies.date_of(self._node.clock.now_ns())
        return reference_key(merchant_id, f"transfers/{today.isoformat()}")

    def sent_on(self, day_key: int) -> int:
        """What was sent on a day, or is under way. May raise `Cold`."""
        if day_key not in self._days:
            if len(self._days) > _DAYS_KEPT_MAX:
                self._days.clear()
            found = self.transfers.find("day_key", day_key)
            self._days[day_key] = sum(each.amount for each in found if not _came_back(each))
        return self._days[day_key]

    # The money.

    def move(self, transfer: PersonTransfer) -> None:
        """Move the money of one that is ACCEPTED, or end it if something was wrong with it."""
        if transfer.id in self._moving:
            return
        if transfer.reason:
            self._end(transfer, TransferState.FAILED, transfer.reason)
            return
        self._moving.add(transfer.id)
        self._ledger.create_transfers([self._money(transfer)], partial(self._moved, transfer.id))

    def _money(self, transfer: PersonTransfer) -> Transfer:
        recipe = sharing_recipes.offer if transfer.confirmed else sharing_recipes.send
        return recipe(
            money_id(transfer.id),
            transfer.id,
            merchant=chart.merchant_account(transfer.merchant_id, self._currency),
            person=chart.user_account(transfer.user_id, self._currency),
            amount=transfer.amount,
            ledger=self._currency.ledger,
            code=Why.SENT,
        )

    def _moved(self, transfer_id: int, statuses: Sequence[TransferStatus]) -> None:
        self._moving.discard(transfer_id)
        transfer = self._transfer(transfer_id)
        if transfer.state != TransferState.ACCEPTED:
            return
        if statuses[0] not in TRANSFER_DONE:
            self._end(transfer, TransferState.FAILED, TransferReason.TRANSFER_BALANCE_INSUFFICIENT.name)
        elif transfer.confirmed:
            waiting = self._put(transfer, state=TransferState.WAITING.value, waiting_user_id=transfer.user_id)
            self._rounds.at(waiting.id, waiting.expires_ns)
            self._notices.tell_user(waiting.user_id, "transfer.waiting", self._data(waiting))
        else:
            self._end(transfer, TransferState.SUCCESS, "")

    def _release(self, transfer: PersonTransfer, state: TransferState, reason: str) -> PersonTransfer:
        ended = self._end(transfer, state, reason)
        verdict.void(self._ledger, [self._money(transfer)])
        return ended

    def _end(self, transfer: PersonTransfer, state: TransferState, reason: str) -> PersonTransfer:
        """Write down how it ended, and tell whom it concerns."""
        ended = self._put(transfer, state=state.value, reason=reason, waiting_user_id=None)
        if _came_back(ended) and ended.day_key in self._days:
            self._days[ended.day_key] -= ended.amount
        if ended.notify_url:
            self._notifications.add(ended.account_id, ended.dialect, News.TRANSFER, ended.id, ended.notify_url)
        if state is TransferState.SUCCESS:
            self._notices.tell_user(ended.user_id, "transfer.received", self._data(ended))
        self._notices.tell_merchant(
            ended.merchant_id, f"transfer.{'completed' if not _came_back(ended) else 'failed'}", self._data(ended)
        )
        return ended

    # What they share.

    def _put(self, transfer: PersonTransfer, **changes: object) -> PersonTransfer:
        transfer = replace(transfer, changed_ns=self._node.clock.now_ns(), **changes)
        self.transfers.put(transfer)
        return transfer

    def _transfer(self, transfer_id: int) -> PersonTransfer:
        transfer = self.transfers.get(transfer_id)
        assert transfer is not None, "nothing moves that is not written down"
        return transfer

    def _theirs(self, user_id: int, transfer_id: int) -> PersonTransfer:
        transfer = self.transfers.get(transfer_id)
        if transfer is None or transfer.user_id != user_id or not transfer.confirmed:
            raise Refusal(TransferReason.TRANSFER_UNKNOWN)
        return transfer

    def _check_waiting(self, transfer: PersonTransfer, now_ns: int) -> None:
        lapsed = transfer.reason == TransferReason.TRANSFER_LAPSED.name
        if lapsed or (transfer.state == TransferState.WAITING and transfer.expires_ns <= now_ns):
            raise Refusal(TransferReason.TRANSFER_LAPSED)
        if transfer.state != TransferState.WAITING:
            raise Refusal(TransferReason.TRANSFER_ENDED, state=transfer.state)

    def _data(self, transfer: PersonTransfer) -> dict[str, object]:
        return {
            "transfer_id": id_text(ID_PREFIX, transfer.id),
            "amount": transfer.amount,
            "currency": self._currency.alpha,
            "state": transfer.state,
            "reason": transfer.reason,
            "remark": transfer.remark,
            "at_ms": transfer.changed_ns // NS_PER_MS,
        }


def _came_back(transfer: PersonTransfer) -> bool:
    return transfer.state in (TransferState.FAILED, TransferState.CANCELLED)
