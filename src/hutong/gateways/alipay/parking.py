"""Parking (停车代扣): `alipay.eco.mycar.parking.*`, as far as it is about money: who agreed for a car, and taking what it owes."""

import json
from typing import Any

from hutong.gateways.alipay import trade as told
from hutong.gateways.alipay.asked import notify_url
from hutong.gateways.alipay.beijing import beijing_ns, beijing_text
from hutong.gateways.alipay.call import Call, Endpoint, Reply
from hutong.gateways.alipay.errors import PENDING, AlipayError
from hutong.gateways.alipay.fields import Fields
from hutong.gateways.alipay.identities import Identities
from hutong.gateways.alipay.refusals import payment_failed
from hutong.gateways.order import Dialect, OrderDraft, Trade, TradeState
from hutong.gateways.parking.entry import PRODUCT, Block, EntryDraft, ParkingEntry
from hutong.gateways.parking.parking_service import ParkingService
from hutong.gateways.parking.plate import Plate, read_plate
from hutong.institution.merchants.merchant import REMARK_LENGTH_MAX
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

INVALID = "INVALID_PARAMETER"
_AGREED, _NOT_AGREED = "0", "1"
_COLOR = "BLUE"  # Of most cars: what is meant where no colour is told.


class Parking:
    """A car park's number is its merchant's own: none is registered here."""

    def __init__(self, node: NodeRuntime, parking: ParkingService, identities: Identities) -> None:
        self._journal = node.journal
        self._parking = parking
        self._identities = identities

    def endpoints(self) -> list[Endpoint]:
        before, product = "alipay.eco.mycar.parking", "parking"
        return [
            Endpoint(method=f"{before}.agreement.query", product=product, handler=self.query, invalid=INVALID),
            Endpoint(method=f"{before}.enterinfo.sync", product=product, handler=self.enter, invalid=INVALID),
            Endpoint(method=f"{before}.exitinfo.sync", product=product, handler=self.leave, invalid=INVALID),
            Endpoint(method=f"{before}.order.pay", product=product, handler=self.pay),
        ]

    async def query(self, call: Call) -> Reply:
        """Whether what a car owes can be taken."""
        car = await self._parking.car(call.caller, _plate(call.fields, "plate_color"))
        return Reply(_standing(car.block, call.now_ns))

    async def enter(self, call: Call) -> Reply:
        """A car drives in."""
        fields = call.fields
        plate, at = _plate(fields, "car_color"), fields.text("in_time", 32, required=True)
        if beijing_ns(at) is None:
            raise fields.invalid("in_time", "格式不正确")
        park, number = fields.text("parking_id", 32, required=True), fields.text("out_serial_no", 64)
        entry = await self._entered(call, plate, f"{park}|{number or at}|{plate.key:032x}", {"in_time": at})
        return Reply(_standing(Block(entry.block), call.now_ns) | {"serial_no": entry.name})

    async def leave(self, call: Call) -> Reply:
        """A car drives out."""
        fields = call.fields
        plate, serial_no = _plate(fields, "car_color"), fields.text("serial_no", 64)
        if serial_no:
            entry = await self._parking.entered(call.caller, name=serial_no)
            await self._parking.leave(call.caller, entry, plate)
        return Reply({})

    async def pay(self, call: Call) -> Reply:
        """
        Take what a car owes: of the entry that is named, or of the moment when it came in.

        Refuses:  ACQ.INVALID_PARAMETER, naming the field; as `ParkingService.take`; what the payer's side says no with.
        """
        fields = call.fields
        plate = _plate(fields, "car_number_color")
        out_trade_no = fields.number("out_trade_no", required=True)
        amount = fields.amount("total_fee")
        subject = fields.text("subject", 256, required=True)
        seller_id = fields.text("seller_id", 28)
        if seller_id and seller_id != call.payee.facts.seller_id:
            raise AlipayError("ACQ.INVALID_RECEIVE_ACCOUNT", said="seller_id不正确")
        park, serial_no = fields.text("parking_id", 32, required=True), fields.text("serial_no", 64)
        came = fields.text("in_time", 32) or out_trade_no
        if serial_no:
            entry = await self._parking.entered(call.caller, name=serial_no)
        else:
            entry = await self._entered(call, plate, f"pay|{park}|{came}|{plate.key:032x}", {})
        facts = {
            "subject": subject,
            "body": fields.text("body", 128),
            "codec": call.codec,
            "sign_type": call.sign_type,
        }
        draft = OrderDraft(
            out_trade_no=out_trade_no,
            amount=amount,
            product=PRODUCT,
            description=" ".join(subject.split())[:REMARK_LENGTH_MAX],
            dialect=Dialect.ALIPAY,
            notify_url=notify_url(call),
            facts={name: value for name, value in facts.items() if value},
            content=f"{PRODUCT}/{subject}/{plate.key:032x}".encode(),
        )
        trade = await self._parking.take(call.caller, entry, plate, draft)
        match trade.state:
            case TradeState.PAID:
                return Reply(await warmed(self._journal, lambda: self._paid(call, trade)))
            case TradeState.FAILED:
                assert trade.charge is not None
                raise payment_failed(trade.charge.reason)
            case _:
                return Reply(told.numbers(trade) | {"total_fee": told.yuan(trade.amount)}, PENDING)

    async def _entered(self, call: Call, plate: Plate, number: str, facts: dict[str, Any]) -> ParkingEntry:
        written = {"plate_number": plate.number, "plate_color": plate.color.value}
        draft = EntryDraft(number=number, dialect=Dialect.ALIPAY.value, facts=written | facts)
        return await self._parking.enter(call.caller, plate, draft)

    def _paid(self, call: Call, trade: Trade) -> dict[str, Any]:
        """May raise `Cold`."""
        debtor = self._identities.debtor(trade, call.payee)
        return told.numbers(trade) | {
            "user_id": debtor["buyer_user_id"],
            "open_id": debtor["buyer_open_id"],
            "total_fee": told.yuan(trade.amount),
            "gmt_payment": beijing_text(trade.order.paid_ns),
            "fund_bill_list": json.dumps(told.fund_bills(trade)),  # In this one method it is a text.
        }


def _standing(block: Block, now_ns: int) -> dict[str, Any]:
    status = _AGREED if block is Block.NO else _NOT_AGREED
    return {"agreement_status": status, "current_time": beijing_text(now_ns)}


def _plate(fields: Fields, color: str) -> Plate:
    """Refuses INVALID_PARAMETER."""
    try:
        return read_plate(fields.text("car_number", 32, required=True), fields.text(color, 16) or _COLOR)
    except Refusal:
        raise fields.invalid("car_number", "格式不正确") from None
