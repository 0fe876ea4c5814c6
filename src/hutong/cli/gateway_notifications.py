"""`hutong gateway notifications` and `faults`: what merchants' software was told, and what is to go wrong on purpose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from cyclopts import Parameter

from hutong.app.node_client import NodeClient
from hutong.cli.connection import MERCHANT, NOWHERE, At, connected, operating
from hutong.cli.output import AsJson, show_facts, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, instant

Number = Annotated[str, Parameter(help="The account's mchid or app_id.")]
_ALIPAY_DIGITS = 16  # Of an app_id; an mchid has ten.
_COLUMNS = ("id", "about", "kind", "state", "tries", "last answer", "next at")


async def notifications(
    number: Number,
    /,
    *,
    show: Annotated[str, Parameter(help="One of them, whole: ntf_…")] = "",
    resend: Annotated[str, Parameter(help="Send one again, now: ntf_…")] = "",
    limit: Annotated[int, Parameter(help="How many of the newest.")] = 20,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """What an account was told by callback, what came back, and with --resend once more."""
    async with _client(number, at) as (client, prefix):
        path = f"{prefix}/gateway-notifications"
        if resend:
            found = await client.post(f"{path}/{resend}/resend")
        elif show:
            found = await client.get(f"{path}/{show}")
        else:
            page = await client.get(path, number=number, limit=limit)
            found = page["notifications"]
    if json:
        show_json(found)
    elif isinstance(found, list):
        show_rows("", _COLUMNS, [_row(each) for each in found], numbers=("tries",))
    else:
        _show(found)


async def faults(
    number: Number,
    /,
    *,
    user_paying: Annotated[int, Parameter(help="So many looks find the payer still asked for a password.")] = 0,
    system_error: Annotated[int, Parameter(help="So many calls fail with a system error, and do nothing.")] = 0,
    system_error_done: Annotated[int, Parameter(help="So many calls are done, and say that they failed.")] = 0,
    refuse: Annotated[
        str, Parameter(help="A code that the vendor documents: a call is answered it, and does nothing.")
    ] = "",
    refuse_times: Annotated[int, Parameter(help="How many calls.")] = 1,
    transfer_daily_max: Annotated[int, Parameter(help="What may be sent to people in a day, in fen; 0: as it is.")] = 0,
    time_out: Annotated[int, Parameter(help="So many calls are done, and answered too late.")] = 0,
    time_out_s: Annotated[int, Parameter(help="How late, in seconds.")] = 60,
    only: Annotated[str, Parameter(help="Only calls whose path or method has this in it.")] = "",
    callback_late_s: Annotated[int, Parameter(help="How much later callbacks come, in seconds.")] = 0,
    callback_copies: Annotated[int, Parameter(help="How often each callback is sent again.")] = 0,
    callback_probe: Annotated[
        bool, Parameter(help="Before each callback, one with a wrong signature.", negative="")
    ] = False,
    look: Annotated[bool, Parameter(help="Change nothing: say what is still to go wrong.", negative="")] = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Have things go wrong for one account, in a network for trying out; without options: nothing any more."""
    asked = {
        "user_paying": user_paying,
        "system_error": system_error,
        "system_error_done": system_error_done,
        "refuse": refuse,
        "refuse_times": refuse_times if refuse else 0,
        "transfer_daily_max": transfer_daily_max,
        "time_out": time_out,
        "time_out_s": time_out_s,
        "only": only,
        "callback_late_s": callback_late_s,
        "callback_copies": callback_copies,
        "callback_probe": callback_probe,
    }
    async with _client(number, at) as (client, prefix):
        path = f"{prefix}/sandbox/gateway-faults/{number}"
        left = await (client.get(path) if look else client.put(path, asked))
    if json:
        show_json(left)
    else:
        told = [(name.replace("_", " "), str(value)) for name, value in left.items() if value and name != "time_out_s"]
        show_facts("", told) if told else stdout.print("Nothing goes wrong.")


@asynccontextmanager
async def _client(number: str, at: At) -> AsyncIterator[tuple[NodeClient, str]]:
    """By the merchant's key that is named with `--as`, else as the operator of the node; and where the API begins then."""
    if at.who:
        _, client = connected(at, MERCHANT)
        async with client:
            yield client, "/v1"
        return
    where = At(node=at.node or ("zhi" if len(number) == _ALIPAY_DIGITS else "wei"), url=at.url)
    async with operating(where) as client:
        yield client, "/v1/operator"


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    tries = found["tries"]
    last = _answer(tries[-1]) if tries else ""
    return (
        found["id"],
        found["about"],
        found["kind"],
        found["state"],
        str(len(tries)),
        last,
        _time(found["next_at_ms"]),
    )


def _show(found: dict[str, Any]) -> None:
    facts = [("id", found["id"]), ("about", found["about"]), ("kind", found["kind"]), ("to", found["url"])]
    facts += [("state", found["state"]), ("news of", _time(found["at_ms"])), ("next at", _time(found["next_at_ms"]))]
    show_facts("", facts)
    stdout.print("\n[bold]What is told[/]")
    stdout.print(found["plain"], markup=False)
    for number, each in enumerate(found["tries"], 1):
        stdout.print(f"\n[bold]{number}. {each['cause']}, {_time(each['at_ms'])}, {each['took_ms']} ms[/]")
        for name, value in each["headers"].items():
            stdout.print(f"{name}: {value}", markup=False)
        if each["body"]:
            stdout.print(f"\n{each['body']}\n", markup=False)
        stdout.print(f"-> {_answer(each)}", markup=False)


def _answer(made: dict[str, Any]) -> str:
    if not made["status"]:
        return str(made["note"])
    return f"{made['status']} {made['answer'][:60]}".rstrip()


def _time(ms: int) -> str:
    return f"{instant(ms * NS_PER_MS):%Y-%m-%d %H:%M:%S}Z" if ms else ""
