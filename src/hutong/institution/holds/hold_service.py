"""
Holds: the payer's side, which keeps the money and alone says how a hold stands.

What a creditor agent asks is done once, however often it comes. Every new state is told until the creditor agent says that it knows
it; what is lost, late or told twice changes nothing.
"""

from collections.abc import Callable
from functools import partial

import structlog
from msgspec.structs import replace

from hutong.institution.holds.held_accounts import HeldAccounts
from hutong.institution.holds.hold import (
    HELD_DAYS,
    HOLD_RELEASES,
    HOLDING_MONEY,
    HOLDS,
    OFFER_LIFE_NS_MAX,
    Hold,
    HoldRelease,
    HoldState,
    ReleaseState,
    hold_key,
    read_code,
    release_key,
)
from hutong.institution.holds.reasons import HoldReason
from hutong.institution.holds.teller_service import TellerService, hold_data
from hutong.institution.payments.cashier import Balance, FundingSource
from hutong.institution.payments.payment import Payment, check_amount, check_new_id
from hutong.institution.payments.ports import Notices, Payer, People
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.wording import network_text
from hutong.institution.policy.policy import Policies
from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive, minted_ms
from hutong.kernel.money import Currency
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, TransferStatus
from hutong.runtime.daily import MISSED_DAYS, DueDays
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import UNFINISHED_WITHIN, Shelf, decided, warmed
from hutong.scheme.hold import HoldAct, HoldReport, HoldRequest
from hutong.scheme.messages import Channel, RequestToPay, hex_id

log = structlog.get_logger()
ID_AHEAD_MAX_MS = 60_000


class HoldService:
    """What people of ours let merchants elsewhere hold."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        currency: Currency,
        policies: Policies,
        people: People,
        notices: Notices,
        send: Callable[[HoldReport], None],
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._currency = currency
        self._held_accounts = HeldAccounts(ledger, currency)
        self._policies = policies
        self._people = people
        self._notices = notices
        self.holds = Shelf(HOLDS, node.journal, node.store, by=("user_id", "due_day"), timed=True)
        self.releases = Shelf(HOLD_RELEASES, node.journal, node.store, timed=True)
        self._teller = TellerService(node, self._get, send)
        self._due_days = DueDays(node, self._let_go_due)

    async def load(self) -> None:
        """What holds money; the others as they are asked for."""
        await self.holds.start()
        await self.releases.start()
        today = self._node.clock.now_ns() // NS_PER_DAY
        await self.holds.load_by("due_day", range(max(1, today - MISSED_DAYS), today + HELD_DAYS + 2))

    async def resume(self) -> None:
        """After a restart: finish what was half done, and tell again how what is held stands."""
        since = max(0, self._node.journal.position - UNFINISHED_WITHIN)
        for hold in await self.holds.load_since(since):
            if hold.is_to_be_asked:
                self._node.decide(partial(self._ask, hold.id, must_ask=True))
        for release in await self.releases.load_since(since):
            await self.holds.load([release.hold])
            if release.state == ReleaseState.WANTED:
                self._let_go(release)
        for hold in self.holds.everything():
            if hold.state == HoldState.HOLDING:
                self._move(hold)
            elif hold.state in HOLDING_MONEY:
                self._teller.expect(hold)
        self._node.journal.seal()

    # The merchant's side.

    def asked(self, message: HoldRequest) -> None:
        """
        hutong.hold: hold money of who showed this code, let some go, or how does it stand.

        Refuses:  in a hutong.held: what claiming the code refuses, HOLD_UNKNOWN, HOLD_NOT_HELD, HOLD_EXCEEDED.
        Repeats:  how it stands.

        An id from the future is dropped. It will be sent again.
        """
        hold_id = hex_id(message.hold_id)
        hold = self.holds.get(hold_key(hold_id, message.creditor_agent))
        ahead_ms = minted_ms(max(hold_id, hex_id(message.act_id or "0"))) - self._node.clock.now_ns() // NS_PER_MS
        if ahead_ms > ID_AHEAD_MAX_MS or (message.act is HoldAct.RELEASE and not message.act_id):
            log.warning("hold_dropped", creditor_agent=message.creditor_agent, hold_id=message.hold_id)
            return
        if hold is not None:
            self._teller.known(hold, message.number)
        try:
            match message.act:
                case HoldAct.OPEN if hold is None:
                    self._open(hold_id, message)
                    return
                case HoldAct.RELEASE:
                    if hold is None:
                        raise Refusal(HoldReason.HOLD_UNKNOWN)
                    self._release(hold, hex_id(message.act_id), message.amount)
                    return
        except Refusal as refusal:
            self._teller.refuse(message, hold, refusal)
            return
        if hold is not None and hold.is_to_be_asked:
            self._node.decide(partial(self._ask, hold.id, must_ask=True))
        elif hold is not None and message.number < hold.number:
            self._teller.tell(hold)

    # The person.

    def hold(self, id_: int, user_id: int) -> Hold:
        """One of theirs. Refuses HOLD_UNKNOWN, for another's, too."""
        hold = self.holds.get(id_)
        if hold is None or hold.user_id != user_id:
            raise Refusal(HoldReason.HOLD_UNKNOWN)
        return hold

    def of_person(self, user_id: int) -> list[Hold]:
        """What a person is asked, or has agreed to; oldest first. May raise `Cold`."""
        return self.holds.find("user_id", user_id)

    def shown(self, user_id: int, asked: HoldRequest) -> tuple[Hold, bool]:
        """
        What a merchant's link asks of a person, and whether they are asked already; nothing changes. May raise `Cold`.

        Refuses:  as `opened`.
        """
        hold_id, now_ns = hex_id(asked.hold_id), self._node.clock.now_ns()
        check_new_id("hold_id", hold_id, now_ns)
        self._people.user(user_id)
        hold = self.holds.get(hold_key(hold_id, asked.creditor_agent))
        if hold is None:
            return self._new(hold_id, asked, user_id, is_by_code=False), False
        return (hold, True) if hold.user_id == user_id else (hold.asked_of(user_id, now_ns), False)

    def opened(self, user_id: int, asked: HoldRequest) -> Hold:
        """
        A person has opened a merchant's link: from now on it is they who are asked.

        Refuses:  HOLD_NOT_OPEN, when somebody else here has agreed or was asked by their code; ID_FROM_THE_FUTURE, ID_MALFORMED and
                  what else is wrong with what is asked.
        Repeats:  the hold as it is.
        """
        hold, is_asked = self.shown(user_id, asked)
        if not is_asked:
            self.holds.put(hold)
        return hold

    def agree(self, user_id: int, id_: int, pin_token: str) -> Hold:
        """
        A person says yes, with the PIN.

        Moves:    wallet -> held.
        Refuses:  HOLD_UNKNOWN; HOLD_NOT_OPEN; USER_FROZEN, USER_CLOSED; the PIN token's refusals. That the balance does not cover
                  it is a hold that says so.
        Repeats:  the hold, to who agreed.
        """
        hold, now_ns = self.hold(id_, user_id), self._node.clock.now_ns()
        if hold.due_day or hold.state == HoldState.ENDED:
            return hold
        hold.check_open(now_ns)
        payer = self._people.user(user_id)
        payer.may_pay(now_ns)
        self._people.check_pin_token(pin_token, user_id, hold.id, hold.amount, hold.text, now_ns)
        self._agreed(hold, payer)
        return self.hold(id_, user_id)

    def decline(self, user_id: int, id_: int) -> Hold:
        """A person says no. Refuses as `agree`. Repeats: it, refused."""
        hold = self.hold(id_, user_id)
        if hold.reason == HoldReason.HOLD_DECLINED.name:
            return hold
        now_ns = self._node.clock.now_ns()
        hold.check_open(now_ns)
        self._put(hold.refused(HoldReason.HOLD_DECLINED, now_ns))
        return self.hold(id_, user_id)

    async def held_of(self, user_id: int) -> int:
        """What merchants elsewhere hold of a person's money."""
        return sum(each.left for each in await warmed(self._node.journal, lambda: self.of_person(user_id)))

    async def settled(self, hold: Hold) -> Hold:
        """As it is, once the ledger has said whether it is held: a new account has to be looked up before it is made."""
        found = await decided(self._node.journal, lambda: self._get(hold.id))
        if found.state == HoldState.HOLDING:
            await self._ledger.lookup_accounts([found.account(self._currency)])
            found = await decided(self._node.journal, lambda: self._get(hold.id))
        return found

    # Payments out of it.

    def claim(self, message: RequestToPay) -> tuple[int, str]:
        """
        Whose hold a request to pay names, and what it is paid from.

        Refuses:  HOLD_MALFORMED; HOLD_UNKNOWN, of another agent's hold, too; HOLD_NOT_HELD; HOLD_EXCEEDED; CURRENCY_DIFFERS.
        """
        hold_id, token = read_code(message.code)
        hold = self.holds.get(hold_key(hold_id, message.creditor_agent))
        if hold is None or hold.token != token or not hold.held_ns:
            raise Refusal(HoldReason.HOLD_UNKNOWN)
        if hold.currency != message.currency:
            raise Refusal(PaymentReason.CURRENCY_DIFFERS, currency=hold.currency)
        hold.check_free(message.amount)
        return hold.user_id, hold.funding

    def source(self, id_: int) -> FundingSource:
        """What a payment out of a hold is paid from. May raise `Cold`."""
        assert self.holds.get(id_) is not None
        return HeldMoney(self, id_)

    def reserve(self, id_: int, amount: int) -> None:
        """So much of it is on its way to the merchant."""
        self.holds.put(self._get(id_).taking(amount))

    def took(self, id_: int, amount: int) -> None:
        """It has arrived."""
        self._put(self._get(id_).took(amount, self._node.clock.now_ns()))

    def took_back(self, id_: int, payment: Payment) -> None:
        """The network said no, and it is held again; or goes back, where the hold has ended meanwhile."""
        hold = self._get(id_).took_back(payment.paid)
        if hold.state == HoldState.ENDING:
            self._begin_release(hold, derive(payment.id, "release"), 0, payment.paid)
        else:
            self.holds.put(hold)

    # Time.

    def tick(self) -> None:
        """Let go what nobody took in time, and tell again what the other side may not know."""
        self._teller.tick()
        self._due_days.tick()

    async def _let_go_due(self, day: int) -> None:
        due = await warmed(self._node.journal, partial(self.holds.find, "due_day", day))
        self._node.decide_each(partial(self._lapse, hold.id) for hold in due)

    # Within a decision.

    def _open(self, hold_id: int, message: HoldRequest) -> None:
        now_ns = self._node.clock.now_ns()
        hold = self._new(hold_id, message, 0, is_by_code=True)
        if hold.expires_ns <= now_ns:
            raise Refusal(PaymentReason.REQUEST_EXPIRED)
        holder = self._people.claim_payment_code(message.code, hold.id, message.creditor_agent)
        # A decision of its own: who the payer is shows only now, and what is known of the payer may have to be loaded.
        hold = replace(hold, user_id=holder.user_id)
        self.holds.put(hold)
        self._node.journal.seal()
        self._node.decide(partial(self._ask, hold.id, must_ask=holder.is_to_be_asked))

    def _ask(self, id_: int, *, must_ask: bool) -> None:
        """
        Hold it at once where no PIN is needed, else ask. Whom a crash kept from being asked is asked in any case: that they need
        not be was said with the code, and is not kept.
        """
        hold, now_ns = self._get(id_), self._node.clock.now_ns()
        if not hold.is_to_be_asked:
            return
        payer, hold = self._people.user(hold.user_id), replace(hold, number=1)
        if hold.expires_ns <= now_ns:
            self._put(hold.refused(PaymentReason.REQUEST_EXPIRED, now_ns, HoldState.CLOSED))
            return
        try:
            payer.may_pay(now_ns)
        except Refusal as refusal:
            self._put(hold.refused(refusal.reason, now_ns))
            return
        policy, _, _ = self._policies.today(now_ns)
        if not must_ask and hold.amount <= policy.limits(Channel.PAYMENT_CODE, payer.tier, verified=False).pin_free:
            self._agreed(hold, payer)
            return
        self.holds.put(hold)
        self._notices.tell_user(hold.user_id, "hold.asked", hold_data(hold))
        self._teller.tell(hold)

    def _new(self, hold_id: int, asked: HoldRequest, user_id: int, *, is_by_code: bool) -> Hold:
        now_ns = self._node.clock.now_ns()
        check_amount(asked.amount)
        if asked.currency != self._currency.alpha:
            raise Refusal(PaymentReason.CURRENCY_DIFFERS, currency=self._currency.alpha)
        return Hold(
            id=hold_key(hold_id, asked.creditor_agent),
            hold_id=hold_id,
            creditor_agent=asked.creditor_agent,
            creditor_name=network_text("creditor_name", asked.creditor_name),
            title=network_text("remittance", asked.remittance),
            user_id=user_id,
            debtor_name="",
            token=self._node.randomness.getrandbits(128),
            is_by_code=is_by_code,
            amount=asked.amount,
            currency=asked.currency,
            taken=0,
            released=0,
            under_way=0,
            state=HoldState.WAITING,
            reason="",
            iso_code="",
            number=0,
            attempt=0,
            due_day=0,
            created_ns=now_ns,
            expires_ns=min(asked.expires_at_ms * NS_PER_MS, now_ns + OFFER_LIFE_NS_MAX),
            held_ns=0,
            changed_ns=now_ns,
        )

    def _agreed(self, hold: Hold, payer: Payer) -> None:
        hold = hold.agreed(payer.masked_name, self._node.clock.now_ns())
        self.holds.put(hold)
        self._move(hold)

    def _move(self, hold: Hold) -> None:
        transfer_id, then = derive(hold.id, f"hold/{hold.attempt}"), partial(self._moved, hold.id)
        self._held_accounts.hold_back(transfer_id, hold.id, hold.user_id, hold.amount, then)

    def _moved(self, id_: int, statuses: list[TransferStatus]) -> None:
        hold, now_ns = self._get(id_), self._node.clock.now_ns()
        if hold.state != HoldState.HOLDING:
            return
        if statuses[0] in TRANSFER_DONE:
            hold = hold.held(now_ns)
            self._put(hold)
            self._notices.tell_user(hold.user_id, "hold.held", hold_data(hold))
            return
        log.info("not_held", hold=hold.text, ledger=statuses[0].name)
        hold = hold.not_covered(now_ns)
        if hold.state == HoldState.WAITING:
            self.holds.put(hold)  # The merchant's side was told nothing, and isn't now.
        else:
            self._put(hold)

    def _release(self, hold: Hold, act_id: int, amount: int) -> None:
        """Let go so much, or everything and end it."""
        known = self.releases.get(release_key(hold, act_id))
        if known is not None:
            if amount not in (0, known.amount):
                raise Refusal(PaymentReason.ID_TAKEN, field="amount")
            if known.state == ReleaseState.DONE:
                self._teller.tell(hold, act_id)
            return
        now_ns = self._node.clock.now_ns()
        if amount:
            hold.check_free(amount)
            self._begin_release(hold, release_key(hold, act_id), act_id, amount)
        elif hold.state == HoldState.WAITING:
            self._put(hold.refused(HoldReason.HOLD_WITHDRAWN, now_ns, HoldState.CLOSED), act_id)
        elif hold.state == HoldState.HELD:
            self._end(hold, release_key(hold, act_id), act_id)
        elif hold.state != HoldState.HOLDING:  # The ledger answers in a moment, and it is asked again.
            self._teller.tell(hold, act_id)

    def _end(self, hold: Hold, release_id: int, act_id: int) -> None:
        """Nothing more is taken of it, and what is not under way goes back."""
        hold = hold.ending(self._node.clock.now_ns())
        if hold.free:
            self._begin_release(hold, release_id, act_id, hold.free)
        else:
            self._put(hold, act_id)

    def _begin_release(self, hold: Hold, id_: int, act_id: int, amount: int) -> None:
        release = HoldRelease(
            id=id_,
            hold=hold.id,
            act_id=act_id,
            amount=amount,
            state=ReleaseState.WANTED,
            created_ns=self._node.clock.now_ns(),
        )
        self.holds.put(hold.taking(amount))
        self.releases.put(release)
        self._let_go(release)

    def _let_go(self, release: HoldRelease) -> None:
        hold = self._get(release.hold)
        transfer_id, then = derive(release.id, "let go"), partial(self._was_let_go, release)
        self._held_accounts.let_go(transfer_id, hold.id, hold.user_id, release.amount, then)

    def _was_let_go(self, release: HoldRelease, statuses: list[TransferStatus]) -> None:
        assert statuses[0] in TRANSFER_DONE, statuses  # Nothing else can take what is under way.
        known = self.releases.get(release.id)
        if known is None or known.state == ReleaseState.DONE:
            return
        hold = self._get(release.hold).let_go(release.amount, self._node.clock.now_ns())
        self.releases.put(replace(known, state=ReleaseState.DONE))
        self._put(hold, release.act_id)
        self._notices.tell_user(hold.user_id, "hold.released", hold_data(hold))

    def _lapse(self, id_: int) -> None:
        hold = self._get(id_)
        if hold.state == HoldState.HELD:
            self._end(hold, derive(hold.id, "lapse"), 0)

    def _get(self, id_: int) -> Hold:
        hold = self.holds.get(id_)
        assert hold is not None
        return hold

    def _put(self, hold: Hold, act_id: int = 0) -> None:
        """A new state, which the creditor agent is told until it knows it."""
        self.holds.put(hold)
        self._teller.changed(hold, act_id)


class HeldMoney(Balance):
    """What a payment is paid from that takes some of a hold: it passes through the wallet, in the same chain."""

    def __init__(self, holds: HoldService, id_: int) -> None:
        self._holds = holds
        self._id = id_

    def account(self, payer: Payer, amount: int) -> int:
        """Refuses HOLD_UNKNOWN, of another's; HOLD_NOT_HELD, HOLD_EXCEEDED."""
        self._holds.hold(self._id, payer.id).check_free(amount)
        return payer.wallet_account

    def reserve(self, payer: Payer, payment_id: int, amount: int) -> None:  # noqa: ARG002  # The ledger knows the payment.
        self._holds.reserve(self._id, amount)

    def commit(self, payment: Payment) -> None:
        self._holds.took(self._id, payment.paid)

    def release(self, payment: Payment) -> None:
        self._holds.took_back(self._id, payment)
