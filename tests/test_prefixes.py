"""What an id begins with says what it is of: no two things share a prefix."""

import re
from collections import defaultdict
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src/hutong"
_DECLARED = re.compile(r'^_?([A-Z]+)_PREFIX = "([a-z]{3})"', flags=re.MULTILINE)
_SAME = {"pay": {"PAYMENT", "WITHDRAWAL"}}  # A withdrawal is a payment, and found as one.


def test_no_two_things_have_ids_that_begin_alike() -> None:
    nouns = defaultdict(set)
    for path in SOURCE.rglob("*.py"):
        for noun, prefix in _DECLARED.findall(path.read_text()):
            nouns[prefix].add(noun)
    assert {prefix: of for prefix, of in nouns.items() if len(of) > 1} == _SAME
