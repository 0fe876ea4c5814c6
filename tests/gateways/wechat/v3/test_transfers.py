"""Transfers to people through the v3 wire: wechatpay-alipay specification, section 7.2."""

from typing import Any

from hutong.gateways import keys
from hutong.gateways.platform import KeyUse
from hutong.gateways.wechat.v3 import cipher
from hutong.gateways.wechat.v3.transfers import own_id
from tests.gateways.hall import Hall, user_id
from tests.gateways.wechat.v3.client import Merchant, neighbour
from tests.gateways.wechat.v3.test_postman import letter, opened
from tests.institution.payments.test_http import Phone

BILLS, BATCHES = "/v3/fund-app/mch-transfer/transfer-bills", "/v3/transfer/batches"
NOTIFY = "https://shop.example/sent"


async def rich(hall: Hall) -> Merchant:
    """A merchant that was paid 500 yuan."""
    public = hall.gateways.platform.current(KeyUse.WECHATPAY_PUBLIC_KEY)
    merchant, payer = Merchant(hall, serial=public.serial), await hall.jing.user("+8613800138000", 100_000)
    placed = await merchant.post("/v3/pay/transactions/native", merchant.order(total=50_000))
    await hall.pay(payer, placed.json["code_url"])
    return merchant


def openid(hall: Hall, merchant: Merchant, person: Phone) -> str:
    return hall.gateways.orders.payers.openid(merchant.appid, f"/{user_id(person):032x}")


def bill(hall: Hall, merchant: Merchant, person: Phone, amount: int = 1_000, **more: Any) -> dict[str, Any]:
    return {
        "appid": merchant.appid,
        "out_bill_no": "B1",
        "transfer_scene_id": "1000",
        "openid": openid(hall, merchant, person),
        "transfer_amount": amount,
        "transfer_remark": "新会员有礼",
        "transfer_scene_report_infos": [{"info_type": "活动名称", "info_content": "新会员有礼"}],
        "notify_url": NOTIFY,
    } | more


def sealed(hall: Hall, name: str) -> str:
    public = hall.gateways.platform.current(KeyUse.WECHATPAY_PUBLIC_KEY)
    return cipher.encrypt_field(keys.public_key(public.public_pem), name)


async def test_a_transfer_waits_for_its_person_and_is_told(hall: Hall) -> None:
    merchant, person = await rich(hall), await hall.jing.user("+8613800138001", 0)
    asked = bill(hall, merchant, person, user_name=sealed(hall, "王小明"))

    sent = await merchant.post(BILLS, asked)
    assert (sent.status, sent.json["state"]) == (200, "WAIT_USER_CONFIRM")
    assert sent.json["package_info"]
    assert (await merchant.post(BILLS, asked | {"user_name": sealed(hall, "王小明")})).json == sent.json
    assert (await merchant.post(BILLS, bill(hall, merchant, person, 1_001))).code == "INVALID_REQUEST"
    assert (await person.get("/v1/balance"))["balance"] == 0

    await hall.gateways.sharing.transfers.take(user_id(person), own_id(sent.json["transfer_bill_no"]))
    assert (await person.get("/v1/balance"))["balance"] == 1_000
    found = await merchant.get(f"{BILLS}/out-bill-no/B1")
    assert found.json == (await merchant.get(f"{BILLS}/transfer-bill-no/{sent.json['transfer_bill_no']}")).json
    assert found.json == {
        "mch_id": merchant.mchid,
        "out_bill_no": "B1",
        "transfer_bill_no": sent.json["transfer_bill_no"],
        "appid": merchant.appid,
        "state": "SUCCESS",
        "transfer_amount": 1_000,
        "transfer_remark": "新会员有礼",
        "openid": asked["openid"],
        "create_time": "2026-01-01T08:00:00+08:00",
        "update_time": "2026-01-01T08:00:00+08:00",
    }
    (*_, news) = hall.gateways.notifications.all.everything()
    event, told = opened(merchant, letter(hall, news))
    assert (event["event_type"], event["resource"]["original_type"]) == ("MCHTRANSFER.BILL.FINISHED", "mch_payment")
    assert (told["state"], told["out_bill_no"], told["mchid"]) == ("SUCCESS", "B1", merchant.mchid)
    assert (await merchant.post(f"{BILLS}/out-bill-no/B1/cancel")).code == "INVALID_REQUEST"


async def test_a_transfer_is_cancelled_before_it_is_taken(hall: Hall) -> None:
    merchant, person = await rich(hall), await hall.jing.user("+8613800138001", 0)
    balance = await hall.merchant_balance()
    await merchant.post(BILLS, bill(hall, merchant, person))
    assert await hall.merchant_balance() == balance - 1_000

    for _ in range(2):
        cancelled = await merchant.post(f"{BILLS}/out-bill-no/B1/cancel")
        assert (cancelled.status, cancelled.json["state"]) == (200, "CANCELLED")
    assert await hall.merchant_balance() == balance


async def test_what_cannot_be_sent_is_refused(hall: Hall) -> None:
    merchant, person = await rich(hall), await hall.jing.user("+8613800138001", 0)
    table: list[tuple[dict[str, Any], int, str]] = [
        ({"transfer_amount": 9}, 400, "INVALID_REQUEST"),
        ({"transfer_amount": 20_001}, 400, "INVALID_REQUEST"),
        ({"openid": "o1"}, 400, "PARAM_ERROR"),
        ({"appid": "wx1"}, 400, "APPID_MCHID_NOT_MATCH"),
        ({"out_bill_no": "B-1"}, 400, "PARAM_ERROR"),
        ({"transfer_scene_report_infos": []}, 400, "PARAM_ERROR"),
        ({"user_name": "王小明"}, 400, "PARAM_ERROR"),
        ({"notify_url": "shop"}, 400, "PARAM_ERROR"),
    ]
    for change, status, code in table:
        answer = await merchant.post(BILLS, bill(hall, merchant, person) | change)
        assert (answer.status, answer.code) == (status, code), change
    wrong = await merchant.post(BILLS, bill(hall, merchant, person, user_name=sealed(hall, "别人")))
    assert (wrong.json["state"], wrong.json["fail_reason"]) == ("FAIL", "NAME_NOT_CORRECT")
    poor = Merchant(hall, await neighbour(hall), serial=merchant.serial)
    assert (await poor.post(BILLS, bill(hall, poor, person))).code == "NOT_ENOUGH"
    for path in ("out-bill-no/B9", "transfer-bill-no/133", f"transfer-bill-no/133{1:039d}"):
        assert (await merchant.get(f"{BILLS}/{path}")).code == "NOT_FOUND"


async def test_a_batch_moves_and_says_how_each_ended(hall: Hall) -> None:
    merchant, person = await rich(hall), await hall.jing.user("+8613800138001", 0)
    details = [
        {"out_detail_no": f"D000{n}", "transfer_amount": 100, "transfer_remark": "工资", "openid": who}
        for n, who in enumerate((openid(hall, merchant, person), "o-nobody"))
    ]
    body = {
        "appid": merchant.appid,
        "out_batch_no": "BATCH1",
        "batch_name": "一月工资",
        "batch_remark": "一月工资",
        "total_amount": 200,
        "total_num": 2,
        "transfer_detail_list": details,
        "notify_url": NOTIFY,
    }

    wrong = await merchant.post(BATCHES, body | {"total_amount": 201})
    assert (wrong.status, wrong.code) == (400, "PARAM_ERROR")
    accepted = await merchant.post(BATCHES, body)
    assert (accepted.status, accepted.json["batch_status"]) == (200, "ACCEPTED")
    for _ in range(3):
        hall.jing.institution.tick()
        hall.jing.node.journal.seal()
    path = f"{BATCHES}/out-batch-no/BATCH1"
    found = await merchant.get(f"{path}?need_query_detail=true&detail_status=ALL&offset=0&limit=20")
    assert [each["detail_status"] for each in found.json["transfer_detail_list"]] == ["SUCCESS", "FAIL"]
    batch = found.json["transfer_batch"]
    assert (batch["batch_status"], batch["success_amount"], batch["fail_num"]) == ("FINISHED", 100, 1)
    by_id = await merchant.get(f"{BATCHES}/batch-id/{accepted.json['batch_id']}?need_query_detail=false")
    assert by_id.json == {"transfer_batch": batch}
    failed = await merchant.get(f"{path}/details/out-detail-no/D0001")
    assert (failed.json["detail_status"], failed.json["fail_reason"]) == ("FAIL", "OPENID_INVALID")
    same = await merchant.get(f"{BATCHES}/batch-id/{batch['batch_id']}/details/detail-id/{failed.json['detail_id']}")
    assert same.json == failed.json
    assert (await person.get("/v1/balance"))["balance"] == 100
    (*_, news) = hall.gateways.notifications.all.everything()
    event, told = opened(merchant, letter(hall, news))
    assert (event["event_type"], told["batch_status"]) == ("MCHTRANSFER.BATCH.FINISHED", "FINISHED")
    assert (await merchant.get(f"{path}x?need_query_detail=false")).code == "NOT_FOUND"
