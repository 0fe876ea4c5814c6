"""Authorisations by people of other institutions: what is held is held there, and this side knows what it is told."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from msgspec.structs import replace

from hutong.gateways.account import Caller
from hutong.gateways.notification import News
from hutong.gateways.order import OrderDraft, Trade, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.preauth.preauth import (
    PREAUTH_TAKES,
    OperationState,
    Preauth,
    PreauthOperation,
    PreauthState,
    PreauthTake,
    new_operation,
)
from hutong.gateways.preauth.reasons import PreauthReason
from hutong.institution.holds.authorisation import Authorisation, AuthorisationState, Offer, Release, ReleaseState
from hutong.institution.holds.reasons import HoldReason
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.payment import payer_text
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import Shelf, decided, warmed

ANSWER_WAIT_S = 4  # Then whoever asked is told that it is not known yet.
_DECLINED = frozenset({HoldReason.HOLD_DECLINED.name, HoldReason.HOLD_WITHDRAWN.name, HoldReason.HOLD_NOT_OPEN.name})
_TOO_MUCH = HoldReason.HOLD_EXCEEDED.name
_OVER = HoldReason.HOLD_NOT_HELD.name

Tell = Callable[[Preauth, News, int], None]


class ElsewhereService:
    """Who asks, for `institution.holds`; `preauths`, `operations` and `tell` are the gateway's own."""

    def __init__(
        self,
        institution: InstitutionNode,
        orders: OrderService,
        preauths: Shelf[Preauth],
        operations: Shelf[PreauthOperation],
        *,
        merchant_name: Callable[[Preauth], str],
        number: Callable[[int], str],
        tell: Tell,
    ) -> None:
        self._node = institution.node
        self._journal = institution.node.journal
        self._currency = institution.chart.currency.alpha
        self._orders = orders
        self._authorisations = institution.holds.authorisations
        self._authorisations.asker = self
        self._preauths = preauths
        self._operations = operations
        self._merchant_name = merchant_name
        self._number = number
        self._tell = tell
        self._takes = Shelf(PREAUTH_TAKES, self._journal, self._node.store, by=("preauth_id",), timed=True)
        self._waiting: dict[int, list[asyncio.Future[None]]] = {}

    async def start(self) -> None:
        await self._takes.start()

    # For who is asked by a merchant.

    async def hold(self, preauth: Preauth, code: str) -> None:
        """
        Ask whoever shows this code, and wait until their institution has said something, or a while.

        Refuses:  PREAUTH_CODE_REFUSED: nobody's, or not good; another may be tried.
        """

        def ask() -> None:
            offer = self.offer(preauth.id)
            assert offer is not None, "it was just written down"
            self._authorisations.ask(offer, code)

        def is_waited_for() -> bool:
            asked = self._authorisations.all.get(preauth.id)
            return asked is not None and asked.state == AuthorisationState.ASKED and not asked.number

        await self._answered(preauth.id, ask, is_waited_for)
        known = await decided(self._journal, lambda: self._authorisations.all.get(preauth.id))
        if known is not None and known.state == AuthorisationState.REFUSED and not known.number:
            raise Refusal(PreauthReason.PREAUTH_CODE_REFUSED, because=known.reason)

    async def let_go(self, begin: Callable[[], PreauthOperation]) -> PreauthOperation:
        """Begin to give some back, and wait until it is known, or a while: then it is still WANTED."""
        begun = await decided(self._journal, begin)

        def now() -> PreauthOperation:
            return self._operations.get(begun.id) or begun

        await self._answered(begun.id, now, lambda: now().state == OperationState.WANTED)
        return await decided(self._journal, now)

    def release(self, operation: PreauthOperation, amount: int) -> None:
        """Within a decision that has called `look_up_release`: let go so much, or, with 0, everything and end it."""
        self._authorisations.release(operation.preauth_id, operation.id, amount)

    def look_up_release(self, preauth: Preauth, release_id: int) -> None:
        """Bring into memory what `release` needs. May raise `Cold`."""
        self.look_up_asked(preauth.id)
        self._authorisations.releases.get(release_id)

    def look_up_asked(self, preauth_id: int) -> None:
        """Bring into memory what `withdraw` needs. May raise `Cold`."""
        self._authorisations.all.get(preauth_id)

    def withdraw(self, preauth_id: int) -> None:
        """Nobody elsewhere can agree to it any more. May raise `Cold`, before it appends anything."""
        self._authorisations.withdraw(preauth_id)

    async def moved(self, preauth: Preauth) -> tuple[int, int]:
        """What was taken and let go, as far as is known here: payments we know to be paid may be ahead of what we are told."""
        known = await warmed(self._journal, lambda: self._authorisations.all.get(preauth.id))
        takes = await warmed(self._journal, lambda: self._takes.find("preauth_id", preauth.id))
        taken = sum(each.amount for each in takes)
        return (max(taken, known.taken), known.released) if known is not None else (taken, 0)

    async def take(self, caller: Caller, preauth: Preauth, draft: OrderDraft) -> Trade:
        """
        Take some of what is held there: an order that its institution is asked to pay out of it.

        Refuses:  PREAUTH_EXCEEDS_HELD, PREAUTH_NOT_HELD, as its institution says; what `OrderService.collect` refuses.
        Repeats:  the order as it is; asks again while nobody has answered.
        """
        known = await warmed(self._journal, lambda: self._authorisations.all.get(preauth.id))
        assert known is not None, "it is held there"
        trade = await self._orders.collect(caller, replace(draft, payer_code=known.token))
        if trade.state is TradeState.PAID:
            take = PreauthTake(id=trade.order.id, preauth_id=preauth.id, amount=trade.amount)
            await decided(self._journal, lambda: self._took(take))
        elif trade.state is TradeState.FAILED and trade.charge is not None:
            if trade.charge.reason == _TOO_MUCH:
                raise Refusal(PreauthReason.PREAUTH_EXCEEDS_HELD)
            if trade.charge.reason == _OVER:
                raise Refusal(PreauthReason.PREAUTH_NOT_HELD, state=PreauthState.ENDED.value)
        return trade

    # For `institution.holds`.

    def offer(self, id_: int) -> Offer | None:
        """What a merchant asks, if a person elsewhere may agree to it. May raise `Cold`."""
        preauth = self._preauths.get(id_)
        if preauth is None:
            return None
        self._operations.find("preauth_id", id_)
        is_offered = preauth.state_at(self._node.clock.now_ns()) is PreauthState.OFFERED
        return Offer(
            id=id_,
            amount=preauth.amount,
            currency=self._currency,
            creditor_name=self._merchant_name(preauth),
            title=preauth.title,
            is_open=is_offered and not preauth.user_id,  # Else a person of ours is asked, by their code.
            expires_ns=preauth.expires_ns,
        )

    def look_up(self, release_id: int) -> None:
        operation = self._operations.get(release_id)
        if operation is not None:
            self._preauths.get(operation.preauth_id)

    def changed(self, authorisation: Authorisation) -> None:
        preauth, now_ns = self._preauths.get(authorisation.id), self._node.clock.now_ns()
        assert preauth is not None, "it was looked up"
        self._wake(preauth.id)
        match authorisation.state, preauth.state:
            case AuthorisationState.HELD, PreauthState.OFFERED:
                agent = authorisation.debtor_agent
                payer = payer_text(agent, authorisation.debtor_ref)
                held = replace(preauth, state=PreauthState.HELD.value, debtor_agent=agent, payer=payer, held_ns=now_ns)
                self._preauths.put(held)
                self._tell(held, News.PREAUTH_HELD, held.id)
            case AuthorisationState.REFUSED, PreauthState.OFFERED if authorisation.number:
                state = PreauthState.CLOSED if authorisation.reason in _DECLINED else PreauthState.FAILED
                self._preauths.put(replace(preauth, state=state.value, reason=authorisation.reason, ended_ns=now_ns))
            case AuthorisationState.ENDED, PreauthState.HELD:
                self._went_back(preauth, authorisation)
                self._preauths.put(replace(preauth, state=PreauthState.ENDED.value, ended_ns=now_ns))

    def released(self, release: Release) -> None:
        operation = self._operations.get(release.id)
        if operation is None:
            return
        self._wake(operation.id)
        if operation.state != OperationState.WANTED:
            return
        done = release.state == ReleaseState.DONE
        state = OperationState.DONE if done else OperationState.REFUSED
        self._operations.put(replace(operation, state=state.value))
        preauth = self._preauths.get(operation.preauth_id)
        if done and preauth is not None:
            self._tell(preauth, News.PREAUTH_LET_GO, operation.id)

    # Within a decision.

    def _went_back(self, preauth: Preauth, authorisation: Authorisation) -> None:
        """What nobody here let go, or is just letting go, went back by itself: the merchant hears of it as of any other."""
        asked = [
            each for each in self._operations.find("preauth_id", preauth.id) if each.state != OperationState.REFUSED
        ]
        amount = authorisation.released - sum(each.amount for each in asked)
        if amount <= 0:
            return
        id_, number = self._node.mint.mint(), f"lapsed/{amount}"
        operation = new_operation(
            preauth, id_, self._number(id_), number, amount, self._node.clock.now_ns(), state=OperationState.DONE
        )
        self._operations.put(operation)
        self._tell(preauth, News.PREAUTH_LET_GO, operation.id)

    def _took(self, take: PreauthTake) -> None:
        if self._takes.get(take.id) is None:
            self._takes.put(take)

    async def _answered(self, id_: int, decide: Callable[[], object], is_waited_for: Callable[[], bool]) -> None:
        """Decide, and wait until something is heard of it, or a while."""
        answered = self._journal.promise()
        waiting = self._waiting.setdefault(id_, [])
        waiting.append(answered)
        try:
            await decided(self._journal, decide)
            if await warmed(self._journal, is_waited_for):
                with suppress(TimeoutError):
                    async with asyncio.timeout(ANSWER_WAIT_S):
                        await answered
        finally:
            waiting.remove(answered)
            if not waiting:
                self._waiting.pop(id_, None)

    def _wake(self, id_: int) -> None:
        for each in self._waiting.get(id_, ()):
            self._journal.effect(partial(_heard, each))


def _heard(answered: asyncio.Future[Any]) -> None:
    if not answered.done():
        answered.set_result(None)
