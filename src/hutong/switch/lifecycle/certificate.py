"""
A certificate: what the conformance kit found of a node, signed with the key that the kit played the switch with.

What is signed is the line `hutong-conformance/1`, a line feed, and the JSON of `statement` with its fields sorted by name,
without spaces, in UTF-8. `cases_sha256` binds the whole report, with every message of every case, to it.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Text
from hutong.scheme.message import Milliseconds, NodeId
from hutong.scheme.messages import VERSION
from hutong.switch.lifecycle.application import Application, KeyName, PublicHex, SignatureHex, Words
from hutong.switch.lifecycle.policy import LifecyclePolicy
from hutong.switch.lifecycle.reason import LifecycleReason

_DOMAIN = b"hutong-conformance/1\n"
_AHEAD_MAX_NS = 600 * NS_PER_S
_SHOWN_MAX = 10
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 in hexadecimal")]
Verdict = Literal["passed", "failed", "skipped"]
PASSED: Verdict = "passed"
FAILED: Verdict = "failed"


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a run found, in short."""

    kit_version: Annotated[str, msgspec.Meta(max_length=35)]
    protocol_version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    side: Literal["participant", "switch"]
    node: NodeId
    subject: Annotated[str, msgspec.Meta(max_length=200)]  # Its URL.
    keys: Annotated[list[PublicHex], msgspec.Meta(max_length=20)]  # That its envelopes were verified with.
    at_ms: Milliseconds
    verdicts: Annotated[dict[str, Verdict], msgspec.Meta(max_length=1000)]
    cases_sha256: Digest


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement, and the kit's signature."""

    statement: Statement
    key_id: KeyName
    public_key: PublicHex
    signature: SignatureHex

    def check(self, application: Application, policy: LifecyclePolicy, waived: Mapping[str, str], now_ns: int) -> None:
        """
        Whether it is good for this applicant. `waived` says why a case that was not proven need not be; none that failed.

        Refuses:  CERTIFICATE_SIGNATURE_WRONG, CERTIFICATE_KIT_NOT_TRUSTED, CERTIFICATE_OF_ANOTHER, CERTIFICATE_OUTDATED,
                  CERTIFICATE_TOO_OLD, CERTIFICATE_CASES_FAILED, CERTIFICATE_CASES_NOT_PROVEN.
        """
        self._check_signature(policy)
        about = self.statement
        for field, said, expected in (
            ("side", about.side, "participant"),
            ("node", about.node, application.node),
            ("url", about.subject.rstrip("/"), application.url.rstrip("/")),
        ):
            if said != expected:
                raise Refusal(LifecycleReason.CERTIFICATE_OF_ANOTHER, field=field, said=said, expected=expected)
        if application.key.public_key not in about.keys:
            raise Refusal(LifecycleReason.CERTIFICATE_OF_ANOTHER, field="keys", expected=application.key.public_key)
        for field, now, then in (
            ("kit_version", policy.kit_version, about.kit_version),
            ("protocol_version", VERSION, about.protocol_version),
        ):
            if now != then:
                raise Refusal(LifecycleReason.CERTIFICATE_OUTDATED, field=field, said=then, current=now)
        at_ns = about.at_ms * NS_PER_MS
        if not now_ns - policy.report_age_max_s * NS_PER_S <= at_ns <= now_ns + _AHEAD_MAX_NS:
            raise Refusal(
                LifecycleReason.CERTIFICATE_TOO_OLD, at_ms=about.at_ms, days_max=policy.report_age_max_s // 86_400
            )
        failed = sorted(case for case, verdict in about.verdicts.items() if verdict == FAILED)
        if failed:
            raise Refusal(LifecycleReason.CERTIFICATE_CASES_FAILED, count=len(failed), cases=_shown(failed))
        passed = {case for case, verdict in about.verdicts.items() if verdict == PASSED}
        missing = sorted(policy.mandatory_for(application.forms) - passed - waived.keys())
        if missing:
            raise Refusal(LifecycleReason.CERTIFICATE_CASES_NOT_PROVEN, count=len(missing), cases=_shown(missing))

    def _check_signature(self, policy: LifecyclePolicy) -> None:
        if policy.kit_keys and self.public_key not in policy.kit_keys:
            raise Refusal(LifecycleReason.CERTIFICATE_KIT_NOT_TRUSTED, public_key=self.public_key)
        signed = _DOMAIN + msgspec.json.encode(self.statement, order="sorted")
        try:
            VerifyKey(bytes.fromhex(self.public_key)).verify(signed, bytes.fromhex(self.signature))
        except BadSignatureError:
            raise Refusal(LifecycleReason.CERTIFICATE_SIGNATURE_WRONG, key_id=self.key_id) from None


class CertificateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate as it was accepted; the newest row of a node is the one that counts."""

    node_id: Text
    certificate: Text  # JSON.
    waived: Text  # JSON: a reason by the case's id.
    taken_by: Text
    taken_ns: BigInt

    def read(self) -> Certificate:
        return msgspec.json.decode(self.certificate, type=Certificate)

    def read_waived(self) -> dict[str, str]:
        return msgspec.json.decode(self.waived, type=dict[str, str])


Waived = Annotated[dict[str, Words], msgspec.Meta(max_length=100)]


def _shown(cases: list[str]) -> str:
    more = len(cases) - _SHOWN_MAX
    return ", ".join(cases[:_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
