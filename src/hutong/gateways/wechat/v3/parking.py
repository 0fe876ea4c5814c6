"""
Parking (微信支付分停车): a car comes in, goes out, and what it owes is taken under its plate.

What is told of a plate's consent is told to whom it concerns: whether the person that a merchant names is the one who agreed.
"""

from typing import Any

from hutong.gateways.account import Caller, WechatAccount
from hutong.gateways.order import Dialect, OrderDraft, Trade
from hutong.gateways.order_service import OrderService
from hutong.gateways.parking.entry import FACT, Block, EntryDraft, ParkingEntry
from hutong.gateways.parking.entry import PRODUCT as TRADE_TYPE
from hutong.gateways.parking.parking_service import ParkingService
from hutong.gateways.parking.plate import Plate, read_plate
from hutong.gateways.payer import PayerIds
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.gateways.wechat.v3.orders import check_notify_url, content, words
from hutong.gateways.wechat.v3.parking_shapes import ENTER, FIND, QUERY, TAKE
from hutong.gateways.wechat.v3.parties import Parties, check_appid
from hutong.gateways.wechat.v3.shape import read_body, read_query
from hutong.gateways.wechat.v3.trade_view import BANK_TYPE, promotion_detail, state_text, trade_state
from hutong.gateways.wire import WireAnswer
from hutong.kernel.errors import Refusal

PRODUCT = "parking"
_ENTERED = ("start_time", "parking_name", "free_duration")
_PARKED = ("start_time", "end_time", "parking_name", "charging_duration", "device_id")
_SERVICE = {Block.NO: "NORMAL", Block.OUT_SERVICE: "OUT_SERVICE"}  # Of a plate; else PAUSE.
_BLOCKED = {
    Block.PAUSE: "用户已暂停车主服务",
    Block.OVERDUE: "用户存在欠费",
    Block.OUT_SERVICE: "用户未开通或已关闭车主服务",
}


class Parking:
    """Endpoints below `/v3/vehicle`, but for motorways."""

    def __init__(self, names: Parties, parking: ParkingService, orders: OrderService, *, private_urls: bool) -> None:
        self._parties = names
        self._parking = parking
        self._orders = orders
        self._private_urls = private_urls

    def endpoints(self) -> list[Endpoint]:
        transactions = "/v3/vehicle/transactions"
        return [
            Endpoint("GET", "/v3/vehicle/parking/services/find", PRODUCT, self._find),
            Endpoint("POST", "/v3/vehicle/parking/parkings", PRODUCT, self._enter),
            Endpoint("POST", f"{transactions}/parking", PRODUCT, self._take),
            Endpoint("GET", f"{transactions}/out-trade-no/{{out_trade_no}}", PRODUCT, self._query),
        ]

    async def _find(self, call: Call) -> WireAnswer:
        told = read_query(FIND, call.query)
        check_appid(call.account, told["appid"])
        caller = await self._caller(call, told)
        plate = _plate(told, "/query")
        car = await self._parking.car(caller, plate)
        block, agreement = car.block, car.agreement
        if agreement is not None and self._orders.payers.openid(told["appid"], agreement.payer) != told["openid"]:
            block, agreement = Block.OUT_SERVICE, None  # Somebody else's car, or so this merchant believes.
        shown = {
            "plate_number": plate.number,
            "plate_color": plate.color.value,
            "openid": told["openid"],
            "service_state": _SERVICE.get(block, "PAUSE"),
        }
        if agreement is not None:
            shown["service_open_time"] = moment.told(agreement.signed_ns)
        return ok(shown)

    async def _enter(self, call: Call) -> WireAnswer:
        body = read_body(ENTER, call.signed)
        caller = await self._caller(call, body)
        check_notify_url(body["notify_url"], private_allowed=self._private_urls)
        _check_moment(body["start_time"], "/body/start_time", "入场时间")
        plate = _plate(body, "/body")
        facts = {name: body[name] for name in _ENTERED} | _written(plate)
        draft = EntryDraft(
            number=body["out_parking_no"],
            dialect=Dialect.WECHATPAY_V3.value,
            notify_url=body["notify_url"],
            facts=facts,
        )
        entry = await self._parking.enter(caller, plate, draft)
        shown = {"id": entry.name, "out_parking_no": entry.number} | facts
        return ok(shown | _state(entry, "state", "block_reason"))

    async def _take(self, call: Call) -> WireAnswer:
        body = read_body(TAKE, call.signed)
        check_appid(call.account, body["appid"])
        caller = await self._caller(call, body)
        assert isinstance(caller.payee, WechatAccount)
        check_appid(caller.payee, body.get("sub_appid", ""))
        check_notify_url(body["notify_url"], private_allowed=self._private_urls)
        parked = body["parking_info"]
        for name, label in (("start_time", "入场时间"), ("end_time", "出场时间")):
            _check_moment(parked[name], f"/body/parking_info/{name}", label)
        plate = _plate(parked, "/body/parking_info")
        entry = await self._parking.entered(caller, name=parked["parking_id"])
        facts = {name: body[name] for name in ("appid", "sub_appid", "attach") if body.get(name)}
        draft = OrderDraft(
            out_trade_no=body["out_trade_no"],
            amount=body["amount"]["total"],
            product=TRADE_TYPE,
            description=words(body["description"]),
            dialect=Dialect.WECHATPAY_V3,
            notify_url=body["notify_url"],
            # Of the car nothing is kept here: its entry tells.
            facts=facts
            | {"description": body["description"], "parked": {name: parked[name] for name in _PARKED}}
            | ({"split": True} if body.get("profit_sharing") == "Y" else {}),
            content=content("parking", body),
        )
        trade = await self._parking.take(caller, entry, plate, draft)
        return ok(transaction_object(trade, entry, caller, self._orders.payers))

    async def _query(self, call: Call) -> WireAnswer:
        told = read_query(QUERY, call.query)
        caller = await self._caller(call, told)
        trade = await self._orders.find(caller, out_trade_no=call.path["out_trade_no"])
        if trade.order.product != TRADE_TYPE:
            raise Fault(Code.ORDER_NOT_EXIST)
        entry = await self._parking.entered(caller, name=trade.order.told[FACT])
        return ok(transaction_object(trade, entry, caller, self._orders.payers))

    async def _caller(self, call: Call, told: dict[str, Any]) -> Caller:
        return await self._parties.for_whom(call, told.get("sub_mchid", ""))


def transaction_object(trade: Trade, entry: ParkingEntry, caller: Caller, payers: PayerIds) -> dict[str, Any]:
    """What was taken, or was to be, as queries and notifications show it."""
    told, state = trade.order.told, trade_state(trade)
    shown = _numbers(caller) | {
        "appid": told["appid"],
        "description": told["description"],
        "create_time": moment.told(trade.order.created_ns),
        "out_trade_no": trade.order.out_trade_no,
        "trade_state": state,
        "trade_state_description": state_text(state),
        "trade_scene": "PARKING",
        "parking_info": {"parking_id": entry.name} | _car_of(entry) | told["parked"],
        "payer": {"openid": payers.openid(told["appid"], told["payer"])},
        "amount": {"total": trade.amount, "currency": trade.request.currency},
    }
    if told.get("sub_appid"):
        shown["sub_appid"] = told["sub_appid"]
        shown["payer"]["sub_openid"] = payers.openid(told["sub_appid"], told["payer"])
    if told.get("attach"):
        shown["attach"] = told["attach"]
    if trade.payment is not None:
        shown |= {
            "transaction_id": trade.order.trade_no,
            "success_time": moment.told(trade.order.paid_ns),
            "bank_type": BANK_TYPE,
            "user_repaid": "N",  # Nobody advanced it, so nobody paid it back.
        }
        shown["amount"] |= {"payer_total": trade.paid, "discount_total": trade.discount}
        if promotions := promotion_detail(trade):
            shown["promotion_detail"] = promotions
    return shown


def entry_object(entry: ParkingEntry, caller: Caller) -> dict[str, Any]:
    """An entry whose state is another now, as a notification shows it."""
    told = entry.told
    return (
        _numbers(caller)
        | {"parking_id": entry.name, "out_parking_no": entry.number}
        | _car_of(entry)
        | {name: told[name] for name in _ENTERED if name in told}
        | _state(entry, "parking_state", "blocked_state_description")
        | {"state_update_time": moment.told(entry.changed_ns)}
    )


def _numbers(caller: Caller) -> dict[str, Any]:
    shown = {"sp_mchid": caller.account.row.number}
    return shown | ({"sub_mchid": caller.payee.row.number} if caller.payee.row.id != caller.account.row.id else {})


def _state(entry: ParkingEntry, state: str, why: str) -> dict[str, str]:
    block = Block(entry.block)
    if block is Block.NO:
        return {state: "NORMAL"}
    return {state: "BLOCKED", why: block.value if why == "block_reason" else _BLOCKED[block]}


def _written(plate: Plate) -> dict[str, str]:
    return {"plate_number": plate.number, "plate_color": plate.color.value}


def _car_of(entry: ParkingEntry) -> dict[str, str]:
    """The plate of an entry; nothing where its person has been forgotten."""
    told = entry.told
    return {name: told[name] for name in ("plate_number", "plate_color") if name in told}


def _plate(told: dict[str, Any], pointer: str) -> Plate:
    """Refuses PARAM_ERROR."""
    try:
        return read_plate(told["plate_number"], told["plate_color"])
    except Refusal:
        text = f"输入源“{pointer}/plate_number”映射到字段“车牌号”格式错误"
        raise param_error(f"{pointer}/plate_number", "format", text, told["plate_number"][:32]) from None


def _check_moment(text: str, pointer: str, label: str) -> None:
    """Refuses PARAM_ERROR."""
    if moment.read(text) is None:
        raise param_error(pointer, "format", f"输入源“{pointer}”映射到字段“{label}”格式错误，须为RFC3339", text)
