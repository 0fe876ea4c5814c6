from collections.abc import Callable
from functools import cache

import msgspec
import pytest

from hutong.marketing.draws import public_log
from hutong.marketing.draws.draw import Draw
from hutong.marketing.draws.public_log import GENESIS, Entry
from hutong.marketing.draws.record import DayRecord, LogPart, Receipt, SlotTold
from hutong.marketing.draws.verification import verify_day, verify_receipt
from tests.marketing.draws.living import CAMPAIGN, Living, comers

replace = msgspec.structs.replace


@cache
def honest() -> tuple[DayRecord, Receipt]:
    day = Living(100_000)
    people = comers(1, 2_000)
    day.live(people)
    uncut = {each.reference for each in day.draws if each.given == each.drawn}
    for _, person, _amount in people:
        if person in day.used:
            receipt = day.receipt_of(person, 50_000)
            if receipt.reference in uncut:
                return day.record(), receipt
    raise AssertionError("nobody got a whole draw")


def rechained(record: DayRecord, change: Callable[[Entry], Entry | None]) -> DayRecord:
    """What an operator would publish who changes entries and hashes the log anew."""
    entries: list[Entry] = []
    before = GENESIS
    for was in record.log.entries:
        entry = change(was)
        if entry is None:
            continue
        hash_ = public_log.hash_of(CAMPAIGN, before, entry.number, entry.at_ms, entry.kind, entry.text)
        entries.append(replace(entry, hash=hash_))
        before = hash_
    return replace(record, log=LogPart(CAMPAIGN, GENESIS, tuple(entries)))


def said(text: str, record: DayRecord, receipt: Receipt | None = None, head: str = "") -> bool:
    """Whether what differs says this."""
    findings = verify_day(record, head) if receipt is None else verify_receipt(receipt, record, head)
    return any(text in each.text for each in findings if not each.holds)


def test_an_honest_day_verifies_whole() -> None:
    record, receipt = honest()
    assert [each.text for each in verify_day(record) if not each.holds] == []
    assert [each.text for each in verify_receipt(receipt, record) if not each.holds] == []


def test_a_head_noted_earlier_must_still_be_there() -> None:
    record, _ = honest()
    assert not said("noted earlier", record, head=record.log.entries[7].hash)
    assert said("noted earlier", record, head="ab" * 32)


def test_another_seed_than_committed_to_is_seen() -> None:
    record, receipt = honest()
    other = rechained(record, _with_seed("11" * 32))
    assert said("seed: its commitment", other)
    assert said("seed: its commitment", other, receipt)
    assert said("follows from the seed", other)


def test_a_change_of_what_was_published_breaks_the_chain() -> None:
    record, receipt = honest()
    entries = list(record.log.entries)
    entries[3] = replace(entries[3], text=entries[3].text.replace('"threshold":', '"threshold":1'))
    changed = replace(record, log=replace(record.log, entries=tuple(entries)))
    assert said("entry 4 does not have the hash", changed)
    assert said("entry 4 does not have the hash", changed, receipt)


def test_an_entry_left_out_is_missed() -> None:
    record, _ = honest()
    without = replace(record, log=replace(record.log, entries=record.log.entries[:4] + record.log.entries[5:]))
    assert said("entry 6 follows entry 4", without)


def test_a_threshold_that_somebody_chose_is_seen() -> None:
    record, _ = honest()

    def opened_for_a_friend(entry: Entry) -> Entry:
        if entry.kind != public_log.SLOT:
            return entry
        slot = msgspec.json.decode(entry.text, type=SlotTold)
        return replace(entry, text=msgspec.json.encode(replace(slot, threshold=slot.threshold // 2)).decode())

    assert said("the rule gives", rechained(record, opened_for_a_friend))


def test_figures_of_a_gate_that_the_draws_do_not_come_to_are_seen() -> None:
    record, _ = honest()
    hidden = replace(record, draws=record.draws[:50] + record.draws[60:])
    assert said("the day's draws come to", hidden)


def test_a_draw_that_was_made_larger_is_seen() -> None:
    record, receipt = honest()
    draws = list(record.draws)
    draws[0] = replace(draws[0], drawn=3_000, given=3_000)
    assert said("published as 3000", replace(record, draws=tuple(draws)))
    assert said("drawn: in fen", record, replace(receipt, drawn=receipt.drawn + 1))


def test_a_draw_kept_twice_is_seen() -> None:
    record, _ = honest()
    assert said("kept more than once", replace(record, draws=(*record.draws, record.draws[0])))


def test_less_than_the_draw_is_seen_when_the_payment_was_large_enough() -> None:
    record, receipt = honest()
    assert said("record: the draw", record, replace(receipt, given=receipt.given - 1))
    assert said("given:", record, replace(receipt, given=0))


class Stingy(Living):
    """Keeps to every rule, but gives one person, who drew a lot, a fen of it: its books, gates and record all agree."""

    victim = 0

    def _gives(self, person: int, draw: Draw, slot: int, amount: int) -> int:
        given = super()._gives(person, draw, slot, amount)
        if self.victim or given < 500:
            return given
        self.victim = person
        return 1


def test_less_than_was_drawn_is_seen_where_the_budget_had_more() -> None:
    day = Stingy(100_000)
    day.live(comers(1, 2_000))
    record, receipt = day.record(), day.receipt_of(day.victim, 50_000)
    assert not [each for each in verify_day(record) if not each.holds], "nobody else can see it"
    assert said(f"given: 1 of {receipt.drawn} fen, as the last draw of a budget", record, receipt)


def test_the_last_draw_of_a_budget_may_give_less() -> None:
    day = Living(4_000, hours=(1_000_000, *[1] * 23), slot_s=3_600)  # All of it at once: it ends within a slot.
    day.live([(60, person, 50_000) for person in range(100)])
    record = day.record()
    cut = [each.given < each.drawn for each in record.draws]
    assert cut == [False] * (len(cut) - 1) + [True]
    assert sum(each.given for each in record.draws) == 4_000
    for person in day.used:
        assert not [each.text for each in verify_receipt(day.receipt_of(person, 50_000), record) if not each.holds]


def test_a_gate_published_when_its_slot_was_over_is_seen() -> None:
    record, _ = honest()

    def late(entry: Entry) -> Entry:
        return replace(entry, at_ms=entry.at_ms + 600_000) if entry.kind == public_log.SLOT else entry

    assert said("slot 7: its gate was published when it was over", rechained(record, late))


def test_a_seed_that_was_out_before_the_day_was_over_is_seen() -> None:
    record, receipt = honest()

    def early(entry: Entry) -> Entry:
        return replace(entry, at_ms=entry.at_ms - 1) if entry.kind == public_log.REVEAL else entry

    assert said("seed: revealed when the day was over", rechained(record, early))
    assert said("seed: revealed when the day was over", rechained(record, early), receipt)


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("reference", {"phrase": "another"}),
        ("reference", {"token": "00" * 16}),
        ("slot: of the moment", {"at_ms": 1}),
        ("turn", {"turn": 2}),
        ("it is of campaign", {"campaign": "cmp_other"}),
        ("its threshold was published before", {"at_ms": 1}),
    ],
)
def test_a_receipt_that_does_not_fit_says_where(text: str, change: dict[str, object]) -> None:
    record, receipt = honest()
    assert said(text, record, replace(receipt, **change))


def test_before_the_reveal_it_says_so() -> None:
    record, receipt = honest()
    early = rechained(record, lambda entry: None if entry.kind == public_log.REVEAL else entry)
    assert said("not revealed", early, receipt)
    assert said("opens and reveals 0 days", early)


def test_a_log_without_the_days_rules_says_so() -> None:
    record, receipt = honest()
    bare = rechained(record, lambda entry: None if entry.kind == public_log.DAY else entry)
    assert said("does not say what", bare, receipt)


def test_an_entry_that_cannot_be_read_says_so() -> None:
    record, receipt = honest()
    odd = rechained(record, lambda entry: replace(entry, text="{}") if entry.kind == public_log.SLOT else entry)
    assert said("can't be read", odd, receipt)
    assert said("can't be read", odd)


def test_more_than_the_budget_is_seen() -> None:
    record, _ = honest()

    def smaller(entry: Entry) -> Entry:
        return replace(entry, text=entry.text.replace('"budget":100000', '"budget":50000'))

    assert said("fen given of 50000", rechained(record, smaller))


def _with_seed(seed: str) -> Callable[[Entry], Entry]:
    def change(entry: Entry) -> Entry:
        if entry.kind != public_log.REVEAL:
            return entry
        day = entry.told["day"]
        return replace(entry, text=f'{{"day":"{day}","seed":"{seed}"}}')

    return change
