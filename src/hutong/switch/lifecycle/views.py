"""What the API takes and shows of a participant's life. Instants are milliseconds since 1970 UTC, amounts minor units."""

from typing import Annotated

import msgspec

from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS
from hutong.scheme.message import CurrencyCode, MinorUnits, NodeId
from hutong.switch.lifecycle.application import Application, MaybeWords, Words
from hutong.switch.lifecycle.blocker import Blocker
from hutong.switch.lifecycle.certificate import FAILED, PASSED, Certificate, CertificateRow, Waived
from hutong.switch.lifecycle.key import CeremonyRow, KeyState
from hutong.switch.lifecycle.stage import Passage, Stage, possible
from hutong.switch.node import SwitchNode
from hutong.switch.views import KeyView, key_view

_WARN_DAYS = 30


class NewCertificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the kit found; `waived` says why a case that it could not prove need not be."""

    certificate: Certificate
    waived: Waived = {}


class NewParticipant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a certified applicant begins with: the reserve that came to the settlement bank, or expressly nothing."""

    reserve: MinorUnits = 0
    zero_cap: bool = False
    currency: CurrencyCode = "CNY"
    consented_by: MaybeWords = ""  # Who agreed that its code forms overlap others'.
    reason: MaybeWords = ""


class Leave(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a node leaves. `returns_for_s`: for how long what was paid may still be given back; by default as the policy has it."""

    reason: Words
    returns_for_s: Annotated[int, msgspec.Meta(ge=0, le=400 * 86_400)] | None = None
    forms_to: NodeId | None = None  # Who takes its code forms over, having agreed.
    consented_by: MaybeWords = ""


class Fingerprint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As the participant read it aloud; however it is grouped."""

    fingerprint: Words


class ApplicantView(msgspec.Struct, frozen=True):
    """Who has applied, and how far it is."""

    node: str
    name: str
    legal_entity: str
    url: str
    stage: str
    taken_by: str
    taken_at_ms: int


class CertificateView(msgspec.Struct, frozen=True, kw_only=True):
    """What the kit found."""

    at_ms: int
    kit_version: str
    kit_key: str
    passed: int
    failed: int
    not_proven: int
    waived: dict[str, str]
    cases_sha256: str
    taken_by: str


class PassageView(msgspec.Struct, frozen=True):
    """A step that was taken."""

    at_ms: int
    step: str
    stage: str
    by: str
    reason: str


class Check(msgspec.Struct, frozen=True):
    """One thing to be had before a node is a participant."""

    what: str
    done: bool
    details: str


class LifeView(msgspec.Struct, frozen=True, kw_only=True):
    """A node from its application to its end: what is done, what is missing, what can be done next."""

    node: str
    stage: str
    next: str
    possible: list[str]
    checklist: list[Check]
    warnings: list[str]
    blockers: list[Blocker]
    application: Application | None
    certificate: CertificateView | None
    keys: list[KeyView]
    history: list[PassageView]


def keys_of(switch: SwitchNode, node: str) -> list[KeyView]:
    """A node's keys with their ceremonies, by id."""
    ceremonies = {each.key_id: each for each in switch.lifecycle.ceremonies(node)}
    keys = {key.key_id: key for key in switch.admission.keys() if key.node_id == node}  # noqa: SIM118  # Rows.
    shown = [key_view(key, ceremonies.get(key.key_id)) for key in keys.values()]
    shown += [key_view(each) for each in ceremonies.values() if each.key_id not in keys]
    return sorted(shown, key=lambda key: key.key_id)


def certificate_view(row: CertificateRow) -> CertificateView:
    certificate = row.read()
    verdicts = list(certificate.statement.verdicts.values())
    passed, failed = verdicts.count(PASSED), verdicts.count(FAILED)
    return CertificateView(
        at_ms=certificate.statement.at_ms,
        kit_version=certificate.statement.kit_version,
        kit_key=certificate.public_key,
        passed=passed,
        failed=failed,
        not_proven=len(verdicts) - passed - failed,
        waived=row.read_waived(),
        cases_sha256=certificate.statement.cases_sha256,
        taken_by=row.taken_by,
    )


def passage_view(passage: Passage) -> PassageView:
    at_ms = passage.taken_ns // NS_PER_MS
    return PassageView(at_ms, passage.step, passage.stage, passage.taken_by, passage.reason)


def key_warnings(keys: list[KeyView], now_ns: int) -> list[str]:
    """That a node soon has no key to sign with."""
    now_ms = now_ns // NS_PER_MS
    ends = [key.valid_until_ms for key in keys if not key.pending and key.valid_until_ms > now_ms]
    if not ends:
        return ["no key is valid: it can sign nothing"] if keys else []
    days = (max(ends) - now_ms) * NS_PER_MS // NS_PER_DAY
    return [f"its last key ends in {days} days: have the next one registered"] if days < _WARN_DAYS else []


def next_to_do(node: str, stage: Stage, ceremonies: list[CeremonyRow], blockers: list[Blocker]) -> str:
    """The operator's next step, as a command."""
    pending = [each for each in ceremonies if each.state == KeyState.PENDING.value]
    if pending and stage is not Stage.LEFT:
        who = f"another operator than {pending[0].registered_by}"
        return f"{who}: hutong participant confirm-key {node} {pending[0].key_id} FINGERPRINT"
    match stage:
        case Stage.APPLIED:
            return (
                f"hutong conform --participant URL --report report.json; hutong participant certify {node} report.json"
            )
        case Stage.CERTIFIED:
            return f"hutong participant admit {node} --reserve AMOUNT, or --zero-cap"
        case Stage.REJECTED | Stage.WITHDRAWN:
            return "nothing, until it applies again"
        case Stage.LEAVING if blockers:
            return f"{blockers[0].what}: {blockers[0].then}"
        case Stage.LEAVING:
            return f"hutong participant depart {node}"
        case Stage.SUSPENDED:
            return f"hutong participant resume {node}, or leave {node}"
        case _:
            return "nothing"


def steps_from(stage: Stage) -> list[str]:
    return [step.value for step in possible(stage)]
