"""
What an operator may set: one TOML, and `HUTONG_*` variables that win over it.

Read once, in `cli` alone, into a frozen value; nothing else looks at the environment. Secrets have no default. A key
we do not know is refused: a misspelt setting that is silently ignored would be found in production.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from ipaddress import ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urlsplit

from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime.address import Address, parse_address

DEFAULT_PORTS: Mapping[str, int] = MappingProxyType(
    {"switch": 8100, "jing": 8101, "wei": 8102, "zhi": 8103, "yun": 8104}
)
_PREFIX = "HUTONG_"
_PORT_PREFIX = "HUTONG_PORT_"
_CONFIG = "HUTONG_CONFIG"
_PORT_MAX = 65535
_SECONDS_MAX = 3600
LOG_LEVELS = ("debug", "info", "warning", "error")
_CREDENTIAL = "hutong-secrets-key"  # systemd's LoadCredential.


class SettingsReason(Reason):
    """Why the settings were not understood."""

    SETTING_UNKNOWN = Kind.INVALID, "NARR"
    SETTING_MALFORMED = Kind.INVALID, "NARR"
    SETTINGS_UNREADABLE = Kind.INVALID, "NARR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs between two installations of the same code."""

    data_directory: Path
    database: Address | None = None  # None: an embedded server below the data directory.
    pg_bin: Path | None = None  # Where the embedded server's programs are; None: found.
    host: str = "127.0.0.1"
    ports: Mapping[str, int] = field(default_factory=lambda: DEFAULT_PORTS)
    wal_archive: Path | None = None  # Where the embedded server keeps its log, for restores to any moment.
    log_level: str = ""  # Empty: what the command thinks right.
    log_format: str = "auto"
    trace_ratio: Fraction = Fraction(0)  # How many of all payments are traced.
    drain_notice_s: int = 0  # How long a node that is to stop says so before it takes no more connections.
    secrets_key: str = field(default="", repr=False)  # What the files of secrets are sealed with; none: plain.
    code_gateway_url: str = ""  # Takes one-time codes to telephones.
    code_gateway_secret: str = field(default="", repr=False)
    show_codes: bool = False  # One-time codes are shown to operators instead: for development alone.
    two_person: bool | None = None  # What takes two operators is refused to one; None: by command, `serve` alone.
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1")  # Whose X-Forwarded-For is believed.

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """
        Read the TOML that `HUTONG_CONFIG` names, if any, and the variables.

        Refuses:  SETTING_UNKNOWN, SETTING_MALFORMED, SETTINGS_UNREADABLE, each naming the key and where it stood.
        """
        values: dict[str, Any] = {"data_directory": _default_directory(environ)}
        ports = dict(DEFAULT_PORTS)
        if _CONFIG in environ:
            config = Path(environ[_CONFIG]).expanduser()
            for key, value in _read_toml(config).items():
                if key == "ports":
                    ports |= _ports(value, str(config))
                else:
                    values[_field(key)] = _parse(key, value, where=str(config), base=config.parent)
        if environ.get("PG_BIN"):
            values["pg_bin"] = Path(environ["PG_BIN"])
        for name, text in environ.items():
            if name.startswith(_PORT_PREFIX):
                ports[name.removeprefix(_PORT_PREFIX).lower()] = _port(name, text, where="the environment")
            elif name.startswith(_PREFIX) and name != _CONFIG:
                key = name.removeprefix(_PREFIX).lower()
                values[_field(key)] = _parse(key, text, where="the environment", base=Path.cwd())
        values["secrets_key"] = _secrets_key(values, environ)
        return cls(**values, ports=MappingProxyType(ports))


def _default_directory(environ: Mapping[str, str]) -> Path:
    """A place of the user's own; for root one that the database's unprivileged account can reach."""
    if os.geteuid() == 0:
        return Path("/var/lib/hutong")
    if environ.get("XDG_DATA_HOME"):
        return Path(environ["XDG_DATA_HOME"]) / "hutong"
    return Path(environ["HOME"]) / ".local/share/hutong" if environ.get("HOME") else Path.cwd() / ".hutong"


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # TOMLDecodeError and a wrong encoding are ValueErrors.
        raise Refusal(SettingsReason.SETTINGS_UNREADABLE, file=path, said=str(error)) from error


def _text(value: Any, _base: Path) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text that is not empty")
    return value


def _path(value: Any, base: Path) -> Path:
    return base / Path(_text(value, base)).expanduser()


def _address(value: Any, base: Path) -> Address:
    return parse_address(_text(value, base))


def _one_of(*known: str) -> Callable[[Any, Path], str]:
    def parse(value: Any, _base: Path) -> str:
        if value not in known:
            raise ValueError(", ".join(known))
        return str(value)

    return parse


def _ratio(value: Any, base: Path) -> Fraction:
    text = _text(value, base)
    try:
        ratio = Fraction(text)
    except (ValueError, ZeroDivisionError):
        ratio = Fraction(-1)
    if not 0 <= ratio <= 1:
        raise ValueError('a text between "0" and "1", such as "0.01"')
    return ratio


def _seconds(value: Any, _base: Path) -> int:
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if type(number) is not int or not 0 <= number <= _SECONDS_MAX:
        raise ValueError(f"seconds, 0 to {_SECONDS_MAX}")
    return number


def _url(value: Any, base: Path) -> str:
    text = _text(value, base)
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError("an http or https URL, without name and password")
    return text


def _truth(value: Any, _base: Path) -> bool:
    if value in (True, "true", "1"):
        return True
    if value in (False, "false", "0"):
        return False
    raise ValueError("true or false")


def _proxies(value: Any, base: Path) -> tuple[str, ...]:
    texts = tuple(text.strip() for text in _text(value, base).split(","))
    for text in texts:
        ip_network(text, strict=False)  # A ValueError says what is wrong with it.
    return texts


_PARSERS: dict[str, Callable[[Any, Path], Any]] = {
    "data_directory": _path,
    "database_url": _address,
    "pg_bin": _path,
    "host": _text,
    "wal_archive": _path,
    "log_level": _one_of(*LOG_LEVELS),
    "log_format": _one_of("auto", "json", "console"),
    "trace_ratio": _ratio,
    "drain_notice_s": _seconds,
    "trusted_proxies": _proxies,
    "secrets_key": _text,
    "code_gateway_url": _url,
    "code_gateway_secret": _text,
    "show_codes": _truth,
    "two_person": _truth,
    "secrets_key_file": _path,
}


def _secrets_key(values: dict[str, Any], environ: Mapping[str, str]) -> str:
    """The key itself, or what the file holds that is named, or the unit's credential of systemd."""
    file: Path | None = values.pop("secrets_key_file", None)
    if values.get("secrets_key"):
        return str(values["secrets_key"])
    if file is None and environ.get("CREDENTIALS_DIRECTORY"):
        credential = Path(environ["CREDENTIALS_DIRECTORY"]) / _CREDENTIAL
        file = credential if credential.exists() else None
    if file is None:
        return ""
    expected = "a file that others may not read, not in the data directory, with the key alone"
    try:
        key = file.read_text(encoding="utf-8").strip()
        is_open = bool(file.stat().st_mode & 0o007)
    except (OSError, ValueError):
        key, is_open = "", True
    if not key or is_open or file.resolve().is_relative_to(values["data_directory"].resolve()):
        where = str(file)
        raise Refusal(SettingsReason.SETTING_MALFORMED, setting="secrets_key_file", where=where, expected=expected)
    return key


def _field(key: str) -> str:
    return "database" if key == "database_url" else key


def _parse(key: str, value: Any, *, where: str, base: Path) -> Any:
    parser = _PARSERS.get(key)
    if parser is None:
        raise Refusal(SettingsReason.SETTING_UNKNOWN, setting=key, where=where, known=", ".join([*_PARSERS, "ports"]))
    try:
        return parser(value, base)
    except ValueError as error:
        # The value is not shown: it may be a secret that got into the wrong place.
        raise Refusal(SettingsReason.SETTING_MALFORMED, setting=key, where=where, expected=str(error)) from error


def _ports(value: Any, where: str) -> dict[str, int]:
    if not isinstance(value, dict):
        raise Refusal(SettingsReason.SETTING_MALFORMED, setting="ports", where=where, expected="a table of numbers")
    return {node: _port(f"ports.{node}", port, where=where) for node, port in value.items()}


def _port(key: str, value: Any, *, where: str) -> int:
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if type(number) is not int or not 0 <= number <= _PORT_MAX:
        raise Refusal(SettingsReason.SETTING_MALFORMED, setting=key, where=where, expected=f"0 to {_PORT_MAX}")
    return number
