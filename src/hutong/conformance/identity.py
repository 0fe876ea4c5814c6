"""
Who the kit is: the nodes it plays, their keys and code forms, kept in one file so that they can be registered once.

The file holds seeds of test keys and is readable by its owner alone. Never register them outside a test network.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.conformance.wire import FOR_EVER_MS, Key, digest, new_id, now_ms

KEYS_FROM_MS = 0
ENDED_MS = 1_000  # When the ended key ended: just after 1970 began.
CAP = 1_000_000_00
POOR_CAP = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """One file's worth: a secret, from which all keys follow, and a mark that makes node ids unlike others'."""

    secret: str
    mark: str

    def keys(self, node: str) -> list[Key]:
        """The key that signs, the one it is changing to, and one that has ended."""
        mark = self.mark
        one, two, ended = (digest(self.secret, node, each) for each in ("1", "2", "ended"))
        until = FOR_EVER_MS // 2
        return [
            Key(f"{node}-{mark}-1", one, KEYS_FROM_MS, until),
            Key(f"{node}-{mark}-2", two, KEYS_FROM_MS, until),
            Key(f"{node}-{mark}-ended", ended, KEYS_FROM_MS, ENDED_MS),
        ]

    def node(self, role: str) -> str:
        """The id of a node that is played before a switch."""
        return f"kit-{role}-{self.mark}"

    @property
    def forms(self) -> dict[str, str]:
        """What the payee's codes begin with: a link, and four digits of payment codes."""
        return {
            "payee": f"https://kit-{self.mark}.conformance.example/q/",
            "digits": f"9{int(self.mark, 16) % 1000:03d}",
        }

    def described(self, node: str, url: str, *, forms: bool = False, cap: int = 0) -> dict[str, Any]:
        """What the other side must be told of a played node."""
        keys = [
            {
                "key_id": key.key_id,
                "public_key": key.public_hex,
                "valid_from_ms": key.valid_from_ms,
                "valid_until_ms": key.valid_until_ms,
            }
            for key in self.keys(node)
        ]
        own = [f"url:{self.forms['payee']}", f"digits:{self.forms['digits']}:18"] if forms else []
        return {"node": node, "url": url, "keys": keys, "forms": own, "cap": cap}


def fresh_identity() -> Identity:
    return Identity(os.urandom(32).hex(), f"{now_ms() & 0xFFF:03x}{new_id()[-3:]}")


def read_identity(path: Path) -> Identity:
    """The identity in a file, made if there is none."""
    if path.exists():
        told = json.loads(path.read_text(encoding="utf-8"))
        return Identity(str(told["secret"]), str(told["mark"]))
    identity = fresh_identity()
    path.touch(mode=0o600)
    path.write_text(json.dumps({"secret": identity.secret, "mark": identity.mark}) + "\n", encoding="utf-8")
    return identity
