"""A shop on wechatpayv3 (PyPI) and what it does with people: money sent to them, a service they pay for afterwards, pictures."""

import hashlib
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from story import do, eventually, number, pay, tell
from wechatpayv3 import WeChatPayType
from wechatpayv3_shop import callbacks, good, mchid, refused, shop

NAME = "过路人"  # Of whoever pays here.
SERVICE = "500001"


def customer(amount: int = 50_000) -> tuple[str, int]:
    """Somebody of the shop's own institution who bought something: their openid, and which payer it is."""
    shown = do("payment_code", at="wei")
    bought = shop.pay(
        description="面",
        out_trade_no=number(),
        amount={"total": amount},
        payer={"auth_code": shown["payment_code"]},
        scene_info={"device_ip": "127.0.0.1", "store_info": {"id": "0001"}},
        pay_type=WeChatPayType.CODEPAY,
    )
    return good(bought)["payer"]["openid"], shown["payer"]


def story_of_transfers() -> None:
    """Sent, taken in the wallet, told; sent and called off; sent to whom it is not for."""
    openid, payer = customer()
    scene = [{"info_type": "活动名称", "info_content": "新会员有礼"}]

    def send(out_bill_no: str, amount: int = 1_000, **more: Any) -> Any:
        return shop.mch_transfer_bills(
            out_bill_no, "1000", openid, amount, "新会员有礼", transfer_scene_report_infos=scene, **more
        )

    before = do("balance", at="wei", payer=payer)["balance"]
    mine = number("B")
    sent = good(send(mine, user_name=NAME))
    assert sent["state"] == "WAIT_USER_CONFIRM", sent
    assert sent["package_info"], sent
    assert do("balance", at="wei", payer=payer)["balance"] == before
    assert do("take", at="wei", payer=payer) == {"state": "SUCCESS", "amount": 1_000}
    assert do("balance", at="wei", payer=payer)["balance"] == before + 1_000
    told = callbacks.next()
    assert told["event_type"] == "MCHTRANSFER.BILL.FINISHED", told
    assert (told["resource"]["out_bill_no"], told["resource"]["state"]) == (mine, "SUCCESS"), told
    for found in (
        shop.mch_transfer_bills_query(out_bill_no=mine),
        shop.mch_transfer_bills_query(transfer_bill_no=sent["transfer_bill_no"]),
    ):
        assert good(found)["state"] == "SUCCESS", found
    refused(shop.mch_transfer_bills_cancel(mine), 400, "INVALID_REQUEST")

    called_off = number("B")
    good(send(called_off))
    assert good(shop.mch_transfer_bills_cancel(called_off))["state"] in {"CANCELING", "CANCELLED"}
    assert callbacks.next()["resource"]["state"] == "CANCELLED"
    assert do("take", at="wei", payer=payer)["state"] == "NOTHING_SENT"
    assert good(shop.mch_transfer_bills_query(out_bill_no=called_off))["state"] == "CANCELLED"

    declined = number("B")
    good(send(declined))
    assert do("take", at="wei", payer=payer, decline=True) == {"state": "FAILED", "amount": 1_000}
    assert callbacks.next()["resource"]["state"] == "FAIL"
    wrong = good(send(number("B"), user_name="别人"))
    assert (wrong["state"], wrong["fail_reason"]) == ("FAIL", "NAME_NOT_CORRECT"), wrong
    callbacks.next()
    refused(send(number("B"), 20_001), 400, "INVALID_REQUEST")
    refused(send(mine, 1_001), 400, "INVALID_REQUEST")
    refused(shop.mch_transfer_bills_query(out_bill_no=number("B")), 404, "NOT_FOUND")
    assert good(shop.mch_transfer_elecsign(out_bill_no=mine))["state"] == "FINISHED"
    receipt = good(shop.mch_transfer_elecsign_query(out_bill_no=mine))
    code, paper = shop.download_bill(receipt["download_url"])
    assert (code, hashlib.sha256(paper).hexdigest()) == (200, receipt["hash_value"].lower()), receipt
    assert do("balance", at="wei", payer=payer)["balance"] == before + 1_000


def story_of_a_batch() -> None:
    """Wages: each detail ends by itself."""
    openid, payer = customer()
    before = do("balance", at="wei", payer=payer)["balance"]
    batch, details = number("W"), [number("D"), number("D")]

    def send(total: int) -> Any:
        each = [
            {"out_detail_no": detail, "transfer_amount": 200_000, "transfer_remark": "工资", "openid": who}
            for detail, who in zip(details, (openid, "o-nobody"), strict=True)
        ]
        named = [each[0] | {"user_name": NAME}, each[1] | {"user_name": NAME}]
        return shop.transfer_batch(batch, "一月工资", "一月工资", total, 2, named, transfer_scene_id="1000")

    made = shop.pay(description="礼盒", out_trade_no=number(), amount={"total": 500_000})
    pay(good(made)["code_url"])
    callbacks.next()
    refused(send(300_000), 400, "PARAM_ERROR")
    accepted = good(send(400_000))
    assert accepted["batch_status"] == "ACCEPTED", accepted
    assert callbacks.next()["event_type"] == "MCHTRANSFER.BATCH.FINISHED"
    for found in (
        shop.transfer_query_out_batch_no(batch, need_query_detail=True),
        shop.transfer_query_batchid(accepted["batch_id"], need_query_detail=True),
    ):
        told = good(found)
        assert told["transfer_batch"]["success_amount"] == 200_000, told
        assert [each["detail_status"] for each in told["transfer_detail_list"]] == ["SUCCESS", "FAIL"], told
    failed = good(shop.transfer_query_out_detail_no(details[1], batch))
    assert failed["fail_reason"] == "OPENID_INVALID", failed
    assert good(shop.transfer_query_detail_id(accepted["batch_id"], failed["detail_id"])) == failed
    assert do("balance", at="wei", payer=payer)["balance"] == before + 200_000


def story_of_pay_score() -> None:
    """An umbrella: agreed to in the wallet, brought back, taken."""
    customer()

    def borrow() -> tuple[str, Any]:
        mine = number("U")
        made = shop.payscore_create(
            mine,
            SERVICE,
            "共享雨伞",
            {"start_time": "OnAccept"},
            {"name": "DEPOSIT", "amount": 5_000},
            attach="伞7",
        )
        return mine, good(made)

    def complete(mine: str, total: int) -> Any:
        payments = [{"name": "借伞", "amount": total + 100, "description": "两小时"}]
        discounts = [{"name": "会员", "amount": 100, "description": "会员"}]
        return shop.payscore_complete(mine, SERVICE, payments, total, post_discounts=discounts)

    mine, made = borrow()
    assert made["state"] == "CREATED", made
    refused(complete(mine, 1_280), 400, "INVALID_REQUEST")
    assert do("sign", at="wei", link=made["package"])["state"] == "SIGNED"
    told = callbacks.next()
    assert (told["event_type"], told["resource"]["state"]) == ("PAYSCORE.USER_CONFIRM", "DOING"), told
    assert good(shop.payscore_query(SERVICE, out_order_no=mine))["state_description"] == "USER_CONFIRM"
    refused(complete(mine, 5_001), 400, "PARAM_ERROR")
    done = good(complete(mine, 1_280))
    assert (done["state"], done["total_amount"]) == ("DONE", 1_280), done
    found = good(shop.payscore_query(SERVICE, out_order_no=mine))
    assert found["collection"]["state"] == "USER_PAID", found
    told = callbacks.next()
    assert (told["event_type"], told["resource"]["total_amount"]) == ("PAYSCORE.USER_PAID", 1_280), told
    paid = found["collection"]["details"][0]
    amount = {"refund": 280, "total": 1_280, "currency": "CNY"}
    good(shop.refund(number("R"), amount, transaction_id=paid["transaction_id"], notify_url=callbacks.url))
    assert callbacks.next()["event_type"] == "REFUND.SUCCESS"
    refused(shop.payscore_pay(mine, SERVICE), 400, "INVALID_REQUEST")

    broken, made = borrow()
    do("sign", at="wei", link=made["package"])
    callbacks.next()
    good(shop.payscore_cancel(broken, SERVICE, "坏了"))
    eventually(lambda: good(shop.payscore_query(SERVICE, out_order_no=broken))["state"], "REVOKED")
    refused(shop.payscore_cancel(number("U"), SERVICE, "坏了"), 404, "RESOURCE_NOT_EXISTS")
    unasked = shop.payscore_create(
        number("U"),
        SERVICE,
        "共享雨伞",
        {"start_time": "OnAccept"},
        {"name": "DEPOSIT", "amount": 1},
        openid="o1",
        need_user_confirm=False,
    )
    refused(unasked, 403, "NO_AUTH")
    assert good(shop.payscore_permission(SERVICE, number("P")))["apply_permissions_token"]


def story_of_uploads() -> None:
    """Its multipart has no boundary in the header."""
    with tempfile.TemporaryDirectory() as place:
        picture, film = Path(place) / "shop.png", Path(place) / "shop.mp4"
        picture.write_bytes(b"\x89PNG\r\n\x1a\n picture")
        film.write_bytes(b"\x00\x00\x00\x18ftypmp42 film")
        assert good(shop.image_upload(str(picture)))["media_id"]
        assert good(shop.video_upload(str(film)))["media_id"]
        assert good(shop.marketing_image_upload(str(picture)))["media_url"]
        assert good(shop.complaint_image_upload(str(picture)))["media_id"]


def story_of_a_complaint() -> None:
    """Somebody at another institution is not content; told, answered, refunded, completed; continued, and withdrawn."""
    good(shop.complaint_notification_create(callbacks.url))
    assert good(shop.complaint_notification_query())["url"] == callbacks.url
    mine = number()
    paid = pay(good(shop.pay(description="面", out_trade_no=mine, amount={"total": 2_000}))["code_url"])
    assert callbacks.next()["event_type"] == "TRANSACTION.SUCCESS"
    complaint = do("complain", payment_id=paid["payment_id"], kind="RFND", text="面是凉的", amount=500)
    told = callbacks.next()
    assert told["event_type"] == "COMPLAINT.CREATE", told
    assert told["resource"]["action_type"] == "CREATE_COMPLAINT", told
    id_ = told["resource"]["complaint_id"]

    day = date.fromisoformat(do("clock", forward_s=0)["now"][:10])
    around = {"begin_date": str(day - timedelta(days=1)), "end_date": str(day + timedelta(days=1))}
    listed = good(shop.complaint_list_query(**around, limit=50, complainted_mchid=mchid))
    assert id_ in [each["complaint_id"] for each in listed["data"]], listed
    found = good(shop.complaint_detail_query(id_))
    assert (found["complaint_state"], found["apply_refund_amount"]) == ("PENDING", 500), found
    assert found["complaint_order_info"][0]["out_trade_no"] == mine, found
    assert shop.decrypt(found["payer_phone"]) == "13800138000", found
    refused(shop.complaint_complete(id_), 400, "INVALID_REQUEST")
    good(shop.complaint_response(id_, "抱歉，这就退"), 204)
    assert callbacks.next()["resource"]["action_type"] == "MERCHANT_RESPONSE"
    good(shop.complaint_update_refund(id_, "APPROVE", launch_refund_day=0, remark="退小菜钱"), 204)
    assert callbacks.next()["resource"]["action_type"] == "MERCHANT_APPROVE_REFUND"
    amount = {"refund": 500, "total": 2_000, "currency": "CNY"}
    good(shop.refund(out_refund_no=number("R"), amount=amount, out_trade_no=mine))
    kinds = [callbacks.next() for _ in range(2)]  # Of the refund, and of the complaint, in any order.
    assert {each["event_type"] for each in kinds} == {"REFUND.SUCCESS", "COMPLAINT.STATE_CHANGE"}, kinds
    good(shop.complaint_complete(id_), 204)
    assert callbacks.next()["resource"]["action_type"] == "MERCHANT_CONFIRM_COMPLETE"
    seen = do("grievance", complaint_id=complaint["complaint_id"], state="PRCD")
    assert [turn["act"] for turn in seen["turns"]] == ["OPEN", "SAYS", "APRV", "RFND", "CMPL"], seen

    do("complain", complaint_id=complaint["complaint_id"], act="continue", text="还差醋")
    assert callbacks.next()["resource"]["action_type"] == "CONTINUE_COMPLAINT"
    do("complain", complaint_id=complaint["complaint_id"], act="withdraw")
    callbacks.next()
    assert good(shop.complaint_detail_query(id_))["complaint_state"] == "PROCESSED"
    history = good(shop.complaint_history_query(id_))["data"]
    assert history[-1]["operate_type"] == "USER_REVOKE_COMPLAINT", history
    refused(shop.complaint_detail_query("0" * 32), 404, "RESOURCE_NOT_EXISTS")
    assert good(shop.complaint_notification_update(callbacks.url))["url"] == callbacks.url
    good(shop.complaint_notification_delete(), 204)
    refused(shop.complaint_notification_query(), 404, "RESOURCE_NOT_EXISTS")


def story_of_what_is_not_enabled() -> None:
    """What has nothing beneath it here says so, as there."""
    refused(shop.marketing_paygift_activity_detail("10028001"), 403, "NO_AUTH")


only = sys.argv[3:]
for story in (
    story_of_transfers,
    story_of_a_batch,
    story_of_pay_score,
    story_of_uploads,
    story_of_a_complaint,
    story_of_what_is_not_enabled,
):
    if not only or story.__name__ in only:
        story()
tell(done=True)
