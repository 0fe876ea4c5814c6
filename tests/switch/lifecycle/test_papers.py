"""Applications and certificates: what is on the paper, who signed it, and how old it is."""

from typing import Any

import msgspec
import pytest

from hutong.conformance.case import Side
from hutong.conformance.certificate import KIT_VERSION as OF_THE_KIT
from hutong.conformance.run import chosen
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.switch.lifecycle.application import Application, SignedApplication, sign
from hutong.switch.lifecycle.certificate import Certificate
from hutong.switch.lifecycle.key import compact, fingerprint
from hutong.switch.lifecycle.policy import KIT_VERSION, OPTIONAL, LifecyclePolicy
from tests.switch.lifecycle.papers import PUBLIC, SEED, application, certificate, fingerprint_of

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000


def test_the_policy_knows_the_kits_cases() -> None:
    policy = LifecyclePolicy()
    known = {case.id for case in chosen(Side.PARTICIPANT) if not case.slow}
    assert policy.mandatory | policy.mandatory_payment_codes | OPTIONAL == known
    assert KIT_VERSION == OF_THE_KIT


def test_an_application_is_signed_as_the_page_says() -> None:
    made = application(NOW_MS)
    assert sign(msgspec.convert(made["application"], Application), SEED).signature == made["signature"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"switch": "other"}, "APPLICATION_FOR_ANOTHER_SWITCH"),
        ({"made_at_ms": NOW_MS - 91 * DAY_MS}, "APPLICATION_OUT_OF_DATE"),
        ({"made_at_ms": NOW_MS + DAY_MS}, "APPLICATION_OUT_OF_DATE"),
        ({"protocol_version": 2}, "APPLICATION_VERSION_NOT_SPOKEN"),
        ({"forms": ["nonsense"]}, "FORM_MALFORMED"),
        ({"forms": ["digits:28:18", "digits:28:18-20"]}, "FORM_TAKEN"),
    ],
)
def test_an_application_is_checked(changes: dict[str, Any], reason: str) -> None:
    signed = msgspec.convert(application(NOW_MS, **changes), SignedApplication)
    said = ""
    try:
        signed.check("switch", LifecyclePolicy(), NOW_MS * NS_PER_MS)
    except Refusal as refusal:
        said = refusal.reason.name
    assert said == reason


def test_who_does_not_hold_the_key_applies_for_nothing() -> None:
    made = application(NOW_MS)
    made["application"]["url"] = "https://evil.example"
    with pytest.raises(Refusal, match="APPLICATION_NOT_SIGNED_BY_ITS_KEY"):
        msgspec.convert(made, SignedApplication).check("switch", LifecyclePolicy(), NOW_MS * NS_PER_MS)


@pytest.mark.parametrize(
    ("changes", "waived", "reason"),
    [
        ({}, {}, ""),
        ({"subject": "https://yun.example/"}, {}, ""),
        ({"node": "jing"}, {}, "CERTIFICATE_OF_ANOTHER"),
        ({"subject": "https://jing.example"}, {}, "CERTIFICATE_OF_ANOTHER"),
        ({"side": "switch"}, {}, "CERTIFICATE_OF_ANOTHER"),
        ({"keys": ["00" * 32]}, {}, "CERTIFICATE_OF_ANOTHER"),
        ({"kit_version": "0"}, {}, "CERTIFICATE_OUTDATED"),
        ({"protocol_version": 2}, {}, "CERTIFICATE_OUTDATED"),
        ({"at_ms": NOW_MS - 31 * DAY_MS}, {}, "CERTIFICATE_TOO_OLD"),
        ({"at_ms": NOW_MS + DAY_MS}, {}, "CERTIFICATE_TOO_OLD"),
        ({"verdicts": {"PC-PAID": "failed"}}, {"PC-PAID": "never mind"}, "CERTIFICATE_CASES_FAILED"),
        ({"verdicts": {"PD-CRASH": "skipped"}}, {}, "CERTIFICATE_CASES_NOT_PROVEN"),
        ({"verdicts": {"PD-CRASH": "skipped"}}, {"PD-CRASH": "seen by us"}, ""),
        ({"verdicts": {"XX-OTHER": "failed"}}, {}, "CERTIFICATE_CASES_FAILED"),
    ],
)
def test_a_certificate_is_checked(changes: dict[str, Any], waived: dict[str, str], reason: str) -> None:
    assert _said(certificate(NOW_MS, **changes), waived) == reason


def test_who_wants_payment_codes_proves_them() -> None:
    assert _said(certificate(NOW_MS), {}, forms=["digits:44:18"]) == "CERTIFICATE_CASES_NOT_PROVEN"


def test_a_certificate_that_was_changed_is_nobodys() -> None:
    made = certificate(NOW_MS, verdicts={"PC-PAID": "failed"})
    made["statement"]["verdicts"]["PC-PAID"] = "passed"
    assert _said(made, {}) == "CERTIFICATE_SIGNATURE_WRONG"


def test_a_scheme_may_trust_one_kit_alone() -> None:
    policy = LifecyclePolicy(kit_keys=frozenset({"11" * 32}))
    assert _said(certificate(NOW_MS), {}, policy=policy) == "CERTIFICATE_KIT_NOT_TRUSTED"


def test_a_fingerprint_is_read_however_it_is_grouped() -> None:
    shown = fingerprint(bytes.fromhex(PUBLIC))
    assert shown == fingerprint_of(PUBLIC)
    assert compact(shown.upper().replace(" ", "-")) == compact(shown)


def _said(
    made: dict[str, Any], waived: dict[str, str], *, policy: LifecyclePolicy | None = None, **changes: Any
) -> str:
    about = msgspec.convert(application(NOW_MS, **changes)["application"], Application)
    try:
        msgspec.convert(made, Certificate).check(about, policy or LifecyclePolicy(), waived, NOW_MS * NS_PER_MS)
    except Refusal as refusal:
        return refusal.reason.name
    return ""
