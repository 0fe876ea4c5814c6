"""`hutong gateway pay`, `payment-code` and `clock`: the other side of merchants' software, in a network for trying out."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from hutong.app.node_client import NodeRefused, NodeSilent
from hutong.cli.connection import At, client_of, operating, settings, url_of
from hutong.cli.gateway_merchant import NODES
from hutong.cli.output import AsJson, money, show_json, stdout
from hutong.kernel.errors import Kind, Reason, Refusal

if TYPE_CHECKING:
    from hutong.app.sample_payer import SamplePayer

PayersNode = Annotated[str, Parameter(name="--from", help="The payer's institution: another than the merchant's.")]
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_POLL_S = 0.2
_AGREEMENT = re.compile("agr_[0-9A-Z]{26}")
_PREPAY_ID = re.compile("wx[0-9a-f]{32}")


class GatewayPayReason(Reason):
    """Why nobody paid."""

    DURATION_MALFORMED = Kind.INVALID, "NARR"
    NO_ORDER_BEHIND_IT = Kind.NOT_FOUND, "NARR"
    NO_AGREEMENT_IN_IT = Kind.NOT_FOUND, "NARR"
    NOBODY_ASKED = Kind.NOT_FOUND, "NARR"


async def pay(
    code: Annotated[
        str, Parameter(help="The order's code_url, qr_code, h5_url or prepay_id; none: what asks for the PIN.")
    ] = "",
    /,
    *,
    reject: Annotated[bool, Parameter(negative="", help="Look at it, and say no.")] = False,
    wrong_password: Annotated[bool, Parameter(negative="", help="Type a wrong PIN.")] = False,
    wait: Annotated[float, Parameter(help="For how many seconds to look at it first; or to wait for a till.")] = 0,
    payer: PayersNode = "jing",
    json: AsJson = False,
) -> None:
    """Be a payer at another institution: scan what an order shows and pay it, or answer a till that scanned the payment code."""
    async with _payer(payer) as somebody:
        if code:
            told = await _scan(somebody, code, reject=reject, wrong_password=wrong_password, wait=wait)
        else:
            told = await _answer(somebody, reject=reject, wrong_password=wrong_password, wait=wait)
    if json:
        show_json(told)
    else:
        stdout.print(
            f"{told['outcome']}: {money(told['amount'], told['currency'])} to {told['payee_name']}", markup=False
        )


async def agree(
    link: Annotated[str, Parameter(help="Where the merchant leads a browser, or any text with its agr_….")],
    /,
    *,
    payer: PayersNode = "jing",
    json: AsJson = False,
) -> None:
    """Be a person at another institution: scan what a merchant asks to be let take, and say yes with the PIN."""
    from hutong.app.network import DEMO_NETWORK
    from hutong.app.sample_payer import PIN

    found = _AGREEMENT.search(link)
    if found is None:
        raise Refusal(GatewayPayReason.NO_AGREEMENT_IN_IT, given=link)
    offers = f"/v1/agreements/offers/{found[0]}"
    for node in NODES.values():
        async with client_of(url_of(node)) as door:
            try:
                offered = await door.get(offers)
            except NodeRefused:
                continue
        break
    else:
        raise Refusal(GatewayPayReason.NO_AGREEMENT_IN_IT, given=link)
    async with _payer(payer) as somebody:
        token = await somebody.wallet.pin_token(PIN, offered["payment_id"], offered["day_max"], offered["creditor"])
        client = somebody.wallet.client
        if node == payer:
            await client.post(f"/v1/agreements/{found[0]}/sign", {"pin_token": token})
        else:
            scanned = f"{DEMO_NETWORK.node(node).plate_base}/agreements/{found[0]}"
            await client.post("/v1/agreements/elsewhere/sign", {"link": scanned, "pin_token": token})
    told = {"outcome": "SIGNED", "merchant_name": offered["merchant_name"], "day_max": offered["day_max"]}
    if json:
        show_json(told)
    else:
        stdout.print(
            f"SIGNED: {money(told['day_max'], 'CNY')} a day at most, for {told['merchant_name']}", markup=False
        )


async def payment_code(*, payer: PayersNode = "jing", json: AsJson = False) -> None:
    """A payment code (付款码) of that payer's, good for a minute: what a till scans."""
    async with _payer(payer) as somebody:
        shown = await somebody.payment_code()
    if json:
        show_json({"payment_code": shown})
    else:
        stdout.print(shown)


async def clock(
    *,
    forward: Annotated[str, Parameter(help="How far: 90s, 30m, 2h, 1d.")] = "",
    node: Annotated[str, Parameter(help="A node of the network: its clock is that of all of them.")] = "wei",
    json: AsJson = False,
) -> None:
    """What time it is in a network for trying out; put it forward, so that orders expire and bills become ready."""
    forward_s = _seconds(forward) if forward else 0
    async with operating(At(node=node)) as operator:
        if forward_s:
            told = await operator.post("/v1/sandbox/clock", {"forward_s": forward_s})
        else:
            told = await operator.get("/v1/sandbox/clock")
    if json:
        show_json(told)
    else:
        ahead = f", {told['ahead_s']} s ahead of this machine" if told["ahead_s"] else ""
        stdout.print(f"{told['now']}{ahead}")


@asynccontextmanager
async def _payer(node: str) -> "AsyncIterator[SamplePayer]":
    from hutong.app.sample_payer import sample_payer

    async with operating(At(node=node)) as operator:
        somebody = await sample_payer(settings().data_directory / "gateways", url_of(node), node, operator)
        async with somebody.wallet.client:
            yield somebody


async def _scan(
    somebody: "SamplePayer", code: str, *, reject: bool, wrong_password: bool, wait: float
) -> dict[str, Any]:
    from hutong.app.sample_payer import PIN, WRONG_PIN

    quote = await somebody.wallet.quote(await _code_behind(code))
    facts = {name: quote[name] for name in ("amount", "currency", "payee_name", "creditor_agent")}
    if wait:
        await asyncio.sleep(wait)
    if reject:
        return facts | {"outcome": "LEFT"}
    await somebody.fill(quote["amount"])
    try:
        paid = await somebody.wallet.pay(quote, quote["amount"], pin=WRONG_PIN if wrong_password else PIN)
    except NodeRefused as refused:
        if not wrong_password or refused.reason != "PIN_WRONG":
            raise
        return facts | {"outcome": "PIN_WRONG"}
    return facts | {"outcome": paid["state"], "payment_id": paid["payment_id"]}


async def _code_behind(given: str) -> str:
    """The code itself: of a page that shows one, or of the order that a prepay id names."""
    from httpx import AsyncClient, HTTPError

    pages = [f"{url_of(node)}/prepay/{given}" for node in NODES.values()] if _PREPAY_ID.fullmatch(given) else [given]
    if not pages[0].startswith("http://"):
        return given
    async with AsyncClient(trust_env=False, follow_redirects=True) as browser:
        for page in pages:
            try:
                shown = await browser.get(page)
            except HTTPError as error:
                raise NodeSilent(f"{page}: {error}") from None
            if "canonical" in shown.links:
                return str(shown.links["canonical"]["url"])
    raise Refusal(GatewayPayReason.NO_ORDER_BEHIND_IT, given=given)


async def _answer(somebody: "SamplePayer", *, reject: bool, wrong_password: bool, wait: float) -> dict[str, Any]:
    """Refuses NOBODY_ASKED, after waiting for as long as was said."""
    from hutong.app.sample_payer import PIN, WRONG_PIN

    waiting: list[dict[str, Any]] = []
    for _ in range(1 + int(wait / _POLL_S)):
        waiting = [each for each in await somebody.wallet.waiting() if each["state"] == "WAITING"]
        if waiting:
            break
        await asyncio.sleep(_POLL_S)
    if not waiting:
        raise Refusal(GatewayPayReason.NOBODY_ASKED, say="hutong gateway payment-code, and have a till scan it")
    newest = waiting[-1]
    facts = {name: newest[name] for name in ("amount", "currency")} | {"payee_name": newest["creditor_name"]}
    if reject:
        await somebody.decline(newest)
        return facts | {"outcome": "DECLINED"}
    try:
        paid = await somebody.wallet.approve(newest, WRONG_PIN if wrong_password else PIN)
    except NodeRefused as refused:
        if not wrong_password or refused.reason != "PIN_WRONG":
            raise
        return facts | {"outcome": "PIN_WRONG"}
    return facts | {"outcome": paid["state"], "payment_id": paid["payment_id"]}


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if found is None:
        raise Refusal(GatewayPayReason.DURATION_MALFORMED, given=text, say="as 90s, 30m, 2h or 1d")
    return int(found[1]) * _UNITS[found[2]]
