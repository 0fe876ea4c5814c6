"""`hutong complaint`: a payer complains of a payment, a merchant answers, an institution looks after it."""

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from hutong.app.node_client import NodeClient
from hutong.cli.connection import MERCHANT, NOWHERE, USER, At, asking_later, connected, operating
from hutong.cli.output import AsJson, money, show_facts, show_json, show_rows
from hutong.kernel.clock import NS_PER_MS, SystemClock, instant
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.kernel.money import Currency, parse_amount

What = Literal["refund", "service", "other"]
Act = Literal["say", "continue", "withdraw", "confirm"]
Decision = Literal["say", "approve", "refuse", "complete"]
Desk = Annotated[bool, Parameter(name="--desk", negative="", help="As the operator of the node.")]
Text = Annotated[str, Parameter(help="What is said.")]
Shown = Annotated[
    tuple[Path, ...],
    Parameter(name="--picture", negative="", help="A file to show: PNG, JPEG or BMP up to 2 MiB; at most four times."),
]
_ENDINGS = {"PNG": ".png", "JPEG": ".jpg", "BMP": ".bmp"}
_KINDS = {"refund": "RFND", "service": "SRVC", "other": "OTHR"}
_LISTED = ("id", "kind", "state", "paid", "wanted", "act by")
_AMOUNTS = {"paid", "asked", "refunded"}


class ComplaintCommandReason(Reason):
    """Why a command about complaints did not know what to do."""

    COMPLAINTS_NODE_NEEDED = Kind.INVALID, "NARR"
    PICTURE_FILE_UNUSABLE = Kind.INVALID, "NARR"


async def open_(
    payment_id: Annotated[str, Parameter(help="Which payment.")],
    /,
    *,
    text: Text,
    kind: Annotated[What, Parameter(help="Money back; what was paid for was not given; anything else.")] = "refund",
    amount: Annotated[str, Parameter(help="How much is wanted back, in yuan; default: all of it.")] = "",
    contact: Annotated[str, Parameter(help="A telephone number that the merchant may call.")] = "",
    complaint_id: Annotated[str, Parameter(help="To ask again for the same: its id.")] = "",
    picture: Shown = (),
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Complain of a payment to a merchant, wherever it is."""
    body = {
        "complaint_id": complaint_id or _new("grv"),
        "payment_id": payment_id,
        "kind": _KINDS[kind],
        "text": text,
        "amount": parse_amount(amount, Currency.CNY) if amount else 0,
        "contact": contact,
    }
    async with connected(at, USER)[1] as client:
        body["pictures"] = await _given(client, "/v1/complaints/pictures", picture)
        with asking_later(f"the same again with --complaint-id {body['complaint_id']}"):
            found = await client.post("/v1/complaints", body)
    _show(found, as_json=json)


async def list_(*, desk: Desk = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """What one complained of; or, as the operator of an institution (--desk), what its merchants are complained of."""
    if desk:
        async with _operating(at) as client:
            found = await client.get("/v1/operator/complaints")
    else:
        async with connected(at, USER)[1] as client:
            found = await client.get("/v1/complaints")
    _list(found, as_json=json)


async def show(
    id_: Annotated[str, Parameter(help="`grv_…` for the payer's side, `cpl_…` for the merchant's.")],
    /,
    *,
    desk: Desk = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """One, with all that was said: as its payer, its merchant (`cpl_…`), or the institution's operator (--desk)."""
    client, path = _looking(id_, at, desk=desk)
    async with client:
        found = await client.get(path)
    _show(found, as_json=json)


async def picture(
    id_: Annotated[str, Parameter(help="`grv_…` for the payer's side, `cpl_…` for the merchant's.")],
    name: Annotated[str, Parameter(help="The picture's, as `show` tells it.")],
    /,
    *,
    to: Annotated[Path, Parameter(help="The file that it is written to; its ending is added, if it has none.")],
    desk: Desk = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Fetch a picture of a complaint."""
    client, path = _looking(id_, at, desk=desk)
    async with client:
        found = await client.get(f"{path}/pictures/{name}")
    content = b64decode(found["content"])
    file = to if to.suffix else to.with_suffix(_ENDINGS.get(found["kind"], ""))
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Refusal(ComplaintCommandReason.PICTURE_FILE_UNUSABLE, problem=f"{file}: {error.strerror}") from None
    facts = {"file": str(file), "kind": found["kind"], "size": len(content)}
    if json:
        show_json(facts)
    else:
        show_facts("", [(fact, str(value)) for fact, value in facts.items()])


async def say(
    id_: Annotated[str, Parameter(help="`grv_…`.")],
    /,
    *,
    text: Text = "",
    act: Annotated[
        Act, Parameter(help="Write; continue what was completed; withdraw; confirm that it is solved.")
    ] = "say",
    act_id: Annotated[str, Parameter(help="To try again: the id of the act.")] = "",
    picture: Shown = (),
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Say something in a complaint of one's own."""
    async with connected(at, USER)[1] as client:
        said = {"text": text, "pictures": await _given(client, "/v1/complaints/pictures", picture)}
        found = await _told(client, f"/v1/complaints/{id_}/{act}", act_id, said)
    _show(found, as_json=json)


async def received(
    *,
    everything: Annotated[bool, Parameter(name="--all", negative="", help="Also those that have ended.")] = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """As a merchant: what payers complain of; with --all those that have ended, too."""
    async with connected(at, MERCHANT)[1] as client:
        found = await client.get("/v1/merchant/complaints", open_only="false" if everything else "true")
    _list(found, as_json=json)


async def answer(
    id_: Annotated[str, Parameter(help="`cpl_…`.")],
    /,
    *,
    text: Text = "",
    act: Annotated[Decision, Parameter(help="Write; agree to a refund, or not; say that it is done.")] = "say",
    amount: Annotated[str, Parameter(help="With --act approve: refund so much now, in yuan.")] = "",
    act_id: Annotated[str, Parameter(help="To try again: the id of the act.")] = "",
    picture: Shown = (),
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """As a merchant: answer a payer, decide about a refund, complete."""
    body: dict[str, Any] = {"text": text}
    if act == "approve":
        body["amount"] = parse_amount(amount, Currency.CNY) if amount else 0
    async with connected(at, MERCHANT)[1] as client:
        body["pictures"] = await _given(client, "/v1/merchant/complaints/pictures", picture)
        found = await _told(client, f"/v1/merchant/complaints/{id_}/{act}", act_id, body)
    _show(found, as_json=json)


def _looking(id_: str, at: At, *, desk: bool) -> tuple[NodeClient, str]:
    """Who looks at one, and where it is."""
    if desk:
        return _operating(at), f"/v1/operator/complaints/{id_}"
    if id_.startswith("cpl_"):
        return connected(at, MERCHANT)[1], f"/v1/merchant/complaints/{id_}"
    return connected(at, USER)[1], f"/v1/complaints/{id_}"


async def _given(client: NodeClient, path: str, pictures: tuple[Path, ...]) -> list[str]:
    """The names under which these files can be said. Refuses PICTURE_FILE_UNUSABLE."""
    found = []
    for file in pictures:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise Refusal(ComplaintCommandReason.PICTURE_FILE_UNUSABLE, problem=f"{file}: {error.strerror}") from None
        given = await client.post(path, {"content": b64encode(content).decode()})
        found.append(str(given["picture"]))
    return found


async def _told(client: NodeClient, path: str, act_id: str, body: dict[str, Any]) -> dict[str, Any]:
    id_ = act_id or _new("act")
    with asking_later(f"the same again with --act-id {id_}"):
        return dict(await client.post(path, body | {"act_id": id_}))


def _operating(at: At) -> NodeClient:
    if not at.node:
        raise Refusal(ComplaintCommandReason.COMPLAINTS_NODE_NEEDED, say="--node")
    return operating(at)


def _new(prefix: str) -> str:
    return id_text(prefix, IdMint(SystemClock(), system_randomness()).mint())


def _list(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    show_rows("", _LISTED, map(_row, found), numbers=("paid", "wanted"))


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    overdue = " overdue" if each.get("overdue") else ""
    asked = money(each["asked"], each["currency"]) if each.get("asked") else ""
    paid = money(each["paid"], each["currency"])
    return each["complaint_id"], each["kind"], each["state"] + overdue, paid, asked, _time(each.get("answer_by_ms", 0))


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    facts = []
    for name, value in found.items():
        if name in _AMOUNTS:
            facts.append((name, money(value, found["currency"])))
        elif name.endswith("_ms"):
            facts.append((name.removesuffix("_ms").replace("_", " "), _time(value)))
        elif name not in ("currency", "turns"):
            facts.append((name.replace("_", " "), str(value)))
    show_facts("", facts)
    rows = [_turn(turn, found["currency"]) for turn in found.get("turns", [])]
    if rows:
        show_rows("", ("when", "by", "act", "amount", "said"), rows, numbers=("amount",))


def _turn(turn: dict[str, Any], currency: str) -> tuple[str, ...]:
    amount = money(turn["amount"], currency) if turn.get("amount") else ""
    said = [turn.get("text", ""), *(f"picture {name}" for name in turn.get("pictures", []))]
    return _time(turn["at_ms"]), turn["by"], turn["act"], amount, "\n".join(filter(None, said))


def _time(ms: int) -> str:
    return f"{instant(ms * NS_PER_MS):%Y-%m-%d %H:%MZ}" if ms else ""
