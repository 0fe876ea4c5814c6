"""Where the node is that a command talks to, and in whose name."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from hutong.app.network import SWITCH
from hutong.app.node_client import NodeClient, NodeSilent
from hutong.app.secrets import read_operator_token
from hutong.app.wallet import Phone, Wallet
from hutong.cli.credentials import Credential, Credentials
from hutong.kernel.clock import SystemClock
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, system_randomness
from hutong.runtime.settings import Settings

USER, MERCHANT, OPERATOR = "user", "merchant", "operator"


class ConnectionReason(Reason):
    """Why a command does not know where to go."""

    NODE_WITHOUT_PORT = Kind.INVALID, "NARR"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class At:
    """The options that every command has which talks to a node."""

    node: Annotated[str, Parameter(help="The node, by name: on this machine, at its port of the settings.")] = ""
    url: Annotated[str, Parameter(help="Where the node is, if it is not on this machine.")] = ""
    who: Annotated[str, Parameter(name="--as", help="In whose name: a name or a phone that is signed in here.")] = ""


NOWHERE = At()
Own = Annotated[
    bool, Parameter(name="--merchant", negative="", help="As the merchant that is signed in here, of its own.")
]


def settings() -> Settings:
    """The settings of whoever calls: read once, here."""
    return Settings.from_environ(os.environ)


def credentials() -> Credentials:
    """Who is signed in here."""
    return Credentials(settings().data_directory)


def url_of(node: str, url: str = "") -> str:
    """Where a node is. Refuses NODE_WITHOUT_PORT."""
    if url:
        return url
    known = settings()
    port = known.ports.get(node)
    if not port:
        nodes = ", ".join(known.ports)
        raise Refusal(ConnectionReason.NODE_WITHOUT_PORT, node=node, known=nodes, say="--url, or HUTONG_PORT_<NODE>")
    return f"http://{known.host}:{port}"


def client_of(url: str, token: str = "") -> NodeClient:
    """Talks to a node; where it is starting, says so and waits."""
    return NodeClient(url, token, starting=_say_that_it_starts)


def _say_that_it_starts(url: str) -> None:
    sys.stderr.write(f"hutong: {url} is starting; waiting for it.\n")


def connected(at: At, role: str) -> tuple[Credential, NodeClient]:
    """The client of whoever is meant. Refuses NOT_SIGNED_IN, WHO_IS_MEANT, NODE_WITHOUT_PORT."""
    credential = credentials().find(role, node=at.node, who=at.who)
    return credential, client_of(url_of(credential.node, at.url), credential.token)


@contextmanager
def asking_later(how: str) -> Iterator[None]:
    """Where no answer comes it may have happened all the same: say how to find out, with the id that was sent."""
    try:
        yield
    except NodeSilent as silent:
        raise NodeSilent(f"{silent}; it may have happened: {how}") from None


def wallet_of(at: At) -> tuple[Credential, Wallet]:
    """The wallet of whoever is meant. Refuses as `connected`."""
    credential, client = connected(at, USER)
    phone = credential.device or Phone(device_id="")
    return credential, Wallet(client, phone, IdMint(SystemClock(), system_randomness()))


def operating(at: At) -> NodeClient:
    """
    The client of a node's operator, by default the switch's.

    The token is the one noted with `hutong login --operator`, else the one in the node's own secrets, for who may read them.
    """
    node = at.node or SWITCH
    known = [each for each in credentials().all() if (each.role, each.node) == (OPERATOR, node)]
    ours = settings()
    token = known[0].token if known else read_operator_token(ours.data_directory, node, ours.secrets_key)
    if not token:
        credentials().find(OPERATOR, node=node)  # Refuses, saying how.
    return client_of(url_of(node, at.url), token)


def marketing(at: At, *, own: bool) -> tuple[NodeClient, str]:
    """Whoever runs campaigns: a node's operator, or a merchant of its own; and what their addresses begin with."""
    if own:
        return connected(at, MERCHANT)[1], "/v1/merchant"
    return operating(at), "/v1/operator"
