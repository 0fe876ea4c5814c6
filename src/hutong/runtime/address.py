"""Where a PostgreSQL server is and how to get in: one value, read from a URL, for every client of ours."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from hutong.kernel.errors import Kind, Reason, Refusal

_PORT = 5432
_TLS_MODES = ("disable", "require", "verify-full")


class AddressReason(Reason):
    """Why a database URL could not be read."""

    DATABASE_URL_MALFORMED = Kind.INVALID, "NARR"


@dataclass(frozen=True, slots=True)
class Address:
    """A server, a database on it, and who asks. `host` is a directory when it begins with a slash: a Unix socket."""

    host: str
    port: int
    user: str
    database: str
    password: str = field(default="", repr=False)
    tls: str = "disable"

    @property
    def socket_path(self) -> str | None:
        return f"{self.host}/.s.PGSQL.{self.port}" if self.host.startswith("/") else None

    @property
    def url(self) -> str:
        """The address as a URL, password included: for the environment of a child process, never for a log."""
        who = quote(self.user, safe="") + (":" + quote(self.password, safe="") if self.password else "")
        place = f"{quote(self.host, safe='')}:{self.port}"
        return f"postgresql://{who}@{place}/{quote(self.database, safe='')}?sslmode={self.tls}"

    def tls_context(self) -> ssl.SSLContext | None:
        """What to speak TLS with; None without. `require` encrypts and trusts anybody, as PostgreSQL defines it."""
        if self.tls == "disable":
            return None
        context = ssl.create_default_context()
        if self.tls == "require":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def parse_address(url: str) -> Address:
    """
    Read `postgresql://user:password@host:port/database?sslmode=verify-full`; `?host=/directory` for a socket.

    TLS is `verify-full` unless the URL says otherwise or the server is on this machine.

    Refuses:  DATABASE_URL_MALFORMED, naming the part; never the password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORT
    except ValueError:
        raise Refusal(AddressReason.DATABASE_URL_MALFORMED, part="host or port") from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise Refusal(AddressReason.DATABASE_URL_MALFORMED, part="scheme", expected="postgresql")
    options = dict(parse_qsl(parts.query))
    unknown = options.keys() - {"host", "sslmode"}
    if unknown:
        raise Refusal(AddressReason.DATABASE_URL_MALFORMED, part="option", option=min(unknown))
    host = options.get("host") or unquote(parts.hostname or "localhost")
    if not parts.username:
        raise Refusal(AddressReason.DATABASE_URL_MALFORMED, part="user")
    database = unquote(parts.path.removeprefix("/"))
    if not database:
        raise Refusal(AddressReason.DATABASE_URL_MALFORMED, part="database")
    local = host.startswith("/") or host in {"localhost", "127.0.0.1", "::1"}
    tls = options.get("sslmode", "disable" if local else "verify-full")
    if tls not in _TLS_MODES:
        raise Refusal(AddressReason.DATABASE_URL_MALFORMED, part="sslmode", expected=" or ".join(_TLS_MODES))
    user, password = unquote(parts.username), unquote(parts.password or "")
    return Address(host=host, port=port, user=user, database=database, password=password, tls=tls)


def socket_length_fits(directory: Path) -> bool:
    """Whether a socket in `directory` can have an address: `sun_path` holds 107 bytes on Linux, 103 elsewhere."""
    return len(bytes(directory / f".s.PGSQL.{_PORT}")) <= 103
