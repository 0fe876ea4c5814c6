"""What an applicant and the kit hand in, written without the product's own code: from the words of docs/participants.md."""

import hashlib
import json
from typing import Any

from nacl.signing import SigningKey

from hutong.switch.lifecycle.policy import LifecyclePolicy

SEED = bytes(range(32))
KIT_SEED = bytes(range(32, 64))
PUBLIC = SigningKey(SEED).verify_key.encode().hex()
URL = "https://yun.example"


def canonical(told: Any) -> bytes:
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def fingerprint_of(public_hex: str) -> str:
    digits = hashlib.sha256(b"hutong-key/1\n" + bytes.fromhex(public_hex)).hexdigest()[:40]
    return " ".join(digits[at : at + 4] for at in range(0, 40, 4))


def application(now_ms: int, *, seed: bytes = SEED, **changes: Any) -> dict[str, Any]:
    about: dict[str, Any] = {
        "switch": "switch",
        "node": "yun",
        "participant": "yun",
        "name": "Bank Yun 云行",
        "legal_entity": {
            "name": "云行股份有限公司",
            "registration_id": "91310000MA1FL0000X",
            "country": "CN",
            "address": "上海市 1",
        },
        "contact": {"name": "李 Li", "email": "li@yun.example", "phone": "+86 21 0000"},
        "url": URL,
        "forms": ["url:https://yun.example/q/"],
        "key": {"key_id": "yun-1", "public_key": SigningKey(seed).verify_key.encode().hex()},
        "protocol_version": 1,
        "made_at_ms": now_ms,
    }
    about |= changes
    signature = SigningKey(seed).sign(b"hutong-application/1\n" + canonical(about)).signature.hex()
    return {"application": about, "signature": signature}


def certificate(now_ms: int, *, verdicts: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "kit_version": "1",
        "protocol_version": 1,
        "side": "participant",
        "node": "yun",
        "subject": URL,
        "keys": [PUBLIC],
        "at_ms": now_ms,
        "verdicts": dict.fromkeys(LifecyclePolicy().mandatory, "passed") | (verdicts or {}),
        "cases_sha256": "ab" * 32,
    }
    statement |= changes
    key = SigningKey(KIT_SEED)
    signature = key.sign(b"hutong-conformance/1\n" + canonical(statement)).signature.hex()
    public_key = key.verify_key.encode().hex()
    return {"statement": statement, "key_id": "switch-kit-1", "public_key": public_key, "signature": signature}
