"""`hutong recall` and `hutong trace`: a payment is asked back, answered, and its money followed."""

from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.text import Text
from rich.tree import Tree

from hutong.app.network import SWITCH
from hutong.app.node_client import NodeClient
from hutong.cli.connection import NOWHERE, USER, At, asking_later, connected, operating
from hutong.cli.output import AsJson, money, show_facts, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, SystemClock, instant
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.kernel.money import Currency, parse_amount

Why = Literal["FRAD", "DUPL", "AM09", "AC03", "UPAY", "TECH", "CUST"]
No = Literal["CUST", "NOAS", "ARDT", "AC04", "AM04", "LEGL", "AGNT"]
Desk = Annotated[
    bool, Parameter(name="--desk", negative="", help="As the operator of the node, not as its signed-in user.")
]
_ASKED = ("id", "reason", "state", "amount", "back", "answer by")
_DISPUTED = ("id", "reason", "state", "amount", "blocked", "back", "payee", "answer by")
_AMOUNTS = ("amount", "blocked", "back")
_TREE_MAX = 2_000  # Lines: money that went in circles has many.


class RecallCommandReason(Reason):
    """Why a command about recalls did not know what to do."""

    NODE_NEEDED = Kind.INVALID, "NARR"
    ORIGINATOR_NEEDED = Kind.INVALID, "NARR"
    ANSWER_NEEDS_ONE_OF = Kind.INVALID, "NARR"


async def open_(
    payment_id: Annotated[str, Parameter(help="Which payment.")],
    /,
    *,
    reason: Annotated[Why, Parameter(help="ISO 20022: FRAD fraud, DUPL paid twice, AM09 wrong amount, ...")],
    amount: Annotated[str, Parameter(help="In yuan; default: all that is left of the payment.")] = "",
    remark: Annotated[str, Parameter(help="For the other side's desk, or the name of a legal order.")] = "",
    originator: Annotated[str, Parameter(help="At the switch: the payer's node. A legal order.")] = "",
    recall_id: Annotated[str, Parameter(help="To ask again for the same: its id.")] = "",
    desk: Desk = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Ask for a payment back: as its payer; as the operator (--desk); by a legal order (--originator, at the switch)."""
    body: dict[str, Any] = {
        "recall_id": recall_id or id_text("rcl", IdMint(SystemClock(), system_randomness()).mint()),
        "payment_id": payment_id,
        "reason": reason,
        "amount": parse_amount(amount, Currency.CNY) if amount else 0,
        "remark": remark,
    }
    if originator:
        client, path = operating(at), "/v1/recalls"
        body["originator"] = originator
    elif desk:
        client, path = _desk(at), "/v1/operator/recalls"
    else:
        client, path = connected(at, USER)[1], "/v1/recalls"
    async with client:
        with asking_later(f"the same again with --recall-id {body['recall_id']}"):
            opened = await client.post(path, body)
    _show(opened, as_json=json)


async def list_(
    *,
    everything: Annotated[bool, Parameter(name="--all", negative="", help="Also those that have ended.")] = False,
    desk: Desk = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Recalls and disputes: one's own; of a whole institution (--desk); or all that passed the switch (--node switch)."""
    asked: list[dict[str, Any]]
    disputed: list[dict[str, Any]] = []
    if at.node == SWITCH:
        async with operating(at) as client:
            asked = await client.get("/v1/recalls", open_only=_flag(open_only=not everything))
    elif desk:
        async with _desk(at) as client:
            asked = await client.get("/v1/operator/recalls", open_only=_flag(open_only=not everything))
            disputed = await client.get("/v1/operator/disputes", open_only=_flag(open_only=not everything))
    else:
        async with connected(at, USER)[1] as client:
            asked, disputed = await client.get("/v1/recalls"), await client.get("/v1/disputes")
    if json:
        show_json({"recalls": asked, "disputes": disputed})
        return
    show_rows("Asked back", _ASKED, map(_row, asked), numbers=_AMOUNTS)
    if at.node != SWITCH:
        show_rows("Asked of us", _DISPUTED, map(_dispute_row, disputed), numbers=_AMOUNTS)


async def show_(
    id_: Annotated[str, Parameter(help="`rcl_…` for what was asked, `dsp_…` for what is asked of us.")],
    /,
    *,
    asker: Annotated[str, Parameter(help="At the switch: who asked.")] = "",
    desk: Desk = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """How one stands."""
    if asker:
        async with operating(at) as client:
            found = await client.get(f"/v1/recalls/{asker}/{id_}")
    elif desk or id_.startswith("dsp_"):
        kind = "disputes" if id_.startswith("dsp_") else "recalls"
        async with _desk(at) as client:
            found = await client.get(f"/v1/operator/{kind}/{id_}")
    else:
        async with connected(at, USER)[1] as client:
            found = await client.get(f"/v1/recalls/{id_}")
    _show(found, as_json=json)


async def answer_(
    id_: Annotated[str, Parameter(help="`dsp_…`: what is asked of us; `rcl_…`: what a payer of ours reported.")],
    /,
    *,
    accept: Annotated[
        bool, Parameter(negative="", help="Give back what was set aside; send a payer's report.")
    ] = False,
    amount: Annotated[str, Parameter(help="With --accept: only so much, in yuan.")] = "",
    reject: Annotated[No | None, Parameter(help="Give nothing back: CUST the payee objects, LEGL the law, ...")] = None,
    decline: Annotated[bool, Parameter(negative="", help="Don't send a payer's report.")] = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Decide, as an institution's operator: about what is asked of us, or about what a payer of ours reported."""
    disputed = id_.startswith("dsp_")
    if accept + (reject is not None) + decline != 1 or (disputed and decline) or (reject is not None and not disputed):
        say = "--accept or --reject CODE" if disputed else "--accept or --decline"
        raise Refusal(RecallCommandReason.ANSWER_NEEDS_ONE_OF, say=say)
    minor = parse_amount(amount, Currency.CNY) if amount else 0
    async with _desk(at) as client:
        if not disputed:
            found = await client.post(f"/v1/operator/recalls/{id_}/{'approve' if accept else 'decline'}")
        elif accept:
            found = await client.post(f"/v1/operator/disputes/{id_}/accept", {"amount": minor})
        else:
            found = await client.post(f"/v1/operator/disputes/{id_}/reject", {"code": reject})
    _show(found, as_json=json)


async def trace(
    payment_id: Annotated[str, Parameter(help="Which payment.")],
    /,
    *,
    depth: Annotated[int, Parameter(help="Through how many hands.")] = 4,
    originator: Annotated[str, Parameter(help="At the switch: the payer's node.")] = "",
    draw: Annotated[Literal["tree", "dot", "mermaid"], Parameter(name="--as-graph", help="How to print it.")] = "tree",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Where the money of a payment went, first in first out: as an institution's operator, or as the switch's."""
    if at.node in ("", SWITCH):
        if not originator:
            raise Refusal(RecallCommandReason.ORIGINATOR_NEEDED, say="--originator, or --node of an institution")
        client, path = operating(at), f"/v1/traces/{originator}/{payment_id}"
    else:
        client, path = _desk(at), f"/v1/operator/traces/{payment_id}"
    async with client:
        found = await client.get(path, depth=depth)
    if json:
        show_json(found)
    elif draw == "dot":
        stdout.out("\n".join(_dot(found)))
    elif draw == "mermaid":
        stdout.out("\n".join(_mermaid(found)))
    else:
        stdout.print(_tree(found), soft_wrap=False)
        if not found["whole"]:
            stdout.print("Not all of it: a bound was reached, or a node was silent. More with --depth.")


def _desk(at: At) -> NodeClient:
    if not at.node:
        raise Refusal(RecallCommandReason.NODE_NEEDED, say="--node")
    return operating(at)


def _flag(*, open_only: bool) -> str:
    return "true" if open_only else "false"


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    amounts = {"amount", "blocked", "accepted"}
    facts = []
    for name, value in found.items():
        if name in amounts:
            facts.append((name, money(value, found["currency"])))
        elif name.endswith("_ms"):
            facts.append((name.removesuffix("_ms").replace("_", " "), _time(value)))
        elif name != "currency":
            facts.append((name.replace("_", " "), str(value)))
    show_facts("", facts)


def _row(recall: dict[str, Any]) -> tuple[str, ...]:
    overdue = " overdue" if recall.get("overdue") else ""
    return (
        recall["recall_id"],
        recall["reason"],
        recall.get("state", recall.get("status", "")) + overdue,
        money(recall["amount"], recall["currency"]),
        money(recall.get("accepted", 0), recall["currency"]),
        _time(recall.get("answer_by_ms", 0)),
    )


def _dispute_row(dispute: dict[str, Any]) -> tuple[str, ...]:
    currency = dispute["currency"]
    return (
        dispute["dispute_id"],
        dispute["reason"],
        dispute["state"],
        money(dispute["amount"], currency),
        money(dispute.get("blocked", 0), currency),
        money(dispute.get("accepted", 0), currency),
        dispute.get("stance", "").lower(),
        _time(dispute["answer_by_ms"]),
    )


def _time(ms: int) -> str:
    return f"{instant(ms * NS_PER_MS):%Y-%m-%d %H:%MZ}" if ms else ""


_SAID = {
    "PAYMENT": "paid on",
    "PAIDOUT": "left the network",
    "RETURNED": "went back",
    "FEE": "fee",
    "DISPUTED": "set aside in a dispute",
    "RELEASED": "free again",
    "KEPT": "still there",
}


def _name(found: dict[str, Any], ref: str) -> str:
    """A pseudonym; of one's own people who it is."""
    who = found["people"].get(ref, "")
    return f"{ref} ({who})" if who else ref or "unknown"


def _line(found: dict[str, Any], hop: dict[str, Any]) -> Text:
    said = f"{money(hop['amount'], found['currency'])} {_SAID.get(hop['kind'], hop['kind'])}"
    if hop["kind"] == "DISPUTED" and hop.get("target"):
        return _whole(f"{said}: {_name(found, hop['target'])}")
    if hop["kind"] != "PAYMENT":
        return _whole(said)
    to = _name(found, hop.get("target", "")) if hop.get("target") else f"somebody at {hop.get('agent', 'a node')}"
    return _whole(f"{said} to {to}  {hop.get('payment_id', '')}")


def _whole(text: str) -> Text:
    """As it is, on as many lines as it takes."""
    return Text(text, overflow="fold")


def _tree(found: dict[str, Any]) -> Tree:
    """Each step below the hands it left; who got traced money twice is opened once."""
    by_source: dict[str, list[dict[str, Any]]] = {}
    for hop in found["hops"]:
        by_source.setdefault(hop["source"], []).append(hop)
    top = Tree(
        _whole(f"{found['payment_id']}  {money(found['amount'], found['currency'])} to {_name(found, found['holder'])}")
    )
    waiting, lines = [(top, found["holder"])], 0
    while waiting and lines < _TREE_MAX:
        branch, holder = waiting.pop(0)
        for hop in by_source.pop(holder, ()):
            lines += 1
            below = branch.add(_line(found, hop))
            if hop.get("target"):
                waiting.append((below, hop["target"]))
    return top


def _edges(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """From, to and label of every step; what ends at a place has that place's name."""
    edges = []
    for hop in found["hops"]:
        target = hop.get("target") or (f"{hop['agent']}:?" if hop.get("agent") else _SAID.get(hop["kind"], hop["kind"]))
        edges.append((_name(found, hop["source"]), _name(found, target), money(hop["amount"], found["currency"])))
    return edges


def _dot(found: dict[str, Any]) -> list[str]:
    edges = [f'  "{_plain(a)}" -> "{_plain(b)}" [label="{label}"];' for a, b, label in _edges(found)]
    return ["digraph trace {", "  rankdir=LR;", *edges, "}"]


def _mermaid(found: dict[str, Any]) -> list[str]:
    edges = _edges(found)
    names = {name: f"n{number}" for number, name in enumerate(dict.fromkeys(n for a, b, _ in edges for n in (a, b)))}
    nodes = [f'  {key}["{_plain(name)}"]' for name, key in names.items()]
    return ["flowchart LR", *nodes, *(f"  {names[a]} -->|{label}| {names[b]}" for a, b, label in edges)]


def _plain(text: str) -> str:
    """Fit to stand between quotation marks."""
    return "".join(each if each.isprintable() and each not in '"\\' else "?" for each in text)
