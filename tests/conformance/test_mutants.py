"""The kit can fail: broken copies of the tiny participant, each caught by the case that should."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from hutong.conformance.case import Verdict
from hutong.conformance.run import chosen, run
from tests.conformance.subjects import tiny

MUTANTS = {
    "believes any signature": (
        {'raise No("SIGNATURE_WRONG") from None': "pass"},
        "PE-SIGNED",
    ),
    "takes an envelope twice": ({'if h["nonce"] in self.nonces:': "if False:"}, "PE-REPLAY"),
    "takes amounts for texts": (
        {'return type_.get("min", 1) <= value <= type_.get("max", 0)': "return True"},
        "PE-AMOUNTS",
    ),
    "takes PDNG for a yes": (
        {'m["TxSts"] == "ACSC"': 'm["TxSts"] != "RJCT"', '{"ACSC", "RJCT"}': '{"ACSC", "RJCT", "PDNG"}'},
        "PC-PENDING",
    ),
    "credits twice": ({'deal["state"] != "HELD" or m': "m"}, "PC-REPEATED"),
    "forgets what overtook": ({'if deal is None and m["TxSts"] == "RJCT":': "if False:"}, "PC-TOMBSTONE"),
    "accepts two for one request": ({'if code["amount"] and code["claimed"]:': "if False:"}, "PC-DYNAMIC-PAID"),
    "rounds down": ({"+ 5_000) // 10_000": ") // 10_000"}, "PD-FEES"),
    "gives back more than was paid": ({"if over or sum": "if sum"}, "PR-OVER"),
    "refuses what it does not know": (
        {
            "    for name, field in fields.items():": "    assert m.keys() <= {'MsgTp', *fields}\n    for name, field in fields.items():"
        },
        "PE-UNKNOWN-FIELDS",
    ),
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
