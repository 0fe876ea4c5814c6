"""A car park on python-alipay-sdk (PyPI): cars come in by their plates, and what they owe is taken as they leave."""

import csv
import io
import sys
import urllib.request
import zipfile
from typing import Any

from python_alipay_shop import callbacks, good, refused, seen, shop
from story import MADE, do, number, tell

DIGITS = MADE["account"]["number"][-4:]
MINE, POORS, NOBODYS, FOREIGN = (f"粤B{letter}{DIGITS}" for letter in "KPNF")  # Plates that no other run has.
AGREED, NOT_AGREED = "0", "1"
MONEYLESS = 150  # A payer who has none until somebody gives some.
ELSEWHERE = {"at": "jing", "payer": 10, "of": "zhi"}  # Whose wallet it is, and at whose gateway the car park is.


def ask(method: str, **content: Any) -> dict[str, Any]:
    more = {"notify_url": callbacks.url} if method == "order.pay" else {}
    return dict(shop.server_api(f"alipay.eco.mycar.parking.{method}", content, **more))


def standing(plate: str) -> str:
    return str(good(ask("agreement.query", car_number=plate, plate_color="BLUE"))["agreement_status"])


def enter(plate: str) -> dict[str, Any]:
    now = do("clock", forward_s=0)["now"]
    came = {"in_time": f"{now[:10]} {now[11:19]}", "parking_id": "PI01", "out_serial_no": number("P")}
    return good(ask("enterinfo.sync", car_number=plate, car_color="BLUE", **came))


def take(plate: str, mine: str, serial_no: str = "", amount: str = "12.80") -> dict[str, Any]:
    """The car leaves."""
    owed = {"out_trade_no": mine, "subject": "停车费", "total_fee": amount, "parking_id": "PI01"}
    named = {"serial_no": serial_no} if serial_no else {}
    return ask(
        "order.pay", car_number=plate, car_number_color="BLUE", seller_id=MADE["account"]["seller_id"], **owed, **named
    )


def balance(payer: int) -> int:
    return int(do("balance", at="zhi", payer=payer)["balance"])


def story_of_consent(payer: int) -> str:
    """Nobody agreed; then somebody does, while the car is in; it leaves and pays. Its order's number."""
    entry = enter(MINE)
    assert (entry["agreement_status"], standing(MINE)) == (NOT_AGREED, NOT_AGREED), entry
    refused(take(MINE, number(), entry["serial_no"]), "ACQ.AGREEMENT_NOT_EXIST")
    do("lend_plate", at="zhi", payer=payer, plate=MINE)
    assert standing(MINE) == AGREED
    before, mine = balance(payer), number()
    taken = good(take(MINE, mine, entry["serial_no"]))
    assert (taken["total_fee"], taken["fund_bill_list"][0]["amount"]) == ("12.80", "12.80"), taken
    told = callbacks.next()
    assert (told["trade_status"], told["trade_no"]) == ("TRADE_SUCCESS", taken["trade_no"]), told
    assert good(take(MINE, mine, entry["serial_no"]))["trade_no"] == taken["trade_no"], "asked again it is the same"
    refused(take(MINE, number(), entry["serial_no"]), "ACQ.TRADE_HAS_SUCCESS")
    good(ask("exitinfo.sync", car_number=MINE, car_color="BLUE", serial_no=entry["serial_no"], parking_id="PI01"))
    found = good(shop.api_alipay_trade_query(out_trade_no=mine))
    assert (found["trade_status"], found["buyer_user_id"]) == ("TRADE_SUCCESS", taken["user_id"]), found
    assert balance(payer) == before - 1_280
    good(shop.api_alipay_trade_refund("2.80", out_trade_no=mine, out_request_no="1"))
    assert callbacks.next()["out_biz_no"] == "1"
    assert balance(payer) == before - 1_000
    return mine


def story_of_who_is_stopped(payer: int) -> None:
    """A wallet that the operator has frozen pays for no car, nor one whose person took the consent back."""
    do("freeze", at="zhi", payer=payer)
    entry = enter(MINE)
    assert entry["agreement_status"] == NOT_AGREED, entry
    refused(take(MINE, number(), entry["serial_no"]), "ACQ.BUYER_ENABLE_STATUS_FORBID")
    assert callbacks.next()["trade_status"] == "TRADE_CLOSED"
    do("freeze", at="zhi", payer=payer, lift=True)
    good(take(MINE, number(), entry["serial_no"], "0.01"))
    assert callbacks.next()["trade_status"] == "TRADE_SUCCESS"
    do("take_plate_back", at="zhi", payer=payer, plate=MINE)
    assert standing(MINE) == NOT_AGREED
    refused(take(MINE, number()), "ACQ.AGREEMENT_NOT_EXIST")


def story_of_who_has_too_little() -> tuple[str, str]:
    """What could not be taken is owed, until it is. The numbers that failed and that did not."""
    do("lend_plate", at="zhi", payer=MONEYLESS, plate=POORS)
    entry, failed, mine = enter(POORS), number(), number()
    assert entry["agreement_status"] == AGREED, entry
    refused(take(POORS, failed, entry["serial_no"]), "ACQ.BUYER_BALANCE_NOT_ENOUGH")
    assert callbacks.next()["trade_status"] == "TRADE_CLOSED"
    assert standing(POORS) == NOT_AGREED, "it owes"
    do("fill", at="zhi", payer=MONEYLESS)
    good(take(POORS, mine, entry["serial_no"]))
    assert callbacks.next()["trade_status"] == "TRADE_SUCCESS"
    assert standing(POORS) == AGREED
    return failed, mine


def story_of_the_bill(paid: list[str], failed: str, day: str) -> None:
    """The next day, at noon: what was taken and given back is on the bill, to the fen, and what failed is not."""
    now = do("clock", forward_s=0)["now"]
    do("clock", forward_s=(24 - int(now[11:13]) + 12) * 3_600)
    asked = {"bill_type": "trade", "bill_date": day}
    offered = good(shop.server_api("alipay.data.dataservice.bill.downloadurl.query", asked))
    with urllib.request.urlopen(offered["bill_download_url"]) as answer:  # noqa: S310  # What the gateway named.
        files = zipfile.ZipFile(io.BytesIO(answer.read()), metadata_encoding="gbk")
    details = next(name for name in files.namelist() if "汇总" not in name)
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(files.read(details).decode("gbk")))]
    mine = sorted((row[1], row[2], row[11]) for row in rows if len(row) > 20 and row[1] in {*paid, failed})
    first, second = paid
    assert mine == sorted([(first, "交易", "12.80"), (first, "退款", "-2.80"), (second, "交易", "12.80")]), mine


def story_of_a_car_park() -> None:
    shown, day = do("payment_code", at="zhi"), do("clock", forward_s=0)["now"][:10]
    assert enter(NOBODYS)["agreement_status"] == NOT_AGREED
    first = story_of_consent(shown["payer"])
    failed, second = story_of_who_has_too_little()
    story_of_who_is_stopped(shown["payer"])
    story_of_the_bill([first, second], failed, day)


def story_of_a_car_from_elsewhere() -> None:
    """Its person has a wallet at another institution, and agreed by scanning what the car park's page shows."""
    entry = enter(FOREIGN)
    assert entry["agreement_status"] == NOT_AGREED, entry
    agreed = do("sign", **ELSEWHERE, link=do("ask_for_plate", at="zhi", plate=FOREIGN)["link"])
    assert standing(FOREIGN) == AGREED
    before, mine = int(do("balance", **ELSEWHERE)["balance"]), number()
    taken = good(take(FOREIGN, mine, entry["serial_no"]))
    told = callbacks.next()
    assert (told["trade_status"], told["trade_no"]) == ("TRADE_SUCCESS", taken["trade_no"]), told
    assert int(do("balance", **ELSEWHERE)["balance"]) == before - 1_280
    good(shop.api_alipay_trade_refund("2.80", out_trade_no=mine, out_request_no="1"))
    assert callbacks.next()["out_biz_no"] == "1"
    assert int(do("balance", **ELSEWHERE)["balance"]) == before - 1_000
    # Taken back where it was granted: the next thing that is to be taken fails, and the plate is good for nothing here.
    do("revoke", **ELSEWHERE, name=agreed["merchant_name"])
    refused(take(FOREIGN, number(), enter(FOREIGN)["serial_no"]), "ACQ.AGREEMENT_STATUS_NOT_NORMAL")
    assert callbacks.next()["trade_status"] == "TRADE_CLOSED"
    assert standing(FOREIGN) == NOT_AGREED


only = sys.argv[3:]
for story in (story_of_a_car_park, story_of_a_car_from_elsewhere):
    if not only or story.__name__ in only:
        story()
tell(done=True, seen=sorted(seen))
