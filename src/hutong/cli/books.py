"""`hutong books`: an institution's ledger, as its operator; always with --node."""

from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter

from hutong.cli.connection import NOWHERE, At, operating
from hutong.cli.output import AsJson, money, show_facts, show_json, show_rows
from hutong.kernel.clock import instant, instant_ns

AccountName = Annotated[
    str, Parameter(help="acc_…, usr_…, mer_…, dsp_…, or as in the chart of accounts: reserve, clearing, fee_income.")
]
Then = Annotated[datetime | None, Parameter(name="--then", help="As of this instant, as 2026-11-23T18:00; local time.")]


async def account(name: AccountName, /, *, then: Then = None, at: At = NOWHERE, json: AsJson = False) -> None:
    """An account's balances, now or then, and its newest transfers up to that time."""
    path = f"/v1/operator/books/accounts/{name}"
    ns = _ns(then)
    async with operating(at) as client:
        balance = await client.get(f"{path}/balance{_query(at_ns=ns)}")
        page = await client.get(f"{path}/entries{_query(before=None if ns is None else ns + 1)}")
    if json:
        show_json({"balance": balance, **page})
        return
    own = page["account"]
    facts = [("account", own["account_id"]), ("owner", own["owner"] or "the institution")]
    facts += [("as of", _time(balance["at_ns"])), ("balance", money(balance["balance"]))]
    facts += [(side.replace("_", " "), money(balance[side])) for side in _SIDES]
    show_facts(f"{own['code']} {own['name']}", facts)
    rows = [
        (
            _time(each["transfer"]["at_ns"]),
            each["transfer"]["transfer_id"],
            money(each["change"]),
            money(each["balance"]),
        )
        for each in page["entries"]
    ]
    show_rows("", ("at", "transfer", "change", "balance"), rows, numbers=("change", "balance"))


async def trial_balance(*, then: Then = None, at: At = NOWHERE, json: AsJson = False) -> int:
    """What all accounts of each code come to, now or then; leaves with 1 where debits do not equal credits."""
    async with operating(at) as client:
        found = await client.get(f"/v1/operator/books/trial-balance{_query(at_ns=_ns(then))}")
    if json:
        show_json(found)
    else:
        columns = ("code", "account", "accounts", "debits", "credits", "balance")
        rows = [_row(line) for line in found["lines"]]
        even = "debits equal credits" if found["balances"] else "DEBITS DO NOT EQUAL CREDITS"
        show_rows(f"{_time(found['at_ns'])}: {even}", columns, rows, numbers=columns[2:])
    return int(not found["balances"])


_SIDES = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")


def _row(line: dict[str, Any]) -> tuple[str, ...]:
    sums = (money(line["debits_posted"]), money(line["credits_posted"]), money(line["balance"]))
    return (str(line["code"]), line["name"], str(line["accounts"]), *sums)


def _ns(then: datetime | None) -> int | None:
    return None if then is None else instant_ns(then.astimezone())


def _query(**given: int | None) -> str:
    told = "&".join(f"{name}={value}" for name, value in given.items() if value is not None)
    return f"?{told}" if told else ""


def _time(ns: int) -> str:
    return instant(ns).astimezone().isoformat(sep=" ", timespec="seconds")
