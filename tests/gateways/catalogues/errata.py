"""
Where the catalogues are wrong, or say "always" of what is there in some state alone; each with who says so.

A row that nothing is excused by any more is one to delete.
"""

import re
from typing import NamedTuple


class Erratum(NamedTuple):
    """Differences that are none."""

    operation: str  # A pattern of its name.
    difference: str  # A pattern of what was found.
    why: str


_TRADE = r"GET /v3/pay/(partner/)?transactions/.*"
_UNPAID = "it is there from the payment on"
_SOURCE = "the source's own lists differ: it is the vendor's documentation that is followed"
_NUMBER = "a Number or a Boolean in the vendor's documentation; the catalogue's source has no types"
_DOCUMENTED = "the vendor's documentation and its SDK for Go have it"

ERRATA = (
    # A query of an order: the source lists what was asked for, and the documentation what is answered.
    Erratum(_TRADE, "/(description|notify_url) is missing", _SOURCE),
    Erratum(_TRADE, "/amount/(total|currency|payer_total|payer_currency) is not known", _SOURCE),
    Erratum(_TRADE, "/(payer|promotion_detail) is not known", _SOURCE),
    Erratum(_TRADE, r"/(amount/payer_\w+|payer) is missing", _UNPAID),
    Erratum(_TRADE, "/trade_type is PAP, .*", "what is taken under an agreement is neither of the others"),
    Erratum(_TRADE, "/trade_state is (ACCEPTED|PAY_FAIL), .*", "as the product's own documentation has it"),
    Erratum("GET /v3/combine-transactions/.*", "/combine_transaction_id is missing", _UNPAID),
    Erratum("GET /v3/combine-transactions/.*", "/sub_orders/0/amount/payer_amount is missing", _UNPAID),
    Erratum(
        "GET /v3/combine-transactions/.*", "/sub_orders/0/individual_auth_id is missing", "of individual traders alone"
    ),
    # Splits: the source has two enumerations exchanged.
    Erratum(
        r"GET /v3/profitsharing/orders/\{out_order_no\}", "/(receivers/0/result|state) is .*, not one of .*", _SOURCE
    ),
    # What was not told can't be repeated.
    Erratum("GET /v3/transfer/batches/.*", "/user_name is missing", "where the transfer named nobody"),
    Erratum(
        "GET /v3/vehicle/transactions/.*", "/sub_(appid|mchid) is missing", "of a service provider's merchants alone"
    ),
    Erratum("POST /v3/payscore/serviceorder", "/package is missing", "where the person need not confirm"),
    Erratum(
        "GET /v3/marketing/busifavor/stocks/.*",
        "/stock_send_rule/max_amount is missing",
        "may be left out when it is made",
    ),
    Erratum(
        "GET /v3/marketing/busifavor/users/.*",
        r"/(data/0/)?(associate_out_trade_no|return_\w+|deactivate_\w+) is not known",
        "the vendor's SDK for Java has it",
    ),
    Erratum("GET /v3/marketing/favor/.*", r"/(data/0/)?stock_use_rule/\w+ is not known", _DOCUMENTED),
    Erratum("GET /v3/marketing/favor/users/.*", "/(data/0/)?no_cash is not known", _DOCUMENTED),
    # v2.
    Erratum("POST /.*", "/err_code(_des)? is missing", "of refusals alone"),
    Erratum(
        "POST /pay/(orderquery|paporderquery|partner/paporderquery)",
        "/(transaction_id|openid|is_subscribe|bank_type|cash_fee|time_end) is missing",
        _UNPAID,
    ),
    Erratum("POST /pay/unifiedorder", "/sub_(mch_id|appid) is not known", "of a service provider's edition"),
    # Alipay.
    Erratum("alipay[.](merchant|security|trade[.]royalty).*", r".* is (int|bool), not str", _NUMBER),
    Erratum(
        "alipay.trade.app.pay",
        "/(app_id|auth_app_id|charset|timestamp) is not known",
        "of the result that the app is given",
    ),
    # Ours, and told in docs/gateways/differences.md: by what the network's wallets find what they are asked for.
    Erratum("alipay.trade.app.pay", "/qr_code is not known", "the wallet's way to the order"),
    Erratum("alipay.fund.auth.order.app.freeze", "/preauth_id is not known", "the wallet's way to the authorisation"),
)


def excused(operation: str, difference: str) -> bool:
    """Whether a difference is a catalogue's mistake, or a state that it doesn't tell."""
    return any(re.fullmatch(each.operation, operation) and re.fullmatch(each.difference, difference) for each in ERRATA)
