"""What v2 answers: always HTTP 200, a document of two layers, and a signature where the product has one."""

from collections.abc import Mapping

from hutong.gateways.wechat.v2 import document
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.errors import Fault, Unreadable
from hutong.gateways.wechat.v2.signature import SignType, sign
from hutong.gateways.wire import WireAnswer

XML = "text/xml; charset=utf-8"


def unread(unreadable: Unreadable) -> WireAnswer:
    """It could not be read, or proved."""
    return _document({"return_code": "FAIL", "return_msg": str(unreadable)})


def unread_with(words: str, more: Mapping[str, str]) -> WireAnswer:
    """The same, of a product that says more in that layer."""
    return _document({"return_code": "FAIL", "return_msg": words, **more})


def told(fields: Mapping[str, str], key: str, sign_type: SignType | None) -> WireAnswer:
    """These fields, those that are empty left out. `sign_type` is None where the product's answers are not signed."""
    said = {"return_code": "SUCCESS", "return_msg": "OK"}
    said |= {name: document.sayable(text) for name, text in fields.items() if text}
    if sign_type is not None:
        said["sign"] = sign(said, key, sign_type)
    return _document(said)


def told_with(fields: Mapping[str, str], inner: bytes) -> WireAnswer:
    """The same, unsigned, with elements within it that are written already."""
    said = {"return_code": "SUCCESS", "return_msg": "OK"}
    said |= {name: document.sayable(text) for name, text in fields.items() if text}
    return WireAnswer(body=document.write(said, inner=inner), content_type=XML)


def refused(fault: Fault) -> Fields:
    """The second layer of a refusal."""
    return {"result_code": "FAIL", "err_code": fault.code.name, "err_code_des": fault.text}


def _document(fields: Fields) -> WireAnswer:
    return WireAnswer(body=document.write(fields), content_type=XML)
