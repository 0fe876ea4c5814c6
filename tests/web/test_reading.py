"""Whoever only reads changes nothing: every GET route, asked by everybody who might ask, of what is there."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from itertools import product
from typing import Any

import httpx
import pytest

from hutong.kernel.ids import id_text
from hutong.operators.audit_log import AUDIT_LOG
from hutong.runtime.pool import WorkerPool
from tests.institution.complaints.drawn import png
from tests.institution.merchants.test_merchants_over_http import SHOP
from tests.institution.payments.test_http import OPERATOR, Phone
from tests.marketing.coupons.bazaar import Bazaar, Browser

# What these leave behind is meant: an operator's look at people and books is noted, for who looks after operators.
NOTED = {AUDIT_LOG.name}
# A feed, which goes on until its reader leaves; and what the gateways' merchants ask, of whom there are none here: `test_consents`.
PASSED_OVER = ("/wallet/news", "/wallet/asked", "/wallet/agreements", "/wallet/holds", "/wallet/transfers")


@pytest.fixture
async def bazaar() -> AsyncIterator[Bazaar]:
    pool = WorkerPool()
    async with AsyncExitStack() as stack:
        stack.callback(pool.close)
        bazaar = Bazaar(pool)
        await bazaar.start(stack)
        yield bazaar


def routes(bazaar: Bazaar) -> Iterator[tuple[str, list[str]]]:
    """Each path that answers to GET, and the names in it."""
    for route in bazaar.app.routes:
        handlers = getattr(route, "route_handlers", ())
        if any("GET" in handler.http_methods for handler in handlers):
            yield route.path_format, [part.name for part in route.path_components if not isinstance(part, str)]


async def life(bazaar: Bazaar, payer: Phone, merchant: Phone) -> dict[str, list[str]]:
    """Something of most kinds, and what it is called."""
    plate = await merchant.post("/v1/plates", 201, {"reference": "counter"})
    campaign = await bazaar.campaign()
    template = await bazaar.template(campaign, code="UNIQUE")
    open_template = await bazaar.template(campaign)
    batch = bazaar.mint.mint()
    path = f"/v1/operator/coupon-templates/{template['template_id']}/codes"
    await bazaar.said("POST", path, 201, {"batch_id": id_text("ccb", batch), "count": 3}, headers=OPERATOR)
    claim = {"coupon_id": payer.new_id("cpn"), "template_id": open_template["template_id"]}
    await payer.post("/v1/me/coupons", 201, claim)
    quote = await payer.post("/v1/codes/consult", 200, {"code": plate["text"], "amount": 3_000})
    order = {"payment_id": payer.new_id("pay"), "quote_id": quote["quote_id"], "amount": 3_000}
    paid = await payer.post("/v1/payments", 200, order)
    refund = {"refund_id": merchant.new_id("rfd"), "payment_id": paid["payment_id"], "amount": 100}
    await merchant.post("/v1/refunds", 200, refund)
    request = await merchant.post("/v1/payment-requests", 201, {"reference": "R-1", "amount": 500})
    picture = await payer.post("/v1/complaints/pictures", 200, {"content": b64encode(png()).decode()})
    grievance = {
        "complaint_id": payer.new_id("grv"),
        "payment_id": paid["payment_id"],
        "kind": "OTHR",
        "text": "面凉了",
        "pictures": [picture["picture"]],
    }
    await payer.post("/v1/complaints", 200, grievance)
    (theirs,) = await merchant.get("/v1/merchant/complaints")
    shop = await merchant.post("/v1/shops", 201, SHOP)
    personal = await payer.post("/v1/personal-codes", 201, {"id": payer.new_id("pco"), "amount": 0})
    return {
        "payment_id": [paid["payment_id"], payer.new_id("pay")],
        "request_id": [request["request_id"]],
        "refund_id": [refund["refund_id"]],
        "complaint_id": [grievance["complaint_id"], theirs["complaint_id"]],
        "grievance_id": [grievance["complaint_id"]],
        "picture": [picture["picture"]],
        "digest": [picture["picture"]],
        "plate_id": [plate["plate_id"]],
        "shop_id": [shop["shop_id"]],
        "code_id": [next(iter(personal.values()))],
        "user_id": [payer.id],
        "merchant_id": [merchant.id],
        "campaign_id": [campaign],
        "campaign": [campaign],
        "template_id": [template["template_id"], open_template["template_id"]],
        "batch_id": [id_text("ccb", batch)],
        "consent_id": [payer.new_id("hld"), payer.new_id("agr")],
        "code": [plate["text"].rpartition("/")[2], "0000-0000-0000-0000"],
        "month": ["2026-01"],
        "day": ["2026-01-01"],
        "size": ["192"],
    }


def rows(bazaar: Bazaar) -> dict[str, int]:
    return {name: len(kept) for name, kept in bazaar.node.store.rows.items() if kept and name not in NOTED}  # type: ignore[attr-defined]


async def test_whoever_reads_changes_nothing(bazaar: Bazaar) -> None:
    payer, merchant = await bazaar.user("+8613800138000", 100_000), await bazaar.merchant()
    known = await life(bazaar, payer, merchant)
    wallet = Browser(bazaar, payer).client
    wallet.follow_redirects = False
    askers: dict[str, tuple[httpx.AsyncClient, dict[str, str]]] = {
        "nobody": (bazaar.client, {}),
        "payer": (bazaar.client, payer.headers),
        "merchant": (bazaar.client, merchant.headers),
        "operator": (bazaar.client, OPERATOR),
        "wallet": (wallet, {}),
    }
    answered: set[str] = set()
    changed: list[Any] = []
    walked = [(path, names) for path, names in routes(bazaar) if not path.startswith(PASSED_OVER)]
    assert len(walked) > 150
    for path, names in walked:
        for values in product(*(known.get(name, [payer.new_id("rcl")]) for name in names)):
            filled = path
            for name, value in zip(names, values, strict=True):
                filled = filled.replace(f"{{{name}}}", value, 1)
            for who, (client, headers) in askers.items():
                before, status = rows(bazaar), 0
                with suppress(TimeoutError):
                    async with asyncio.timeout(5):
                        status = (await client.get(filled, headers=headers)).status_code
                assert status < 500, (filled, who)
                if rows(bazaar) != before:
                    changed.append((filled, who, status))
                if status == 200:
                    answered.add(path)
    assert changed == []
    unread = sorted(path for path, _ in walked if path not in answered)
    assert len(answered) > 110, unread
