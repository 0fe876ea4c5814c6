"""Pictures in complaints: given, said, fetched by the other side, looked at, and let go."""

from typing import Any

import pytest

from hutong.institution.complaints import picture_service
from hutong.institution.complaints.picture import (
    IN_CASE_MAX,
    PERSON_GIVEN_MAX,
    PICTURE_PARTS,
    PICTURES,
    PictureState,
    digest_of,
)
from hutong.institution.complaints.picture_file import PictureFile, picture_file
from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.complaints.turn import Words
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import warmed
from hutong.scheme.complaint import ComplaintAct, ComplaintParty
from hutong.scheme.complaint_messages import ComplaintPictureAsked, ComplaintPiece
from hutong.switch.policy import ClearingPolicy
from tests.institution.complaints.cases import Complained, complained
from tests.institution.complaints.drawn import jpeg, noise, png
from tests.institution.payments.world import Institution, now
from tests.institution.recalls.cases import do

EVERYWHERE = pytest.mark.parametrize("on_us", [False, True], ids=["across", "on us"])
DAY_S = 86_400
SAY, CONFIRM = ComplaintAct.SAY, ComplaintAct.CONFIRM


def gives(place: Institution, giver: int, data: bytes, *, is_merchant: bool = False) -> str:
    """Give it; its name."""
    file = picture_file(data)
    do(place, lambda: place.complaints.pictures.give(giver, file, is_merchant=is_merchant))
    return digest_of(file.content)


def payer_gives(case: Complained, data: bytes) -> str:
    return gives(case.case.debtor, case.case.payer.id, data)


def looks(place: Institution, at: int, digest: str) -> PictureFile:
    return now(warmed(place.journal, lambda: place.complaints.pictures.look(at, digest)))


def seen_by_payer(case: Complained, digest: str) -> bytes:
    return looks(case.case.debtor, case.grievance.id, digest).content


def seen_by_merchant(case: Complained, digest: str) -> bytes:
    return looks(case.case.creditor, case.complaint.id, digest).content


def answers(case: Complained, *digests: str, giver: int = 0) -> None:
    words = Words(act_id=case.case.creditor.node.mint.mint(), text="看", pictures=digests)
    service = case.case.creditor.complaints.complaints
    do(case.case.creditor, lambda: service.answer(case.complaint, SAY, words, "老板", giver=giver))


@EVERYWHERE
def test_pictures_of_both_sides_are_seen_by_both(on_us: bool) -> None:
    case = complained(on_us=on_us)
    photo, big = jpeg(orientation=6), noise(7, 300_000)
    digests = payer_gives(case, photo), payer_gives(case, big)
    case.open(pictures=digests)
    for digest, data in zip(digests, (photo, big), strict=True):
        assert seen_by_merchant(case, digest) == seen_by_payer(case, digest) == picture_file(data).content
    answer = gives(case.case.creditor, case.case.merchant, png(), is_merchant=True)
    answers(case, answer)
    assert seen_by_payer(case, answer) == seen_by_merchant(case, answer) == png()
    there = case.case.creditor.complaints.complaints.history(case.complaint)
    assert [turn.digests for turn in there] == [list(digests), [answer]]


def test_a_picture_is_said_by_who_gave_it_alone() -> None:
    case = complained()
    theirs = gives(case.case.debtor, case.case.debtor.user().id, png())
    with pytest.raises(Refusal) as refused:
        case.open(pictures=(theirs,))
    assert refused.value.reason is ComplaintReason.PICTURE_UNKNOWN
    case.open(pictures=())
    with pytest.raises(Refusal):
        answers(case, gives(case.case.creditor, 4711, png(), is_merchant=True))


def test_what_was_said_in_one_complaint_is_not_seen_in_another() -> None:
    one, other = complained(), complained()
    digest = payer_gives(one, png())
    one.open(pictures=(digest,))
    other.open()
    with pytest.raises(Refusal) as refused:
        looks(other.case.creditor, other.complaint.id, digest)
    assert refused.value.reason is ComplaintReason.PICTURE_UNKNOWN


def test_giving_the_same_twice_keeps_it_once() -> None:
    case = complained()
    assert payer_gives(case, png()) == payer_gives(case, png(told=True))
    assert len(case.case.debtor.store.rows[PICTURE_PARTS.name]) == 1


def test_nobody_gives_or_says_more_than_so_many() -> None:
    case = complained()
    digests = [payer_gives(case, png(shade=shade)) for shade in range(PERSON_GIVEN_MAX)]
    with pytest.raises(Refusal) as refused:
        payer_gives(case, png(shade=200))
    assert refused.value.reason is ComplaintReason.TOO_MANY_PICTURES
    case.open(pictures=tuple(digests[:4]))
    for begin in range(4, IN_CASE_MAX, 4):
        case.says(SAY, "看", pictures=tuple(digests[begin : begin + 4]))
    case.case.world.tick(2 * DAY_S)  # What was given is let go; what was said is not.
    more = payer_gives(case, png(shade=201))
    with pytest.raises(Refusal) as refused:
        case.says(SAY, "看", pictures=(more,))
    assert refused.value.reason is ComplaintReason.TOO_MANY_PICTURES
    there = case.case.creditor
    states = now(warmed(there.journal, lambda: there.complaints.pictures.states(case.complaint.id)))
    assert len(states) == IN_CASE_MAX


@pytest.mark.parametrize("is_merchant", [False, True])
def test_nobody_gives_more_than_so_many_bytes_in_a_day(monkeypatch: pytest.MonkeyPatch, *, is_merchant: bool) -> None:
    case = complained()
    big = [noise(seed, 200_000) for seed in range(4)]
    room = sum(len(each) for each in big[:2]) + len(png())
    monkeypatch.setattr(picture_service, "MERCHANT_BYTES_MAX" if is_merchant else "PERSON_BYTES_MAX", room)
    place, giver = case.case.debtor, case.case.payer.id
    if is_merchant:
        place, giver = case.case.creditor, case.case.merchant
    for each in (*big[:2], big[0]):
        gives(place, giver, each, is_merchant=is_merchant)
    with pytest.raises(Refusal) as refused:
        gives(place, giver, big[2], is_merchant=is_merchant)
    assert refused.value.reason is ComplaintReason.TOO_MANY_PICTURE_BYTES
    assert refused.value.facts["bytes_max"] == room
    gives(place, giver, png(), is_merchant=is_merchant)
    with pytest.raises(Refusal):
        gives(place, giver, png(shade=1), is_merchant=is_merchant)
    gives(place, 4711, big[2], is_merchant=is_merchant)
    case.case.world.tick(DAY_S + 120)
    case.case.world.tick(120)
    gives(place, giver, big[2], is_merchant=is_merchant)


def test_what_a_node_keeps_in_memory_does_not_grow_with_its_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 100
    monkeypatch.setattr(picture_service, "ROWS_MAX", most)
    case = complained()
    place = case.case.debtor
    case.case.world.restart(place.node_id)

    def kept() -> int:
        return len(place.complaints.pictures.pictures.everything())

    digest = payer_gives(case, png(shade=7))
    case.open(pictures=(digest,))
    for giver in range(1_000, 1_020):
        for shade in range(30):
            gives(place, giver, png(shade=shade))
            assert kept() <= most
    assert seen_by_merchant(case, digest) == png(shade=7)
    for giver in range(1_000, 1_020):
        assert looks(place, giver, digest_of(png(shade=3))).content == png(shade=3)
        assert kept() <= most + IN_CASE_MAX, "who only looks fills memory no more than who gives"
    case.case.world.restart(place.node_id)
    assert kept() == 0
    assert place.complaints.pictures.counts[PictureState.HELD] == 602
    case.case.world.tick(DAY_S + 120)
    for _ in range(10):
        case.case.world.tick(120)
        assert kept() <= most + 200, "and those whose going is not written yet"
    assert place.complaints.pictures.counts[PictureState.HELD] == 1
    assert {row.place for _, row in place.store.rows[PICTURES.name] if row.state == PictureState.HELD} == {
        case.grievance.id
    }, "what has gone is looked at no more"
    assert seen_by_payer(case, digest) == png(shade=7)


def test_what_had_not_come_is_asked_for_again_after_a_restart() -> None:
    case = complained()
    place = case.case.creditor
    place.complaints.pictures._send = lambda *_: None  # Its question is lost.
    digest = payer_gives(case, png())
    case.open(pictures=(digest,))
    assert place.complaints.pictures.counts[PictureState.WANTED] == 1
    case.case.world.restart(place.node_id)
    assert place.complaints.pictures.counts[PictureState.WANTED] == 1
    case.case.world.tick(5)
    assert seen_by_merchant(case, digest) == png()
    case.case.world.restart(place.node_id)
    counts = place.complaints.pictures.counts
    assert (counts[PictureState.WANTED], counts[PictureState.HELD]) == (0, 1)


@EVERYWHERE
def test_what_memory_has_let_go_of_is_looked_up_before_anything_is_said(on_us: bool) -> None:
    case = complained(on_us=on_us)

    def forget() -> None:
        for place in {case.case.debtor, case.case.creditor}:
            shelf = place.complaints.pictures.pictures
            shelf.forget([each.id for each in shelf.everything()])
            place.complaints.pictures._contents.clear()

    digests = [payer_gives(case, png(shade=shade)) for shade in range(4)]
    forget()
    case.open(pictures=tuple(digests[:2]))
    forget()
    case.says(SAY, "看", pictures=tuple(digests[2:]))
    forget()
    answer = gives(case.case.creditor, case.case.merchant, png(shade=9), is_merchant=True)
    forget()
    answers(case, answer)
    forget()
    for digest, shade in zip((*digests, answer), (0, 1, 2, 3, 9), strict=True):
        assert seen_by_merchant(case, digest) == seen_by_payer(case, digest) == png(shade=shade)


def test_what_nobody_says_goes_after_a_day() -> None:
    case = complained()
    digest = payer_gives(case, png())
    case.case.world.tick(DAY_S + 120)
    case.case.world.tick(60)
    assert not case.case.debtor.store.rows[PICTURE_PARTS.name]
    with pytest.raises(Refusal) as refused:
        case.open(pictures=(digest,))
    assert refused.value.reason is ComplaintReason.PICTURE_UNKNOWN
    assert payer_gives(case, png()) == digest, "and can be given again"
    case.open(pictures=(digest,))
    assert seen_by_merchant(case, digest) == png()


def test_what_is_given_again_is_kept_from_then_on() -> None:
    case = complained()
    digest = payer_gives(case, png())
    case.case.world.tick(DAY_S - 120)
    assert payer_gives(case, png()) == digest
    case.case.world.tick(DAY_S - 120)
    case.case.world.tick(60)
    case.open(pictures=(digest,))
    assert seen_by_merchant(case, digest) == png()


@EVERYWHERE
def test_pictures_go_when_their_complaint_has_been_over_for_long(on_us: bool) -> None:
    case = complained(on_us=on_us)
    digest = payer_gives(case, png())
    case.open(pictures=(digest,))
    for _ in range(4):
        case.case.world.tick(100 * DAY_S)
    assert seen_by_merchant(case, digest), "it goes on"
    case.says(CONFIRM)
    case.case.world.tick(89 * DAY_S)
    case.case.world.tick(60)
    assert seen_by_merchant(case, digest)
    for place in case.case.debtor, case.case.creditor:
        case.case.world.restart(place.node_id)
    case.case.world.tick(2 * DAY_S)
    case.case.world.tick(60)
    for look in seen_by_merchant, seen_by_payer:
        with pytest.raises(Refusal) as refused:
            look(case, digest)
        assert refused.value.reason is ComplaintReason.PICTURE_UNKNOWN
    assert not case.case.debtor.store.rows[PICTURE_PARTS.name]
    assert not case.case.creditor.store.rows[PICTURE_PARTS.name]


def asked(case: Complained, digest: str, **fields: Any) -> ComplaintPictureAsked:
    """As the merchant's institution asks for it."""
    shown = case.complaint
    values: dict[str, Any] = {
        "complaint_id": f"{shown.complaint_id:032x}",
        "payment_id": f"{shown.payment_id:032x}",
        "debtor_agent": shown.debtor_agent,
        "creditor_agent": case.case.creditor.node_id,
        "side": ComplaintParty.PAYEE,
        "digest": digest,
        "offset": 0,
    }
    return ComplaintPictureAsked(**values | fields)


def said_back(case: Complained, message: ComplaintPictureAsked) -> list[ComplaintPiece]:
    """What the payer's institution answers."""
    place = case.case.debtor
    found: list[ComplaintPiece] = []
    send = place.complaints.pictures._send
    place.complaints.pictures._send = lambda _, piece: (
        found.append(piece) if isinstance(piece, ComplaintPiece) else None
    )
    do(place, lambda: place.payments.on_complaint(message))
    place.complaints.pictures._send = send
    return found


def test_a_piece_is_told_to_the_other_side_of_the_complaint_alone() -> None:
    case = complained()
    digest, unsaid = payer_gives(case, png()), payer_gives(case, png(shade=3))
    case.open(pictures=(digest,))
    (piece,) = said_back(case, asked(case, digest))
    assert (piece.size, piece.offset) == (len(png()), 0)
    (past,) = said_back(case, asked(case, digest, offset=2_000_000))
    assert (past.size, past.content) == (len(png()), "")
    (unknown,) = said_back(case, asked(case, unsaid))
    assert (unknown.size, unknown.content) == (0, ""), "given, and not said here"
    for wrong in ({"payment_id": "0" * 31 + "1"}, {"creditor_agent": "zhi"}, {"complaint_id": "0" * 31 + "2"}):
        assert not said_back(case, asked(case, digest, **wrong))


def test_who_asks_for_pictures_without_end_is_not_heard_without_end() -> None:
    """A question is short and its answer is not: payments of others go the same way."""
    case = complained()
    digest = payer_gives(case, png())
    case.open()
    world, message = case.case.world, asked(case, digest)
    passed: list[str] = []
    post = world.switch.journal.post
    world.switch.journal.post = lambda peer, messages: passed.extend(peer for _ in messages)
    policy = ClearingPolicy()
    for _ in range(policy.pictures_burst + 50):
        world.switch.switch.complaints.pictured(case.case.creditor.node_id, message)
    world.switch.journal.seal()
    assert len(passed) == policy.pictures_burst
    world.clock.advance(seconds=1)
    for _ in range(policy.pictures_burst):
        world.switch.switch.complaints.pictured(case.case.creditor.node_id, message)
    world.switch.journal.seal()
    assert len(passed) == policy.pictures_burst + policy.pictures_per_s
    world.switch.journal.post = post


@pytest.mark.parametrize(
    "lie",
    [
        {"size": 0},
        {"size": len(png(shade=5)), "content": "iVBORw0KGgo="},
        {"content": "bm8gcGljdHVyZQ==", "size": 10},
    ],
    ids=["none", "short", "another"],
)
def test_what_is_not_what_was_said_is_not_kept(lie: dict[str, Any]) -> None:
    case = complained()
    place = case.case.creditor
    place.complaints.pictures._send = lambda *_: None  # Asks nobody: the answers come from here.
    digest = payer_gives(case, png(shade=5))
    case.open(pictures=(digest,))
    told = asked(case, digest)
    values = {name: getattr(told, name) for name in told.__struct_fields__} | {"size": 10, "content": ""} | lie
    do(place, lambda: place.payments.on_complaint(ComplaintPiece(**values)))
    with pytest.raises(Refusal) as refused:
        seen_by_merchant(case, digest)
    state = now(warmed(place.journal, lambda: place.complaints.pictures.states(case.complaint.id)))[digest]
    gone = state == PictureState.GONE
    assert refused.value.reason is (ComplaintReason.PICTURE_UNKNOWN if gone else ComplaintReason.PICTURE_ON_ITS_WAY)
    assert gone == (lie.get("size") in (0, 10))
    assert not place.store.rows[PICTURE_PARTS.name]
