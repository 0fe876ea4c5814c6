"""
`hutong gateway run`: a program in a private place where the real names lead to the gateways, and are trusted.

Who is not root enters while this process has one thread: libraries that start others are imported afterwards.
"""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hutong.app.gateway_front import (
    HOSTS,
    SYSTEM_AUTHORITIES,
    TLS_PORT,
    Trusted,
    behind_names,
    hosts_lines,
    tls_front,
    trusted,
)
from hutong.app.logs import configure_logs
from hutong.app.network import Network
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime import private_namespace
from hutong.runtime.address import Address
from hutong.runtime.namespace_bridge import Bridge, is_listening
from hutong.runtime.settings import Settings
from hutong.runtime.tls_front import Behind

LOOPBACK = "127.0.0.1"
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_BY_SIGNAL = 128  # What a shell says of a program that a signal ended, and the signal's number.


class RunReason(Reason):
    """Why a program was not run."""

    COMMAND_NOT_FOUND = Kind.NOT_FOUND, "NARR"
    COMMAND_MISSING = Kind.INVALID, "NARR"


def run(settings: Settings, network: Network, command: Sequence[str], *, wechatpay: str, alipay: str) -> int:
    """
    Run `command` where the names are ours; its exit code.

    A network that is up on these ports is joined; else one lives in the same private place for as long as the command.
    Refuses NAMESPACES_FORBIDDEN, COMMAND_MISSING, COMMAND_NOT_FOUND.
    """
    import uvloop

    if not command:
        raise Refusal(RunReason.COMMAND_MISSING, say="hutong gateway run -- python shop.py")
    settings = replace(settings, host=LOOPBACK)
    behind = behind_names(settings, wechatpay=wechatpay, alipay=alipay)
    trust = trusted(settings)
    environ = dict(os.environ) | trust.environment()
    configure_logs(level=settings.log_level or "error", form=settings.log_format)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="hutong-run-")))
        joined = all(is_listening(each.host, each.port) for each in behind.values())
        bridge = stack.enter_context(Bridge(scratch, settings.ports.values())) if joined else None
        _move_in(trust, behind, scratch)
        if bridge is not None:
            return uvloop.run(_beside(bridge, trust, behind, command, environ))
        from hutong.app.up import database_server

        address = stack.enter_context(database_server(settings))
        return uvloop.run(_within(settings, network, address, trust, behind, command, environ))


def _move_in(trust: Trusted, behind: Mapping[str, Behind], scratch: Path) -> None:
    kept = [line for line in HOSTS.read_text(encoding="utf-8").splitlines() if not {*line.split()} & {*behind}]
    hosts = scratch / "hosts"
    hosts.write_text("\n".join(kept) + "\n" + hosts_lines(LOOPBACK, behind), encoding="utf-8")
    hosts.chmod(0o644)
    private_namespace.enter()
    private_namespace.put_over(HOSTS, hosts)
    for known in SYSTEM_AUTHORITIES:
        if known.is_file():
            private_namespace.put_over(known, trust.bundle)


async def _within(
    settings: Settings,
    network: Network,
    address: Address,
    trust: Trusted,
    behind: Mapping[str, Behind],
    command: Sequence[str],
    environ: Mapping[str, str],
) -> int:
    from hutong.app.sandbox_clock import SandboxClock
    from hutong.app.up import Trial, running_network

    ahead = SandboxClock(settings.data_directory)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running_network(settings, network, address, Trial(ahead, ahead)))
        await stack.enter_async_context(tls_front(LOOPBACK, TLS_PORT, behind, trust.authority))
        return await _ended(command, environ)


async def _beside(
    bridge: Bridge, trust: Trusted, behind: Mapping[str, Behind], command: Sequence[str], environ: Mapping[str, str]
) -> int:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bridge.inside())
        await stack.enter_async_context(tls_front(LOOPBACK, TLS_PORT, behind, trust.authority))
        return await _ended(command, environ)


async def _ended(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run it to its end. What a terminal sends reaches it anyway; what is sent to us alone is passed on."""
    try:
        program = await asyncio.create_subprocess_exec(*command, env=environ)
    except OSError as error:
        raise Refusal(RunReason.COMMAND_NOT_FOUND, command=command[0], said=error.strerror) from error

    def pass_on(number: int) -> None:
        with suppress(ProcessLookupError):
            program.send_signal(number)

    loop = asyncio.get_running_loop()
    for number in _PASSED_ON:
        loop.add_signal_handler(number, pass_on, number)
    at_terminal = os.isatty(0)  # Then the whole foreground group has got it already.
    loop.add_signal_handler(signal.SIGINT, (lambda: None) if at_terminal else (lambda: pass_on(signal.SIGINT)))
    code = await program.wait()
    return code if code >= 0 else _BY_SIGNAL - code
