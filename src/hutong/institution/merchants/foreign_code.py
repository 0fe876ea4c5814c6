"""
What names the payee in a code that another system issued, whatever else the code says.

A plate in the field and the same merchant's code with an amount differ in amount and checksum and mean one payee. So a
foreign plate is recognised by an **identity**: `KHQR/name@bank`, `VietQR/970416/109257678859`, `UPI/name@bank`, or a link
in its one spelling. People may type one, too.
"""

import hashlib
import re

from hutong.codes import scanned, tlv
from hutong.codes.additional_data import Template
from hutong.codes.link import Link
from hutong.codes.merchant_presented import MerchantPresentedCode, PrimitiveAccount
from hutong.codes.national import national_accounts
from hutong.codes.plate import NETWORK_GUID
from hutong.codes.upi import UpiLink
from hutong.institution.merchants.reasons import MerchantReason
from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text

CODE_LENGTH_MAX = 512
# Which sub-fields name the payee, as dotted paths; the others say how, until when, or sign it.
_NAMED_BY = {
    "PromptPay": ("01", "02", "03"),  # Mobile, tax id, e-wallet.
    "PayNow": ("01", "02"),  # Proxy type and value.
    "DuitNow": ("01", "02"),
    "QRIS": ("01", "02"),
    "VietQR": ("01.00", "01.01"),  # BIN, account.
    "QR Ph": ("01", "03", "04"),
    "HK FPS": ("02", "03", "04"),  # FPS id, mobile, email.
    "Pix": ("01",),
}
_WHOLE = ("Visa", "Mastercard", "Discover", "American Express", "JCB", "UnionPay")
_TYPED = re.compile(rf"({'|'.join(sorted([*_NAMED_BY, *_WHOLE, 'KHQR', 'UPI', 'EMVCo']))})/(\S.*)")


def identities(content: scanned.Content) -> list[str]:
    """Every identity of the payee that a scanned code names, the code's own order; nothing for payers' codes."""
    match content:
        case MerchantPresentedCode():
            return _account_identities(content)
        case UpiLink():
            return [f"UPI/{content.payee_address.lower()}"]
        case Link():
            return [str(content)]
        case _:
            return []


def read_identity(text: str) -> str:
    """
    The identity in a foreign code's text, or the one that somebody typed.

    Refuses:  the text refusals; what the code's reader refuses; FOREIGN_CODE_UNREADABLE if no payee is named.
    """
    check_text("text", text, length_max=CODE_LENGTH_MAX)
    if _TYPED.fullmatch(text):
        return text
    found = identities(scanned.read(text).content)
    if not found:
        raise Refusal(MerchantReason.FOREIGN_CODE_UNREADABLE, field="text")
    return found[0]


def identity_key(identity: str) -> int:
    """What finds a plate by its identity, which may be long."""
    return int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=16).digest(), "big")


def _account_identities(code: MerchantPresentedCode) -> list[str]:
    scheme_of = {national.account.id: national.scheme for national in national_accounts(code)}
    return [
        identity
        for account in code.accounts
        if (identity := _account_identity(account, scheme_of.get(account.id, "EMVCo"))) is not None
    ]


def _account_identity(account: PrimitiveAccount | Template, scheme: str) -> str | None:
    if isinstance(account, PrimitiveAccount):
        return f"{scheme}/{account.value}" if scheme != "EMVCo" else f"EMVCo/{account.id}/{account.value}"
    if account.guid.lower() == NETWORK_GUID:  # A plate of some institution here: nobody else's to take.
        return None
    if scheme == "KHQR":  # The identifier is the account.
        return f"KHQR/{account.guid.lower()}"
    paths = _NAMED_BY.get(scheme)
    if paths is None:  # A template we know nothing of: all it says.
        return "/".join(["EMVCo", account.guid.upper(), *[value for _, value in account.fields]])
    values = [value for path in paths if (value := _value_at(account, path)) is not None]
    return "/".join([scheme, *values]) if values else None


def _value_at(template: Template, path: str) -> str | None:
    outer, _, inner = path.partition(".")
    value = template.get(outer)
    if value is None or not inner:
        return value
    try:
        return tlv.parse(value).get(inner)
    except Refusal:  # Not as its scheme has it, so it names nobody.
        return None
