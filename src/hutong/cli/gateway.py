"""`hutong gateway up` and `run`: the gateways where merchants' software looks for them."""

from typing import Annotated

from cyclopts import Parameter

from hutong.cli.connection import settings
from hutong.cli.network import NetworkFile

WechatpayNode = Annotated[str, Parameter(help="The node that answers to WeChat Pay's names.")]
AlipayNode = Annotated[str, Parameter(help="The node that answers to Alipay's names.")]


def up(
    *,
    tls: Annotated[
        bool, Parameter(negative="", help="Serve the real names over TLS, and say how to be led there.")
    ] = False,
    port: Annotated[int, Parameter(help="Where TLS is; below 1024 for root alone.")] = 443,
    wechatpay: WechatpayNode = "wei",
    alipay: AlipayNode = "zhi",
    network: NetworkFile = None,
    samples: Annotated[
        bool, Parameter(help="Let sample people and shops live in a network that is brought up.")
    ] = True,
) -> None:
    """Join the network that is up, or bring one up, and say how software is led to its gateways; Ctrl-C ends it."""
    from hutong.app import gateway_up
    from hutong.app.network import DEMO_NETWORK, read_network

    described = DEMO_NETWORK if network is None else read_network(network)
    gateway_up.run(settings(), described, tls=tls, port=port, wechatpay=wechatpay, alipay=alipay, samples=samples)


def run(
    *command: Annotated[str, Parameter(help="The program and what it is told.", allow_leading_hyphen=True)],
    wechatpay: WechatpayNode = "wei",
    alipay: AlipayNode = "zhi",
    network: NetworkFile = None,
) -> int:
    """Run a program, unchanged, in a private place where the real names lead to the gateways; its exit code."""
    from hutong.app import gateway_run
    from hutong.app.network import DEMO_NETWORK, read_network

    described = DEMO_NETWORK if network is None else read_network(network)
    return gateway_run.run(settings(), described, command, wechatpay=wechatpay, alipay=alipay)
