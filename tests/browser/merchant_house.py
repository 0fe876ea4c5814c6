"""A merchant with shops, plates, payments and staff, and its people's way into a browser."""

from dataclasses import dataclass, field
from itertools import count

from tests.browser.conftest import BrowserTown
from tests.browser.eyes import Visitor
from tests.network.street import Till, new_id, until

STAFF_PIN = "284917"
_numbers = count()


@dataclass
class House:
    """A merchant of wei's, and the telephones of its staff by role."""

    town: BrowserTown
    till: Till
    shops: dict[str, str] = field(default_factory=dict)  # Ids by name.
    phones: dict[str, str] = field(default_factory=dict)
    payments: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, role: str) -> str:
        """The session of the one who has this role."""
        if role not in self.tokens:
            self.tokens[role] = self._begun(role)
        return self.tokens[role]

    def _begun(self, role: str) -> str:
        phone, door = self.phones[role], self.town.street.stranger("wei")
        code = self.town.sandbox("wei").one_time_code(phone)
        body = {"phone": phone, "device_id": new_id("dev"), "pin": STAFF_PIN, "code": code}
        return str(door.post("/v1/staff/pin", body)["token"])

    def enters(self, visitor: Visitor, role: str) -> Visitor:
        """Somebody of the staff, signed in."""
        cookie = {"name": "staff-wei", "value": self.token(role), "url": self.town.url("wei")}
        visitor.context.add_cookies([cookie])  # type: ignore[list-item]  # Its own TypedDict, spelled out.
        return visitor


def house(town: BrowserTown) -> House:
    """Two shops, three plates, payments across and on us, one given back in part, and one of each role."""
    street = town.street
    till = street.till("wei", fee_bps=60)
    made = House(town, till)
    for number, name in enumerate(("前门店", "西单店")):
        body = {"reference": f"s{number}", "name": name, "city": "北京", "latin_city": "Beijing"}
        made.shops[name] = till.post("/v1/shops", body)["shop_id"]
    plates = [
        till.post("/v1/plates", {"reference": f"{name} 1", "shop_id": shop_id})["text"]
        for name, shop_id in made.shops.items()
    ]
    payers = [street.payer(node, 100_000) for node in ("jing", "wei")]
    for payer in payers:
        for plate, amount in zip([till.plate, *plates], (1_280, 2_350, 4_999), strict=True):
            made.payments.append(payer.pay(plate, amount)["payment_id"])
    request = till.request(3_000, remark="=1+1 两碗面")
    made.payments.append(payers[0].pay(request["code"], 3_000)["payment_id"])
    # What payers elsewhere were told is booked here a moment later.
    assert until(lambda: _booked(till), lambda booked: booked >= {*made.payments}) >= {*made.payments}
    till.refund(made.payments[0], 300)
    operator = street.operator("wei")
    for role in ("OWNER", "MANAGER", "ACCOUNTANT", "CASHIER"):
        made.phones[role] = f"+86137{next(_numbers):08d}"
        body = {"staff_id": role, "name": f"王{role.title()}", "phone": made.phones[role]}
        if role == "OWNER":
            operator.post(f"/v1/operator/merchants/{till.merchant_id}/staff", body)
        else:
            till.post("/v1/staff", {**body, "role": role})
    return made


def _booked(till: Till) -> set[str]:
    """The payments that this merchant's account shows."""
    return {line.get("payment_id", "") for line in till.get("/v1/merchant/statement")["lines"]}
