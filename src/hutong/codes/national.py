"""
The national and international schemes that a merchant account template can belong to.

They are told by their globally unique identifier, whatever the template's id: ids 26 to 51 are anybody's. KHQR alone
has none, its identifier is the account itself (`name@bank`). The primitive ids are those that EMVCo gave to card schemes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hutong.codes.additional_data import Template
from hutong.codes.merchant_presented import MerchantPresentedCode, PrimitiveAccount

_BY_GUID = {
    "A000000677010111": "PromptPay",  # Credit transfer.
    "A000000677010112": "PromptPay",  # Bill payment.
    "SG.PAYNOW": "PayNow",
    "SG.COM.NETS": "NETS",
    "SG.SGQR": "SGQR",
    "A0000006150001": "DuitNow",
    "ID.CO.QRIS.WWW": "QRIS",
    "A000000727": "VietQR",
    "COM.P2PQRPAY": "QR Ph",
    "HK.COM.HKICL": "HK FPS",
    "BR.GOV.BCB.PIX": "Pix",
}
_BY_PRIMITIVE_ID = {
    **dict.fromkeys(("02", "03"), "Visa"),
    **dict.fromkeys(("04", "05"), "Mastercard"),
    **dict.fromkeys(("09", "10"), "Discover"),
    **dict.fromkeys(("11", "12"), "American Express"),
    **dict.fromkeys(("13", "14"), "JCB"),
    **dict.fromkeys(("15", "16"), "UnionPay"),
}


@dataclass(frozen=True, slots=True)
class NationalAccount:
    """One account of a code, and the scheme it belongs to."""

    scheme: str
    account: PrimitiveAccount | Template


def national_accounts(code: MerchantPresentedCode) -> Iterator[NationalAccount]:
    """The accounts of `code` whose scheme is known, in the order of their ids."""
    for account in code.accounts:
        if isinstance(account, PrimitiveAccount):
            scheme = _BY_PRIMITIVE_ID.get(account.id)
        else:
            # Found in the field in either case; EMVCo's own comparison ignores it, too.
            scheme = _BY_GUID.get(account.guid.upper())
            if scheme is None and code.country == "KH" and account.id in ("29", "30") and "@" in account.guid:
                scheme = "KHQR"
        if scheme is not None:
            yield NationalAccount(scheme, account)
