"""The checker of claims finds what is planted in diaries or in rows, and nothing where nothing is."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.network import promises
from tests.network.history import number
from tests.network.promises import Diaries, Rows, Terms, check, read_diaries

ONE, TWO, THREE, PAID, GONE = (f"cpn_{letter * 26}" for letter in "12345")
ANN, BEN = (f"usr_{letter * 26}" for letter in "67")
EARLIER, BACK, TWICE = (f"rfd_{letter * 26}" for letter in "89B")
ANN_ID, BEN_ID, PAID_ID, EARLIER_ID, BACK_ID = (number(id_) for id_ in (ANN, BEN, PAID, EARLIER, BACK))
TEMPLATE, OFF, COUPONS, PACKET, FIRST, SECOND = (digit * 32 for digit in "abcdef")
ZEROTH = "0" * 31 + "1"
TERMS = Terms(
    template=TEMPLATE,
    stock=2,
    per_person=1,
    budgets={OFF: 1, COUPONS: 1},
    times={OFF: 1},
    packets={PACKET: 10},
    price=3,
    funds={ANN: 100, BEN: 100},
)
Lines = list[dict[str, Any]]


def said() -> Lines:
    """
    Two coupons, one of them used with a discount in a payment; one share of a packet; and three noes.

    The discount's one fen had been another payment's before, which was given back.
    """

    def line(kind: str, id_: str, who: str, answer: str = "GOOD", amount: int = 0, **more: Any) -> dict[str, Any]:
        told = {"kind": kind, "id": id_, "user_id": who, "answer": answer, "amount": amount}
        return {"unheard": 0, "contradicted": "", **told, **more}

    return [
        line("coupon", ONE, ANN),
        line("coupon", TWO, BEN, unheard=2),
        line("coupon", THREE, ANN, "COUPON_STOCK_EXHAUSTED"),
        line("payment", PAID, ANN, amount=2),
        line("payment", EARLIER, BEN, amount=1),
        line("refund", BACK, EARLIER),
        line("refund", TWICE, EARLIER, "REFUND_EXCEEDS_REMAINDER"),
        line("payment", GONE, BEN, "DISCOUNT_GONE"),
        line("packet", "link", BEN, amount=7),
        line("packet", "link", BEN, amount=7),
    ]


def rows() -> Rows:
    """The same in the institution's tables."""
    return Rows(
        claims=[(number(ONE), ANN_ID, 1), (number(TWO), BEN_ID, 2)],
        coupons={number(ONE): ("REDEEMED", SECOND, ANN_ID), number(TWO): ("AVAILABLE", "0" * 32, BEN_ID)},
        awards=[
            (FIRST, OFF, ANN_ID, PAID_ID, "0" * 32, 1, 0, "COMMITTED"),
            (SECOND, COUPONS, ANN_ID, PAID_ID, number(ONE), 1, 0, "COMMITTED"),
            (ZEROTH, OFF, BEN_ID, EARLIER_ID, "0" * 32, 1, 1, "COMMITTED"),
        ],
        steps=[(OFF, 1), (OFF, -1), (OFF, 1), (COUPONS, 1)],
        moves=[(OFF, 1), (COUPONS, 1), (OFF, -1), (OFF, 1), (OFF, -1), (COUPONS, -1)],
        refunds={BACK_ID: (EARLIER_ID, 3, True)},
        payments={PAID_ID: (ANN_ID, 2, True), EARLIER_ID: (BEN_ID, 1, True)},
        shares=[(PACKET, BEN_ID, 0, 7, "PAID")],
        balances={(2001, ANN_ID): 99, (2001, BEN_ID): 107, (2202, OFF): 0, (2202, COUPONS): 0, (2221, PACKET): 3},
    )


def told(lines: Lines, directory: Path) -> Diaries:
    diary = directory / "diary.jsonl"
    diary.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return read_diaries([diary])


def test_what_was_kept_is_sound(tmp_path: Path) -> None:
    found = told(said(), tmp_path)
    assert check(found, rows(), TERMS) == []
    assert (found.unheard, found.answers["coupon GOOD"], found.answers["payment cheaper"]) == (2, 2, 2)


LIES: dict[str, tuple[Callable[[Lines], object], str]] = {
    "another answer later": (lambda lines: lines[0].update(contradicted="COUPON_LIMIT_REACHED 0"), "and then"),
    "another share later": (lambda lines: lines[9].update(amount=8), "was told 8 of a packet, and 7"),
    "no answer at all": (lambda lines: lines[0].update(answer="500 b''"), "was answered 500"),
    "a yes that was a no": (lambda lines: lines[2].update(answer="GOOD"), "and the rows say None"),
    "a no that was a yes": (lambda lines: lines[1].update(answer="COUPON_LIMIT_REACHED"), "was refused, and is there"),
    "a payment's no that was a yes": (lambda lines: lines[3].update(answer="DISCOUNT_GONE"), "and was made"),
    "never asked for": (lambda lines: lines.pop(0), "told None"),
    "another discount": (lambda lines: lines[3].update(amount=1), "and the rows say"),
    "a share nobody heard of": (lambda lines: lines.__delitem__(slice(8, 10)), "1 shares of 7 were given, 0 of 0"),
    "a payment cheaper that was not": (lambda lines: lines[7].update(answer="GOOD", amount=1), "and the rows say None"),
    "a refund that was none": (lambda lines: lines[6].update(answer="GOOD"), "and the rows say None"),
    "a refund's no that was a yes": (lambda lines: lines[5].update(answer="PAYMENT_UNKNOWN"), "and was made"),
    "a refund of another payment": (lambda lines: lines[5].update(user_id=PAID), "and the rows say"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_doctored_diary_is_found(name: str, tmp_path: Path) -> None:
    lines = said()
    doctor, says = LIES[name]
    doctor(lines)
    found = check(told(lines, tmp_path), rows(), TERMS)
    assert any(says in text for text in found), found


def _award(found: Rows, at: int, **fields: Any) -> None:
    names = ("id", "campaign", "person", "payment", "source", "amount", "returned", "state")
    found.awards[at] = tuple({**dict(zip(names, found.awards[at], strict=True)), **fields}.values())


DAMAGE: dict[str, tuple[Callable[[Rows], object], str]] = {
    "one more than the stock": (
        lambda found: found.claims.append((number(THREE), BEN_ID, 3)),
        "3 coupons were claimed",
    ),
    "one more than the limit": (lambda found: found.claims.append((number(THREE), ANN_ID, 3)), "claimed 2 of 1"),
    "a number twice": (lambda found: found.claims.__setitem__(1, (number(TWO), BEN_ID, 1)), "not numbered each once"),
    "a claim twice": (lambda found: found.claims.append(found.claims[0]), "claimed twice"),
    "a claim lost": (lambda found: found.claims.pop(), "told"),
    "a claim without its coupon": (lambda found: found.coupons.pop(number(TWO)), "claims and coupons are not the same"),
    "a fen more than the budget": (lambda found: _award(found, 0, amount=2), "gave 2 of 1"),
    "an award too many": (lambda found: found.awards.append(("9" * 32, *found.awards[0][1:])), "and 1 is the limit"),
    "an award left reserved": (lambda found: _award(found, 0, state="RESERVED"), "RESERVED after healing"),
    "an award lost": (lambda found: found.awards.pop(), "are not the same"),
    "a campaign's account differs": (lambda found: found.balances.update({(2202, OFF): 1}), "paid 0, counted 1"),
    "an account overdrawn": (lambda found: found.balances.update({(2202, OFF): -1}), "and has -1"),
    "a counter differs": (lambda found: found.steps.append((OFF, 1)), "counted 2"),
    "a fen more than the budget at a moment": (
        lambda found: found.steps.__setitem__(slice(0, 3), [(OFF, 1), (OFF, 1), (OFF, -1)]),
        "had given 2 and 1 of 1 at some moment",
    ),
    "a fen back that was not given yet": (
        lambda found: found.steps.__setitem__(slice(0, 3), [(OFF, -1), (OFF, 1), (OFF, 1)]),
        "had given 1 and -1 of 1 at some moment",
    ),
    "an account overdrawn at a moment": (
        lambda found: found.moves.__setitem__(slice(2, 5), [(OFF, -1), (OFF, -1), (OFF, 1)]),
        "account had -1 to 1 of 1 at some moment",
    ),
    "an account that had more at a moment": (
        lambda found: found.moves.__setitem__(slice(2, 5), [(OFF, 1), (OFF, -1), (OFF, -1)]),
        "account had 0 to 2 of 1 at some moment",
    ),
    "a movement lost": (lambda found: found.moves.pop(), "account had 1 to 1 of 1 at some moment"),
    "a refund that brought nothing to the budget": (lambda found: _award(found, 2, returned=0), "0 of 1 came back"),
    "a fen back without a refund": (lambda found: _award(found, 0, returned=1), "and of its payment 0"),
    "a refund lost": (lambda found: found.refunds.clear(), "and the rows say None"),
    "a refund twice": (lambda found: found.refunds.update({"9" * 32: (EARLIER_ID, 3, True)}), "6 of 3 came back"),
    "a refund without an outcome": (lambda found: found.refunds.update({"9" * 32: (PAID_ID, 3, None)}), "no outcome"),
    "a coupon spent twice": (
        lambda found: found.awards.append(("9" * 32, *found.awards[1][1:])),
        "was spent by",
    ),
    "a coupon left reserved": (
        lambda found: found.coupons.update({number(TWO): ("RESERVED", "0" * 32, BEN_ID)}),
        "coupons that are spent",
    ),
    "a coupon spent and still there": (
        lambda found: found.coupons.update({number(ONE): ("AVAILABLE", "0" * 32, ANN_ID)}),
        "coupons that are spent",
    ),
    "a payment without an outcome": (lambda found: found.payments.update({"9" * 32: (BEN_ID, 0, None)}), "no outcome"),
    "a discount nobody gave": (lambda found: found.payments.update({PAID_ID: (ANN_ID, 3, True)}), "cheaper by"),
    "money on its way": (lambda found: found.balances.update({(2203, ""): 1}), "1 is still on its way"),
    "a share twice": (lambda found: found.shares.append(found.shares[0]), "are not each given once"),
    "two shares of one person": (lambda found: found.shares.append((PACKET, BEN_ID, 1, 3, "PAID")), "has two shares"),
    "a share that did not arrive": (
        lambda found: found.shares.__setitem__(0, (PACKET, BEN_ID, 0, 7, "SENDING")),
        "SENDING",
    ),
    "a packet that gave too much": (lambda found: found.balances.update({(2221, PACKET): 4}), "gave 7, and has 4"),
    "an unknown packet": (lambda found: found.shares.append(("9" * 32, ANN_ID, 0, 1, "PAID")), "nobody knows of"),
    "a fen in a wallet": (lambda found: found.balances.update({(2001, ANN_ID): 100}), "has 100, and was told of 99"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_rows_are_found(name: str, tmp_path: Path) -> None:
    found = rows()
    damage, says = DAMAGE[name]
    damage(found)
    wrong = check(told(said(), tmp_path), found, TERMS)
    assert any(says in text for text in wrong), wrong


def test_the_checker_imports_nothing_of_what_it_checks() -> None:
    tree = ast.parse(Path(promises.__file__).read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [name for name in names if name.startswith(("hutong", "tests"))] == ["tests.network.history"]
