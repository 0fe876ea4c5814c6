"""`hutong balance`, `statement`, `payment-code`, `top-up` and `link-bank`: one's own money."""

from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from hutong.app.node_client import NodeClient
from hutong.cli.connection import NOWHERE, USER, At, connected, credentials, wallet_of
from hutong.cli.output import AsJson, money, show_json, show_rows, stdout
from hutong.codes.picture import qr_symbol
from hutong.kernel.clock import NS_PER_MS, SystemClock, instant
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.money import Currency, parse_amount

_DAILY_MAX = "2000"


class WalletReason(Reason):
    """Why a wallet's command could not do its work."""

    BANK_NOT_LINKED = Kind.REFUSED, "NARR"
    TOP_UP_REJECTED = Kind.REFUSED, "NARR"


async def balance(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """What is in the wallet."""
    credential, client = connected(at, USER)
    async with client:
        found = await client.get("/v1/balance")
    if json:
        show_json(found)
        return
    held = f", {money(found['held'], found['currency'])} held for payments under way" if found["held"] else ""
    stdout.print(f"{credential.name} at {credential.node}: {money(found['balance'], found['currency'])}{held}")


async def statement(
    *,
    limit: Annotated[int, Parameter(help="How many lines at most.")] = 20,
    cursor: Annotated[
        int | None, Parameter(help="Go on behind this line: the `next_cursor` of the page before.")
    ] = None,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """What came and went, newest first."""
    _, client = connected(at, USER)
    async with client:
        page = await client.get("/v1/statement", limit=limit, cursor=cursor)
    if json:
        show_json(page)
        return
    rows = [_line(line, page["currency"]) for line in page["lines"]]
    show_rows("", ("when (UTC)", "what", "with", "amount", "for", "payment"), rows, numbers=("amount",))
    if page["next_cursor"]:
        stdout.print(f"More: --cursor {page['next_cursor']}")


async def payment_code(
    *,
    offline: Annotated[bool, Parameter(negative="", help="Ask no node, even if the day's keys are old.")] = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Show a payment code (付款码), made here and offline; once a day the node is asked for what it is made from."""
    credential, wallet = wallet_of(at)
    now_ns = SystemClock().now_ns()
    async with wallet.client:
        is_stale = now_ns // NS_PER_MS >= wallet.phone.today_ends_at_ms
        if not wallet.phone.seed or (is_stale and not offline):
            await wallet.fetch_payment_code_keys()
            credentials().keep(msgspec.structs.replace(credential, device=wallet.phone))
    code = wallet.phone.payment_code(now_ns)
    if json:
        show_json({"payment_code": code, "name": credential.name, "node": credential.node})
        return
    qr_symbol(code).terminal(compact=True)
    stdout.print(f"{code[:4]} {code[4:8]} {code[8:12]} {code[12:]}  for about a minute")


async def link_bank(
    bank: Annotated[str, Parameter(help="The bank's node, where one is signed in, too.")],
    /,
    *,
    daily_max: Annotated[str, Parameter(help="What may be taken a day, in yuan.")] = _DAILY_MAX,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Link one's account at a bank: a mandate is granted there and noted at the wallet."""
    credential, wallet = wallet_of(at)
    at_bank = At(node=bank, who=credential.phone)
    _, client = connected(at_bank, USER)
    async with wallet.client, client:
        minor = parse_amount(daily_max, Currency.CNY)
        grant = {"grantee": credential.node, "daily_max": minor, "name": "wallet"}
        granted = await client.post("/v1/mandates", grant)
        linked = await wallet.link_bank(bank, granted["text"])
    credentials().keep(msgspec.structs.replace(credential, bank_account_id=linked["bank_account_id"]))
    if json:
        show_json(linked)
    else:
        stdout.print(f"{credential.name} at {credential.node} tops up from {bank}, {money(minor)} a day")


async def top_up(
    amount: Annotated[str, Parameter(help="In yuan.")], /, *, at: At = NOWHERE, json: AsJson = False
) -> None:
    """Bring money from a linked bank account into the wallet."""
    credential, wallet = wallet_of(at)
    async with wallet.client:
        account = credential.bank_account_id or await _only_bank_account(wallet.client)
        topped = await wallet.top_up(account, parse_amount(amount, Currency.CNY))
        balance = await wallet.balance()
    if topped["state"] == "REJECTED":
        raise Refusal(WalletReason.TOP_UP_REJECTED, reason=topped["reason"], top_up_id=topped["top_up_id"])
    if json:
        show_json(topped | {"balance": balance})
    else:
        said = "came in" if topped["state"] == "PAID" else "are on their way"
        stdout.print(f"{money(topped['amount'])} {said}; balance {money(balance)}")


async def _only_bank_account(client: NodeClient) -> str:
    known = [each["bank_account_id"] for each in await client.get("/v1/bank-accounts") if each["takes_top_ups"]]
    if len(known) != 1:
        raise Refusal(WalletReason.BANK_NOT_LINKED, how="hutong link-bank BANK", linked=len(known))
    return str(known[0])


def _line(line: dict[str, Any], currency: str) -> tuple[str, ...]:
    amount = line["amount"] if line["direction"] == "IN" else -line["amount"]
    return (
        f"{instant(line['at_ms'] * NS_PER_MS):%Y-%m-%d %H:%M:%S}",
        line["kind"].replace("_", " ").lower(),
        line.get("counterparty", ""),
        money(amount, currency),
        line.get("remark", ""),
        line.get("payment_id", ""),
    )
