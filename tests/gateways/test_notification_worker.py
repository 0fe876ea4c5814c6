"""Telling a real server that answers, refuses, hangs, recovers and goes away."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hutong.gateways.notification import Cause, GatewayNotification, Letter, NotificationState
from hutong.gateways.notification_lanes import Places
from hutong.gateways.notification_worker import SILENT_TOO_LONG
from tests.gateways.telling import MARKED_EVERY, Telling, until
from tests.institution.notices.post_office import Receiver

DAY_S = 86_400


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def telling() -> AsyncIterator[Telling]:
    made = Telling()
    await made.start()
    yield made
    await made.close()


async def test_what_is_taken_is_told_once_and_what_came_back_is_kept(telling: Telling, receiver: Receiver) -> None:
    told = await telling.ended(telling.add(receiver.url + "?shop=1"))
    (call,), (made,) = receiver.calls, told.tries
    assert (call.path, call.body) == ("/hook?shop=1", b"PAID 7")
    assert (told.state, told.plain) == (NotificationState.TAKEN, b"PAID 7")
    assert (made.status, made.answer, made.tries, made.next_at_ns) == (200, b"ok", 1, 0)
    assert json.loads(made.headers)["x-signature"] == call.headers["x-signature"]
    assert made.body == call.body
    telling.later(DAY_S)
    await asyncio.sleep(0.02)
    assert len(receiver.calls) == 1


@pytest.mark.parametrize("failure", ["500", "404", "204", "302 location: /other", "drop", "hang"])
async def test_what_is_not_taken_is_told_again_by_the_schedule_signed_anew(
    telling: Telling, receiver: Receiver, failure: str
) -> None:
    receiver.answers.extend([failure] * 3)
    id_ = telling.add(receiver.url)
    for wait_s in (15, 15, 30):
        await until(lambda: len(telling.tries()) == len(receiver.calls) > 0)
        seen = len(receiver.calls)
        telling.later(wait_s - 1)
        await asyncio.sleep(0.01)
        assert len(receiver.calls) == seen
        telling.later(1)
        await until(lambda seen=seen: len(receiver.calls) > seen)  # type: ignore[misc]
    told = await telling.ended(id_)
    assert (told.state, len(told.tries)) == (NotificationState.TAKEN, 4)
    assert [call.body for call in receiver.calls] == [b"PAID 7"] * 4
    assert telling.postman.written == [id_], "what is told is made once"
    for call in receiver.calls:
        signed = b"PAID 7" + call.headers["x-time"].encode()
        assert call.headers["x-signature"] == hashlib.sha256(signed).hexdigest()
    assert len({call.headers["x-time"] for call in receiver.calls}) == 4


async def test_the_schedule_ends(telling: Telling, receiver: Receiver) -> None:
    receiver.answers.extend(["500"] * 9)
    id_ = telling.add(receiver.url)
    for count in range(1, 5):
        await until(lambda count=count: len(telling.tries()) == count)  # type: ignore[misc]
        telling.later(30)
    told = await telling.ended(id_)
    assert (told.state, len(told.tries), told.next_at_ns) == (NotificationState.GIVEN_UP, 4, 0)
    telling.later(DAY_S)
    await asyncio.sleep(0.02)
    assert len(receiver.calls) == 4
    assert telling.worker.figures.given_up == 1


async def test_it_goes_on_where_it_was_after_a_restart_and_the_words_are_the_same(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.answers.extend(["500"] * 2)
    waiting = telling.add(receiver.url)
    await until(lambda: len(telling.tries()) == 1)
    telling.later(15)
    await until(lambda: len(telling.tries()) == 2)
    taken = telling.add(receiver.url, subject_id=8)
    await telling.ended(taken)
    written = list(telling.postman.written)
    await telling.restart()
    await asyncio.sleep(0.02)
    assert len(receiver.calls) == 3
    telling.later(15)
    told = await telling.ended(waiting)
    assert [(each.tries, each.state) for each in told.tries] == [(1, "WAITING"), (2, "WAITING"), (3, "TAKEN")]
    assert telling.postman.written == written


async def test_what_was_not_told_before_a_crash_is_told_after_it(telling: Telling, receiver: Receiver) -> None:
    await telling.stop()
    id_ = telling.add(receiver.url)
    await telling.restart()
    assert (await telling.ended(id_)).state is NotificationState.TAKEN


async def test_nothing_is_told_before_it_is_durable(telling: Telling, receiver: Receiver) -> None:
    telling.journal._immediate = False
    id_ = telling.add(receiver.url)
    telling.worker.poke()
    await asyncio.sleep(0.03)
    assert receiver.calls == []
    telling.journal.flush()
    await telling.ended(id_)


async def test_a_start_reads_the_newest_mark_and_what_came_later(telling: Telling, receiver: Receiver) -> None:
    receiver.answers.append("500")
    waiting = telling.add(receiver.url, account_id=9)
    await until(lambda: len(telling.tries()) == 1)
    for number in range(MARKED_EVERY + 20):
        telling.add(receiver.url, subject_id=number, account_id=number % 5)
    await until(lambda: len(telling.service._open) == 1)
    marks = [row for _, row in telling.store.rows["gateway_marks"]]
    assert len(marks) == 1
    assert len(marks[0].ids) < 16 * MARKED_EVERY, "what was taken is not in it"
    await telling.restart()
    assert list(telling.service._open) == [waiting]
    telling.later(15)
    await telling.ended(waiting)


async def test_one_that_cannot_be_written_keeps_no_other_waiting_and_is_given_up_in_time(
    telling: Telling, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    telling.postman.fails = True
    bad = telling.add(receiver.url)
    await until(lambda: len(telling.postman.written) == 1)
    telling.postman.fails = False
    await telling.ended(telling.add(receiver.url, subject_id=8))
    telling.postman.fails = True
    telling.later(3600)
    told = await telling.ended(bad)
    assert told.state is NotificationState.GIVEN_UP
    assert "could not be written" in told.tries[-1].note
    assert "no such order" in caplog.text


async def test_a_dialect_that_is_gone_keeps_no_other_waiting(
    telling: Telling, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    telling.add(receiver.url, dialect="gone")
    await telling.ended(telling.add(receiver.url))
    assert "KeyError" in caplog.text


async def test_what_had_no_turn_in_its_time_is_given_up_while_its_receiver_is_silent(receiver: Receiver) -> None:
    telling = Telling(places=Places(first=1, of_lane=1))
    await telling.start()
    receiver.answers.extend(["hang"] * 2)
    ids = [telling.add(receiver.url, subject_id=n) for n in range(5)]
    telling.later(DAY_S)  # While the first one hangs.
    await until(lambda: len(telling.service._open) <= 1)
    tried = [await telling.told(id_) for id_ in ids]
    assert tried[1].tries[-1].note == SILENT_TOO_LONG
    assert {told.state for told in tried[1:]} == {NotificationState.GIVEN_UP}
    assert len(receiver.calls) == 1
    await telling.close()


async def test_one_sent_by_hand_ends_the_schedule_when_it_is_taken(telling: Telling, receiver: Receiver) -> None:
    receiver.answers.extend(["500", "500"])
    id_ = telling.add(receiver.url)
    await until(lambda: len(telling.tries()) == 1)
    refused = await telling.worker.resend(await telling.told(id_))
    assert (refused.cause, refused.state, refused.tries, refused.status) == (Cause.HAND, "WAITING", 1, 500)
    assert refused.next_at_ns == telling.tries()[0].next_at_ns
    taken = await telling.worker.resend(await telling.told(id_))
    assert (taken.state, taken.next_at_ns) == ("TAKEN", 0)
    telling.later(DAY_S)
    await asyncio.sleep(0.02)
    assert len(receiver.calls) == 3
    await telling.restart()
    assert telling.service.standing(id_) is None


async def test_one_sent_by_hand_when_all_is_over_changes_nothing_unless_it_is_taken(
    telling: Telling, receiver: Receiver
) -> None:
    id_ = telling.add(receiver.url)
    await telling.ended(id_)
    receiver.answers.append("500")
    again = await telling.worker.resend(await telling.told(id_))
    assert (again.cause, again.state, again.status) == (Cause.HAND, "TAKEN", 500)
    assert (await telling.told(id_)).plain == b"PAID 7"


class _Tampering:
    """Late by a minute, three times in all, and a wrong signature first."""

    def late_ns(self, _: int) -> int:
        return 60 * 10**9

    def copies(self, _: GatewayNotification) -> int:
        return 2

    def probe(self, _: GatewayNotification, letter: Letter) -> Letter | None:
        return Letter({**letter.headers, "x-signature": "wrong"}, letter.body)


async def test_a_sandbox_can_be_late_repeat_itself_and_sign_wrongly(receiver: Receiver) -> None:
    telling = Telling(tampering=_Tampering())
    await telling.start()
    receiver.answers.append("401")
    id_ = telling.add(receiver.url)
    await asyncio.sleep(0.02)
    assert receiver.calls == []
    telling.later(60)
    await until(lambda: len(telling.tries()) == 4)
    told = await telling.told(id_)
    assert [each.cause for each in told.tries] == ["PROBE", "SCHEDULE", "DUPLICATE", "DUPLICATE"]
    assert [call.headers["x-signature"] == "wrong" for call in receiver.calls] == [True, False, False, False]
    assert told.state is NotificationState.TAKEN
    await telling.close()


async def test_a_hundred_accounts_are_told_while_five_hang() -> None:
    telling, receivers = Telling(), [Receiver() for _ in range(6)]
    telling.postman.timeout_s = 30
    await telling.start()
    for each in receivers:
        await each.start()
    for hanging in receivers[:5]:
        hanging.answers.extend(["hang"] * 100)
    healthy: list[Any] = []
    for number in range(400):
        telling.add(receivers[number % 5].url, account_id=number % 5, subject_id=number)
        healthy.append(telling.add(receivers[5].url, account_id=5 + number % 95, subject_id=number))
    await until(lambda: not any(id_ in telling.service._open for id_ in healthy))
    assert len(receivers[5].calls) == 400
    assert all(len(each.calls) <= 2 for each in receivers[:5])
    await telling.close()
    for each in receivers:
        await each.stop()
