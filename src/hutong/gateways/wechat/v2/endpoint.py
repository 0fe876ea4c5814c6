"""One endpoint of v2: what it takes, who answers it, and how the answer is proved."""

from collections.abc import Awaitable, Callable
from enum import Enum

import msgspec

from hutong.gateways.account import Caller, WechatAccount
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.shape import Parameter
from hutong.gateways.wechat.v2.signature import SignType
from hutong.gateways.wire import WireAnswer, WireRequest


class Proof(Enum):
    """How an answer is signed."""

    AS_ASKED = 0  # With what the request was.
    NONE = 1  # Transfers, red packets: the vendor's own are not.


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request that was proved, and has the shape of its endpoint."""

    caller: Caller
    account: WechatAccount  # Who signed it.
    fields: Fields
    key: str  # What it was signed with.
    sign_type: SignType
    is_sandbox: bool  # Whether it came below the sandbox's path.
    request: WireRequest

    def text(self, name: str) -> str:
        """A field; empty for none."""
        return self.fields.get(name, "")

    def number(self, name: str) -> int:
        """A field that the endpoint's shape says is a number; 0 for none."""
        return int(self.fields.get(name) or 0)


Handler = Callable[[Call], Awaitable[Fields | WireAnswer]]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """`handler` is None for a product with nothing beneath it: it answers NOAUTH."""

    path: str
    product: str
    parameters: tuple[Parameter, ...] = ()
    handler: Handler | None = None
    method: str = "POST"
    proof: Proof = Proof.AS_ASKED
    has_nonce: bool = True
    is_hmac: bool = False  # Whether the product takes HMAC-SHA256 alone.
    unsaid: frozenset[str] = frozenset()  # What most answers say, and this one's don't.
