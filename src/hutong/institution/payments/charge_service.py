"""
The creditor's side of a request to pay: ask, ask again until there is an answer, and take what is said.

Nothing is held while it is asked. Agreement is the payment that comes for the request; PDNG and RJCT are news for the till.
"""

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from hutong.institution.payments.cashier import Cashier
from hutong.institution.payments.describer import Describer, Silence
from hutong.institution.payments.mandate import HOLD_PREFIX
from hutong.institution.payments.ports import Payee
from hutong.institution.payments.pursuit import Pursuit, Undecided
from hutong.institution.payments.quotes import fee_of, payee_occasion
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.request_to_pay import CHARGES, Charge, ChargeState
from hutong.institution.payments.wording import network_reason
from hutong.institution.policy.policy import Policies
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import (
    Channel,
    MerchantFacts,
    RequestStatus,
    RequestToPay,
    TransactionStatus,
    hex_id,
    id_hex,
)

Answer = Callable[[Charge], None]
Told = Callable[[Charge], None]
_OPEN = (ChargeState.ASKED, ChargeState.WAITING)


class ChargeService:
    """Requests to pay that we make."""

    def __init__(
        self,
        node: NodeRuntime,
        policies: Policies,
        pursuit: Pursuit,
        switch: str,
        *,
        is_ours: Callable[[str], bool],
        ask_ourselves: Callable[[RequestToPay], None],
        cashier: Cashier,
    ) -> None:
        self._node = node
        self._policies = policies
        self._journal = node.journal
        self._pursuit = pursuit
        self._switch = switch
        self._is_ours = is_ours
        self._ask_ourselves = ask_ourselves
        self._cashier = cashier
        self.describer: Describer = Silence()
        self.on_rejected: Told = lambda _charge: None
        self.charges = Shelf(CHARGES, node.journal, node.store, timed=True)
        self._asked: dict[int, Undecided] = {}
        self._waiting: dict[int, list[Answer]] = {}

    async def start(self) -> None:
        await self.charges.start()

    def discount(self, payee: Payee, request_id: int, code: str, amount: int) -> int:
        """
        What a sponsor carries of a payment by this payment code, if it is paid as things stand. May raise `Cold`.

        Nothing is set aside by it: that is done with the payment, which is refused (DISCOUNT_GONE) if it is there no more.
        What is taken of a hold has its price already.
        """
        if not payee.merchant_id or code.startswith(HOLD_PREFIX):
            return 0
        node = self._node
        debtor_agent = node.node_id if self._is_ours(code) else ""
        occasion = payee_occasion(payee, request_id, node.node_id, debtor_agent, amount, node.clock.now_ns())
        fee = fee_of(self._policies.today(occasion.now_ns)[0], payee, amount)
        offer = self._cashier.payee_offer(occasion, fee)
        return offer[1].amount if offer is not None else 0

    def collect(self, charge: Charge, answer: Answer | None = None) -> None:
        """
        Ask the payer's side to pay `charge`.

        `answer` is called when the payer's side has said something, or after a while as it stands.
        Repeats:  asks again if there is no answer yet; one request is asked for in the same words only.
        """
        known = self.charges.get(charge.id)
        said = self.describer.of(charge.merchant_id, charge.shop_id)
        if known is not None and (known.state not in _OPEN or self._node.clock.now_ns() >= known.expires_ns):
            if answer is not None:
                self._journal.effect(partial(answer, known))
            return
        if known is None:
            self.charges.put(charge)
        if charge.state == ChargeState.REJECTED:
            if answer is not None:
                self._journal.effect(partial(answer, charge))
            return
        if answer is not None:
            self._waiting.setdefault(charge.id, []).append(answer)
        asked = self._asked.get(charge.id)
        if asked is None:
            asked = self._asked[charge.id] = Undecided(charge, self._again, charge.expires_ns)
            self._pursuit.begin(asked)
        self._ask(charge, said)

    def charge(self, merchant_id: int, shop_id: int, request_id: int) -> Charge:
        """How a merchant's charge stands. Refuses CHARGE_UNKNOWN, also for another's."""
        charge = self.charges.get(request_id)
        if charge is None or charge.merchant_id != merchant_id or shop_id not in (0, charge.shop_id):
            raise Refusal(PaymentReason.CHARGE_UNKNOWN)
        return charge

    def answered(self, status: RequestStatus) -> None:
        """The payer's side asks its payer, or says no."""
        charge = self.charges.get(hex_id(status.request_id))
        if charge is None or charge.state not in _OPEN:
            return
        if status.status is TransactionStatus.PENDING:
            if charge.state == ChargeState.ASKED:
                self._turn(replace(charge, state=ChargeState.WAITING))
        elif status.status is TransactionStatus.REJECTED:
            reason, iso_code = network_reason(status.reason_name, status.reason, PaymentReason.CHARGE_REJECTED)
            rejected = replace(charge, state=ChargeState.REJECTED, reason=reason, iso_code=iso_code)
            self.on_rejected(rejected)  # It looks things up, so before anything of ours is written.
            self._turn(rejected)

    def look_up(self, request_id: int) -> None:
        """Bring a charge into memory before the decision that pays it; may be cold."""
        self.charges.get(request_id)

    def paid(self, request_id: int) -> None:
        """A payment for the request completed: in the same decision."""
        charge = self.charges.get(request_id)
        if charge is not None and charge.state != ChargeState.PAID:
            self._turn(replace(charge, state=ChargeState.PAID, reason="", iso_code=""))

    def _turn(self, charge: Charge) -> None:
        self.charges.put(charge)
        if charge.state != ChargeState.WAITING and (asked := self._asked.pop(charge.id, None)) is not None:
            asked.decided = True
        for answer in self._waiting.pop(charge.id, ()):
            self._journal.effect(partial(answer, charge))

    def _ask(self, charge: Charge, said: MerchantFacts | None) -> None:
        is_ours = self._is_ours(charge.code)  # Then we know who is paid.
        if said is not None and not is_ours:
            self.describer.tell(charge.merchant_id, charge.shop_id, said)
        message = RequestToPay(
            request_id=id_hex(charge.id),
            code=charge.code,
            amount=charge.amount,
            currency=charge.currency,
            channel=Channel(charge.channel),
            mcc=charge.mcc,
            creditor_agent=self._node.node_id,
            creditor_name=charge.creditor_name,
            creditor_discount=charge.payee_discount,
            remittance=charge.remark,
            expires_at_ms=charge.expires_ns // NS_PER_MS,
            merchant=None if is_ours else said,
        )
        if is_ours:
            # A decision of its own, behind this one: the payer's side claims the code, and may look things up.
            self._journal.effect(partial(self._node.decide, partial(self._ask_ourselves, message)))
        else:
            self._journal.tell(self._switch, message)

    def _again(self, asked: Undecided) -> None:
        charge = self.charges.get(asked.row.id)
        assert charge is not None
        said = self.describer.of(charge.merchant_id, charge.shop_id)
        for answer in self._waiting.pop(charge.id, ()):
            self._journal.effect(partial(answer, charge))
        if self._node.clock.now_ns() >= charge.expires_ns:
            # Its request has expired, so nobody can pay it any more; who had claimed it before will still tell.
            self._asked.pop(charge.id).decided = True
        else:
            self._ask(charge, said)
