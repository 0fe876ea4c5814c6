"""Signatures as Standard Webhooks has them, what may be called, and when it is tried again."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.institution.notices.webhook import (
    ATTEMPTS_MAX,
    ENDPOINTS_MAX,
    RETRY_WAITS_S,
    ROTATION_NS,
    EndpointState,
    check_url,
    checked_types,
    retry_wait_ns,
    secret_text,
    sign,
    signed_headers,
)
from hutong.institution.notices.webhook_service import WebhookService
from hutong.kernel.clock import NS_PER_DAY, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import seeded_randomness

MERCHANT, OTHER = 1 << 90, 2 << 90
# The example in the tests of Standard Webhooks' own libraries (standard-webhooks/standard-webhooks, libraries/).
SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP_S = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_we_sign_as_the_standards_example_does() -> None:
    assert sign(SECRET, MESSAGE_ID, TIMESTAMP_S, BODY) == SIGNATURE
    assert secret_text(SECRET) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_every_part_is_signed() -> None:
    others = {
        sign(SECRET[:-1] + b"x", MESSAGE_ID, TIMESTAMP_S, BODY),
        sign(SECRET, MESSAGE_ID + "x", TIMESTAMP_S, BODY),
        sign(SECRET, MESSAGE_ID, TIMESTAMP_S + 1, BODY),
        sign(SECRET, MESSAGE_ID, TIMESTAMP_S, BODY + b" "),
    }
    assert len(others | {SIGNATURE}) == 5


def test_the_headers_are_the_standards() -> None:
    headers = signed_headers([SECRET, b"x" * 32], MESSAGE_ID, TIMESTAMP_S, BODY)
    assert headers["webhook-id"] == MESSAGE_ID
    assert headers["webhook-timestamp"] == "1614265330"
    first, second = headers["webhook-signature"].split(" ")
    assert first == SIGNATURE
    assert second == sign(b"x" * 32, MESSAGE_ID, TIMESTAMP_S, BODY)


def test_retries_follow_the_standards_schedule() -> None:
    assert [0, *RETRY_WAITS_S] == [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert ATTEMPTS_MAX == 10
    assert sum(RETRY_WAITS_S) == 75 * 3600 + 35 * 60 + 5


@given(st.integers(1, 20), st.integers(0, 10**7), st.integers(0, 2**32))
def test_jitter_adds_up_to_a_fifth_and_the_receiver_may_ask_for_more(failures: int, asked_s: int, seed: int) -> None:
    wait_ns = retry_wait_ns(failures, asked_s, seeded_randomness(seed))
    base_ns = RETRY_WAITS_S[min(failures, 9) - 1] * NS_PER_S
    assert base_ns <= wait_ns <= max(base_ns * 6 // 5, NS_PER_DAY)
    assert wait_ns >= min(asked_s, 86_400) * NS_PER_S
    if asked_s == 0:
        assert wait_ns <= base_ns * 6 // 5


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://shop.example/hook", ""),
        ("https://shop.example:8443/hook?a=b&c=%20", ""),
        ("https://xn--fiq228c.example/", ""),
        ("https://[2606:4700::1111]/", ""),
        ("http://shop.example/hook", "WEBHOOK_URL_NOT_SECURE"),
        ("ftp://shop.example/", "WEBHOOK_URL_MALFORMED"),
        ("file:///etc/passwd", "WEBHOOK_URL_MALFORMED"),
        ("//shop.example/", "WEBHOOK_URL_MALFORMED"),
        ("shop.example", "WEBHOOK_URL_MALFORMED"),
        ("https://", "WEBHOOK_URL_MALFORMED"),
        ("https:///hook", "WEBHOOK_URL_MALFORMED"),
        ("https://user:secret@shop.example/", "WEBHOOK_URL_MALFORMED"),
        ("https://shop.example@10.0.0.1/", "WEBHOOK_URL_MALFORMED"),
        ("https://shop.example\\@10.0.0.1/", "WEBHOOK_URL_MALFORMED"),
        ("https://shop.example/#x", "WEBHOOK_URL_MALFORMED"),
        ("https://shop.example/ x", "WEBHOOK_URL_MALFORMED"),
        ("https://shop.example/\r\nx: y", "WEBHOOK_URL_MALFORMED"),
        ("https://店.example/", "WEBHOOK_URL_MALFORMED"),
        ("https://shop.example:99999/", "WEBHOOK_URL_MALFORMED"),
        ("https://[::1/", "WEBHOOK_URL_MALFORMED"),
        ("https://shop.example/" + "x" * 2048, "WEBHOOK_URL_MALFORMED"),
        ("", "WEBHOOK_URL_MALFORMED"),
    ],
)
def test_only_a_plain_https_url_is_an_endpoint(url: str, reason: str) -> None:
    if not reason:
        check_url(url, private_allowed=False)
        return
    with pytest.raises(Refusal, match=reason):
        check_url(url, private_allowed=False)


@given(st.text(max_size=60))
def test_no_text_gets_anything_but_a_host_or_a_refusal(text: str) -> None:
    for url in (text, "https://" + text, "https://shop.example/" + text):
        try:
            assert check_url(url, private_allowed=True)
        except Refusal as no:
            assert no.reason.name.startswith("WEBHOOK_URL_")  # noqa: PT017


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost.", "db", "a.localhost", "printer.local", "vault.internal", "127.0.0.1", "127.9.9.9"),
        *("10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),  # noqa: S104
        *("[::1]", "[::]", "[fe80::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:7f00:1::]"),
    ],
)
async def test_an_endpoint_in_our_own_network_is_refused(post: Any, host: str) -> None:
    webhooks = WebhookService(
        post.webhooks._node, post.webhooks._repository, post.webhooks._sealing, private_allowed=False
    )
    with pytest.raises(Refusal, match="WEBHOOK_TARGET_FORBIDDEN"):
        await post.ask(lambda: webhooks.make(MERCHANT, 256, f"https://{host}/hook", []))


@pytest.mark.parametrize(
    ("types", "type_", "wants"),
    [
        ([], "payment.completed", True),
        (["payment.completed"], "payment.completed", True),
        (["payment.completed"], "payment.rejected", False),
        (["payment.*"], "payment.rejected", True),
        (["payment.*"], "payments.rejected", False),
        (["refund.*", "pin.locked"], "pin.locked", True),
    ],
)
async def test_an_endpoint_gets_the_types_it_asked_for(post: Any, types: list[str], type_: str, wants: bool) -> None:
    endpoint = await post.endpoint(MERCHANT, "https://shop.example/", types)
    assert endpoint.wants(type_) is wants


@pytest.mark.parametrize("type_", ["", "*", "payment", "payment.**", "a b.c", "payment.completed payment.x"])
def test_a_type_nobody_could_send_is_refused(type_: str) -> None:
    with pytest.raises(Refusal, match="EVENT_TYPE_MALFORMED"):
        checked_types([type_])


async def test_an_endpoint_is_made_once(post: Any) -> None:
    def make(url: str = "https://shop.example/", types: tuple[str, ...] = ("payment.*",), owner: int = MERCHANT) -> Any:
        return post.webhooks.make(owner, 256, url, list(types))

    made = await post.ask(make)
    await post.restart()
    assert await post.ask(make) == made
    with pytest.raises(Refusal, match="WEBHOOK_TAKEN: field=url"):
        await post.ask(lambda: make(url="https://other.example/"))
    with pytest.raises(Refusal, match="WEBHOOK_TAKEN: field=types"):
        await post.ask(lambda: make(types=()))
    with pytest.raises(Refusal, match="WEBHOOK_TAKEN: field=id"):
        await post.ask(lambda: make(owner=OTHER))


async def test_a_merchant_has_ten_endpoints_and_no_more(post: Any) -> None:
    for _ in range(ENDPOINTS_MAX):
        made = await post.endpoint(MERCHANT, "https://shop.example/")
    with pytest.raises(Refusal, match="WEBHOOKS_TOO_MANY"):
        await post.endpoint(MERCHANT, "https://shop.example/")
    await post.ask(lambda: post.webhooks.turn(MERCHANT, made.id, EndpointState.REMOVED, ""))
    await post.endpoint(MERCHANT, "https://shop.example/")
    await post.endpoint(OTHER, "https://shop.example/")


async def test_nobody_touches_somebody_elses_endpoint(post: Any) -> None:
    made = await post.endpoint(MERCHANT, "https://shop.example/")
    for verb in (
        lambda: post.webhooks.endpoint(OTHER, made.id),
        lambda: post.webhooks.secret(OTHER, made.id),
        lambda: post.webhooks.rotate(OTHER, made.id),
        lambda: post.webhooks.turn(OTHER, made.id, EndpointState.REMOVED, ""),
    ):
        with pytest.raises(Refusal, match="WEBHOOK_UNKNOWN"):
            await post.ask(verb)
    with pytest.raises(Refusal, match="WEBHOOK_UNKNOWN"):
        await post.deliveries.redeliver(OTHER, made.id, 256)
    assert await post.ask(lambda: post.webhooks.endpoints(OTHER)) == []


async def test_for_a_day_both_secrets_sign(post: Any) -> None:
    made = await post.endpoint(MERCHANT, "https://shop.example/")
    old = await post.ask(lambda: post.webhooks.secret(MERCHANT, made.id))
    rotated = await post.ask(lambda: post.webhooks.rotate(MERCHANT, made.id))
    new = await post.ask(lambda: post.webhooks.secret(MERCHANT, made.id))
    assert old != new
    assert [secret_text(secret) for secret in post.webhooks.secrets(rotated).all] == [new, old]
    with pytest.raises(Refusal, match="WEBHOOK_ROTATING"):
        await post.ask(lambda: post.webhooks.rotate(MERCHANT, made.id))
    post.clock.advance(ns=ROTATION_NS)
    assert [secret_text(secret) for secret in post.webhooks.secrets(rotated).all] == [new]
    await post.ask(lambda: post.webhooks.rotate(MERCHANT, made.id))
    assert base64.b64decode(old.removeprefix("whsec_")) not in repr(post.store.rows).encode()
