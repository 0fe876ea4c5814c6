"""A participant's life at the switch's API: every step is an operator's, and in the audit log with the operator's name."""

from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import currency_of
from hutong.operators.service import Operators
from hutong.runtime.journal import durable
from hutong.runtime.shelf import decided
from hutong.switch.lifecycle.application import SignedApplication
from hutong.switch.lifecycle.key import KeyState, fingerprint
from hutong.switch.lifecycle.reason import LifecycleReason
from hutong.switch.lifecycle.stage import Stage, Step
from hutong.switch.lifecycle.views import (
    ApplicantView,
    Check,
    Fingerprint,
    Leave,
    LifeView,
    NewCertificate,
    NewParticipant,
    certificate_view,
    key_warnings,
    keys_of,
    next_to_do,
    passage_view,
    steps_from,
)
from hutong.switch.node import SwitchNode
from hutong.switch.settlement.rules import Fund
from hutong.switch.views import Why

Switch = NamedDependency[SkipValidation[SwitchNode]]
Staff = NamedDependency[SkipValidation[Operators]]
Asked = Request[Any, Any, Any]
_CHART = 1 << 80
_BEHIND_ADMISSION = frozenset({Stage.ACTIVE, Stage.SUSPENDED, Stage.LEAVING, Stage.LEFT})


class Applications(Controller):
    """Who wants to take part."""

    path = "/applications"
    tags = ("Lifecycle",)

    @get()
    async def list_applications(self, switch: Switch) -> list[ApplicantView]:
        """Everybody who ever applied, by node, and how far each is."""
        return await decided(switch.node.journal, lambda: _applicants(switch))

    @post(status_code=200)
    async def take_application(self, switch: Switch, request: Asked, data: JSONBody[SignedApplication]) -> LifeView:
        """
        Take in what an applicant signed with its key; another one takes its place, and is certified anew.

        Refuses APPLICATION_FOR_ANOTHER_SWITCH, APPLICATION_NOT_SIGNED_BY_ITS_KEY, APPLICATION_OUT_OF_DATE,
        APPLICATION_VERSION_NOT_SPOKEN, APPLICATION_KEY_TAKEN, STEP_OUT_OF_ORDER, and what code forms are refused for.
        """
        await decided(switch.node.journal, lambda: switch.lifecycle.apply(data, request.auth))
        return await life(switch, data.application.node)


class Lives(Controller):
    """Each step of a participant's node, refused by name where it is out of order."""

    path = "/participants/{node:str}"
    tags = ("Lifecycle",)

    @get("/life")
    async def show(self, switch: Switch, node: FromPath[str]) -> LifeView:
        """How far it is: what is done, what is missing, what comes next, and its history. Refuses APPLICATION_UNKNOWN."""
        return await life(switch, node)

    @post("/certificate", status_code=200)
    async def certify(
        self, switch: Switch, request: Asked, node: FromPath[str], data: JSONBody[NewCertificate]
    ) -> LifeView:
        """
        Attach what the conformance kit found of it.

        Refuses CERTIFICATE_SIGNATURE_WRONG, CERTIFICATE_KIT_NOT_TRUSTED, CERTIFICATE_OF_ANOTHER, CERTIFICATE_OUTDATED,
        CERTIFICATE_TOO_OLD, CERTIFICATE_CASES_FAILED, CERTIFICATE_CASES_NOT_PROVEN, STEP_OUT_OF_ORDER.
        """
        await decided(
            switch.node.journal,
            lambda: switch.lifecycle.certify(node, data.certificate, data.waived, request.auth),
        )
        return await life(switch, node)

    @post("/keys/{key_id:str}/confirm", status_code=200)
    async def confirm_key(  # Who, of whom, what.
        self,
        switch: Switch,
        staff: Staff,
        request: Asked,
        node: FromPath[str],
        key_id: FromPath[str],
        data: JSONBody[Fingerprint],
    ) -> LifeView:
        """
        Say the fingerprint as the participant read it over another channel.

        Refuses KEY_NOT_PENDING, KEY_NEEDS_ANOTHER_OPERATOR, KEY_FINGERPRINT_DIFFERS.
        """
        by = request.auth
        await decided(
            switch.node.journal,
            lambda: switch.lifecycle.confirm_key(
                node, key_id, data.fingerprint, by=by, alone=not staff.others_than(by)
            ),
        )
        return await life(switch, node)

    @post("/admit", status_code=200)
    async def admit(
        self, switch: Switch, request: Asked, node: FromPath[str], data: JSONBody[NewParticipant]
    ) -> LifeView:
        """
        Make it a participant, with its key, its code forms and its reserve, from which policy derives its cap.

        Refuses RESERVE_OR_ZERO_CAP_MISSING, STEP_OUT_OF_ORDER, KEY_NOT_CONFIRMED, CERTIFICATE_TOO_OLD and the like,
        FORM_TAKEN, FORM_OVERLAPS.
        """
        if bool(data.reserve) == data.zero_cap:
            raise Refusal(LifecycleReason.RESERVE_OR_ZERO_CAP_MISSING, reserve=data.reserve, zero_cap=data.zero_cap)
        currency = currency_of(data.currency)
        with_what = f"reserve {data.reserve} {data.currency}" if data.reserve else "zero cap"
        reason = f"{with_what}; {data.reason}" if data.reason else with_what
        await decided(
            switch.node.journal,
            lambda: switch.lifecycle.admit(node, request.auth, reason, consented_by=data.consented_by),
        )
        if data.reserve:
            answered = switch.node.journal.promise()
            change_id = derive(_CHART, f"admission/{node}/{data.currency}")
            await switch.reserves.top_up(change_id, node, currency, data.reserve, Fund.RESERVE, answered.set_result)
            await answered
            await durable(switch.node.journal)
        return await life(switch, node)

    @post("/reject", status_code=200)
    async def reject(self, switch: Switch, request: Asked, node: FromPath[str], data: JSONBody[Why]) -> LifeView:
        """Say no to an application. Refuses STEP_OUT_OF_ORDER."""
        return await _ended(switch, node, Step.REJECT, request.auth, data.reason)

    @post("/withdraw", status_code=200)
    async def withdraw(self, switch: Switch, request: Asked, node: FromPath[str], data: JSONBody[Why]) -> LifeView:
        """Note that the applicant wants it no more. Refuses STEP_OUT_OF_ORDER."""
        return await _ended(switch, node, Step.WITHDRAW, request.auth, data.reason)

    @post("/leave", status_code=200)
    async def leave(self, switch: Switch, request: Asked, node: FromPath[str], data: JSONBody[Leave]) -> LifeView:
        """
        Begin its way out: no new payments, returns for a while, its code forms nobody's or handed over.

        Refuses PARTICIPANT_UNKNOWN, STEP_OUT_OF_ORDER; PARTICIPANT_SUSPENDED and the like of who takes the forms over.
        """
        await decided(
            switch.node.journal,
            lambda: switch.exits.leave(
                node,
                by=request.auth,
                reason=data.reason,
                returns_for_s=data.returns_for_s,
                forms_to=data.forms_to or "",
                consented_by=data.consented_by or request.auth,
            ),
        )
        return await life(switch, node)

    @post("/depart", status_code=200)
    async def depart(self, switch: Switch, request: Asked, node: FromPath[str], data: JSONBody[Why]) -> LifeView:
        """End it: its keys are retired, its accounts are empty, its record stays. Refuses EXIT_BLOCKED with what is left."""
        await switch.exits.depart(node, by=request.auth, reason=data.reason)
        return await life(switch, node)


async def life(switch: SwitchNode, node: str) -> LifeView:
    """Everything about a node. Refuses APPLICATION_UNKNOWN."""
    stage = await decided(switch.node.journal, lambda: _known_stage(switch, node))
    lifecycle = switch.lifecycle
    row, attached = lifecycle.application_row(node), lifecycle.certificate_row(node)
    blockers = await switch.exits.blockers(node) if stage is Stage.LEAVING else []
    keys = keys_of(switch, node)
    warnings = key_warnings(keys, switch.node.clock.now_ns()) if stage in _BEHIND_ADMISSION - {Stage.LEFT} else []
    return LifeView(
        node=node,
        stage=stage.value,
        next=next_to_do(node, stage, lifecycle.ceremonies(node), blockers),
        possible=steps_from(stage),
        checklist=await _checklist(switch, node, stage),
        warnings=warnings,
        blockers=blockers,
        application=row.read() if row else None,
        certificate=certificate_view(attached) if attached else None,
        keys=keys,
        history=[passage_view(each) for each in await switch.admission.passages(node)],
    )


async def _checklist(switch: SwitchNode, node: str, stage: Stage) -> list[Check]:
    """What a participant has before it is one; of one that came by the description or by hand, what it has of that."""
    row, attached = switch.lifecycle.application_row(node), switch.lifecycle.certificate_row(node)
    said = f"of {row.read().legal_entity.name}, taken in by {row.taken_by}" if row else "none"
    checks = [Check("application", row is not None, said)]
    certified = stage not in {Stage.APPLIED, Stage.REJECTED, Stage.WITHDRAWN} and attached is not None
    view = certificate_view(attached) if attached else None
    proven = f"{view.passed} passed, {view.not_proven} not proven, {len(view.waived)} waived" if view else "none"
    checks.append(Check("certificate", certified, proven))
    if row:
        key = row.read().key
        ceremony = next((each for each in switch.lifecycle.ceremonies(node) if each.key_id == key.key_id), None)
        confirmed = ceremony is not None and ceremony.state == KeyState.CONFIRMED.value
        by = f"confirmed by {ceremony.confirmed_by}" if ceremony and confirmed else "not confirmed"
        checks.append(Check("first key", confirmed, f"{fingerprint(bytes.fromhex(key.public_key))}, {by}"))
    checks.append(Check("admission", stage in _BEHIND_ADMISSION, stage.value))
    if stage in _BEHIND_ADMISSION:
        for alpha in sorted(switch.clearing.currencies):
            position = await switch.positions.position(node, currency_of(alpha))
            held = f"reserve {position.reserve_minor}, cap {position.cap_minor} minor units of {alpha}"
            checks.append(Check("reserve or cap", bool(position.reserve_minor or position.cap_minor), held))
    return checks


def _known_stage(switch: SwitchNode, node: str) -> Stage:
    stage = switch.admission.stage(node)
    if stage is None:
        raise Refusal(LifecycleReason.APPLICATION_UNKNOWN, participant=node)
    return stage


def _applicants(switch: SwitchNode) -> list[ApplicantView]:
    shown = []
    for row in switch.lifecycle.applications():
        about, stage = row.read(), switch.admission.stage(row.node_id)
        assert stage is not None, "an application is a step"
        shown.append(
            ApplicantView(
                about.node,
                about.name,
                about.legal_entity.name,
                about.url,
                stage.value,
                row.taken_by,
                row.taken_ns // NS_PER_MS,
            )
        )
    return shown


async def _ended(switch: SwitchNode, node: str, step: Step, by: str, reason: str) -> LifeView:
    await decided(switch.node.journal, lambda: switch.lifecycle.end_application(node, step, by, reason))
    return await life(switch, node)
