"""National schemes are told by their identifiers, wherever they stand."""

import pytest

from hutong.codes.additional_data import Template
from hutong.codes.merchant_presented import MerchantPresentedCode, PrimitiveAccount
from hutong.codes.national import national_accounts
from hutong.kernel.money import Currency


def schemes(country: str, *accounts: PrimitiveAccount | Template) -> list[str]:
    code = MerchantPresentedCode(accounts, Currency.CNY, country)
    return [found.scheme for found in national_accounts(code)]


@pytest.mark.parametrize(
    ("guid", "scheme"),
    [
        ("A000000677010111", "PromptPay"),
        ("A000000677010112", "PromptPay"),
        ("SG.PAYNOW", "PayNow"),
        ("SG.COM.NETS", "NETS"),
        ("SG.SGQR", "SGQR"),
        ("A0000006150001", "DuitNow"),
        ("ID.CO.QRIS.WWW", "QRIS"),
        ("A000000727", "VietQR"),
        ("com.p2pqrpay", "QR Ph"),
        ("hk.com.hkicl", "HK FPS"),
        ("br.gov.bcb.pix", "Pix"),
    ],
)
def test_a_scheme_is_told_by_its_identifier_in_either_case_under_any_id(guid: str, scheme: str) -> None:
    for id_ in ("26", "38", "51"):
        assert schemes("CN", Template(id_, guid), Template(id_, guid.lower())) == [scheme, scheme]


def test_khqr_is_told_by_its_country_its_id_and_an_account_at_a_bank() -> None:
    assert schemes("KH", Template("29", "name@bank"), Template("30", "name@bank")) == ["KHQR", "KHQR"]
    assert schemes("TH", Template("29", "name@bank")) == []
    assert schemes("KH", Template("28", "name@bank"), Template("29", "bank")) == []


def test_primitive_ids_belong_to_card_schemes_and_the_others_to_nobody_yet() -> None:
    assert schemes("CN", PrimitiveAccount("02", "4"), PrimitiveAccount("15", "6"), PrimitiveAccount("17", "9")) == [
        "Visa",
        "UnionPay",
    ]


def test_an_unknown_identifier_is_nobodys() -> None:
    assert schemes("CN", Template("26", "SG.PAYNOW.EVIL"), Template("27", "")) == []
