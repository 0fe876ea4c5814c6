"""The checker of histories finds what is planted in a log or in rows, and nothing where nothing is."""

import ast
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.network import history
from tests.network.history import Cleared, Ledgers, Window, check, number, read_log

PAID, REJECTED, BACK, LATE, REQUEST = ("pay_" + letter * 26 for letter in "12345")
PAID_ID, REJECTED_ID, BACK_ID, LATE_ID = (number(id_) for id_ in (PAID, REJECTED, BACK, LATE))
Lines = list[dict[str, Any]]


def told() -> Lines:
    """One payment of 50 completes, one is rejected, 20 of the first are given back, and one is heard of late."""

    def asked(id_: str, kind: str, amount: int, at: int) -> dict[str, Any]:
        node = "wei" if kind == "refund" else "jing"
        return {"what": "asked", "id": id_, "kind": kind, "node": node, "who": "u", "amount": amount, "at": at}

    def answered(id_: str, answer: str, at: int) -> dict[str, Any]:
        return {"what": "answered", "id": id_, "answer": answer, "at": at}

    def read(asked: int, balance: int, **more: bool) -> dict[str, Any]:
        return {"what": "balance", "who": "u", "asked": asked, "at": asked + 5, "balance": balance, **more}

    return [
        {"what": "opened", "who": "u", "node": "jing", "funds": 100},
        asked(PAID, "payment", 50, 10),
        answered(PAID, "unknown", 15),
        answered(PAID, "COMPLETED", 20),
        read(25, 50),
        asked(REJECTED, "payment", 7, 30),
        answered(REJECTED, "REJECTED", 40),
        asked(BACK, "refund", 20, 50),
        answered(BACK, "COMPLETED", 60),
        read(61, 50),
        read(70, 70),
        asked(LATE, "payment", 5, 80),
        answered(LATE, "PENDING", 90),
        read(91, 65),
        answered(LATE, "COMPLETED", 100),
        read(120, 65, last=True),
        {"what": "takings", "who": "m", "balance": 34},
    ]


def rows() -> Ledgers:
    """The same in the ledgers: a fen of fee stays with the institution of the merchant."""
    return Ledgers(
        payments=[("jing", PAID_ID, 50, True), ("jing", REJECTED_ID, 7, False), ("jing", LATE_ID, 5, True)],
        refunds=[("wei", BACK_ID, 20, True)],
        incoming=[
            ("wei", PAID_ID, True),
            ("wei", REJECTED_ID, False),
            ("wei", LATE_ID, True),
            ("jing", "r" + BACK_ID, True),
        ],
        spent={("jing", PAID_ID): 50, ("jing", LATE_ID): 5},
        cleared=[
            Cleared(PAID_ID, "jing", "jing", "wei", 49, 1, "ACSC", "2026-01-01/1"),
            Cleared(REJECTED_ID, "jing", "jing", "wei", 7, 0, "RJCT", ""),
            Cleared("r" + BACK_ID, "wei", "jing", "wei", 20, 0, "ACSC", "2026-01-01/1"),
            Cleared(LATE_ID, "jing", "jing", "wei", 5, 0, "ACSC", "2026-01-01/2"),
        ],
        windows={
            "2026-01-01/1": Window("SETTLED", 2, {"jing": -30, "wei": 29, "switch": 1}),
            "2026-01-01/2": Window("OPEN", 0),
        },
        income=1,
    )


def verdict(lines: Lines, ledgers: Ledgers) -> list[str]:
    return check(read_log(json.dumps(line) for line in lines), ledgers)


def test_a_sound_history_is_sound() -> None:
    assert verdict(told(), rows()) == []


def _answer(lines: Lines, id_: str, answer: str, at: int) -> None:
    lines.append({"what": "answered", "id": id_, "answer": answer, "at": at})


def _drop_answers(lines: Lines, id_: str) -> None:
    lines[:] = [line for line in lines if not (line["what"] == "answered" and line["id"] == id_)]


def _read(lines: Lines, index: int, balance: int) -> None:
    [line for line in lines if line["what"] == "balance"][index]["balance"] = balance


LIES: dict[str, tuple[Callable[[Lines], None], str]] = {
    "completed, then rejected": (lambda lines: _answer(lines, PAID, "REJECTED", 200), "was answered"),
    "completed, then pending": (lambda lines: _answer(lines, PAID, "PENDING", 200), "pending again"),
    "never answered": (lambda lines: _drop_answers(lines, LATE), "unknown after healing"),
    "asked for by nobody": (
        lambda lines: lines.__delitem__(slice(5, 7)),
        "nobody asked",
    ),
    "a read that misses a payment": (lambda lines: _read(lines, 0, 100), "was possible"),
    "a read that counts a rejected payment": (lambda lines: _read(lines, 1, 43), "was possible"),
    "a read of a refund before it is asked for": (lambda lines: _read(lines, 0, 70), "was possible"),
    "the last read misses a refund": (lambda lines: _read(lines, -1, 45), "was possible"),
    "no last read": (lambda lines: lines.__delitem__(-2), "not read in the end"),
    "a till that has too much": (lambda lines: lines[-1].__setitem__("balance", 35), "was paid in"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_doctored_log_is_found(name: str) -> None:
    lines = told()
    doctor, says = LIES[name]
    doctor(lines)
    found = verdict(lines, rows())
    assert any(says in text for text in found), found


def _lose(found: Ledgers) -> None:
    del found.payments[0]


def _complete_rejected(found: Ledgers) -> None:
    found.payments[1] = ("jing", REJECTED_ID, 7, True)


def _amount(found: Ledgers) -> None:
    found.payments[0] = ("jing", PAID_ID, 51, True)


def _undecided(found: Ledgers) -> None:
    found.cleared[3].status = None


DAMAGE: dict[str, tuple[Callable[[Ledgers], object], str]] = {
    "an accepted payment is lost": (_lose, "was completed, and the ledgers have []"),
    "a rejected one completed": (_complete_rejected, "the ledgers completed it"),
    "another amount": (_amount, "was completed, and the ledgers have"),
    "twice": (lambda found: found.payments.append(found.payments[0]), "is there twice"),
    "taken twice": (lambda found: found.spent.__setitem__(("jing", PAID_ID), 100), "took 100"),
    "not taken": (lambda found: found.spent.clear(), "took 0"),
    "no outcome": (lambda found: found.payments.__setitem__(2, ("jing", LATE_ID, 5, None)), "has no outcome"),
    "left pending": (lambda found: found.open.append(("wei", "f" * 32)), "is pending"),
    "undecided": (_undecided, "is undecided"),
    "received twice": (lambda found: found.incoming.append(found.incoming[0]), "is there twice"),
    "not received": (lambda found: found.incoming.pop(0), "not so here"),
    "cleared twice": (lambda found: found.cleared.append(found.cleared[0]), "cleared twice"),
    "in no window": (lambda found: setattr(found.cleared[0], "window", ""), "in no window"),
    "in another window": (lambda found: setattr(found.cleared[0], "window", "2026-01-01/2"), "says 2 payments"),
    "a window is halted": (lambda found: setattr(found.windows["2026-01-01/1"], "state", "HALTED"), "is halted"),
    "obligations differ": (lambda found: found.windows["2026-01-01/1"].net.update(wei=30), "obligations"),
    "money was made": (lambda found: setattr(found, "income", 2), "was paid in"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_rows_are_found(name: str) -> None:
    found = deepcopy(rows())
    damage, says = DAMAGE[name]
    damage(found)
    wrong = verdict(told(), found)
    assert any(says in text for text in wrong), wrong


def test_the_checker_imports_nothing_of_what_it_checks() -> None:
    tree = ast.parse(Path(history.__file__).read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in names if name.startswith(("hutong", "tests"))]
