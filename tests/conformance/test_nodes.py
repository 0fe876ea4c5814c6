"""
The kit against our own nodes, real processes on a real PostgreSQL, and against the tiny participant: every case passes.

All are tested at once, because most of a run is waiting for somebody to ask again. Here our nodes are not killed
(`make conform` does that, too); the tiny participant is.
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from hutong.conformance.case import Result
from hutong.conformance.run import Subject, chosen, run
from hutong.runtime.address import Address
from tests.conformance.subjects import ROOT, failures, institution, skipped, switch, tiny
from tests.network.conftest import new_database, this_checkout

CRASH = bool(os.environ.get("CONFORM_CRASH"))
SLOW = {"PD-LATE"}  # It waits for a deadline.
SENDS = ("PD-*", "PR-*", "PX-*")  # What a wallet adds.
KILLS = {"PC-CRASH", "PD-CRASH", "SO-CRASH"}


@pytest.fixture(scope="module")
def reports(postgres: Address, run_directory: Path) -> Iterator[dict[str, list[Result]]]:
    directory = run_directory / f"conformance-{os.getpid()}"
    directory.mkdir()
    addresses = [new_database(postgres) for _ in range(2)]
    for name in ("institution", "switch"):
        (directory / name).mkdir()
    subjects: dict[str, AbstractContextManager[Subject]] = {
        "institution": institution(directory / "institution", addresses[0], crash=CRASH),
        "switch": switch(directory / "switch", addresses[1], crash=CRASH),
        "tiny": tiny(directory / "tiny", wallet=False),
        "wallet": tiny(directory / "wallet"),
    }
    with this_checkout(), ThreadPoolExecutor(4) as pool:
        found = {
            name: pool.submit(partial(_run, subject, SENDS if name == "wallet" else ()))
            for name, subject in subjects.items()
        }
        yield {name: results.result() for name, results in found.items()}


def _run(subject: AbstractContextManager[Subject], patterns: Sequence[str]) -> list[Result]:
    with subject as under:
        return run(under, chosen(under.side, patterns))


def test_our_institution_keeps_the_contract(reports: dict[str, list[Result]]) -> None:
    results = reports["institution"]
    assert failures(results) == []
    assert skipped(results) == SLOW | (set() if CRASH else KILLS - {"SO-CRASH"})


def test_our_switch_keeps_the_contract(reports: dict[str, list[Result]]) -> None:
    results = reports["switch"]
    assert failures(results) == []
    # A calendar without settlement days, as at a weekend, may have no window that can be closed.
    assert skipped(results) - {"SS-FILE"} == (set() if CRASH else {"SO-CRASH"})


def test_the_tiny_participant_keeps_the_contract_through_crashes(reports: dict[str, list[Result]]) -> None:
    """It is paid, and sends no money; nothing else is left unproven."""
    results = reports["tiny"]
    assert failures(results) == []
    assert {case_id[:2] for case_id in skipped(results)} == {"PD", "PH", "PK", "PQ", "PR"}


def test_with_its_wallet_it_also_sends(reports: dict[str, list[Result]]) -> None:
    results = reports["wallet"]
    assert failures(results) == []
    assert skipped(results) == SLOW


def test_the_tiny_participant_stays_tiny() -> None:
    """One file, and nobody's but the standard library's and PyNaCl's code."""
    source = (ROOT / "examples" / "tiny_participant.py").read_text()
    assert len(source.splitlines()) <= 300
    imported = set(re.findall(r"^(?:from|import) (\w+)", source, flags=re.MULTILINE))
    assert imported <= {*sys.stdlib_module_names, "nacl"}
