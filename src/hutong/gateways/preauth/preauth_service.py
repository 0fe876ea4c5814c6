"""Authorisations: asked for by merchants, agreed to by people, taken and let go."""

from collections.abc import Callable
from functools import partial

import structlog
from msgspec.structs import replace

from hutong.gateways.account import Caller
from hutong.gateways.account_service import AccountService
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order import OrderDraft, Trade, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.preauth.elsewhere_service import ElsewhereService
from hutong.gateways.preauth.person_service import PersonService
from hutong.gateways.preauth.preauth import (
    PREAUTH_OPERATIONS,
    PREAUTHS,
    OperationState,
    Preauth,
    PreauthDraft,
    PreauthOperation,
    PreauthState,
    Standing,
    auth_key,
    auth_number,
    new_operation,
    new_preauth,
    number_key,
    operation_key,
)
from hutong.gateways.preauth.reasons import PreauthReason
from hutong.institution import chart
from hutong.institution.holds.held_accounts import HeldAccounts
from hutong.institution.holds.hold import HELD_DAYS
from hutong.institution.merchants.staff_key import Right
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.payment import HELD, Order, Outcome, Payment, check_amount
from hutong.institution.payments.quotes import terms_on_us
from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.ledger.transfer import TRANSFER_DONE, TransferStatus
from hutong.runtime.daily import DueDays
from hutong.runtime.shelf import UNFINISHED_WITHIN, Shelf, decided, warmed
from hutong.scheme.messages import Channel

log = structlog.get_logger()
_REST = "rest"  # The number of the operation that lets everything go that is left.


class PreauthService:
    """What takes a `Caller` answers to the merchant that takes; what takes a person, to who is asked (invariant 8)."""

    def __init__(
        self,
        institution: InstitutionNode,
        accounts: AccountService,
        orders: OrderService,
        notifications: NotificationService,
    ) -> None:
        self._accounts = accounts
        self._institution = institution
        self._node = institution.node
        self._journal = institution.node.journal
        self._ledger = institution.ledger
        self._currency = institution.chart.currency
        self._held_accounts = HeldAccounts(self._ledger, self._currency)
        self._people = institution.people
        self._debtor = institution.payments.debtor
        self._orders = orders
        self._notifications = notifications
        self.all = Shelf(
            PREAUTHS,
            self._journal,
            self._node.store,
            by=("number_key", "auth_key", "user_id", "due_day"),
            timed=True,
        )
        self.operations = Shelf(
            PREAUTH_OPERATIONS, self._journal, self._node.store, by=("preauth_id", "number_key"), timed=True
        )
        self.elsewhere = ElsewhereService(
            institution,
            orders,
            self.all,
            self.operations,
            merchant_name=self.merchant_name,
            number=self._number,
            tell=self._tell,
        )
        self._person = PersonService(institution, self._get, self.merchant_name)
        self._due_days = DueDays(self._node, self._let_go_due)
        institution.on_tick.append(self.tick)

    async def start(self) -> None:
        """Load what it knows, and take up what a crash left half done."""
        await self.all.start()
        await self.operations.start()
        await self.elsewhere.start()
        since = max(0, self._journal.position - UNFINISHED_WITHIN)
        for preauth in await self.all.load_since(since):
            if preauth.state == PreauthState.HOLDING:
                self._move(preauth)
        for operation in await self.operations.load_since(since):
            await self.all.load([operation.preauth_id])
            if operation.state == OperationState.WANTED and not self._get(operation.preauth_id).debtor_agent:
                self._let_go(operation)
        self._journal.seal()

    # For merchants.

    async def offer(self, caller: Caller, draft: PreauthDraft) -> Preauth:
        """
        Ask to hold money, for whoever has the link to agree to.

        Refuses:  ROLE_MAY_NOT; what is wrong with the amount; PREAUTH_DIFFERS; MERCHANT_SUSPENDED, MERCHANT_CLOSED.
        Repeats:  the authorisation as it is.
        """
        caller.key.check_right(Right.CHARGE)
        check_amount(draft.amount)
        return await decided(self._journal, lambda: self._offered(caller, draft))

    async def hold_by_code(self, caller: Caller, draft: PreauthDraft, code: str) -> Preauth:
        """
        Ask the holder of a payment code: held at once where no PIN is needed, else once they have agreed in their wallet.

        Refuses:  as `offer`; what claiming a payment code refuses, or PREAUTH_CODE_REFUSED. That the balance does not cover
                  it is an authorisation that FAILED.
        Repeats:  the authorisation as it is.
        """
        offered = await self.offer(caller, draft)
        if not offered.user_id and offered.state == PreauthState.OFFERED:
            if self._institution.payments.is_ours(code):
                await decided(self._journal, lambda: self._claimed(offered.id, code))
            elif offered.state_at(self._node.clock.now_ns()) is PreauthState.OFFERED:
                await self.elsewhere.hold(offered, code)
        return await self.newest(offered)

    async def find(self, caller: Caller, *, number: str = "", auth_no: str = "") -> Preauth:
        """By the merchant's number or ours. Refuses PREAUTH_UNKNOWN."""

        def find() -> Preauth:
            if auth_no:
                found = self.all.find("auth_key", auth_key(auth_no))
            else:
                found = self.all.find("number_key", number_key(caller.payee.row.id, number))
            for each in found:
                if each.payee_id == caller.payee.row.id and number in ("", each.number):
                    return each
            raise Refusal(PreauthReason.PREAUTH_UNKNOWN)

        return await decided(self._journal, find)

    async def standing(self, preauth: Preauth) -> Standing:
        """An authorisation with its money, as the ledger has it; of what is held elsewhere, as far as is known here."""
        preauth = await self.newest(preauth)
        if preauth.debtor_agent:
            taken, let_go = await self.elsewhere.moved(preauth)
            is_held = preauth.state == PreauthState.HELD
            return Standing(preauth, preauth.amount - taken - let_go if is_held else 0, let_go)
        held = preauth.account(self._currency)
        # Both, so that what is decided next about them need not wait for the database.
        found = await self._ledger.lookup_accounts([held, chart.user_account(preauth.user_id, self._currency)])
        left = sum(each.credits_posted - each.debits_posted for each in found if each.id == held)
        done = await warmed(self._journal, lambda: self.operations.find("preauth_id", preauth.id))
        return Standing(preauth, left, sum(each.amount for each in done if each.state == OperationState.DONE))

    async def operation(self, preauth: Preauth, number: str) -> PreauthOperation:
        """What was let go under a number. Refuses PREAUTH_OPERATION_UNKNOWN."""

        def find() -> PreauthOperation:
            for each in self.operations.find("number_key", operation_key(preauth.id, number)):
                return each
            raise Refusal(PreauthReason.PREAUTH_OPERATION_UNKNOWN)

        return await decided(self._journal, find)

    async def take(self, caller: Caller, preauth: Preauth, draft: OrderDraft) -> Trade:
        """
        Take some of what is held: an order, paid at once.

        Moves:    held -> wallet -> merchant, one chain; of what is held elsewhere, by a request to pay.
        Refuses:  PREAUTH_NOT_HELD; PREAUTH_EXCEEDS_HELD; what `OrderService.place` refuses, and what a payment does.
        Repeats:  the order as it is.
        """
        assert preauth.payee_id == caller.payee.row.id
        known = await decided(self._journal, lambda: self._orders.known(caller, draft.out_trade_no))
        if known is None or known.state is TradeState.NOT_PAID:
            standing = await self.standing(preauth)
            standing.preauth.check_held()
            if draft.amount > standing.left:
                raise Refusal(PreauthReason.PREAUTH_EXCEEDS_HELD, left=standing.left)
        elif known.state is TradeState.PAID and known.order.content == draft.digest(caller):
            return known
        preauth = await self.newest(preauth)
        if preauth.debtor_agent:
            trade = await self.elsewhere.take(caller, preauth, draft)
            await self._end_if_empty(preauth)
            return trade
        trade = await self._orders.place(caller, draft)
        answered = self._journal.promise()

        def answer(_payment: Payment, _outcome: Outcome | None) -> None:
            if not answered.done():
                answered.set_result(None)

        await warmed(self._journal, lambda: self._pay(preauth, trade, answer))
        self._journal.seal()
        await answered
        await self._end_if_empty(preauth)
        trade = await self._orders.find(caller, out_trade_no=draft.out_trade_no)
        if trade.state is not TradeState.PAID:  # Somebody else was quicker, and took what was left.
            raise Refusal(PreauthReason.PREAUTH_EXCEEDS_HELD)
        return trade

    async def let_go(
        self, caller: Caller, preauth: Preauth, *, number: str, amount: int, remark: str = ""
    ) -> PreauthOperation:
        """
        Give back some of what is held.

        Moves:    held -> wallet.
        Refuses:  ROLE_MAY_NOT; what is wrong with the amount; PREAUTH_OPERATION_DIFFERS; PREAUTH_NOT_HELD;
                  PREAUTH_EXCEEDS_HELD.
        Repeats:  the operation.
        """
        caller.key.check_right(Right.REFUND)
        assert preauth.payee_id == caller.payee.row.id
        check_amount(amount)
        await self.standing(preauth)
        done = await self._let_go_now(preauth, number, amount, remark)
        if done.state == OperationState.REFUSED:
            raise Refusal(PreauthReason.PREAUTH_EXCEEDS_HELD)
        await self._end_if_empty(preauth)
        return done

    async def _let_go_now(self, preauth: Preauth, number: str, amount: int, remark: str) -> PreauthOperation:
        """Begin it, and as far as it has come by then."""
        id_ = self._node.mint.mint()  # One, however often the decision has to be taken anew.

        def begin() -> PreauthOperation:
            return self._begun(preauth.id, id_, number, amount, remark)

        if preauth.debtor_agent:
            return await self.elsewhere.let_go(begin)
        begun = await decided(self._journal, begin)
        return self.operations.get(begun.id) or begun

    async def cancel(self, caller: Caller, preauth: Preauth) -> Preauth:
        """Take it back: nobody can agree to it any more, and what is held goes back. Repeats: it, closed or ended."""
        caller.key.check_right(Right.CHARGE)
        assert preauth.payee_id == caller.payee.row.id
        await decided(self._journal, lambda: self._closed(preauth.id))
        await self._let_go_rest(preauth)
        return await self.newest(preauth)

    async def newest(self, preauth: Preauth) -> Preauth:
        """As it is, once the ledger has said whether it is held: a new account has to be looked up before it is made."""
        found = await decided(self._journal, lambda: self._get(preauth.id))
        if found.state == PreauthState.HOLDING:
            await self._ledger.lookup_accounts([found.account(self._currency)])
            found = await decided(self._journal, lambda: self._get(preauth.id))
        return found

    # For people.

    def offered(self, preauth_id: int) -> Preauth:
        """What is asked, to whoever has the link. Refuses PREAUTH_UNKNOWN. May raise `Cold`."""
        return self._get(preauth_id)

    def merchant_name(self, preauth: Preauth) -> str:
        """Who asks. May raise `Cold`."""
        payee = self._accounts.account(preauth.payee_id)
        return self._institution.merchants.merchant(payee.row.merchant_id).name

    def agree(self, user_id: int, preauth_id: int, pin_token: str) -> Preauth:
        """
        A person of ours says yes, with the PIN.

        Moves:    wallet -> held.
        Refuses:  PREAUTH_UNKNOWN, for what somebody else is asked, too; PREAUTH_NOT_OPEN; USER_FROZEN, USER_CLOSED; the PIN
                  token's refusals. That the balance does not cover it is an authorisation that FAILED.
        Repeats:  the authorisation, to who agreed.
        """
        preauth = self._asked(user_id, preauth_id)
        if preauth.due_day or preauth.state == PreauthState.ENDED:
            return preauth
        now_ns = self._node.clock.now_ns()
        preauth.check_open(now_ns)
        self._people.user(user_id).may_pay(now_ns)
        self._people.check_pin_token(pin_token, user_id, preauth.id, preauth.amount, preauth.creditor, now_ns)
        self._hold(preauth, user_id)
        return self._get(preauth_id)

    def decline(self, user_id: int, preauth_id: int) -> Preauth:
        """A person says no to what they alone are asked. Refuses as `agree`. Repeats: it, closed."""
        preauth = self._asked(user_id, preauth_id)
        if preauth.user_id != user_id:
            raise Refusal(PreauthReason.PREAUTH_UNKNOWN)
        if preauth.state != PreauthState.CLOSED:
            preauth.check_open(self._node.clock.now_ns())
            self._closed(preauth_id)
        return self._get(preauth_id)

    def of_person(self, user_id: int) -> list[Preauth]:
        """What a person is asked, or has agreed to; oldest first. May raise `Cold`."""
        return self.all.find("user_id", user_id)

    async def held_of(self, user_id: int) -> int:
        """What merchants hold of a person's money."""
        held = [each for each in await warmed(self._journal, lambda: self.of_person(user_id)) if each.held_ns]
        accounts = await self._ledger.lookup_accounts([each.account(self._currency) for each in held])
        return sum(each.credits_posted - each.debits_posted for each in accounts)

    # Time.

    def tick(self) -> None:
        """Let go what nobody took in time: looked for once a day, and after a restart."""
        self._due_days.tick()

    async def _let_go_due(self, day: int) -> None:
        for preauth in await warmed(self._journal, partial(self.all.find, "due_day", day)):
            await self._let_go_rest(preauth)

    # Within a decision.

    def _get(self, preauth_id: int) -> Preauth:
        preauth = self.all.get(preauth_id)
        if preauth is None:
            raise Refusal(PreauthReason.PREAUTH_UNKNOWN)
        return preauth

    def _asked(self, user_id: int, preauth_id: int) -> Preauth:
        preauth = self._get(preauth_id)
        if preauth.user_id not in (0, user_id):
            raise Refusal(PreauthReason.PREAUTH_UNKNOWN)
        return preauth

    def _offered(self, caller: Caller, draft: PreauthDraft) -> Preauth:
        key = number_key(caller.payee.row.id, draft.number)
        for known in self.all.find("number_key", key):
            if known.content != draft.digest():
                raise Refusal(PreauthReason.PREAUTH_DIFFERS, number=draft.number)
            return known
        self._institution.merchants.merchant(caller.key.merchant_id).check_open()
        now_ns, id_ = self._node.clock.now_ns(), self._node.mint.mint()
        self.all.put(preauth := new_preauth(caller, draft, id_, self._number(id_), now_ns))
        return preauth

    def _claimed(self, preauth_id: int, code: str) -> None:
        now_ns = self._node.clock.now_ns()
        preauth = self._get(preauth_id)
        preauth.check_open(now_ns)
        self.elsewhere.look_up_asked(preauth_id)
        name = self.merchant_name(preauth)  # To claim a code is written down: nothing may be cold behind it.
        holder = self._people.claim_payment_code(code, preauth.id, self._node.node_id)
        payer = self._people.user(holder.user_id)
        policy, _, _ = self._institution.policies.today(now_ns)
        limits = policy.limits(Channel.PAYMENT_CODE, payer.tier, verified=False)
        if holder.is_to_be_asked or preauth.amount > limits.pin_free:
            self.all.put(replace(preauth, user_id=payer.id))
            self._person.asked(preauth, payer.id, name)
        else:
            self._hold(preauth, payer.id)

    def _hold(self, preauth: Preauth, user_id: int) -> None:
        self.elsewhere.withdraw(preauth.id)
        today = self._node.clock.now_ns() // NS_PER_DAY
        holding = replace(
            preauth,
            state=PreauthState.HOLDING.value,
            user_id=user_id,
            due_day=today + HELD_DAYS,
        )
        self.all.put(holding)
        self._move(holding)

    def _move(self, preauth: Preauth) -> None:
        transfer_id, then = derive(preauth.id, "hold"), partial(self._moved, preauth.id)
        self._held_accounts.hold_back(transfer_id, preauth.id, preauth.user_id, preauth.amount, then)

    def _moved(self, preauth_id: int, statuses: list[TransferStatus]) -> None:
        preauth = self._get(preauth_id)
        if preauth.state != PreauthState.HOLDING:
            return
        now_ns = self._node.clock.now_ns()
        if statuses[0] in TRANSFER_DONE:
            self.all.put(replace(preauth, state=PreauthState.HELD.value, held_ns=now_ns))
            self._person.held(preauth.id)
            self._tell(preauth, News.PREAUTH_HELD, preauth.id)
        else:
            log.info("not_held", preauth=preauth.creditor, ledger=statuses[0].name)
            why = PreauthReason.PREAUTH_BALANCE_INSUFFICIENT.name
            self.all.put(replace(preauth, state=PreauthState.FAILED.value, reason=why, ended_ns=now_ns))

    def _pay(self, preauth: Preauth, trade: Trade, answer: Callable[[Payment, Outcome | None], None]) -> None:
        payment_id = derive(trade.order.id, "preauth")
        if (known := self._debtor.payments.get(payment_id)) is not None:
            self._debtor.repeat(known, answer)
            return
        payer = self._people.user(preauth.user_id)
        payee = self._institution.requests.payee(trade.request.id, self._node.clock.now_ns())
        order = Order(payment_id=payment_id, quote_id=0, funding=f"{HELD}{preauth.id:032x}")
        terms = terms_on_us(self._node.node_id, trade.request.id, payee)
        self._debtor.admit(payer, terms, order, trade.amount, answer, consented=True)

    def _begun(self, preauth_id: int, id_: int, number: str, amount: int, remark: str) -> PreauthOperation:
        key = operation_key(preauth_id, number)
        for known in self.operations.find("number_key", key):
            if known.amount != amount:
                raise Refusal(PreauthReason.PREAUTH_OPERATION_DIFFERS, number=number)
            return known
        preauth = self._get(preauth_id)
        preauth.check_held()
        if preauth.debtor_agent:
            self.elsewhere.look_up_release(preauth, id_)
        now_ns = self._node.clock.now_ns()
        operation = new_operation(preauth, id_, self._number(id_), number, amount, now_ns, remark=remark)
        self.operations.put(operation)
        if preauth.debtor_agent:
            self.elsewhere.release(operation, 0 if number.startswith(_REST) else amount)
        else:
            self._let_go(operation)
        return operation

    def _let_go(self, operation: PreauthOperation) -> None:
        preauth = self._get(operation.preauth_id)
        transfer_id, then = derive(operation.id, "let go"), partial(self._was_let_go, operation.id)
        self._held_accounts.let_go(transfer_id, preauth.id, preauth.user_id, operation.amount, then)

    def _was_let_go(self, operation_id: int, statuses: list[TransferStatus]) -> None:
        operation = self.operations.get(operation_id)
        assert operation is not None
        if operation.state != OperationState.WANTED:
            return
        done = statuses[0] in TRANSFER_DONE
        self.operations.put(replace(operation, state=(OperationState.DONE if done else OperationState.REFUSED).value))
        if done:
            self._tell(self._get(operation.preauth_id), News.PREAUTH_LET_GO, operation.id)

    def _closed(self, preauth_id: int) -> None:
        preauth = self._get(preauth_id)
        if preauth.state == PreauthState.OFFERED:
            self.elsewhere.withdraw(preauth_id)
            self.all.put(replace(preauth, state=PreauthState.CLOSED.value, ended_ns=self._node.clock.now_ns()))

    def _tell(self, preauth: Preauth, news: News, subject_id: int) -> None:
        if preauth.notify_url:
            self._notifications.add(preauth.account_id, preauth.dialect, news, subject_id, preauth.notify_url)

    def _number(self, id_: int) -> str:
        return auth_number(self._node.clock.now_ns(), id_)

    # Ends.

    async def _let_go_rest(self, preauth: Preauth) -> None:
        standing = await self.standing(preauth)
        if standing.preauth.state == PreauthState.HELD and standing.left:
            await self._let_go_now(standing.preauth, f"{_REST}/{standing.left}", standing.left, "")
        await self._end_if_empty(preauth)

    async def _end_if_empty(self, preauth: Preauth) -> None:
        standing = await self.standing(preauth)
        if standing.preauth.state == PreauthState.HELD and not standing.left:
            now_ns = self._node.clock.now_ns()
            ended = replace(standing.preauth, state=PreauthState.ENDED.value, due_day=0, ended_ns=now_ns)
            await decided(self._journal, lambda: self.all.put(ended))
