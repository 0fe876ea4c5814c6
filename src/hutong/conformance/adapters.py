"""
Hooks for Hutong's own nodes: the verbs of `docs/scheme/conformance.md` said in their REST API.

Another implementation offers the verbs at a URL, or writes an adapter as small as this.
"""

import base64
import hashlib
import hmac
import json
import threading
from typing import Any
from urllib.parse import quote

from hutong.conformance.case import Failed
from hutong.conformance.hook import HookRefused
from hutong.conformance.play import FUNDS
from hutong.conformance.station import request
from hutong.conformance.wire import FOR_EVER_MS, new_id, now_ms

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_STATES = {"OPEN": "PENDING", "ASKED": "PENDING", "WAITING": "PENDING", "PAID": "COMPLETED"}
_TIMEOUT_S = 20.0


def rest_id(prefix: str, id_: str) -> str:
    """An id as Hutong's API writes it: prefix and 26 letters; the last byte is zero."""
    value = int(id_, 16) >> 8 << 8
    return f"{prefix}_" + "".join(_CROCKFORD[value >> 5 * place & 31] for place in range(25, -1, -1))


def wire_rest_id(prefix: str, id_: str) -> str:
    """As `rest_id`, of an id that another minted: all of it."""
    return f"{prefix}_" + "".join(_CROCKFORD[int(id_, 16) >> 5 * place & 31] for place in range(25, -1, -1))


class _Rest:
    """One node's REST API."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, method: str, path: str, token: str, body: Any = None) -> dict[str, Any]:
        """Its answer. Raises HookRefused for a named no, Failed for anything else."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        data = b"" if body is None else json.dumps(body).encode()
        if data:
            headers["content-type"] = "application/json"
        answer = request(method, self._url, path, data, headers, _TIMEOUT_S)
        if 200 <= answer.status < 300:
            return answer.problem
        if 400 <= answer.status < 500 and answer.reason:
            raise HookRefused(answer.reason, answer.problem)
        raise Failed(f"{method} {path}: {answer}")

    def rows(self, path: str, token: str) -> list[dict[str, Any]]:
        """What is listed there. Raises Failed for any no."""
        answer = request("GET", self._url, path, b"", {"authorization": f"Bearer {token}"}, _TIMEOUT_S)
        if answer.status != 200:
            raise Failed(f"GET {path}: {answer}")
        found: list[dict[str, Any]] = json.loads(answer.body)
        return found


class HutongInstitution:
    """Users, tills and refunds of a Hutong institution, begun through its API with its operator's token."""

    VERBS = frozenset(
        "payer payee balance code pay payment refund return payment-code charge request answer".split()  # noqa: SIM905  # Said once.
    )

    def __init__(self, url: str, operator_token: str) -> None:
        self._rest = _Rest(url)
        self._operator = operator_token
        self._payments: dict[str, tuple[str, str]] = {}  # By handle: whose token, and its id.
        self._refunds: dict[str, tuple[str, dict[str, Any]]] = {}
        self._charges: dict[str, str] = {}
        self._charged = threading.Condition()

    def offers(self) -> frozenset[str]:
        return self.VERBS

    def ask(self, verb: str, **facts: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self, f"_{verb.replace('-', '_')}")(**facts)
        return answer

    def _payer(self) -> dict[str, Any]:
        ask, device = self._rest.ask, rest_id("dev", new_id())
        phone = f"+8613{int(new_id(), 16) % 10**9:09d}"
        ask("POST", "/v1/users/codes", "", {"phone": phone})
        code = ask("GET", f"/v1/operator/one-time-codes/{quote(phone)}", self._operator)["code"]
        who = {"phone": phone, "name": "王小明", "code": code, "registration_id": device}
        signed = ask("POST", "/v1/users", "", {**who, "device_id": device, "device_name": "conformance"})
        user_id = signed["user"]["id"]
        funds = {"pay_in_id": rest_id("pin", new_id()), "user_id": user_id, "amount": FUNDS}
        ask("POST", "/v1/operator/pay-ins", self._operator, funds)
        return {"payer": f"user:{signed['token']}"}

    def _payee(self) -> dict[str, Any]:
        ask = self._rest.ask
        profile = {"reference": new_id(), "legal_name": "胡同面馆有限公司", "name": "胡同面馆", "city": "北京"}
        latin = {"latin_name": "Hutong Noodles", "latin_city": "Beijing", "mcc": "5812", "fee_bps": 38}
        merchant_id = ask("POST", "/v1/operator/merchants", self._operator, profile | latin)["merchant_id"]
        path = f"/v1/operator/merchants/{merchant_id}/keys"
        return {"payee": f"merchant:{ask('POST', path, self._operator, {'name': 'owner'})['token']}"}

    def _answer(self, payee: str, payment: str, debtor_agent: str, text: str) -> dict[str, Any]:
        token, path = payee.partition(":")[2], "/v1/merchant/complaints"
        for each in self._rest.rows(path, token):
            if (each["payment_id"], each["debtor_agent"]) == (wire_rest_id("pay", payment), debtor_agent):
                said = {"act_id": rest_id("act", new_id()), "text": text}
                return {"state": self._rest.ask("POST", f"{path}/{each['complaint_id']}/say", token, said)["state"]}
        raise HookRefused("COMPLAINT_UNKNOWN", {})

    def _balance(self, of: str) -> dict[str, Any]:
        kind, _, token = of.partition(":")
        path = "/v1/balance" if kind == "user" else "/v1/merchant/balance"
        return {"balance": self._rest.ask("GET", path, token)["balance"]}

    def _code(self, payee: str, amount: int) -> dict[str, Any]:
        token = payee.partition(":")[2]
        if not amount:
            return {"code": self._rest.ask("POST", "/v1/plates", token, {"reference": new_id()})["text"]}
        asked = {"reference": new_id(), "amount": amount}
        return {"code": self._rest.ask("POST", "/v1/payment-requests", token, asked)["code"]}

    def _pay(self, id: str, payer: str, code: str, amount: int) -> dict[str, Any]:  # noqa: A002  # The verb's word.
        token = payer.partition(":")[2]
        shown = self._rest.ask("POST", "/v1/codes/consult", token, {"code": code, "amount": amount})
        payment_id = rest_id("pay", id)
        self._payments[id] = (token, payment_id)
        order = {"payment_id": payment_id, "quote_id": shown["quote_id"], "amount": amount}
        return {"state": self._rest.ask("POST", "/v1/payments", token, order)["state"]}

    def _payment(self, id: str) -> dict[str, Any]:  # noqa: A002  # As `_pay`.
        token, payment_id = self._payments[id]
        return {"state": self._rest.ask("GET", f"/v1/payments/{payment_id}", token)["state"]}

    def _refund(self, id: str, payee: str, payment: str, debtor_agent: str, amount: int) -> dict[str, Any]:  # noqa: A002, ARG002  # As `_pay`; payments of ours have ids of their own.
        token = payee.partition(":")[2]
        body = {"refund_id": rest_id("rfd", id), "payment_id": wire_rest_id("pay", payment), "amount": amount}
        self._refunds[id] = (token, body)
        return {"state": self._rest.ask("POST", "/v1/refunds", token, body)["state"]}

    def _return(self, id: str) -> dict[str, Any]:  # noqa: A002  # As `_pay`.
        token, body = self._refunds[id]
        return {"state": self._rest.ask("GET", f"/v1/refunds/{body['refund_id']}", token)["state"]}

    def _payment_code(self, payer: str) -> dict[str, Any]:
        keys = self._rest.ask("GET", "/v1/payment-codes/keys", payer.partition(":")[2])
        head, seed = str(keys["head_today"]), base64.b64decode(keys["seed"])
        step = now_ms() // 15_000
        return {"code": head + one_time_digits(seed, step, head)}

    def _charge(self, id: str, payee: str, code: str, amount: int) -> dict[str, Any]:  # noqa: A002  # As `_pay`.
        token = payee.partition(":")[2]
        body = {"reference": id, "amount": amount, "way": "PAYMENT_CODE", "payer_code": code}
        charge = self._rest.ask("POST", "/v1/charges", token, body)
        with self._charged:
            self._charges[id] = f"{token} {charge['request_id']}"
            self._charged.notify_all()
        return {"state": _STATES.get(charge["state"], charge["state"])}

    def _request(self, id: str) -> dict[str, Any]:  # noqa: A002  # As `_pay`.
        with self._charged:
            self._charged.wait_for(lambda: id in self._charges, _TIMEOUT_S)
        token, _, request_id = self._charges[id].partition(" ")
        state = self._rest.ask("GET", f"/v1/charges/{request_id}", token)["state"]
        return {"state": _STATES.get(state, state)}


def one_time_digits(seed: bytes, step: int, head: str) -> str:
    """The last seven digits of a payment code: docs/scheme/code-formats.md, section 3."""
    mac = hmac.digest(seed, step.to_bytes(8, "big") + head.encode(), hashlib.sha256)
    offset = mac[-1] & 15
    return f"{(int.from_bytes(mac[offset : offset + 4], 'big') & 0x7FFFFFFF) % 10**7:07d}"


class HutongSwitch:
    """Admission, caps, suspension and keys of a Hutong switch, set through its API with its operator's token."""

    VERBS = frozenset({"admit", "cap", "headroom", "suspend", "resume", "key", "retire", "close", "reserve"})

    def __init__(self, url: str, operator_token: str) -> None:
        self._rest = _Rest(url)
        self._token = operator_token

    def offers(self) -> frozenset[str]:
        return self.VERBS

    def ask(self, verb: str, **facts: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self, f"_{verb}")(**facts)
        return answer

    def _admit(self, node: str, url: str, keys: list[dict[str, Any]], forms: list[str], cap: int) -> dict[str, Any]:
        path = f"/v1/participants/{node}"
        self._ask("PUT", path, {"name": f"Conformance {node}", "url": url})
        for key in keys:
            body = {name: key[name] for name in ("public_key", "valid_from_ms", "valid_until_ms")}
            self._ask("PUT", f"{path}/keys/{key['key_id']}", body)
        for form in forms:
            self._ask("POST", f"{path}/forms", {"form": form})
        room = self._headroom(node)["headroom"]
        if room < cap:
            self._cap(node, cap - room)
        return {}

    def _cap(self, node: str, amount: int) -> dict[str, Any]:
        body = {"change_id": rest_id("cap", new_id()), "change": "GRANT", "amount": amount}
        self._ask("POST", f"/v1/participants/{node}/cap", body)
        return {}

    def _headroom(self, node: str) -> dict[str, Any]:
        return {"headroom": self._ask("GET", f"/v1/participants/{node}/position")["headroom"]}

    def _suspend(self, node: str) -> dict[str, Any]:
        return self._ask("POST", f"/v1/participants/{node}/suspend")

    def _resume(self, node: str) -> dict[str, Any]:
        return self._ask("POST", f"/v1/participants/{node}/resume")

    def _key(self, node: str, key_id: str, public_key: str) -> dict[str, Any]:
        body = {"public_key": public_key, "valid_from_ms": now_ms() - 1_000, "valid_until_ms": FOR_EVER_MS // 2}
        return self._ask("PUT", f"/v1/participants/{node}/keys/{key_id}", body)

    def _retire(self, node: str, key_id: str) -> dict[str, Any]:
        return self._ask("DELETE", f"/v1/participants/{node}/keys/{key_id}")

    def _close(self, window: str) -> dict[str, Any]:
        return self._ask("POST", f"/v1/windows/{window.replace('/', '.')}/close")

    def _reserve(self, node: str, amount: int) -> dict[str, Any]:
        body = {"change_id": rest_id("rsv", new_id()), "change": "TOP_UP", "amount": amount}
        return self._ask("POST", f"/v1/participants/{node}/reserve", body)

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return self._rest.ask(method, path, self._token, body)
