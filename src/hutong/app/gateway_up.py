"""`hutong gateway up`: the gateways of the network that is up, or of one brought up for them, and how software is led to them."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

from rich.console import Console

from hutong.app import trial
from hutong.app.gateway_front import TLS_PORT, Trusted, behind_names, hosts_lines, tls_front, trusted
from hutong.app.network import Network
from hutong.app.up import interruption
from hutong.runtime.namespace_bridge import is_listening
from hutong.runtime.settings import Settings
from hutong.runtime.tls_front import Behind


def run(
    settings: Settings, network: Network, *, tls: bool, port: int, wechatpay: str, alipay: str, samples: bool
) -> None:
    """Stay up until interrupted. A network that is up is joined, and goes on afterwards."""
    behind = behind_names(settings, wechatpay=wechatpay, alipay=alipay)

    @asynccontextmanager
    async def beside(console: Console) -> AsyncIterator[None]:
        for line in _addresses(behind):
            console.print(line, highlight=False)
        if not tls:
            yield
            return
        trust = trusted(settings)
        async with tls_front(settings.host, port, behind, trust.authority) as front:
            for line in _how_to_come_in(settings.host, front.port, behind, trust):
                console.print(line, highlight=False, soft_wrap=True, markup=False)
            yield

    if all(is_listening(each.host, each.port) for each in behind.values()):
        asyncio.run(_until_interrupted(beside, Console()))
    else:
        trial.run(settings, network, samples=samples, lan=False, beside=beside)


async def _until_interrupted(beside: trial.Beside, console: Console) -> None:
    async with beside(console):
        await interruption().wait()


def _addresses(behind: Mapping[str, Behind]) -> Iterator[str]:
    wechatpay, alipay = behind["api.mch.weixin.qq.com"], behind["openapi.alipay.com"]
    yield "Gateways, for whoever sets a base URL:"
    yield f"  WeChat Pay  http://{wechatpay.host}:{wechatpay.port}"
    yield f"  Alipay      http://{alipay.host}:{alipay.port}/gateway.do"
    yield "Keys and configuration: [bold]hutong gateway merchant create --for wechatpay[/], or --for alipay."


def _how_to_come_in(host: str, port: int, behind: Mapping[str, Behind], trust: Trusted) -> Iterator[str]:
    yield f"TLS on {host}:{port}, for software that is not changed at all:"
    yield "1. Let the names lead here, in /etc/hosts:"
    yield "\n".join(f"     {line}" for line in hosts_lines(host, behind).splitlines())
    if port != TLS_PORT:
        yield f"   and port {TLS_PORT} to {port}:"
        yield f"     iptables -t nat -A OUTPUT -d {host} -p tcp --dport {TLS_PORT} -j REDIRECT --to-ports {port}"
    yield "2. Let the program trust this machine's authority, which can vouch for these names and no others:"
    yield "\n".join(f"     export {name}='{value}'" for name, value in trust.environment().items())
    yield "   The authority's SHA-256: " + trust.authority.fingerprint
    yield "3. Start it. Both are done for one program, and for nothing else, by: hutong gateway run -- COMMAND"
