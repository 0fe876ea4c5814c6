"""A shop on wechatpy (PyPI), with its certificate: money to people, red packets, entrusted deduction, bills, the sandbox's key."""

import csv
import io
import sys
from functools import partial
from typing import Any

import requests
from story import do, eventually, number, pay, payment_code, tell
from wechatpy_shop import LOCAL, callbacks, customer, made_for, native, refused, shop

NAME = "过路人"  # Of whoever pays here.


def story_of_transfers() -> None:
    openid, payer = customer()
    before = do("balance", at="wei", payer=payer)["balance"]
    mine = number("P")

    def send(amount: int, **more: Any) -> Any:
        given = {"check_name": "FORCE_CHECK", "real_name": NAME, "out_trade_no": mine} | more
        return shop.transfer.transfer(openid, amount, "返现", client_ip=LOCAL, **given)

    sent = send(3_000)
    assert sent["partner_trade_no"] == mine, sent
    assert send(3_000)["payment_no"] == sent["payment_no"]
    found = shop.transfer.query(mine)
    assert (found["status"], found["payment_amount"]) == ("SUCCESS", "3000"), found
    assert do("balance", at="wei", payer=payer)["balance"] == before + 3_000
    refused("FATAL_ERROR", send, 3_001)
    refused("NAME_MISMATCH", send, 3_000, out_trade_no=number("P"), real_name="别人")
    refused("AMOUNT_LIMIT", send, 1, out_trade_no=number("P"))
    refused("NOTENOUGH", send, 4_000_000, out_trade_no=number("P"))
    refused("NOT_FOUND", shop.transfer.query, number("P"))
    refused("NOAUTH", shop.transfer.query_bankcard, mine)


def story_of_red_packets() -> None:
    openid, payer = customer()
    before = do("balance", at="wei", payer=payer)["balance"]

    def send(mine: str, amount: int = 500) -> Any:
        return shop.redpack.send(
            openid, amount, "面馆", "新春", "恭喜发财", "早来早得", client_ip=LOCAL, out_trade_no=mine
        )

    opened, lapsed = number("B"), number("B")
    assert send(opened)["re_openid"] == openid
    assert shop.redpack.query(opened)["status"] == "SENT"
    assert do("balance", at="wei", payer=payer)["balance"] == before
    assert do("take", at="wei", payer=payer)["state"] == "SUCCESS"
    taken = shop.redpack.query(opened)
    assert (taken["status"], taken["hblist"]["hbinfo"]["amount"]) == ("RECEIVED", "500"), taken
    send(lapsed)
    do("clock", forward_s=86_401)
    eventually(lambda: shop.redpack.query(lapsed)["status"], "REFUND")
    assert do("balance", at="wei", payer=payer)["balance"] == before + 500
    refused("MONEY_LIMIT", send, number("B"), 99)
    refused(
        "NOAUTH",
        shop.redpack.send_group,
        openid,
        600,
        "面馆",
        "新春",
        "恭喜发财",
        "早来早得",
        3,
        client_ip=LOCAL,
        out_trade_no=number("B"),
    )


def story_of_entrusted_deduction() -> None:
    """Signed where the page leads, taken each month, ended."""
    customer()
    code = number("C")
    signing = shop.withhold.apply_signing("12535", code, "过路人", callbacks.url)
    refused("CONTRACT_NOT_EXIST", shop.withhold.query_signing, plan_id="12535", contract_code=code)
    page = requests.get(signing["base_url"], params=signing["data"], allow_redirects=False, timeout=10)
    assert page.status_code == 302, page.text
    assert do("sign", at="jing", of="wei", link=page.headers["location"])["institution"] == "wei"
    told = callbacks.next()
    assert (told["change_type"], told["contract_code"]) == ("ADD", code), told
    contract = shop.withhold.query_signing(plan_id="12535", contract_code=code)
    assert (contract["contract_state"], contract["contract_id"]) == ("0", told["contract_id"]), contract

    month = number()
    take = partial(
        shop.withhold.apply_deduct, "月费", 3_000, contract["contract_id"], callbacks.url, out_trade_no=month
    )
    take()
    taken = callbacks.next()
    assert (taken["out_trade_no"], taken["total_fee"], taken["contract_id"]) == (month, 3_000, contract["contract_id"])
    paid = shop.withhold.query_order(out_trade_no=month)
    assert (paid["trade_state"], paid["trade_type"]) == ("SUCCESS", "PAP"), paid
    take()  # Asked again it is the same, and not taken twice.
    assert shop.withhold.query_order(out_trade_no=month)["transaction_id"] == paid["transaction_id"]
    shop.refund.apply(3_000, 1_000, number("R"), out_trade_no=month)
    assert shop.withhold.query_order(transaction_id=paid["transaction_id"])["trade_state"] == "REFUND"

    shop.withhold.apply_cancel_signing(contract_id=contract["contract_id"], contract_termination_remark="不再使用")
    assert callbacks.next()["change_type"] == "DELETE"
    refused(
        "CONTRACTERROR",
        shop.withhold.apply_deduct,
        "月费",
        3_000,
        contract["contract_id"],
        callbacks.url,
        out_trade_no=number(),
    )


def story_of_the_bill() -> None:
    """The next day, at noon: what was sold and given back is on the bill, to the fen."""
    now = do("clock", forward_s=0)["now"]
    sold, back = number(), number("R")
    pay(native(sold, 1_234)["code_url"])
    callbacks.next()
    shop.refund.apply(1_234, 234, back, out_trade_no=sold)
    day = now[:10].replace("-", "")
    refused(None, shop.tools.download_bill, day)  # There is no bill of today, and it has no code for it.
    eventually(lambda: shop.refund.query(out_refund_no=back)["refund_status_0"], "SUCCESS")
    do("clock", forward_s=(24 - int(now[11:13]) + 12) * 3600)
    lines = list(csv.reader(io.StringIO(shop.tools.download_bill(day).lstrip("\ufeff"))))
    told = {row[6].strip("`"): row for row in lines[1:-2] if row[9].strip("`") == "SUCCESS"}
    given_back = {row[15].strip("`"): row for row in lines[1:-2]}
    assert told[sold][24].strip("`") == "12.34", told.get(sold)
    assert given_back[back][16].strip("`") == "2.34", given_back.get(back)
    flow = shop.tools.download_fundflow(day)
    assert "资金流水总笔数" in flow, flow
    refused(None, shop.tools.download_bill, "20200101")
    refused("NO_BILL_EXIST", shop.tools.download_fundflow, day, account_type="Fees")


def story_of_the_sandbox() -> None:
    """The client's own sandbox mode: another key, other paths, the same network."""
    sandbox = made_for(sandbox=True)
    mine = number()
    paid = sandbox.micropay.create("牛肉面", 551, payment_code(), client_ip=LOCAL, out_trade_no=mine)
    assert sandbox.check_signature(dict(paid)), paid
    assert sandbox.order.query(out_trade_no=mine)["trade_state"] == "SUCCESS"
    assert shop.tools.short_url("weixin://wxpay/s/XXXXXX")["short_url"] == "weixin://wxpay/s/XXXXXX"


only = sys.argv[3:]
for story in (
    story_of_transfers,
    story_of_red_packets,
    story_of_entrusted_deduction,
    story_of_the_bill,
    story_of_the_sandbox,
):
    if not only or story.__name__ in only:
        story()
tell(done=True)
