"""A shop on python-alipay-sdk (PyPI), with certificates: settling splits, transfers, balances, bills."""

import csv
import io
import json
import sys
import urllib.request
import zipfile

from python_alipay_shop import callbacks, good, paid, refused, shop
from story import ACCOUNT, do, number, pay, payment_code, tell

OTHER = json.loads((ACCOUNT / "other.json").read_text())  # Another merchant's account.
ALLOCATED = "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR"


def story_of_royalties() -> None:
    receiver = {"type": "userId", "account": OTHER["account"]["seller_id"], "memo": "供货"}
    bound = {"receiver_list": [receiver], "out_request_no": number("B")}
    good(shop.server_api("alipay.trade.royalty.relation.bind", bound))
    trade_no = paid("100.00", extend_params={"royalty_freeze": "true"})
    part = {
        "trans_in": OTHER["account"]["seller_id"],
        "trans_in_type": "userId",
        "amount": "10.00",
        "royalty_type": "transfer",
    }
    settled = good(shop.api_alipay_trade_order_settle(number("S"), trade_no, [part]))
    assert settled["trade_no"] == trade_no, settled
    found = good(shop.server_api("alipay.trade.order.settle.query", {"settle_no": settled["settle_no"]}))
    assert found["royalty_detail_list"][0]["state"] == "SUCCESS", found
    again = dict(part, amount="11.00")
    refused(shop.api_alipay_trade_order_settle(number("S"), trade_no, [again | {"amount": "30.00"}]), ALLOCATED)
    onsettle = good(shop.server_api("alipay.trade.order.onsettle.query", {"trade_no": trade_no}))
    assert onsettle["unsettled_amount"], onsettle
    ratio = good(shop.server_api("alipay.trade.royalty.rate.query", {"out_request_no": number("Q")}))
    assert ratio["max_ratio"] == "30", ratio
    known = good(shop.server_api("alipay.trade.royalty.relation.batchquery", {"out_request_no": number("Q")}))
    assert known["receiver_list"][0]["account"] == OTHER["account"]["seller_id"], known
    gone = {"receiver_list": [receiver], "out_request_no": number("B")}
    good(shop.server_api("alipay.trade.royalty.relation.unbind", gone))
    refused(shop.api_alipay_trade_order_settle(number("S"), trade_no, [again]), "ACQ.ROYALTY_RELATION_NOT_EXIST")


def story_of_a_transfer() -> None:
    bought = good(shop.api_alipay_trade_pay(number(), "bar_code", payment_code("zhi"), "面", total_amount="50.00"))
    asked = number("X")
    content = {
        "out_biz_no": asked,
        "trans_amount": "3.00",
        "product_code": "TRANS_ACCOUNT_NO_PWD",
        "biz_scene": "DIRECT_TRANSFER",
        "order_title": "返现",
        "payee_info": {"identity": bought["buyer_user_id"], "identity_type": "ALIPAY_USER_ID"},
    }
    sent = good(shop.server_api("alipay.fund.trans.uni.transfer", content))
    assert sent["status"] == "SUCCESS", sent
    assert good(shop.server_api("alipay.fund.trans.uni.transfer", content))["order_id"] == sent["order_id"]
    found = {"out_biz_no": asked, "product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"}
    assert good(shop.server_api("alipay.fund.trans.common.query", found))["status"] == "SUCCESS"
    mine, who = number("X"), bought["buyer_user_id"]
    good(
        shop.api_alipay_fund_trans_uni_transfer(mine, "ALIPAY_USER_ID", who, "3.00", order_title="返现", name="过路人")
    )
    wrong = shop.api_alipay_fund_trans_uni_transfer(
        number("X"), "ALIPAY_USER_ID", who, "3.00", order_title="返现", name="别人"
    )
    refused(wrong, "PAYEE_USER_INFO_ERROR")
    older = good(shop.api_alipay_fund_trans_toaccount_transfer(number("X"), "ALIPAY_USERID", who, "1.00"))
    assert good(shop.api_alipay_fund_trans_order_query(order_id=older["order_id"]))["status"] == "SUCCESS"
    nobody = shop.api_alipay_fund_trans_toaccount_transfer(number("X"), "ALIPAY_USERID", "2088000000000000", "1.00")
    refused(nobody, "PAYEE_NOT_EXIST")
    left = good(shop.server_api("alipay.fund.account.query", {"account_type": "ACCTRANS_ACCOUNT"}))
    assert float(left["available_amount"]) > 0, left


def story_of_the_bill() -> None:
    """The next day, at noon: what was sold is on the bill, to the fen."""
    now = do("clock", forward_s=0)["now"]
    mine = number()
    pay(good(shop.api_alipay_trade_precreate("货", mine, "12.34"))["qr_code"])
    callbacks.next()
    do("clock", forward_s=(24 - int(now[11:13]) + 12) * 3600)
    asked = good(
        shop.server_api("alipay.data.dataservice.bill.downloadurl.query", {"bill_type": "trade", "bill_date": now[:10]})
    )
    with urllib.request.urlopen(asked["bill_download_url"]) as answer:  # noqa: S310  # What the gateway named.
        files = zipfile.ZipFile(io.BytesIO(answer.read()), metadata_encoding="gbk")
    details = next(name for name in files.namelist() if "汇总" not in name)
    rows = list(csv.reader(io.StringIO(files.read(details).decode("gbk"))))
    told = {row[1].strip(): row for row in rows if len(row) > 20}
    assert told[mine][11].strip() == "12.34", told.get(mine)


only = sys.argv[3:]
for story in (story_of_royalties, story_of_a_transfer, story_of_the_bill):
    if not only or story.__name__ in only:
        story()
tell(done=True)
