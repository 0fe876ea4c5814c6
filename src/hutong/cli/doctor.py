"""`hutong doctor`: what this machine lacks, what follows from that, and how to get it."""

import asyncio
import os
import resource
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from rich.text import Text

from hutong.cli.output import AsJson, show_json, show_rows, stdout
from hutong.codes.font import font_for
from hutong.codes.picture import qr_png, read_picture
from hutong.kernel.clock import SystemClock, instant
from hutong.kernel.errors import Refusal
from hutong.runtime import binaries
from hutong.runtime.address import Address
from hutong.runtime.database import Database, DatabaseUnavailable
from hutong.runtime.settings import Settings

_PYTHON_MIN = (3, 11)
_DISK_MIN, _DISK_ENOUGH = 1 << 30, 10 << 30
_FILES_ENOUGH = 4096
_PACKAGES = {
    "asyncpg": "asyncpg",
    "uvicorn": "uvicorn",
    "litestar": "litestar",
    "cryptography": "cryptography",
    "nacl": "PyNaCl",
    "argon2": "argon2-cffi",
    "zen": "zen-engine",
    "segno": "segno",
    "zxingcpp": "zxing-cpp",
    "PIL": "pillow",
}


class State(Enum):
    """What a finding means for running a network here."""

    OK = "ok"
    WEAK = "weak"  # It runs, less well.
    MISSING = "missing"  # It does not run.


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    about: str
    state: State
    found: str
    remedy: str = ""


_COLOURS = {State.OK: "green", State.WEAK: "yellow", State.MISSING: "red"}


def doctor(*, json: AsJson = False) -> int:
    """Say what is missing on this machine, and how to get it. The exit code is 1 if a network would not run."""
    settings = Settings.from_environ(os.environ)
    findings = [finding for check in _CHECKS for finding in check(settings)]
    runs = all(finding.state is not State.MISSING for finding in findings)
    if json:
        show_json({"runs": runs, "findings": msgspec.to_builtins(findings)})
        return 0 if runs else 1
    rows = [(Text(each.state.value, _COLOURS[each.state]), each.about, each.found, each.remedy) for each in findings]
    show_rows("", ("", "what", "found", "what to do"), rows)
    stdout.print("A network runs here: hutong up" if runs else "A network does not run here yet.")
    return 0 if runs else 1


def _python(_: Settings) -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:2] >= _PYTHON_MIN
    yield Finding("Python", State.OK if good else State.MISSING, found, "" if good else "install Python >= 3.11")


def _packages(_: Settings) -> Iterator[Finding]:
    missing, found = [], []
    for module, package in _PACKAGES.items():
        try:
            import_module(module)
            found.append(f"{package} {version(package)}")
        except (ImportError, PackageNotFoundError):
            missing.append(package)
    remedy = f"pip install {' '.join(missing)}" if missing else ""
    shown = f"{', '.join(missing)} not importable" if missing else f"{len(found)} of {len(found)}"
    yield Finding("Python packages", State.MISSING if missing else State.OK, shown, remedy)


def _postgres(settings: Settings) -> Iterator[Finding]:
    if settings.database is not None:
        yield asyncio.run(_server_of_yours(settings.database))
        return
    found = binaries.find_all(settings.pg_bin)
    if not found:
        yield Finding("PostgreSQL", State.MISSING, "none", binaries.HOW_TO_GET)
        return
    chosen = found[0]
    yield Finding("PostgreSQL", State.OK, f"{chosen.version}, {chosen.origin}: {chosen.directory}")
    try:
        account = binaries.unprivileged_account()
    except Refusal as refusal:
        yield Finding("its account", State.MISSING, str(refusal), "adduser --system postgres")
    else:
        yield Finding("its account", State.OK, "you" if account.uid == os.geteuid() else account.name)


async def _server_of_yours(address: Address) -> Finding:
    place = f"{address.host}:{address.port}"
    try:
        connection = await Database(address, "public").connect()
    except (DatabaseUnavailable, Refusal) as error:
        remedy = "start it, or set HUTONG_DATABASE_URL right; without one hutong brings its own"
        return Finding("PostgreSQL", State.MISSING, str(error), remedy)
    try:
        version_of_it = connection.get_server_version()
        may = await connection.fetchval("SELECT has_database_privilege(current_database(), 'CREATE')")
    finally:
        await connection.close()
    found = f"{version_of_it.major}.{version_of_it.minor}, a server of yours: {place}"
    if version_of_it.major < binaries.MAJOR_MIN:
        return Finding("PostgreSQL", State.MISSING, found, f"it must be {binaries.MAJOR_MIN} or newer")
    if not may:
        return Finding(
            "PostgreSQL",
            State.MISSING,
            f"{found}, where {address.user} may make no schema",
            f"GRANT CREATE ON DATABASE {address.database} TO {address.user}",
        )
    return Finding("PostgreSQL", State.OK, found)


def _data_directory(settings: Settings) -> Iterator[Finding]:
    directory = settings.data_directory
    there = _first_there(directory)
    choose = "choose another with HUTONG_DATA_DIRECTORY"
    if not there.is_dir():
        yield Finding("data directory", State.MISSING, f"{there} is no directory", choose)
        return
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding("data directory", State.MISSING, f"{there} may not be written", choose)
        return
    closed = binaries.closed_directory(directory, binaries.unprivileged_account()) if there == directory else None
    if closed is not None:
        remedy = f"let others pass {closed} (chmod o+x), or {choose}"
        yield Finding("data directory", State.MISSING, f"{closed} is closed to PostgreSQL's account", remedy)
        return
    yield Finding("data directory", State.OK, f"{directory}{'' if directory == there else ' (to be made)'}")
    free = shutil.disk_usage(there).free
    state = State.MISSING if free < _DISK_MIN else State.WEAK if free < _DISK_ENOUGH else State.OK
    remedy = "" if state is State.OK else f"free some; 5 million payments take some 10 GB; or {choose}"
    yield Finding("disk", state, f"{free / (1 << 30):.1f} GB free", remedy)


def _ports(settings: Settings) -> Iterator[Finding]:
    taken = [f"{port} ({node})" for node, port in settings.ports.items() if not _is_free(settings.host, port)]
    shown = f"{', '.join(taken)} taken" if taken else f"{', '.join(map(str, settings.ports.values()))} free"
    remedy = "stop what listens there (a network of yours?), or set HUTONG_PORT_<NODE>" if taken else ""
    yield Finding("ports", State.WEAK if taken else State.OK, shown, remedy)


def _pictures(_: Settings) -> Iterator[Finding]:
    text = "https://hutong.example/q/互通"
    try:
        good = read_picture(qr_png(text)) == (text,)
    except Refusal:
        good = False
    found = "a code is written and read again" if good else "a code that was written is not read"
    remedy = "" if good else "pip install --force-reinstall segno zxing-cpp pillow"
    yield Finding("pictures", State.OK if good else State.MISSING, found, remedy)
    has_font = font_for("互通", 20) is not None
    remedy = "" if has_font else "apt-get install fonts-noto-cjk; until then plates bear Latin names"
    yield Finding("Chinese font", State.OK if has_font else State.WEAK, "found" if has_font else "none", remedy)


def _clock(_: Settings) -> Iterator[Finding]:
    now_ns = SystemClock().now_ns()
    made_ns = Path(__file__).stat().st_mtime_ns  # Whoever installed this cannot have done so in the future.
    behind = now_ns < made_ns
    remedy = "set the clock (timedatectl set-ntp true): payments have deadlines, and nodes refuse stale messages"
    shown = f"{instant(now_ns):%Y-%m-%d %H:%M:%S} UTC" + (", before this was installed" if behind else "")
    yield Finding("clock", State.MISSING if behind else State.OK, shown, remedy if behind else "")
    try:
        ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        yield Finding("time zones", State.MISSING, "none", "pip install tzdata")


def _files(_: Settings) -> Iterator[Finding]:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = soft >= _FILES_ENOUGH or soft == resource.RLIM_INFINITY
    remedy = "" if enough else f"ulimit -n {_FILES_ENOUGH}: each connection is one"
    yield Finding("open files", State.OK if enough else State.WEAK, f"at most {soft}", remedy)


_CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _postgres,
    _data_directory,
    _ports,
    _pictures,
    _clock,
    _files,
)


def _first_there(path: Path) -> Path:
    """The path itself, or the nearest of its parents that exists."""
    return next(candidate for candidate in (path, *path.absolute().parents) if candidate.exists())


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
