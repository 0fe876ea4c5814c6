"""
How often one caller may ask: token buckets before the API, and a count for each payer on the hot path.

A caller is a bearer token, or else an address: an IPv4 address, or the /64 an IPv6 host may move in. Behind a proxy that is
trusted the address is the one it names in `X-Forwarded-For`. Who is on this machine itself, with no proxy between, is not
limited: an operator's own scripts.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from hutong.kernel.clock import NS_PER_S, Clock
from hutong.kernel.errors import Refusal
from hutong.runtime.http import CALLED_FROM, HttpReason, problem, retry_after_s

_KEYS_MAX = 100_000
_PREFIX_BITS = 64
_FORWARDED_MAX = 20  # Addresses looked at in one header.
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
# Tells who asks too often in other words than ours, or says that it doesn't.
Words = Callable[[Scope, int, Send], Awaitable[bool]]
App = Any  # An ASGI application; frameworks type the same call each in its own way.
NetworkAddress = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and from then on so many a second."""

    burst: int
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """What one caller may ask of the API. Generous to people; a program that goes wild is slowed."""

    token: Rate = Rate(burst=1000, per_s=200)
    address: Rate = Rate(burst=500, per_s=50)  # Without a token: pages, and who comes in. Many share an address.
    doors: Rate = Rate(burst=100, per_s=2)  # Of these, what sends a code, signs in or registers: by address.
    pins: Rate = Rate(burst=20, per_s=0.5)  # Where a PIN is typed: by token; the PIN's own lock comes sooner.
    gateways: Rate = Rate(burst=2000, per_s=500)  # By address: merchants' servers sign each call, and send no token.
    strangers: Rate = Rate(burst=50, per_s=1)  # Tokens nobody knows, by address.
    trusted: Sequence[NetworkAddress] = _LOOPBACK
    door_paths: frozenset[tuple[str, str]] = field(
        default=frozenset(
            ("POST", path)
            for path in (
                "/v1/users/codes",
                "/v1/users",
                "/v1/sessions",
                "/wallet/sign-in",
                "/wallet/sign-in/secrets",
                "/wallet/sign-in/forgotten",
                "/wallet/sign-in/code",
                "/wallet/register",
                "/wallet/register/code",
                "/v1/staff/codes",
                "/v1/staff/pin",
                "/v1/staff/sessions",
                "/staff/sign-in",
                "/staff/pin",
                "/staff/pin/code",
                "/v1/merchant-applications",
                "/merchants/apply",
            )
        )
    )
    pin_path: str = "/v1/pin"
    gateway_paths: tuple[str, ...] = (
        "/gateway.do",
        "/v3/",
        "/pay/",
        "/secapi/",
        "/mmpaymkttransfers/",
        "/mmpaysptrans/",
        "/papay/",
        "/vehicle/",
        "/tools/",
        "/payitil/",
        "/sandboxnew/",
        "/xdc/",
    )


class TokenBuckets:
    """
    A bucket for each key, as the instant at which it will be full again (GCRA): one integer each, and no timer.

    There are at most `keys_max`; when more come, the full ones are forgotten, which changes nothing.
    """

    def __init__(self, rate: Rate, *, keys_max: int = _KEYS_MAX) -> None:
        assert rate.burst >= 1
        self._interval_ns = round(NS_PER_S / rate.per_s)
        self._depth_ns = self._interval_ns * rate.burst
        self._keys_max = keys_max
        self._full_at_ns: dict[Any, int] = {}

    def wait_ns(self, key: Any, now_ns: int) -> int:
        """How long until the key may ask: 0, now."""
        return max(0, self._full_at_ns.get(key, 0) + self._interval_ns - self._depth_ns - now_ns)

    def take(self, key: Any, now_ns: int) -> int:
        """Take one: 0; or nothing, and how long to wait."""
        wait_ns = self.wait_ns(key, now_ns)
        if wait_ns:
            return wait_ns
        if len(self._full_at_ns) >= self._keys_max and key not in self._full_at_ns:
            self._forget(now_ns)
        self._full_at_ns[key] = max(self._full_at_ns.get(key, 0), now_ns) + self._interval_ns
        return 0

    def __len__(self) -> int:
        return len(self._full_at_ns)

    def _forget(self, now_ns: int) -> None:
        kept = {key: full_at_ns for key, full_at_ns in self._full_at_ns.items() if full_at_ns > now_ns}
        # A flood from everywhere: whom to limit can't be told any more, and memory is worth more.
        self._full_at_ns = {} if len(kept) >= self._keys_max else kept


class HotCount:
    """
    At most `count_max` in `period_s` for each caller, in a tenth of a microsecond: no clock is read below the limit.

    The counts go on until one passes the limit; if they are older than the period by then, all begin anew.
    """

    def __init__(self, clock: Clock, *, count_max: int = 2000, period_s: int = 4, keys_max: int = _KEYS_MAX) -> None:
        self._clock = clock
        self._count_max = count_max
        self._period_ns = period_s * NS_PER_S
        self._keys_max = keys_max
        self._counts: dict[int, int] = {}
        self._since_ns = clock.now_ns()

    def check(self, caller: int) -> None:
        """Count one. Refuses TOO_MANY_REQUESTS."""
        counts = self._counts
        count = counts[caller] = counts.get(caller, 0) + 1
        if count == 1 and len(counts) > self._keys_max:
            counts.clear()
        if count > self._count_max:
            self._look_at_clock(caller)

    def _look_at_clock(self, caller: int) -> None:
        now_ns = self._clock.now_ns()
        wait_ns = self._since_ns + self._period_ns - now_ns
        if wait_ns > 0:
            raise too_many(wait_ns)
        self._counts.clear()
        self._counts[caller] = 1
        self._since_ns = now_ns


class RateLimited:
    """The ASGI application of a node behind its limits: asked first, before a session is looked up or a body is read."""

    def __init__(self, app: App, limits: RateLimits, clock: Clock, words: Words | None = None) -> None:
        self._app = app
        self._words = words
        self._limits = limits
        self._clock = clock
        self._tokens = TokenBuckets(limits.token)
        self._addresses = TokenBuckets(limits.address)
        self._doors = TokenBuckets(limits.doors)
        self._pins = TokenBuckets(limits.pins)
        self._gateways = TokenBuckets(limits.gateways)
        self._strangers = TokenBuckets(limits.strangers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = self._address(scope) if scope["type"] == "http" else None
        if address is None:
            await self._app(scope, receive, send)
            return
        scope[CALLED_FROM] = address
        wait_ns = self._take(scope, address, self._clock.now_ns())
        if wait_ns:
            refusal = too_many(wait_ns)
            if self._words is None or not await self._words(scope, retry_after_s(refusal), send):
                await _refuse(refusal, send)
            return

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                self._strangers.take(address, self._clock.now_ns())
            await send(message)

        await self._app(scope, receive, sent)

    def _take(self, scope: Scope, address: str, now_ns: int) -> int:
        if wait_ns := self._strangers.wait_ns(address, now_ns):
            return wait_ns
        method, path = scope["method"], scope["path"]
        if path.startswith(self._limits.gateway_paths):
            return self._gateways.take(address, now_ns)
        token = _header(scope, b"authorization")
        if not token:
            if (method, path) in self._limits.door_paths and (wait_ns := self._doors.take(address, now_ns)):
                return wait_ns
            return self._addresses.take(address, now_ns)
        key = hash(token)  # Salted by the process: nobody can choose tokens that share a bucket.
        is_pin = path == self._limits.pin_path or path.startswith(self._limits.pin_path + "/")
        if is_pin and (wait_ns := self._pins.take(key, now_ns)):
            return wait_ns
        return self._tokens.take(key, now_ns)

    def _address(self, scope: Scope) -> str | None:
        client = scope.get("client")
        return None if client is None else caller_address(client[0], _header(scope, b"x-forwarded-for"), self._limits)


def caller_address(peer: str, forwarded: bytes, limits: RateLimits) -> str | None:
    """Whose address counts; None for who is on this machine itself."""
    found = peer
    if _is_in(peer, limits.trusted):
        # The nearest proxy wrote the last one; what stands before it is believed as far as proxies of ours wrote it.
        for told in reversed(forwarded.decode("latin-1").split(",")[-_FORWARDED_MAX:]):
            if not told.strip():
                continue
            found = told.strip()
            if not _is_in(found, limits.trusted):
                break
    if _is_in(found, _LOOPBACK):
        return None
    return _neighbourhood(found)


def too_many(wait_ns: int) -> Refusal:
    """TOO_MANY_REQUESTS, and how long to wait: never too short."""
    return Refusal(HttpReason.TOO_MANY_REQUESTS, retry_after_s=max(1, -(-wait_ns // NS_PER_S)))


def read_networks(texts: Sequence[str]) -> tuple[NetworkAddress, ...]:
    """Addresses and networks of proxies; raises ValueError, in words."""
    return tuple(ip_network(text.strip(), strict=False) for text in texts)


def _neighbourhood(text: str) -> str:
    """An address as it is counted: a host of IPv6 has 2**64 of them."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return "?"  # A proxy that names no address: all such callers are one.
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(IPv6Network((int(address) >> _PREFIX_BITS << _PREFIX_BITS, _PREFIX_BITS)))
    return str(address)


def _is_in(text: str, networks: Sequence[NetworkAddress]) -> bool:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address.version == network.version and address in network for network in networks)


def _header(scope: Mapping[str, Any], name: bytes) -> bytes:
    return b",".join(value for key, value in scope["headers"] if key == name)


async def _refuse(refusal: Refusal, send: Send) -> None:
    status, body = problem(refusal)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"%d" % retry_after_s(refusal)),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
