"""One call of a method, whatever dialect it came by: who calls, what is asked, and what is answered."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from hutong.gateways.account import AlipayAccount, Caller
from hutong.gateways.alipay.charset import UTF8
from hutong.gateways.alipay.errors import SUCCESS
from hutong.gateways.alipay.fields import Fields
from hutong.gateways.alipay.parameters import File
from hutong.gateways.wire import WireRequest

_VENDOR_HOSTS = (".alipay.com", ".alipaydev.com")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A method called by whom it says: its signature has been checked."""

    method: str
    caller: Caller
    fields: Fields
    sign_type: str = "RSA2"
    codec: str = UTF8
    notify_url: str = ""
    return_url: str = ""
    auth_token: str = ""  # A person's, for what is about a person.
    files: Mapping[str, File] = {}
    now_ns: int = 0
    wall_ns: int = 0  # The same by the client's clock, by which it names instants.
    origin: str = ""  # Scheme and host as the client called them.
    private_urls: bool = False  # Whether it may be called back in a private network.

    @property
    def payee(self) -> AlipayAccount:
        """The application that is paid."""
        account = self.caller.payee
        assert isinstance(account, AlipayAccount)
        return account

    @property
    def account(self) -> AlipayAccount:
        """The application that calls: a service provider's, where it acts for another."""
        account = self.caller.account
        assert isinstance(account, AlipayAccount)
        return account


class Reply(msgspec.Struct, frozen=True):
    """What a method answers, in this order; the classic dialect says `code` and `msg` before it."""

    fields: dict[str, Any]
    code: str = SUCCESS


class Page(msgspec.Struct, frozen=True):
    """What a method answers to a browser: a page of this text."""

    html: str


Handler = Callable[[Call], Awaitable[Reply | Page]]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """
    A method that is built here, of a product that a merchant can have.

    `flat` methods are asked in the common parameters instead of `biz_content`. `loose` ones say their errors under
    `error_response`. To a `page` a browser comes, and wants a page also where the answer is no.
    """

    method: str
    product: str
    handler: Handler
    flat: bool = False
    loose: bool = False
    page: bool = False
    invalid: str = "ACQ.INVALID_PARAMETER"  # How it says that a field is wrong: products beside trades have no `ACQ.`.


def origin(request: WireRequest) -> str:
    """Scheme and host as the client called them; the vendor's own names are never without TLS."""
    name = request.host.rpartition(":")[0] or request.host
    scheme = "https" if name.endswith(_VENDOR_HOSTS) else request.scheme
    return f"{scheme}://{request.host}"
