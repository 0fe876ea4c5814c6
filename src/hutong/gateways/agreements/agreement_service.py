"""Agreements: offered by merchants, signed and ended by people, and what is taken under them."""

import hashlib
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from hutong.gateways.account import Account, Caller
from hutong.gateways.account_service import AccountService
from hutong.gateways.agreements.agreement import (
    AGREEMENTS,
    DAY_MAX_MAX,
    OFFER_LIFE_S,
    OFFERED_FACT,
    Agreement,
    AgreementDraft,
    AgreementState,
    EndedBy,
    contract_key,
    contract_number,
    number_key,
)
from hutong.gateways.agreements.period import AGREEMENT_TAKINGS, AgreementTaking
from hutong.gateways.agreements.reasons import AgreementReason
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order import SIGNED_AS, GatewayOrder, OrderDraft, Trade, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.payer import payer_here
from hutong.gateways.reasons import GatewayReason
from hutong.institution.bills.bill import day_of
from hutong.institution.merchants.staff_key import Right
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.mandate import bank_of, mandate_id
from hutong.institution.payments.payment import Payment, payer_text
from hutong.institution.payments.receipt import Receipt
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import Shelf, decided

PATH = "/agreements/"
_ZONE = ZoneInfo("Asia/Shanghai")
_IN_VAIN = (TradeState.FAILED, TradeState.CLOSED, TradeState.REVERSED)
_NAME = "offered_by"  # Of an agreement with the institution itself: in its facts.
ChangeHook = Callable[[Agreement], None]


class AgreementService:
    """What takes a `Caller` answers to the merchant that takes; what takes a person, to who signed (invariant 8)."""

    def __init__(
        self,
        institution: InstitutionNode,
        accounts: AccountService,
        orders: OrderService,
        notifications: NotificationService,
    ) -> None:
        self._accounts = accounts
        self._site = institution.plates.site
        self._node = institution.node
        self._journal = institution.node.journal
        self._merchants = institution.merchants
        self._people = institution.people
        self._mandates = institution.payments.mandates
        self._orders = orders
        self._notifications = notifications
        self.all = Shelf(
            AGREEMENTS,
            self._journal,
            self._node.store,
            by=("number_key", "contract_key", "user_id"),
            timed=True,
        )
        self.takings = Shelf(AGREEMENT_TAKINGS, self._journal, self._node.store, by=("agreement_id",), timed=True)
        orders.on_look_up.append(self._look_up_order)
        orders.on_paid.append(self._paid)
        # Of agreements with the institution itself. The first bring into memory what the second need, which hear of each that
        # was signed or has ended, in the decision that makes it so.
        self.on_look_up: list[ChangeHook] = []
        self.on_change: list[ChangeHook] = []

    async def start(self) -> None:
        await self.all.start()
        await self.takings.start()

    # What orders tell.

    def _look_up_order(self, order: GatewayOrder) -> None:
        """May raise `Cold`."""
        self._offered_with(order)

    def _paid(self, order: GatewayOrder, payment: Receipt | Payment) -> None:
        """Who of ours has paid is asked in their wallet to sign what was offered with it."""
        agreement = self._offered_with(order)
        if agreement is not None and isinstance(payment, Payment) and agreement.state == AgreementState.OFFERED:
            self.all.put(msgspec.structs.replace(agreement, user_id=payment.user_id))

    def _offered_with(self, order: GatewayOrder) -> Agreement | None:
        """May raise `Cold`."""
        if OFFERED_FACT.encode() not in order.facts:
            return None
        return self.all.get(int(order.told[OFFERED_FACT], 16))

    # For merchants.

    async def offer(self, caller: Caller, draft: AgreementDraft) -> Agreement:
        """
        Offer an agreement, for a person to sign within two hours.

        Refuses:  ROLE_MAY_NOT; AGREEMENT_LIMIT_INVALID; AGREEMENT_SIGNED for a number that is in force; AGREEMENT_DIFFERS;
                  MERCHANT_SUSPENDED, MERCHANT_CLOSED.
        Repeats:  the offer; behind the end of an agreement, or of its time, another under the same number.
        """
        caller.key.check_right(Right.CHARGE)
        if not 0 < draft.day_max <= DAY_MAX_MAX:
            raise Refusal(AgreementReason.AGREEMENT_LIMIT_INVALID, field="day_max", day_max=DAY_MAX_MAX)
        return await decided(self._journal, lambda: self._offer(caller, draft))

    async def find(self, caller: Caller, *, plan: str = "", number: str = "", contract_no: str = "") -> Agreement:
        """By the merchant's number, within its plan, or ours. Refuses AGREEMENT_UNKNOWN."""

        def find() -> Agreement:
            if contract_no:
                found = self.all.find("contract_key", contract_key(contract_no))
            else:
                found = self.all.find("number_key", number_key(caller.payee.row.id, plan, number))
            mine = [each for each in found if each.payee_id == caller.payee.row.id]
            if not mine:
                raise Refusal(AgreementReason.AGREEMENT_UNKNOWN)
            return mine[-1]

        return await decided(self._journal, find)

    async def of_person(self, caller: Caller, plan: str, user_id: int) -> Agreement:
        """The one in force that this person of ours has signed. Refuses AGREEMENT_UNKNOWN."""

        def find() -> Agreement:
            now_ns = self._node.clock.now_ns()
            for each in reversed(self.all.find("user_id", user_id)):
                known = (each.payee_id, each.plan, each.state_at(now_ns))
                if known == (caller.payee.row.id, plan, AgreementState.SIGNED):
                    return each
            raise Refusal(AgreementReason.AGREEMENT_UNKNOWN)

        return await decided(self._journal, find)

    def link(self, agreement: Agreement) -> str:
        """What any wallet scans."""
        return f"{self._site.base}{PATH}{agreement.creditor}"

    def page_url(self, agreement: Agreement) -> str:
        """Where it is signed, for a browser: its link, but where links lead nowhere, the node's own page."""
        at = self._orders.pages_at
        return f"{at()}{PATH}{agreement.creditor}" if at else self.link(agreement)

    async def terminate(self, caller: Caller, agreement: Agreement) -> Agreement:
        """End it. Refuses AGREEMENT_NOT_SIGNED. Repeats: the agreement, ended."""
        caller.key.check_right(Right.CHARGE)
        assert agreement.payee_id == caller.payee.row.id
        return await decided(self._journal, lambda: self._end(agreement.id, EndedBy.MERCHANT))

    async def deduct(self, caller: Caller, agreement: Agreement, draft: OrderDraft) -> Trade:
        """
        Take money: an order that is paid at once, or fails.

        Refuses:  AGREEMENT_NOT_SIGNED, AGREEMENT_ENDED, AGREEMENT_LAPSED; what `PeriodRule.check`, `Schedule.check` and
                  `OrderService.collect` refuse. That the person's wallet says no (a limit, no money, the mandate revoked
                  there) is an order that FAILED, of which the merchant is told.
        Repeats:  the order as it is.
        """
        assert agreement.payee_id in (caller.payee.row.id, 0)
        self.check_in_force(agreement)
        await decided(self._journal, lambda: self._begin(caller, agreement, draft))
        trade = await self._orders.collect(caller, _under(agreement, draft))
        if trade.state is TradeState.FAILED and trade.order.notify_url:
            # Once, whoever asks again, or at the same time; of what a crash kept untold the next who asks tells.
            await decided(self._journal, lambda: self._tell_failed(trade))
        return trade

    async def schedule(self, caller: Caller, agreement: Agreement, amount: int) -> Agreement:
        """
        Say how much will be taken on the day that was agreed to.

        Refuses:  ROLE_MAY_NOT; what `check_in_force` and `Schedule.set` refuse; AGREEMENT_NOT_DUE where no day was agreed to.
        Repeats:  the agreement as it is.
        """
        caller.key.check_right(Right.CHARGE)
        assert agreement.payee_id == caller.payee.row.id

        def schedule() -> Agreement:
            now, now_ns = self.offered(agreement.id), self._node.clock.now_ns()
            now.check_in_force(now_ns)
            if now.schedule is None:
                raise Refusal(AgreementReason.AGREEMENT_NOT_DUE)
            newer = now.schedule.set(amount, day_of(now_ns, _ZONE))
            if newer == now.schedule:
                return now
            scheduled = now.scheduled(newer)
            self.all.put(scheduled)
            return scheduled

        return await decided(self._journal, schedule)

    async def taken_once(self, caller: Caller, agreement: Agreement) -> Trade | None:
        """What was taken on the day that was agreed to, or is just being taken."""

        def find() -> Trade | None:
            taken = self._taken(caller, agreement)
            return self._orders.known(caller, taken[0].out_trade_no) if taken else None

        return await decided(self._journal, find)

    def today(self) -> date:
        """The day at the merchant."""
        return day_of(self._node.clock.now_ns(), _ZONE)

    def check_in_force(self, agreement: Agreement) -> None:
        """Refuses as `Agreement.check_in_force`, now."""
        agreement.check_in_force(self._node.clock.now_ns())

    async def taken(self, caller: Caller, agreement: Agreement) -> list[AgreementTaking]:
        """What was taken under an agreement with periods, or is just being taken."""
        return await decided(self._journal, lambda: self._taken(caller, agreement))

    # For the institution itself: whichever of its merchants it lets take.

    def offer_own(self, draft: AgreementDraft, name: str) -> Agreement:
        """
        Offer an agreement with the institution, within a decision; `name` is who people are told they agree with.

        Refuses:  AGREEMENT_SIGNED for a number that is in force.
        Repeats:  as `offer`.
        """
        draft = msgspec.structs.replace(draft, facts={_NAME: name})
        return self._known(0, draft) or self._new(0, 0, draft)

    def own(self, plan: str, number: str) -> Agreement | None:
        """The one with the institution that is in force. May raise `Cold`."""
        found = self.all.find("number_key", number_key(0, plan, number))
        return next((each for each in found if each.state == AgreementState.SIGNED), None)

    # For people.

    def offered(self, agreement_id: int) -> Agreement:
        """What is offered, to whoever has the link. Refuses AGREEMENT_UNKNOWN. May raise `Cold`."""
        agreement = self.all.get(agreement_id)
        if agreement is None:
            raise Refusal(AgreementReason.AGREEMENT_UNKNOWN)
        return agreement

    def payee_of(self, agreement: Agreement) -> Account:
        """Whose account is paid. May raise `Cold`."""
        return self._accounts.account(agreement.payee_id)

    def merchant_name(self, agreement: Agreement) -> str:
        """Who is to take. May raise `Cold`."""
        if not agreement.payee_id:
            return str(agreement.told.get(_NAME, ""))  # Nothing, where the person has been forgotten.
        payee = self._accounts.account(agreement.payee_id)
        return self._merchants.merchant(payee.row.merchant_id).name

    def sign(self, user_id: int, agreement_id: int, pin_token: str) -> Agreement:
        """
        A person of ours says yes, with the PIN: a mandate to this institution, at this institution.

        Refuses:  AGREEMENT_UNKNOWN, AGREEMENT_SIGNED, AGREEMENT_ENDED, AGREEMENT_LAPSED; the PIN token's refusals;
                  USER_FROZEN, USER_CLOSED; MANDATES_TOO_MANY.
        Repeats:  the agreement, to who signed it.
        """
        agreement = self.offered(agreement_id)
        if agreement.state != AgreementState.OFFERED and agreement.user_id == user_id:
            return agreement
        now_ns = self._node.clock.now_ns()
        agreement.check_open(now_ns)
        name = self.merchant_name(agreement)
        self._people.user(user_id).may_pay(now_ns)
        self._look_up(agreement)
        day_max = agreement.day_max
        self._people.check_pin_token(pin_token, user_id, agreement.id, day_max, agreement.creditor, now_ns)
        granted, text = self._mandates.grant(user_id, self._node.node_id, day_max, name, agreement.creditor)
        return self._sign(
            agreement.signed(
                user_id=user_id, payer=payer_here(user_id), mandate=text, mandate_id=granted.id, now_ns=now_ns
            )
        )

    def sign_under(self, agreement_id: int, mandate: str, reference: str = "") -> Agreement:
        """
        A person elsewhere says yes, by a mandate that they granted there to this institution.

        `reference` is how their institution names who pays; where it did not say, who pays under the agreement is told as who
        signed it.

        Refuses:  MANDATE_MALFORMED; AGREEMENT_UNKNOWN, AGREEMENT_SIGNED, AGREEMENT_ENDED, AGREEMENT_LAPSED.
        Repeats:  the agreement.
        """
        id_ = mandate_id(mandate)
        agreement = self.offered(agreement_id)
        if agreement.state != AgreementState.OFFERED and agreement.mandate_id == id_:
            return agreement
        now_ns = self._node.clock.now_ns()
        agreement.check_open(now_ns)
        self._look_up(agreement)
        payer = payer_text(bank_of(mandate), reference) if reference else _drawn(mandate)
        return self._sign(agreement.signed(user_id=0, payer=payer, mandate=mandate, mandate_id=id_, now_ns=now_ns))

    def signed_by(self, user_id: int) -> list[Agreement]:
        """A person's own, oldest first. May raise `Cold`."""
        return self.all.find("user_id", user_id)

    def leave(self, user_id: int, agreement_id: int) -> Agreement:
        """A person ends an agreement of their own. Refuses AGREEMENT_UNKNOWN, for another's too. Repeats: it, ended."""
        agreement = self.offered(agreement_id)
        if agreement.user_id != user_id or not user_id:
            raise Refusal(AgreementReason.AGREEMENT_UNKNOWN)
        return self._end(agreement_id, EndedBy.PERSON)

    def withdraw(self, agreement_id: int) -> Agreement:
        """What it was for is over: nobody signs it any more, nothing is taken, and nobody is told. Repeats: it, ended."""
        agreement = self.offered(agreement_id)
        if agreement.state == AgreementState.ENDED:
            return agreement
        if agreement.state == AgreementState.SIGNED and agreement.user_id:
            self._mandates.revoke(agreement.user_id, agreement.mandate_id)
        ended = agreement.ended(EndedBy.MERCHANT, self._node.clock.now_ns())
        self.all.put(ended)
        return ended

    # Both.

    def _offer(self, caller: Caller, draft: AgreementDraft) -> Agreement:
        known = self._known(caller.payee.row.id, draft)
        if known is not None:
            return known
        self._merchants.merchant(caller.key.merchant_id).check_open()
        return self._new(caller.account.row.id, caller.payee.row.id, draft)

    def _known(self, payee_id: int, draft: AgreementDraft) -> Agreement | None:
        """What is offered under this number already."""
        now_ns = self._node.clock.now_ns()
        for known in self.all.find("number_key", number_key(payee_id, draft.plan, draft.number)):
            match known.state_at(now_ns):
                case AgreementState.SIGNED:
                    raise Refusal(AgreementReason.AGREEMENT_SIGNED)
                case AgreementState.OFFERED if known.content != draft.digest():
                    raise Refusal(AgreementReason.AGREEMENT_DIFFERS, number=draft.number)
                case AgreementState.OFFERED:
                    return known
        return None

    def _new(self, account_id: int, payee_id: int, draft: AgreementDraft) -> Agreement:
        now_ns, id_ = self._node.clock.now_ns(), self._node.mint.mint()
        contract_no = contract_number(id_)
        agreement = Agreement(
            id=id_,
            account_id=account_id,
            payee_id=payee_id,
            dialect=draft.dialect,
            plan=draft.plan,
            number=draft.number,
            number_key=number_key(payee_id, draft.plan, draft.number),
            contract_no=contract_no,
            contract_key=contract_key(contract_no),
            shown=draft.shown,
            day_max=draft.day_max,
            notify_url=draft.notify_url,
            facts=draft.kept,
            content=draft.digest(),
            state=AgreementState.OFFERED.value,
            user_id=0,
            payer="",
            mandate="",
            mandate_id=0,
            created_ns=now_ns,
            expires_ns=now_ns + OFFER_LIFE_S * NS_PER_S,
            signed_ns=0,
            ended_ns=0,
            ended_by=EndedBy.NOBODY.value,
        )
        self.all.put(agreement)
        return agreement

    def _look_up(self, agreement: Agreement) -> None:
        """May raise `Cold`."""
        if not agreement.payee_id:
            for look_up in self.on_look_up:
                look_up(agreement)

    def _changed(self, agreement: Agreement) -> None:
        if not agreement.payee_id:
            for hear in self.on_change:
                hear(agreement)

    def _begin(self, caller: Caller, agreement: Agreement, draft: OrderDraft) -> None:
        """Where there are periods, or a day, it has its turn now. Refuses ORDER_DIFFERS for the number of another order."""
        rule, schedule = agreement.rule, agreement.schedule
        if rule is None and schedule is None:
            return
        known = self._orders.known(caller, draft.out_trade_no)
        under = {each.out_trade_no for each in self.takings.find("agreement_id", agreement.id)}
        if known is not None and draft.out_trade_no not in under:
            raise Refusal(GatewayReason.ORDER_DIFFERS, out_trade_no=draft.out_trade_no)
        taken, now_ns = self._taken(caller, agreement), self._node.clock.now_ns()
        if all(each.out_trade_no != draft.out_trade_no for each in taken):
            period, today = 0, day_of(now_ns, _ZONE)
            if schedule is not None:
                schedule.check(today, draft.amount, is_taken=bool(taken))
            if rule is not None:
                period = rule.check(today, draft.amount, taken)
            taking = AgreementTaking(
                id=self._node.mint.mint(),
                agreement_id=agreement.id,
                out_trade_no=draft.out_trade_no,
                amount=draft.amount,
                period=period,
                created_ns=now_ns,
            )
            self.takings.put(taking)

    def _taken(self, caller: Caller, agreement: Agreement) -> list[AgreementTaking]:
        """All but what failed, or was taken back. May raise `Cold`."""
        found = []
        # Of a number that failed and was tried again with another amount the last counts.
        for each in {each.out_trade_no: each for each in self.takings.find("agreement_id", agreement.id)}.values():
            trade = self._orders.known(caller, each.out_trade_no)
            if trade is None or trade.state not in _IN_VAIN:
                found.append(each)
        return found

    def _sign(self, agreement: Agreement) -> Agreement:
        self.all.put(agreement)
        self._changed(agreement)
        self._tell(agreement, News.AGREEMENT_SIGNED)
        return agreement

    def _end(self, agreement_id: int, by: EndedBy) -> Agreement:
        agreement = self.offered(agreement_id)
        if agreement.state == AgreementState.ENDED:
            return agreement
        agreement.check_can_end()
        self._look_up(agreement)
        if agreement.user_id:
            self._mandates.revoke(agreement.user_id, agreement.mandate_id)
        ended = agreement.ended(by, self._node.clock.now_ns())
        self.all.put(ended)
        self._changed(ended)
        self._tell(ended, News.AGREEMENT_ENDED)
        return ended

    def _tell(self, agreement: Agreement, news: News) -> None:
        if agreement.notify_url:
            self._notifications.add(agreement.account_id, agreement.dialect, news, agreement.id, agreement.notify_url)

    def _tell_failed(self, trade: Trade) -> None:
        order = trade.order
        self._notifications.add_once(order.account_id, order.dialect, News.FAILED, order.id, order.notify_url)


def _drawn(mandate: str) -> str:
    """As whom a merchant knows a person whom their institution did not name."""
    drawn = hashlib.blake2b(mandate.encode(), digest_size=16, person=b"hutong mandated").hexdigest()
    return payer_text(bank_of(mandate), drawn)


def _under(agreement: Agreement, draft: OrderDraft) -> OrderDraft:
    """What is taken under it: its merchant knows who pays as who signed."""
    facts = draft.facts
    if agreement.payer == _drawn(agreement.mandate):
        facts = facts | {SIGNED_AS: agreement.payer}
    return msgspec.structs.replace(draft, payer_code=agreement.mandate, facts=facts)
