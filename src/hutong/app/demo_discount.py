"""The demo's discount: what a shop's institution takes off for whoever pays, from any wallet, out of a sponsor's budget."""

from typing import Any

from hutong.app.tour import Person, Till, Tour, yuan
from hutong.codes.picture import qr_png
from hutong.kernel.clock import NS_PER_MS

_PRICE = 2_200
_OFF = 500
_BUDGET = 10_000
_DAY_MS = 86_400_000


async def pay_less(tour: Tour, payer: Person, till: Till) -> None:
    """A campaign of one institution makes a payment from another cheaper: a transfer of a sponsor's, no edited price."""
    tour.step(f"A discount across institutions: {payer.node}'s wallet pays {till.node}'s shop, a sponsor the rest")
    sponsor, campaign = await _campaign(tour, till.node)
    path = f"/v1/operator/campaigns/{campaign}"
    plate = await till.client.post("/v1/plates", {"reference": "festival"})
    tour.keep("plate-discount.png", await till.client.fetch(f"/v1/plates/{plate['plate_id']}/print.png"))
    scanned = await tour.scan(tour.keep("plate-discount-code.png", qr_png(plate["text"])))
    before, had = await payer.wallet.balance(), await till.balance()
    quote = await payer.wallet.quote(scanned, _PRICE)
    tour.check(
        f"{payer.name} is shown, before confirming: {yuan(_PRICE)}, {yuan(quote['payee_discount'])} of it paid by a sponsor",
        holds=quote["payee_discount"] == _OFF,
        seen=quote,
    )
    payment = await payer.wallet.pay(quote, _PRICE, pin=payer.pin)
    paid, got = before - await payer.wallet.balance(), await till.balance() - had
    tour.check(
        f"{payer} paid {yuan(paid)}, and {till} got {yuan(got)}: the whole price after the fee",
        holds=payment["state"] == "COMPLETED" and paid == _PRICE - _OFF and paid < got <= _PRICE,
        seen=(payment, paid, got),
    )
    desk = tour.operator(till.node)
    (award,) = (await desk.get(f"{path}/awards", limit=1))["awards"]
    left: dict[str, Any] = await desk.get(path)
    tour.check(
        f"the campaign gave {yuan(left['given'])}, in one award to this payment; {yuan(left['left'])} are left of its budget",
        holds=(left["given"], left["left"], award["amount"]) == (_OFF, _BUDGET - _OFF, _OFF),
        seen=(left, award),
    )
    await desk.post(f"{path}/end")
    back = {"deposit_id": tour.new_id("dep"), "amount": _BUDGET - _OFF}
    taken = await desk.post(f"/v1/operator/sponsors/{sponsor}/withdrawals", back)
    tour.check(
        f"it ends, and its sponsor takes back {yuan(taken['amount'])}, to the fen",
        holds=taken["amount"] == _BUDGET - _OFF and not taken["balance"],
        seen=taken,
    )


async def _campaign(tour: Tour, node: str) -> tuple[str, str]:
    """A sponsor that has paid in, and its campaign, which runs."""
    desk = tour.operator(node)
    told = {"reference": "demo", "kind": "OUTSIDE", "name": "城市消费节"}
    sponsor = (await desk.post("/v1/operator/sponsors", told))["sponsor_id"]
    deposit = {"deposit_id": tour.new_id("dep"), "amount": _BUDGET}
    await desk.post(f"/v1/operator/sponsors/{sponsor}/deposits", deposit)
    draft = {
        "campaign_id": tour.new_id("cmp"),
        "name": "满20减5",
        "side": "PAYEE",
        "sponsors": [{"sponsor_id": sponsor}],
        "budget": _BUDGET,
        "terms": {"rules": {"rows": [{"when": {"amount": ">= 2000"}, "off": _OFF}]}, "holdout_bps": 0},
        "ends_at_ms": tour.clock.now_ns() // NS_PER_MS + _DAY_MS,
    }
    campaign = str((await desk.post("/v1/operator/campaigns", draft))["campaign_id"])
    await desk.post(f"/v1/operator/campaigns/{campaign}/start")
    tour.say(f"{told['name']} put {yuan(_BUDGET)} into {draft['name']} at {node}: {yuan(_OFF)} off from ¥20.00 on")
    return sponsor, campaign
