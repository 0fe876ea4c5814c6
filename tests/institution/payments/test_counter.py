"""Staff at a counter: they sign in over the API, act within their role, and what they did with money is kept with it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.payments.payment import Outcome
from hutong.institution.payments.refund import Refund, RefundOrder
from hutong.institution.payments.staff_act import ActKind
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.requests.draft import RequestDraft
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import warmed
from tests.institution.payments.test_http import OPERATOR, PIN, Jing, Phone

OWNER, MANAGER, CASHIER = "+8613900000001", "+8613900000002", "+8613900000003"
MANAGERS_PIN = "702846"


class Counter:
    """A merchant with an owner, a manager and a cashier, each signed in."""

    def __init__(self, jing: Jing) -> None:
        self.jing = jing
        self.counter = jing.institution.counter
        self.staff: dict[str, Phone] = {}

    async def open(self) -> None:
        self.merchant = await self.jing.merchant()
        appointed = {"staff_id": "boss", "name": "王老板", "phone": OWNER}
        path = f"/v1/operator/merchants/{self.merchant.id}/staff"
        for _ in range(2):
            await self.jing.said("POST", path, 201, appointed, headers=OPERATOR)
        self.staff[OWNER] = await self.arrive(OWNER, PIN)
        for phone, role, name, pin in ((MANAGER, "MANAGER", "张店长", MANAGERS_PIN), (CASHIER, "CASHIER", "李娜", PIN)):
            invited = {"staff_id": phone, "name": name, "phone": phone, "role": role}
            await self.staff[OWNER].post("/v1/staff", 201, invited)
            self.staff[phone] = await self.arrive(phone, pin)

    async def arrive(self, phone: str, pin: str) -> Phone:
        """Choose a PIN with the code that was sent, and be signed in."""
        code = self.jing.telephones.codes[phone, Purpose.STAFF_PIN]
        device = self.merchant.new_id("dev")
        told = await self.jing.said(
            "POST", "/v1/staff/pin", 201, {"phone": phone, "code": code, "pin": pin, "device_id": device}
        )
        return Phone(self.jing, told["staff"]["member_id"], {"authorization": f"Bearer {told['token']}"})

    async def key(self, phone: str) -> StaffKey:
        token = self.staff[phone].headers["authorization"].removeprefix("Bearer ")
        return await warmed(self.jing.node.journal, lambda: self.jing.institution.merchants.key(token))

    async def paid(self, amount: int) -> int:
        """A payment by a plate of the merchant's."""
        payer = await self.jing.user("+8613800138000", 100_000)
        plate = await self.merchant.post("/v1/plates", 201, {"reference": "counter"})
        quote = await payer.post("/v1/codes/consult", 200, {"code": plate["text"]})
        order = {"payment_id": payer.new_id("pay"), "quote_id": quote["quote_id"], "amount": amount}
        await payer.post("/v1/payments", 200, order)
        return parse_id("pay", order["payment_id"])

    async def refund(
        self, phone: str, payment_id: int, amount: int, refund_id: int = 0, **approval: Any
    ) -> tuple[Refund, Outcome | None]:
        id_ = refund_id or self.jing.mint.mint()
        order = RefundOrder(refund_id=id_, payment_id=payment_id, amount=amount, remark="退货")
        return await self.counter.refund(await self.key(phone), order, **approval)

    async def refused(self, phone: str, payment_id: int, amount: int, **approval: Any) -> str:
        with pytest.raises(Refusal) as told:
            await self.refund(phone, payment_id, amount, **approval)
        return told.value.reason.name


@pytest.fixture
async def counter() -> AsyncIterator[Counter]:
    pool = WorkerPool()
    async with AsyncExitStack() as stack:
        stack.callback(pool.close)
        jing = Jing(pool)
        await jing.start(stack)
        found = Counter(jing)
        await found.open()
        yield found


async def test_a_session_does_what_its_role_may(counter: Counter) -> None:
    cashier, manager, owner = (counter.staff[phone] for phone in (CASHIER, MANAGER, OWNER))
    asked = await cashier.post("/v1/payment-requests", 201, {"reference": "A-1", "amount": 500})
    assert (await manager.get(f"/v1/payment-requests/{asked['request_id']}"))["amount"] == 500
    assert (await cashier.get("/v1/staff", 403))["reason"] == "ROLE_MAY_NOT"
    assert {each["name"] for each in await owner.get("/v1/staff")} == {"王老板", "张店长", "李娜"}
    assert (await owner.get("/v1/staff/me"))["role"] == "OWNER"
    assert (await owner.get("/v1/events"))["events"]
    assert (await cashier.get("/v1/balance", 401))["reason"] == "SESSION_UNKNOWN"
    await cashier.post("/v1/staff/me/sign-out", 204)
    assert (await cashier.get("/v1/staff/me", 401))["reason"] == "SESSION_UNKNOWN"
    assert (await cashier.get("/v1/merchant", 401))["reason"] == "SESSION_UNKNOWN"


async def test_a_user_is_no_staff_and_staff_no_user(counter: Counter) -> None:
    user = await counter.jing.user("+8613800138000")
    assert (await user.get("/v1/staff/me", 401))["reason"] == "SESSION_UNKNOWN"
    assert (await user.get("/v1/staff", 401))["reason"].startswith("KEY_")


async def test_who_asked_to_be_paid_is_kept_however_often_it_is_sent(counter: Counter) -> None:
    draft = RequestDraft(reference="till-1", amount=500)
    first = await counter.counter.ask(await counter.key(CASHIER), draft)
    assert await counter.counter.ask(await counter.key(MANAGER), draft) == first
    (act,) = (await counter.counter.acts([first.id])).values()
    assert (act.kind, act.member_id) == (ActKind.ASKED, parse_id("mem", counter.staff[CASHIER].id))


async def test_a_cashiers_refund_needs_a_managers_pin_and_both_are_kept(counter: Counter) -> None:
    payment_id = await counter.paid(1000)
    manager_id = parse_id("mem", counter.staff[MANAGER].id)
    assert await counter.refused(CASHIER, payment_id, 200) == "APPROVAL_NEEDED"
    assert await counter.refused(CASHIER, payment_id, 200, approver_id=manager_id, pin=PIN) == "PIN_WRONG"
    own_id = parse_id("mem", counter.staff[CASHIER].id)
    assert await counter.refused(CASHIER, payment_id, 200, approver_id=own_id, pin=PIN) == "STAFF_MAY_NOT_APPROVE"
    refund_id = counter.jing.mint.mint()
    approval = {"approver_id": manager_id, "pin": MANAGERS_PIN}
    refund, outcome = await counter.refund(CASHIER, payment_id, 200, refund_id, **approval)
    assert outcome is not None
    assert outcome.completed
    assert (await counter.refund(MANAGER, payment_id, 200, refund_id))[0] == refund
    (act,) = (await counter.counter.acts([refund.id])).values()
    assert (act.member_id, act.approved_by) == (own_id, manager_id)


async def test_a_manager_refunds_alone_and_an_accountant_not_at_all(counter: Counter) -> None:
    payment_id = await counter.paid(1000)
    refund, _ = await counter.refund(MANAGER, payment_id, 300)
    (act,) = (await counter.counter.acts([refund.id])).values()
    assert (act.member_id, act.approved_by) == (parse_id("mem", counter.staff[MANAGER].id), 0)
    cashier = counter.staff[CASHIER].id
    await counter.staff[OWNER].post(f"/v1/staff/{cashier}/place", 200, {"role": "ACCOUNTANT"})
    assert (
        await counter.refused(CASHIER, payment_id, 200, approver_id=act.member_id, pin=MANAGERS_PIN) == "ROLE_MAY_NOT"
    )


async def test_a_refund_over_the_api_knows_who_signed_in(counter: Counter) -> None:
    payment_id = await counter.paid(1000)
    body = {"refund_id": counter.merchant.new_id("rfd"), "payment_id": counter.merchant.new_id("pay"), "amount": 100}
    body["payment_id"] = (await counter.merchant.get("/v1/merchant/payments"))["payments"][0]["payment_id"]
    assert (await counter.staff[CASHIER].post("/v1/refunds", 403, body))["reason"] == "ROLE_MAY_NOT"
    await counter.staff[MANAGER].post("/v1/refunds", 200, body)
    refunds = counter.jing.institution.payments.refunds
    ((refund, _),) = await warmed(counter.jing.node.journal, lambda: refunds.of_payment(payment_id))
    assert (await counter.counter.acts([refund.id]))[refund.id].member_id == parse_id("mem", counter.staff[MANAGER].id)
