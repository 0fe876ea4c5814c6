"""The kit can fail: broken copies of the tiny participant, each caught by the case that should."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from hutong.conformance.case import Verdict
from hutong.conformance.run import chosen, run
from tests.conformance.subjects import tiny

MUTANTS = {
    "believes any signature": ({'require(None, "SIGNATURE_WRONG")': "pass"}, "PE-SIGNED"),
    "takes PDNG for a decision": ({'m["TxSts"] in {"ACSC", "RJCT"}': 'm["TxSts"] != "ACSP"'}, "PC-PENDING"),
    "credits twice": ({'deal["state"] == "HELD" and m': "m"}, "PC-REPEATED"),
    "forgets what overtook": ({'if deal is None and m["TxSts"] == "RJCT":': "if False:"}, "PC-TOMBSTONE"),
    "accepts two for one request": ({'rival is None or rival["state"] == "RJCT"': "True"}, "PC-DYNAMIC-PAID"),
    "gives back more than was paid": ({"adds_up and not over": "adds_up"}, "PR-OVER"),
    "books entries out of their order": ({'if m["ElctrncSeqNb"] == last + 1:': "if True:"}, "PS-EARLY"),
    "gives back what nobody paid": ({'no = {"Conf": "RJCR"': 'no = {"Conf": "PDCR"'}, "PF-UNKNOWN"),
    "calls every merchant alike": ({'code["payee"][-32:]': '"m-1"'}, "PC-MERCHANT"),
    "rounds down": ({"+ 5_000) // 10_000": ") // 10_000"}, "PD-FEES"),
}


@pytest.fixture(scope="module")
def caught(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """All at once: each is mostly waiting."""
    directory = tmp_path_factory.mktemp("mutants")

    def attempt(name: str) -> Verdict:
        changes, case_id = MUTANTS[name]
        with tiny(directory / name.replace(" ", "-"), changes) as subject:
            (result,) = run(subject, chosen(subject.side, [case_id]))
        return result.verdict

    with ThreadPoolExecutor(5) as pool:
        return dict(zip(MUTANTS, pool.map(attempt, MUTANTS), strict=True))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_participant_is_caught(caught: dict[str, Verdict], mutant: str) -> None:
    assert caught[mutant] is Verdict.FAILED
