"""Requests as real clients sent them: `golden/requests.json` says which, and how they spell what they sign."""

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hutong.gateways import keys
from hutong.gateways.wechat.v3 import authorization, upload
from hutong.gateways.wire import WireRequest

GOLDEN: dict[str, Any] = msgspec.json.decode((Path(__file__).parent / "golden" / "requests.json").read_bytes())


@pytest.mark.parametrize("told", GOLDEN["requests"], ids=lambda told: f"{told['client']}: {told['what']}")
def test_a_request_of_a_real_client_is_signed_over_a_text_we_know(told: dict[str, Any]) -> None:
    body = base64.b64decode(told["body"])
    request = WireRequest(
        method=told["method"], path=told["path"], query=told["query"].encode(), headers=told["headers"], body=body
    )
    kind = told["headers"].get("content-type", "")
    signed = upload.parse(kind, body).meta if upload.is_multipart(kind) else body
    claimed = authorization.parse(told["headers"]["authorization"], told["path"])
    public = keys.public_key(GOLDEN["public_key"])

    texts = list(authorization.canonical_texts(request, claimed, signed, lenient=True))
    matching = [number for number, text in enumerate(texts) if keys.verifies(public, claimed.signature, text)]

    assert matching == [told["variant"]]
