"""A car park on wechatpayv3 (PyPI): cars come in by their plates, and what they owe is taken as they leave."""

import csv
import gzip
import io
import sys
from typing import Any

from story import MADE, do, number, tell
from wechatpayv3 import WeChatPayType
from wechatpayv3_shop import callbacks, good, refused, shop

DIGITS = MADE["account"]["number"][-4:]
MINE, POORS, NOBODYS, FOREIGN = (f"粤B{letter}{DIGITS}" for letter in "KPNF")  # Plates that no other run has.
STARTED, ENDED = "2026-01-01T07:00:00+08:00", "2026-01-01T08:00:00+08:00"
PARK = "鼓楼停车场"
MONEYLESS = 150  # A payer who has none until somebody gives some.
ELSEWHERE = {"at": "jing", "payer": 9, "of": "wei"}  # Whose wallet it is, and at whose gateway the car park is.


def enter(plate: str) -> dict[str, Any]:
    return dict(good(shop.parking_enter(number("P"), plate, "BLUE", STARTED, PARK, 900, notify_url=callbacks.url)))


def take(entry: dict[str, Any], mine: str, total: int = 1_280) -> Any:
    """The car leaves."""
    plate, what = entry["plate_number"], ("停车费", mine, total)
    return shop.parking_order(*what, entry["id"], plate, "BLUE", STARTED, ENDED, PARK, 3_600, "gate-1", attach="东门")


def told() -> tuple[str, dict[str, Any]]:
    came = callbacks.next()
    return came["event_type"], came["resource"]


def hear_state(entry: dict[str, Any], state: str) -> None:
    kind, resource = told()
    assert (kind, resource["parking_id"], resource["parking_state"]) == (
        "VEHICLE.ENTRANCE_STATE_CHANGE",
        entry["id"],
        state,
    ), (kind, resource)


def hear_trade(mine: str, kind: str) -> dict[str, Any]:
    came, resource = told()
    assert (came, resource["out_trade_no"]) == (kind, mine), (came, resource)
    return resource


def balance(payer: int) -> int:
    return int(do("balance", at="wei", payer=payer)["balance"])


def story_of_consent(openid: str, payer: int) -> str:
    """Nobody agreed; then somebody does, while the car is in; it leaves and pays. Its order's number."""
    find = shop.parking_service_find
    assert good(find(MINE, "BLUE", openid))["service_state"] == "OUT_SERVICE"
    entry = enter(MINE)
    assert (entry["state"], entry["block_reason"]) == ("BLOCKED", "OUT_SERVICE"), entry
    refused(take(entry, number()), 400, "INVALID_REQUEST")
    do("lend_plate", at="wei", payer=payer, plate=MINE)
    hear_state(entry, "NORMAL")
    assert good(find(MINE, "BLUE", openid))["service_state"] == "NORMAL"
    assert good(find(MINE, "BLUE", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"))["service_state"] == "OUT_SERVICE", "another's car"

    before, mine = balance(payer), number()
    taken = good(take(entry, mine))
    assert (taken["trade_state"], taken["payer"]["openid"]) == ("SUCCESS", openid), taken
    paid = hear_trade(mine, "TRANSACTION.SUCCESS")
    assert good(shop.parking_order_query(mine)) == paid == taken
    assert good(take(entry, mine)) == taken, "asked again it is the same"
    refused(take(entry, number()), 400, "ORDERPAID")
    assert balance(payer) == before - 1_280
    amount = {"refund": 280, "total": 1_280, "currency": "CNY"}
    good(shop.refund(number("R"), amount, transaction_id=taken["transaction_id"], notify_url=callbacks.url))
    assert told()[0] == "REFUND.SUCCESS"
    assert good(shop.parking_order_query(mine))["trade_state"] == "REFUND"
    assert balance(payer) == before - 1_000
    return mine


def story_of_who_is_stopped(payer: int) -> None:
    """A wallet that the operator has frozen pays for no car; when the person takes the consent back, who is in hears."""
    do("freeze", at="wei", payer=payer)
    entry, mine = enter(MINE), number()
    assert (entry["state"], entry["block_reason"]) == ("BLOCKED", "PAUSE"), entry
    assert good(take(entry, mine))["trade_state"] == "PAY_FAIL"
    hear_trade(mine, "TRANSACTION.FAIL")
    do("freeze", at="wei", payer=payer, lift=True)
    good(take(entry, mine := number(), 1))
    hear_trade(mine, "TRANSACTION.SUCCESS")
    inside = enter(MINE)
    do("take_plate_back", at="wei", payer=payer, plate=MINE)
    hear_state(inside, "BLOCKED")


def story_of_who_has_too_little() -> tuple[str, str]:
    """What could not be taken is owed, until it is. The numbers that failed and that did not."""
    do("lend_plate", at="wei", payer=MONEYLESS, plate=POORS)
    entry, failed, mine = enter(POORS), number(), number()
    assert entry["state"] == "NORMAL", entry
    assert good(take(entry, failed))["trade_state"] == "PAY_FAIL"
    came = sorted((told(), told()), key=lambda each: each[0])
    assert [kind for kind, _ in came] == ["TRANSACTION.FAIL", "VEHICLE.ENTRANCE_STATE_CHANGE"], came
    assert came[1][1]["parking_state"] == "BLOCKED", came
    assert good(shop.parking_order_query(failed))["trade_state"] == "PAY_FAIL"
    do("fill", at="wei", payer=MONEYLESS)
    assert good(take(entry, mine))["trade_state"] == "SUCCESS"
    hear_trade(mine, "TRANSACTION.SUCCESS")
    assert enter(POORS)["state"] == "NORMAL"
    return failed, mine


def story_of_the_bill(paid: list[str], failed: str, day: str) -> None:
    """The next day, at noon: what was taken and given back is on the bill, to the fen, and what failed is not."""
    now = do("clock", forward_s=0)["now"]
    do("clock", forward_s=(24 - int(now[11:13]) + 12) * 3_600)
    asked = good(shop.trade_bill(day, tar_type="GZIP"))
    code, content = shop.download_bill(asked["download_url"])
    assert code == 200, content
    rows = list(csv.reader(io.StringIO(gzip.decompress(content).decode("utf-8-sig"))))
    told = [[cell.strip("`") for cell in row] for row in rows[1:-2]]
    mine = sorted((row[6], row[9], row[24], row[16]) for row in told if row[6] in {*paid, failed})
    first, second = paid
    expected = [
        (first, "REFUND", "0.00", "2.80"),
        (first, "SUCCESS", "12.80", "0.00"),
        (second, "SUCCESS", "12.80", "0.00"),
    ]
    assert mine == sorted(expected), mine


def story_of_a_car_park() -> None:
    shown = do("payment_code", at="wei")
    bought = shop.pay(
        description="面",
        out_trade_no=number(),
        amount={"total": 1_000},
        payer={"auth_code": shown["payment_code"]},
        scene_info={"device_ip": "127.0.0.1", "store_info": {"id": "0001"}},
        pay_type=WeChatPayType.CODEPAY,
    )
    openid, day = good(bought)["payer"]["openid"], do("clock", forward_s=0)["now"][:10]
    assert enter(NOBODYS)["state"] == "BLOCKED"
    first = story_of_consent(openid, shown["payer"])
    failed, second = story_of_who_has_too_little()
    story_of_who_is_stopped(shown["payer"])
    story_of_the_bill([first, second], failed, day)


def story_of_a_car_from_elsewhere() -> None:
    """Its person has a wallet at another institution, and agreed by scanning what the car park's page shows."""
    entry = enter(FOREIGN)
    assert entry["block_reason"] == "OUT_SERVICE", entry
    link = do("ask_for_plate", at="wei", plate=FOREIGN)["link"]
    agreed = do("sign", **ELSEWHERE, link=link)
    hear_state(entry, "NORMAL")
    before, mine = do("balance", **ELSEWHERE)["balance"], number()
    taken = good(take(entry, mine))
    assert taken["trade_state"] == "SUCCESS", taken
    assert hear_trade(mine, "TRANSACTION.SUCCESS") == taken
    assert do("balance", **ELSEWHERE)["balance"] == before - 1_280
    find = shop.parking_service_find(FOREIGN, "BLUE", taken["payer"]["openid"])
    assert good(find)["service_state"] == "NORMAL"
    amount = {"refund": 280, "total": 1_280, "currency": "CNY"}
    good(shop.refund(number("R"), amount, transaction_id=taken["transaction_id"], notify_url=callbacks.url))
    assert told()[0] == "REFUND.SUCCESS"
    assert do("balance", **ELSEWHERE)["balance"] == before - 1_000
    # Taken back where it was granted: the next thing that is to be taken fails, and the car is let in no more.
    do("revoke", **ELSEWHERE, name=agreed["merchant_name"])
    entry, failed = enter(FOREIGN), number()
    assert entry["state"] == "NORMAL", entry
    assert good(take(entry, failed))["trade_state"] == "PAY_FAIL"
    came = sorted((told(), told()), key=lambda each: each[0])
    assert [kind for kind, _ in came] == ["TRANSACTION.FAIL", "VEHICLE.ENTRANCE_STATE_CHANGE"], came
    assert enter(FOREIGN)["block_reason"] == "OVERDUE"


only = sys.argv[3:]
for story in (story_of_a_car_park, story_of_a_car_from_elsewhere):
    if not only or story.__name__ in only:
        story()
tell(done=True)
