"""What `hutong gateway merchant create` prints for one language, beside the files it writes."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gateways.clients.stage import Stage

TITLES = {"go": "Go", "java": "Java", "php": "PHP"}


@dataclass(frozen=True)
class Printed:
    """The text, as printed; the account's directory, and the account itself."""

    text: str
    directory: Path
    account: dict[str, Any]


def printed(stage: Stage, vendor: str, language: str, out: Path) -> Printed:
    """Make an account, and print for this language alone."""
    command = [sys.executable, "-m", "hutong", "gateway", "merchant", "create", "--for", vendor, "--client", language]
    made = subprocess.run(
        [*command, "--out", str(out)], env=stage.environ, capture_output=True, text=True, check=True, timeout=180
    )
    text = made.stdout.partition(f"\n{TITLES[language]}\n")[2].partition("\nPay as somebody")[0]
    assert text, made.stdout
    return Printed(text, out, json.loads((out / "account.json").read_text())["account"])
