"""The life of a payment request: the rules alone, then the service with payers, crashes and a clock, in any order."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.requests.repository import REQUESTS
from hutong.institution.requests.request import PaymentRequest, RequestState
from hutong.kernel.errors import Refusal
from tests.institution.merchants.shop_street import ShopStreet, draft, refusal_of

NOW, LATER, OVER = 1_000, 2_000, 9_000
ALICE, BOB = 256, 512


def request(state: str = "OPEN", claimed_by: int = 0, code_id: int = 0) -> PaymentRequest:
    return PaymentRequest(
        id=1 << 90,
        merchant_id=1 << 91,
        user_id=0,
        shop_id=0,
        code_id=code_id,
        reference="order-1",
        reference_key=3,
        amount=1200,
        currency="CNY",
        channel="DYNAMIC",
        payer_code="",
        remark="",
        state=state,
        claimed_by=claimed_by,
        created_ns=NOW,
        expires_ns=OVER,
        changed_ns=NOW,
        listed_merchant=1 << 91,
        listed_shop=None,
    )


# What Alice does to a request in a state, at a time: the state after, or the reason for the no.
LIFE = """
OPEN            claim    in time  CLAIMED
OPEN            claim    too late REQUEST_EXPIRED
OPEN            release  in time  OPEN
OPEN            cancel   in time  CANCELLED
OPEN            cancel   too late CANCELLED
CLAIMED by her  claim    in time  CLAIMED
CLAIMED by her  claim    too late CLAIMED
CLAIMED by her  release  in time  OPEN
CLAIMED by her  release  too late OPEN
CLAIMED by her  paid     in time  PAID
CLAIMED by her  paid     too late PAID
CLAIMED by her  cancel   in time  REQUEST_CLAIMED
CLAIMED by her  cancel   too late REQUEST_CLAIMED
CLAIMED by Bob  claim    in time  REQUEST_CLAIMED
CLAIMED by Bob  claim    too late REQUEST_CLAIMED
CLAIMED by Bob  release  in time  CLAIMED
PAID by her     claim    in time  PAID
PAID by her     paid     in time  PAID
PAID by her     cancel   in time  REQUEST_ALREADY_PAID
PAID by Bob     claim    in time  REQUEST_ALREADY_PAID
PAID by Bob     claim    too late REQUEST_ALREADY_PAID
PAID by Bob     release  in time  PAID
CANCELLED       claim    in time  REQUEST_CANCELLED
CANCELLED       claim    too late REQUEST_CANCELLED
CANCELLED       release  in time  CANCELLED
CANCELLED       cancel   in time  CANCELLED
"""
ROWS = [(line[:16].strip(), line[16:25].strip(), line[25:34].strip(), line[34:]) for line in LIFE.strip().splitlines()]


@pytest.mark.parametrize(("before", "act", "when", "after"), ROWS)
def test_a_request_lives_as_the_table_says(before: str, act: str, when: str, after: str) -> None:
    state, _, who = before.partition(" by ")
    known = request(state, {"": 0, "her": ALICE, "Bob": BOB}[who])
    now_ns = LATER if when == "in time" else OVER
    acts: dict[str, Callable[[], PaymentRequest]] = {
        "claim": lambda: known.claim(ALICE, now_ns),
        "release": lambda: known.release(ALICE, now_ns),
        "paid": lambda: known.paid(ALICE, now_ns),
        "cancel": lambda: known.cancel(now_ns),
    }
    if after not in list(RequestState):
        assert refusal_of(acts[act]).reason.name == after
        return
    moved = acts[act]()
    assert moved.state == after
    if moved.state == known.state:
        assert moved is known, "what changes nothing is written nowhere"


@pytest.mark.parametrize(("state", "claimed_by"), [("OPEN", 0), ("CANCELLED", 0), ("CLAIMED", BOB), ("PAID", BOB)])
def test_nobody_pays_a_request_without_its_claim(state: str, claimed_by: int) -> None:
    with pytest.raises(AssertionError):
        request(state, claimed_by).paid(ALICE, LATER)


def test_a_request_expires_at_its_instant_and_not_before() -> None:
    assert request().state_at(OVER - 1) is RequestState.OPEN
    assert request().state_at(OVER) is RequestState.EXPIRED
    assert request("CLAIMED", ALICE).state_at(OVER) is RequestState.CLAIMED


class RequestLife(RuleBasedStateMachine):
    """
    Two payers and more, a merchant, a clock and crashes, in any order.

    The model knows of each request which payments hold money for it, from the claims that were answered yes and durable.
    """

    requests = Bundle("requests")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.street = ShopStreet(immediate=False)
        self.paid: dict[int, int] = {}
        self.cancelled: set[int] = set()
        self.under_way: dict[int, int] = {}
        self.payments = 0

    @initialize()
    def a_merchant(self) -> None:
        self.owner: StaffKey = self.street.owner()
        self.street.flush()

    @rule(target=requests, lifetime_s=st.integers(30, 120))
    def create(self, lifetime_s: int) -> int:
        reference = f"order-{self.street.clock.ns}-{self.payments}"
        self.payments += 1
        service = self.street.requests
        made = self.street.do(lambda: service.create(self.owner, draft(reference=reference, lifetime_s=lifetime_s)))
        self.street.flush()
        return made.id

    @rule(target=claims, request_id=requests)
    def claim(self, request_id: int) -> object:
        self.payments += 1
        payment_id = self.payments << 8
        service, now_ns = self.street.requests, self.street.now_ns
        known = self.street.do(lambda: service.request(request_id))
        why_not = self._why_not(request_id, known, now_ns)
        if why_not:
            assert self.street.no(service.claim, request_id, payment_id, now_ns).reason.name == why_not
            return multiple()
        self.street.do(lambda: service.claim(request_id, payment_id, now_ns))
        self.street.flush()
        self.under_way[request_id] = payment_id
        return request_id, payment_id

    @rule(claim=claims)
    def claim_again(self, claim: tuple[int, int]) -> None:
        if self.under_way.get(claim[0]) == claim[1] or self.paid.get(claim[0]) == claim[1]:
            before = self.street.journal.position
            self.street.do(lambda: self.street.requests.claim(*claim, self.street.now_ns))
            assert self.street.journal.position == before

    @rule(claim=claims)
    def fail(self, claim: tuple[int, int]) -> None:
        """A rejection, perhaps told a second time, when another payment is under way."""
        if self.paid.get(claim[0]) != claim[1]:
            self.street.do(lambda: self.street.requests.release(*claim))
            self.street.flush()
            if self.under_way.get(claim[0]) == claim[1]:
                del self.under_way[claim[0]]

    @rule(claim=claims)
    def complete(self, claim: tuple[int, int]) -> None:
        if self.under_way.get(claim[0]) == claim[1]:
            self.street.do(lambda: self.street.requests.paid(*claim))
            self.street.flush()
            self.paid[claim[0]] = claim[1]
            del self.under_way[claim[0]]

    @rule(request_id=requests)
    def cancel(self, request_id: int) -> None:
        service = self.street.requests
        if request_id in self.paid or request_id in self.under_way:
            why_not = "REQUEST_ALREADY_PAID" if request_id in self.paid else "REQUEST_CLAIMED"
            assert self.street.no(service.cancel, self.owner, request_id).reason.name == why_not
        else:
            self.street.do(lambda: service.cancel(self.owner, request_id))
            self.street.flush()
            self.cancelled.add(request_id)

    @rule(seconds=st.integers(1, 60))
    def wait(self, seconds: int) -> None:
        self.street.clock.advance(seconds=seconds)

    @rule(request_id=requests)
    def crash_before_an_act_is_durable(self, request_id: int) -> None:
        """What was decided and not flushed never happened: nobody was told."""
        with suppress(Refusal):
            self.street.do(lambda: self.street.requests.claim(request_id, 1, self.street.now_ns))
        self.street.restart()

    @rule()
    def restart(self) -> None:
        self.street.restart()

    @invariant()
    def each_is_as_was_said(self) -> None:
        newest = {row.id: row for _, row in self.street.store.rows[REQUESTS.name]}
        for id_, row in newest.items():
            if id_ in self.paid:
                assert (row.state, row.claimed_by) == ("PAID", self.paid[id_])
            elif id_ in self.under_way:
                assert (row.state, row.claimed_by) == ("CLAIMED", self.under_way[id_])
            else:
                assert row.state == ("CANCELLED" if id_ in self.cancelled else "OPEN")
        assert not self.cancelled & self.paid.keys()

    @invariant()
    def paid_once_for_ever(self) -> None:
        payers: dict[int, set[int]] = {}
        for _, row in self.street.store.rows[REQUESTS.name]:
            if row.state == "PAID":
                payers.setdefault(row.id, set()).add(row.claimed_by)
            else:
                assert row.id not in payers, "what was paid stays paid"
        assert all(len(payments) == 1 for payments in payers.values())

    def teardown(self) -> None:
        page, _ = asyncio.run(self.street.requests.page(self.owner, before=None, limit=200))
        ids = [row.id for _, row in self.street.store.rows[REQUESTS.name]]
        assert [listed.id for listed in page] == sorted(set(ids), reverse=True), "each once, newest first"

    def _why_not(self, request_id: int, known: PaymentRequest, now_ns: int) -> str:
        if request_id in self.paid:
            return "REQUEST_ALREADY_PAID"
        if request_id in self.cancelled:
            return "REQUEST_CANCELLED"
        if request_id in self.under_way:
            return "REQUEST_CLAIMED"
        return "REQUEST_EXPIRED" if now_ns >= known.expires_ns else ""


TestRequestLife = RequestLife.TestCase
TestRequestLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
