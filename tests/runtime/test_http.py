import json

import msgspec
import pytest

from hutong.kernel.errors import Kind, OutcomeUnknown, Reason, Refusal
from hutong.runtime.http import (
    STATUS_OF_KIND,
    HotRequest,
    HttpReason,
    bearer_token,
    decode_refusal,
    problem,
    status_of,
)
from hutong.runtime.journal import JournalHalted


class SampleReason(Reason):
    SESSION_UNKNOWN = Kind.NOT_ALLOWED, "NARR"
    NOT_YOURS = Kind.NOT_ALLOWED, "AG01"
    LIMIT_EXCEEDED = Kind.REFUSED, "AM02"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_status_of_the_client(kind: Kind) -> None:
    assert 400 <= STATUS_OF_KIND[kind] < 500


@pytest.mark.parametrize("reason", HttpReason)
def test_every_reason_has_a_status(reason: HttpReason) -> None:
    assert status_of(reason) >= 400


def test_a_refusal_becomes_its_status_and_says_reason_code_and_facts() -> None:
    status, body = problem(Refusal(SampleReason.LIMIT_EXCEEDED, limit=50_000, currency="CNY"))
    assert status == 422
    assert json.loads(body) == {
        "reason": "LIMIT_EXCEEDED",
        "kind": "REFUSED",
        "code": "AM02",
        "message": "Limit exceeded: limit 50000, currency CNY.",
        "facts": {"limit": 50_000, "currency": "CNY"},
    }


def test_who_is_not_known_gets_401_and_who_may_not_gets_403() -> None:
    assert status_of(SampleReason.SESSION_UNKNOWN) == 401
    assert status_of(SampleReason.NOT_YOURS) == 403
    assert status_of(HttpReason.TOKEN_MISSING) == 401


@pytest.mark.parametrize(("said", "status"), [(OutcomeUnknown(), 504), (JournalHalted(), 503)])
def test_what_is_not_known_is_not_said_as_a_no(said: Exception, status: int) -> None:
    assert problem(said)[0] == status


def test_a_bug_tells_the_client_nothing() -> None:
    status, body = problem(ValueError("the secret"))
    assert status == 500
    assert b"secret" not in body


@pytest.mark.parametrize(
    "given", [None, b"", b"Bearer", b"Bearer ", b"Basic abc", b"Bearer \xff", b"Bearer " + b"x" * 513]
)
def test_a_missing_token_is_refused_by_name(given: bytes | None) -> None:
    with pytest.raises(Refusal) as refused:
        bearer_token(given)
    assert refused.value.reason is HttpReason.TOKEN_MISSING


def test_a_bearer_token_is_found_however_the_scheme_is_spelled() -> None:
    assert bearer_token(b"bearer abc") == bearer_token(b"Bearer abc") == "abc"


def test_a_wrong_field_is_named_by_its_path() -> None:
    with pytest.raises(msgspec.ValidationError) as found:
        msgspec.json.decode(b'{"a":[1,"x"]}', type=dict[str, list[int]])
    refusal = decode_refusal(found.value)
    assert refusal.reason is HttpReason.FIELD_INVALID
    assert refusal.facts == {"field": "$[...][1]", "problem": "Expected `int`, got `str`"}


def test_a_request_is_answered_once() -> None:
    class Ear:
        def __init__(self) -> None:
            self.heard: list[int] = []

        def answer(self, request: HotRequest, status: int, body: bytes, content_type: bytes) -> None:
            del request, body, content_type
            self.heard.append(status)

    ear = Ear()
    request = HotRequest(ear, method="GET", path="/", query=b"", headers={}, client=None)
    request.respond(200, b"")
    with pytest.raises(AssertionError):
        request.respond(200, b"")
    assert ear.heard == [200]
