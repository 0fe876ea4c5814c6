"""`hutong onboard`, `appoint`, `plate`, `charge`, `refund` and `pay-in`: selling, and the institution's operator."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from hutong.app.wallet import decided
from hutong.cli.code import write_file
from hutong.cli.connection import MERCHANT, NOWHERE, At, asking_later, connected, credentials, operating
from hutong.cli.credentials import Credential
from hutong.cli.output import AsJson, money, show_json, stdout
from hutong.codes.picture import qr_png, qr_symbol
from hutong.kernel.clock import SystemClock
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.kernel.money import Currency, parse_amount

Reference = Annotated[str, Parameter(help="Your own name for it: asking again with it is safe. Default: a new one.")]
Yuan = Annotated[str, Parameter(help="In yuan.")]
Out = Annotated[Path | None, Parameter(name=["--out", "-o"], help="A .png file for the picture.")]


class MerchantReason(Reason):
    """Why a merchant's command could not do its work."""

    CHARGE_REJECTED = Kind.REFUSED, "NARR"
    NODE_NEEDED = Kind.INVALID, "NARR"


async def onboard(
    name: Annotated[str, Parameter(help="What payers are shown.")],
    /,
    *,
    latin: Annotated[str, Parameter(help="The name in ASCII, for EMVCo payloads.")],
    mcc: Annotated[str, Parameter(help="Merchant category code, ISO 18245.")] = "5812",
    fee_bps: Annotated[int, Parameter(help="Of every payment, in basis points.")] = 60,
    city: str = "北京",
    latin_city: str = "Beijing",
    reference: Reference = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Take a merchant on, as an institution's operator; its first staff key is noted here."""
    if not at.node:
        raise Refusal(MerchantReason.NODE_NEEDED, say="--node")
    body = {"reference": reference or latin, "legal_name": name, "name": name, "latin_name": latin, "mcc": mcc}
    async with operating(at) as operator:
        place = {"city": city, "latin_city": latin_city, "fee_bps": fee_bps}
        merchant = await operator.post("/v1/operator/merchants", body | place)
        path = f"/v1/operator/merchants/{merchant['merchant_id']}/keys"
        issued = await operator.post(path, {"name": "hutong CLI"})
    credentials().keep(Credential(node=at.node, name=name, role=MERCHANT, token=issued["token"]))
    if json:
        show_json(merchant)
    else:
        stdout.print(f"{name} at {at.node}: {merchant['merchant_id']}, and its key is noted here.")


async def appoint(
    merchant_id: Annotated[str, Parameter(help="As onboarding said it: mer_…")],
    /,
    *,
    name: Annotated[str, Parameter(help="Whose telephone it is.")],
    phone: Annotated[str, Parameter(help="A code goes there, to choose a PIN with at /staff/pin.")],
    reference: Reference = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Invite an owner of a merchant, as the institution's operator: who then signs in at the till and the console."""
    if not at.node:
        raise Refusal(MerchantReason.NODE_NEEDED, say="--node")
    async with operating(at) as operator:
        body = {"staff_id": reference or _new_id("owner"), "name": name, "phone": phone}
        member = await operator.post(f"/v1/operator/merchants/{merchant_id}/staff", body)
    if json:
        show_json(member)
    else:
        stdout.print(f"{name} ({phone}) is invited: {member['member_id']}. They choose a PIN at /staff/pin.")


async def plate(*, reference: Reference = "", out: Out = None, at: At = NOWHERE, json: AsJson = False) -> None:
    """Hang up a plate, and write its picture, ready for print."""
    _, client = connected(at, MERCHANT)
    async with client:
        hung = await client.post("/v1/plates", {"reference": reference or _new_id("plate")})
        if out is not None:
            write_file(out, await client.fetch(f"/v1/plates/{hung['plate_id']}/print.png"))
    if json:
        show_json(hung)
        return
    if out is None:
        qr_symbol(hung["text"]).terminal(compact=True)
    stdout.print(hung["text"] if out is None else f"{out}: {hung['text']}")


async def charge(
    amount: Yuan,
    /,
    *,
    payment_code: Annotated[
        str, Parameter(help="What was scanned off the payer's phone; without it a code is shown.")
    ] = "",
    remark: Annotated[str, Parameter(help="For the payer to read.")] = "",
    reference: Reference = "",
    out: Out = None,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Ask to be paid: show a code, or scan a payer's payment code."""
    _, client = connected(at, MERCHANT)
    body: dict[str, Any] = {
        "reference": reference or _new_id("charge"),
        "amount": parse_amount(amount, Currency.CNY),
        "remark": remark,
    }
    async with client:
        with asking_later(f"the same again with --reference {body['reference']}"):
            if payment_code:
                body |= {"way": "PAYMENT_CODE", "payer_code": payment_code}
                asked = await decided(lambda: client.post("/v1/charges", body))
            else:
                asked = await client.post("/v1/payment-requests", body)
    if asked["state"] == "REJECTED":
        raise Refusal(MerchantReason.CHARGE_REJECTED, reason=asked["reason"], request_id=asked["request_id"])
    if out is not None and not payment_code:
        write_file(out, qr_png(asked["code"]))
    if json:
        show_json(asked)
    elif payment_code:
        said = {"PAID": "Paid", "WAITING": "The payer is asked for the PIN"}.get(asked["state"], asked["state"])
        stdout.print(f"{said}: {money(asked['amount'], asked['currency'])}, {asked['request_id']}")
    else:
        if out is None:
            qr_symbol(asked["code"]).terminal(compact=True)
        stdout.print(f"{asked['code']}  {money(asked['amount'], asked['currency'])}")


async def refund(
    payment_id: Annotated[str, Parameter(help="Which payment.")],
    amount: Yuan,
    /,
    *,
    remark: Annotated[str, Parameter(help="For the payer to read.")] = "",
    refund_id: Annotated[str, Parameter(help="To ask again about the same refund: its id.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Give back a payment, or a part of it."""
    _, client = connected(at, MERCHANT)
    body = {
        "refund_id": refund_id or _new_id("rfd"),
        "payment_id": payment_id,
        "amount": parse_amount(amount, Currency.CNY),
        "remark": remark,
    }
    async with client:
        with asking_later(f"the same again with --refund-id {body['refund_id']}"):
            given = await decided(lambda: client.post("/v1/refunds", body))
    if json:
        show_json(given)
        return
    said = "Given back" if given["state"] == "COMPLETED" else "Undecided as yet"
    stdout.print(f"{said}: {money(given['amount'], given['currency'])} of {payment_id}, {given['refund_id']}")


async def pay_in(
    phone: Annotated[str, Parameter(help="Whose wallet.")],
    amount: Yuan,
    /,
    *,
    pay_in_id: Annotated[str, Parameter(help="To ask again for the same: its id.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Credit a user with money that came into the reserve from outside, as the institution's operator."""
    if not at.node:
        raise Refusal(MerchantReason.NODE_NEEDED, say="--node")
    async with operating(at) as operator:
        user = await operator.get("/v1/operator/users", phone=phone)
        minor = parse_amount(amount, Currency.CNY)
        body = {"pay_in_id": pay_in_id or _new_id("pin"), "user_id": user["id"], "amount": minor}
        with asking_later(f"the same again with --pay-in-id {body['pay_in_id']}"):
            paid = await operator.post("/v1/operator/pay-ins", body)
    if json:
        show_json(paid)
    else:
        stdout.print(f"{user['name']} at {at.node}: {money(minor)} came in")


def _new_id(prefix: str) -> str:
    return id_text(prefix, IdMint(SystemClock(), system_randomness()).mint())
