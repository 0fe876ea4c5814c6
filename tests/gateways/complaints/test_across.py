"""A payer at another institution complains; the merchant answers by either vendor's protocol, refunds, completes, and is called back."""

import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from hutong.gateways.account import AlipayAccount, GatewayKind
from hutong.gateways.account_service import AccountDraft
from hutong.gateways.notification import News
from hutong.gateways.wechat.v3 import cipher
from hutong.institution.complaints.grievance import Grievance, GrievanceOrder
from hutong.institution.complaints.turn import Words
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.runtime.shelf import decided, warmed
from hutong.scheme.complaint import ComplaintAct
from tests.gateways.alipay.merchant import Merchant as AlipayMerchant
from tests.gateways.hall import MERCHANT_KEY, MERCHANT_PUBLIC
from tests.gateways.street import House, Person, Street
from tests.gateways.wechat.v3.client import Merchant
from tests.gateways.wechat.v3.test_across import shop

pytestmark = pytest.mark.asyncio(loop_scope="module")
BEFORE = "/v3/merchant-service"
URL = "https://shop.example/complaints"


class Grumbler:
    """Somebody at an institution who paid and is not content."""

    def __init__(self, house: House, person: Person, payment_id: str) -> None:
        self.house, self.person = house, person
        self.user_id = parse_id("usr", person.id)
        self.id = house.node.mint.mint()
        self.payment_id = parse_id("pay", payment_id)
        self.pictures: tuple[str, ...] = ()  # What is shown from the first.

    async def complains(self, kind: str = "RFND", amount: int = 0) -> None:
        order = GrievanceOrder(
            grievance_id=self.id,
            payment_id=self.payment_id,
            kind=kind,
            text="面是凉的",
            amount=amount,
            contact="13800138000",
            pictures=self.pictures,
        )
        service = self.house.institution.complaints.grievances
        await decided(self.house.journal, lambda: service.open(self.user_id, order))

    async def says(self, act: ComplaintAct, text: str = "") -> None:
        words, service = (
            Words(act_id=self.house.node.mint.mint(), text=text),
            self.house.institution.complaints.grievances,
        )
        await decided(self.house.journal, lambda: service.say(self.grievance, act, words))

    @property
    def grievance(self) -> Grievance:
        return self.house.institution.complaints.grievances.grievance(self.id)

    async def heard(self) -> list[str]:
        service = self.house.institution.complaints.grievances
        turns = await warmed(self.house.journal, lambda: service.history(self.grievance))
        return [f"{turn.by} {turn.act} {turn.text}".strip() for turn in turns]


async def grumbler(street: Street, code: str) -> Grumbler:
    person = await street.jing.person()
    paid = await person.pay(code)
    return Grumbler(street.jing, person, paid["payment_id"])


async def sold(merchant: Merchant, number: str) -> str:
    return str((await merchant.post("/v3/pay/transactions/native", merchant.order(number))).json["code_url"])


def told(house: House, account_id: int) -> list[Any]:
    """What an account is called back about complaints, as it is told."""
    notifications = house.gateways.notifications
    found = [
        row for row in notifications.all.everything() if (row.kind, row.account_id) == (News.COMPLAINT, account_id)
    ]
    return [json.loads(notifications.postmen[row.dialect].plain(row)) for row in found]


async def answered_in_full(merchant: Merchant, one: str) -> None:
    """All that a merchant can say, some of it twice."""
    mine = {"complainted_mchid": merchant.mchid}
    assert (await merchant.post(f"{one}/complete", mine)).code == "INVALID_REQUEST"
    for _ in range(2):
        answered = await merchant.post(f"{one}/response", mine | {"response_content": "抱歉", "response_images": []})
        assert (answered.status, answered.body) == (204, b"")
    assert (await merchant.post(f"{one}/update-refund-progress", {"action": "REJECT"})).code == "PARAM_ERROR"
    progress = {"action": "APPROVE", "launch_refund_day": 1, "remark": "马上"}
    assert (await merchant.post(f"{one}/update-refund-progress", progress)).status == 204
    back = {
        "out_trade_no": "C00001",
        "out_refund_no": "CR1",
        "amount": {"refund": 500, "total": 1_280, "currency": "CNY"},
    }
    assert (await merchant.post("/v3/refund/domestic/refunds", back)).status == 200
    at_once = mine | {"idempotent_id": "I1", "message": {"blocks": [{"type": "TEXT", "text": {"text": "已退"}}]}}
    logged = [(await merchant.post(f"{one}/response-immediate-service", at_once)).json["log_id"] for _ in range(2)]
    assert len(set(logged)) == 1
    assert (await merchant.post(f"{one}/complete", mine)).status == 204


async def test_a_complaint_by_wechat_pay(street: Street) -> None:
    house, merchant = street.wei, await shop(street.wei)
    watched = await merchant.post(f"{BEFORE}/complaint-notifications", {"url": URL})
    assert watched.json == {"mchid": merchant.mchid, "url": URL}
    payer = await grumbler(street, await sold(merchant, "C00001"))
    await payer.complains(amount=500)

    day = "2026-01-01"
    listed = (await merchant.get(f"{BEFORE}/complaints-v2?begin_date={day}&end_date={day}&limit=5&offset=0")).json
    assert (listed["total_count"], listed["limit"], listed["offset"]) == (1, 5, 0)
    (seen,) = listed["data"]
    one = f"{BEFORE}/complaints-v2/{seen['complaint_id']}"
    shown = (await merchant.get(one)).json
    assert shown["payer_openid"].startswith("o")
    phone = cipher.decrypt_field(MERCHANT_KEY, shown.pop("payer_phone"))
    assert phone == "13800138000"
    assert {name: shown[name] for name in seen if name != "payer_phone"} == {
        name: value for name, value in seen.items() if name != "payer_phone"
    }
    order = shown["complaint_order_info"][0]
    sale = await merchant.get(f"/v3/pay/transactions/out-trade-no/C00001?mchid={merchant.mchid}")
    assert order == {"transaction_id": sale.json["transaction_id"], "out_trade_no": "C00001", "amount": 1_280}
    assert (shown["complaint_state"], shown["problem_type"], shown["apply_refund_amount"]) == ("PENDING", "REFUND", 500)
    assert (shown["complaint_full_refunded"], shown["incoming_user_response"]) == (False, True)

    await answered_in_full(merchant, one)
    assert await payer.heard() == [
        "DBTR OPEN 面是凉的",
        "CDTR SAYS 抱歉",
        "CDTR APRV 预计1天内发起退款\n马上",
        "AGNT RFND",
        "CDTR SAYS 已退",
        "CDTR CMPL",
    ]
    assert payer.grievance.state == "PRCD"
    await payer.says(ComplaintAct.CONTINUE, "还差醋")
    assert (await merchant.get(one)).json["user_complaint_times"] == 2

    history = (await merchant.get(f"{one}/negotiation-historys?limit=50&offset=0")).json
    assert [each["operate_type"] for each in history["data"]] == [
        "USER_CREATE_COMPLAINT",
        "MERCHANT_RESPONSE",
        "MERCHANT_APPROVE_REFUND",
        "COMPLAINT_PARTIAL_REFUNDED_SYSTEM_MESSAGE",
        "MERCHANT_RESPONSE",
        "MERCHANT_CONFIRM_COMPLETE",
        "USER_CONTINUE_COMPLAINT",
    ]
    assert history["data"][3]["operate_details"] == "商户已退款5.00元"
    events = told(house, merchant.account.row.id)
    assert {each["event_type"] for each in events[1:]} == {"COMPLAINT.STATE_CHANGE"}
    assert events[0] == {
        "event_type": "COMPLAINT.CREATE",
        "summary": "产生新投诉",
        "original_type": "complaint",
        "resource": {"complaint_id": seen["complaint_id"], "action_type": "CREATE_COMPLAINT"},
    }
    assert [each["resource"]["action_type"] for each in events[1:]] == [
        "MERCHANT_RESPONSE",
        "MERCHANT_APPROVE_REFUND",
        "SELLER_REFUND",
        "MERCHANT_RESPONSE",
        "MERCHANT_CONFIRM_COMPLETE",
        "CONTINUE_COMPLAINT",
    ]


async def test_where_wechat_pay_calls_back_is_set_changed_and_taken_away(street: Street) -> None:
    merchant, path = await shop(street.wei), f"{BEFORE}/complaint-notifications"
    assert (await merchant.get(path)).code == "RESOURCE_NOT_EXISTS"
    assert (await merchant.call("PUT", path, {"url": URL})).code == "RESOURCE_NOT_EXISTS"
    assert (await merchant.post(path, {"url": "nowhere"})).code == "PARAM_ERROR"
    for _ in range(2):
        assert (await merchant.post(path, {"url": URL})).status == 200
    assert (await merchant.post(path, {"url": f"{URL}/2"})).code == "INVALID_REQUEST"
    assert (await merchant.call("PUT", path, {"url": f"{URL}/2"})).json["url"] == f"{URL}/2"
    assert (await merchant.get(path)).json["url"] == f"{URL}/2"
    gone = await merchant.call("DELETE", path)
    assert (gone.status, gone.body) == (204, b"")
    assert (await merchant.call("DELETE", path)).code == "RESOURCE_NOT_EXISTS"
    payer = await grumbler(street, await sold(merchant, "C00002"))
    await payer.complains("SRVC")
    assert told(street.wei, merchant.account.row.id) == []


async def test_another_merchants_complaints_are_not_there(street: Street) -> None:
    merchant, other = await shop(street.wei), await shop(street.wei)
    payer = await grumbler(street, await sold(merchant, "C00003"))
    await payer.complains("SRVC")
    day = "2026-01-01"
    query = f"?begin_date={day}&end_date={day}"
    (seen,) = (await merchant.get(f"{BEFORE}/complaints-v2{query}")).json["data"]
    one = f"{BEFORE}/complaints-v2/{seen['complaint_id']}"
    assert (await other.get(f"{BEFORE}/complaints-v2{query}")).json["data"] == []
    for name in (one, f"{one}/negotiation-historys", f"{BEFORE}/complaints-v2/nothing"):
        assert ((await other.get(name)).status, (await other.get(name)).code) == (404, "RESOURCE_NOT_EXISTS")
    body = {"complainted_mchid": other.mchid, "response_content": "不是我们"}
    assert (await other.post(f"{one}/response", body)).code == "RESOURCE_NOT_EXISTS"
    approve = {"action": "APPROVE"}
    assert (await merchant.post(f"{one}/update-refund-progress", approve)).code == "INVALID_REQUEST"
    for wrong in (
        "",
        "?begin_date=2026-01-01",
        "?begin_date=2026-01-02&end_date=2026-01-01",
        "?begin_date=2026-01-01&end_date=2026-02-01",
        "?begin_date=2026-13-01&end_date=2026-13-01",
        f"{query}&limit=51",
        f"{query}&limit=-1",
    ):
        assert (await merchant.get(f"{BEFORE}/complaints-v2{wrong}")).code == "PARAM_ERROR", wrong


async def alipay_shop(house: House) -> AlipayMerchant:
    draft = AccountDraft(
        account_id=house.node.mint.mint(), kind=GatewayKind.ALIPAY, name="面馆", public_key=MERCHANT_PUBLIC
    )
    account = await house.gateways.accounts.make(await house.merchant(), draft)
    assert isinstance(account, AlipayAccount)
    hall: Any = SimpleNamespace(gateways=house.gateways, merchant_key=MERCHANT_KEY, http=house.client, jing=house.world)
    return AlipayMerchant(hall, account)


async def test_a_complaint_by_alipay(street: Street) -> None:
    house, merchant = street.wei, await alipay_shop(street.wei)
    account = merchant.account
    await house.gateways.complaints.watch_own(account.authority, account.row.id, URL)
    order = {"out_trade_no": "A00001", "total_amount": "12.80", "subject": "两碗面"}
    payer = await grumbler(street, (await merchant.ask("alipay.trade.precreate", order))["qr_code"])
    await payer.complains()

    before = "alipay.merchant.tradecomplain"
    page = await merchant.ask(f"{before}.batchquery", {"begin_time": "2026-01-01 00:00:00", "page_size": "10"})
    assert (page["total_num"], page["total_page_num"], page["page_num"]) == (1, 1, 1)
    (event,) = page["trade_complain_infos"]
    assert (event["status"], event["merchant_order_no"], event["phone_no"]) == (
        "MERCHANT_PROCESSING",
        "A00001",
        "13800138000",
    )
    id_ = event["complain_event_id"]
    for _ in range(2):
        said = await merchant.ask(f"{before}.reply.submit", {"complain_event_id": id_, "reply_content": "抱歉"})
        assert said["code"] == "10000"
    refund = {"out_trade_no": "A00001", "refund_amount": "12.80", "out_request_no": "AR1"}
    assert (await merchant.ask("alipay.trade.refund", refund))["code"] == "10000"
    flat = {"complain_event_id": id_, "feedback_code": "02", "feedback_content": "已退款"}
    for _ in range(2):
        assert (await merchant.ask(f"{before}.feedback.submit", **flat))["code"] == "10000"
    found = await merchant.ask(f"{before}.query", {"complain_event_id": id_})
    assert (found["status"], found["trade_amount"]) == ("MERCHANT_FEEDBACKED", "12.80")
    assert [(each["replier_role"], each["content"]) for each in found["reply_detail_infos"]] == [
        ("MERCHANT", "抱歉"),
        ("SYSTEM", "商家已退款12.80元"),
        ("MERCHANT", "已退款"),
        ("MERCHANT", "商家处理完成"),
    ]
    late = await merchant.ask(f"{before}.supplement.submit", {"complain_event_id": id_, "supplement_content": "小票"})
    assert (late["code"], late["sub_code"]) == ("40004", "COMPLAINT_STATUS_ERROR")
    await payer.says(ComplaintAct.CONFIRM)
    rest = merchant.verified_rest(
        await merchant.rest("POST", "/v3/alipay/merchant/tradecomplain/query", {"complain_event_id": id_})
    )
    assert rest["status"] == "FINISHED"
    unknown = await merchant.ask(f"{before}.query", {"complain_event_id": "0" * 32})
    assert unknown["sub_code"] == "COMPLAINT_NOT_EXIST"

    news = told(house, account.row.id)
    assert len(news) == 6
    notification = next(
        row for row in house.gateways.notifications.all.everything() if row.account_id == account.row.id
    )
    postman = house.gateways.notifications.postmen[notification.dialect]
    letter = postman.letter(notification, postman.plain(notification), street.clock.now_ns())
    for part in (b"msg_method=alipay.merchant.tradecomplain.changed", b"version=1.1", b"utc_timestamp=", id_.encode()):
        assert part in letter.body


async def test_the_newer_product_tells_the_same_complaints(street: Street) -> None:
    merchant = await alipay_shop(street.wei)
    order = {"out_trade_no": "A00002", "total_amount": "3.00", "subject": "醋"}
    payer = await grumbler(street, (await merchant.ask("alipay.trade.precreate", order))["qr_code"])
    await payer.complains("OTHR")
    before = "alipay.security.risk.complaint"
    page = await merchant.ask(f"{before}.info.batchquery", {"current_page_num": 1, "status_list": ["WAIT_PROCESS"]})
    assert page["total_size"] == 1
    (seen,) = page["complaint_list"]
    assert seen["id"] < 2**63
    assert (seen["complain_amount"], seen["complaint_trade_info_list"][0]["out_no"]) == ("3.00", "A00002")
    same = await merchant.ask(f"{before}.info.batchquery", {"trade_no": seen["trade_no"], "task_id": seen["task_id"]})
    assert [each["id"] for each in same["complaint_list"]] == [seen["id"]]
    said = await merchant.ask(f"{before}.reply.send", {"complaint_id": seen["id"], "reply_content": "有的"})
    assert said["code"] == "10000"
    assert (await merchant.ask(f"{before}.info.query", {"complain_id": seen["id"]}))["status"] == "PROCESSING"
    done = {"id_list": [seen["id"]], "process_code": "CONSENSUS_WITH_CLIENT", "reply_content": "已补", "remark": "补"}
    for _ in range(2):
        assert (await merchant.ask(f"{before}.process.finish", done))["complaint_process_success"] is True
    found = await merchant.ask(f"{before}.info.query", {"complain_id": seen["id"]})
    assert (found["status"], found["process_message"]) == ("PROCESSED", "已补")
    missing = await merchant.ask(f"{before}.info.query", {"complain_id": 1})
    assert missing["sub_code"] == "COMPLAINT_NOT_EXIST"
    wrong = await merchant.ask(f"{before}.process.finish", done | {"id_list": []})
    assert wrong["sub_code"] == "INVALID_PARAMETER"


async def test_only_who_may_refund_answers(street: Street) -> None:
    merchant = await shop(street.wei)
    payer = await grumbler(street, await sold(merchant, "C00004"))
    await payer.complains("SRVC")
    complaints = street.wei.gateways.complaints
    row = msgspec.structs.replace(merchant.account.row, role="READER")
    reader = msgspec.structs.replace(merchant.account, row=row)
    caller: Any = SimpleNamespace(account=reader, payee=reader, key=reader.authority)
    (complaint,) = complaints.of_merchant(caller, 0, 2**62)
    with pytest.raises(Refusal, match="ROLE_MAY_NOT"):
        await complaints.answer(caller, f"{complaint.id:032x}", ComplaintAct.SAY, "在")
    with pytest.raises(Refusal, match="ROLE_MAY_NOT"):
        await complaints.watch(reader.authority, reader, URL)
