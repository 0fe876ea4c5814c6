"""From an application to a participant: every step but those of the way out, each by a named operator."""

from collections.abc import Mapping

import msgspec

from hutong.codes.code_form import read_form
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.switch.admission import AdmissionService
from hutong.switch.lifecycle.application import Application, ApplicationRow, SignedApplication
from hutong.switch.lifecycle.certificate import Certificate, CertificateRow
from hutong.switch.lifecycle.key import CeremonyRow, KeyState
from hutong.switch.lifecycle.policy import LifecyclePolicy
from hutong.switch.lifecycle.reason import LifecycleReason
from hutong.switch.lifecycle.repository import APPLICATIONS, CEREMONIES, CERTIFICATES
from hutong.switch.lifecycle.stage import Stage, Step, next_stage
from hutong.switch.participant import Participant
from hutong.switch.reason import SwitchReason

KEY_FOR_EVER_NS = 2**62  # Until it is retired.


class LifecycleService:
    """Small, and all in memory. `alone` says that there is no other operator who could be the second person."""

    def __init__(self, node: NodeRuntime, admission: AdmissionService, policy: LifecyclePolicy) -> None:
        self._node = node
        self._admission = admission
        self._policy = policy
        self._applications = Shelf(APPLICATIONS, node.journal, node.store, key="node_id")
        self._certificates = Shelf(CERTIFICATES, node.journal, node.store, key="node_id")
        self._ceremonies = Shelf(CEREMONIES, node.journal, node.store, key="key_id")

    async def start(self) -> None:
        await self._applications.load_all()
        await self._certificates.load_all()
        await self._ceremonies.load_all()

    def apply(self, signed: SignedApplication, by: str) -> ApplicationRow:
        """
        Take an application in; its key waits for its fingerprint to be confirmed.

        Refuses:  what `SignedApplication.check` refuses; STEP_OUT_OF_ORDER; APPLICATION_KEY_TAKEN, by another's key or
                  another of its own; PARTICIPANT_EXISTS, for a node of somebody else's name.
        Repeats:  the application as it was taken in.
        """
        about, now_ns = signed.application, self._node.clock.now_ns()
        signed.check(self._node.node_id, self._policy, now_ns)
        known, stage = self._applications.get(about.node), self._admission.stage(about.node)
        if known is not None and known.application == about.text() and stage in {Stage.APPLIED, Stage.CERTIFIED}:
            return known
        after = next_stage(about.node, stage, Step.APPLY)
        public_key = bytes.fromhex(about.key.public_key)
        ceremony = self._ceremonies.get(about.key.key_id)
        same = ceremony is not None and (ceremony.node_id, ceremony.public_key) == (about.node, public_key)
        if (ceremony is not None and not same) or self._registered(about.key.key_id):
            raise Refusal(LifecycleReason.APPLICATION_KEY_TAKEN, key_id=about.key.key_id)
        row = ApplicationRow(about.node, about.text(), bytes.fromhex(signed.signature), by, now_ns)
        self._applications.put(row)
        for other in self.ceremonies(about.node):
            if other.key_id != about.key.key_id:
                self._ceremonies.put(msgspec.structs.replace(other, state=KeyState.DROPPED.value))
        if ceremony is None or ceremony.state == KeyState.DROPPED.value:
            self._register(about.node, about.key.key_id, public_key, 0, KEY_FOR_EVER_NS, by)
        self._admission.note(about.node, after, Step.APPLY, by, "")
        return row

    def certify(self, node_id: str, certificate: Certificate, waived: Mapping[str, str], by: str) -> CertificateRow:
        """
        Attach what the conformance kit found.

        Refuses:  APPLICATION_UNKNOWN, STEP_OUT_OF_ORDER, what `Certificate.check` refuses.
        """
        after = next_stage(node_id, self._admission.stage(node_id), Step.CERTIFY)
        now_ns = self._node.clock.now_ns()
        certificate.check(self.application(node_id), self._policy, waived, now_ns)
        row = CertificateRow(
            node_id=node_id,
            certificate=msgspec.json.encode(certificate, order="sorted").decode(),
            waived=msgspec.json.encode(dict(waived), order="sorted").decode(),
            taken_by=by,
            taken_ns=now_ns,
        )
        known = self._certificates.get(node_id)
        same = known is not None and (known.certificate, known.waived) == (row.certificate, row.waived)
        if known is not None and same and self._admission.stage(node_id) is after:
            return known
        self._certificates.put(row)
        self._admission.note(node_id, after, Step.CERTIFY, by, ", ".join(f"{case} waived" for case in sorted(waived)))
        return row

    def end_application(self, node_id: str, step: Step, by: str, reason: str) -> Stage:
        """REJECT or WITHDRAW it. Refuses STEP_OUT_OF_ORDER."""
        stage = self._admission.stage(node_id)
        after = next_stage(node_id, stage, step)
        if after is not stage:
            for ceremony in self.ceremonies(node_id):
                self._ceremonies.put(msgspec.structs.replace(ceremony, state=KeyState.DROPPED.value))
            self._admission.note(node_id, after, step, by, reason)
        return after

    def admit(self, node_id: str, by: str, reason: str, *, consented_by: str = "") -> Participant:
        """
        Make a certified applicant a participant, with its key and its code forms. Its reserve is the caller's affair.

        Refuses:  STEP_OUT_OF_ORDER; CERTIFICATE_TOO_OLD and the like, by now; KEY_NOT_CONFIRMED; FORM_TAKEN, FORM_OVERLAPS:
                  unless somebody consented.
        Repeats:  the participant, as long as nothing else was done since.
        """
        if self._admission.has_taken(node_id, Step.ADMIT, reason):
            return self._admission.participant(node_id)
        next_stage(node_id, self._admission.stage(node_id), Step.ADMIT)
        about = self.application(node_id)
        attached = self._certificates.get(node_id)
        assert attached is not None, "it is certified"
        now_ns = self._node.clock.now_ns()
        attached.read().check(about, self._policy, attached.read_waived(), now_ns)
        ceremony = self._ceremonies.get(about.key.key_id)
        if ceremony is None or ceremony.state != KeyState.CONFIRMED.value:
            raise Refusal(LifecycleReason.KEY_NOT_CONFIRMED, key_id=about.key.key_id)
        for form in about.forms:
            self._admission.directory.check(read_form(form), node_id, consented=bool(consented_by))
        admitted = self._admission.admit(node_id, about.participant, about.name, about.url, by=by, reason=reason)
        self._validate(ceremony)
        for form in about.forms:
            self._admission.register_form(node_id, form, consented_by=consented_by)
        return admitted

    def check_by_hand(self, node_id: str) -> None:
        """Whether a node may be admitted without an application: not one that has applied. Refuses STEP_OUT_OF_ORDER."""
        stage = self._admission.stage(node_id)
        if stage in {Stage.APPLIED, Stage.CERTIFIED, Stage.REJECTED, Stage.WITHDRAWN}:
            next_stage(node_id, Stage.APPLIED, Step.ADMIT)

    def register_key(
        self,
        node_id: str,
        key_id: str,
        public_key: bytes,
        valid_from_ns: int,
        valid_until_ns: int,
        *,
        by: str,
        alone: bool,
    ) -> CeremonyRow | None:
        """
        Note a participant's new key; it counts once another operator has confirmed it, or at once where there is none.

        Refuses:  PARTICIPANT_UNKNOWN, PARTICIPANT_LEFT, KEY_CONFLICTS.
        Repeats:  nothing.
        """
        self._admission.staying(node_id)
        known = self._ceremonies.get(key_id)
        if alone or self._registered(key_id):
            self._admission.add_key(node_id, key_id, public_key, valid_from_ns, valid_until_ns)
            if known is not None and known.state == KeyState.PENDING.value:
                self._ceremonies.put(msgspec.structs.replace(known, state=KeyState.DROPPED.value))
            return None
        if known is None or known.state == KeyState.DROPPED.value:
            return self._register(node_id, key_id, public_key, valid_from_ns, valid_until_ns, by)
        said = (node_id, public_key, valid_from_ns, valid_until_ns)
        if (known.node_id, known.public_key, known.valid_from_ns, known.valid_until_ns) != said:
            raise Refusal(SwitchReason.KEY_CONFLICTS, key_id=key_id)
        return known

    def confirm_key(self, node_id: str, key_id: str, fingerprint: str, *, by: str, alone: bool) -> CeremonyRow:
        """
        The second person heard the same fingerprint from the participant: a participant's key is valid now, an applicant's
        when it is admitted.

        Refuses:  KEY_NOT_PENDING, KEY_NEEDS_ANOTHER_OPERATOR, KEY_FINGERPRINT_DIFFERS, KEY_CONFLICTS.
        Repeats:  nothing.
        """
        known = self._ceremonies.get(key_id)
        if known is None or known.node_id != node_id or known.state == KeyState.DROPPED.value:
            raise Refusal(LifecycleReason.KEY_NOT_PENDING, key_id=key_id)
        if known.state == KeyState.CONFIRMED.value:
            return known
        confirmed = known.confirmed(fingerprint, by, alone=alone, now_ns=self._node.clock.now_ns())
        if self._admission.stage(node_id) in {Stage.ACTIVE, Stage.SUSPENDED, Stage.LEAVING}:
            self._validate(confirmed)
        self._ceremonies.put(confirmed)
        return confirmed

    def drop_key(self, node_id: str, key_id: str) -> bool:
        """Give up a key that waits for confirmation; whether there was one."""
        known = self._ceremonies.get(key_id)
        if known is None or (known.node_id, known.state) != (node_id, KeyState.PENDING.value):
            return False
        self._ceremonies.put(msgspec.structs.replace(known, state=KeyState.DROPPED.value))
        return True

    def application(self, node_id: str) -> Application:
        """Refuses APPLICATION_UNKNOWN."""
        found = self._applications.get(node_id)
        if found is None:
            raise Refusal(LifecycleReason.APPLICATION_UNKNOWN, participant=node_id)
        return found.read()

    def application_row(self, node_id: str) -> ApplicationRow | None:
        """As it was taken in."""
        return self._applications.get(node_id)

    def applications(self) -> list[ApplicationRow]:
        """The newest of every applicant, participants too."""
        return self._applications.everything()

    def certificate_row(self, node_id: str) -> CertificateRow | None:
        """What the kit found last."""
        return self._certificates.get(node_id)

    def ceremonies(self, node_id: str) -> list[CeremonyRow]:
        """A node's keys that went, or go, through two pairs of hands; given up ones not."""
        return [
            each
            for each in self._ceremonies.everything()
            if each.node_id == node_id and each.state != KeyState.DROPPED.value
        ]

    def _registered(self, key_id: str) -> bool:
        return any(key.key_id == key_id for key in self._admission.keys())  # noqa: SIM118  # Rows.

    def _register(
        self, node_id: str, key_id: str, public_key: bytes, valid_from_ns: int, valid_until_ns: int, by: str
    ) -> CeremonyRow:
        row = CeremonyRow(
            key_id=key_id,
            node_id=node_id,
            public_key=public_key,
            valid_from_ns=valid_from_ns,
            valid_until_ns=valid_until_ns,
            state=KeyState.PENDING.value,
            registered_by=by,
            registered_ns=self._node.clock.now_ns(),
        )
        self._ceremonies.put(row)
        return row

    def _validate(self, row: CeremonyRow) -> None:
        self._admission.add_key(row.node_id, row.key_id, row.public_key, row.valid_from_ns, row.valid_until_ns)
