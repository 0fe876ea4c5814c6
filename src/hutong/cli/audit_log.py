"""`hutong audit-log`: what operators did at a node, and that the log says all of it. By default the switch's."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from hutong.app.node_client import NodeClient
from hutong.cli.connection import NOWHERE, At, operating
from hutong.cli.output import AsJson, count_of, show_json, show_rows, stdout
from hutong.kernel.clock import instant
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.operators.api import read_entry
from hutong.operators.audit_log import AuditEntry, Chain, Head

_PAGE = 1000


class AuditLogReason(Reason):
    """Why an audit log was not looked at."""

    ANCHOR_MALFORMED = Kind.INVALID, "NARR"


async def show(
    *,
    last: Annotated[int, Parameter(help="How many entries.")] = 20,
    actor: Annotated[str, Parameter(help="Of this operator alone.")] = "",
    subject: Annotated[str, Parameter(help="On this alone: a node, a user's or a merchant's id.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Who did what, newest last."""
    found: list[AuditEntry] = []
    async with operating(at) as client:
        async for entry in _entries(client):
            if actor in {"", entry.actor} and subject in {"", *entry.subject.split("/")}:
                found = [*found[1 - last :], entry] if last > 1 else [entry]
    if json:
        show_json([_told(entry) for entry in found])
        return
    rows = [
        (
            str(entry.number),
            f"{instant(entry.at_ns):%Y-%m-%d %H:%M:%S}",
            entry.actor,
            entry.action,
            entry.subject,
            entry.outcome,
            "(erased)" if entry.erased else entry.facts,
        )
        for entry in found
    ]
    show_rows("", ("", "when (UTC)", "who", "what", "on", "outcome", "facts"), rows)


async def head(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """The end of the chain, to be written down elsewhere: `verify --anchor` takes it."""
    async with operating(at) as client:
        found = await client.get("/v1/audit-log/head")
    if json:
        show_json(found)
    else:
        stdout.print(f"{found['number']}:{found['hash']}")


async def verify(
    *,
    anchor: Annotated[tuple[str, ...], Parameter(help="Heads written down earlier: NUMBER:HASH.")] = (),
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Check the whole chain, against anchors if given. Refuses AUDIT_LOG_BROKEN, saying where."""
    anchors = [_anchor(text) for text in anchor]
    async with operating(at) as client:
        node = (await client.get("/v1/audit-log/head"))["node"]
        chain = Chain(node, anchors)
        async for entry in _entries(client):
            chain.take(entry)
    end = chain.end()
    if json:
        told = {"node": node, "number": end.number, "hash": end.hash.hex(), "erased": chain.erased}
        show_json(told | {"anchors": len(anchors)})
        return
    erased = f", {chain.erased} of them with erased facts" if chain.erased else ""
    stdout.print(
        f"{node}: {count_of(end.number, 'entry', 'entries')} verified{erased}; {count_of(len(anchors), 'anchor')} met. The head:"
    )
    stdout.print(f"{end.number}:{end.hash.hex()}")


async def _entries(client: NodeClient) -> AsyncIterator[AuditEntry]:
    after = 0
    while True:
        page: dict[str, Any] = await client.get("/v1/audit-log", after=after, limit=_PAGE)
        for told in page["entries"]:
            entry = read_entry(told)
            yield entry
            after = max(after, entry.number)
        if len(page["entries"]) < _PAGE:
            return


def _anchor(text: str) -> Head:
    number, _, digest = text.partition(":")
    try:
        return Head(int(number), bytes.fromhex(digest))
    except ValueError:
        raise Refusal(
            AuditLogReason.ANCHOR_MALFORMED, expected="NUMBER:HASH, as `hutong audit-log head` prints it"
        ) from None


def _told(entry: AuditEntry) -> dict[str, Any]:
    told = msgspec.structs.asdict(entry)
    return {name: fact.hex() if isinstance(fact, bytes) else fact for name, fact in told.items()}
