"""One institution over HTTP, everything real but the disk: what payers, merchants and the operator send and are told."""

import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, cast

import httpx
import msgspec
import pytest
from argon2 import PasswordHasher

from hutong.codes.payment_code import PaymentCodeGenerator
from hutong.institution.api import institution_api
from hutong.institution.door_api import operator_guard
from hutong.institution.node import InstitutionNode, InstitutionSettings
from hutong.institution.payments.hot_api import PayEndpoint
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.settings import PeopleSettings
from hutong.kernel.clock import ManualClock
from hutong.kernel.ids import IdMint, id_text, parse_id, seeded_randomness
from hutong.ledger.engines.postgres import JournaledLedger
from hutong.ledger.memory_repository import MemoryLedgerRepository
from hutong.marketing.marketing import Marketing
from hutong.runtime.http import HotRequest, Problem
from hutong.runtime.http_app import make_app
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import decided
from hutong.runtime.tables import MemoryStore
from tests.institution.merchants.shop_street import noodles
from tests.institution.payments.neighbours import pin_token
from tests.institution.payments.world import World

PIN = "483915"
OPERATOR = {"authorization": "Bearer op_a-long-token"}
SETTINGS = InstitutionSettings(
    people=PeopleSettings(
        token_key=b"t" * 32,
        pin_pepper=b"p" * 32,
        sealing_keys=(b"s" * 32,),
        payment_code_key=b"c" * 32,
        payment_code_prefix="31",
        plate_base="https://jing.example",
        operators={"duty": "op_a-long-token"},
    ),
    merchant_pepper=b"m" * 32,
)


class Telephones:
    def __init__(self) -> None:
        self.codes: dict[tuple[str, Purpose], str] = {}

    def send(self, phone: str, purpose: Purpose, code: str) -> None:
        self.codes[phone, purpose] = code


class Nobody:
    async def post(self, url: str, headers: Any, body: bytes) -> Any:
        raise AssertionError("no endpoint is registered", url, headers, body)


class Jing:
    """The institution, and everybody's way to talk to it."""

    def __init__(self, pool: WorkerPool) -> None:
        self.clock = ManualClock()
        self.mint = IdMint(self.clock, seeded_randomness(1))
        store = MemoryStore()
        journal = MemoryJournal(store, immediate=True)
        self.node = NodeRuntime("jing", self.clock, seeded_randomness(2), self.mint, journal, store, run_now)
        self.ledger = JournaledLedger(self.clock, journal, MemoryLedgerRepository(store), run_now)
        self.telephones = Telephones()
        self.institution = InstitutionNode(
            self.node,
            self.ledger,
            SETTINGS,
            sender=self.telephones,
            pool=pool,
            poster=cast("Any", Nobody()),
            hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
        )
        self.marketing = Marketing(self.institution, key=SETTINGS.merchant_pepper)
        self.before: list[Callable[[], Awaitable[None]]] = []  # What starts before the institution does.

    async def start(self, stack: AsyncExitStack) -> None:
        await self.ledger.start()
        await self.marketing.start()
        for start in self.before:
            await start()
        await self.institution.start(stack)
        operator_only = operator_guard(self.node, self.institution.people)
        handlers = [*institution_api(self.institution), *self.marketing.routes(operator_only)]
        app = make_app(handlers, title="jing", version="1")
        transport = httpx.ASGITransport(cast("Any", app))
        self.client = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://jing", timeout=5)
        )

    async def said(self, method: str, path: str, status: int, body: Any = None, **more: Any) -> Any:
        response = await self.client.request(method, path, json=body, **more)
        assert response.status_code == status, response.text
        return response.json() if response.content else None

    async def user(self, phone: str, balance: int = 0) -> "Phone":
        await self.said("POST", "/v1/users/codes", 202, {"phone": phone})
        device_id = id_text("dev", self.mint.mint())
        body = {
            "phone": phone,
            "name": "王小明",
            "code": self.telephones.codes[phone, Purpose.SIGN_IN],
            "registration_id": "r-1",
            "device_id": device_id,
            "device_name": "phone",
        }
        told = await self.said("POST", "/v1/users", 201, body)
        user = Phone(self, told["user"]["id"], {"authorization": f"Bearer {told['token']}"})
        await user.put("/v1/pin", 204, {"pin": PIN})
        if balance:
            pay_in = {"pay_in_id": id_text("pin", self.mint.mint()), "user_id": user.id, "amount": balance}
            for _ in range(2):
                await self.said("POST", "/v1/operator/pay-ins", 200, pay_in, headers=OPERATOR)
            assert (await user.get("/v1/balance"))["balance"] == balance
        return user

    async def merchant(self) -> "Phone":
        merchants = self.institution.merchants
        journal = self.node.journal
        merchant = await decided(journal, lambda: merchants.onboard(noodles(), 60))
        _, token = await decided(journal, lambda: merchants.issue_owner_key(merchant.id, "boss"))
        return Phone(self, id_text("mer", merchant.id), {"authorization": f"Bearer {token}"})


class Phone:
    """Somebody with a token."""

    def __init__(self, jing: Jing, id_: str, headers: dict[str, str]) -> None:
        self.jing = jing
        self.id = id_
        self.headers = headers

    def new_id(self, prefix: str) -> str:
        return id_text(prefix, self.jing.mint.mint())

    async def get(self, path: str, status: int = 200) -> Any:
        return await self.jing.said("GET", path, status, headers=self.headers)

    async def post(self, path: str, status: int, body: Any = None) -> Any:
        return await self.jing.said("POST", path, status, body, headers=self.headers)

    async def put(self, path: str, status: int, body: Any = None) -> Any:
        return await self.jing.said("PUT", path, status, body, headers=self.headers)

    async def token(self, payment_id: str, amount: int, creditor: str) -> str:
        asked = {"pin": PIN, "payment_id": payment_id, "amount": amount, "creditor": creditor}
        return str((await self.post("/v1/pin/tokens", 201, asked))["token"])


@pytest.fixture
async def jing() -> AsyncIterator[Jing]:
    pool = WorkerPool()
    async with AsyncExitStack() as stack:
        stack.callback(pool.close)
        jing = Jing(pool)
        await jing.start(stack)
        yield jing


async def test_a_plate_is_scanned_paid_seen_by_both_and_refunded(jing: Jing) -> None:
    payer, merchant = await jing.user("+8613800138000", 100_000), await jing.merchant()
    plate = await merchant.post("/v1/plates", 201, {"reference": "counter"})
    quote = await payer.post("/v1/codes/consult", 200, {"code": plate["text"]})
    assert (quote["payee_name"], quote["amount"], quote["creditor_agent"]) == ("胡同面馆", 0, "jing")
    payment_id = payer.new_id("pay")
    body = {"payment_id": payment_id, "quote_id": quote["quote_id"], "amount": 1_200, "remark": "两碗"}
    paid = await payer.post("/v1/payments", 200, body)
    assert (paid["state"], paid["paid"]) == ("COMPLETED", 1_200)
    assert await payer.post("/v1/payments", 200, body) == paid
    taken = await payer.post("/v1/payments", 409, body | {"amount": 1_201})
    assert (taken["reason"], taken["facts"]) == ("ID_TAKEN", {"field": "amount"})
    assert await payer.get(f"/v1/payments/{payment_id}") == paid
    assert await payer.get("/v1/payments") == {"payments": [paid], "next_cursor": None}
    seen = await merchant.get(f"/v1/merchant/payments/{payment_id}")
    assert (seen["amount"], seen["fee"], seen["payer_name"]) == (1_200, 7, "*小明")
    assert await merchant.get("/v1/merchant/payments") == {"payments": [seen], "next_cursor": None}
    refund = {"refund_id": merchant.new_id("rfd"), "payment_id": payment_id, "amount": 200}
    back = await merchant.post("/v1/refunds", 200, refund)
    assert (back["state"], back["fee"]) == ("COMPLETED", 1)
    assert await merchant.post("/v1/refunds", 200, refund) == back
    assert await merchant.get(f"/v1/refunds/{refund['refund_id']}") == back
    too_much = await merchant.post("/v1/refunds", 422, refund | {"refund_id": merchant.new_id("rfd"), "amount": 1_001})
    assert (too_much["reason"], too_much["facts"]["left"]) == ("REFUND_EXCEEDS_REMAINDER", 1_000)
    assert (await payer.get("/v1/balance"))["balance"] == 99_000
    assert (await merchant.get("/v1/merchant/balance"))["balance"] == 1_200 - 7 - 200 + 1
    at_ms = jing.clock.now_ns() // 1_000_000
    assert (await payer.get(f"/v1/balance?at_ms={at_ms - 1000}"))["balance"] == 0


async def test_a_statement_has_a_line_for_whatever_moved_a_page_at_a_time(jing: Jing) -> None:
    payer, friend = await jing.user("+8613800138000", 100_000), await jing.user("+8613800138001")
    code = await friend.post("/v1/personal-codes", 201, {"id": friend.new_id("pco"), "amount": 0})
    quote = await payer.post("/v1/codes/consult", 200, {"code": code["text"]})
    for amount in (100, 200, 300):
        body = {"payment_id": payer.new_id("pay"), "quote_id": quote["quote_id"], "amount": amount, "remark": "AA"}
        await payer.post("/v1/payments", 200, body)
    lines: list[Any] = []
    path = "/v1/statement?limit=2"
    while path:
        page = await payer.get(path)
        lines += page["lines"]
        path = f"/v1/statement?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert [(line["direction"], line["amount"], line["kind"]) for line in lines] == [
        ("OUT", 300, "PAYMENT"),
        ("OUT", 200, "PAYMENT"),
        ("OUT", 100, "PAYMENT"),
        ("IN", 100_000, "PAID_IN"),
    ]
    (line, *_) = (await friend.get("/v1/statement"))["lines"]
    assert (line["direction"], line["amount"], line["counterparty"], line["remark"]) == ("IN", 300, "*小明", "AA")


async def test_a_till_scans_a_phone_and_the_payer_approves_with_the_pin(jing: Jing) -> None:
    payer, merchant = await jing.user("+8613800138000", 1_000_000), await jing.merchant()
    raised = {"tier": "II", "evidence": "SOURCES_3", "name": "王小明"}
    await jing.said("POST", f"/v1/operator/users/{payer.id}/tier", 200, raised, headers=OPERATOR)
    keys = await payer.get("/v1/payment-codes/keys")
    phone = PaymentCodeGenerator(keys["head_today"], base64.b64decode(keys["seed"]))
    body = {
        "reference": "A-1",
        "amount": 1_000,
        "way": "PAYMENT_CODE",
        "payer_code": phone.generate(jing.clock.now_ns()),
    }
    assert (await merchant.post("/v1/charges", 200, body))["state"] == "PAID"
    assert (await merchant.post("/v1/charges", 200, body))["state"] == "PAID"
    jing.clock.advance(seconds=60)
    dear = body | {"reference": "A-2", "amount": 100_001, "payer_code": phone.generate(jing.clock.now_ns())}
    charge = await merchant.post("/v1/charges", 200, dear)
    assert charge["state"] == "WAITING"
    (waiting,) = await payer.get("/v1/requests-to-pay")
    token = await payer.token(waiting["payment_id"], waiting["amount"], waiting["creditor"])
    path = f"/v1/requests-to-pay/{waiting['request_to_pay_id']}/approve"
    assert (await payer.post(path, 200, {"pin_token": token}))["state"] == "COMPLETED"
    assert (await merchant.get(f"/v1/charges/{charge['request_id']}"))["state"] == "PAID"
    assert (await merchant.get(f"/v1/payment-requests/{charge['request_id']}"))["state"] == "PAID"
    assert await payer.get("/v1/requests-to-pay") == []


async def test_money_goes_in_and_out_between_two_accounts_of_one_person(jing: Jing) -> None:
    saver, spender = await jing.user("+8613800138000", 100_000), await jing.user("+8613800138001")
    granted = await saver.post("/v1/mandates", 201, {"grantee": "jing", "daily_max": 50_000})
    code = await saver.post("/v1/personal-codes", 201, {"id": saver.new_id("pco"), "amount": 0})
    link = {
        "bank_account_id": spender.new_id("bka"),
        "name": "工资卡",
        "mandate": granted["text"],
        "code": code["text"],
    }
    account = await spender.post("/v1/bank-accounts", 201, link)
    # We are the bank: nobody else is asked.
    assert jing.institution.payments.bank_link.is_known(parse_id("usr", spender.id))
    top_up = {"top_up_id": spender.new_id("top"), "bank_account_id": account["bank_account_id"], "amount": 30_000}
    assert (await spender.post("/v1/top-ups", 200, top_up))["state"] == "PAID"
    payment_id = spender.new_id("pay")
    token = await spender.token(payment_id, 10_000, account["creditor"])
    withdrawal = {
        "payment_id": payment_id,
        "bank_account_id": account["bank_account_id"],
        "amount": 10_000,
        "pin_token": token,
    }
    assert (await spender.post("/v1/withdrawals", 200, withdrawal))["state"] == "COMPLETED"
    assert (await spender.post("/v1/withdrawals", 200, withdrawal))["state"] == "COMPLETED"
    assert (await spender.get("/v1/balance"))["balance"] == 20_000
    assert (await saver.get("/v1/balance"))["balance"] == 80_000
    assert [line["kind"] for line in (await spender.get("/v1/statement"))["lines"]] == ["WITHDRAWAL", "TOP_UP"]


async def test_nobody_sees_what_is_not_theirs(jing: Jing) -> None:
    payer, friend, other = [await jing.user(f"+861380013800{i}", 1_000) for i in range(3)]
    code = await friend.post("/v1/personal-codes", 201, {"id": friend.new_id("pco"), "amount": 0})
    quote = await payer.post("/v1/codes/consult", 200, {"code": code["text"]})
    payment_id = payer.new_id("pay")
    body = {"payment_id": payment_id, "quote_id": quote["quote_id"], "amount": 5}
    assert (await other.post("/v1/payments", 404, body))["reason"] == "QUOTE_UNKNOWN"
    await payer.post("/v1/payments", 200, body)
    assert (await friend.get(f"/v1/payments/{payment_id}"))["amount"] == 5
    assert (await other.get(f"/v1/payments/{payment_id}", 404))["reason"] == "PAYMENT_UNKNOWN"
    merchant = await jing.merchant()
    assert (await merchant.get(f"/v1/merchant/payments/{payment_id}", 404))["reason"] == "PAYMENT_UNKNOWN"
    refund = {"refund_id": merchant.new_id("rfd"), "payment_id": payment_id, "amount": 5}
    assert (await merchant.post("/v1/refunds", 404, refund))["reason"] == "PAYMENT_UNKNOWN"
    assert (await payer.post("/v1/refunds", 401, refund))["reason"].startswith("KEY_")
    assert (await merchant.get("/v1/balance", 401))["reason"] == "SESSION_UNKNOWN"
    pay_in = {"pay_in_id": payer.new_id("pin"), "user_id": payer.id, "amount": 1}
    assert (await payer.post("/v1/operator/pay-ins", 401, pay_in))["reason"] == "OPERATOR_UNKNOWN"


# The hot endpoint.


class Heard:
    """Whoever carries answers."""

    def __init__(self) -> None:
        self.status, self.body = 0, b""

    def answer(self, request: HotRequest, status: int, body: bytes, content_type: bytes) -> None:
        del request, content_type
        assert not self.status, "answered twice"
        self.status, self.body = status, body


class Hot:
    def __init__(self) -> None:
        self.world = World("jing")
        self.jing = self.world["jing"]
        self.payer = self.jing.user(1_000_000)
        self.jing.asks(self.jing.merchant(), code="plate")
        self.quote_id = id_text("quo", self.jing.quote(self.payer, "plate").id)
        self.endpoint = PayEndpoint(self.jing.node, self.jing.neighbours, self.jing.payments.debtor)

    def body(self, **fields: Any) -> bytes:
        body = {"payment_id": id_text("pay", self.jing.node.mint.mint()), "quote_id": self.quote_id, "amount": 5}
        return msgspec.json.encode(body | fields)

    def send(self, body: bytes, token: str | None = None) -> tuple[int, dict[str, Any]]:
        heard = Heard()
        token = str(self.payer.id) if token is None else token
        headers = {b"authorization": b"Bearer " + token.encode()} if token else {}
        request = HotRequest(
            heard, method="POST", path="/v1/payments", query=b"", headers=headers, client=("127.0.0.1", 1)
        )
        request.body = body
        self.endpoint(request)
        assert heard.status
        return heard.status, msgspec.json.decode(heard.body)


@pytest.fixture
def hot() -> Hot:
    return Hot()


def test_the_hot_endpoint_pays_and_says_the_same_again(hot: Hot) -> None:
    body = hot.body()
    status, answer = hot.send(body)
    assert (status, answer["state"], answer["amount"]) == (200, "COMPLETED", 5)
    assert hot.send(body) == (status, answer)


def test_a_rejected_payment_is_a_problem_that_names_it(hot: Hot) -> None:
    hot.jing.pay_out(hot.payer.wallet_account, 999_999)
    body = hot.body()
    status, answer = hot.send(body)
    problem = msgspec.convert(answer, Problem)
    assert (status, problem.reason, problem.kind, problem.code) == (422, "BALANCE_INSUFFICIENT", "REFUSED", "AM04")
    assert problem.facts["state"] == "REJECTED"
    assert problem.facts["payment_id"] == msgspec.json.decode(body)["payment_id"]


def test_above_the_threshold_the_hot_endpoint_takes_a_pin_token(hot: Hot) -> None:
    payment_id = hot.jing.node.mint.mint()
    text = id_text("pay", payment_id)
    status, answer = hot.send(hot.body(payment_id=text, amount=20_001))
    assert (status, answer["reason"]) == (403, "PIN_NEEDED")
    token = pin_token(hot.payer.id, payment_id, 20_001, answer["facts"]["creditor"])
    assert hot.send(hot.body(payment_id=text, amount=20_001, pin_token=token))[0] == 200


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"amount": 0}, 400, "AMOUNT_NOT_POSITIVE"),
        ({"amount": -5}, 400, "AMOUNT_NOT_POSITIVE"),
        ({"amount": 0.5}, 400, "FIELD_INVALID"),
        ({"amount": "5"}, 400, "FIELD_INVALID"),
        ({"amount": 10**30}, 400, "AMOUNT_OUT_OF_RANGE"),
        ({"payment_id": "pay_1"}, 400, "ID_MALFORMED"),
        ({"payment_id": "quo_00000000000000000000000000"}, 400, "ID_OF_OTHER_KIND"),
        ({"quote_id": "quo_00000000000000000000000000"}, 404, "QUOTE_UNKNOWN"),
        ({"currency": "USD"}, 422, "CURRENCY_DIFFERS"),
        ({"remark": "\0"}, 400, "TEXT_HAS_ODD_CHARACTERS"),
        ({"more": 1}, 400, "FIELD_INVALID"),
    ],
)
def test_bad_input_gets_a_named_refusal_with_the_field(
    hot: Hot, fields: dict[str, Any], status: int, reason: str
) -> None:
    answer = hot.send(hot.body(**fields))
    assert (answer[0], answer[1]["reason"]) == (status, reason)
    assert hot.jing.balance(hot.payer.wallet_account) == 1_000_000


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"payment_id": 5}', b"null", b"\0"])
def test_what_is_no_order_is_refused(hot: Hot, body: bytes) -> None:
    status, answer = hot.send(body)
    assert status == 400
    assert answer["reason"] in ("BODY_MALFORMED", "FIELD_INVALID")


def test_who_shows_no_token_is_told_so(hot: Hot) -> None:
    assert hot.send(hot.body(), "")[0] == 401


# What needs no token: coming in, and whether the node is there.
_OPEN = {
    *("/v1/users/codes", "/v1/users", "/v1/sessions", "/v1/staff/codes", "/v1/staff/pin", "/v1/staff/sessions"),
    *("/v1/merchant-applications", "/v1/merchant-applications/{application_id}", "/health/live", "/health/ready"),
    *("/v1/draws", "/v1/draws/{campaign_id}", "/v1/draws/{campaign_id}/log", "/v1/draws/{campaign_id}/days/{day}"),
}


@pytest.mark.parametrize("body", [b"", b'{"x', b'{"amount":"1"}', b"[" * 10_000, b'{"reference":"\\u0000"}'])
async def test_who_asks_is_known_before_the_body_is_looked_at(jing: Jing, body: bytes) -> None:
    described = (await jing.said("GET", "/docs/openapi.json", 200))["paths"]
    asked = [(path, method) for path, methods in described.items() for method in methods if path not in _OPEN]
    assert len(asked) > 70
    for path, method in asked:
        response = await jing.client.request(method.upper(), re.sub(r"{\w+}", "x", path), content=body)
        assert (response.status_code, response.json()["reason"]) == (401, "TOKEN_MISSING"), (method, path)


async def test_every_operation_says_what_it_answers_and_how_it_says_no(jing: Jing) -> None:
    api = await jing.said("GET", "/docs/openapi.json", 200)
    problem = {"$ref": "#/components/schemas/Problem"}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            said = {
                int(status): response["content"]["application/json"]["schema"]
                for status, response in operation["responses"].items()
                if "application/json" in response.get("content", {})
            }
            assert all(said.values()), (method, path, "an answer of any shape")
            nos = {status for status, schema in said.items() if status >= 400 and schema == problem}
            assert {400, 422, 429, 503} - {503 * (path == "/health/ready")} <= nos, (method, path)
            assert ({401, 403} <= nos) is (path not in _OPEN), (method, path)
            assert ((409 in nos), operation.get("security") == [{}]) == (method != "get", path in _OPEN), (method, path)
    pay = api["paths"]["/v1/payments"]["post"]["responses"]
    view = {"$ref": "#/components/schemas/PaymentView"}
    assert [pay[status]["content"]["application/json"]["schema"] for status in ("200", "202")] == [view, view]
    assert set(api["components"]["schemas"]["Problem"]["required"]) == {"reason", "kind", "code", "message", "facts"}


@pytest.mark.parametrize("whose", ["plate", "request"])
async def test_a_personal_code_cannot_take_the_place_of_a_merchants(jing: Jing, whose: str) -> None:
    """Its id is what a payment names: were it a plate's or a request's, the payer would pay another than was shown."""
    payer, person = await jing.user("+8613800138000"), await jing.user("+8613800138001")
    merchant = await jing.merchant()
    if whose == "plate":
        taken = (await merchant.post("/v1/plates", 201, {"reference": "counter"}))["plate_id"]
    else:
        taken = (await merchant.post("/v1/payment-requests", 201, {"reference": "1", "amount": 100}))["request_id"]
    body = {"id": "pco_" + taken.rpartition("_")[2], "amount": 0}
    code = (await person.post("/v1/personal-codes", 201, body))["text"]
    assert (await payer.post("/v1/codes/consult", 404, {"code": code}))["reason"] == "CODE_UNKNOWN"
