"""
What is called back at each act of a complaint, to the byte: `golden/news.json`, sealed with a key and a nonce of its own.

Provenance: the vendor's description of complaint notifications (event types, `complaint_id`, `action_type`), sealed by our own code;
opened here by the library alone.
"""

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hutong.gateways.wechat.v3 import cipher
from hutong.gateways.wechat.v3.complaints import news_object
from hutong.institution.complaints.complaint import Complaint
from hutong.institution.complaints.turn import Turn
from hutong.scheme.complaint import ComplaintAct, ComplaintParty

FILE = Path(__file__).parent / "golden" / "news.json"
KEY, NONCE = "0123456789abcdef0123456789ABCDEF", "593BEC0C930B"
PARTIES = {
    ComplaintAct.SAY: tuple(ComplaintParty),
    ComplaintAct.REFUND: (ComplaintParty.AGENT,),
    **dict.fromkeys((ComplaintAct.APPROVE, ComplaintAct.REFUSE, ComplaintAct.COMPLETE), (ComplaintParty.PAYEE,)),
}
ACTS = [(act, by) for act in ComplaintAct for by in PARTIES.get(act, (ComplaintParty.PAYER,))]


def complaint() -> Complaint:
    return Complaint(
        id=0x019B77488A007BBB8111222333444500,
        complaint_id=1,
        debtor_agent="jing",
        payment_id=2,
        request_id=3,
        merchant_id=4,
        shop_id=0,
        user_id=0,
        payer_ref="p",
        kind="RFND",
        currency="CNY",
        paid=1_280,
        asked=500,
        refunded=0,
        contact="",
        state="PDNG",
        ended="",
        owner="",
        turns=1,
        times=1,
        waiting=True,
        created_ns=0,
        changed_ns=0,
        answer_by_ns=0,
        ended_ns=0,
    )


def turn(act: ComplaintAct, by: ComplaintParty) -> Turn:
    return Turn(
        id=5,
        case_id=1,
        user_id=0,
        number=1,
        by=by.value,
        act=act.value,
        act_id=6,
        act_key=7,
        amount=0,
        text="",
        pictures="",
        author="",
        state="PDNG",
        at_ns=0,
    )


def made() -> dict[str, Any]:
    found = {}
    for act, by in ACTS:
        event, summary, resource = news_object(complaint(), turn(act, by))
        plain = msgspec.json.encode(resource)
        sealed = cipher.seal(KEY, plain, nonce=NONCE, associated_data="complaint")
        found[f"{by.value} {act.value}"] = {
            "event_type": event,
            "summary": summary,
            "resource": plain.decode(),
            "ciphertext": sealed,
        }
    return found


def test_what_is_called_back_is_what_it_was() -> None:
    assert json.loads(FILE.read_text("utf-8")) == made()


@pytest.mark.parametrize("name", [f"{by.value} {act.value}" for act, by in ACTS])
def test_a_merchant_opens_it_with_its_key_alone(name: str) -> None:
    told = json.loads(FILE.read_text("utf-8"))[name]
    opened = AESGCM(KEY.encode()).decrypt(NONCE.encode(), base64.b64decode(told["ciphertext"]), b"complaint")
    assert opened.decode() == told["resource"]
    assert json.loads(opened)["complaint_id"] == "019b77488a007bbb8111222333444500"
    assert (told["event_type"] == "COMPLAINT.CREATE") == name.endswith("OPEN")
