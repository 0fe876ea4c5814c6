"""People and merchants of a running network, and what they do over its HTTP APIs: no service is touched from inside."""

import base64
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

import httpx

from hutong.codes.payment_code import PaymentCodeGenerator
from hutong.kernel.clock import SystemClock
from hutong.kernel.ids import IdMint, id_text, system_randomness

T = TypeVar("T")
_MINT = IdMint(SystemClock(), system_randomness())
_numbers = count(1)
PIN = "483915"
# All of it is on the loopback, in the clear: to read the world's certificates takes a client longer than most requests.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TIMEOUT_S = 60


def new_id(prefix: str) -> str:
    return id_text(prefix, _MINT.mint())


@dataclass(frozen=True)
class Door:
    """Where a node is, and its operator's token."""

    url: str
    operator_token: str


@dataclass
class Client:
    """One caller of one node's API, by its token."""

    url: str
    token: str = ""
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        self.http = httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT_S, trust_env=False, verify=NO_TLS)

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.http.request(method, path, json=body)

    def get(self, path: str) -> Any:
        return _good(self.ask("GET", path))

    def post(self, path: str, body: Any = None) -> Any:
        return _good(self.ask("POST", path, body))

    def put(self, path: str, body: Any = None) -> Any:
        return _good(self.ask("PUT", path, body))

    def refused(self, path: str, body: Any = None, *, method: str = "POST") -> dict[str, Any]:
        """The no that this must get: named, of the shape of every no, and never a 500."""
        return refusal(self.ask(method, path, body))


def _good(response: httpx.Response) -> Any:
    assert response.is_success, (response.request.url, response.status_code, response.text)
    return response.json() if response.content else None


def refusal(response: httpx.Response) -> dict[str, Any]:
    problem = response.json()
    assert 400 <= response.status_code < 500, (response.status_code, problem)
    assert set(problem) == {"reason", "kind", "code", "message", "facts"}
    assert problem["reason"].replace("_", "").isalnum()
    assert problem["reason"] == problem["reason"].upper()
    return dict(problem)


@dataclass
class Payer(Client):
    """A user with a phone."""

    node: str = ""
    user_id: str = ""
    device_id: str = ""

    def quote(self, code: str, amount: int = 0) -> dict[str, Any]:
        return dict(self.post("/v1/codes/consult", {"code": code, "amount": amount}))

    def pin_token(self, payment_id: str, amount: int, creditor: str, pin: str = PIN) -> str:
        asked = {"pin": pin, "payment_id": payment_id, "amount": amount, "creditor": creditor}
        return str(self.post("/v1/pin/tokens", asked)["token"])

    def order(self, quote: Mapping[str, Any], amount: int, *, pin: bool = False, **more: Any) -> dict[str, Any]:
        body = {"payment_id": new_id("pay"), "quote_id": quote["quote_id"], "amount": amount, **more}
        if pin:
            body["pin_token"] = self.pin_token(body["payment_id"], amount, quote["creditor"])
        return body

    def pay(self, code: str, amount: int, *, pin: bool = False) -> dict[str, Any]:
        return self.give(self.order(self.quote(code, amount), amount, pin=pin))

    def give(self, order: Mapping[str, Any]) -> dict[str, Any]:
        return decided(lambda: self.post("/v1/payments", order))

    def payment_code(self, *, minutes_ago: int = 0) -> str:
        keys = self.get("/v1/payment-codes/keys")
        phone = PaymentCodeGenerator(keys["head_today"], base64.b64decode(keys["seed"]))
        return phone.generate(time.time_ns() - minutes_ago * 60_000_000_000)

    @property
    def balance(self) -> int:
        return int(self.get("/v1/balance")["balance"])


@dataclass
class Till(Client):
    """A merchant's owner key."""

    node: str = ""
    merchant_id: str = ""
    plate: str = ""  # What its plate on the counter says.

    def request(self, amount: int, **more: Any) -> dict[str, Any]:
        return dict(self.post("/v1/payment-requests", {"reference": new_id("r"), "amount": amount, **more}))

    def charge(self, code: str, amount: int) -> dict[str, Any]:
        body = {"reference": new_id("r"), "amount": amount, "way": "PAYMENT_CODE", "payer_code": code}
        return decided(lambda: self.post("/v1/charges", body))

    def refund(self, payment_id: str, amount: int) -> dict[str, Any]:
        body = {"refund_id": new_id("rfd"), "payment_id": payment_id, "amount": amount}
        return decided(lambda: self.post("/v1/refunds", body))

    @property
    def balance(self) -> int:
        return int(self.get("/v1/merchant/balance")["balance"])


def draft_campaign(**fields: Any) -> dict[str, Any]:
    """What is said of a campaign when it is written down; it runs for five days."""
    ends = int(time.time() * 1000) + 5 * 86_400_000
    return {"campaign_id": new_id("cmp"), "name": "立减", "ends_at_ms": ends} | fields


def decided(ask: Callable[[], Any], within_s: float = 60) -> dict[str, Any]:
    """Ask until it is decided; the caller's id makes that safe."""
    ends_at = time.monotonic() + within_s
    while True:
        answer = dict(ask())
        if answer["state"] not in {"PENDING", "ASKED", "OPEN"} or time.monotonic() > ends_at:
            return answer
        time.sleep(0.1)


def until(look: Callable[[], T], wanted: Callable[[T], bool], within_s: float = 60) -> T:
    """What is seen, once it is as wanted; the first time that it is not by then, as it is.

    One institution has decided before the other has heard of it: what the other shows comes a moment later.
    """
    ends_at = time.monotonic() + within_s
    while True:
        seen = look()
        if wanted(seen) or time.monotonic() > ends_at:
            return seen
        time.sleep(0.1)


def comes_to(look: Callable[[], T], wanted: T) -> None:
    """What is seen comes to be this: what one institution decided, the other shows a moment later."""
    assert until(look, lambda seen: seen == wanted) == wanted


@dataclass
class Street:
    """A network as those see it who use it: doors, and the database for the auditor alone."""

    doors: Mapping[str, Door]
    database_url: str
    clients: list[Client] = field(default_factory=list)

    def close(self) -> None:
        for client in self.clients:
            client.http.close()

    def operator(self, node: str) -> Client:
        return self._known(Client(self.doors[node].url, self.doors[node].operator_token))

    def stranger(self, node: str) -> Client:
        return self._known(Client(self.doors[node].url))

    def payer(self, node: str, funds: int = 0, *, pin: bool = False, tier: str = "", **more: Any) -> Payer:
        """Somebody new at an institution, with money paid in over the counter."""
        door, operator = self.stranger(node), self.operator(node)
        phone = f"+8613{next(_numbers):09d}"
        door.post("/v1/users/codes", {"phone": phone})
        code = operator.get(f"/v1/operator/one-time-codes/{phone}")["code"]
        device_id = new_id("dev")
        body = {"phone": phone, "name": "王小明", "code": code, "registration_id": device_id, **more}
        signed = door.post("/v1/users", {**body, "device_id": device_id, "device_name": "小明的手机"})
        payer = Payer(self.doors[node].url, signed["token"], node, signed["user"]["id"], device_id)
        self._known(payer)
        if tier:
            evidence = {"tier": tier, "evidence": "FACE_TO_FACE", "name": "王小明"}
            operator.post(f"/v1/operator/users/{payer.user_id}/tier", evidence)
        if pin:
            payer.put("/v1/pin", {"pin": PIN})
        if funds:
            self.pay_in(payer, funds)
        return payer

    def link_bank(self, payer: Payer, saver: Payer | None = None) -> str:
        """An account at the bank, linked under a mandate of its own; `saver` is whose it is: somebody new's."""
        saver = saver or self.payer("yun")
        granted = saver.post("/v1/mandates", {"grantee": payer.node, "daily_max": 10_000, "name": "钱包"})
        body = {"bank_account_id": new_id("bka"), "name": "云行", "mandate": granted["text"], "code": ""}
        return str(payer.post("/v1/bank-accounts", body)["bank_account_id"])

    def pay_in(self, payer: Payer, amount: int) -> None:
        body = {"pay_in_id": new_id("pin"), "user_id": payer.user_id, "amount": amount}
        self.operator(payer.node).post("/v1/operator/pay-ins", body)

    def till(self, node: str, fee_bps: int = 38) -> Till:
        """A new merchant of an institution, with a plate on the counter."""
        operator, number = self.operator(node), next(_numbers)
        profile = {"reference": f"m-{number}", "legal_name": "胡同面馆有限公司", "name": "胡同面馆", "city": "北京"}
        latin = {"latin_name": "Hutong Noodles", "latin_city": "Beijing"}
        body = {**profile, **latin, "mcc": "5812", "fee_bps": fee_bps}
        merchant_id = operator.post("/v1/operator/merchants", body)["merchant_id"]
        key = operator.post(f"/v1/operator/merchants/{merchant_id}/keys", {"name": "owner"})["token"]
        till = Till(self.doors[node].url, key, node, merchant_id)
        till.plate = till.post("/v1/plates", {"reference": "counter"})["text"]
        self._known(till)
        return till

    def own_campaign(self, till: Till, rules: dict[str, Any], budget: int = 2_000) -> str:
        """A merchant sells something, and puts some of what it got into a campaign of its own."""
        self.payer(till.node, 10_000).pay(till.plate, 10_000)
        till.post("/v1/merchant/budget/deposits", {"deposit_id": new_id("dep"), "amount": budget})
        body = draft_campaign(terms={"rules": rules, "holdout_bps": 0}, budget=budget)
        id_ = str(till.post("/v1/merchant/campaigns", body)["campaign_id"])
        till.post(f"/v1/merchant/campaigns/{id_}/start", {})
        return id_

    def cap_of(self, node: str) -> dict[str, Any]:
        return dict(self.operator("switch").get(f"/v1/participants/{node}/position"))

    def change_cap(self, node: str, change: str, amount: int) -> dict[str, Any]:
        body = {"change_id": new_id("cap"), "change": change, "amount": amount, "currency": "CNY"}
        return dict(self.operator("switch").post(f"/v1/participants/{node}/cap", body))

    def _known(self, client: Client) -> Client:
        self.clients.append(client)
        return client
