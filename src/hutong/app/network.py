"""
What a network consists of: its nodes, described as data.

The demo's network is the default; an operator writes another in TOML (`docs/operate.md`).
"""

import tomllib
from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec

from hutong.codes.plate import NETWORK_GUID
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.scheme.message import NodeId

SWITCH = "switch"


class NetworkReason(Reason):
    """Why a network's description can't be used."""

    NETWORK_UNREADABLE = Kind.INVALID, "NARR"
    NETWORK_MALFORMED = Kind.INVALID, "NARR"
    NODE_UNKNOWN = Kind.NOT_FOUND, "NARR"


class NodeKind(Enum):
    """Which software a node runs."""

    SWITCH = "switch"
    INSTITUTION = "institution"


class NodeSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One node.

    `colour` is what its pages wear. `url` is where its peers reach it; `plate_base` is what its plates begin with; `payment_code_prefix` is the
    issuer prefix the switch assigned; `public_keys` are the keys it signs with, `key-id:hex`; `forms` are the code forms it registers besides those two;
    `app_link` opens its wallet on a code, which stands for `{code}` in it (`jingpay://scan?code={code}`);
    `cap_minor` is the net debit cap the switch's operator grants it by hand, and `reserve_minor` what it prefunds on its
    settlement account, from which policy derives another, in fen.
    """

    node: NodeId
    kind: NodeKind = NodeKind.INSTITUTION
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    colour: Annotated[str, msgspec.Meta(pattern="^#[0-9a-f]{6}$")] = "#3a4a5e"
    participant: str = ""
    url: str = ""
    plate_base: str = ""
    payment_code_prefix: str = ""
    public_keys: tuple[Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._-]{1,64}:[0-9a-f]{64}$")], ...] = ()
    forms: tuple[str, ...] = ()
    app_link: str = ""
    cap_minor: int = 0
    reserve_minor: int = 0

    @property
    def participant_id(self) -> str:
        """Whose node it is; by default the node is its own participant."""
        return self.participant or self.node

    @property
    def own_forms(self) -> tuple[str, ...]:
        """The code forms the switch's directory has for it."""
        forms = self.forms
        if self.payment_code_prefix:
            forms = (f"digits:{self.payment_code_prefix}:18", *forms)
        if self.plate_base:
            links = (f"url:{self.plate_base}/q/", f"url:{self.plate_base}/agreements/")
            forms = (*links, f"emvco:*:{NETWORK_GUID.upper()}:01={self.node}", *forms)
        return forms


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All nodes of a network; exactly one is the switch."""

    nodes: tuple[NodeSpec, ...]

    def node(self, node_id: str) -> NodeSpec:
        """Refuses NODE_UNKNOWN, saying which there are."""
        for spec in self.nodes:
            if spec.node == node_id:
                return spec
        known = ", ".join(spec.node for spec in self.nodes)
        raise Refusal(NetworkReason.NODE_UNKNOWN, node=node_id, known=known)

    @property
    def switch(self) -> NodeSpec:
        """The switch."""
        return next(spec for spec in self.nodes if spec.kind is NodeKind.SWITCH)

    @property
    def institutions(self) -> tuple[NodeSpec, ...]:
        """Everybody else."""
        return tuple(spec for spec in self.nodes if spec.kind is NodeKind.INSTITUTION)


def read_network(path: Path) -> Network:
    """A network described in TOML, a table `[[nodes]]` each. Refuses NETWORK_UNREADABLE, NETWORK_MALFORMED."""
    try:
        described = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refusal(NetworkReason.NETWORK_UNREADABLE, file=path, said=str(error)) from error
    try:
        network = msgspec.convert(described, Network)
    except msgspec.ValidationError as error:
        raise Refusal(NetworkReason.NETWORK_MALFORMED, file=path, said=str(error)) from error
    switches = sum(spec.kind is NodeKind.SWITCH for spec in network.nodes)
    if switches != 1 or len({spec.node for spec in network.nodes}) != len(network.nodes):
        said = "a network has exactly one switch, and its nodes have different names"
        raise Refusal(NetworkReason.NETWORK_MALFORMED, file=path, said=said)
    return network


_RESERVE_MINOR = 100_000_000_00  # A hundred million yuan.


def _payment_codes(first: int, last: int, *, issued: int) -> tuple[str, ...]:
    """
    The forms of payment codes a wallet has besides those it issues.

    Software of merchants tells wallets apart by such ranges: 10 to 15 and 25 to 30 are in the field.
    """
    return tuple(f"digits:{prefix}:18" for prefix in range(first, last + 1) if prefix != issued)


# Invented names all: two wallets and acquirers of different plates, one of another city, and a bank.
DEMO_NETWORK = Network(
    nodes=(
        NodeSpec(node=SWITCH, kind=NodeKind.SWITCH, name="Hutong Switch 互通"),
        NodeSpec(
            node="jing",
            name="Jing Pay 京付",
            colour="#c8102e",
            plate_base="https://jing.hutong.example",
            app_link="jingpay://scan?code={code}",
            payment_code_prefix="31",
            forms=("url:jingp://pay/",),
            reserve_minor=_RESERVE_MINOR,
        ),
        NodeSpec(
            node="wei",
            name="Wei Wallet 微包",
            colour="#0b7a3b",
            plate_base="https://wei.hutong.example",
            app_link="weipay://scan?code={code}",
            payment_code_prefix="13",
            # Plates and payment codes wei has had in the field for years: nobody puts up a new one.
            forms=(
                "url:https://qr.weipay.example/",
                "digits:2861:20",
                "emvco:*:COM.WEIPAY",
                *_payment_codes(10, 15, issued=13),
            ),
            reserve_minor=_RESERVE_MINOR,
        ),
        NodeSpec(
            node="zhi",
            name="Zhi Pay 支点",
            colour="#1557d6",
            plate_base="https://zhi.hutong.example",
            app_link="zhipay://scan?code={code}",
            payment_code_prefix="28",
            forms=("emvco:38:A000000727:01.00=970499", *_payment_codes(25, 30, issued=28)),
            reserve_minor=_RESERVE_MINOR,
        ),
        NodeSpec(
            node="yun",
            name="Bank Yun 云行",
            colour="#6b3fa0",
            plate_base="https://yun.hutong.example",
            app_link="yunpay://scan?code={code}",
            payment_code_prefix="62",
            reserve_minor=_RESERVE_MINOR,
        ),
    )
)
