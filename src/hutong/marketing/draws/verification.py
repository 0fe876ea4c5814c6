"""
Verifying draws, from what is published and nothing else: no clock, no network, no secret.

What is wrong is a finding in words that say what was published and what follows from it, so that it can be argued about.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from hutong.marketing.draws import public_log
from hutong.marketing.draws.draw import NUMBERS, Draw, commitment_of, drawn, reference_of
from hutong.marketing.draws.pacing import Plan, gate, running_before, seen
from hutong.marketing.draws.public_log import Entry
from hutong.marketing.draws.record import (
    CommitmentsTold,
    DayRecord,
    DayTold,
    LogPart,
    PublicDraw,
    Receipt,
    RevealTold,
    SlotTold,
)

Told = TypeVar("Told")
_FIRST_OPENED = 2  # The number of the entry that opens the day on which a campaign begins.


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at: it holds, or how it differs."""

    holds: bool
    text: str


class Published(msgspec.Struct, frozen=True):
    """What the log says of one day."""

    opened: DayTold
    opened_at: Entry
    slots: dict[int, SlotTold]
    slots_at_ms: dict[int, int]
    seed: bytes | None
    revealed_at_ms: int  # 0: not yet.
    commitments: tuple[str, ...]  # Published further ahead, where the part of the log reaches so far back.


class Unverifiable(Exception):  # noqa: N818  # It is an answer: what is missing.
    """The log does not say enough, or nothing that can be read."""


def verify_receipt(receipt: Receipt, record: DayRecord, head: str = "") -> list[Finding]:
    """Whether one person got what the published rules, seed and thresholds give."""
    log = record.log
    findings = [*_chain(log, head)]
    if receipt.campaign != log.campaign:
        return [
            *findings,
            Finding(False, f"receipt: it is of campaign {receipt.campaign}, the log is of {log.campaign}"),
        ]
    try:
        published = read_day(log, receipt.day.isoformat())
    except Unverifiable as why:
        return [*findings, Finding(False, str(why))]
    findings += _seed(published, log.campaign)
    own = reference_of(receipt.campaign, receipt.day, bytes.fromhex(receipt.token), receipt.phrase)
    findings.append(_same("reference: of the token and the phrase", receipt.reference, own))
    if published.seed is None:
        return findings
    opened, slot = published.opened, published.slots.get(receipt.slot)
    found = drawn(published.seed, opened.distribution, receipt.campaign, receipt.day, receipt.reference, receipt.turn)
    findings += [
        Finding(1 <= receipt.turn <= opened.turns, f"turn: {receipt.turn} of {opened.turns} a day"),
        _same("drawn: in fen", receipt.drawn, found.amount),
        _same("slot: of the moment", receipt.slot, opened.slot_at(receipt.at_ms)),
        _admitted(found, slot, receipt.slot),
        Finding(
            published.slots_at_ms.get(receipt.slot, receipt.at_ms + 1) <= receipt.at_ms,
            f"slot {receipt.slot}: its threshold was published before the draw",
        ),
        _given(receipt, found, opened.budget, record.draws),
        _listed(receipt, record),
    ]
    return findings


def unrevealed_day(record: DayRecord) -> str:
    """The day of a record whose seed is still to come; empty where there is one, or where the record can't be read."""
    try:
        opened = {told.day.isoformat() for told in _told(record.log, public_log.DAY, DayTold)}
        revealed = {told.day.isoformat() for told in _told(record.log, public_log.REVEAL, RevealTold)}
    except Unverifiable:
        return ""
    return max(opened) if opened and not opened & revealed else ""


def verify_day(record: DayRecord, head: str = "") -> list[Finding]:
    """Whether a whole day kept to its rules: each draw, each threshold, and the budget."""
    log = record.log
    findings = [*_chain(log, head)]
    try:
        # Behind a day's opening is the reveal of the day before it, and before its own reveal the opening of the next.
        opened = {told.day.isoformat() for told in _told(log, public_log.DAY, DayTold)}
        days = {told.day.isoformat() for told in _told(log, public_log.REVEAL, RevealTold)} & opened
        if len(days) != 1:
            raise Unverifiable(f"log: it opens and reveals {len(days)} days, and a day's record is of one")
        published = read_day(log, days.pop())
    except Unverifiable as why:
        return [*findings, Finding(False, str(why))]
    findings += _seed(published, log.campaign)
    assert published.seed is not None
    wrong = [text for each in record.draws for text in _wrong(published, log.campaign, each)]
    findings += [Finding(False, text) for text in wrong]
    findings += [
        Finding(not wrong, f"draws: {len(record.draws)} recomputed, {len(wrong)} differ"),
        *_budget(published.opened, record.draws),
        *_gates(published, record.draws),
    ]
    return findings


def read_day(log: LogPart, day: str) -> Published:
    """What the log says of a day. Raises `Unverifiable` where that is not enough to go by."""
    opened: tuple[Entry, DayTold] | None = None
    slots: dict[int, SlotTold] = {}
    slots_at: dict[int, int] = {}
    seed: bytes | None = None
    revealed_at_ms = 0
    commitments: list[str] = []
    for entry in log.entries:
        match entry.kind:
            case public_log.DAY if (told := _read(entry, DayTold)).day.isoformat() == day:
                if opened is not None:
                    raise Unverifiable(f"log: entries {opened[0].number} and {entry.number} both open {day}")
                opened = entry, told
            case public_log.SLOT if (slot := _read(entry, SlotTold)).day.isoformat() == day:
                if slot.slot in slots:
                    raise Unverifiable(f"log: entry {entry.number} is a second gate of slot {slot.slot}")
                slots[slot.slot], slots_at[slot.slot] = slot, entry.at_ms
            case public_log.REVEAL if (reveal := _read(entry, RevealTold)).day.isoformat() == day:
                seed, revealed_at_ms = bytes.fromhex(reveal.seed), entry.at_ms
            case public_log.COMMITMENTS:
                told_days = _read(entry, CommitmentsTold).days
                commitments += [each.commitment for each in told_days if each.day.isoformat() == day]
    if opened is None:
        raise Unverifiable(f"log: it does not say what {day} goes by")
    return Published(opened[1], opened[0], slots, slots_at, seed, revealed_at_ms, tuple(commitments))


def _chain(log: LogPart, head: str) -> Iterator[Finding]:
    broken = [*public_log.breaks(log.campaign, log.before, log.entries)]
    yield from (Finding(False, text) for text in broken)
    yield Finding(not broken, f"log: {len(log.entries)} entries, each bound to all before it")
    if head:
        hashes = {log.before, *(entry.hash for entry in log.entries)}
        yield Finding(head in hashes, f"log: the hash {head[:12]}…, noted earlier, is in it")


def _seed(published: Published, campaign: str) -> Iterator[Finding]:
    opened = published.opened
    for early in published.commitments:
        yield _same("commitment: of the day, as published earlier", opened.commitment, early)
    yield Finding(True, f"rules: published {_when_opened(published)}")
    if published.seed is None:
        yield Finding(False, f"seed: of {opened.day} is not revealed in this log; it is after the day")
        return
    yield _same("seed: its commitment", opened.commitment, commitment_of(campaign, opened.day, published.seed))
    # Whoever knows the seed knows what everybody is going to draw.
    yield Finding(published.revealed_at_ms >= opened.ends_ms, "seed: revealed when the day was over")


def _when_opened(published: Published) -> str:
    opened, entry = published.opened, published.opened_at
    if entry.at_ms < opened.begins_ms:
        return "before the day began"
    # A campaign may begin in the middle of a day: the commitments, and then the day, are the first that its log says.
    return "on the day itself, the campaign's first" if entry.number <= _FIRST_OPENED else "on the day itself"


def _admitted(found: Draw, slot: SlotTold | None, number: int) -> Finding:
    if slot is None:
        return Finding(False, f"slot {number}: no threshold was published")
    return Finding(
        found.is_admitted(slot.threshold),
        f"slot {number}: the draw's number {found.number} is below the threshold {slot.threshold} of {NUMBERS}",
    )


def _given(receipt: Receipt, found: Draw, budget: int, draws: tuple[PublicDraw, ...]) -> Finding:
    most = min(found.amount, receipt.to_pay - 1)
    if not 0 < receipt.given < most:
        return _same("given: the draw, at most the payment less one fen", receipt.given, most)
    by_then = _given_by(receipt, draws)
    return Finding(
        by_then >= budget,
        f"given: {receipt.given} of {most} fen, as the last draw of a budget: {by_then} fen of {budget} by then",
    )


def _given_by(receipt: Receipt, draws: tuple[PublicDraw, ...]) -> int:
    """What the day had given with this draw, at most: of the draws in its own slot, nobody knows in which order some came back."""
    own = (receipt.reference, receipt.turn, receipt.slot, receipt.given)
    total, behind = 0, False
    for each in draws:
        if each.slot < receipt.slot or (each.slot == receipt.slot and not behind):
            total += 0 if each.released_slot is not None and each.released_slot < receipt.slot else each.given
        behind = behind or (each.reference, each.turn, each.slot, each.given) == own
    return total


def _listed(receipt: Receipt, record: DayRecord) -> Finding:
    about = (receipt.reference, receipt.turn, receipt.slot, receipt.drawn, receipt.given)
    listed = ((each.reference, each.turn, each.slot, each.drawn, each.given) for each in record.draws)
    return Finding(about in listed, "record: the draw is among those published of the day")


def _wrong(published: Published, campaign: str, draw: PublicDraw) -> Iterator[str]:
    assert published.seed is not None
    opened, name = published.opened, f"draw {draw.reference}/{draw.turn}"
    found = drawn(published.seed, opened.distribution, campaign, opened.day, draw.reference, draw.turn)
    slot = published.slots.get(draw.slot)
    if draw.drawn != found.amount:
        yield f"{name}: published as {draw.drawn}, and {found.amount} follows from the seed"
    if not 1 <= draw.given <= found.amount:
        yield f"{name}: {draw.given} given of {found.amount}"
    if not 1 <= draw.turn <= opened.turns:
        yield f"{name}: only {opened.turns} a day"
    if slot is None or not found.is_admitted(slot.threshold):
        at = "none" if slot is None else slot.threshold
        yield f"{name}: its number {found.number} is not below the threshold of slot {draw.slot}, {at}"


def _budget(opened: DayTold, draws: tuple[PublicDraw, ...]) -> Iterator[Finding]:
    kept = [each for each in draws if each.released_slot is None]
    given = sum(each.given for each in kept)
    yield Finding(given <= opened.budget, f"budget: {given} fen given of {opened.budget}")
    twice = len(kept) - len({(each.reference, each.turn) for each in kept})
    yield Finding(not twice, f"draws: {twice} were kept more than once")


def _gates(published: Published, draws: tuple[PublicDraw, ...]) -> Iterator[Finding]:
    opened, plan = published.opened, published.opened.plan
    spent = net_by_slot(draws)
    thresholds: dict[int, int] = {number: slot.threshold for number, slot in published.slots.items()}
    wrong = 0
    for number, slot in sorted(published.slots.items()):
        for text in _gate_differs(plan, slot, spent, thresholds):
            wrong += 1
            yield Finding(False, f"slot {number}: {text}")
        if published.slots_at_ms[number] >= opened.begins_ms + (number + 1) * opened.slot_s * 1000:
            wrong += 1
            yield Finding(False, f"slot {number}: its gate was published when it was over")
        given = sum(each.given for each in draws if each.slot == number)
        if given > slot.ceiling + opened.distribution.highest:
            wrong += 1
            yield Finding(False, f"slot {number}: {given} given, and it closes at {slot.ceiling}")
    yield Finding(not wrong, f"slots: {len(published.slots)} gates recomputed, {wrong} differ")


def _gate_differs(plan: Plan, slot: SlotTold, spent: dict[int, int], thresholds: dict[int, int]) -> Iterator[str]:
    known = seen(plan, slot.slot, spent, thresholds)
    if slot.seen != known:
        yield f"published as seen: {slot.seen}; the day's draws come to {known}"
    running = running_before(slot.slot, thresholds)
    if slot.running != running:
        yield f"threshold before it {slot.running}, published {running}"
    found = gate(plan, slot.slot, slot.running, slot.seen)
    if (slot.threshold, slot.ceiling) != (found.threshold, found.ceiling):
        yield f"threshold {slot.threshold}, ceiling {slot.ceiling}; the rule gives {found.threshold}, {found.ceiling}"


def net_by_slot(draws: tuple[PublicDraw, ...]) -> dict[int, int]:
    """What each slot gave, less what came back in it of draws whose payments failed."""
    spent: dict[int, int] = defaultdict(int)
    for each in draws:
        spent[each.slot] += each.given
        if each.released_slot is not None:
            spent[each.released_slot] -= each.given
    return dict(spent)


def _told(log: LogPart, kind: str, type_: Callable[..., Told]) -> list[Told]:
    return [_read(entry, type_) for entry in log.entries if entry.kind == kind]


def _read(entry: Entry, type_: Any) -> Any:
    try:
        return msgspec.json.decode(entry.text, type=type_)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Unverifiable(f"log: entry {entry.number} can't be read: {error}") from error


def _same(about: str, published: object, found: object) -> Finding:
    if published == found:
        return Finding(True, f"{about}: {found}")
    return Finding(False, f"{about}: published {published}, found {found}")
