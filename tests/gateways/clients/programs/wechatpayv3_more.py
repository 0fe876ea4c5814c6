"""A shop on wechatpayv3 (PyPI): what P1 brings: splits, transfers, combined orders, partners, balances, bills."""

import csv
import gzip
import io
import json
import sys

from story import ACCOUNT, do, number, pay, tell
from wechatpayv3_shop import callbacks, good, made_for, mchid, shop

OTHER = json.loads((ACCOUNT / "other.json").read_text())  # Another merchant's account, that lets this one act for it.
provider = made_for(partner=True)


def story_of_a_partner() -> None:
    mine, sub = number(), OTHER["account"]["number"]
    made = provider.pay(description="面", out_trade_no=mine, amount={"total": 900}, sub_mchid=sub)
    pay(good(made)["code_url"])
    told = callbacks.next()["resource"]
    assert (told["sp_mchid"], told["sub_mchid"], told["trade_state"]) == (mchid, sub, "SUCCESS"), told
    found = good(provider.query(out_trade_no=mine, sub_mchid=sub))
    assert found["amount"]["total"] == 900, found
    back = provider.refund(
        out_refund_no=number("R"),
        amount={"refund": 100, "total": 900, "currency": "CNY"},
        out_trade_no=mine,
        sub_mchid=sub,
        notify_url=callbacks.url,
    )
    good(back)
    assert callbacks.next()["resource"]["out_trade_no"] == mine


def story_of_splits() -> None:
    receiver = OTHER["account"]["number"]
    good(shop.profitsharing_add_receiver("MERCHANT_ID", receiver, "SUPPLIER", name="隔壁茶室"))
    mine = number()
    made = shop.pay(description="面", out_trade_no=mine, amount={"total": 10_000}, settle_info={"profit_sharing": True})
    pay(good(made)["code_url"])
    paid = callbacks.next()["resource"]["transaction_id"]
    split = number("S")
    receivers = [{"type": "MERCHANT_ID", "account": receiver, "amount": 1000, "description": "货款"}]
    good(shop.profitsharing_order(paid, split, receivers, unfreeze_unsplit=False))
    found = good(shop.profitsharing_order_query(paid, split))
    assert found["state"] == "FINISHED", found
    assert found["receivers"][0]["result"] == "SUCCESS", found
    left = good(shop.profitsharing_amount_query(paid))["unsplit_amount"]
    assert 0 < left < 9000, left
    back = good(shop.profitsharing_return(number("B"), receiver, 400, "少一箱", out_order_no=split))
    assert back["result"] == "SUCCESS", back
    good(shop.profitsharing_unfreeze(paid, number("U"), "余款"))
    assert good(shop.profitsharing_amount_query(paid))["unsplit_amount"] == 0


def story_of_a_combined_order() -> None:
    mine, parts = number("C"), [number(), number()]
    orders = [
        {
            "mchid": which,
            "attach": "part",
            "amount": {"total_amount": 300, "currency": "CNY"},
            "out_trade_no": part,
            "description": "面",
        }
        for which, part in zip((mchid, OTHER["account"]["number"]), parts, strict=True)
    ]
    made = shop.combine_pay(mine, orders, scene_info={"payer_client_ip": "127.0.0.1"})
    pay(good(made)["code_url"])
    told = callbacks.next()["resource"]
    assert {each["trade_state"] for each in told["sub_orders"]} == {"SUCCESS"}, told
    found = good(shop.combine_query(mine))
    assert [each["out_trade_no"] for each in found["sub_orders"]] == parts, found


def story_of_the_bill() -> None:
    """The next day, at noon: what was sold is on the bill, to the fen."""
    day = do("clock", forward_s=0)["now"][:10]
    mine = number()
    pay(good(shop.pay(description="面", out_trade_no=mine, amount={"total": 1234}))["code_url"])
    callbacks.next()
    now = do("clock", forward_s=0)["now"]
    seconds = (24 - int(now[11:13]) + 12) * 3600
    do("clock", forward_s=seconds)
    asked = good(shop.trade_bill(day, tar_type="GZIP"))
    code, content = shop.download_bill(asked["download_url"])
    assert code == 200, content
    rows = list(csv.reader(io.StringIO(gzip.decompress(content).decode("utf-8-sig"))))
    told = {row[6].strip("`"): row for row in rows[1:-2]}
    assert told[mine][24].strip("`") == "12.34", told.get(mine)
    asked = good(shop.fundflow_bill(day, tar_type="GZIP"))
    code, content = shop.download_bill(asked["download_url"])
    assert code == 200, content
    assert "资金流水总笔数" in gzip.decompress(content).decode("utf-8-sig")
    assert json.loads(shop.trade_bill("2020-01-01")[1])["code"] in {
        "PARAM_ERROR",
        "INVALID_REQUEST",
        "NO_STATEMENT_EXIST",
    }


only = sys.argv[3:]
for story in (story_of_a_partner, story_of_splits, story_of_a_combined_order, story_of_the_bill):
    if not only or story.__name__ in only:
        story()
tell(done=True)
