"""
What a run found, in short and signed with the key that the kit played with: what a scheme's operator attaches to a node.

What is signed is the line `hutong-conformance/1`, a line feed, and the JSON of `statement` with its fields sorted by name,
without spaces, in UTF-8.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from nacl.signing import SigningKey

from hutong.conformance.case import Result, Side
from hutong.conformance.run import Subject
from hutong.conformance.wire import VERSION, now_ms

KIT_VERSION = "1"  # Another one whenever a case comes, goes or asks for something else.
_DOMAIN = b"hutong-conformance/1\n"


def certificate(results: Sequence[Result], subject: Subject, cases: Any) -> dict[str, Any]:
    """The signed statement about a run; `cases` is the report's list of them, which its digest binds."""
    plays = subject.plays if subject.side is Side.PARTICIPANT else subject.identity.node("payer")
    key, *_ = subject.identity.keys(plays)
    statement = {
        "kit_version": KIT_VERSION,
        "protocol_version": VERSION,
        "side": subject.side.value,
        "node": subject.peer.node,
        "subject": subject.peer.url,
        "keys": [public.hex() for public in subject.peer.keys.values()],
        "at_ms": now_ms(),
        "verdicts": {result.case.id: result.verdict.value for result in results},
        "cases_sha256": hashlib.sha256(_canonical(cases)).hexdigest(),
    }
    signature = SigningKey(key.seed).sign(_DOMAIN + _canonical(statement)).signature
    return {
        "statement": statement,
        "key_id": key.key_id,
        "public_key": key.public_hex,
        "signature": signature.hex(),
    }


def _canonical(told: Any) -> bytes:
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
