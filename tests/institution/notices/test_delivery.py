"""Deliveries to a real server that fails, hangs, recovers and goes away."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.institution.notices.webhook import ATTEMPTS_MAX, RETRY_WAITS_S, EndpointState, sign
from hutong.kernel.errors import Refusal
from hutong.runtime.outbound import Answer, NotAnswered
from tests.institution.notices.post_office import Post

MERCHANT, OTHER = 1 << 90, 2 << 90


async def until(happened: Callable[[], bool]) -> None:
    """Poll: what is awaited crosses a socket."""
    async with asyncio.timeout(10):
        while not happened():
            await asyncio.sleep(0.002)


async def idle(post: Any) -> None:
    await until(lambda: not any(lane.is_running for lane in post.deliveries._lanes.values()))


def _numbers(receiver: Any) -> list[int]:
    return [json.loads(call.body)["data"].get("number") for call in receiver.calls]


def _outcomes(post: Any) -> list[str]:
    return [row.outcome for _, row in post.store.rows["webhook_deliveries"]]


async def test_an_event_arrives_signed(post: Any, receiver: Any) -> None:
    made = await post.endpoint(MERCHANT, receiver.url + "?shop=1")
    post.tell(MERCHANT, 1)
    await until(lambda: len(receiver.calls) == 1)
    (call,) = receiver.calls
    assert call.path == "/hook?shop=1"
    assert call.headers["content-type"] == "application/json"
    secret = base64.b64decode((await post.ask(lambda: post.webhooks.secret(MERCHANT, made.id))).removeprefix("whsec_"))
    timestamp_s = int(call.headers["webhook-timestamp"])
    assert timestamp_s == post.clock.now_ns() // 10**9
    assert call.headers["webhook-signature"] == sign(secret, call.headers["webhook-id"], timestamp_s, call.body)
    assert json.loads(call.body)["id"] == call.headers["webhook-id"]


async def test_events_arrive_in_order_and_once_while_all_goes_well(post: Any, receiver: Any) -> None:
    await post.endpoint(MERCHANT, receiver.url)
    for number in range(250):
        post.tell(MERCHANT, number)
        post.tell(OTHER, -1)
        if number % 50 == 0:
            await asyncio.sleep(0.01)
    await until(lambda: len(receiver.calls) == 250)
    assert _numbers(receiver) == list(range(250))
    assert len(set(receiver.ids)) == 250


async def test_nothing_is_sent_before_it_is_durable(post: Any, receiver: Any) -> None:
    await post.endpoint(MERCHANT, receiver.url)
    post.journal._immediate = False
    post.tell(MERCHANT, 1)
    post.deliveries.poke()
    await asyncio.sleep(0.05)
    assert receiver.calls == []
    post.journal.flush()
    await until(lambda: len(receiver.calls) == 1)


@pytest.mark.parametrize("failure", ["500", "404", "302 location: /other", "drop", "hang"])
async def test_what_fails_is_tried_again_and_nothing_overtakes_it(post: Any, receiver: Any, failure: str) -> None:
    receiver.answers.extend([failure, failure])
    await post.endpoint(MERCHANT, receiver.url)
    post.tell(MERCHANT, 1)
    post.tell(MERCHANT, 2)
    for tries in (1, 2):
        await until(lambda tries=tries: _outcomes(post).count("FAILED") == tries)  # type: ignore[misc]
        await idle(post)
        post.tell(MERCHANT, 2 + tries)  # News does not shorten the wait.
        await post.advance(RETRY_WAITS_S[tries - 1] - 1)
        await asyncio.sleep(0.02)
        assert _numbers(receiver) == [1] * tries
        await post.advance(RETRY_WAITS_S[tries - 1] // 5 + 1)
    await until(lambda: len(receiver.calls) == 6)
    assert _numbers(receiver) == [1, 1, 1, 2, 3, 4]
    assert receiver.ids[0] == receiver.ids[1] == receiver.ids[2]


async def test_the_receiver_may_ask_us_to_wait(post: Any, receiver: Any) -> None:
    receiver.answers.append("503 retry-after: 120")
    await post.endpoint(MERCHANT, receiver.url)
    post.tell(MERCHANT, 1)
    await until(lambda: _outcomes(post) == ["FAILED"])
    await idle(post)
    await post.advance(119)
    await asyncio.sleep(0.02)
    assert len(receiver.calls) == 1
    await post.advance(1)
    await until(lambda: len(receiver.calls) == 2)


async def test_an_endless_answer_holds_nobody(post: Any, receiver: Any) -> None:
    receiver.answers.append("endless")
    await post.endpoint(MERCHANT, receiver.url)
    post.tell(MERCHANT, 1)
    post.tell(MERCHANT, 2)
    await until(lambda: _outcomes(post) == ["DELIVERED", "DELIVERED"])


async def test_a_slow_endpoint_delays_no_other(post: Any, receiver: Any) -> None:
    post._http._timeout_s = 60
    receiver.answers.append("hang")
    await post.endpoint(MERCHANT, receiver.url)
    post.tell(MERCHANT, 1)
    await until(lambda: len(receiver.calls) == 1)
    await post.endpoint(OTHER, receiver.url)
    post.tell(OTHER, 2)
    await until(
        lambda: _outcomes(post) == ["DELIVERED"]
    )  # While the first still hangs, which is longer than we wait here.
    assert _numbers(receiver) == [1, 2]


async def test_after_days_of_failure_it_is_disabled_and_enabled_it_misses_nothing(post: Any, receiver: Any) -> None:
    receiver.answers.extend(["500"] * ATTEMPTS_MAX)
    made = await post.endpoint(MERCHANT, receiver.url)
    post.tell(MERCHANT, 1)
    started_ns = post.clock.now_ns()
    for tries in range(1, ATTEMPTS_MAX + 1):
        await until(lambda tries=tries: _outcomes(post).count("FAILED") == tries)  # type: ignore[misc]
        await idle(post)
        if tries < ATTEMPTS_MAX:
            await post.advance(RETRY_WAITS_S[tries - 1] * 6 // 5 + 1)
    assert 75 * 3600 < (post.clock.now_ns() - started_ns) // 10**9 < 92 * 3600
    disabled = await post.ask(lambda: post.webhooks.endpoint(MERCHANT, made.id))
    assert (disabled.state, disabled.why) == ("DISABLED", "10 attempts failed in a row")
    page = await post.notices.feed(MERCHANT, 0, limit=10)
    assert [event.type for _, event in page.events] == ["payment.completed", "webhook.disabled"]
    post.tell(MERCHANT, 2)
    await post.advance(10 * 86_400)
    await asyncio.sleep(0.02)
    assert len(receiver.calls) == ATTEMPTS_MAX

    await post.restart()
    await asyncio.sleep(0.02)
    assert len(receiver.calls) == ATTEMPTS_MAX
    await post.ask(lambda: post.webhooks.turn(MERCHANT, made.id, EndpointState.ACTIVE, ""))
    await until(lambda: len(receiver.calls) == ATTEMPTS_MAX + 3)
    assert _numbers(receiver)[ATTEMPTS_MAX:] == [1, None, 2]  # The second tells of the disabling.


async def test_enabled_again_its_failures_count_from_nothing_across_a_restart(post: Any, receiver: Any) -> None:
    receiver.answers.extend(["410", "500"])
    made = await post.endpoint(MERCHANT, receiver.url)
    post.tell(MERCHANT, 1)
    await until(lambda: "FAILED" in _outcomes(post))
    await idle(post)
    await post.stop()
    await post.ask(lambda: post.webhooks.turn(MERCHANT, made.id, EndpointState.ACTIVE, ""))
    await post.restart()
    await until(lambda: _outcomes(post).count("FAILED") == 2)
    assert [row.failures for _, row in post.store.rows["webhook_deliveries"]] == [1, 0, 1]
    assert (await post.ask(lambda: post.webhooks.endpoint(MERCHANT, made.id))).is_active


async def test_an_endpoint_that_is_gone_is_disabled_at_once(post: Any, receiver: Any) -> None:
    receiver.answers.append("410")
    made = await post.endpoint(MERCHANT, receiver.url)
    post.tell(MERCHANT, 1)
    await until(lambda: "FAILED" in _outcomes(post))
    assert (await post.ask(lambda: post.webhooks.endpoint(MERCHANT, made.id))).why == "the endpoint said it is gone"


async def test_a_restart_goes_on_behind_what_was_delivered(post: Any, receiver: Any) -> None:
    await post.endpoint(MERCHANT, receiver.url)
    for number in range(3):
        post.tell(MERCHANT, number)
    await until(lambda: len(_outcomes(post)) == 3)
    await post.stop()
    for number in range(3, 6):
        post.tell(MERCHANT, number)
    await post.restart()
    await until(lambda: len(receiver.calls) == 6)
    assert _numbers(receiver) == list(range(6))


async def test_what_was_sent_but_not_noted_is_sent_again_under_its_id(post: Any, receiver: Any) -> None:
    await post.endpoint(MERCHANT, receiver.url)
    post.tell(MERCHANT, 1)
    await until(lambda: _outcomes(post) == ["DELIVERED"])
    post.tell(MERCHANT, 2)
    post.journal._immediate = False  # What it notes from here on is lost.
    await until(lambda: len(receiver.calls) == 2)
    await idle(post)
    await post.restart()
    await until(lambda: len(receiver.calls) == 3)
    assert _numbers(receiver) == [1, 2, 2]
    assert receiver.ids[1] == receiver.ids[2]


async def test_a_failing_endpoint_keeps_its_place_in_the_schedule_across_restarts(post: Any, receiver: Any) -> None:
    receiver.answers.extend(["500", "500"])
    await post.endpoint(MERCHANT, receiver.url)
    post.tell(MERCHANT, 1)
    await until(lambda: _outcomes(post) == ["FAILED"])
    await post.advance(6)
    await until(lambda: _outcomes(post) == ["FAILED", "FAILED"])
    await post.restart()
    await asyncio.sleep(0.02)
    assert len(receiver.calls) == 2
    await post.advance(299)
    await asyncio.sleep(0.02)
    assert len(receiver.calls) == 2
    await post.advance(61)
    await until(lambda: len(receiver.calls) == 3)


class Flaky:
    """A merchant's server that fails as often as it is told to."""

    def __init__(self, failures: list[bool]) -> None:
        self.failures = failures
        self.taken: list[int] = []

    async def post(self, _url: str, _headers: Any, body: bytes) -> Answer:
        await asyncio.sleep(0)  # So that a restart may come in between.
        if self.failures and self.failures.pop():
            raise NotAnswered("down")
        self.taken.append(json.loads(body)["data"]["number"])
        return Answer(200)


@given(
    st.lists(st.sampled_from(["tell", "tell", "restart", "wait", "yield"]), max_size=30),
    st.lists(st.booleans(), max_size=8),
)
@settings(max_examples=60)
def test_whatever_fails_and_restarts_everything_arrives_in_order(steps: list[str], failures: list[bool]) -> None:
    asyncio.run(_deliver_through(steps, Flaky(failures)))


async def _deliver_through(steps: list[str], flaky: Flaky) -> None:
    post = Post(flaky)
    await post.start()
    await post.endpoint(MERCHANT, "https://shop.example/")
    told = 0
    for step in steps:
        match step:
            case "tell":
                post.tell(MERCHANT, told)
                told += 1
            case "restart":
                await post.restart()
            case "wait":
                await post.advance(2 * 86_400)
            case _:
                await asyncio.sleep(0)
    async with asyncio.timeout(10):
        while not flaky.taken or flaky.taken[-1] != told - 1:
            if not told:
                break
            await post.advance(2 * 86_400)
            await asyncio.sleep(0)
    await idle(post)
    await post.close()
    assert sorted(set(flaky.taken)) == list(range(told))
    assert flaky.taken == sorted(flaky.taken), "repeated perhaps, never overtaken"


async def test_unwanted_events_are_passed_over_for_good(post: Any, receiver: Any) -> None:
    await post.endpoint(MERCHANT, receiver.url, ["refund.*"])
    for number in range(120):
        post.tell(MERCHANT, number)
    post.tell(MERCHANT, 120, "refund.completed")
    await until(lambda: len(receiver.calls) == 1)
    assert _numbers(receiver) == [120]
    await until(lambda: _outcomes(post)[-1] == "DELIVERED")
    await post.restart()
    post.tell(MERCHANT, 121, "refund.completed")
    await until(lambda: len(receiver.calls) == 2)
    assert _numbers(receiver) == [120, 121]


async def test_a_new_endpoint_gets_what_comes_and_a_removed_one_nothing(post: Any, receiver: Any) -> None:
    post.tell(MERCHANT, 1)
    made = await post.endpoint(MERCHANT, receiver.url)
    post.tell(MERCHANT, 2)
    await until(lambda: len(receiver.calls) == 1)
    await post.ask(lambda: post.webhooks.turn(MERCHANT, made.id, EndpointState.REMOVED, ""))
    post.tell(MERCHANT, 3)
    await asyncio.sleep(0.05)
    await post.restart()
    await asyncio.sleep(0.05)
    assert _numbers(receiver) == [2]


async def test_an_event_is_sent_again_by_hand_without_moving_the_rest(post: Any, receiver: Any) -> None:
    made = await post.endpoint(MERCHANT, receiver.url)
    post.tell(MERCHANT, 1)
    post.tell(MERCHANT, 2)
    post.tell(OTHER, 3)
    await until(lambda: _outcomes(post) == ["DELIVERED"] * 2)
    (_, first), _ = (await post.notices.feed(MERCHANT, 0, limit=5)).events
    ((_, foreign),) = (await post.notices.feed(OTHER, 0, limit=5)).events
    receiver.answers.append("500")
    assert (await post.deliveries.redeliver(MERCHANT, made.id, first.id)).outcome == "REDELIVERY_FAILED"
    again = await post.deliveries.redeliver(MERCHANT, made.id, first.id)
    assert (again.outcome, again.status) == ("REDELIVERED", 200)
    with pytest.raises(Refusal, match="EVENT_UNKNOWN"):
        await post.deliveries.redeliver(MERCHANT, made.id, foreign.id)
    await post.restart()
    post.tell(MERCHANT, 4)
    await until(lambda: len(receiver.calls) == 5)
    assert _numbers(receiver) == [1, 2, 1, 1, 4]


async def test_a_secret_that_does_not_open_stops_its_own_endpoint_alone(post: Any, receiver: Any) -> None:
    made = await post.endpoint(MERCHANT, receiver.url)
    await post.endpoint(OTHER, receiver.url)
    lane = post.deliveries._lanes[made.id]
    lane.endpoint = type(made)(
        **{name: getattr(made, name) for name in made.__struct_fields__} | {"secret_sealed": b"x" * 60}
    )
    post.tell(MERCHANT, 1)
    post.tell(OTHER, 2)
    await until(lambda: len(receiver.calls) == 1)
    assert _numbers(receiver) == [2]
    lane.endpoint = made
    await idle(post)
    await post.advance(60)
    await until(lambda: len(receiver.calls) == 2)
    assert _numbers(receiver) == [2, 1]
