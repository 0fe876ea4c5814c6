"""Parking: people agree for a plate, cars come in, and what they owe is taken."""

from collections.abc import Iterable

import msgspec

from hutong.gateways.account import Caller
from hutong.gateways.account_service import AccountService
from hutong.gateways.agreements.agreement import Agreement, AgreementDraft
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order import GatewayOrder, OrderDraft, Trade, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.parking.entry import FACT, PARKING_ENTRIES, PRODUCT, Block, EntryDraft, ParkingEntry, number_key
from hutong.gateways.parking.plate import Plate
from hutong.gateways.parking.reasons import ParkingReason
from hutong.gateways.reasons import GatewayReason
from hutong.institution.merchants.staff_key import Right
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.receipt import Receipt
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import Shelf, decided, warmed

PLAN = "parking"  # The kind of agreement: with the institution, for a plate.
DAY_MAX = 500_00  # What may be taken in a day for one plate.


class Car(msgspec.Struct, frozen=True):
    """A plate as it stands: who agreed for it, and why nothing can be taken for it now."""

    agreement: Agreement | None
    block: Block


class ParkingService:
    """What takes a `Caller` answers to the merchant whose car park it is (invariant 8)."""

    def __init__(
        self,
        institution: InstitutionNode,
        accounts: AccountService,
        agreements: AgreementService,
        orders: OrderService,
        notifications: NotificationService,
        name: str,
    ) -> None:
        self._node = institution.node
        self._journal = institution.node.journal
        self._people = institution.people
        self._accounts = accounts
        self._agreements = agreements
        self._orders = orders
        self._notifications = notifications
        self._name = name
        self.entries = Shelf(
            PARKING_ENTRIES, self._journal, self._node.store, by=("number_key", "open_key"), timed=True
        )
        agreements.on_look_up.append(self._look_up_agreement)
        agreements.on_change.append(self._agreement_changed)
        orders.on_look_up.append(self._look_up_order)
        orders.on_paid.append(self._paid)

    async def start(self) -> None:
        await self.entries.start()

    # For people.

    async def offer(self, plate: Plate) -> Agreement:
        """
        What a person signs for a plate: from then on what it owes is taken, at whichever car park of this institution's.

        Refuses:  AGREEMENT_SIGNED: somebody has agreed for it.
        Repeats:  the offer.
        """
        draft = AgreementDraft(
            number=f"{plate.key:032x}", dialect="", plan=PLAN, shown=plate.shown, day_max=DAY_MAX, content=b""
        )
        return await decided(self._journal, lambda: self._agreements.offer_own(draft, self._name))

    # For merchants.

    async def car(self, caller: Caller, plate: Plate) -> Car:
        """How a plate stands with a merchant."""
        return await warmed(self._journal, lambda: self._car(plate.key, caller.payee.row.id))

    async def enter(self, caller: Caller, plate: Plate, draft: EntryDraft) -> ParkingEntry:
        """
        A car drives in. It has left wherever it was before; who waits for news of it there hears no more.

        Refuses:  ROLE_MAY_NOT; ENTRY_DIFFERS.
        Repeats:  the entry as it is.
        """
        caller.key.check_right(Right.CHARGE)

        def enter() -> ParkingEntry:
            key = number_key(caller.payee.row.id, draft.number)
            for known in self.entries.find("number_key", key):
                if known.content != draft.digest(plate.key):
                    raise Refusal(ParkingReason.ENTRY_DIFFERS, number=draft.number)
                return known
            car, before = self._car(plate.key, caller.payee.row.id), self._open(plate.key)
            left = [each for each in before if not each.out_trade_no]
            for each in left:
                self.entries.put(msgspec.structs.replace(each, open_key=None))
            now_ns = self._node.clock.now_ns()
            entry = ParkingEntry(
                id=self._node.mint.mint(),
                account_id=caller.account.row.id,
                payee_id=caller.payee.row.id,
                dialect=draft.dialect,
                number=draft.number,
                number_key=key,
                plate_key=plate.key,
                open_key=plate.key,
                user_id=0 if car.agreement is None else car.agreement.user_id,
                facts=msgspec.json.encode(draft.facts),
                content=draft.digest(plate.key),
                block=car.block.value,
                notify_url=draft.notify_url,
                owed=False,
                out_trade_no="",
                created_ns=now_ns,
                changed_ns=now_ns,
            )
            self.entries.put(entry)
            return entry

        return await decided(self._journal, enter)

    async def leave(self, caller: Caller, entry: ParkingEntry, plate: Plate) -> None:
        """A car drives out: nobody waits for news of it. Refuses ROLE_MAY_NOT, ENTRY_OF_ANOTHER_CAR. Repeats: nothing."""
        caller.key.check_right(Right.CHARGE)
        if entry.plate_key != plate.key:
            raise Refusal(ParkingReason.ENTRY_OF_ANOTHER_CAR)

        def leave() -> None:
            found = self.entries.get(entry.id)
            if found is not None and found.open_key and not found.out_trade_no:
                self.entries.put(msgspec.structs.replace(found, open_key=None))

        await decided(self._journal, leave)

    async def entered(self, caller: Caller, *, number: str = "", name: str = "") -> ParkingEntry:
        """By the merchant's number, or by ours. Refuses ENTRY_UNKNOWN, for another's just so."""
        return await warmed(self._journal, lambda: self._entered(caller, number, name))

    async def take(self, caller: Caller, entry: ParkingEntry, plate: Plate, draft: OrderDraft) -> Trade:
        """
        Take what a car owes: an order that is paid at once, or fails.

        Refuses:  ENTRY_OF_ANOTHER_CAR; PLATE_NOT_AGREED; ENTRY_PAID, ENTRY_PAYING under another number; ORDER_DIFFERS; what
                  `AgreementService.deduct` refuses.
        Repeats:  the order as it is.
        """
        caller.key.check_right(Right.CHARGE)
        if entry.plate_key != plate.key:
            raise Refusal(ParkingReason.ENTRY_OF_ANOTHER_CAR)
        agreement = await decided(self._journal, lambda: self._begin(caller, entry.id, draft.out_trade_no))
        facts = draft.facts | {FACT: entry.name, "payer": agreement.payer}
        trade = await self._agreements.deduct(
            caller, agreement, msgspec.structs.replace(draft, product=PRODUCT, facts=facts)
        )
        if trade.state is TradeState.FAILED:
            await decided(self._journal, lambda: self._failed(entry.id))
        return trade

    def entry_of(self, order: GatewayOrder) -> ParkingEntry:
        """What an order is for. May raise `Cold`."""
        entry = self.entries.get(int(order.told[FACT], 16))
        assert entry is not None, "what takes the money names what it is for"
        return entry

    # Within a decision.

    def _entered(self, caller: Caller, number: str, name: str) -> ParkingEntry:
        found: Iterable[ParkingEntry | None]
        if name:
            found = [self.entries.get(_id_of(name))]
        else:
            found = self.entries.find("number_key", number_key(caller.payee.row.id, number))
        for entry in found:
            if entry is not None and entry.payee_id == caller.payee.row.id:
                return entry
        raise Refusal(ParkingReason.ENTRY_UNKNOWN)

    def _begin(self, caller: Caller, entry_id: int, out_trade_no: str) -> Agreement:
        """From here on it is this number under which the entry is taken."""
        entry = self.entries.get(entry_id)
        assert entry is not None
        trade = self._orders.known(caller, out_trade_no)
        if trade is not None and trade.order.told.get(FACT) != entry.name:
            raise Refusal(GatewayReason.ORDER_DIFFERS, out_trade_no=out_trade_no)
        if entry.out_trade_no not in ("", out_trade_no):
            before = self._trade(entry)
            if before is None or before.state in (TradeState.PAYING, TradeState.NOT_PAID):
                raise Refusal(ParkingReason.ENTRY_PAYING, out_trade_no=entry.out_trade_no)
            if before.payment is not None:
                raise Refusal(ParkingReason.ENTRY_PAID, out_trade_no=entry.out_trade_no)
        agreement = self._agreement(entry.plate_key)
        if agreement is None:
            raise Refusal(ParkingReason.PLATE_NOT_AGREED)
        if entry.out_trade_no != out_trade_no:
            self.entries.put(msgspec.structs.replace(entry, out_trade_no=out_trade_no, open_key=entry.plate_key))
        return agreement

    def _agreement(self, plate_key: int) -> Agreement | None:
        return self._agreements.own(PLAN, f"{plate_key:032x}")

    def _open(self, plate_key: int) -> list[ParkingEntry]:
        return self.entries.find("open_key", plate_key)

    def _trade(self, entry: ParkingEntry) -> Trade | None:
        account = self._accounts.account(entry.payee_id)
        return self._orders.known(Caller(account, account), entry.out_trade_no) if entry.out_trade_no else None

    def _car(self, plate_key: int, payee_id: int) -> Car:
        """How it stands with a merchant. May raise `Cold`."""
        agreement = self._agreement(plate_key)
        return Car(agreement, self._block(agreement, self._open(plate_key), payee_id))

    def _block(self, agreement: Agreement | None, entries: list[ParkingEntry], payee_id: int) -> Block:
        if agreement is None:
            return Block.OUT_SERVICE
        if agreement.user_id:
            try:
                self._people.user(agreement.user_id).may_pay(self._node.clock.now_ns())
            except Refusal:
                return Block.PAUSE
        # Nobody advanced the money, so what is owed is between the person and one merchant: others need not care.
        is_owed = any(entry.owed for entry in entries if entry.payee_id == payee_id)
        return Block.OVERDUE if is_owed else Block.NO

    def _now(self, plate_key: int) -> list[ParkingEntry]:
        """Open entries that stand otherwise than their merchants know, as they stand. May raise `Cold`."""
        agreement, entries = self._agreement(plate_key), self._open(plate_key)
        now_ns = self._node.clock.now_ns()
        standing = [(entry, self._block(agreement, entries, entry.payee_id)) for entry in entries]
        return [
            msgspec.structs.replace(entry, block=block.value, changed_ns=now_ns)
            for entry, block in standing
            if entry.block != block
        ]

    def _failed(self, entry_id: int) -> None:
        entry = self.entries.get(entry_id)
        assert entry is not None
        self._now(entry.plate_key)  # Brings into memory what comes behind the row.
        if entry.open_key and not entry.owed:
            self.entries.put(msgspec.structs.replace(entry, owed=True))
            self._tell_changes(self._now(entry.plate_key))

    def _tell_changes(self, entries: list[ParkingEntry]) -> None:
        for entry in entries:
            self.entries.put(entry)
            if entry.notify_url:
                self._notifications.add(
                    entry.account_id, entry.dialect, News.PARKING_CHANGED, entry.id, entry.notify_url
                )

    # What agreements and orders tell.

    def _look_up_agreement(self, agreement: Agreement) -> None:
        """May raise `Cold`."""
        if agreement.plan == PLAN:
            self._now(int(agreement.number, 16))

    def _agreement_changed(self, agreement: Agreement) -> None:
        if agreement.plan == PLAN:
            self._tell_changes(self._now(int(agreement.number, 16)))

    def _look_up_order(self, order: GatewayOrder) -> None:
        """May raise `Cold`."""
        if order.product == PRODUCT:
            self._now(self.entry_of(order).plate_key)

    def _paid(self, order: GatewayOrder, _payment: Receipt | Payment) -> None:
        if order.product == PRODUCT:
            entry = self.entry_of(order)
            self.entries.put(msgspec.structs.replace(entry, open_key=None, owed=False, block=Block.NO.value))
            self._tell_changes(self._now(entry.plate_key))


def _id_of(name: str) -> int:
    """Refuses ENTRY_UNKNOWN for what is no name of ours."""
    try:
        found = int(name, 16)
    except ValueError:
        raise Refusal(ParkingReason.ENTRY_UNKNOWN) from None
    if f"{found:032x}" != name:
        raise Refusal(ParkingReason.ENTRY_UNKNOWN)
    return found
