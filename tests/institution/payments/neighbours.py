"""Whom payments live beside: the smallest people, requests and notices that keep their promises, durably."""

from typing import Any

import msgspec

from hutong.codes.code import CodeReason
from hutong.institution import chart
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.runtime.tables import BigInt, Boolean, Table, Text, Uuid
from hutong.scheme.messages import Channel


class Person(msgspec.Struct, frozen=True):
    id: int
    tier: int = 3
    name: str = "*明"
    frozen: bool = False

    @property
    def wallet_account(self) -> int:
        return chart.user_account(self.id)

    @property
    def masked_name(self) -> str:
        return self.name

    def may_pay(self, _now_ns: int, /) -> None:
        if self.frozen:
            raise Refusal(PaymentReason.ACCOUNT_REFUSED)

    def may_receive(self, now_ns: int, /) -> None:
        self.may_pay(now_ns)


class Asks(msgspec.Struct, frozen=True, kw_only=True):
    """One version of something to be paid; static ones stay open for ever."""

    id: Uuid
    account: Uuid
    merchant_id: Uuid = 0
    user_id: Uuid = 0
    shop_id: Uuid = 0
    name: Text = "老王面馆"
    shop_name: Text = ""
    mcc: Text = "5812"
    fee_bps: BigInt = 0
    amount: BigInt = 0
    currency: Text = "CNY"
    kind: Text
    is_static: Boolean = False
    remark: Text = ""
    expires_ns: BigInt = 0
    state: Text = "OPEN"
    claimed_by: Uuid = 0

    @property
    def channel(self) -> Channel:
        return Channel(self.kind)


class Found(msgspec.Struct, frozen=True):
    request_id: int
    payee: Asks


class Said(msgspec.Struct, frozen=True):
    id: Uuid
    to: Uuid
    type: Text


class Claimed(msgspec.Struct, frozen=True):
    id: Uuid
    user_id: Uuid


class Holder(msgspec.Struct, frozen=True):
    user_id: int
    is_to_be_asked: bool = False


ASKS = Table("asks", Asks)
SAID = Table("said", Said)
CLAIMED = Table("claimed", Claimed)


class Neighbours:
    """People, requests and notices of one node in one."""

    def __init__(self, node: NodeRuntime) -> None:
        self._node = node
        self.users: dict[int, Person] = {}
        self.codes: dict[str, int] = {}
        self.shown: dict[str, int] = {}
        self.asks = Shelf(ASKS, node.journal, node.store)
        self.claims = Shelf(CLAIMED, node.journal, node.store)
        self.said: list[tuple[int, str, dict[str, Any]]] = []

    # People.

    def session(self, token: str) -> Holder:
        return Holder(int(token))

    def user(self, user_id: int) -> Person:
        return self.users[user_id]

    def check_pin_token(
        self, token: str, user_id: int, payment_id: int, amount: int, creditor: str, _now_ns: int
    ) -> None:
        if token != pin_token(user_id, payment_id, amount, creditor):
            raise Refusal(PaymentReason.PIN_NEEDED)

    def claim_payment_code(self, code: str, charge_id: int, _acquirer: str) -> Holder:
        """A shown code is good for one charge."""
        user_id = self.shown.get(code)
        if user_id is not None and code.startswith("28"):
            return Holder(user_id, is_to_be_asked=True)
        if user_id is None:
            raise Refusal(CodeReason.PAYMENT_CODE_WRONG)
        code_id = derive(1 << 80, code)
        known = self.claims.get(code_id)
        if known is not None and known.user_id != charge_id:
            raise Refusal(CodeReason.PAYMENT_CODE_REUSED)
        if known is None:
            self.claims.put(Claimed(code_id, charge_id))
        return Holder(user_id)

    # Requests.

    def resolve(self, code: str, /) -> Found | None:
        id_ = self.codes.get(code)
        return None if id_ is None else Found(id_, self.payee(id_, self._node.clock.now_ns()))

    def request(self, request_id: int, /) -> Asks:
        asks = self.asks.get(request_id)
        if asks is None:
            raise Refusal(PaymentReason.CODE_NOT_RESOLVED)
        return asks

    def payee(self, request_or_code_id: int, now_ns: int) -> Asks:
        asks = self.request(request_or_code_id)
        if asks.state != "OPEN" or (asks.expires_ns and asks.expires_ns <= now_ns):
            raise Refusal(PaymentReason.REQUEST_EXPIRED, state=asks.state)
        return asks

    def claim(self, request_id: int, payment_id: int, now_ns: int, payer: str = "") -> None:  # noqa: ARG002  # Anybody may pay these.
        asks = self.request(request_id)
        if asks.claimed_by != payment_id:
            self.payee(request_id, now_ns)
            self.asks.put(msgspec.structs.replace(asks, state="CLAIMED", claimed_by=payment_id))

    def release(self, request_id: int, payment_id: int) -> None:
        asks = self.request(request_id)
        if asks.claimed_by == payment_id:
            assert asks.state == "CLAIMED"
            self.asks.put(msgspec.structs.replace(asks, state="OPEN", claimed_by=0))

    def paid(self, request_id: int, payment_id: int) -> None:
        asks = self.request(request_id)
        assert asks.claimed_by == payment_id
        assert asks.state == "CLAIMED", "paid twice"
        self.asks.put(msgspec.structs.replace(asks, state="PAID"))

    # Notices.

    def tell_merchant(self, merchant_id: int, type_: str, data: dict[str, Any], /) -> None:
        self._say(merchant_id, type_, data)

    def tell_user(self, user_id: int, type_: str, data: dict[str, Any], /) -> None:
        self._say(user_id, type_, data)

    def _say(self, to: int, type_: str, data: dict[str, Any]) -> None:
        self.said.append((to, type_, data))
        self._node.journal.append(SAID, Said(self._node.mint.mint(), to, type_))


def pin_token(user_id: int, payment_id: int, amount: int, creditor: str) -> str:
    return f"pin:{user_id}:{payment_id}:{amount}:{creditor}"
