"""Two institutions and the real switch, a letter at a time: what may be done in it, and what must then be true."""

from contextlib import suppress
from functools import partial
from typing import Any

from hutong.institution import chart
from hutong.institution.payments.payment import PAYMENT_OUTCOMES, PAYMENTS, Order
from hutong.institution.payments.quotes import Terms
from hutong.institution.payments.receipt import RECEIPT_OUTCOMES, RECEIPTS
from hutong.institution.payments.refund import REFUND_OUTCOMES, REFUNDS, RETURN_OUTCOMES, RefundOrder
from hutong.institution.payments.request_to_pay import CHARGES, Charge, ChargeState
from hutong.institution.payments.usage_service import Usage
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.ledger.transfer import Transfer
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import Channel, TransactionStatus
from hutong.switch.repository import DECISIONS
from tests.institution.payments.neighbours import ASKS, Asks, Person, pin_token
from tests.institution.payments.world import Institution, Place, World, now

STATIC = "https://wei.example/q/static"
OPENING = 1_000_000
STEPS = 300
CAP = 250_000


class Trouble:
    """One world of people, tills and codes; its journals lose what is not flushed."""

    def __init__(self, seed: int) -> None:
        self.world = World("jing", "wei", seed=seed, immediate=False, cap=CAP)
        self.random = self.world.random
        self.world.fees(20, 5)
        self.world.register("wei", "url:https://wei.example/q/")
        self.world.register("jing", "digits:62:18")
        self.jing, self.wei = self.world["jing"], self.world["wei"]
        self.payers = [self.jing.user(OPENING) for _ in range(3)]
        self.merchant = self.wei.merchant()
        self.static = self.wei.asks(self.merchant, code=STATIC, fee_bps=60)
        self.plates = {payer.id: self.jing.asks(user=payer) for payer in self.payers}
        self.charges: list[Charge] = []
        self.requests: list[Asks] = []
        self.orders: list[tuple[Person, Order]] = []
        self.refunds: list[RefundOrder] = []
        self.world.flush()

    def charge(self) -> None:
        """A till scans a payer's phone; some amounts need the payer's PIN."""
        code = f"62{self.random.randrange(10**16):016}"
        self.jing.shown[code] = self.random.choice(self.payers).id
        amount = self.random.choice([500, 100_001])
        expires_ns = self.world.clock.now_ns() + 60 * NS_PER_S
        kind = Channel.PAYMENT_CODE.value
        asks = self.wei.asks(self.merchant, amount=amount, kind=kind, expires_ns=expires_ns)
        charge = Charge(
            id=asks.id,
            merchant_id=self.merchant,
            shop_id=0,
            code=code,
            creditor_name=asks.name,
            mcc=asks.mcc,
            channel=kind,
            amount=amount,
            currency="CNY",
            remark="",
            state=ChargeState.ASKED,
            created_ns=self.world.clock.now_ns(),
            expires_ns=expires_ns,
        )
        self.charges.append(charge)
        self.wei.decide(lambda: self.wei.payments.charges.collect(charge))

    def approve(self) -> None:
        to_pays = self.jing.payments.to_pays
        payer = self.random.choice(self.payers)
        for row in now(to_pays.waiting(payer.id)):
            token = pin_token(payer.id, row.payment_id, row.amount, row.terms.creditor)
            with suppress(Refusal):
                self.jing.decide(partial(to_pays.approve, payer.id, row.id, token, lambda *_: None))

    def _refund(self, order: RefundOrder) -> None:
        with suppress(Refusal):
            refunds = self.wei.payments.refunds
            self.wei.decide(lambda: refunds.refund(self.merchant, order, lambda *_: None))

    def usage(self, payer: Person) -> Usage:
        usages = self.jing.payments.debtor.usages
        return now(warmed(self.jing.journal, lambda: usages.of(payer.id, payer.wallet_account)))

    # What must hold.

    def check_safety(self) -> None:
        """At no moment do two durable outcomes of one thing differ, and no request is paid twice."""
        paid, received = _ends(self.jing, PAYMENT_OUTCOMES), _ends(self.wei, RECEIPT_OUTCOMES)
        refunded, returned = _ends(self.wei, REFUND_OUTCOMES), _ends(self.jing, RETURN_OUTCOMES)
        decided = {
            int(row.payment_id): row.status == TransactionStatus.COMPLETED.value
            for _, row in self.world.switch.store.rows[DECISIONS.name]
        }
        for one, other in [(paid, received), (refunded, returned), (paid, decided), (received, decided)]:
            for id_ in one.keys() & other.keys():
                assert one[id_] == other[id_]
        by_request: dict[int, int] = {}
        for _, receipt in self.wei.store.rows[RECEIPTS.name]:
            if not receipt.is_static and received.get(receipt.id):
                by_request[receipt.request_id] = by_request.get(receipt.request_id, 0) + 1
        assert all(count == 1 for count in by_request.values())
        assert all(place.balanced() for place in self.world.places.values())

    def check_agreement(self) -> None:
        """After healing everything is decided, and every ledger says the same."""
        assert not self.world.letters
        for place in (self.jing, self.wei, self.world.switch):
            assert not _pendings(place)
        assert not self.jing.payments.debtor.undecided
        assert not self.wei.payments.creditor.undecided
        assert not self.wei.payments.refunds.undecided
        states = {row.id: row.state for _, row in self.wei.store.rows[ASKS.name]}
        assert set(states.values()) <= {"OPEN", "PAID"}, "a request is claimed by a payment that is no more"
        paid, received = _ends(self.jing, PAYMENT_OUTCOMES), _ends(self.wei, RECEIPT_OUTCOMES)
        refunded, returned = _ends(self.wei, REFUND_OUTCOMES), _ends(self.jing, RETURN_OUTCOMES)
        across = {row.id for _, row in self.jing.store.rows[PAYMENTS.name] if row.creditor_agent == "wei"}
        assert across & {id_ for id_, done in paid.items() if done} == {id_ for id_, done in received.items() if done}
        assert {id_ for id_, done in refunded.items() if done} == {id_ for id_, done in returned.items() if done}
        payments = {row.id: row for _, row in self.jing.store.rows[PAYMENTS.name]}
        assert payments.keys() == paid.keys()
        gross = sum(payments[id_].gross for id_, done in paid.items() if done and id_ in across)
        refunds = {row.id: row for _, row in self.wei.store.rows[REFUNDS.name]}
        assert refunds.keys() == refunded.keys()
        back = sum(refunds[id_].gross for id_, done in refunded.items() if done)
        spent = sum(OPENING - self.jing.balance(payer.wallet_account) for payer in self.payers)
        assert spent == gross - back
        for institution in (self.jing, self.wei):
            position = self.world.switch.position(institution.node_id) - CAP
            assert institution.balance(institution.chart.clearing) == -position
        merchant = self.wei.balance(chart.merchant_account(self.merchant))
        own = sum(
            institution.balance(account)
            for institution in (self.jing, self.wei)
            for account in (institution.chart.fee_income, institution.chart.interchange_income)
        )
        own += self.wei.balance(self.wei.chart.acquiring_expense)
        income = spent - merchant - own  # What is left is the switch fee.
        assert income == -sum(self.world.switch.position(name) - CAP for name in ("jing", "wei"))
        # A till is told the truth: paid is paid, and what it believes rejected is not.
        by_request = {row.request_id for _, row in self.wei.store.rows[RECEIPTS.name] if received.get(row.id)}
        for charge in {row.id: row for _, row in self.wei.store.rows[CHARGES.name]}.values():
            assert (charge.state == ChargeState.PAID) == (charge.id in by_request), charge
        # Limits count what was paid and nothing that was refused.
        for payer in self.payers:
            mine = [row for row in payments.values() if row.user_id == payer.id]
            if mine:
                usage = self.usage(payer)
                assert usage.year_spent == sum(row.paid for row in mine if paid[row.id])


def _terms(wei: Institution, code: str) -> Any:
    payee = now(warmed(wei.journal, lambda: wei.neighbours.resolve(code)))
    assert payee is not None
    asks = payee.payee
    fees = wei.world.switch.switch.admission.fees_now(asks.mcc, asks.channel)
    return Terms(
        creditor_agent="wei",
        request_id=asks.id,
        payee_name=asks.name,
        shop_name="",
        mcc=asks.mcc,
        channel=asks.channel,
        is_static=asks.is_static,
        amount=asks.amount,
        currency="CNY",
        interchange_bps=fees.interchange_bps,
        switch_fee_bps=fees.switch_fee_bps,
        fee_version=fees.version,
    )


def _ends(place: Any, table: Any) -> dict[int, bool]:
    ends: dict[int, bool] = {}
    for _, row in place.store.rows[table.name]:
        assert row.id not in ends, "decided twice"
        ends[row.id] = row.completed
    return ends


def _pendings(place: Place) -> list[Transfer]:
    return now(place.ledger.pending_transfers())
