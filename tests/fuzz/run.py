"""`python -m tests.fuzz.run TARGET [libFuzzer's options]`: coverage-guided, until it finds something or the time is over."""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["hutong"]):
    from tests.fuzz.targets import TARGETS, run, seeds


def main() -> None:
    """What is found is written to `crash-…`; put it into `tests/fuzz/finds/TARGET/`, and mend it."""
    target = TARGETS[sys.argv[1]]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds(sys.argv[1])):
            (Path(corpus) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *sys.argv[2:], corpus], lambda data: run(target, data))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
