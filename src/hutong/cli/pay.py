"""`hutong pay`, `approve` and `receive`: what a payer sees and confirms, and a code to be paid by."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from hutong.app.node_client import NodeRefused
from hutong.cli.code import texts_of, write_file
from hutong.cli.connection import NOWHERE, At, asking_later, wallet_of
from hutong.cli.output import AsJson, money, show_facts, show_json, stdout
from hutong.cli.session import asked
from hutong.cli.stuck import story
from hutong.codes import scanned
from hutong.codes.code import Presented
from hutong.codes.picture import qr_png, qr_symbol
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.money import currency_of, parse_amount

Yes = Annotated[bool, Parameter(name=["--yes", "-y"], negative="", help="Don't ask whether to pay.")]
Pin = Annotated[str, Parameter(help="The PIN; asked for where it is needed.")]
Amount = Annotated[str, Parameter(help="In major units, as 12.50; where the code leaves it open.")]


class PayReason(Reason):
    """Why nothing was paid."""

    CODE_IS_A_PAYERS = Kind.INVALID, "NARR"
    SEVERAL_CODES = Kind.INVALID, "NARR"
    NOT_CONFIRMED = Kind.REFUSED, "NARR"
    AMOUNT_DIFFERS = Kind.REFUSED, "AM09"
    NOTHING_WAITS = Kind.NOT_FOUND, "NARR"


async def pay(
    source: Annotated[str, Parameter(help="A picture file, or the text of a code.")],
    /,
    *,
    amount: Amount = "",
    remark: Annotated[str, Parameter(help="For the payee to read.")] = "",
    pin: Pin = "",
    yes: Yes = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Pay a code: from a picture file, or its text."""
    code = await asyncio.to_thread(_the_code, source)
    _, wallet = wallet_of(at)
    async with wallet.client:
        quote = await wallet.quote(code, parse_amount(amount, currency_of("CNY")) if amount else 0)
        minor = _amount(quote, amount, as_json=json)
        if not (quote["amount"] or amount):
            quote = await wallet.quote(code, minor)  # Now that the amount is known, so is the discount.
        if not json:
            _show_quote(quote, minor)
        if not (yes or json) and asked("Pay? [y/N] ", "--yes", as_json=json).lower() not in {"y", "yes", "是"}:
            raise Refusal(PayReason.NOT_CONFIRMED)
        payment_id = wallet.new_id("pay")
        with asking_later(f"hutong payment {payment_id}"):
            try:
                paid = await wallet.pay(quote, minor, pin=pin, remark=remark, payment_id=payment_id)
            except NodeRefused as refused:
                if pin or json or refused.reason != "PIN_NEEDED":
                    raise
                # Refused before anything was written down, so the id is still good.
                pin = asked("PIN: ", "--pin", as_json=json, secret=True)
                paid = await wallet.pay(quote, minor, pin=pin, remark=remark, payment_id=payment_id)
    _show_payment(paid, as_json=json)


async def approve(*, pin: Pin = "", yes: Yes = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """Say yes to a till that scanned one's payment code and waits for the PIN."""
    _, wallet = wallet_of(at)
    async with wallet.client:
        waiting = [each for each in await wallet.waiting() if each["state"] == "WAITING"]
        if not waiting:
            raise Refusal(PayReason.NOTHING_WAITS)
        newest = waiting[-1]
        quote = await wallet.priced(newest)
        if not json:
            asks = f"{newest['creditor_name']} asks for {money(newest['amount'], newest['currency'])}"
            if off := quote["discount"] + quote["payee_discount"]:
                asks += f", less {money(off, newest['currency'])}"
            stdout.print(asks, markup=False)
        if not (yes or json) and asked("Pay? [y/N] ", "--yes", as_json=json).lower() not in {"y", "yes", "是"}:
            raise Refusal(PayReason.NOT_CONFIRMED)
        pin = pin or asked("PIN: ", "--pin", as_json=json, secret=True)
        paid = await wallet.approve(newest, pin, quote["quote_id"])
    _show_payment(paid, as_json=json)


async def payment(
    payment_id: Annotated[str, Parameter(help="Its id.")],
    /,
    *,
    everywhere: Annotated[bool, Parameter(negative="", help="As operator: what every node wrote down of it.")] = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """How a payment stands."""
    if everywhere:
        await story(payment_id, as_json=json)
        return
    _, wallet = wallet_of(at)
    async with wallet.client:
        found = await wallet.payment(payment_id)
    _show_payment({"payee_name": found.get("payer_name", ""), **found}, as_json=json)


async def receive(
    *,
    amount: Annotated[str, Parameter(help="In yuan; without it the payer says how much.")] = "",
    remark: Annotated[str, Parameter(help="For the payer to read.")] = "",
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="A .png file; none: the terminal.")] = None,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """A personal code (个人码): a code to be paid by."""
    _, wallet = wallet_of(at)
    async with wallet.client:
        minor = parse_amount(amount, currency_of("CNY")) if amount else 0
        body = {"id": wallet.new_id("pco"), "amount": minor, "remark": remark}
        code = await wallet.client.post("/v1/personal-codes", body)
    if out is not None:
        write_file(out, qr_png(code["text"]))
    if json:
        show_json(code)
        return
    if out is None:
        qr_symbol(code["text"]).terminal(compact=True)
    stdout.print(code["text"])


def _the_code(source: str) -> str:
    """The one code in a picture, or the text: refuses one that a payer shows, because that is for a till."""
    texts = texts_of(source)
    if len(texts) > 1:
        raise Refusal(PayReason.SEVERAL_CODES, codes=", ".join(texts))
    if scanned.read(texts[0]).presented is Presented.BY_CONSUMER:
        raise Refusal(PayReason.CODE_IS_A_PAYERS, say="hutong charge --payment-code")
    return texts[0]


def _amount(quote: dict[str, Any], given: str, *, as_json: bool) -> int:
    """What is to be paid: what the code says, else what the payer says."""
    currency = currency_of(quote["currency"])
    if not quote["amount"]:
        return parse_amount(given or asked("Amount: ", "--amount", as_json=as_json), currency)
    fixed: int = quote["amount"]
    if given and parse_amount(given, currency) != fixed:
        raise Refusal(PayReason.AMOUNT_DIFFERS, code=money(fixed, quote["currency"]), given=given)
    return fixed


def _show_quote(quote: dict[str, Any], minor: int) -> None:
    currency = quote["currency"]
    discount = quote["discount"] + quote["payee_discount"]
    facts = [("to", quote["payee_name"]), ("at", quote["creditor_agent"]), ("amount", money(minor, currency))]
    if quote["shop_name"]:
        facts.insert(1, ("shop", quote["shop_name"]))
    if discount:
        facts += [
            ("discount", f"{money(discount, currency)} {quote['discount_label']}".strip()),
            ("to pay", money(minor - discount, currency)),
        ]
    if quote["remark"]:
        facts.append(("for", quote["remark"]))
    show_facts("", facts)


def _show_payment(paid: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(paid)
        return
    shown = money(paid.get("paid", paid["amount"]), paid["currency"])
    if paid["state"] == "COMPLETED":
        stdout.print(f"Paid {shown} to {paid['payee_name']}: {paid['payment_id']}", markup=False)
    else:
        said = "Rejected" if paid["state"] == "REJECTED" else "Undecided as yet"
        stdout.print(f"{said}: {shown} to {paid['payee_name']}; hutong payment {paid['payment_id']}", markup=False)
