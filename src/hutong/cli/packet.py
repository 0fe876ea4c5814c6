"""`hutong packet`: red packets, sent, opened, looked at; and `verify`, which needs no network."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from hutong.app.node_client import NodeClient, NodeRefused
from hutong.cli.connection import NOWHERE, At, wallet_of
from hutong.cli.output import AsJson, money, show_facts, show_json, show_rows, stdout
from hutong.cli.session import asked
from hutong.codes.picture import qr_symbol
from hutong.kernel.clock import NS_PER_MS, instant
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.money import Currency, parse_amount
from hutong.marketing.red_packets.split import SplitKind
from hutong.marketing.red_packets.verification import PacketRecord
from hutong.marketing.red_packets.verification import verify as findings_of

_PATH = "/v1/me/red-packets"
_SHARES_AT_ONCE = 1000


class PacketReason(Reason):
    """Why a packet could not be checked."""

    PACKET_RECORD_UNREADABLE = Kind.INVALID, "NARR"


async def send(
    amount: Annotated[str, Parameter(help="Of all shares together, in yuan.")],
    count: Annotated[int, Parameter(help="How many shares.")] = 1,
    /,
    *,
    equal: Annotated[bool, Parameter(negative="", help="Each gets the same; else by luck.")] = False,
    greeting: Annotated[str, Parameter(help="What stands on it.")] = "",
    to: Annotated[str, Parameter(help="The code to receive of the one person it is for, of any institution.")] = "",
    pin: Annotated[str, Parameter(help="The PIN; asked for where it is needed.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Put money into a red packet (发红包), and print its link."""
    _, wallet = wallet_of(at)
    minor = parse_amount(amount, Currency.CNY)
    kind = SplitKind.EQUAL if equal or count == 1 else SplitKind.LUCKY
    packet_id = wallet.new_id("rpk")
    body: dict[str, Any] = {"packet_id": packet_id, "kind": kind, "amount": minor, "count": count}
    body |= {"greeting": greeting, "to_code": to}

    async def token(typed: str) -> dict[str, str]:
        payment_id = "pay" + packet_id.removeprefix("rpk")
        return {"pin_token": await wallet.pin_token(typed, payment_id, minor, packet_id)}

    async with wallet.client:
        try:
            sent = await wallet.client.post(_PATH, body | (await token(pin) if pin else {}))
        except NodeRefused as refused:
            if pin or json or refused.reason != "PIN_NEEDED":
                raise
            # Refused before anything was written down, so the id is still good.
            pin = asked("PIN: ", "--pin", as_json=json, secret=True)
            sent = await wallet.client.post(_PATH, body | await token(pin))
    if json:
        show_json(sent)
        return
    qr_symbol(sent["link"]).terminal(compact=True)
    stdout.print(f"{sent['packet_id']}: {money(minor)} for {count}, open for 24 hours")
    stdout.out(sent["link"])


async def claim(
    link: Annotated[str, Parameter(help="Of a packet of any institution.")],
    /,
    *,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Open a red packet (领红包) by its link."""
    _, wallet = wallet_of(at)
    async with wallet.client:
        got = await wallet.client.post(f"{_PATH}/claims", {"link": link})
    if json:
        show_json(got)
        return
    way = ", on its way" if got["state"] == "SENDING" else ""
    stdout.print(f"{money(got['amount'], got['currency'])} from {got['sender_name']}{way}", end="", markup=False)
    stdout.out(f": {got['greeting']}" if got.get("greeting") else "")


async def show(
    packet_id: Annotated[str, Parameter(help="One of them, by its id; all that one sent, without.")] = "",
    /,
    *,
    save: Annotated[Path | None, Parameter(help="Write the packet and its shares to this file, for `verify`.")] = None,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """The red packets one sent and what one got; or one of them, and who got what."""
    _, wallet = wallet_of(at)
    async with wallet.client:
        if not packet_id:
            sent, got = await wallet.client.get(_PATH), await wallet.client.get(f"{_PATH}/claims")
            _show_all(sent, got, as_json=json)
            return
        record = await _record(wallet.client, packet_id)
    if save is not None:
        save.write_bytes(msgspec.json.encode(record))
    if json:
        show_json(record)
    else:
        _show_one(record)


async def verify(
    record: Annotated[str, Parameter(help="A file that `show --save` wrote; or a packet's id, to be asked for.")],
    /,
    *,
    promised: Annotated[str, Parameter(help="The commitment, noted while the packet was open.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> int:
    """Recompute who got what from the seed. Leaves with 1, and says what differs, if anything does."""
    if record.startswith("rpk_"):
        _, wallet = wallet_of(at)
        async with wallet.client:
            told = msgspec.json.encode(await _record(wallet.client, record))
    else:
        told = await asyncio.to_thread(Path(record).read_bytes)
    try:
        found = findings_of(msgspec.json.decode(told, type=PacketRecord), promised)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(PacketReason.PACKET_RECORD_UNREADABLE, problem=str(error)) from None
    differ = [each for each in found if not each.holds]
    if json:
        show_json({"verified": not differ, "findings": found})
        return int(bool(differ))
    for each in found:
        stdout.print("[green]holds  [/] " if each.holds else "[bold red]differs[/] ", end="")
        stdout.out(each.text)
    stdout.print("Yes: it was split as promised." if not differ else f"No: {len(differ)} differ.")
    return int(bool(differ))


async def _record(client: NodeClient, packet_id: str) -> dict[str, Any]:
    shares: list[dict[str, Any]] = []
    after: int | None = -1
    while after is not None:
        page = await client.get(f"{_PATH}/{packet_id}/shares", after=after, limit=_SHARES_AT_ONCE)
        shares += page["shares"]
        after = page["next_after"]
    return {"packet": await client.get(f"{_PATH}/{packet_id}"), "shares": shares}


def _show_all(sent: list[dict[str, Any]], got: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        show_json({"sent": sent, "received": got})
        return
    rows = [
        (each["packet_id"], each["state"].lower(), money(each["amount"]), f"{each['claimed_count']}/{each['count']}")
        for each in sent
    ]
    show_rows("sent", ("packet", "state", "amount", "claimed"), rows, numbers=("amount",))
    rows = [
        (_when(each["claimed_at_ms"]), each["sender_name"], money(each["amount"]), each.get("greeting", ""))
        for each in got
    ]
    show_rows("received", ("when (UTC)", "from", "amount", "greeting"), rows, numbers=("amount",))


def _show_one(record: dict[str, Any]) -> None:
    packet = record["packet"]
    facts = {
        "packet": packet["packet_id"],
        "state": packet["state"].lower(),
        "from": packet["sender_name"],
        "greeting": packet.get("greeting", ""),
        "amount": f"{money(packet['amount'])} for {packet['count']}",
        "came back": money(packet["returned"]) if packet.get("returned") else "",
        "commitment": packet["commitment"],
        "seed": packet.get("seed", ""),
        "link": packet.get("link", ""),
    }
    show_facts("", [(name, fact) for name, fact in facts.items() if fact])
    rows = [
        (
            str(each["number"] + 1),
            each["name"],
            each.get("agent", ""),
            money(each["amount"]),
            _when(each["claimed_at_ms"]),
        )
        for each in record["shares"]
    ]
    show_rows("", ("", "who", "of", "amount", "when (UTC)"), rows, numbers=("", "amount"))


def _when(at_ms: int) -> str:
    return f"{instant(at_ms * NS_PER_MS):%Y-%m-%d %H:%M:%S}"
