"""Pictures by both vendors' protocols: a payer's at another institution, and the merchant's that the payer sees."""

import hashlib
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from hutong.gateways.complaints.picture_links import LIFE_NS
from hutong.institution.complaints.picture import digest_of
from hutong.institution.complaints.picture_file import picture_file
from hutong.kernel.clock import NS_PER_S
from hutong.runtime.shelf import decided, warmed
from tests.gateways.alipay.merchant import Merchant as AlipayMerchant
from tests.gateways.complaints.test_across import BEFORE, Grumbler, alipay_shop, grumbler, sold, told
from tests.gateways.street import House, Street
from tests.gateways.wechat.v3.client import Answer, Merchant
from tests.gateways.wechat.v3.test_across import shop
from tests.institution.complaints.drawn import SECRET, jpeg, noise, png

pytestmark = pytest.mark.asyncio(loop_scope="module")
DAY = "?begin_date=2026-01-01&end_date=2026-01-01"
PHOTO, BIG, SLIP = jpeg(orientation=6), noise(3, 120_000), png(shade=77)


async def given(payer: Grumbler, data: bytes) -> str:
    file, pictures = picture_file(data), payer.house.institution.complaints.pictures
    await decided(payer.house.journal, lambda: pictures.give(payer.user_id, file))
    return digest_of(file.content)


async def seen(payer: Grumbler, digest: str) -> bytes:
    pictures = payer.house.institution.complaints.pictures
    return (await warmed(payer.house.journal, lambda: pictures.look(payer.id, digest))).content


async def uploaded(
    merchant: Merchant, content: bytes, path: str = f"{BEFORE}/images/upload", name: str = "a.png"
) -> Answer:
    meta = json.dumps({"filename": name, "sha256": hashlib.sha256(content).hexdigest()}).encode()
    parts = (b'name="meta"\r\nContent-Type: application/json', meta), (b'name="file"; filename="x"', content)
    body = b"".join(
        b"--b1\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + part + b"\r\n" for head, part in parts
    )
    return await merchant.send(
        "POST",
        path,
        body + b"--b1--\r\n",
        authorization=merchant.authorization("POST", path, meta),
        content_type="multipart/form-data; boundary=b1",
    )


async def fetched(merchant: Merchant, url: str) -> Answer:
    path = urlsplit(url).path
    return await merchant.send("GET", path, authorization=merchant.authorization("GET", path, b""))


async def complained(street: Street, code: str, *pictures: bytes) -> Grumbler:
    payer = await grumbler(street, code)
    payer.pictures = tuple([await given(payer, data) for data in pictures])
    await payer.complains()
    return payer


async def test_pictures_by_wechat_pay(street: Street) -> None:
    merchant, stranger = await shop(street.wei), await shop(street.wei)
    payer = await complained(street, await sold(merchant, "P00001"), PHOTO, BIG)
    (listed,) = (await merchant.get(f"{BEFORE}/complaints-v2{DAY}")).json["data"]
    (media,) = listed["complaint_media_list"]
    assert media["media_type"] == "USER_COMPLAINT_IMAGE"
    photo, big = [await fetched(merchant, url) for url in media["media_url"]]
    assert (photo.status, photo.headers["content-type"]) == (200, "image/jpeg")
    assert photo.headers["x-content-type-options"] == "nosniff"
    assert photo.body == picture_file(PHOTO).content
    assert SECRET not in photo.body
    assert big.body == picture_file(BIG).content
    one = f"{BEFORE}/complaints-v2/{listed['complaint_id']}"
    shown = (await merchant.get(f"{one}/negotiation-historys")).json["data"][0]
    assert shown["image_list"] == media["media_url"]

    for url in media["media_url"]:
        assert ((await fetched(stranger, url)).status, (await fetched(stranger, url)).code) == (
            404,
            "RESOURCE_NOT_EXISTS",
        )
    assert (await fetched(merchant, f"{BEFORE}/images/nothing")).code == "RESOURCE_NOT_EXISTS"

    ids = [(await uploaded(merchant, data)).json["media_id"] for data in (SLIP, jpeg(shade=9))]
    assert (await fetched(merchant, f"{BEFORE}/images/{ids[0]}")).body == SLIP
    assert (await fetched(stranger, f"{BEFORE}/images/{ids[0]}")).code == "RESOURCE_NOT_EXISTS"
    other = (await uploaded(merchant, png(shade=5), "/v3/merchant/media/upload")).json["media_id"]
    said = {"complainted_mchid": merchant.mchid, "response_content": "看", "response_images": ids}
    for _ in range(2):
        assert (await merchant.post(f"{one}/response", said)).status == 204
    refused = {"action": "REJECT", "reject_reason": "收据在此", "reject_media_list": [other]}
    assert (await merchant.post(f"{one}/update-refund-progress", refused)).status == 204
    blocks = [{"type": "TEXT", "text": {"text": "再看"}}, {"type": "IMAGE", "image": {"media_id": ids[1]}}]
    at_once = {"complainted_mchid": merchant.mchid, "idempotent_id": "I9", "message": {"blocks": blocks}}
    assert (await merchant.post(f"{one}/response-immediate-service", at_once)).status == 200
    service = payer.house.institution.complaints.grievances
    turns = await warmed(payer.house.journal, lambda: service.history(payer.grievance))
    assert [len(turn.digests) for turn in turns] == [2, 2, 1, 1]
    assert await seen(payer, turns[1].digests[0]) == SLIP
    for wrong in ("nothing", "0" * 96, ids[0][:32] + "5" * 64, media["media_url"][0].rpartition("/")[2]):
        answer = await merchant.post(f"{one}/response", said | {"response_content": wrong, "response_images": [wrong]})
        assert (answer.status, answer.code) == (400, "PARAM_ERROR")
    half = at_once | {"idempotent_id": "I10", "message": {"blocks": [{"type": "IMAGE"}]}}
    assert (await merchant.post(f"{one}/response-immediate-service", half)).code == "PARAM_ERROR"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<html>", "a.png"),
        (SLIP[:-9], "a.png"),
        (b"GIF89a", "a.jpg"),
        (SLIP, "a.html"),
        (bytes(2 * 1024 * 1024 + 1), "a.bmp"),
    ],
    ids=["page", "half", "gif", "name", "size"],
)
async def test_what_is_no_picture_is_not_uploaded(street: Street, content: bytes, name: str) -> None:
    answer = await uploaded(await shop(street.wei), content, name=name)
    assert (answer.status, answer.code) == (400, "PARAM_ERROR")


async def test_a_name_with_a_path_is_a_name(street: Street) -> None:
    merchant = await shop(street.wei)
    for name in ("../../etc/passwd.png", "C:\\temp\\a.png", "图\u202egnp.png"):
        answer = await uploaded(merchant, SLIP, name=name)
        assert answer.status == 200
        assert answer.json["media_id"] == (await uploaded(merchant, SLIP)).json["media_id"]


async def acting_for(street: Street, house: House) -> tuple[Merchant, Merchant]:
    """A merchant, and a service provider that it has let in."""
    merchant, provider = await shop(house), await shop(house)
    accounts, row = house.gateways.accounts, merchant.account.row
    authority = merchant.account.authority
    await decided(house.journal, lambda: accounts.settle(authority, row.id, partners=[provider.mchid]))
    return merchant, provider


async def test_a_service_provider_hears_of_its_merchants_complaints(street: Street) -> None:
    house = street.wei
    merchant, provider = await acting_for(street, house)
    assert (await provider.post(f"{BEFORE}/complaint-notifications", {"url": "https://sp.example/c"})).status == 200
    payer = await complained(street, await sold(merchant, "S00001"), PHOTO)
    listed = (await provider.get(f"{BEFORE}/complaints-v2{DAY}")).json
    (found,) = listed["data"]
    assert (listed["total_count"], found["complainted_mchid"]) == (1, merchant.mchid)
    same = (await provider.get(f"{BEFORE}/complaints-v2{DAY}&complainted_mchid={merchant.mchid}")).json
    assert [each["complaint_id"] for each in same["data"]] == [found["complaint_id"]]
    one = f"{BEFORE}/complaints-v2/{found['complaint_id']}"
    assert (await provider.get(one)).json["complainted_mchid"] == merchant.mchid
    url = found["complaint_media_list"][0]["media_url"][0]
    assert (await fetched(provider, url)).body == picture_file(PHOTO).content
    picture = (await uploaded(provider, SLIP)).json["media_id"]
    said = {"complainted_mchid": merchant.mchid, "response_content": "服务商代答", "response_images": [picture]}
    assert (await provider.post(f"{one}/response", said)).status == 204
    assert (await provider.post(f"{one}/update-refund-progress", {"action": "APPROVE"})).status == 204
    assert (await provider.post(f"{one}/complete", {"complainted_mchid": merchant.mchid})).status == 204
    assert [line.split()[1] for line in await payer.heard()] == ["OPEN", "SAYS", "APRV", "CMPL"]
    assert await seen(payer, digest_of(SLIP)) == SLIP
    actions = [each["resource"]["action_type"] for each in told(house, provider.account.row.id)]
    assert actions == ["CREATE_COMPLAINT", "MERCHANT_RESPONSE", "MERCHANT_APPROVE_REFUND", "MERCHANT_CONFIRM_COMPLETE"]
    assert told(house, merchant.account.row.id) == [], "it has set no address of its own"

    accounts, authority, id_ = house.gateways.accounts, merchant.account.authority, merchant.account.row.id
    await decided(house.journal, lambda: accounts.settle(authority, id_, partners=[]))
    assert (await provider.get(f"{BEFORE}/complaints-v2{DAY}")).json["data"] == []
    assert (await provider.get(one)).code == "RESOURCE_NOT_EXISTS"
    assert (await fetched(provider, url)).code == "RESOURCE_NOT_EXISTS"


async def test_the_first_version_tells_the_same_complaints(street: Street) -> None:
    merchant, provider = await acting_for(street, street.wei)
    payer = await complained(street, await sold(merchant, "O00001"), PHOTO)
    list_ = f"{BEFORE}/complaints{DAY}"
    for asker, query in ((merchant, ""), (provider, ""), (provider, f"&sub_mchid={merchant.mchid}")):
        found = (await asker.get(list_ + query)).json
        (seen_,) = found["data"]
        assert (found["total_count"], seen_["out_trade_no"], seen_["amount"]) == (1, "O00001", 1_280)
        assert seen_["complaint_state"] == "PAYER_COMPLAINTED"
        assert ("sub_mchid" in seen_) == (asker is provider)
    one = f"{BEFORE}/complaints/{seen_['transaction_id']}"
    assert (await merchant.get(one)).json["complaint_handle_state"] == "WAIT_MERCHANT_RESPONSE"
    picture = (await uploaded(merchant, SLIP)).json["media_id"]
    feedback = {"transaction_id": seen_["transaction_id"], "complainted_mchid": merchant.mchid}
    said = feedback | {"feedback_content": "补一份", "feedback_images": [picture], "feedback_type": 1}
    assert (await merchant.post(f"{BEFORE}/feedbacks", said)).status == 204
    assert (await merchant.get(one)).json["complaint_handle_state"] == "PROCESSING"
    done = feedback | {"feedback_content": "补好了", "launch_confirm_process": True}
    assert (await merchant.post(f"{BEFORE}/feedbacks", done)).status == 204
    assert (await merchant.get(one)).json["complaint_handle_state"] == "PROCESSED"
    history = (await merchant.get(f"{one}/negotiation-historys")).json["complaint_negotiation_history"]
    assert [each["operate_type"] for each in history] == [
        "USER_CREATE_COMPLAINT",
        "MERCHANT_RESPONSE",
        "MERCHANT_RESPONSE",
        "MERCHANT_LAUNCH_CONFIRM_PROCESS",
    ]
    assert [len(each["image_list"]) for each in history] == [1, 1, 0, 0]
    assert (await fetched(merchant, history[0]["image_list"][0])).body == picture_file(PHOTO).content
    assert payer.grievance.state == "PRCD"
    assert (await merchant.get(f"{BEFORE}/complaints/4200000000000000000000000000")).code == "RESOURCE_NOT_EXISTS"
    assert (await merchant.get(f"{BEFORE}/complaints?begin_date=2026-01-01")).code == "PARAM_ERROR"


async def alipay_uploaded(merchant: AlipayMerchant, content: bytes, name: str = "a.jpg") -> dict[str, Any]:
    method = "alipay.security.risk.complaint.file.upload"
    values = merchant.parameters(method)
    answer = await merchant.hall.http.post(
        f"/gateway.do?{urlencode(values)}", files={"file_content": (name, content, "image/jpeg")}
    )
    return merchant.verified(answer, method.replace(".", "_") + "_response")


async def test_pictures_by_alipay(street: Street) -> None:
    merchant = await alipay_shop(street.wei)
    order = {"out_trade_no": "AP0001", "total_amount": "12.80", "subject": "两碗面"}
    payer = await complained(street, (await merchant.ask("alipay.trade.precreate", order))["qr_code"], PHOTO)
    before, risk = "alipay.merchant.tradecomplain", "alipay.security.risk.complaint"
    (event,) = (await merchant.ask(f"{before}.batchquery", {}))["trade_complain_infos"]
    (link,) = event["images"]
    opened = await merchant.hall.http.get(link)
    assert (opened.status_code, opened.headers["content-type"]) == (200, "image/jpeg")
    assert opened.content == picture_file(PHOTO).content
    assert "sandbox" in opened.headers["content-security-policy"]
    changed = link[:-3] + ("AAA" if link[-3:] != "AAA" else "BBB")
    for wrong in (changed, link.rpartition("/")[0] + "/", link + "%00"):
        assert (await merchant.hall.http.get(wrong)).status_code == 404

    one, two = [await alipay_uploaded(merchant, data, "C:\\x\\../小票.jpg") for data in (SLIP, jpeg(shade=3))]
    assert one["file_name"] == "小票.jpg"
    assert (await merchant.hall.http.get(one["file_url"])).content == SLIP
    said = {"complain_event_id": event["complain_event_id"], "reply_content": "看"}
    keys = f"{one['file_key']},{two['file_key']}"
    assert (await merchant.ask(f"{before}.reply.submit", said | {"reply_images": keys}))["code"] == "10000"
    wrong = await merchant.ask(f"{before}.reply.submit", said | {"reply_images": "nothing"})
    assert wrong["sub_code"] == "INVALID_PARAMETER"
    found = await merchant.ask(f"{before}.query", {"complain_event_id": event["complain_event_id"]})
    assert [len(each.get("images", [])) for each in found["reply_detail_infos"]] == [2]
    assert await seen(payer, digest_of(SLIP)) == SLIP

    (newer,) = (await merchant.ask(f"{risk}.info.batchquery", {}))["complaint_list"]
    assert len(newer["process_img_url_list"]) == 2
    newer = await merchant.ask(f"{risk}.info.query", {"complain_id": newer["id"]})
    assert (len(newer["certify_info"]), len(newer["process_img_url_list"])) == (1, 2)
    three = await alipay_uploaded(merchant, png(shade=99))
    done = {"id_list": [newer["id"]], "process_code": "CONSENSUS_WITH_CLIENT", "reply_content": "已补", "remark": "补"}
    shown = [{"img_url": three["file_url"], "img_url_key": three["file_key"]}]
    assert (await merchant.ask(f"{risk}.process.finish", done | {"img_file_list": "no"}))[
        "sub_code"
    ] == "INVALID_PARAMETER"
    assert (await merchant.ask(f"{risk}.process.finish", done | {"img_file_list": shown}))["complaint_process_success"]
    assert await seen(payer, digest_of(png(shade=99))) == png(shade=99)
    assert (await alipay_uploaded(merchant, b"<html>"))["sub_code"] == "isv.invalid-file-extension"
    street.clock.advance(seconds=LIFE_NS // NS_PER_S + 1)
    assert (await merchant.hall.http.get(link)).status_code == 404
